//! What a gate answers: every verdict of the table, with its numbers.

use crate::fixture::*;

use commitment::{BinderKind, CircuitShortId, Epoch};
use rules::{Claim, TestAge, WorstColour};
use verifier::{
    BatchSeed, BinderKinds, CardNumber, Code, Gate, GateChallenge, GateId, GateMemory, GateNonce,
    Moment, Outcome, Presented, QrText, Reason, RiskMapShortId, RuleSetShortId, Showing,
    ShowingSlot, Specimens, TrustList, UnixTime, Verdict, Why, verify, verify_batch, verify_text,
};

struct Bench {
    world: World,
    list: TrustList,
}

impl Bench {
    fn new() -> Self {
        let world = World::new();
        let list = world.trust_list();
        Self { world, list }
    }

    fn verdict(&mut self, wish: &Wish) -> Verdict {
        let showing = self.world.showing(wish);
        self.of(&showing, &gate(), NOW)
    }

    fn of(&self, showing: &Showing, gate: &Gate, now: UnixTime) -> Verdict {
        let presented = Presented::plain(showing);
        verify(
            &presented,
            &self.list,
            gate,
            now,
            &mut GateMemory::default(),
        )
    }

    fn of_text(&self, text: &str) -> Verdict {
        let memory = &mut GateMemory::default();
        verify_text(text, None, None, &self.list, &gate(), NOW, memory)
    }
}

fn later(seconds: i64) -> UnixTime {
    UnixTime::from_s(NOW.get_s().checked_add_signed(seconds).unwrap())
}

fn claim(worst: WorstColour, test_age: TestAge) -> Claim {
    Claim { worst, test_age }
}

fn challenge(byte: u8) -> GateChallenge {
    GateChallenge {
        gate: GateId([byte; 8]),
        nonce: GateNonce([byte; 16]),
    }
}

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

#[test]
fn risk_maps_of_before_and_of_later_are_rejected() {
    let mut bench = Bench::new();
    let mut of = |risk_map, epoch| {
        bench.verdict(&Wish {
            epoch,
            risk_map,
            ..Wish::default()
        })
    };
    assert!(of(OLD_MAP, 10).is_accept());
    assert_eq!(of(OLD_MAP, 11).code(), Code::RiskMapSuperseded);
    assert_eq!(of(NEXT_MAP, 12).code(), Code::RiskMapNotYetValid);
    assert_eq!(of(RiskMapShortId([9; 4]), 12).code(), Code::UnknownRiskMap);
}

#[test]
fn a_pass_whose_secret_was_published_is_revoked() {
    let mut bench = Bench::new();
    let verdict = bench.verdict(&Wish {
        revocation_secret: Some(REVOKED_SECRET),
        ..Wish::default()
    });
    assert_eq!(verdict, Verdict::Reject(Reason::Revoked));
}

#[test]
fn a_code_of_another_half_minute_is_rejected() {
    let mut bench = Bench::new();
    let showing = bench.world.showing(&Wish::default());
    for (seconds, good) in [(-59, true), (-30, true), (0, true), (30, true)] {
        // NOW lies at the beginning of its half minute.
        let verdict = bench.of(&showing, &gate(), later(seconds));
        assert_eq!(
            verdict.is_accept(),
            good && seconds >= -30,
            "{seconds}: {verdict:?}"
        );
    }
    let shown = NOW.slot();
    assert_eq!(
        bench.of(&showing, &gate(), later(60)),
        Verdict::Reject(Reason::SlotNotCurrent {
            shown,
            now: ShowingSlot::new(shown.get() + 2),
            skew: 1
        })
    );
}

#[test]
fn a_challenge_must_be_the_one_given_and_must_not_come_from_elsewhere() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let mine = show(pass.clone(), &secret, NOW, Some(challenge(1)));
    let plain = show(pass, &secret, NOW, None);
    let of = |showing: &Showing, given: Option<GateChallenge>| {
        let presented = Presented {
            showing,
            challenge: given,
            card: None,
        };
        verify(
            &presented,
            &bench.list,
            &gate(),
            NOW,
            &mut GateMemory::default(),
        )
    };
    assert!(of(&mine, Some(challenge(1))).is_accept());
    for (showing, given) in [
        (&mine, Some(challenge(2))),
        (&mine, None),
        (&plain, Some(challenge(1))),
    ] {
        assert_eq!(
            of(showing, given),
            Verdict::Reject(Reason::ChallengeMismatch)
        );
    }
}

