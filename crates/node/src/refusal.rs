//! Why there can be no pass, for the resident alone.

use circuits::clearance::PlanError;
use rules::{Claim, evaluate};

use crate::NodeError;
use crate::epoch::Issuing;
use crate::rule_book::KnownSet;
use crate::store::{CommittedRow, RefusedRow};

/// Every rule with an open reason worse than the claim, and whether the test is too old.
///
/// # Errors
/// [`NodeError::Fault`] where not the claim is at fault but the committed record.
pub(crate) fn refusal(
    error: &PlanError,
    committed: &CommittedRow,
    known: &KnownSet,
    issuing: &Issuing,
    claim: Claim,
) -> Result<RefusedRow, NodeError> {
    match error {
        PlanError::Colour | PlanError::TestAge => {}
        PlanError::Future => {
            return Err(NodeError::Fault("a committed record speaks of the future"));
        }
        _ => {
            return Err(NodeError::Fault(
                "a committed record does not fit one proof",
            ));
        }
    }
    let as_of = issuing.statement.as_of();
    let table = known.set().table();
    let evaluation = evaluate(&committed.record, table, issuing.risk.map(), as_of)
        .map_err(|_| NodeError::Fault("a committed record speaks of the future"))?;
    let mut rules: Vec<String> = evaluation
        .reasons
        .iter()
        .filter(|reason| reason.colour > claim.worst.colour())
        .filter_map(|reason| known.set().rule_of(reason.key))
        .map(|rule| rule.id.clone())
        .collect();
    rules.sort();
    rules.dedup();
    let limit_min = i64::from(claim.test_age.hours()) * 60;
    let oldest = as_of.saturating_add_signed(-limit_min);
    let newest = committed.record.negatives().last();
    Ok(RefusedRow {
        rules,
        test_too_old: limit_min > 0 && newest.is_none_or(|n| *n < oldest),
        epoch: issuing.statement.epoch().get(),
    })
}
