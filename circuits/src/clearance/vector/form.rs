//! The JSON form of public inputs and witnesses: every field by name, elements as 64 hex digits, times in minutes.

use commitment::{Blinding, IdentityCommitment, PublicInputs, RiskOpening};
use rules::{
    Claim, LookbackHours, MAX_ENTRIES, MAX_PERIODS, MAX_RISK_INTERVALS, MAX_SLOTS, Minute,
    ProvinceCode, Row, RowTable, TestAge, WorstColour,
};
use serde::{Deserialize, Serialize};

use crate::clearance::{EntryClaim, OpenedInterval, Relief, SlotClaim, Witness};
use crate::vector::Fault;
use crate::vector::form::{Hex, PathForm, RecordForm, element, hex_of};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicForm {
    registry_root: Hex,
    risk_root: Hex,
    rule_digest: Hex,
    as_of: Minute,
    claim: ClaimForm,
    binder: Hex,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimForm {
    worst: WorstColour,
    test_age: TestAge,
}

impl From<&PublicInputs> for PublicForm {
    fn from(public: &PublicInputs) -> Self {
        Self {
            registry_root: hex_of(public.registry_root),
            risk_root: hex_of(public.risk_root),
            rule_digest: hex_of(public.rule_digest),
            as_of: public.as_of,
            claim: ClaimForm {
                worst: public.claim.worst,
                test_age: public.claim.test_age,
            },
            binder: hex_of(public.binder),
        }
    }
}

impl TryFrom<PublicForm> for PublicInputs {
    type Error = Fault;
    fn try_from(form: PublicForm) -> Result<Self, Fault> {
        Ok(Self {
            registry_root: element(&form.registry_root)?,
            risk_root: element(&form.risk_root)?,
            rule_digest: element(&form.rule_digest)?,
            as_of: form.as_of,
            claim: Claim {
                worst: form.claim.worst,
                test_age: form.claim.test_age,
            },
            binder: element(&form.binder)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableForm {
    province: ProvinceCode,
    lookback_hours: LookbackHours,
    row_of_key: Vec<u8>,
    rows: Vec<Row>,
}

impl From<&RowTable> for TableForm {
    fn from(table: &RowTable) -> Self {
        Self {
            province: table.province(),
            lookback_hours: table.lookback_hours(),
            row_of_key: table.row_of_key().to_vec(),
            rows: table.rows().to_vec(),
        }
    }
}

impl TryFrom<TableForm> for RowTable {
    type Error = Fault;
    fn try_from(form: TableForm) -> Result<Self, Fault> {
        let in_range = |index: &u8| usize::from(*index) < form.rows.len();
        if form.row_of_key.len() != rules::KEYS || !form.row_of_key.iter().all(in_range) {
            return Err(Fault::TableIndex);
        }
        let row_of = |key: rules::Key| {
            let index = form.row_of_key.get(usize::from(key.code()));
            let row = index.and_then(|index| form.rows.get(usize::from(*index)));
            row.copied().unwrap_or(Row::INERT)
        };
        let table = Self::new(form.province, form.lookback_hours, row_of).map_err(Fault::Table)?;
        // Rows stand in the order of first use, each once.
        if table.row_of_key() == form.row_of_key && table.rows() == form.rows {
            Ok(table)
        } else {
            Err(Fault::TableIndex)
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodForm {
    grade: u8,
    since: u32,
    until: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningForm {
    index: u32,
    pair: [[Hex; 2]; 2],
    path: PathForm,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalForm {
    from: u64,
    last: u64,
    periods: [PeriodForm; MAX_PERIODS],
    opening: OpeningForm,
}

impl From<&OpenedInterval> for IntervalForm {
    fn from(interval: &OpenedInterval) -> Self {
        Self {
            from: interval.from,
            last: interval.last,
            periods: interval.periods.map(|(grade, since, until)| PeriodForm {
                grade,
                since,
                until,
            }),
            opening: OpeningForm {
                index: interval.opening.index,
                pair: interval.opening.pair.map(|half| half.map(hex_of)),
                path: (&interval.opening.path).into(),
            },
        }
    }
}

impl TryFrom<IntervalForm> for OpenedInterval {
    type Error = Fault;
    fn try_from(form: IntervalForm) -> Result<Self, Fault> {
        let [[a, b], [c, d]] = &form.opening.pair;
        let pair = [[element(a)?, element(b)?], [element(c)?, element(d)?]];
        Ok(Self {
            from: form.from,
            last: form.last,
            periods: form.periods.map(|p| (p.grade, p.since, p.until)),
            opening: RiskOpening {
                index: form.opening.index,
                pair,
                path: form.opening.path.try_into()?,
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryClaimForm {
    key: u8,
    anchor: u32,
    is_ground: bool,
    slot: u8,
    interval: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReliefForm {
    alternative: u8,
    negatives: [u8; 3],
    run: u8,
    first_day: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotForm {
    key: u8,
    anchor: u32,
    lapsed: bool,
    // Named, so that it must be written even where there is none.
    #[serde(deserialize_with = "Option::deserialize")]
    relief: Option<ReliefForm>,
}

impl From<&EntryClaim> for EntryClaimForm {
    fn from(claim: &EntryClaim) -> Self {
        Self {
            key: claim.key,
            anchor: claim.anchor,
            is_ground: claim.is_ground,
            slot: claim.slot,
            interval: claim.interval,
        }
    }
}

impl From<EntryClaimForm> for EntryClaim {
    fn from(form: EntryClaimForm) -> Self {
        Self {
            key: form.key,
            anchor: form.anchor,
            is_ground: form.is_ground,
            slot: form.slot,
            interval: form.interval,
        }
    }
}

impl From<&SlotClaim> for SlotForm {
    fn from(slot: &SlotClaim) -> Self {
        Self {
            key: slot.key,
            anchor: slot.anchor,
            lapsed: slot.lapsed,
            relief: slot.relief.map(|relief| ReliefForm {
                alternative: relief.alternative,
                negatives: relief.negatives,
                run: relief.run,
                first_day: relief.first_day,
            }),
        }
    }
}

impl From<SlotForm> for SlotClaim {
    fn from(form: SlotForm) -> Self {
        Self {
            key: form.key,
            anchor: form.anchor,
            lapsed: form.lapsed,
            relief: form.relief.map(|relief| Relief {
                alternative: relief.alternative,
                negatives: relief.negatives,
                run: relief.run,
                first_day: relief.first_day,
            }),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessForm {
    record: RecordForm,
    identity: Hex,
    blinding: Hex,
    leaf: Hex,
    state_path: PathForm,
    state_root: Hex,
    head_time: u32,
    registry_path: PathForm,
    table: TableForm,
    intervals: [IntervalForm; MAX_RISK_INTERVALS],
    entries: [EntryClaimForm; MAX_ENTRIES],
    slots: [SlotForm; MAX_SLOTS],
    fresh_negative: u8,
}

impl From<&Witness> for WitnessForm {
    fn from(w: &Witness) -> Self {
        Self {
            record: (&w.record).into(),
            identity: hex_of(w.identity.element()),
            blinding: hex_of(w.blinding.0),
            leaf: hex_of(w.leaf),
            state_path: (&w.state_path).into(),
            state_root: hex_of(w.state_root),
            head_time: w.head_time,
            registry_path: (&w.registry_path).into(),
            table: (&w.table).into(),
            intervals: w.intervals.each_ref().map(Into::into),
            entries: w.entries.each_ref().map(Into::into),
            slots: w.slots.each_ref().map(Into::into),
            fresh_negative: w.fresh_negative,
        }
    }
}

impl TryFrom<WitnessForm> for Witness {
    type Error = Fault;
    fn try_from(form: WitnessForm) -> Result<Self, Fault> {
        let [a, b, c, d] = form.intervals;
        Ok(Self {
            record: form.record.into(),
            identity: IdentityCommitment::from_element(element(&form.identity)?),
            blinding: Blinding(element(&form.blinding)?),
            leaf: element(&form.leaf)?,
            state_path: form.state_path.try_into()?,
            state_root: element(&form.state_root)?,
            head_time: form.head_time,
            registry_path: form.registry_path.try_into()?,
            table: form.table.try_into()?,
            intervals: [a.try_into()?, b.try_into()?, c.try_into()?, d.try_into()?],
            entries: form.entries.map(Into::into),
            slots: form.slots.map(Into::into),
            fresh_negative: form.fresh_negative,
        })
    }
}
