//! The walk over a showing's bytes: the decoder's typed values, each at its place, none left out and none twice.

use anyhow::{Result, bail};
use rules::{Claim, TestAge, WorstColour};
use serde::Serialize;
use verifier::{
    BinderKind, CircuitShortId, GateChallenge, Moment, SLOT_LEN_S, Showing, ShowingSlot, UnixTime,
};

use super::KnownRuleSets;
use super::words::Words;

/// The fields of a showing, in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    Version,
    Circuit,
    Epoch,
    RuleSet,
    RiskMap,
    Claim,
    BinderKind,
    HolderKey,
    RevocationHash,
    ProofA,
    ProofB,
    ProofC,
    Slot,
    ChallengeFlag,
    Gate,
    Nonce,
    SignatureR,
    SignatureS,
}

/// For how many people a field is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Scope {
    /// The same for everybody who asks for the same in the same epoch.
    Shared,
    /// Fresh for this pass, the same in all of its showings.
    Pass,
    /// Of this showing alone.
    Showing,
}

/// A field with its place, its bytes and what is to be said of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Field {
    pub(super) part: Part,
    /// Where it begins, bytes from the beginning of the showing.
    pub(super) offset: usize,
    /// Its length, bytes.
    pub(super) length: usize,
    pub(super) hex: String,
    /// The value in words.
    pub(super) value: String,
    pub(super) scope: Scope,
    #[serde(flatten)]
    pub(super) words: Words,
}

/// All fields of a showing with these bytes.
///
/// Fails if the bytes are not, field after field and to the last one, those of the values that the decoder read.
pub(super) fn of(showing: &Showing, bytes: &[u8], known: &KnownRuleSets) -> Result<Vec<Field>> {
    let pass = showing.pass();
    let kind = pass.holder.kind();
    let mut walk = Walk {
        bytes,
        kind,
        fields: Vec::new(),
    };
    let version = bytes.first().copied().unwrap_or_default();
    walk.shared(Part::Version, &[version], version.to_string())?;
    walk.shared(Part::Circuit, &pass.circuit.0, circuit(pass.circuit))?;
    let epoch = pass.epoch.get();
    walk.shared(Part::Epoch, &epoch.to_be_bytes(), epoch.to_string())?;
    let rule_set = known.name(pass.rule_set).map_or_else(
        || format!("{}, not a built-in rule set", pass.rule_set),
        str::to_owned,
    );
    walk.shared(Part::RuleSet, &pass.rule_set.0, rule_set)?;
    let map = pass.risk_map.to_string();
    walk.shared(Part::RiskMap, &pass.risk_map.0, map)?;
    walk.shared(Part::Claim, &[pass.claim.code()], claim(pass.claim))?;
    let word = binder_kind(kind).to_owned();
    walk.shared(Part::BinderKind, &[kind.code()], word)?;
    let fresh = Scope::Pass;
    if let Some(key) = pass.holder.key() {
        let value = "a point of P-256".to_owned();
        walk.take(Part::HolderKey, &key.to_bytes(), value, fresh)?;
    }
    let value = "128 bits".to_owned();
    walk.take(Part::RevocationHash, &pass.h.0, value, fresh)?;
    let proof = pass.proof.to_bytes();
    let points = [
        (Part::ProofA, 0..32, "G1"),
        (Part::ProofB, 32..96, "G2"),
        (Part::ProofC, 96..128, "G1"),
    ];
    for (part, range, group) in points {
        let value = format!("a point of {group}, checked");
        walk.take(part, &proof[range], value, fresh)?;
    }
    if let Some(moment) = showing.moment() {
        walk.moment(moment)?;
    }
    walk.finish()
}

struct Walk<'a> {
    bytes: &'a [u8],
    kind: BinderKind,
    fields: Vec<Field>,
}

impl Walk<'_> {
    fn at(&self) -> usize {
        self.fields.last().map_or(0, |f| f.offset + f.length)
    }

    fn shared(&mut self, part: Part, own: &[u8], value: String) -> Result<()> {
        self.take(part, own, value, Scope::Shared)
    }

    /// The next field, which must have the bytes of the value that was decoded.
    fn take(&mut self, part: Part, own: &[u8], value: String, scope: Scope) -> Result<()> {
        let offset = self.at();
        if !self.bytes[offset..].starts_with(own) {
            bail!("the bytes at {offset} are not those of the decoded {part:?}");
        }
        self.fields.push(Field {
            part,
            offset,
            length: own.len(),
            hex: hex::encode(own),
            value,
            scope,
            words: Words::of(part, self.kind),
        });
        Ok(())
    }

    fn moment(&mut self, moment: &Moment) -> Result<()> {
        let scope = Scope::Showing;
        let slot = moment.slot;
        self.take(
            Part::Slot,
            &slot.get().to_be_bytes(),
            half_minute(slot),
            scope,
        )?;
        let flag = u8::from(moment.challenge.is_some());
        let value = ["no challenge", "a challenge follows"][usize::from(flag)];
        self.take(Part::ChallengeFlag, &[flag], value.to_owned(), scope)?;
        if let Some(GateChallenge { gate, nonce }) = moment.challenge {
            self.take(Part::Gate, &gate.0, hex::encode(gate.0), scope)?;
            self.take(Part::Nonce, &nonce.0, "128 bits".to_owned(), scope)?;
        }
        // The decoder keeps the signature to itself; its halves are what is left.
        let rest = self.bytes[self.at()..].to_vec();
        let [r, s] = [rest.get(..32), rest.get(32..64)];
        let value = || "a scalar of P-256".to_owned();
        self.take(Part::SignatureR, r.unwrap_or_default(), value(), scope)?;
        self.take(Part::SignatureS, s.unwrap_or_default(), value(), scope)
    }

    fn finish(self) -> Result<Vec<Field>> {
        let (read, all) = (self.at(), self.bytes.len());
        if read != all {
            bail!("the fields take {read} of {all} bytes");
        }
        Ok(self.fields)
    }
}

/// The first bit says which use the circuit's key has.
pub(super) const fn is_specimen(circuit: CircuitShortId) -> bool {
    circuit.0[0] & 0x80 != 0
}

fn circuit(short: CircuitShortId) -> String {
    let word = if is_specimen(short) {
        "test: the pass is a specimen"
    } else {
        "production"
    };
    format!("{short}, {word}")
}

fn claim(claim: Claim) -> String {
    let colour = match claim.worst {
        WorstColour::Green => "green",
        WorstColour::Yellow => "not red",
    };
    match claim.test_age {
        TestAge::NotAsked => format!("{colour}; no test asked for"),
        age => format!(
            "{colour}; a negative test at most {} hours old",
            age.hours()
        ),
    }
}

fn binder_kind(kind: BinderKind) -> &'static str {
    match kind {
        BinderKind::Device => "a device's key",
        BinderKind::DeviceAndCard => "a device's key, shown with the identity card",
        BinderKind::Card => "an identity card alone, on paper",
    }
}

fn half_minute(slot: ShowingSlot) -> String {
    let begin = UnixTime::from_s(u64::from(slot.get()) * SLOT_LEN_S);
    let seconds = begin.get_s() % 60;
    format!("{}:{seconds:02} UTC+8, half a minute", begin.minute())
}
