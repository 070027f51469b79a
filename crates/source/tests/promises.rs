//! Receipts held against logs that keep what was promised, are late, leave it out, or are somebody else's.

mod scene;

use ledger::log::{Entry, SignedCheckpoint};
use ledger::receipt::{BrokenPromise, HeldReceipt, ReceiptError, Salt};
use proptest::prelude::*;
use source::{JudgeError, Judged, State, judge};

use scene::{EVENT, Forger, held, minute, trust};

fn judged(forger: &Forger, receipt: &HeldReceipt, now: u32) -> Result<Judged, JudgeError> {
    let served = forger.served();
    judge(
        receipt,
        EVENT,
        (&trust(), false),
        &served,
        minute(now),
        &mut |_| (),
    )
}

fn state(forger: &Forger, receipt: &HeldReceipt, now: u32) -> State {
    judged(forger, receipt, now).unwrap().state
}

fn evidence(forger: &Forger, receipt: &HeldReceipt) -> BrokenPromise {
    match state(forger, receipt, 2_000) {
        State::Broken { evidence, .. } => *evidence,
        other => panic!("{other:?}"),
    }
}

/// A log with a batch before the event was accepted at minute 1,000, and one after.
fn log_without() -> Forger {
    let mut forger = Forger::default();
    forger.head(900);
    forger.batch(985, &[]);
    forger.batch(1_005, &[]);
    forger
}

#[test]
fn a_promise_that_is_kept_is_found_with_its_place() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.batch(1_020, &[receipt.signed.receipt.commitment]);
    forger.head(1_061);
    let judged = judged(&forger, &receipt, 1_062).unwrap();
    let State::InLog { index, at, .. } = judged.state else {
        panic!("{judged:?}");
    };
    assert_eq!((index, at), (3, minute(1_020)));
    assert_eq!((judged.witnesses, judged.witnesses_needed), (2, 1));
}

#[test]
fn what_is_not_in_the_log_is_pending_then_overdue_and_broken_only_when_the_log_tells_so() {
    let receipt = held(1_000);
    let mut forger = log_without();
    assert_eq!(state(&forger, &receipt, 1_060), State::Pending);
    // A node that is away has not broken its promise as far as anybody can show.
    assert_eq!(state(&forger, &receipt, 1_061), State::Overdue);
    forger.head(1_060);
    assert_eq!(state(&forger, &receipt, 1_061), State::Overdue);
    forger.head(1_061);
    let State::Broken { shown, evidence } = state(&forger, &receipt, 1_061) else {
        panic!("not shown");
    };
    assert_eq!(
        (shown.told, shown.index, shown.batches),
        (minute(1_061), 4, 1)
    );
    let bytes = evidence.to_bytes().unwrap();
    let read = BrokenPromise::from_bytes(&bytes).unwrap();
    assert_eq!(read.check("test", &trust().roster), Ok(shown));
}

#[test]
fn a_batch_that_comes_too_late_keeps_no_promise_and_one_made_after_an_outage_does() {
    let receipt = held(1_000);
    let commitment = receipt.signed.receipt.commitment;
    let mut late = log_without();
    late.registry(1_070);
    late.batch(1_075, &[commitment]);
    assert!(matches!(
        state(&late, &receipt, 1_080),
        State::Broken { .. }
    ));
    let mut back = log_without();
    back.batch(1_500, &[commitment]);
    back.head(1_500);
    assert!(matches!(state(&back, &receipt, 1_501), State::InLog { .. }));
}

