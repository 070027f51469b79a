//! What a root document changes beside the one before it: what a holder of a root key reads before signing.

use std::fmt;

use serde::Serialize;
use verifier::trust::{OpeningEntry, ProvinceEntry, RootDocument, RuleSetEntry};

/// One change. Keys and circuits are named by hexadecimal digits, times are minutes or seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A province joins.
    Joins {
        /// Its code.
        province: u8,
        /// Its slot.
        slot: u8,
        /// Its head key.
        head_key: String,
    },
    /// A province leaves, or is removed.
    Leaves {
        /// Its code.
        province: u8,
        /// Its slot.
        slot: u8,
    },
    /// A slot has another head key, at once or from a minute on.
    HeadKey {
        /// Whose it is.
        province: u8,
        /// Which slot.
        slot: u8,
        /// The key that it follows.
        old: String,
        /// The key that follows.
        new: String,
        /// Its first minute; without one the old key is not believed any more as soon as the document is in force.
        from_minute: Option<u32>,
    },
    /// A head key that was retired, or announced, is not named any more.
    HeadKeyGone {
        /// Whose it was.
        province: u8,
        /// Which slot.
        slot: u8,
        /// The key.
        key: String,
    },
    /// A root key more.
    RootKeyAdded {
        /// The key.
        key: String,
    },
    /// A root key less.
    RootKeyRemoved {
        /// The key.
        key: String,
    },
    /// Another number of root keys must sign.
    Threshold {
        /// How many so far.
        old: u8,
        /// How many from now on.
        new: u8,
    },
    /// A circuit more.
    CircuitAdded {
        /// Its identity.
        circuit: String,
        /// Whether its passes are specimens.
        test: bool,
    },
    /// A circuit less.
    CircuitRemoved {
        /// Its identity.
        circuit: String,
    },
    /// A circuit of openings more.
    OpeningAdded {
        /// Its identity.
        circuit: String,
        /// Whether its openings are specimens.
        test: bool,
    },
    /// A circuit of openings less.
    OpeningRemoved {
        /// Its identity.
        circuit: String,
    },
    /// A rule set is announced, or stands otherwise.
    RuleSet {
        /// Its name.
        name: String,
        /// Whose it is; 0 for the nation's.
        scope: u8,
        /// The digest of its table, as passes name it.
        digest: String,
        /// First minute in force.
        from_minute: u32,
        /// First minute no longer in force, if one is set.
        until_minute: Option<u32>,
        /// Its version.
        version: u32,
        /// Whether it is flagged as an emergency, which shortens the notice.
        is_emergency: bool,
        /// Whether it stood there before, with other dates.
        is_known: bool,
    },
    /// A rule set is not listed any more.
    RuleSetGone {
        /// Its name.
        name: String,
    },
    /// A profile of gates is new, changed or gone.
    Profile {
        /// Its name.
        name: String,
        /// Whether it is gone.
        is_gone: bool,
    },
    /// Another grace time of superseded rule sets.
    Grace {
        /// Minutes so far.
        old_min: u32,
        /// Minutes from now on.
        new_min: u32,
    },
    /// The end of the document.
    Expires {
        /// Its end.
        at_s: u64,
    },
}

/// Everything that `new` changes beside `old`, and its end. Whoever founds a federation has no `old`.
pub fn changes(old: Option<&RootDocument>, new: &RootDocument) -> Vec<Change> {
    let mut found = Vec::new();
    provinces(old, new, &mut found);
    root_keys(old, new, &mut found);
    content(old, new, &mut found);
    found.push(Change::Expires {
        at_s: new.expires_at.get_s(),
    });
    found
}

fn digits(key: &ed25519_dalek::VerifyingKey) -> String {
    hex::encode(key.as_bytes())
}

fn provinces(old: Option<&RootDocument>, new: &RootDocument, found: &mut Vec<Change>) {
    let before = old.map_or(&[][..], |root| &root.provinces);
    let same = |a: &ProvinceEntry, b: &ProvinceEntry| (a.slot, a.province) == (b.slot, b.province);
    for entry in &new.provinces {
        let (province, slot) = (entry.province.get(), entry.slot.get());
        match before.iter().find(|known| same(known, entry)) {
            Some(known) => head_keys(known, entry, found),
            None => found.extend(entry.head_keys.keys().last().map(|key| Change::Joins {
                province,
                slot,
                head_key: digits(key),
            })),
        }
    }
    let left = |known: &&ProvinceEntry| !new.provinces.iter().any(|entry| same(known, entry));
    found.extend(before.iter().filter(left).map(|known| Change::Leaves {
        province: known.province.get(),
        slot: known.slot.get(),
    }));
}

