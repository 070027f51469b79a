//! Published lists of high-, medium- and low-risk areas: names to codes, lists to dated facts, facts to a risk map.
//!
//! Knows no resident, no clock, no network and no commitment; files come in as bytes.

mod alias;
mod bytes;
mod corps;
mod derive;
mod error;
mod facts;
mod import;
mod map;
mod matching;
mod place;
mod published;
mod register;
mod resolve;
mod scope;
mod spelling;
mod table;
mod text;

pub use bytes::compress;
pub use derive::{Divisions, MAX_CSV_BYTES, derive_table};
pub use error::Error;
pub use facts::{
    Counts, Fact, FactTable, ListCounts, MAX_FACT_BYTES, MAX_FACTS, MAX_RELISTINGS,
    MAX_SOURCE_BYTES, Unplaced,
};
pub use import::{MAX_LISTS, import};
pub use map::{BuiltMap, MapOptions};
pub use place::Place;
pub use published::{
    Group, GroupName, LISTED_GRADES, MAX_LIST_BYTES, MAX_LIST_ENTRIES, MAX_NAME_BYTES,
    MAX_TEXT_BYTES, PublishedList,
};
pub use register::{MAX_REGISTER_BYTES, Register};
pub use resolve::{Precision, Resolution, Resolver, Target};
pub use scope::Scope;
pub use table::{AreaTable, MAX_TABLE_BYTES};
