//! The walk over a showing's bytes: the decoder's typed values, each at its place, none left out and none twice.

use rules::{Claim, TestAge, WorstColour};
use serde::Serialize;
use verifier::{
    BinderKind, CircuitShortId, GateChallenge, Moment, RuleSetShortId, SLOT_LEN_S, Showing,
    ShowingSlot, UnixTime,
};

use crate::Error;
use crate::words::Words;

/// The fields of a showing, in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The version of the layout.
    Version,
    /// Which circuit and key.
    Circuit,
    /// Which registry.
    Epoch,
    /// Which rules.
    RuleSet,
    /// Which map.
    RiskMap,
    /// What is proved.
    Claim,
    /// How it is bound.
    BinderKind,
    /// The holder's one-time key.
    HolderKey,
    /// By what it is revoked.
    RevocationHash,
    /// First point of the proof.
    ProofA,
    /// Second point.
    ProofB,
    /// Third point.
    ProofC,
    /// When it was shown.
    Slot,
    /// Whether a challenge follows.
    ChallengeFlag,
    /// Who asked.
    Gate,
    /// What was asked.
    Nonce,
    /// First half of the signature.
    SignatureR,
    /// Second half.
    SignatureS,
}

/// For how many people a field is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The same for everybody who asks for the same in the same epoch.
    Shared,
    /// Fresh for this pass, the same in all of its showings.
    Pass,
    /// Of this showing alone.
    Showing,
}

/// A field with its place, its bytes and what is to be said of it.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Which one.
    pub part: Part,
    /// Where it begins, bytes from the beginning of the showing.
    pub offset: usize,
    /// Its length, bytes.
    pub length: usize,
    /// Its bytes.
    pub hex: String,
    /// The value in words.
    pub value: String,
    /// The same in Chinese.
    #[serde(skip)]
    pub value_zh: String,
    /// For how many people it is the same.
    pub scope: Scope,
    /// What is said of it.
    #[serde(flatten)]
    pub words: Words,
    /// The same in Chinese.
    #[serde(skip)]
    pub zh: Words,
}

/// A value in English and Chinese.
type Said = (String, String);

/// A value that is written alike in both.
fn plain(value: &impl ToString) -> Said {
    (value.to_string(), value.to_string())
}

fn said(en: &str, zh: &str) -> Said {
    (en.to_owned(), zh.to_owned())
}