/// What changes about the head keys of a slot that stays.
fn head_keys(before: &ProvinceEntry, after: &ProvinceEntry, found: &mut Vec<Change>) {
    let (province, slot) = (after.province.get(), after.slot.get());
    let (old, new) = (before.head_keys.entries(), after.head_keys.entries());
    let mut replaced = None;
    let mut follows = None;
    for dated in new {
        if !old.contains(dated) {
            let (from, key) = dated;
            // One that follows none of the same document takes the place of all.
            let last = follows.or(old.last().map(|(_, key)| key));
            replaced = replaced.or(follows.is_none().then_some(last).flatten());
            found.extend(last.map(|old| Change::HeadKey {
                province,
                slot,
                old: digits(old),
                new: digits(key),
                from_minute: follows.is_some().then_some(from.get()),
            }));
        }
        follows = Some(&dated.1);
    }
    let gone = |key: &&ed25519_dalek::VerifyingKey| {
        !after.head_keys.contains(key) && replaced != Some(*key)
    };
    let gone = before.head_keys.keys().filter(gone);
    found.extend(gone.map(|key| Change::HeadKeyGone {
        province,
        slot,
        key: digits(key),
    }));
}

fn root_keys(old: Option<&RootDocument>, new: &RootDocument, found: &mut Vec<Change>) {
    let of = |root: Option<&RootDocument>| -> Vec<String> {
        let keys = root.map_or(&[][..], |root| root.root_keys.keys());
        keys.iter().map(digits).collect()
    };
    let (before, after) = (of(old), of(Some(new)));
    let added = after.iter().filter(|key| !before.contains(key)).cloned();
    found.extend(added.map(|key| Change::RootKeyAdded { key }));
    let removed = before.iter().filter(|key| !after.contains(key)).cloned();
    found.extend(removed.map(|key| Change::RootKeyRemoved { key }));
    let old_threshold = old.map_or(0, |root| root.root_keys.threshold());
    if old_threshold != new.root_keys.threshold() {
        found.push(Change::Threshold {
            old: old_threshold,
            new: new.root_keys.threshold(),
        });
    }
}

fn openings(old: Option<&RootDocument>, new: &RootDocument, found: &mut Vec<Change>) {
    let before = old.map_or(&[][..], |root| &root.openings);
    let id = |entry: &OpeningEntry| hex::encode(entry.id().to_bytes());
    let added = new.openings.iter().filter(|entry| !before.contains(entry));
    found.extend(added.map(|entry| Change::OpeningAdded {
        circuit: id(entry),
        test: entry.circuit_use == verifier::CircuitUse::Test,
    }));
    let removed = before.iter().filter(|entry| !new.openings.contains(entry));
    found.extend(removed.map(|entry| Change::OpeningRemoved { circuit: id(entry) }));
}