#[test]
fn another_holder_cannot_show_a_pass() {
    let mut bench = Bench::new();
    let (pass, _) = bench.world.pass(&Wish::default());
    let (_, thief) = bench.world.pass(&Wish::default());
    let stolen = show(pass, &thief, NOW, None);
    assert_eq!(
        bench.of(&stolen, &gate(), NOW),
        Verdict::Reject(Reason::WrongHolder)
    );
}

#[test]
fn a_signature_covers_every_byte_of_the_pass_and_the_moment() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let (other, _) = bench.world.pass(&Wish::default());
    let moment = Moment {
        slot: NOW.slot(),
        challenge: None,
    };
    let signature = sign(&pass, &secret, &moment);
    let mut altered = Vec::new();
    for change in 0..6 {
        let mut p = pass.clone();
        match change {
            0 => p.epoch = Epoch::new(11),
            1 => p.claim = claim(WorstColour::Green, TestAge::Hours24),
            2 => p.rule_set = NATION,
            3 => p.h = other.h,
            4 => p.proof = other.proof.clone(),
            _ => p.risk_map = OLD_MAP,
        }
        altered.push(Showing::of_device(p, moment, &signature).unwrap());
    }
    let next = Moment {
        slot: ShowingSlot::new(NOW.slot().get() + 1),
        challenge: None,
    };
    altered.push(Showing::of_device(pass, next, &signature).unwrap());
    for (i, showing) in altered.iter().enumerate() {
        let code = bench.of(showing, &gate(), NOW).code();
        let expected = if i == 5 {
            Code::RiskMapSuperseded // refused before the signature
        } else {
            Code::WrongHolder
        };
        assert_eq!(code, expected, "{i}");
    }
}

#[test]
fn a_pass_whose_fields_were_changed_and_signed_again_has_no_proof() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let (other, _) = bench.world.pass(&Wish::default());
    let mut altered = vec![pass.clone(); 5];
    altered[0].epoch = Epoch::new(11);
    altered[1].claim = claim(WorstColour::Green, TestAge::Hours24);
    altered[2].rule_set = NATION;
    altered[3].h = other.h;
    altered[4].proof = other.proof;
    for (i, pass) in altered.into_iter().enumerate() {
        let showing = show(pass, &secret, NOW, None);
        assert_eq!(
            bench.of(&showing, &gate(), NOW),
            Verdict::Reject(Reason::ProofInvalid),
            "{i}"
        );
    }
}

#[test]
fn the_same_showing_passes_a_gate_once() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let memory = &mut GateMemory::default();
    let mut of = |showing: &Showing, now| {
        verify(
            &Presented::plain(showing),
            &bench.list,
            &gate(),
            now,
            memory,
        )
    };
    let first = show(pass.clone(), &secret, NOW, None);
    assert!(of(&first, NOW).is_accept());
    assert_eq!(
        of(&first, later(1)),
        Verdict::Reject(Reason::Replayed(NOW.slot()))
    );
    // Signed again in the same half minute it is the same showing, and in the next one it is another.
    let again = show(pass.clone(), &secret, NOW, None);
    assert_eq!(of(&again, later(2)).code(), Code::Replayed);
    let next = show(pass, &secret, later(30), None);
    assert!(of(&next, later(30)).is_accept());
}

#[test]
fn a_rejected_showing_leaves_no_trace_that_could_lock_its_holder_out() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let (other, _) = bench.world.pass(&Wish::default());
    let mut forged = pass.clone();
    forged.proof = other.proof;
    let forged = show(forged, &secret, NOW, None);
    let memory = &mut GateMemory::default();
    let mut of = |showing: &Showing| {
        verify(
            &Presented::plain(showing),
            &bench.list,
            &gate(),
            NOW,
            memory,
        )
    };
    assert_eq!(of(&forged).code(), Code::ProofInvalid);
    assert!(of(&show(pass, &secret, NOW, None)).is_accept());
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
    bench.list = TrustList::restore(&bytes, &root_keys(&[1, 2, 3], 2)).unwrap();
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
fn a_card_must_be_read_and_must_be_the_right_one() {
    let mut bench = Bench::new();
    for kind in [BinderKind::Card, BinderKind::DeviceAndCard] {
        let wish = Wish {
            kind,
            ..Wish::default()
        };
        let showing = bench.world.showing(&wish);
        let of = |card: Option<&CardNumber>| {
            let presented = Presented {
                showing: &showing,
                challenge: None,
                card,
            };
            verify(
                &presented,
                &bench.list,
                &gate(),
                NOW,
                &mut GateMemory::default(),
            )
        };
        assert_eq!(of(None), Verdict::Undecided(Why::CardNotPresented));
        let right = CardNumber::new(*CARD);
        assert!(of(Some(&right)).is_accept(), "{kind:?}");
        let wrong = CardNumber::new(*b"440524188001010014");
        assert_eq!(of(Some(&wrong)), Verdict::Reject(Reason::CardMismatch));
    }
}

