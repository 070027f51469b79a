//! What a gate answers about the moment, the holder, the card, and a showing that it has seen.

use commitment::{BinderKind, Epoch};
use rules::{TestAge, WorstColour};
use verifier::{
    BatchSeed, BinderKinds, CardNumber, Code, Gate, GateChallenge, GateMemory, Moment, Presented,
    Reason, Showing, ShowingSlot, Specimens, Verdict, Why, verify, verify_batch,
};

use crate::bench::{Bench, challenge, claim, later};
use crate::fixture::*;

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
            Code::RiskMapNotOfEpoch // refused before the signature
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
