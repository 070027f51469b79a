//! What is said of each field. Two readers are meant: who wants to know what it is, and who wants to know what it gives
//! away.

use serde::Serialize;
use verifier::BinderKind;

use crate::fields::Part;

/// What a field is, what it reveals, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// What it is called.
    #[serde(skip)]
    pub title: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// What it gives away.
    pub reveals: &'static str,
    /// To whom.
    pub to: &'static str,
}

const READER: &str = "whoever reads the code";
const NOBODY: &str = "nobody";

const fn words(meaning: &'static str, reveals: &'static str, to: &'static str) -> Words {
    Words {
        title: "",
        meaning,
        reveals,
        to,
    }
}

impl Words {
    pub(crate) const fn of(part: Part, kind: BinderKind) -> Self {
        let mut words = Self::untitled(part, kind);
        words.title = title(part);
        words
    }

    const fn untitled(part: Part, kind: BinderKind) -> Self {
        match part {
            Part::Version
            | Part::Circuit
            | Part::Epoch
            | Part::RuleSet
            | Part::RiskMap
            | Part::Claim => of_statement(part),
            Part::BinderKind | Part::HolderKey | Part::RevocationHash => of_holder(part, kind),
            Part::ProofA | Part::ProofB | Part::ProofC => of_proof(part),
            _ => of_showing(part),
        }
    }
}

const fn of_statement(part: Part) -> Words {
    match part {
        Part::Circuit => words(
            "the first four bytes of the identity of circuit and verifying key; the first bit says test or production",
            "which circuit and key proved it, and whether it is a specimen: the same in every pass under that key",
            READER,
        ),
        Part::Epoch => words(
            "the number of the epoch whose registry the proof is against",
            "how fresh the pass is: the trust list gives the epoch's closing minute. A province that is cut off from new registries \
             shows by epochs older than the others', so an old epoch narrows the home province down",
            "whoever reads the code and holds a trust list, which anybody may",
        ),
        Part::RuleSet => words(
            "the last four bytes of the digest of the rule table applied",
            "where the pass is meant to be shown: the rules are those of the place of showing, or the nation's. Not where the \
             holder lives, whose own rules would be refused here",
            "whoever reads the code; the home node, which was asked for it",
        ),
        Part::RiskMap => words(
            "the last four bytes of the risk map's root",
            "nothing personal: one map is in force for everybody, whatever places a record names",
            READER,
        ),
        Part::Claim => words(
            "the bound that is proved: worst colour admitted, and test age from the menu 0, 24, 48, 72 hours",
            "just this bound. \"Not red\" does not tell green from yellow; a test age says that one such test exists, not when or where",
            READER,
        ),
        _ => words(
            "the version of the layout",
            "nothing: 1 in every pass",
            NOBODY,
        ),
    }
}

const fn of_holder(part: Part, kind: BinderKind) -> Words {
    match (part, kind) {
        (Part::HolderKey, _) => words(
            "K, the holder's one-time key, by which the showing is signed",
            "which showings are of this pass. It links no two passes: a wallet has a new key for each. The home node knows whose it is, \
             so a gate that keeps it and the home node together can name the resident",
            "gates that compare notes; the home node",
        ),
        (Part::RevocationHash, BinderKind::Card | BinderKind::DeviceAndCard) => words(
            "h, the hash of the pass's revocation secret, fresh for each pass; it also salts the card's tag within the binder",
            "which showings are of this pass. On the published list of revocations it says that this pass was revoked. Whoever keeps the \
             code can test identity numbers against the proof, at the price of one Argon2id each",
            "gates that compare notes; whoever keeps the code; the home node, which knows the secret",
        ),
        (Part::RevocationHash, _) => words(
            "h, the hash of the pass's revocation secret, fresh for each pass",
            "which showings are of this pass, as K does. On the published list of revocations it says that this \
             pass was revoked, by the home node or the holder",
            "gates that compare notes; the home node and the holder, who know the secret",
        ),
        (_, BinderKind::Device) => words(
            "who may show the pass",
            "that the holder shows it on a phone, as most do",
            READER,
        ),
        (_, BinderKind::DeviceAndCard) => words(
            "who may show the pass",
            "that the gate's kind asks for the person, not only the phone; the card, not the code, then names the holder",
            "whoever reads the code; the card's reader",
        ),
        (_, BinderKind::Card) => words(
            "who may show the pass",
            "that the holder has paper instead of a phone; the card that goes with it names the holder and the province of issue",
            "whoever reads the code; the card's reader",
        ),
    }
}

const fn of_proof(part: Part) -> Words {
    match part {
        Part::ProofA => words(
            "the proof's first point",
            "nothing about record, person or province: the proof is zero-knowledge and was re-randomised before it left the node. Its bytes \
             are the same in each showing of this pass, and yet no identity: anybody can write the proof in another way",
            NOBODY,
        ),
        Part::ProofB => words("the proof's second point", "as the first point", NOBODY),
        _ => words("the proof's third point", "as the first point", NOBODY),
    }
}

const fn of_showing(part: Part) -> Words {
    match part {
        Part::Slot => words(
            "the half minute for which the holder signed: Unix seconds divided by 30",
            "when it was shown, which the gate knows anyway; a copy or photograph keeps the time",
            READER,
        ),
        Part::ChallengeFlag => words(
            "whether a gate's challenge follows",
            "whether this gate asks for an answer of its own",
            READER,
        ),
        Part::Gate => words(
            "the name of the gate that asked, chosen by its operator",
            "where it was shown; a copy or photograph keeps the place",
            READER,
        ),
        Part::Nonce => words(
            "the gate's fresh random number for this holder",
            "that this showing answers that question; the gate can find its own note of it again",
            "the gate that asked",
        ),
        Part::SignatureR => words(
            "the first half of the holder's signature (ECDSA P-256 over pass, half minute and challenge)",
            "that K's holder was there then. It stays evidence: whoever keeps the code can show a third party when, and to which \
             gate, this pass was shown – not by whom",
            "whoever keeps the code",
        ),
        _ => words(
            "the second half of the signature, in its lower form, so that there is one way to write it",
            "as the first half",
            "whoever keeps the code",
        ),
    }
}

const fn title(part: Part) -> &'static str {
    match part {
        Part::Version => "version",
        Part::Circuit => "circuit",
        Part::Epoch => "epoch",
        Part::RuleSet => "rule set",
        Part::RiskMap => "risk map",
        Part::Claim => "claim",
        Part::BinderKind => "binder kind",
        Part::HolderKey => "holder key K",
        Part::RevocationHash => "revocation h",
        Part::ProofA => "proof A",
        Part::ProofB => "proof B",
        Part::ProofC => "proof C",
        Part::Slot => "half minute",
        Part::ChallengeFlag => "challenge flag",
        Part::Gate => "gate",
        Part::Nonce => "nonce",
        Part::SignatureR => "signature r",
        Part::SignatureS => "signature s",
    }
}
