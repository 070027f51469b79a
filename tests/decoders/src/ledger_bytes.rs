//! What provinces sign together: heads, statements, cosignatures, and what a cosigner remembers.

use ledger::{
    Cosignature, CosignedStatement, CosignerState, RegistryStatement, SignedTreeHead, TreeHead,
};

use crate::bytes::{canonical, says};
use crate::world::{FEDERATION, POLICY};

pub(crate) fn check(data: &[u8]) {
    let known = &*FEDERATION;
    canonical(data, TreeHead::from_bytes(data), TreeHead::to_bytes);
    let head = canonical(
        data,
        SignedTreeHead::from_bytes(data),
        SignedTreeHead::to_bytes,
    );
    if let Some(head) = head {
        check_head(&head);
    }
    let statement = canonical(
        data,
        RegistryStatement::from_bytes(data),
        RegistryStatement::to_bytes,
    );
    if let Some(statement) = statement {
        let fits = statement.check_heads(&known.heads, &known.roster).is_ok();
        let is_known = statement.heads() == known.statement.heads()
            && statement.registry_root() == known.statement.registry_root();
        assert_eq!(fits, is_known, "a statement over other heads");
        consider(&CosignerState::default(), &statement);
        consider(&known.state, &statement);
    }
    let cosignature = canonical(data, Cosignature::from_bytes(data), Cosignature::to_bytes);
    if let Some(cosignature) = cosignature {
        let fits = cosignature.check(&known.statement, &known.roster).is_ok();
        let is_known = known.cosigned.cosignatures().contains(&cosignature);
        assert_eq!(fits, is_known, "a cosignature that nobody made");
    }
    let cosigned = canonical(
        data,
        CosignedStatement::from_bytes(data),
        CosignedStatement::to_bytes,
    );
    if let Some(cosigned) = cosigned {
        match cosigned.check_quorum(&known.roster) {
            Ok(()) => assert_eq!(*cosigned.statement(), known.statement),
            Err(error) => says(&error),
        }
    }
    let state = canonical(
        data,
        CosignerState::from_bytes(data),
        CosignerState::to_bytes,
    );
    if let Some(state) = state {
        consider(&state, &known.statement);
    }
}

/// A head is its province's, or nobody's.
fn check_head(head: &SignedTreeHead) {
    let known = &*FEDERATION;
    if let Ok(member) = known.roster.member(head.head.slot) {
        let fits = head.check_signature(&member.head_key).is_ok();
        assert_eq!(fits, known.heads.contains(head), "a head that nobody made");
    }
    let mut heads = known.heads.clone();
    heads[0] = *head;
    let (epoch, as_of) = (known.statement.epoch(), known.statement.as_of());
    let expected = known.expected;
    let made = RegistryStatement::new(epoch, as_of, expected.risk_root, expected.rule_sets, &heads);
    match made {
        Ok(statement) => {
            let permit = CosignerState::default().consider(
                &statement,
                &heads,
                &known.roster,
                &POLICY,
                &expected,
            );
            assert!(permit.is_err() || known.heads.contains(head));
        }
        Err(error) => says(&error),
    }
}

/// A permit never lets a cosigner go back, nor sign what is not expected of it.
fn consider(state: &CosignerState, statement: &RegistryStatement) {
    let known = &*FEDERATION;
    let permit = state.consider(
        statement,
        &known.heads,
        &known.roster,
        &POLICY,
        &known.expected,
    );
    match permit {
        Ok(permit) => {
            let next = permit.next_state();
            assert_eq!(next.last_epoch(), Some(statement.epoch()));
            assert!(next.last_epoch() >= state.last_epoch());
            let written = CosignerState::from_bytes(&next.to_bytes());
            assert_eq!(written.as_ref(), Ok(next));
        }
        Err(error) => says(&error),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let known = &*FEDERATION;
    let mut seeds = vec![
        known.statement.to_bytes(),
        known.cosigned.to_bytes(),
        known.state.to_bytes(),
        CosignerState::default().to_bytes(),
    ];
    seeds.extend(known.heads.iter().map(SignedTreeHead::to_bytes));
    seeds.extend(known.heads.iter().map(|head| head.head.to_bytes()));
    seeds.extend(
        known
            .cosigned
            .cosignatures()
            .iter()
            .map(Cosignature::to_bytes),
    );
    seeds
}
