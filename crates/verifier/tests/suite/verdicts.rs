//! What a gate answers about passes, lists and clocks, with the numbers.

use commitment::{BinderKind, CircuitShortId, Epoch};
use rules::{TestAge, WorstColour};
use verifier::{
    Code, Gate, GateMemory, Outcome, Presented, QrText, Reason, RiskMapShortId, RuleSetShortId,
    Specimens, TrustList, UnixTime, Verdict, Why, verify,
};

use crate::bench::{Bench, claim, later};
use crate::fixture::*;

#[test]
fn a_good_pass_is_accepted_and_says_what_it_rests_on() {
    let mut bench = Bench::new();
    let Verdict::Accept(accepted) = bench.verdict(&Wish::default()) else {
        panic!("not accepted");
    };
    assert_eq!(accepted.claim, CLAIM);
    assert_eq!(accepted.epoch, Epoch::new(12));
    assert_eq!(accepted.as_of, close(12));
    assert_eq!(accepted.age_min, 10);
    assert_eq!(accepted.rule_set, "zj-2022-08");
    assert_eq!(accepted.binder, BinderKind::Device);
    assert_eq!(accepted.list_age_s, 300);
    assert!(!accepted.specimen && !accepted.list_stale);
}

#[test]
fn the_nations_rule_set_serves_everywhere_and_a_stronger_claim_serves_too() {
    let mut bench = Bench::new();
    let national = Wish {
        rule_set: NATION,
        claim: claim(WorstColour::Green, TestAge::Hours24),
        ..Wish::default()
    };
    assert!(bench.verdict(&national).is_accept());
}

#[test]
fn bytes_that_are_no_showing_are_rejected_by_what_is_wrong_with_them() {
    let mut bench = Bench::new();
    let good = bench.world.showing(&Wish::default());
    let text = QrText::from_showing(&good);
    assert!(bench.of_text(text.as_str()).is_accept());
    assert_eq!(bench.of_text("HC1:6BF").code(), Code::Malformed);
    assert_eq!(bench.of_text("").code(), Code::Malformed);
    let long = format!("{text}{}", "0".repeat(90));
    assert_eq!(
        bench.of_text(&long),
        Verdict::Reject(Reason::TooLong {
            len: long.len(),
            limit: 439
        })
    );
    let mut bytes = good.to_bytes();
    bytes[0] = 2;
    let text = format!("VIR1:{}", base45::encode(&bytes));
    assert_eq!(
        bench.of_text(&text),
        Verdict::Reject(Reason::UnknownVersion(2))
    );
}

#[test]
fn a_specimen_is_rejected_in_production_and_marked_elsewhere() {
    let mut bench = Bench::new();
    let wish = Wish {
        specimen: true,
        ..Wish::default()
    };
    let showing = bench.world.showing(&wish);
    assert_eq!(
        bench.of(&showing, &gate(), NOW),
        Verdict::Reject(Reason::Specimen(bench.world.test.short()))
    );
    let training = Gate {
        specimens: Specimens::Admitted,
        ..gate()
    };
    let Verdict::Accept(accepted) = bench.of(&showing, &training, NOW) else {
        panic!("not accepted");
    };
    assert!(accepted.specimen);
}

#[test]
fn a_pass_is_good_to_the_minute_of_its_age() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let last = UnixTime::from_s((u64::from(close(12).get()) + 240) * 60 + 59);
    let showing = show(pass.clone(), &secret, last, None);
    assert!(bench.of(&showing, &gate(), last).is_accept());
    let over = UnixTime::from_s(last.get_s() + 1);
    let showing = show(pass, &secret, over, None);
    assert_eq!(
        bench.of(&showing, &gate(), over),
        Verdict::Reject(Reason::PassExpired {
            age_min: 241,
            limit_min: 240
        })
    );
}

#[test]
fn epochs_beyond_the_list_are_undecided_and_those_before_it_are_expired() {
    let mut bench = Bench::new();
    let newer = bench.verdict(&Wish {
        epoch: 13,
        ..Wish::default()
    });
    assert_eq!(
        newer,
        Verdict::Undecided(Why::UnknownEpoch {
            epoch: Epoch::new(13),
            newest: Epoch::new(12)
        })
    );
    let older = bench.verdict(&Wish {
        epoch: 2,
        ..Wish::default()
    });
    assert_eq!(
        older,
        Verdict::Reject(Reason::PassExpired {
            age_min: 9 * 60 + 10,
            limit_min: 240
        })
    );
}

