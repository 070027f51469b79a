//! The root document: provinces, circuits, rule sets and gate profiles, signed by k of n offline keys.

use commitment::layout::{LayoutError, Reader, put_count};
use commitment::{
    CircuitId, CircuitShortId, CircuitUse, DatedKeys, Fr, MAX_DATED_KEYS, ProvinceCode, Slot,
    fr_to_bytes,
};
use ed25519_dalek::VerifyingKey as Ed25519Key;
use rules::{Claim, Minute};

use super::signatures::{put_key, read_key};
use super::{MAX_ROOT_LEN_BYTES, Sequence};
use crate::groth16::{VERIFYING_KEY_LEN_BYTES, VerifyingKey};
use crate::opening::PreparedOpening;
use crate::{
    AcceptanceRule, BinderKinds, CARD_PASS_AGE_LIMIT_MIN, Error, PASS_AGE_LIMIT_MIN,
    RuleSetShortId, UnixTime,
};

const VERSION: u8 = 3;
const DOMAIN: &[u8] = b"viridian/trust-root/v1\0";
/// Most offline keys.
pub const MAX_ROOT_KEYS: usize = 16;
/// Most circuits in use at once.
pub const MAX_CIRCUITS: usize = 16;
/// Most keys of circuits of openings at once.
pub const MAX_OPENINGS: usize = 4;
/// Most rule sets that a list names, those out of force among them.
pub const MAX_RULE_SETS: usize = 256;
/// Most gate profiles.
pub const MAX_PROFILES: usize = 32;
/// Longest name of a rule set or a profile.
pub const MAX_NAME_LEN_BYTES: usize = 32;
/// Longest grace time after a rule set was superseded, in minutes: 14 days. Risk maps have none.
pub const GRACE_LIMIT_MIN: u32 = 14 * 1440;

/// Offline keys and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeys {
    keys: Vec<Ed25519Key>,
    threshold: u8,
}

impl RootKeys {
    /// A set of keys, in any order, of which `threshold` must sign.
    ///
    /// # Errors
    /// [`Error::TrustContent`] without keys, above [`MAX_ROOT_KEYS`], with a key twice, or with a threshold of zero or
    /// above their number; [`Error::WeakKey`] for a key of small order.
    pub fn new(mut keys: Vec<Ed25519Key>, threshold: u8) -> Result<Self, Error> {
        keys.sort_by_key(Ed25519Key::to_bytes);
        let set = Self { keys, threshold };
        set.check()?;
        Ok(set)
    }

    /// A set of keys by their digits, as configurations have them: each as [`root_key_from_digits`] reads it.
    ///
    /// # Errors
    /// [`Error::KeyDigits`] for digits that are no key, and as [`RootKeys::new`].
    pub fn from_digits(digits: &[impl AsRef<str>], threshold: u8) -> Result<Self, Error> {
        let keys = digits.iter().map(|key| root_key_from_digits(key.as_ref()));
        Self::new(keys.collect::<Result<_, _>>()?, threshold)
    }

    /// The keys, ascending.
    pub fn keys(&self) -> &[Ed25519Key] {
        &self.keys
    }

    /// How many must sign.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    pub(super) fn contains(&self, key: &Ed25519Key) -> bool {
        self.keys.contains(key)
    }

    fn check(&self) -> Result<(), Error> {
        if self.keys.is_empty() || self.keys.len() > MAX_ROOT_KEYS {
            return Err(Error::TrustContent("1 to 16 root keys"));
        }
        if self.threshold == 0 || usize::from(self.threshold) > self.keys.len() {
            return Err(Error::TrustContent(
                "a threshold from 1 to the number of root keys",
            ));
        }
        if self.keys.iter().any(Ed25519Key::is_weak) {
            return Err(Error::WeakKey);
        }
        ascending(&self.keys, Ed25519Key::to_bytes, "root keys")
    }
}

/// A root key from its 64 hexadecimal digits.
///
/// # Errors
/// [`Error::KeyDigits`] for anything else, and for digits of no point. The digits are not repeated: they could be a secret's.
pub fn root_key_from_digits(digits: &str) -> Result<Ed25519Key, Error> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| Error::KeyDigits)?;
    Ed25519Key::from_bytes(&bytes).map_err(|_| Error::KeyDigits)
}

