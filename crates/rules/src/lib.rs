//! Events, rule sets, the risk map, and the evaluation of a record to colour and reasons: a pure function of its arguments.
//!
//! Knows no clock, no network, no storage, no cryptography beyond a digest, and has no function that sets a colour.

pub mod appeal;
mod colour;
mod error;
pub mod evaluate;
pub mod event;
pub mod fold;
pub mod identity;
pub mod intake;
pub mod lint;
pub mod naming;
mod place;
mod record;
mod risk_map;
mod row;
pub mod rule_set;
pub mod source;
#[cfg(test)]
mod testing;
mod time;

pub use colour::{Claim, Colour, TestAge, WorstColour};
pub use error::Error;
pub use evaluate::{Evaluation, Ground, Reason, State, WayOut, evaluate};
pub use event::{
    CaseKind, ContactDegree, Event, EventBody, EventId, EventKind, ExposureList, TestResult,
};
pub use fold::{Capacity, Context, FoldError, Folded, fact_kind, fits, fold, stated_fact};
pub use identity::{IDENTITY_NUMBER_LEN_BYTES, IdentityError, IdentityNumber};
pub use intake::{EventError, Policy, SourceGrant};
pub use lint::{Finding, Outside, within};
pub use place::{AreaCode, ProvinceCode};
pub use record::{
    CheckInRun, Fact, FactKind, MAX_ENTRIES, MAX_NEGATIVES, MAX_RISK_INTERVALS, MAX_RUNS,
    MAX_SLOTS, MAX_STAYS, Record, Stay,
};
pub use risk_map::{Grade, Interval, MAX_INTERVALS, MAX_PERIODS, Period, RiskMap};
pub use row::{Clearing, KEYS, Key, LookbackHours, MAX_COUNT, MAX_ROWS, Offset, Row, RowTable};
pub use rule_set::{
    Bound, Bounds, MAX_RULE_SET_LEN_BYTES, Rule, RuleSet, RuleSetError, RuleSetId, Text, Validity,
};
pub use source::{SourceId, SourceKind, may_end, may_sign};
pub use time::{Day, MINUTES_PER_DAY, Minute, UTC_PLUS_8_MIN};
