//! Witnesses that the type admits and no prover could state.

use crate::clearance::scene::Scene;
use crate::clearance::{Heading, Refusal, Witness, assign, check};

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
