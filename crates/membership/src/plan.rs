//! The plan: what the founders write down, and all that a root document says beside who its provinces are.

use std::path::Path;

use federation::FederationId;
use rules::{Claim, RuleSet, TestAge, WorstColour};
use serde::Deserialize;
use verifier::trust::{CircuitEntry, OpeningEntry, Profile, RootKeys};
use verifier::{AcceptanceRule, BinderKind, BinderKinds, CircuitUse, Slot, VerifyingKey};

use crate::folder::read_text;
use crate::{MAX_EXPIRY_DAYS, MembershipError};

/// Longest plan, and longest file that it names.
pub const MAX_PLAN_LEN_BYTES: u64 = 65_536;

/// A federation as its founders want it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub federation: FederationId,
    /// The keys of the next root document.
    pub root_keys: RootKeys,
    /// Days for which a root document holds, 1 to [`MAX_EXPIRY_DAYS`].
    pub expires_in_days: u32,
    /// Minutes for which a superseded rule set still serves.
    pub grace_min: u32,
    /// Slots that are taken from their provinces without being asked for.
    pub removed_slots: Vec<Slot>,
    /// Circuits of passes with their keys.
    pub circuits: Vec<CircuitEntry>,
    /// Circuits of openings with their keys.
    pub openings: Vec<OpeningEntry>,
    /// Rule sets.
    pub rule_sets: Vec<RuleSet>,
    /// Acceptance rules of gates.
    pub profiles: Vec<Profile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    name: String,
    root_keys: Vec<String>,
    root_threshold: u8,
    expires_in_days: u32,
    grace_min: u32,
    #[serde(default)]
    removed_slots: Vec<u8>,
    circuits: Vec<String>,
    #[serde(default)]
    openings: Vec<String>,
    rule_sets: Vec<String>,
    profile: Vec<ProfileFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    name: String,
    worst: Worst,
    #[serde(default)]
    test_age_hours: u8,
    pass_age_max_min: u32,
    card_pass_age_max_min: u32,
    binders: Vec<Binder>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Worst {
    Green,
    Yellow,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Binder {
    Device,
    Card,
    DeviceAndCard,
}

/// Which circuit a file of `node circuit` describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Purpose {
    #[default]
    Clearance,
    Opening,
}

/// What `node circuit` and `node opening-circuit` print, as far as it is looked at.
#[derive(Deserialize)]
struct CircuitFile {
    #[serde(default)]
    circuit: Purpose,
    test: bool,
    matrix_digest: String,
    verifying_key: String,
}

impl Plan {
    /// Reads a plan; files that it names are relative to it.
    ///
    /// # Errors
    /// [`MembershipError::File`], [`MembershipError::TooLong`]; [`MembershipError::Plan`] saying what is wrong.
    pub fn read(path: &Path) -> Result<Self, MembershipError> {
        let text = read_text(path, MAX_PLAN_LEN_BYTES)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, |name| read_text(&dir.join(name), MAX_PLAN_LEN_BYTES))
    }

    /// Parses the text of a plan; `file` gives the text of a file that it names.
    ///
    /// # Errors
    /// [`MembershipError::Plan`], and those of `file`.
    pub fn parse(
        text: &str,
        file: impl Fn(&str) -> Result<String, MembershipError>,
    ) -> Result<Self, MembershipError> {
        let raw: PlanFile = toml::from_str(text).map_err(|e| wrong(e.message()))?;
        if !(1..=MAX_EXPIRY_DAYS).contains(&raw.expires_in_days) {
            return Err(wrong(format!("expires_in_days is 1 to {MAX_EXPIRY_DAYS}")));
        }
        let slots = raw.removed_slots.iter().map(|number| {
            Slot::new(*number)
                .ok_or_else(|| wrong(format!("removed_slots: there is no slot {number}")))
        });
        let circuit = |purpose| {
            let file = &file;
            move |name: &String| circuit(name, &file(name)?, purpose)
        };
        let circuits = raw.circuits.iter().map(circuit(Purpose::Clearance));
        let openings = raw.openings.iter().map(circuit(Purpose::Opening));
        let openings = openings.map(|entry| {
            entry.map(|entry| OpeningEntry {
                circuit_use: entry.circuit_use,
                matrix_digest: entry.matrix_digest,
                key: entry.key,
            })
        });
        let rule_sets = raw.rule_sets.iter().map(|name| rule_set(name, &file));
        let mut plan = Self {
            federation: FederationId::new(&raw.name)?,
            root_keys: RootKeys::from_digits(&raw.root_keys, raw.root_threshold)
                .map_err(|error| wrong(format!("root_keys: {error}")))?,
            expires_in_days: raw.expires_in_days,
            grace_min: raw.grace_min,
            removed_slots: slots.collect::<Result<_, _>>()?,
            circuits: circuits.collect::<Result<_, _>>()?,
            openings: openings.collect::<Result<_, _>>()?,
            rule_sets: rule_sets.collect::<Result<_, _>>()?,
            profiles: raw.profile.iter().map(profile).collect::<Result<_, _>>()?,
        };
        plan.circuits.sort_by_key(CircuitEntry::id);
        plan.openings.sort_by_key(OpeningEntry::id);
        plan.profiles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(plan)
    }
}

