//! What two codes together reveal.

use anatomy::{Anatomy, Field, Part};
use serde::Serialize;

/// How a field stands in two codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Compared {
    Equal,
    Different,
    OnlyInOne,
}

/// A field in both codes, and what that means.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) part: Part,
    #[serde(skip)]
    pub(super) title: &'static str,
    pub(super) compared: Compared,
    pub(super) means: &'static str,
    /// Whether equal bytes here say that both codes are of one pass, or of one meeting.
    #[serde(skip)]
    links: bool,
}

/// What the two together reveal.
#[derive(Debug, Serialize)]
pub(super) struct Together {
    pub(super) fields: Vec<Line>,
    /// The fields that link the two; empty if nothing in their bytes does.
    pub(super) linked_by: Vec<Part>,
    pub(super) conclusion: &'static str,
}

pub(super) fn compare(one: &Anatomy, other: &Anatomy) -> Together {
    let mut parts: Vec<Part> = [one, other]
        .iter()
        .flat_map(|code| code.fields.iter().map(|f| f.part))
        .collect();
    parts.sort_unstable();
    parts.dedup();
    let fields: Vec<Line> = parts
        .into_iter()
        .map(|part| line(part, of(one, part), of(other, part)))
        .collect();
    let linked_by: Vec<Part> = fields.iter().filter(|l| l.links).map(|l| l.part).collect();
    let conclusion = conclusion(one, other, &linked_by);
    Together {
        fields,
        linked_by,
        conclusion,
    }
}

fn of(code: &Anatomy, part: Part) -> Option<&Field> {
    code.fields.iter().find(|f| f.part == part)
}

fn line(part: Part, one: Option<&Field>, other: Option<&Field>) -> Line {
    let compared = match (one, other) {
        (Some(a), Some(b)) if a.hex == b.hex => Compared::Equal,
        (Some(_), Some(_)) => Compared::Different,
        _ => Compared::OnlyInOne,
    };
    let (means, links) = means(part, compared);
    Line {
        part,
        title: one.or(other).map_or("", |field| field.words.title),
        compared,
        means,
        links,
    }
}

/// What it means, and whether it links the two.
fn means(part: Part, compared: Compared) -> (&'static str, bool) {
    if compared == Compared::OnlyInOne {
        return ("one code has it: the two are of different kinds", false);
    }
    let equal = compared == Compared::Equal;
    let pick = |yes, no| if equal { yes } else { no };
    let means = match part {
        Part::Version => pick("nothing", "two layouts"),
        Part::Circuit => pick(
            "nothing personal: all passes under one key",
            "two circuits or keys: nothing personal",
        ),
        Part::Epoch => pick(
            "nothing personal: everybody who asked in this epoch",
            "asked for in different epochs; two provinces, if one of them is cut off from new registries",
        ),
        Part::RuleSet => pick(
            "nothing personal: everybody who shows a pass in this place",
            "meant for two places. Of one person they would say: both places, in this order",
        ),
        Part::RiskMap => pick(
            "nothing personal: one map for everybody",
            "made under two risk maps: nothing personal",
        ),
        Part::Claim => pick(
            "nothing personal: the same question was asked",
            "two questions were asked; of one person, the stricter claim holds for the epoch of each",
        ),
        Part::BinderKind => pick("nothing personal", "two ways to show"),
        Part::HolderKey => pick(
            "the same pass, or a wallet that used one key twice: the two are of one holder",
            "nothing: a wallet has a new key for each pass",
        ),
        Part::RevocationHash => pick(
            "the same pass: h is random and fresh for each",
            "nothing: two passes",
        ),
        Part::ProofA | Part::ProofB | Part::ProofC => pick(
            "the same proof: shown twice, or copied",
            "nothing: a proof can be written in another way",
        ),
        Part::Slot => pick("shown in the same half minute", "shown at different times"),
        Part::ChallengeFlag => pick("nothing", "one of them answers a challenge"),
        Part::Gate => pick("shown at the same gate", "shown at two gates"),
        Part::Nonce => pick(
            "one challenge, given to one holder: one meeting, or a copy",
            "nothing: two questions",
        ),
        Part::SignatureR | Part::SignatureS => pick(
            "the same signature: one showing, copied",
            "nothing: signatures differ with half minute and challenge",
        ),
    };
    let identifies = matches!(
        part,
        Part::HolderKey
            | Part::RevocationHash
            | Part::ProofA
            | Part::ProofB
            | Part::ProofC
            | Part::Nonce
            | Part::SignatureR
            | Part::SignatureS
    );
    (means, equal && identifies)
}

fn conclusion(one: &Anatomy, other: &Anatomy, linked_by: &[Part]) -> &'static str {
    let has = |part| linked_by.contains(&part);
    if one.bytes == other.bytes {
        "one and the same showing: a copy"
    } else if one.showing.pass() == other.showing.pass() {
        "two showings of one pass: of one holder, who stays unnamed"
    } else if has(Part::HolderKey) || has(Part::RevocationHash) {
        "two passes that their key or h links: of one holder, who stays unnamed"
    } else if !linked_by.is_empty() {
        "two passes that share bytes which should be random: whoever made them, or a copy, links them"
    } else {
        "nothing in their bytes says whether they are of one person or of two; time and place of reading may"
    }
}