#[test]
fn a_receipt_that_is_not_good_is_refused_for_what_is_wrong_with_it() {
    let forger = log_without();
    let good = held(1_000);
    let refused = |receipt: &HeldReceipt, content: &[u8]| {
        let served = forger.served();
        let judged = judge(
            receipt,
            content,
            (&trust(), false),
            &served,
            minute(1_001),
            &mut |_| (),
        );
        match judged {
            Err(JudgeError::Receipt(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&good, b"another event"), ReceiptError::OtherContent);
    let mut salted = good.clone();
    salted.salt = Salt([9; 32]);
    assert_eq!(refused(&salted, EVENT), ReceiptError::OtherContent);
    let mut forged = good.clone();
    forged.signed.signature[5] ^= 1;
    assert_eq!(refused(&forged, EVENT), ReceiptError::BadSignature);
    let mut earlier = good.clone();
    earlier.signed.receipt.accepted = minute(999);
    earlier.signed.receipt.promised_by = minute(1_059);
    assert_eq!(refused(&earlier, EVENT), ReceiptError::BadSignature);
    // The node signs that it has all the time in the world, or that it accepted tomorrow.
    let mut patient = scene::receipt(1_000);
    patient.promised_by = minute(9_000);
    let mut tomorrow = scene::receipt(1_000);
    (tomorrow.accepted, tomorrow.promised_by) = (minute(2_440), minute(2_500));
    for receipt in [patient, tomorrow] {
        let worthless = HeldReceipt {
            signed: receipt.sign(&scene::head_key(0)),
            ..good.clone()
        };
        assert_eq!(refused(&worthless, EVENT), ReceiptError::OtherPromise);
    }
    let other_key = scene::receipt(1_000).sign(&scene::head_key(1));
    let other_key = HeldReceipt {
        signed: other_key,
        ..good.clone()
    };
    assert_eq!(refused(&other_key, EVENT), ReceiptError::BadSignature);
    let mut elsewhere = scene::receipt(1_000);
    "elsewhere".clone_into(&mut elsewhere.federation);
    let elsewhere = HeldReceipt {
        signed: elsewhere.sign(&scene::head_key(0)),
        ..good.clone()
    };
    assert_eq!(
        refused(&elsewhere, EVENT),
        ReceiptError::OtherFederation("elsewhere".to_owned())
    );
    for (province, slot) in [(35, 0), (33, 9)] {
        let mut other = scene::receipt(1_000);
        (other.province, other.slot) = (scene::province(province), scene::slot(slot));
        let other = HeldReceipt {
            signed: other.sign(&scene::head_key(0)),
            ..good.clone()
        };
        assert_eq!(refused(&other, EVENT), ReceiptError::UnknownSlot);
    }
}

#[test]
fn what_nobody_can_read_between_a_promise_and_its_end_does_not_excuse() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.entries.push(vec![99; 10]);
    // More of it than there could be of entries in a bundle.
    forger.entries.extend(vec![vec![7; 60_000]; 30]);
    forger.head(1_061);
    let shown = evidence(&forger, &receipt);
    assert_eq!(shown.entries.len(), 34);
    let read = BrokenPromise::from_bytes(&shown.to_bytes().unwrap()).unwrap();
    assert!(read.check("test", &trust().roster).is_ok());
    // What is there is found behind it.
    let mut kept = log_without();
    kept.entries.push(vec![99; 10]);
    kept.batch(1_020, &[receipt.signed.receipt.commitment]);
    kept.head(1_061);
    assert!(matches!(state(&kept, &receipt, 1_062), State::InLog { .. }));
}

#[test]
fn a_batch_that_does_not_ascend_counts_against_its_log() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.batch_out_of_order(1_020, &[]);
    forger.head(1_061);
    let shown = evidence(&forger, &receipt);
    assert!(shown.check("test", &trust().roster).is_ok());
    // What stands in it all the same is found.
    let mut kept = log_without();
    kept.batch_out_of_order(1_020, &[receipt.signed.receipt.commitment]);
    kept.head(1_061);
    assert!(matches!(state(&kept, &receipt, 1_062), State::InLog { .. }));
}

#[test]
fn what_is_served_in_place_of_the_log_is_no_judgement() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.head(1_061);
    let now = minute(1_061);
    let error = |change: &dyn Fn(&mut scene::Served)| {
        let mut served = forger.served();
        change(&mut served);
        judge(
            &receipt,
            EVENT,
            (&trust(), false),
            &served,
            now,
            &mut |_| (),
        )
        .unwrap_err()
    };
    let other = Forger::of(1).served();
    let others_checkpoint = other.0["checkpoint"].clone();
    let others_keys = other.0["keys"].clone();
    let gone = error(&|s| drop(s.0.remove("checkpoint")));
    assert!(matches!(gone, JudgeError::Unread(_)), "{gone}");
    let wrong = error(&|s| drop(s.0.insert("checkpoint".to_owned(), others_checkpoint.clone())));
    assert!(matches!(wrong, JudgeError::NotTheLog(_)), "{wrong}");
    let only_others = others_keys[..139].to_vec();
    let wrong = error(&|s| drop(s.0.insert("keys".to_owned(), only_others.clone())));
    assert!(matches!(wrong, JudgeError::NoKeys), "{wrong}");
    for path in forger.served().0.keys() {
        let is_batch = path.starts_with("commitments/");
        if is_batch {
            continue; // See below; the batch before is not read.
        }
        let changed = error(&|s| {
            let bytes = s.0.get_mut(path).unwrap();
            // Of the keys those of the log itself.
            let at = if path == "keys" { 100 } else { bytes.len() / 2 };
            bytes[at] ^= 0x10;
        });
        assert!(
            matches!(changed, JudgeError::NotTheLog(_) | JudgeError::NoKeys),
            "{path}: {changed}"
        );
        let cut = error(&|s| {
            s.0.get_mut(path).unwrap().pop();
        });
        assert!(
            matches!(cut, JudgeError::NotTheLog(_) | JudgeError::Unread(_)),
            "{path}: {cut}"
        );
    }
}

