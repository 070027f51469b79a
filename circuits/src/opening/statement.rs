//! The native relation: the same statement as the rows, heading by heading, in plain arithmetic.

use commitment::opening::{Answer, OpeningInputs, Stated};
use commitment::{IdentityCommitment, Tree};

use super::witness::{POSITIONS, Standing};
use super::{Heading, Witness};

/// Why the relation refuses: the heading that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("opening does not hold: {0}")]
pub struct Refusal(pub Heading);

/// Whether `witness` fulfils the statement for `public`; the first heading that fails, if not.
///
/// # Errors
/// [`Refusal`] with that heading.
pub fn check(public: &OpeningInputs, witness: &Witness) -> Result<(), Refusal> {
    check_with(public, witness, |opening| opening.holds(public, witness))
}

/// As [`check`], where `opens` says whether a commitment opens: hashing takes nearly all of the time, and who tries many
/// answers with the same openings need not hash them anew for each.
pub(super) fn check_with(
    public: &OpeningInputs,
    witness: &Witness,
    opens: impl Fn(Commitment) -> bool,
) -> Result<(), Refusal> {
    let need = |holds: bool, heading| if holds { Ok(()) } else { Err(Refusal(heading)) };
    if let Some(heading) = witness.malformed() {
        return Err(Refusal(heading));
    }
    need(opens(Commitment::State), Heading::StateMembership)?;
    need(opens(Commitment::Record), Heading::RecordOpening)?;
    need(opens(Commitment::Identity), Heading::Subject)?;
    if public.said.answer() == Answer::Absent {
        return need(is_absent(public, witness), Heading::Absence);
    }
    let opened = witness.standing(usize::from(witness.position));
    need(is_answered(public, opened), Heading::Entry)
}

/// What is opened by hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commitment {
    /// The leaf in the state tree.
    State,
    /// The record in its leaf.
    Record,
    /// The subject's number in the record's identity.
    Identity,
}

impl Commitment {
    /// Whether it opens.
    pub(super) fn holds(self, public: &OpeningInputs, w: &Witness) -> bool {
        match self {
            Self::State => w.state_path.root(Tree::State, public.leaf) == Some(public.state_root),
            Self::Record => w.record.leaf(w.identity, w.blinding) == public.leaf,
            Self::Identity => {
                IdentityCommitment::new(public.subject.expose(), w.salt) == w.identity
            }
        }
    }
}

/// Whether what stands at the position opened is what the answer says.
fn is_answered(public: &OpeningInputs, opened: Standing) -> bool {
    let sought = public.said.sought();
    let stated = sought.stated();
    let begin = stated.begin().get();
    let not_before_bound = |end: u32| end >= sought.end_not_before().get();
    let as_stated = opened.begin == begin;
    let stands_for_it = match stated {
        Stated::Stay { .. } => opened.begin <= begin,
        Stated::Fact { .. } | Stated::NegativeTest { .. } => opened.begin >= begin,
    };
    let holds = match (public.said.answer(), opened.end) {
        (Answer::Stands, None) => as_stated,
        (Answer::Ended, Some(end)) => as_stated && not_before_bound(end),
        (Answer::Covered, None) => stands_for_it,
        (Answer::CoveredAndEnded, Some(end)) => {
            let of_stay = matches!(stated, Stated::Stay { .. });
            (!of_stay || stands_for_it) && not_before_bound(end)
        }
        _ => false,
    };
    opened.key == stated.key() && holds
}

/// Whether no position has what is sought.
fn is_absent(public: &OpeningInputs, w: &Witness) -> bool {
    let stated = public.said.sought().stated();
    (0..POSITIONS).all(|position| {
        let standing = w.standing(position);
        (standing.key, standing.begin) != (stated.key(), stated.begin().get())
    })
}
