//! What a witness must not be led to, and evidence against a log that tries.

use ed25519_dalek::SigningKey;
use ledger::log::{
    AddCheckpoint, Evidence, LogError, LogHash, NoteKey, SignedCheckpoint, SignedLogKeys,
    WitnessState,
};
use ledger::{HeadKeys, Member, Minute, ProvinceCode, Roster, Slot};

use crate::{Kept, head_key, names, signer};

fn request(kept: &Kept, old_size: u64) -> AddCheckpoint {
    AddCheckpoint {
        old_size,
        proof: kept.consistency(old_size, kept.size()),
        checkpoint: kept.checkpoint(1),
    }
}

/// The state after cosigning a log of `count` entries.
fn witnessed(kept: &Kept) -> WitnessState {
    let permit = WitnessState::default().consider(&request(kept, 0), &names(1).0);
    *permit.unwrap().next_state()
}

/// A log that has one past with `kept` up to `common` entries and then another.
fn forked(kept: &Kept, common: usize, count: usize) -> Kept {
    let mut fork = Kept::default();
    for entry in &kept.entries[..common] {
        fork.add(entry.clone());
    }
    for entry in &Kept::of(99, count - common).entries {
        fork.add(entry.clone());
    }
    fork
}

#[test]
fn a_log_that_grows_is_cosigned_step_by_step_and_the_state_survives_its_bytes() {
    let log = names(1).0;
    let mut kept = Kept::default();
    let mut state = WitnessState::default();
    for step in [1, 1, 0, 6, 300, 255, 1, 2, 500] {
        for _ in 0..step {
            kept.add(kept.size().to_be_bytes().to_vec());
        }
        let permit = state.consider(&request(&kept, state.size()), &log).unwrap();
        let next = *permit.next_state();
        assert_eq!(WitnessState::from_bytes(&next.to_bytes()), Ok(next));
        assert_eq!(
            (next.size(), next.root()),
            (kept.size(), kept.log.root().unwrap())
        );
        let line = permit.sign(&names(2).1, &signer(2), 7);
        let cosigned = kept.checkpoint(1).with_cosignature(&line, &names(2).1);
        assert_eq!(cosigned.unwrap().signers(&[names(2).1]), Ok(vec![0]));
        state = next;
    }
    let bytes = state.to_bytes();
    assert!(WitnessState::from_bytes(&bytes[1..]).is_err());
    assert!(WitnessState::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn an_empty_log_is_cosigned_and_its_root_must_be_the_empty_one() {
    let log = names(1).0;
    let empty = Kept::default();
    let permit = WitnessState::default().consider(&request(&empty, 0), &log);
    assert_eq!(permit.unwrap().next_state(), &WitnessState::default());
    let wrong = AddCheckpoint {
        checkpoint: signer(1).sign(0, LogHash([3; 32]), &log).unwrap(),
        ..request(&empty, 0)
    };
    let refused = WitnessState::default().consider(&wrong, &log);
    assert_eq!(refused, Err(LogError::Inconsistent { known: 0 }));
}

#[test]
fn a_log_that_shrinks_repeats_an_old_size_or_leaves_one_out_is_told_the_size_known() {
    let log = names(1).0;
    let kept = Kept::of(1, 20);
    let state = witnessed(&kept);
    let smaller = Kept::of(1, 12);
    // A smaller tree: whatever old size it names.
    let shrunk = |old_size| AddCheckpoint {
        old_size,
        proof: vec![],
        checkpoint: smaller.checkpoint(1),
    };
    assert_eq!(
        state.consider(&shrunk(20), &log),
        Err(LogError::OldSizeAbove { old: 20, size: 12 })
    );
    for old in [0, 5, 12] {
        let refused = state.consider(&shrunk(old), &log);
        assert_eq!(
            refused,
            Err(LogError::OldSize {
                offered: old,
                known: 20
            })
        );
    }
    // What was cosigned long ago, once more.
    let replayed = request(&smaller, 0);
    assert_eq!(
        state.consider(&replayed, &log),
        Err(LogError::OldSize {
            offered: 0,
            known: 20
        })
    );
    // A size that the witness has not seen.
    let grown = Kept::of(1, 40);
    assert_eq!(
        state.consider(&request(&grown, 25), &log),
        Err(LogError::OldSize {
            offered: 25,
            known: 20
        })
    );
    assert!(state.consider(&request(&grown, 20), &log).is_ok());
}

#[test]
fn a_foreign_log_a_foreign_key_and_a_changed_checkpoint_are_refused() {
    let kept = Kept::of(1, 20);
    let state = WitnessState::default();
    let good = request(&kept, 0);
    // Another log's checkpoint, well signed by that one.
    let other = AddCheckpoint {
        checkpoint: kept.checkpoint(2),
        ..good.clone()
    };
    assert_eq!(
        state.consider(&other, &names(1).0),
        Err(LogError::UnknownOrigin("test/log/33/2".to_owned()))
    );
    // This log's name with another key.
    let name = NoteKey::log("test/log/33/1", *names(2).0.key()).unwrap();
    let root = kept.log.root().unwrap();
    let stolen = AddCheckpoint {
        checkpoint: signer(2).sign(kept.size(), root, &name).unwrap(),
        ..good.clone()
    };
    let bad = Err(LogError::BadSignature("test/log/33/1".to_owned()));
    assert_eq!(state.consider(&stolen, &names(1).0), bad);
    // A witness's key does not make a log.
    assert!(state.consider(&good, &names(1).1).is_err());
    // A text that was not signed.
    let note = String::from_utf8(good.checkpoint.to_bytes().to_vec()).unwrap();
    let changed = note.replacen("\n20\n", "\n21\n", 1);
    let changed = AddCheckpoint {
        checkpoint: SignedCheckpoint::from_bytes(changed.as_bytes()).unwrap(),
        ..good.clone()
    };
    assert_eq!(state.consider(&changed, &names(1).0), bad);
    // A signature that fits beside one of the same key that does not: the note as a whole is not to be trusted.
    let other = Kept::of(1, 21).checkpoint(1);
    let other = String::from_utf8(other.to_bytes().to_vec()).unwrap();
    let unfit = other.split_once("\n\n").unwrap().1;
    let doubled = note.replace("\n\n", &format!("\n\n{unfit}"));
    let doubled = AddCheckpoint {
        checkpoint: SignedCheckpoint::from_bytes(doubled.as_bytes()).unwrap(),
        ..good
    };
    assert_eq!(state.consider(&doubled, &names(1).0), bad);
}

#[test]
fn forged_proofs_are_refused() {
    let log = names(1).0;
    let state = witnessed(&Kept::of(1, 20));
    let grown = Kept::of(1, 40);
    let good = request(&grown, 20);
    let inconsistent = Err(LogError::Inconsistent { known: 20 });
    for place in 0..good.proof.len() {
        let mut forged = good.clone();
        forged.proof[place].0[31] ^= 0x80;
        assert_eq!(state.consider(&forged, &log), inconsistent);
    }
    let mut swapped = good.clone();
    swapped.proof.swap(0, 1);
    assert_eq!(state.consider(&swapped, &log), inconsistent);
    for proof in [vec![], [&good.proof[..], &[LogHash([0; 32])]].concat()] {
        let forged = AddCheckpoint {
            proof,
            ..good.clone()
        };
        assert_eq!(state.consider(&forged, &log), inconsistent);
    }
    // From nothing there is nothing to prove.
    let padded = AddCheckpoint {
        proof: vec![LogHash([0; 32])],
        ..request(&grown, 0)
    };
    let refused = WitnessState::default().consider(&padded, &log);
    assert_eq!(refused, Err(LogError::Inconsistent { known: 0 }));
}

#[test]
fn a_fork_is_refused_and_what_the_log_signed_is_evidence_against_it() {
    let log = names(1).0;
    for (known, common, count) in [(20, 19, 20), (20, 5, 40), (13, 0, 14), (300, 299, 1_000)] {
        let kept = Kept::of(1, known);
        let state = witnessed(&kept);
        let fork = forked(&kept, common, count);
        let refused = request(&fork, known as u64);
        let refusal = Err(LogError::Inconsistent {
            known: known as u64,
        });
        assert_eq!(state.consider(&refused, &log), refusal);
        let evidence = Evidence::of(&kept.checkpoint(1), &refused);
        assert_eq!(
            evidence.check(std::slice::from_ref(&log)),
            Ok(()),
            "{known} {common} {count}"
        );
        // Nobody else's key, and nothing changed.
        let other = NoteKey::log(log.name(), *names(2).0.key()).unwrap();
        assert!(evidence.check(&[other]).is_err());
        assert!(evidence.check(&[names(2).0]).is_err());
        let mut changed = evidence.clone();
        changed.prefix_root.0[0] ^= 1;
        assert!(changed.check(std::slice::from_ref(&log)).is_err());
    }
}

#[test]
fn a_log_that_keeps_to_its_past_cannot_be_accused() {
    let log = names(1).0;
    for (known, count) in [(20, 20), (20, 40), (16, 40), (256, 600)] {
        let kept = Kept::of(1, known);
        let grown = Kept::of(1, count);
        let honest = request(&grown, known as u64);
        let accused = Evidence::of(&kept.checkpoint(1), &honest);
        assert_eq!(
            accused.check(std::slice::from_ref(&log)),
            Err(LogError::NoContradiction)
        );
        // With a proof made up, or another root said to be the old one.
        let made_up = AddCheckpoint {
            proof: vec![LogHash([5; 32]); honest.proof.len()],
            ..honest.clone()
        };
        assert!(
            Evidence::of(&kept.checkpoint(1), &made_up)
                .check(std::slice::from_ref(&log))
                .is_err()
        );
        let lied = Evidence {
            prefix_root: LogHash([5; 32]),
            ..accused
        };
        assert!(lied.check(std::slice::from_ref(&log)).is_err());
    }
}

#[test]
fn a_fork_at_a_full_tree_whose_proof_hides_the_old_root_is_refused_and_shows_nothing_by_itself() {
    let log = names(1).0;
    let kept = Kept::of(1, 16);
    let fork = forked(&kept, 10, 40);
    let refused = request(&fork, 16);
    let refusal = witnessed(&kept).consider(&refused, &log);
    assert_eq!(refusal, Err(LogError::Inconsistent { known: 16 }));
    let evidence = Evidence::of(&kept.checkpoint(1), &refused);
    assert_eq!(
        evidence.check(std::slice::from_ref(&log)),
        Err(LogError::BadProof)
    );
    // Whoever reads the fork's tiles knows its root at that size, and has evidence.
    let read = Evidence {
        prefix_root: fork.root_at(16),
        ..evidence
    };
    assert_eq!(read.check(std::slice::from_ref(&log)), Ok(()));
}

#[test]
fn cosignatures_of_others_and_of_other_texts_are_not_taken_up() {
    let (log, _) = names(1);
    let kept = Kept::of(1, 20);
    let permit = |kept: &Kept| WitnessState::default().consider(&request(kept, 0), &log);
    let of_two = permit(&kept).unwrap().sign(&names(2).1, &signer(2), 5);
    let checkpoint = kept.checkpoint(1);
    let bad = |number: u8| Err(LogError::BadSignature(names(number).1.name().to_owned()));
    assert_eq!(checkpoint.with_cosignature(&of_two, &names(3).1), bad(3));
    let of_other = permit(&Kept::of(1, 21)).unwrap();
    let of_other = of_other.sign(&names(2).1, &signer(2), 5);
    assert_eq!(checkpoint.with_cosignature(&of_other, &names(2).1), bad(2));
    assert_eq!(checkpoint.with_cosignature(b"", &names(2).1), bad(2));
    assert_eq!(
        checkpoint.with_cosignature(&[b'\n'; 90], &names(2).1),
        bad(2)
    );
    // Unknown lines around it are left out, and a later cosignature replaces an earlier one.
    let of_three = permit(&kept).unwrap().sign(&names(3).1, &signer(3), 5);
    let both = [&of_three[..], &of_two].concat();
    let once = checkpoint.with_cosignature(&both, &names(2).1).unwrap();
    assert_eq!(once.signers(&[names(2).1, names(3).1]), Ok(vec![0]));
    let later = permit(&kept).unwrap().sign(&names(2).1, &signer(2), 6);
    let again = once.with_cosignature(&later, &names(2).1).unwrap();
    assert_eq!(again.to_bytes().len(), once.to_bytes().len());
    assert_ne!(again, once);
    // Not after the end of signed time.
    let late = permit(&kept)
        .unwrap()
        .sign(&names(2).1, &signer(2), 1 << 63);
    assert_eq!(checkpoint.with_cosignature(&late, &names(2).1), bad(2));
}

#[test]
fn log_keys_are_the_head_keys_to_give_and_their_numbers_rise() {
    let province = ProvinceCode::new(33).unwrap();
    let slot = Slot::new(4).unwrap();
    let member = Member {
        province,
        slot,
        head_keys: HeadKeys::single(head_key().verifying_key()),
    };
    let roster = Roster::new(vec![member]).unwrap();
    let keys = |seed: u8, number| {
        signer(seed)
            .public(province, slot, number)
            .sign(Minute::ZERO, &head_key())
    };
    let first = keys(1, 1);
    assert_eq!(SignedLogKeys::from_bytes(&first.to_bytes()), Ok(first));
    let told = |keys: &SignedLogKeys, known| keys.check_told(&roster, known, Minute::ZERO);
    assert_eq!(first.check(&roster), Ok(()));
    assert_eq!(told(&first, None), Ok(()));
    assert_eq!(told(&first, Some(&first)), Ok(()));
    assert_eq!(told(&keys(2, 2), Some(&first)), Ok(()));
    let fell = |offered, known| Err(LogError::KeysFell { offered, known });
    assert_eq!(told(&keys(2, 1), Some(&first)), fell(1, 1));
    assert_eq!(told(&first, Some(&keys(2, 2))), fell(1, 2));
    for bit in 0..first.to_bytes().len() * 8 {
        let mut bytes = first.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let fits = SignedLogKeys::from_bytes(&bytes).is_ok_and(|k| k.check(&roster).is_ok());
        assert!(!fits, "bit {bit}");
    }
    let elsewhere = signer(1).public(ProvinceCode::new(35).unwrap(), slot, 1);
    let elsewhere = elsewhere.sign(Minute::ZERO, &head_key());
    assert!(elsewhere.check(&roster).is_err());
}

#[test]
fn log_keys_are_told_under_the_head_key_in_force_and_kept_ones_stay_good() {
    let (province, slot) = (ProvinceCode::new(33).unwrap(), Slot::new(4).unwrap());
    let minute = |number| Minute::new(number).unwrap();
    let next = SigningKey::from_bytes(&[77; 32]);
    let dates = vec![
        (Minute::ZERO, head_key().verifying_key()),
        (minute(1_000), next.verifying_key()),
    ];
    let member = Member {
        province,
        slot,
        head_keys: HeadKeys::new(dates).unwrap(),
    };
    let roster = Roster::new(vec![member]).unwrap();
    let keys = signer(1).public(province, slot, 1);
    let (old, new) = (
        keys.sign(Minute::ZERO, &head_key()),
        keys.sign(minute(1_000), &next),
    );
    let bad = Err(LogError::BadSignature("slot 4".to_owned()));
    for (now, by_old, by_new) in [
        (994, Ok(()), bad.clone()),
        (995, Ok(()), Ok(())),
        (1_004, Ok(()), Ok(())),
        (1_005, bad.clone(), Ok(())),
    ] {
        assert_eq!(old.check_told(&roster, None, minute(now)), by_old, "{now}");
        let told = new.check_told(&roster, Some(&old), minute(now));
        assert_eq!(told, by_new, "{now}");
    }
    // What is kept beside what it signed is judged by the key of its minute, and by no other.
    assert_eq!((old.check(&roster), new.check(&roster)), (Ok(()), Ok(())));
    assert_eq!(keys.sign(minute(1_000), &head_key()).check(&roster), bad);
    assert_eq!(keys.sign(minute(999), &next).check(&roster), bad);
}