/// All fields of a showing with these bytes.
///
/// Fails if the bytes are not, field after field and to the last one, those of the values that the decoder read.
pub(crate) fn of(
    showing: &Showing,
    bytes: &[u8],
    name: &dyn Fn(RuleSetShortId) -> Option<String>,
) -> Result<Vec<Field>, Error> {
    let pass = showing.pass();
    let kind = pass.holder.kind();
    let mut walk = Walk {
        bytes,
        kind,
        fields: Vec::new(),
    };
    let version = bytes.first().copied().unwrap_or_default();
    walk.shared(Part::Version, &[version], plain(&version))?;
    walk.shared(Part::Circuit, &pass.circuit.0, circuit(pass.circuit))?;
    let epoch = pass.epoch.get();
    walk.shared(Part::Epoch, &epoch.to_be_bytes(), plain(&epoch))?;
    let short = pass.rule_set;
    let rule_set = name(short).map_or_else(
        || {
            (
                format!("{short}, not a known rule set"),
                format!("{short}，未知的规则集"),
            )
        },
        |name| plain(&name),
    );
    walk.shared(Part::RuleSet, &pass.rule_set.0, rule_set)?;
    let map = plain(&pass.risk_map);
    walk.shared(Part::RiskMap, &pass.risk_map.0, map)?;
    walk.shared(Part::Claim, &[pass.claim.code()], claim(pass.claim))?;
    let word = binder_kind(kind);
    walk.shared(Part::BinderKind, &[kind.code()], word)?;
    let fresh = Scope::Pass;
    if let Some(key) = pass.holder.key() {
        let value = said("a point of P-256", "P-256上的点");
        walk.take(Part::HolderKey, &key.to_bytes(), value, fresh)?;
    }
    let value = said("128 bits", "128位");
    walk.take(Part::RevocationHash, &pass.h.0, value, fresh)?;
    let proof = pass.proof.to_bytes();
    let points = [
        (Part::ProofA, 0..32, "G1"),
        (Part::ProofB, 32..96, "G2"),
        (Part::ProofC, 96..128, "G1"),
    ];
    for (part, range, group) in points {
        let value = (
            format!("a point of {group}, checked"),
            format!("{group}上的点，已检查"),
        );
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

    fn shared(&mut self, part: Part, own: &[u8], value: Said) -> Result<(), Error> {
        self.take(part, own, value, Scope::Shared)
    }

    /// The next field, which must have the bytes of the value that was decoded.
    fn take(
        &mut self,
        part: Part,
        own: &[u8],
        (value, value_zh): Said,
        scope: Scope,
    ) -> Result<(), Error> {
        let offset = self.at();
        if !self.bytes[offset..].starts_with(own) {
            return Err(Error::Place { at: offset, part });
        }
        self.fields.push(Field {
            part,
            offset,
            length: own.len(),
            hex: hex::encode(own),
            value,
            value_zh,
            scope,
            words: Words::of(part, self.kind),
            zh: Words::zh(part, self.kind),
        });
        Ok(())
    }

    fn moment(&mut self, moment: &Moment) -> Result<(), Error> {
        let scope = Scope::Showing;
        let slot = moment.slot;
        self.take(
            Part::Slot,
            &slot.get().to_be_bytes(),
            half_minute(slot),
            scope,
        )?;
        let flag = u8::from(moment.challenge.is_some());
        let value = if flag == 0 {
            said("no challenge", "没有挑战")
        } else {
            said("a challenge follows", "后面有挑战")
        };
        self.take(Part::ChallengeFlag, &[flag], value, scope)?;
        if let Some(GateChallenge { gate, nonce }) = moment.challenge {
            self.take(Part::Gate, &gate.0, plain(&hex::encode(gate.0)), scope)?;
            self.take(Part::Nonce, &nonce.0, said("128 bits", "128位"), scope)?;
        }
        // The decoder keeps the signature to itself; its halves are what is left.
        let rest = self.bytes[self.at()..].to_vec();
        let [r, s] = [rest.get(..32), rest.get(32..64)];
        let value = || said("a scalar of P-256", "P-256的标量");
        self.take(Part::SignatureR, r.unwrap_or_default(), value(), scope)?;
        self.take(Part::SignatureS, s.unwrap_or_default(), value(), scope)
    }

    fn finish(self) -> Result<Vec<Field>, Error> {
        let (read, all) = (self.at(), self.bytes.len());
        if read != all {
            return Err(Error::Left { read, all });
        }
        Ok(self.fields)
    }
}

/// Whether a circuit's key has test parameters, as its first bit says: then a pass is a specimen.
pub const fn is_specimen(circuit: CircuitShortId) -> bool {
    circuit.0[0] & 0x80 != 0
}

fn circuit(short: CircuitShortId) -> Said {
    let (en, zh) = if is_specimen(short) {
        ("test: the pass is a specimen", "测试：该凭证是样张")
    } else {
        ("production", "正式")
    };
    (format!("{short}, {en}"), format!("{short}，{zh}"))
}

fn claim(claim: Claim) -> Said {
    let (en, zh) = match claim.worst {
        WorstColour::Green => ("green", "绿码"),
        WorstColour::Yellow => ("not red", "非红码"),
    };
    match claim.test_age {
        TestAge::NotAsked => (
            format!("{en}; no test asked for"),
            format!("{zh}；不要求检测"),
        ),
        age => (
            format!("{en}; a negative test at most {} hours old", age.hours()),
            format!("{zh}；{}小时内核酸阴性", age.hours()),
        ),
    }
}

fn binder_kind(kind: BinderKind) -> Said {
    match kind {
        BinderKind::Device => said("a device's key", "设备密钥"),
        BinderKind::DeviceAndCard => said(
            "a device's key, shown with the identity card",
            "设备密钥，须与身份证一同出示",
        ),
        BinderKind::Card => said("an identity card alone, on paper", "仅身份证，纸质"),
    }
}

fn half_minute(slot: ShowingSlot) -> Said {
    let begin = UnixTime::from_s(u64::from(slot.get()) * SLOT_LEN_S);
    let seconds = begin.get_s() % 60;
    let minute = begin.minute();
    (
        format!("{minute}:{seconds:02} UTC+8, half a minute"),
        format!("北京时间{minute}:{seconds:02}起半分钟"),
    )
}