#[test]
fn a_batch_that_is_logged_and_not_served_is_a_finding_of_its_own() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.head(1_061);
    let path = forger
        .served()
        .0
        .into_keys()
        .find(|path| path.starts_with("commitments/1005/"))
        .unwrap();
    let judged_at = |forger: &Forger, now: u32, change: &dyn Fn(&mut scene::Served)| {
        let mut served = forger.served();
        change(&mut served);
        let by = (&trust(), false);
        judge(&receipt, EVENT, by, &served, minute(now), &mut |_| ())
    };
    let gone = |served: &mut scene::Served| drop(served.0.remove(&path));
    let other = |served: &mut scene::Served| served.0.get_mut(&path).unwrap()[40] ^= 1;
    let short = |served: &mut scene::Served| {
        served.0.get_mut(&path).unwrap().pop();
    };
    let index = 2;
    for change in [&gone as &dyn Fn(&mut scene::Served), &other, &short] {
        let found = judged_at(&forger, 1_062, change).unwrap().state;
        let is_it = |state: &State| matches!(state, State::Unserved { index: i, at, .. } if (*i, at.get()) == (index, 1_005));
        assert!(is_it(&found), "{found:?}");
        // As long as it is owed, and no longer.
        let owed = 1_005 + 30 * 1_440;
        assert!(is_it(&judged_at(&forger, owed, change).unwrap().state));
        assert!(judged_at(&forger, owed + 1, change).is_err());
    }
    // What stands in another batch was kept all the same.
    let mut kept = log_without();
    kept.batch(1_020, &[receipt.signed.receipt.commitment]);
    kept.head(1_061);
    let found = judged_at(&kept, 1_062, &gone).unwrap().state;
    assert!(matches!(found, State::InLog { .. }), "{found:?}");
}

#[test]
fn a_checkpoint_that_too_few_have_cosigned_is_not_believed_unless_that_is_asked_for() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.batch(1_020, &[receipt.signed.receipt.commitment]);
    forger.witnesses = 0;
    let served = forger.served();
    let judge = |unwitnessed| {
        let by = (&trust(), unwitnessed);
        judge(&receipt, EVENT, by, &served, minute(1_030), &mut |_| ())
    };
    assert!(matches!(
        judge(false),
        Err(JudgeError::TooFewWitnesses { have: 0, need: 1 })
    ));
    assert!(matches!(judge(true).unwrap().state, State::InLog { .. }));
    // What the log signed binds it, whoever has seen it.
    let mut broken = log_without();
    broken.head(1_061);
    broken.witnesses = 0;
    assert!(matches!(
        state(&broken, &receipt, 1_061),
        State::Broken { .. }
    ));
}

#[test]
fn keys_of_another_slot_that_its_head_key_has_not_signed_make_no_witness_and_no_harm() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.batch(1_020, &[receipt.signed.receipt.commitment]);
    let mut served = forger.served();
    served.0.get_mut("keys").unwrap()[139 + 100] ^= 1;
    let by = (&trust(), false);
    let judged = judge(&receipt, EVENT, by, &served, minute(1_030), &mut |_| ()).unwrap();
    assert_eq!((judged.witnesses, judged.witnesses_needed), (1, 1));
    assert!(matches!(judged.state, State::InLog { .. }));
}

