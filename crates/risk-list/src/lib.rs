//! Published lists of high-, medium- and low-risk areas: names to codes, lists to dated facts, facts to a risk map.
//!
//! Knows no resident, no clock, no network and no commitment; files come in as bytes.

mod alias;
mod bytes;
mod corps;
mod derive;
mod error;
mod matching;
mod published;
mod resolve;
mod scope;
mod table;
mod text;

pub use bytes::compress;
pub use derive::{Divisions, MAX_CSV_BYTES, derive_table};
pub use error::Error;
pub use published::{
    Group, GroupName, LISTED_GRADES, MAX_LIST_BYTES, MAX_LIST_ENTRIES, MAX_NAME_BYTES,
    MAX_TEXT_BYTES, PublishedList,
};
pub use resolve::{Precision, Resolution, Resolver, Target};
pub use scope::Scope;
pub use table::{AreaTable, MAX_TABLE_BYTES};