/// Circuits, openings, rule sets, profiles and the grace time.
fn content(old: Option<&RootDocument>, new: &RootDocument, found: &mut Vec<Change>) {
    let circuits = old.map_or(&[][..], |root| &root.circuits);
    let id = |circuit: &verifier::trust::CircuitEntry| hex::encode(circuit.id().to_bytes());
    let is_in = |list: &[verifier::trust::CircuitEntry], circuit| list.contains(circuit);
    let added = new.circuits.iter().filter(|c| !is_in(circuits, c));
    found.extend(added.map(|circuit| Change::CircuitAdded {
        circuit: id(circuit),
        test: circuit.circuit_use == verifier::CircuitUse::Test,
    }));
    let removed = circuits.iter().filter(|c| !is_in(&new.circuits, c));
    found.extend(removed.map(|circuit| Change::CircuitRemoved {
        circuit: id(circuit),
    }));

    openings(old, new, found);

    let before = old.map_or(&[][..], |root| &root.rule_sets);
    let same = |a: &RuleSetEntry, b: &RuleSetEntry| a.name == b.name && a.digest == b.digest;
    for entry in new.rule_sets.iter().filter(|entry| !before.contains(entry)) {
        found.push(Change::RuleSet {
            name: entry.name.clone(),
            scope: entry.scope.get(),
            digest: hex::encode(entry.short_id.0),
            from_minute: entry.valid_from.get(),
            until_minute: entry.superseded_at.map(rules::Minute::get),
            version: entry.version,
            is_emergency: entry.is_emergency,
            is_known: before.iter().any(|known| same(known, entry)),
        });
    }
    let gone = before
        .iter()
        .filter(|b| !new.rule_sets.iter().any(|n| same(b, n)));
    found.extend(gone.map(|entry| Change::RuleSetGone {
        name: entry.name.clone(),
    }));

    let profiles = old.map_or(&[][..], |root| &root.profiles);
    let changed = new.profiles.iter().filter(|p| !profiles.contains(p));
    found.extend(changed.map(|profile| Change::Profile {
        name: profile.name.clone(),
        is_gone: false,
    }));
    let named = |name: &str| new.profiles.iter().any(|profile| profile.name == name);
    let gone = profiles.iter().filter(|profile| !named(&profile.name));
    found.extend(gone.map(|profile| Change::Profile {
        name: profile.name.clone(),
        is_gone: true,
    }));

    let grace = old.map_or(0, |root| root.grace_min);
    if grace != new.grace_min {
        found.push(Change::Grace {
            old_min: grace,
            new_min: new.grace_min,
        });
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins {
                province,
                slot,
                head_key,
            } => write!(
                f,
                "province {province} joins in slot {slot}, head key {head_key}"
            ),
            Self::Leaves { province, slot } => {
                write!(f, "province {province} leaves slot {slot}")
            }
            Self::HeadKey {
                province,
                slot,
                old,
                new,
                from_minute,
            } => {
                write!(
                    f,
                    "province {province}, slot {slot}: head key {old} becomes {new}, "
                )?;
                match from_minute {
                    Some(from) => write!(f, "from {}", local(*from)),
                    None => f.write_str("AT ONCE"),
                }
            }
            Self::HeadKeyGone {
                province,
                slot,
                key,
            } => write!(
                f,
                "province {province}, slot {slot}: head key {key} is not named any more"
            ),
            Self::RootKeyAdded { key } => write!(f, "root key {key} is added"),
            Self::RootKeyRemoved { key } => write!(f, "root key {key} is removed"),
            Self::Threshold { old, new } => {
                write!(f, "{new} root keys must sign (so far {old})")
            }
            Self::CircuitAdded { circuit, test } => {
                let kind = if *test { "test circuit" } else { "circuit" };
                write!(f, "{kind} {circuit} is added")
            }
            Self::CircuitRemoved { circuit } => write!(f, "circuit {circuit} is removed"),
            Self::OpeningAdded { circuit, test } => {
                let kind = if *test { "test circuit" } else { "circuit" };
                write!(f, "{kind} of openings {circuit} is added")
            }
            Self::OpeningRemoved { circuit } => {
                write!(f, "circuit of openings {circuit} is removed")
            }
            Self::RuleSet {
                name,
                scope,
                digest,
                from_minute,
                until_minute,
                version,
                is_emergency,
                is_known,
            } => {
                let what = if *is_known {
                    "has new dates"
                } else {
                    "is announced"
                };
                let from = local(*from_minute);
                write!(
                    f,
                    "rule set {name} version {version} ({digest}, scope {scope}) {what}: from {from}"
                )?;
                if *is_emergency {
                    write!(f, ", AN EMERGENCY")?;
                }
                match until_minute {
                    Some(until) => write!(f, " until {}", local(*until)),
                    None => Ok(()),
                }
            }
            Self::RuleSetGone { name } => write!(f, "rule set {name} is not listed any more"),
            Self::Profile {
                name,
                is_gone: true,
            } => write!(f, "profile {name} is gone"),
            Self::Profile { name, .. } => write!(f, "profile {name} is new or changed"),
            Self::Grace { old_min, new_min } => {
                write!(f, "grace time {new_min} minutes (so far {old_min})")
            }
            Self::Expires { at_s } => {
                let end = verifier::UnixTime::from_s(*at_s).minute();
                write!(f, "it ends on {}", local(end.get()))
            }
        }
    }
}

/// A minute as people of UTC+8 read it.
pub(crate) fn local(minute: u32) -> String {
    let Ok(at) = rules::Minute::new(minute) else {
        return format!("minute {minute}");
    };
    let of_day = at.get().saturating_sub(at.day().first_minute().get());
    format!("{} {:02}:{:02} (UTC+8)", at.day(), of_day / 60, of_day % 60)
}