/// The head keys of a slot with their dates: what is signed under a root document is judged by the key that was in force at
/// the minute of what is signed. `docs/adr/0021-keys-with-dates.md` says which minute that is for each kind.
pub type HeadKeys = DatedKeys<Ed25519Key>;

/// A province's place in the registry and the keys that sign its tree heads and cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvinceEntry {
    /// The province; a very large one has two entries.
    pub province: ProvinceCode,
    /// Its slot.
    pub slot: Slot,
    /// Its keys with their dates.
    pub head_keys: HeadKeys,
}

/// A circuit with its verifying key.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitEntry {
    /// Production or test.
    pub circuit_use: CircuitUse,
    /// SHA-256 of its constraint matrices.
    pub matrix_digest: [u8; 32],
    /// Its verifying key.
    pub key: VerifyingKey,
}

impl CircuitEntry {
    /// The circuit's identity.
    pub fn id(&self) -> CircuitId {
        self.key.circuit_id(self.circuit_use, &self.matrix_digest)
    }
}

/// A circuit of openings with its verifying key. It stands in a list of its own: no pass is verified under it.
#[derive(Clone, Debug, PartialEq)]
pub struct OpeningEntry {
    /// Production or test.
    pub circuit_use: CircuitUse,
    /// SHA-256 of its constraint matrices.
    pub matrix_digest: [u8; 32],
    /// Its verifying key.
    pub key: VerifyingKey,
}

impl OpeningEntry {
    /// The circuit's identity, by which an opening names it.
    pub fn id(&self) -> CircuitId {
        self.key.circuit_id(self.circuit_use, &self.matrix_digest)
    }

    /// The key, prepared for openings.
    pub fn prepared(&self) -> PreparedOpening {
        PreparedOpening::new(self.circuit_use, &self.matrix_digest, &self.key)
    }
}

/// A rule set that passes may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSetEntry {
    /// Its short name in passes.
    pub short_id: RuleSetShortId,
    /// Its name, such as `fj-2022-08`: up to [`MAX_NAME_LEN_BYTES`] visible ASCII characters.
    pub name: String,
    /// The digest of its row table.
    pub digest: Fr,
    /// The province whose rule set it is, or the nation.
    pub scope: ProvinceCode,
    /// First minute in force.
    pub valid_from: Minute,
    /// First minute no longer in force, if one is set.
    pub superseded_at: Option<Minute>,
    /// Its version; of one name versions rise.
    pub version: u32,
    /// Whether it is flagged as an emergency, which shortens the notice that it is announced with.
    pub is_emergency: bool,
}

/// A named acceptance rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name: up to [`MAX_NAME_LEN_BYTES`] visible ASCII characters.
    pub name: String,
    /// The rule.
    pub rule: AcceptanceRule,
}

/// The content of a root document, as its publishers write it and before anybody believes it.
#[derive(Clone, Debug, PartialEq)]
pub struct RootDocument {
    /// Its number; rises strictly.
    pub sequence: Sequence,
    /// Its end.
    pub expires_at: UnixTime,
    /// The offline keys that sign it and its successor.
    pub root_keys: RootKeys,
    /// Minutes for which a superseded rule set still serves; at most [`GRACE_LIMIT_MIN`].
    pub grace_min: u32,
    /// The provinces, ascending by slot.
    pub provinces: Vec<ProvinceEntry>,
    /// The circuits of passes, ascending by identity.
    pub circuits: Vec<CircuitEntry>,
    /// The circuits of openings, ascending by identity; none if nobody opens.
    pub openings: Vec<OpeningEntry>,
    /// The rule sets, ascending by short name.
    pub rule_sets: Vec<RuleSetEntry>,
    /// The profiles, ascending by name.
    pub profiles: Vec<Profile>,
}