#[test]
fn evidence_shows_nothing_when_any_of_it_is_changed() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.head(1_061);
    let good = evidence(&forger, &receipt);
    let trust = trust();
    let check = |evidence: &BrokenPromise| evidence.check("test", &trust.roster).map(drop);
    assert_eq!(check(&good), Ok(()));
    assert!(good.check("other", &trust.roster).is_err());
    let mut cut = good.clone();
    cut.entries.pop();
    assert!(matches!(check(&cut), Err(ReceiptError::NotShown(_))));
    let mut without = good.clone();
    without.entries[1].absence = None;
    assert_eq!(check(&without), Err(ReceiptError::NotAbsent));
    let mut begun_late = good.clone();
    begun_late.entries.remove(0);
    begun_late.first += 1;
    assert!(matches!(check(&begun_late), Err(ReceiptError::NotShown(_))));
    let mut skipping = good.clone();
    skipping.entries.remove(1);
    assert!(matches!(check(&skipping), Err(ReceiptError::Log(_))));
    let mut none = good.clone();
    none.entries.clear();
    assert!(matches!(check(&none), Err(ReceiptError::NotShown(_))));
    // Another batch's neighbours, and neighbours that are none.
    let mut apart = good.clone();
    let absence = apart.entries[1].absence.as_mut().unwrap();
    absence.after = None;
    assert_eq!(check(&apart), Err(ReceiptError::NotAbsent));
    let other = Forger::of(1);
    let mut other_keys = good.clone();
    other_keys.keys = other.keys();
    assert!(matches!(check(&other_keys), Err(ReceiptError::NotShown(_))));
    let mut other_log = good.clone();
    let checkpoint = &other.served().0["checkpoint"];
    other_log.checkpoint = SignedCheckpoint::from_bytes(checkpoint).unwrap();
    assert!(matches!(check(&other_log), Err(ReceiptError::Log(_))));
}

#[test]
fn evidence_in_bytes_is_read_in_one_way_only() {
    let receipt = held(1_000);
    let mut forger = log_without();
    forger.head(1_061);
    let bytes = evidence(&forger, &receipt).to_bytes().unwrap();
    assert!(BrokenPromise::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(BrokenPromise::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    assert!(BrokenPromise::from_bytes(&[]).is_err());
    let held = receipt.to_bytes();
    assert_eq!(HeldReceipt::from_bytes(&held), Ok(receipt));
    assert!(HeldReceipt::from_bytes(&held[..held.len() - 1]).is_err());
    assert!(HeldReceipt::from_bytes(&[&held[..], &[0]].concat()).is_err());
    assert!(HeldReceipt::from_bytes(&[7; 400]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever an honest node does – batches by the clock or late, heads at any time – nobody can show a broken promise, and
    /// whatever is in its log is found. A node that leaves one commitment out is caught as soon as its log tells the time.
    #[test]
    fn an_honest_log_is_never_accused_and_one_that_leaves_something_out_always_is(
        steps in prop::collection::vec((1_u32..40, 0_u8..4), 1..40),
        left_out in any::<prop::sample::Index>(),
        leaves_out in any::<bool>(),
    ) {
        let mut now = 1_000;
        let mut forger = Forger::default();
        let mut given: Vec<HeldReceipt> = Vec::new();
        let mut waiting: Vec<HeldReceipt> = Vec::new();
        let skipped = left_out.index(steps.len());
        let mut missing = None;
        for (step, (minutes, what)) in steps.iter().enumerate() {
            now += minutes;
            match what {
                0 | 1 => {
                    let receipt = scene::held_for(now, u32::try_from(step).unwrap());
                    given.push(receipt.clone());
                    if leaves_out && missing.is_none() && step >= skipped {
                        missing = Some(receipt);
                    } else {
                        waiting.push(receipt);
                    }
                }
                2 => forger.flush(now, &mut waiting),
                _ => {
                    // What a node does before it logs a time.
                    if waiting.iter().any(|r| r.signed.receipt.promised_by < minute(now)) {
                        forger.flush(now, &mut waiting);
                    }
                    forger.head(now);
                }
            }
        }
        let latest = forger.entries.iter().filter_map(|bytes| {
            Entry::from_bytes(bytes).unwrap().told_time()
        }).max();
        let served = forger.served();
        for receipt in &given {
            let content = scene::content(receipt);
            let by = (&trust(), false);
            let judged = judge(receipt, &content, by, &served, minute(now), &mut |_| ()).unwrap();
            let is_missing = missing.as_ref() == Some(receipt);
            let is_told = latest > Some(receipt.signed.receipt.promised_by);
            let is_waiting = waiting.contains(receipt);
            match judged.state {
                State::InLog { .. } => prop_assert!(!is_missing && !is_waiting),
                State::Broken { .. } => prop_assert!(is_missing && is_told),
                State::Unserved { .. } => prop_assert!(false, "all batches are served"),
                State::Pending | State::Overdue => {
                    prop_assert!(is_waiting || is_missing);
                    prop_assert!(!is_told);
                }
            }
        }
    }
}
