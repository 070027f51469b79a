//! Witnesses that the type admits and no prover could state, and the binder, which no witness can break.

use crate::clearance::scene::Scene;
use crate::clearance::{Heading, Refusal, Witness, assign, check, shape};

type Change = fn(&mut Witness);

#[test]
fn a_witness_of_another_form_is_refused_by_relation_and_assignment() {
    let changes: [(Heading, Change); 9] = [
        (Heading::RegistryMembership, |w| {
            w.registry_path.levels.truncate(1);
        }),
        (Heading::StateMembership, |w| {
            w.state_path.levels.truncate(8);
        }),
        (Heading::StateMembership, |w| w.state_path.index |= 1 << 27),
        (Heading::RecordOpening, |w| w.record.facts[0].kind = 16),
        (Heading::RiskOpening, |w| w.intervals[0].periods[0].0 = 4),
        (Heading::RiskOpening, |w| {
            w.intervals[1].opening.path.levels.truncate(4);
        }),
        (Heading::ReasonSlots, |w| w.entries[12].slot += 8),
        (Heading::AnchorPhasesLapse, |w| w.slots[7].key = 96),
        (Heading::TestAge, |w| w.fresh_negative += 8),
    ];
    for (heading, change) in changes {
        let (public, mut witness) = Scene::green().witness().unwrap();
        change(&mut witness);
        assert_eq!(check(&public, &witness), Err(Refusal(heading)));
        assert!(
            assign(&public, &witness).broken.contains(&heading),
            "{heading}"
        );
    }
}

#[test]
fn the_binder_stands_in_a_row_of_its_own() {
    // It has no relation to the witness, so nothing can break under this heading; that another binder makes another
    // statement is shown on proofs.
    let binder = shape().instance - 1;
    let rows: Vec<usize> = (0..shape().constraints())
        .filter(|row| {
            shape()
                .matrices
                .iter()
                .any(|m| m[*row].iter().any(|(_, v)| *v == binder))
        })
        .collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(shape().headings[rows[0]], Heading::Binder);
}
