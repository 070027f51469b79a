//! From a record and what is sought in it to an answer and a witness.

use commitment::opening::{Answer, OpeningInputs, Said, Sought, Stated};
use commitment::record::RecordLayout;
use commitment::{Blinding, Fr, IdentityCommitment, MerklePath, STATE_DEPTH};
use rules::{FactKind, IdentityNumber, Minute, ProvinceCode, Record};

use super::Witness;
use super::witness::{POSITIONS, Standing, standing};

/// Everything that an answer is made from.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The record as it is committed.
    pub record: &'a Record,
    /// Whose it is.
    pub subject: IdentityNumber,
    /// The salt of the identity in it.
    pub salt: Fr,
    /// What hides its leaf.
    pub blinding: Blinding,
    /// From its leaf to the state root.
    pub state_path: &'a MerklePath,
    /// The province's state root.
    pub state_root: Fr,
    /// What is sought.
    pub sought: Sought,
    /// The answer to give if it is true, though another would go before it: the source of a release asks whether what it
    /// ended has ended, whatever else stands.
    pub preferred: Option<Answer>,
}

/// Why no answer can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// What is sought stands in the record, but ended before the bound: it is not absent, and not what was asked for.
    #[error("what is sought ended before the bound that was asked for")]
    EndedBefore,
}

/// The true answer with its public inputs and a witness: what stands as stated goes before what stands for it.
///
/// # Errors
/// [`PlanError::EndedBefore`].
pub fn plan(plan: &Plan<'_>) -> Result<(OpeningInputs, Witness), PlanError> {
    let record = RecordLayout::from(plan.record);
    let (answer, position) = answer(&record, plan)?;
    let identity = IdentityCommitment::new(plan.subject.expose(), plan.salt);
    let said = Said::new(plan.sought, answer).expect("tests are said to stand or to be absent");
    let public = OpeningInputs {
        state_root: plan.state_root,
        leaf: record.leaf(identity, plan.blinding),
        subject: plan.subject,
        said,
    };
    let witness = Witness {
        record,
        identity,
        salt: plan.salt,
        blinding: plan.blinding,
        state_path: plan.state_path.clone(),
        position,
    };
    Ok((public, witness))
}

/// The true answer, and the position that it speaks of.
fn answer(record: &RecordLayout, plan: &Plan<'_>) -> Result<(Answer, u8), PlanError> {
    let sought = &plan.sought;
    let stated = sought.stated();
    let begin = stated.begin().get();
    let all = (0u8..).zip((0..POSITIONS).map(|position| standing(record, position)));
    let of_key: Vec<(u8, Standing)> = all.filter(|(_, s)| s.key == stated.key()).collect();
    let in_time = |s: &Standing| {
        s.end
            .is_some_and(|end| end >= sought.end_not_before().get())
    };
    let is_stay = matches!(stated, Stated::Stay { .. });
    let is_test = matches!(stated, Stated::NegativeTest { .. });
    let first = |answer: Answer| {
        let fits = |s: &Standing| match answer {
            Answer::Stands => s.begin == begin && s.end.is_none(),
            Answer::Ended => s.begin == begin && in_time(s),
            Answer::Covered if is_stay => s.begin <= begin && s.end.is_none(),
            Answer::Covered => !is_test && s.begin >= begin && s.end.is_none(),
            Answer::CoveredAndEnded => (!is_stay || s.begin <= begin) && in_time(s),
            Answer::Absent => false,
        };
        let found = of_key.iter().find(|(_, s)| fits(s));
        found.map(|(position, _)| (answer, *position))
    };
    if let Some(found) = plan
        .preferred
        .into_iter()
        .chain(Answer::ALL)
        .find_map(first)
    {
        return Ok(found);
    }
    if of_key.iter().any(|(_, s)| s.begin == begin) {
        return Err(PlanError::EndedBefore);
    }
    Ok((Answer::Absent, 0))
}

/// A public input and a witness of the right form and no truth, for walking over the statement's shape.
pub(super) fn blank() -> (OpeningInputs, Witness) {
    let zero = Fr::from(0u64);
    let stated = Stated::Fact {
        kind: FactKind::ConfirmedCase,
        province: ProvinceCode::NATION,
        begin: Minute::MAX,
    };
    let subject = IdentityNumber::assemble(110_101, (1970, 1, 1), 1).expect("a number");
    plan(&Plan {
        record: &Record::default(),
        subject,
        salt: zero,
        blinding: Blinding(zero),
        state_path: &MerklePath {
            index: 0,
            levels: vec![[zero; 8]; STATE_DEPTH],
        },
        state_root: zero,
        sought: Sought::new(stated).expect("not at zero"),
        preferred: None,
    })
    .expect("nothing has ended in an empty record")
}