impl RootDocument {
    /// The canonical bytes.
    ///
    /// Layout 3, big-endian: version 1 · sequence 8 · expiry (s) 8 · threshold 1 · root keys (count 2, each 32) · grace 4 ·
    /// provinces (count 2; province 1, slot 1, head keys: count 1, each from 4, key 32) · circuits (count 2; use 1, matrix
    /// digest 32, key 456) · openings (as circuits) · rule sets (count 2; short 4, digest 32, scope 1, from 4, superseded 4
    /// or 0, version 4, flag "emergency" 1, name) · profiles (count 2; name, claim 1, age 4, card age 4, binders 1). A name is
    /// its length 1 and its characters.
    ///
    /// # Errors
    /// [`Error::TrustContent`] or [`Error::WeakKey`] for a content that a reader would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.sequence.get().to_be_bytes());
        out.extend_from_slice(&self.expires_at.get_s().to_be_bytes());
        out.push(self.root_keys.threshold);
        put_count(&mut out, self.root_keys.keys.len());
        for key in &self.root_keys.keys {
            put_key(&mut out, key);
        }
        out.extend_from_slice(&self.grace_min.to_be_bytes());
        put_count(&mut out, self.provinces.len());
        for entry in &self.provinces {
            out.push(entry.province.get());
            out.push(entry.slot.get());
            put_head_keys(&mut out, &entry.head_keys);
        }
        put_count(&mut out, self.circuits.len());
        for entry in &self.circuits {
            put_circuit(
                &mut out,
                entry.circuit_use,
                &entry.matrix_digest,
                &entry.key,
            );
        }
        put_count(&mut out, self.openings.len());
        for entry in &self.openings {
            put_circuit(
                &mut out,
                entry.circuit_use,
                &entry.matrix_digest,
                &entry.key,
            );
        }
        put_count(&mut out, self.rule_sets.len());
        for entry in &self.rule_sets {
            entry.write(&mut out);
        }
        put_count(&mut out, self.profiles.len());
        for entry in &self.profiles {
            entry.write(&mut out);
        }
        Ok(out)
    }

    /// Reads a document; nothing is believed yet.
    ///
    /// # Errors
    /// [`Error::Layout`] for bytes that break the layout, and the errors of its parts.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_ROOT_LEN_BYTES)?;
        let r = &mut reader;
        r.version(VERSION)?;
        let sequence = Sequence::new(r.u64()?);
        let expires_at = UnixTime::from_s(r.u64()?);
        let threshold = r.u8()?;
        let keys = list(r, "root keys", MAX_ROOT_KEYS, read_key)?;
        let document = Self {
            sequence,
            expires_at,
            root_keys: RootKeys { keys, threshold },
            grace_min: r.u32()?,
            provinces: list(r, "provinces", commitment::REGISTRY_SLOTS, read_province)?,
            circuits: list(r, "circuits", MAX_CIRCUITS, read_circuit)?,
            openings: list(r, "openings", MAX_OPENINGS, read_opening)?,
            rule_sets: list(r, "rule sets", MAX_RULE_SETS, RuleSetEntry::read)?,
            profiles: list(r, "profiles", MAX_PROFILES, Profile::read)?,
        };
        reader.finish()?;
        document.check()?;
        Ok(document)
    }

    /// What the root keys sign: a domain string and the canonical bytes.
    ///
    /// # Errors
    /// As [`RootDocument::to_bytes`].
    pub fn signing_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok([DOMAIN, &self.to_bytes()?].concat())
    }

    /// The number of different provinces.
    pub fn province_count(&self) -> usize {
        let mut codes: Vec<u8> = self.provinces.iter().map(|e| e.province.get()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.len()
    }

    /// Whether a batch of revocations put together at `at` is still to be listed at `now`: as long as a profile may admit a
    /// pass of then, and the minute by which a gate's clock may be behind.
    pub fn counts_batch(&self, at: Minute, now: Minute) -> bool {
        let ages = self.profiles.iter().map(|p| p.rule.longest_age_min());
        let longest = ages.max().unwrap_or(0);
        now.get().saturating_sub(at.get()) <= longest + 1
    }

    fn check(&self) -> Result<(), Error> {
        self.root_keys.check()?;
        if self.sequence.get() == 0 {
            return Err(Error::TrustContent("sequences begin at 1"));
        }
        if self.grace_min > GRACE_LIMIT_MIN {
            return Err(Error::TrustContent("a grace time of at most 14 days"));
        }
        self.check_provinces()?;
        if self.circuits.is_empty() || self.circuits.len() > MAX_CIRCUITS {
            return Err(Error::TrustContent("1 to 16 circuits"));
        }
        ascending(&self.circuits, CircuitEntry::id, "circuits")?;
        let mut short: Vec<CircuitShortId> = self.circuits.iter().map(|c| c.id().short()).collect();
        short.dedup(); // ascending by identity, of which they are the beginning
        if short.len() != self.circuits.len() {
            return Err(Error::TrustContent("two circuits with one short name"));
        }
        self.check_openings()?;
        if self.rule_sets.is_empty() || self.rule_sets.len() > MAX_RULE_SETS {
            return Err(Error::TrustContent("1 to 256 rule sets"));
        }
        ascending(&self.rule_sets, |e| e.short_id, "rule sets")?;
        self.rule_sets.iter().try_for_each(RuleSetEntry::check)?;
        if self.profiles.is_empty() || self.profiles.len() > MAX_PROFILES {
            return Err(Error::TrustContent("1 to 32 profiles"));
        }
        ascending(&self.profiles, |e| e.name.clone(), "profiles")?;
        self.profiles.iter().try_for_each(Profile::check)
    }

    /// What a key of openings believes must not be believable as a pass, nor the other way round.
    fn check_openings(&self) -> Result<(), Error> {
        if self.openings.len() > MAX_OPENINGS {
            return Err(Error::TrustContent("at most 4 circuits of openings"));
        }
        ascending(&self.openings, OpeningEntry::id, "openings")?;
        let is_shared = |opening: &OpeningEntry| {
            let mut circuits = self.circuits.iter();
            circuits.any(|c| c.matrix_digest == opening.matrix_digest || c.key == opening.key)
        };
        if self.openings.iter().any(is_shared) {
            return Err(Error::TrustContent(
                "one circuit or key for passes and openings",
            ));
        }
        Ok(())
    }

    fn check_provinces(&self) -> Result<(), Error> {
        if self.provinces.is_empty() {
            return Err(Error::TrustContent("at least one province"));
        }
        ascending(&self.provinces, |e| e.slot, "provinces")?;
        for (i, entry) in self.provinces.iter().enumerate() {
            if entry.province == ProvinceCode::NATION {
                return Err(Error::TrustContent("the nation is no province"));
            }
            if entry.head_keys.keys().any(Ed25519Key::is_weak) {
                return Err(Error::WeakKey);
            }
            let others = self.provinces[..i].iter();
            let others = others.filter(|e| e.province != entry.province);
            let mut of_others = others.flat_map(|e| e.head_keys.keys());
            let is_shared = of_others.any(|key| entry.head_keys.contains(key));
            if is_shared || entry.head_keys.keys().any(|k| self.root_keys.contains(k)) {
                return Err(Error::TrustContent("one key in two roles"));
            }
        }
        Ok(())
    }
}

