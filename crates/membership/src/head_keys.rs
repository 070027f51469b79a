//! Head keys with their dates: how one follows another, and what a root document says of each.

use std::fmt;

use commitment::MAX_DATED_KEYS;
use ed25519_dalek::VerifyingKey;
use rules::Minute;
use serde::Serialize;
use verifier::trust::{HeadKeys, RootDocument};

use crate::MembershipError;
use crate::change::local;

/// Least minutes from the publication of a root document to the first minute of a head key that it announces: 24 hours, in which
/// every node and gate can have it. Nodes judge by an earlier document for as long, and no longer than to that minute.
pub const HEAD_KEY_NOTICE_MIN: u32 = 1_440;
/// Most minutes to it: 90 days. What is announced for longer has been forgotten by whoever holds it.
pub const HEAD_KEY_AHEAD_MAX_MIN: u32 = 90 * 1_440;
/// Minutes for which a retired head key is named at least: 14 days, as long as registries are listed that it cosigned.
pub const HEAD_KEY_KEPT_MIN: u32 = 14 * 1_440;

/// Checks that a head key may be announced at `now` for its first minute.
///
/// # Errors
/// [`MembershipError::HeadKeyDate`] for less than [`HEAD_KEY_NOTICE_MIN`] or more than [`HEAD_KEY_AHEAD_MAX_MIN`].
pub fn check_head_key_date(from: Minute, now: Minute) -> Result<(), MembershipError> {
    let earliest = now.saturating_add_signed(HEAD_KEY_NOTICE_MIN.into());
    let latest = now.saturating_add_signed(HEAD_KEY_AHEAD_MAX_MIN.into());
    if from < earliest || from > latest {
        return Err(MembershipError::HeadKeyDate {
            from,
            earliest,
            latest,
        });
    }
    Ok(())
}

/// The keys of a slot once `new` follows: at a minute, the old one being retired then, or at once, the others being forgotten. A key
/// that was announced and is not in force gives way.
pub(crate) fn followed(
    keys: &HeadKeys,
    new: VerifyingKey,
    from: Option<Minute>,
    now: Minute,
) -> Result<HeadKeys, MembershipError> {
    let Some(from) = from else {
        return Ok(HeadKeys::single(new));
    };
    check_head_key_date(from, now)?;
    let begun = keys.entries().iter().filter(|(from, _)| *from <= now);
    let mut dates: Vec<(Minute, VerifyingKey)> = begun.copied().collect();
    if dates.len() == MAX_DATED_KEYS {
        let kept_until = dates[1].0.saturating_add_signed(HEAD_KEY_KEPT_MIN.into());
        if now < kept_until {
            return Err(MembershipError::HeadKeyKept { kept_until });
        }
        dates.remove(0);
    }
    dates.push((from, new));
    HeadKeys::new(dates).map_err(|_| MembershipError::BadKey("a head key that the slot had before"))
}

/// Where a head key stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKeyState {
    /// Another one followed.
    Retired,
    /// It signs.
    InForce,
    /// It is to follow.
    Announced,
}

/// A head key as a root document names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedHeadKey {
    /// Whose it is.
    pub province: u8,
    /// In which slot.
    pub slot: u8,
    /// The key, hexadecimal digits.
    pub key: String,
    /// Its first minute; 0 if it has none.
    pub from_minute: u32,
    /// The first minute of the one that follows: its retirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_minute: Option<u32>,
    /// Where it stands.
    pub state: HeadKeyState,
}

/// The head keys that a root document names, by slot and date, as they stand at `now`.
pub fn head_keys(root: &RootDocument, now: Minute) -> Vec<NamedHeadKey> {
    let of_entry = |entry: &verifier::trust::ProvinceEntry| {
        let dates = entry.head_keys.entries();
        let ends = dates.iter().skip(1).map(|(from, _)| Some(*from));
        let named = dates
            .iter()
            .zip(ends.chain([None]))
            .map(|((from, key), end)| {
                let state = if *from > now {
                    HeadKeyState::Announced
                } else if end.is_some_and(|end| end <= now) {
                    HeadKeyState::Retired
                } else {
                    HeadKeyState::InForce
                };
                NamedHeadKey {
                    province: entry.province.get(),
                    slot: entry.slot.get(),
                    key: hex::encode(key.as_bytes()),
                    from_minute: from.get(),
                    until_minute: end.map(Minute::get),
                    state,
                }
            });
        named.collect::<Vec<_>>()
    };
    root.provinces.iter().flat_map(of_entry).collect()
}

impl fmt::Display for NamedHeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (province, slot, key) = (self.province, self.slot, &self.key);
        write!(f, "province {province}, slot {slot}: {key} ")?;
        match (self.state, self.until_minute) {
            (HeadKeyState::Announced, _) => {
                write!(f, "announced, signs from {}", local(self.from_minute))
            }
            (HeadKeyState::InForce, Some(until)) => {
                write!(f, "in force, retires on {}", local(until))
            }
            (HeadKeyState::InForce, None) => f.write_str("in force"),
            (HeadKeyState::Retired, until) => {
                write!(f, "retired on {}", local(until.unwrap_or_default()))
            }
        }
    }
}