#[test]
fn a_weaker_claim_than_asked_is_rejected() {
    let mut bench = Bench::new();
    let yellow = claim(WorstColour::Yellow, TestAge::Hours48);
    let verdict = bench.verdict(&Wish {
        claim: yellow,
        ..Wish::default()
    });
    assert_eq!(
        verdict,
        Verdict::Reject(Reason::ColourTooWeak {
            claimed: yellow,
            asked: CLAIM
        })
    );
    for test_age in [TestAge::NotAsked, TestAge::Hours72] {
        let claimed = claim(WorstColour::Green, test_age);
        let verdict = bench.verdict(&Wish {
            claim: claimed,
            ..Wish::default()
        });
        assert_eq!(
            verdict,
            Verdict::Reject(Reason::TestTooOld {
                claimed,
                asked: CLAIM
            })
        );
    }
}

#[test]
fn rule_sets_of_elsewhere_of_before_and_of_later_are_rejected() {
    let mut bench = Bench::new();
    let mut of = |rule_set, epoch| {
        bench.verdict(&Wish {
            epoch,
            rule_set,
            risk_map: map_of(epoch),
            ..Wish::default()
        })
    };
    assert_eq!(
        of(FUJIAN, 12),
        Verdict::Reject(Reason::RuleSetNotAccepted {
            scope: province(35),
            place: province(33)
        })
    );
    assert_eq!(
        of(NEXT, 12),
        Verdict::Reject(Reason::RuleSetNotYetValid {
            valid_from: close(13),
            as_of: close(12)
        })
    );
    // Superseded at the close of epoch 9, with two hours of grace.
    assert!(of(FORMER, 10).is_accept());
    assert_eq!(
        of(FORMER, 11),
        Verdict::Reject(Reason::RuleSetSuperseded {
            superseded_at: close(9),
            as_of: close(11),
            grace_min: 120
        })
    );
    assert_eq!(
        of(RuleSetShortId([9; 4]), 12),
        Verdict::Undecided(Why::UnknownRuleSet(RuleSetShortId([9; 4])))
    );
}

fn not_of_epoch(named: RiskMapShortId, epochs: RiskMapShortId) -> Verdict {
    Verdict::Reject(Reason::RiskMapNotOfEpoch { named, epochs })
}

#[test]
fn a_pass_serves_with_its_epochs_risk_map_and_no_other() {
    let mut bench = Bench::new();
    for (epoch, epochs) in [(9, MAP), (10, GAP_MAP), (11, MAP), (12, MAP)] {
        for risk_map in [MAP, OLD_MAP, GAP_MAP, NEXT_MAP, RiskMapShortId([9; 4])] {
            let verdict = bench.verdict(&Wish {
                epoch,
                risk_map,
                ..Wish::default()
            });
            if risk_map == epochs {
                assert!(verdict.is_accept(), "{epoch} {risk_map}");
            } else {
                assert_eq!(verdict, not_of_epoch(risk_map, epochs), "{epoch}");
            }
        }
    }
}

#[test]
fn the_risk_map_before_a_listing_does_not_serve_within_the_grace_of_rule_sets() {
    let mut bench = Bench::new();
    // Epoch 9 is the first with the new map, one hour after the last with the old one; two hours are the grace time.
    assert_eq!(bench.list.root().grace_min, 120);
    let wish = Wish {
        epoch: 9,
        risk_map: OLD_MAP,
        ..Wish::default()
    };
    assert_eq!(bench.verdict(&wish), not_of_epoch(OLD_MAP, MAP));
    // Said to be of the epoch's map, it has no proof.
    let (mut pass, secret) = bench.world.pass(&wish);
    pass.risk_map = MAP;
    assert_eq!(
        bench.of(&show(pass, &secret, NOW, None), &gate(), NOW),
        Verdict::Reject(Reason::ProofInvalid)
    );
}