fn read_province(r: &mut Reader<'_>) -> Result<ProvinceEntry, Error> {
    Ok(ProvinceEntry {
        province: r.province()?,
        slot: r.slot()?,
        head_keys: read_head_keys(r)?,
    })
}

fn put_head_keys(out: &mut Vec<u8>, keys: &HeadKeys) {
    let entries = keys.entries();
    out.push(u8::try_from(entries.len()).expect("dated keys are few"));
    for (from, key) in entries {
        out.extend_from_slice(&from.get().to_be_bytes());
        put_key(out, key);
    }
}

fn read_head_keys(r: &mut Reader<'_>) -> Result<HeadKeys, Error> {
    let count = usize::from(r.u8()?);
    if count > MAX_DATED_KEYS {
        return Err(LayoutError::Invalid("more than 3 head keys of one slot").into());
    }
    let keys = (0..count).map(|_| Ok((r.minute()?, read_key(r)?)));
    let keys = keys.collect::<Result<_, Error>>()?;
    HeadKeys::new(keys).map_err(Error::HeadKeys)
}

fn put_circuit(out: &mut Vec<u8>, of: CircuitUse, digest: &[u8; 32], key: &VerifyingKey) {
    out.push(of.code());
    out.extend_from_slice(digest);
    out.extend_from_slice(&key.to_bytes());
}

fn read_circuit(r: &mut Reader<'_>) -> Result<CircuitEntry, Error> {
    let circuit_use =
        CircuitUse::from_code(r.u8()?).ok_or(LayoutError::Invalid("a circuit's use above 1"))?;
    Ok(CircuitEntry {
        circuit_use,
        matrix_digest: r.array()?,
        key: VerifyingKey::from_bytes(r.slice(VERIFYING_KEY_LEN_BYTES)?)?,
    })
}

fn read_opening(r: &mut Reader<'_>) -> Result<OpeningEntry, Error> {
    let entry = read_circuit(r)?;
    Ok(OpeningEntry {
        circuit_use: entry.circuit_use,
        matrix_digest: entry.matrix_digest,
        key: entry.key,
    })
}

