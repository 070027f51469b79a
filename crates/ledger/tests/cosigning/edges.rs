//! The last length, minute and head that a cosigner admits, and the first that it does not.

use super::*;

#[test]
fn what_is_longest_has_the_length_that_is_read_and_no_more() {
    // Every slot is taken; the provinces, of which there are fewer, have two.
    let places = (0..64u8).map(|place| (ProvinceCode::ALL[usize::from(place / 2)], place));
    let roster = Roster::new(places.clone().map(member).collect()).unwrap();
    let heads: Vec<SignedTreeHead> = places
        .map(|place| head(place, 1, HeadHash::NONE).sign(&key(place.1)))
        .collect();
    let statement = statement(1, &heads);
    let permit = CosignerState::default()
        .consider(&statement, &heads, &roster, &POLICY, &expected(close(1)))
        .unwrap();
    let state = permit.next_state().clone();
    let cosignatures = (0..64).map(|place| permit.clone().sign(slot(place), &key(place)));
    let cosigned = CosignedStatement::new(statement.clone(), cosignatures.collect());
    assert_eq!(cosigned.check_quorum(&roster), Ok(()));

    assert_eq!(
        RegistryStatement::from_bytes(&statement.to_bytes()),
        Ok(statement.clone())
    );
    assert_eq!(
        CosignedStatement::from_bytes(&cosigned.to_bytes()),
        Ok(cosigned.clone())
    );
    assert_eq!(
        CosignerState::from_bytes(&state.to_bytes()),
        Ok(state.clone())
    );
    let refused = |bytes: Vec<u8>, read: &dyn Fn(&[u8]) -> Option<Error>| {
        let longer = [&bytes[..], &[0]].concat();
        let (len, limit) = (longer.len(), bytes.len());
        assert_eq!(
            read(&longer),
            Some(LayoutError::TooLong { len, limit }.into())
        );
        limit
    };
    let limit = refused(statement.to_bytes(), &|b| {
        RegistryStatement::from_bytes(b).err()
    });
    assert_eq!(limit, MAX_STATEMENT_LEN_BYTES);
    let limit = refused(cosigned.to_bytes(), &|b| {
        CosignedStatement::from_bytes(b).err()
    });
    assert_eq!(limit, MAX_COSIGNED_LEN_BYTES);
    let limit = refused(state.to_bytes(), &|b| CosignerState::from_bytes(b).err());
    assert_eq!(limit, MAX_COSIGNER_STATE_LEN_BYTES);
}

#[test]
fn the_last_minute_of_each_limit_is_admitted() {
    let nothing = CosignerState::default();
    let first = first_heads();
    let offer = |statement: &RegistryStatement, heads: &[SignedTreeHead], now: u32| {
        let permit = nothing.consider(statement, heads, &roster(), &POLICY, &expected(now));
        permit.map(|_| ())
    };
    assert_eq!(offer(&statement(1, &first), &first, close(1)), Ok(()));
    assert_eq!(offer(&statement(1, &first), &first, close(1) + 30), Ok(()));
    assert_eq!(
        offer(&statement(1, &first), &first, close(1) + 31),
        Err(Error::WrongAsOf {
            as_of: minute(close(1)),
            from: minute(close(1) + 1),
            to: minute(close(1) + 31),
        })
    );
    // A head of the closing minute, and one of a province that has been away for a day.
    let mut heads = first;
    let at_close = TreeHead {
        head_time: minute(close(1)),
        ..heads[0].head
    };
    heads[0] = at_close.sign(&key(1));
    let of_a_day = TreeHead {
        epoch: Epoch::new(0),
        head_time: minute(close(1) - 1440),
        ..heads[2].head
    };
    heads[2] = of_a_day.sign(&key(3));
    assert_eq!(offer(&statement(1, &heads), &heads, close(1)), Ok(()));
    let older = TreeHead {
        head_time: minute(close(1) - 1441),
        ..of_a_day
    };
    heads[2] = older.sign(&key(3));
    assert_eq!(
        offer(&statement(1, &heads), &heads, close(1)),
        Err(Error::HeadTooOld {
            slot: slot(3),
            age_min: 1441,
            limit_min: 1440
        })
    );
}

#[test]
fn the_next_closing_minute_may_be_the_one_after() {
    let first = first_heads();
    let state = consider(&CosignerState::default(), 1, &first).unwrap();
    let hashes = [0, 1, 2].map(|i: usize| first[i].head.hash());
    let next: Vec<SignedTreeHead> = PROVINCES
        .iter()
        .zip(hashes)
        .map(|(p, previous)| {
            let head = TreeHead {
                head_time: minute(close(1) - 4),
                ..head(*p, 2, previous)
            };
            head.sign(&key(p.1))
        })
        .collect();
    let offer = |as_of: u32| {
        let as_of = minute(as_of);
        let statement =
            RegistryStatement::new(Epoch::new(2), as_of, Fr::from(77), rule_sets(), &next).unwrap();
        let now = expected(close(1) + 1);
        let permit = state.consider(&statement, &next, &roster(), &POLICY, &now);
        permit.map(|_| ())
    };
    assert_eq!(offer(close(1) + 1), Ok(()));
    assert_eq!(
        offer(close(1)),
        Err(Error::WrongAsOf {
            as_of: minute(close(1)),
            from: minute(close(1) + 1),
            to: minute(close(1) + 1),
        })
    );
}

#[test]
fn a_head_of_a_later_epoch_that_is_not_later_itself_is_a_fork() {
    let first = first_heads();
    let state = consider(&CosignerState::default(), 1, &first).unwrap();
    let hashes = [0, 1, 2].map(|i: usize| first[i].head.hash());
    let mut next = heads(2, &hashes);
    for head_time in [first[0].head.head_time, minute(close(0))] {
        let head = next[0].head;
        next[0] = TreeHead { head_time, ..head }.sign(&key(1));
        let refused = consider(&state, 2, &next);
        assert_eq!(refused, Err(Error::HeadForked(slot(1))));
    }
    // Later, but of the epoch that was seen.
    let again = TreeHead {
        head_time: minute(close(1)),
        ..first[0].head
    };
    let seen = state.head(slot(1)).unwrap();
    assert_eq!((seen.epoch, seen.hash), (Epoch::new(1), hashes[0]));
    next[0] = again.sign(&key(1));
    let refused = consider(&state, 2, &next);
    assert_eq!(refused, Err(Error::HeadForked(slot(1))));
}

#[test]
fn a_fresh_head_over_other_rule_sets_is_refused_and_an_older_one_is_not() {
    let mut heads = first_heads();
    let other = TreeHead {
        rule_sets: RuleSetsDigest::of(&[Fr::from(3)]),
        ..heads[2].head
    };
    heads[2] = other.sign(&key(3));
    let refused = consider(&CosignerState::default(), 1, &heads);
    assert_eq!(refused, Err(Error::WrongRuleSets));
    let older = TreeHead {
        epoch: Epoch::new(0),
        head_time: minute(close(0)),
        ..other
    };
    heads[2] = older.sign(&key(3));
    assert!(consider(&CosignerState::default(), 1, &heads).is_ok());
}