#[test]
fn a_risk_map_that_came_back_does_not_serve_for_the_epoch_in_the_gap() {
    let mut bench = Bench::new();
    let of = |epoch| Wish {
        epoch,
        risk_map: MAP,
        ..Wish::default()
    };
    assert!(bench.verdict(&of(9)).is_accept() && bench.verdict(&of(11)).is_accept());
    assert_eq!(bench.verdict(&of(10)), not_of_epoch(MAP, GAP_MAP));
    let (mut pass, secret) = bench.world.pass(&of(10));
    pass.risk_map = GAP_MAP;
    assert_eq!(
        bench.of(&show(pass, &secret, NOW, None), &gate(), NOW),
        Verdict::Reject(Reason::ProofInvalid)
    );
}

#[test]
fn a_pass_whose_secret_was_published_is_revoked_and_another_is_not() {
    let mut bench = Bench::new();
    bench.list = bench.world.revoking_list();
    assert!(bench.verdict(&Wish::default()).is_accept());
    let verdict = bench.verdict(&Wish {
        revocation_secret: Some(REVOKED_SECRET),
        ..Wish::default()
    });
    assert_eq!(verdict, Verdict::Reject(Reason::Revoked));
}

#[test]
fn a_clock_set_back_withholds_the_verdict() {
    let mut bench = Bench::new();
    let showing = bench.world.showing(&Wish::default());
    let presented = Presented::plain(&showing);
    let mut memory = GateMemory::starting_at(later(61));
    assert_eq!(
        verify(&presented, &bench.list, &gate(), NOW, &mut memory),
        Verdict::Undecided(Why::ClockSetBack {
            now_s: NOW.get_s(),
            seen_s: later(61).get_s()
        })
    );
    // Before the list was issued, and before the epoch closed.
    assert_eq!(
        bench.of(&showing, &gate(), later(-361)).code(),
        Code::ClockSetBack
    );
    let mut online = bench.world.online();
    online.issued_at = UnixTime::from_s(NOW.get_s() - 1_200);
    let bytes = bundle(&[sign_root(bench.world.root(), &[1, 2])], online, &[1, 2]);
    bench.list = TrustList::restore(&bytes, &root_keys(&[1, 2, 3], 2))
        .unwrap()
        .complete()
        .unwrap();
    assert_eq!(
        bench.of(&showing, &gate(), later(-661)).code(),
        Code::ClockSetBack
    );
}

#[test]
fn a_list_grows_stale_softly_then_hard_and_then_ends() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let of = |seconds: i64, hours: u32| {
        let wide = Gate {
            rule: verifier::AcceptanceRule {
                pass_age_max_min: 60 * hours,
                ..rule()
            },
            ..gate()
        };
        let now = later(seconds);
        bench.of(&show(pass.clone(), &secret, now, None), &wide, now)
    };
    let Verdict::Accept(soft) = of(3_300, 24) else {
        panic!("not accepted");
    };
    assert!(soft.list_stale && soft.list_age_s == 3_600);
    assert_eq!(
        of(6 * 3_600 - 300, 24),
        Verdict::Undecided(Why::ListStale {
            age_s: 6 * 3_600,
            limit_s: 6 * 3_600
        })
    );
    assert_eq!(of(90 * 86_400, 24).code(), Code::ListExpired);
}

#[test]
fn an_unknown_circuit_is_undecided() {
    let mut bench = Bench::new();
    let (mut pass, secret) = bench.world.pass(&Wish::default());
    pass.circuit = CircuitShortId([0x7f, 1, 2, 3]);
    let verdict = bench.of(&show(pass, &secret, NOW, None), &gate(), NOW);
    assert_eq!(
        verdict,
        Verdict::Undecided(Why::UnknownCircuit(CircuitShortId([0x7f, 1, 2, 3])))
    );
}

#[test]
fn codes_are_stable_and_agree_with_their_outcome() {
    let mut names: Vec<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
    assert_eq!(names.len(), 29);
    assert_eq!(names[0], "ACCEPTED");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 29);
    let undecided = Verdict::Undecided(Why::CardNotPresented);
    assert_eq!(undecided.outcome(), undecided.code().outcome());
    assert_eq!(Outcome::Accept.word(), ("通行", "PASS"));
}