impl RuleSetEntry {
    /// The entry of a rule set, under its customary short name and with its own validity.
    pub fn of(set: &rules::RuleSet) -> Self {
        let digest = commitment::rule_digest(set.table());
        Self {
            short_id: RuleSetShortId::of_digest(digest),
            name: set.id().as_str().to_owned(),
            digest,
            scope: set.province(),
            valid_from: set.validity().from,
            superseded_at: Some(set.validity().until),
            version: set.version(),
            is_emergency: set.validity().emergency,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.short_id.0);
        out.extend_from_slice(&fr_to_bytes(self.digest));
        out.push(self.scope.get());
        out.extend_from_slice(&self.valid_from.get().to_be_bytes());
        put_end(out, self.superseded_at);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.push(u8::from(self.is_emergency));
        put_name(out, &self.name);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            short_id: RuleSetShortId(r.array()?),
            digest: r.fr()?,
            scope: r.province()?,
            valid_from: r.minute()?,
            superseded_at: read_end(r)?,
            version: r.u32()?,
            is_emergency: match r.u8()? {
                0 => false,
                1 => true,
                _ => return Err(LayoutError::Invalid("a flag above 1").into()),
            },
            name: read_name(r)?,
        })
    }

    fn check(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        check_end(self.valid_from, self.superseded_at)
    }
}

impl Profile {
    fn write(&self, out: &mut Vec<u8>) {
        put_name(out, &self.name);
        out.push(self.rule.asked.code());
        out.extend_from_slice(&self.rule.pass_age_max_min.to_be_bytes());
        out.extend_from_slice(&self.rule.card_pass_age_max_min.to_be_bytes());
        out.push(self.rule.binders.bits());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: read_name(r)?,
            rule: AcceptanceRule {
                asked: Claim::from_code(r.u8()?).ok_or(LayoutError::Invalid("an unknown claim"))?,
                pass_age_max_min: r.u32()?,
                card_pass_age_max_min: r.u32()?,
                binders: BinderKinds::from_bits(r.u8()?)
                    .ok_or(LayoutError::Invalid("an unknown binder kind"))?,
            },
        })
    }

    fn check(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        if self.rule.pass_age_max_min > PASS_AGE_LIMIT_MIN
            || self.rule.card_pass_age_max_min > CARD_PASS_AGE_LIMIT_MIN
        {
            return Err(Error::TrustContent("a pass age of at most 14 days"));
        }
        Ok(())
    }
}

/// Reads a counted list.
pub(super) fn list<T>(
    r: &mut Reader<'_>,
    what: &'static str,
    limit: usize,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = r.count(what, limit)?;
    (0..count).map(|_| read(r)).collect()
}

/// Checks that a list could be written in one way only.
pub(super) fn ascending<T, K: Ord>(
    items: &[T],
    key: impl Fn(&T) -> K,
    what: &'static str,
) -> Result<(), Error> {
    if items.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        Ok(())
    } else {
        Err(LayoutError::NotAscending(what).into())
    }
}

/// Writes an optional end as a minute, zero where there is none.
fn put_end(out: &mut Vec<u8>, end: Option<Minute>) {
    out.extend_from_slice(&end.map_or(0, Minute::get).to_be_bytes());
}

fn read_end(r: &mut Reader<'_>) -> Result<Option<Minute>, Error> {
    Ok(Some(r.minute()?).filter(|end| *end != Minute::ZERO))
}

fn check_end(from: Minute, end: Option<Minute>) -> Result<(), Error> {
    if end.is_some_and(|end| end <= from) {
        return Err(Error::TrustContent("something ends before it begins"));
    }
    Ok(())
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(u8::try_from(name.len()).expect("names were checked"));
    out.extend_from_slice(name.as_bytes());
}

fn read_name(r: &mut Reader<'_>) -> Result<String, Error> {
    let len = usize::from(r.u8()?);
    let name = std::str::from_utf8(r.slice(len)?)
        .map_err(|_| LayoutError::Invalid("a name that is not ASCII"))?;
    check_name(name)?;
    Ok(name.to_owned())
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=MAX_NAME_LEN_BYTES).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(Error::TrustContent(
            "names of 1 to 32 visible ASCII characters",
        ))
    }
}