#[test]
fn a_card_pass_lives_by_its_own_age_and_only_where_cards_are_admitted() {
    let mut bench = Bench::new();
    let wish = Wish {
        kind: BinderKind::Card,
        epoch: 3,
        risk_map: OLD_MAP,
        ..Wish::default()
    };
    let showing = bench.world.showing(&wish);
    let card = CardNumber::new(*CARD);
    let presented = Presented {
        showing: &showing,
        challenge: None,
        card: Some(&card),
    };
    let memory = &mut GateMemory::default();
    // Nine hours old: too old for a device, and not for a card.
    let Verdict::Accept(accepted) = verify(&presented, &bench.list, &gate(), NOW, memory) else {
        panic!("not accepted");
    };
    assert_eq!(accepted.binder, BinderKind::Card);
    let mut strict = gate();
    strict.rule.binders = BinderKinds::of(&[BinderKind::Device, BinderKind::DeviceAndCard]);
    assert_eq!(
        verify(&presented, &bench.list, &strict, NOW, memory),
        Verdict::Reject(Reason::BinderNotAccepted(BinderKind::Card))
    );
}

#[test]
fn a_batch_says_what_one_after_the_other_would_say() {
    let mut bench = Bench::new();
    let (pass, secret) = bench.world.pass(&Wish::default());
    let (other, _) = bench.world.pass(&Wish::default());
    let mut forged = pass.clone();
    forged.proof = other.proof;
    let mut showings = vec![
        show(forged, &secret, NOW, None),
        show(pass.clone(), &secret, NOW, None),
        show(pass, &secret, NOW, None), // twice
    ];
    for wish in [
        Wish::default(),
        Wish {
            epoch: 13,
            ..Wish::default()
        },
        Wish {
            specimen: true,
            ..Wish::default()
        },
        Wish {
            rule_set: FUJIAN,
            ..Wish::default()
        },
        Wish {
            rule_set: NATION,
            ..Wish::default()
        },
    ] {
        showings.push(bench.world.showing(&wish));
    }
    let training = Gate {
        specimens: Specimens::Admitted,
        ..gate()
    };
    let presented: Vec<Presented<'_>> = showings.iter().map(Presented::plain).collect();
    let one_by_one = &mut GateMemory::default();
    let expected: Vec<Verdict> = presented
        .iter()
        .map(|p| verify(p, &bench.list, &training, NOW, one_by_one))
        .collect();
    let together = &mut GateMemory::default();
    let seed = BatchSeed::from_random([5; 32]);
    let got = verify_batch(&presented, &bench.list, &training, NOW, together, &seed);
    assert_eq!(got, expected);
    assert_eq!(one_by_one, together);
    let codes: Vec<Code> = got.iter().map(Verdict::code).collect();
    assert_eq!(
        codes,
        [
            Code::ProofInvalid,
            Code::Accepted,
            Code::Replayed,
            Code::Accepted,
            Code::UnknownEpoch,
            Code::Accepted,
            Code::RuleSetNotAccepted,
            Code::Accepted
        ]
    );
    let nothing = verify_batch(&[], &bench.list, &training, NOW, together, &seed);
    assert!(nothing.is_empty());
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
    assert_eq!(names.len(), 31);
    assert_eq!(names[0], "ACCEPTED");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 31);
    let undecided = Verdict::Undecided(Why::CardNotPresented);
    assert_eq!(undecided.outcome(), undecided.code().outcome());
    assert_eq!(Outcome::Accept.word(), ("通行", "PASS"));
}