fn wrong(what: impl Into<String>) -> MembershipError {
    MembershipError::Plan(what.into())
}

/// A circuit as `node circuit` prints it, for what it is named for.
fn circuit(name: &str, text: &str, purpose: Purpose) -> Result<CircuitEntry, MembershipError> {
    let bad = |what: &str| wrong(format!("{name}: {what}"));
    let raw: CircuitFile = serde_json::from_str(text).map_err(|e| bad(&e.to_string()))?;
    if raw.circuit != purpose {
        return Err(bad(match purpose {
            Purpose::Clearance => "a circuit of openings among those of passes",
            Purpose::Opening => "a circuit of passes among those of openings",
        }));
    }
    let digest = hex::decode(&raw.matrix_digest).ok();
    let digest = digest.and_then(|bytes| bytes.try_into().ok());
    let key = hex::decode(&raw.verifying_key).map_err(|_| bad("verifying_key: bad digits"))?;
    Ok(CircuitEntry {
        circuit_use: if raw.test {
            CircuitUse::Test
        } else {
            CircuitUse::Production
        },
        matrix_digest: digest.ok_or_else(|| bad("matrix_digest: 64 hexadecimal digits"))?,
        key: VerifyingKey::from_bytes(&key).map_err(|e| bad(&e.to_string()))?,
    })
}

/// A rule set that is built in, or in a file.
fn rule_set(
    name: &str,
    file: impl Fn(&str) -> Result<String, MembershipError>,
) -> Result<RuleSet, MembershipError> {
    let set = if RuleSet::BUILT_IN.contains(&name) {
        RuleSet::built_in(name)
    } else {
        RuleSet::from_toml(&file(name)?)
    };
    set.map_err(|error| wrong(format!("{name}: {error}")))
}

fn profile(raw: &ProfileFile) -> Result<Profile, MembershipError> {
    let test_age = match raw.test_age_hours {
        0 => TestAge::NotAsked,
        24 => TestAge::Hours24,
        48 => TestAge::Hours48,
        72 => TestAge::Hours72,
        other => {
            return Err(wrong(format!(
                "profile {}: test_age_hours is 0, 24, 48 or 72, not {other}",
                raw.name
            )));
        }
    };
    let kinds: Vec<BinderKind> = raw.binders.iter().map(|binder| binder.kind()).collect();
    Ok(Profile {
        name: raw.name.clone(),
        rule: AcceptanceRule {
            asked: Claim {
                worst: raw.worst.colour(),
                test_age,
            },
            pass_age_max_min: raw.pass_age_max_min,
            card_pass_age_max_min: raw.card_pass_age_max_min,
            binders: BinderKinds::of(&kinds),
        },
    })
}

impl Worst {
    const fn colour(self) -> WorstColour {
        match self {
            Self::Green => WorstColour::Green,
            Self::Yellow => WorstColour::Yellow,
        }
    }
}

impl Binder {
    const fn kind(self) -> BinderKind {
        match self {
            Self::Device => BinderKind::Device,
            Self::Card => BinderKind::Card,
            Self::DeviceAndCard => BinderKind::DeviceAndCard,
        }
    }
}
