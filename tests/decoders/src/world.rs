//! A federation made for the checks: its trust list, its passes, its statements. Always the same.

use std::sync::LazyLock;

use commitment::{BinderKind, Fr};
use ledger::{
    CosignedStatement, CosignerState, Expected, HeadHash, HeadKeys, Member, RegistryStatement,
    Roster, RuleSetsDigest, SignedTreeHead, TreeHead,
};
use rules::Minute;
use verifier::trust::{RootKeys, SignedOnline, SignedRoot};
use verifier::{
    Epoch, GateChallenge, GateId, GateNonce, Moment, Pass, Showing, Slot, TrustList,
    VERIFYING_KEY_LEN_BYTES,
};

use crate::fixture::{self, NOW, PROVINCES, Wish};

/// What a gate knows, and what is shown at it.
pub(crate) struct AtTheGate {
    /// The trust list in use.
    pub(crate) list: TrustList,
    /// The keys that it is pinned to.
    pub(crate) pinned: RootKeys,
    /// Root documents that were signed by enough keys, oldest first.
    pub(crate) roots: Vec<SignedRoot>,
    /// Online documents that were signed by enough provinces.
    pub(crate) online: Vec<SignedOnline>,
    /// A challenge that was given to somebody.
    pub(crate) challenge: GateChallenge,
    /// Everything that is shown.
    pub(crate) showings: Vec<Showing>,
    /// A verifying key.
    pub(crate) key: [u8; VERIFYING_KEY_LEN_BYTES],
}

/// The one gate.
pub(crate) static GATE: LazyLock<AtTheGate> = LazyLock::new(|| {
    let mut world = fixture::World::new();
    let challenge = GateChallenge {
        gate: GateId([7; 8]),
        nonce: GateNonce([9; 16]),
    };
    let wishes = [
        Wish::default(),
        Wish {
            kind: BinderKind::DeviceAndCard,
            ..Wish::default()
        },
        Wish {
            kind: BinderKind::Card,
            ..Wish::default()
        },
        Wish {
            specimen: true,
            ..Wish::default()
        },
        Wish {
            epoch: 8,
            risk_map: fixture::OLD_MAP,
            ..Wish::default()
        },
        Wish {
            rule_set: fixture::FUJIAN,
            ..Wish::default()
        },
        Wish {
            revocation_secret: Some(fixture::REVOKED_SECRET),
            ..Wish::default()
        },
    ];
    let mut showings: Vec<Showing> = wishes.iter().map(|wish| world.showing(wish)).collect();
    let (pass, secret) = world.pass(&Wish::default());
    showings.push(fixture::show(pass, &secret, NOW, Some(challenge)));

    let first = fixture::sign_root(world.root(), &[1, 2]);
    let mut document = world.root();
    document.sequence = verifier::trust::Sequence::new(2);
    let second = fixture::sign_root(document, &[1, 2, 3]);
    let online = fixture::sign_online(world.online(), &[1, 2]);
    let mut document = world.online();
    document.root_sequence = verifier::trust::Sequence::new(2);
    document.sequence = verifier::trust::Sequence::new(41);
    let later = fixture::sign_online(document, &[1, 2, 3]);
    let mut key = [0; VERIFYING_KEY_LEN_BYTES];
    key.copy_from_slice(&world.production.entry.key.to_bytes());
    AtTheGate {
        list: world.revoking_list(),
        pinned: fixture::root_keys(&[1, 2, 3], 2),
        roots: vec![first, second],
        online: vec![online, later],
        challenge,
        showings,
        key,
    }
});

impl AtTheGate {
    /// Whether this pass was made, under whatever proof: proofs can be made anew from others of the same statement.
    pub(crate) fn made(&self, pass: &Pass) -> bool {
        self.showings.iter().any(|showing| {
            let known = showing.pass();
            let with_its_proof = Pass {
                proof: pass.proof.clone(),
                ..known.clone()
            };
            with_its_proof == *pass
        })
    }

    /// The moment of a showing made now.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            slot: NOW.slot(),
            challenge: Some(self.challenge),
        }
    }
}

/// What provinces sign together.
pub(crate) struct Federation {
    /// Its members.
    pub(crate) roster: Roster,
    /// The heads of an epoch.
    pub(crate) heads: Vec<SignedTreeHead>,
    /// The statement over them.
    pub(crate) statement: RegistryStatement,
    /// The statement with all cosignatures.
    pub(crate) cosigned: CosignedStatement,
    /// What a cosigner remembers afterwards.
    pub(crate) state: CosignerState,
    /// What a cosigner expects.
    pub(crate) expected: Expected,
}

/// What the members ask of each other.
pub(crate) const POLICY: ledger::CosignPolicy = ledger::CosignPolicy {
    fresh_provinces_min: 2,
    stale_head_max_min: 1_440,
    delay_max_min: 120,
};

/// The one federation.
pub(crate) static FEDERATION: LazyLock<Federation> = LazyLock::new(|| {
    let minute = |number| Minute::new(number).expect("a minute");
    let slot = |number| Slot::new(number).expect("a slot");
    let members = PROVINCES.map(|(code, number)| Member {
        slot: slot(number),
        province: fixture::province(code),
        head_keys: HeadKeys::single(fixture::head_key(number).verifying_key()),
    });
    let roster = Roster::new(members.to_vec()).expect("three members");
    let rule_sets = RuleSetsDigest::of(&[Fr::from(5_u64)]);
    let heads: Vec<SignedTreeHead> = PROVINCES
        .iter()
        .map(|(code, number)| {
            let head = TreeHead {
                province: fixture::province(*code),
                slot: slot(*number),
                epoch: Epoch::new(9),
                head_time: minute(27_700_000),
                state_root: Fr::from(u64::from(*code)),
                leaf_count: 300,
                rule_sets,
                previous: HeadHash::NONE,
            };
            head.sign(&fixture::head_key(*number))
        })
        .collect();
    let (as_of, risk_root) = (minute(27_700_010), Fr::from(6_u64));
    let statement = RegistryStatement::new(Epoch::new(9), as_of, risk_root, rule_sets, &heads)
        .expect("three heads");
    let expected = Expected {
        risk_root,
        rule_sets,
        now: minute(27_700_020),
    };
    let permit = || {
        CosignerState::default()
            .consider(&statement, &heads, &roster, &POLICY, &expected)
            .expect("a statement to sign")
    };
    let cosignatures = PROVINCES
        .iter()
        .map(|(_, number)| permit().sign(slot(*number), &fixture::head_key(*number)))
        .collect();
    Federation {
        state: permit().next_state().clone(),
        cosigned: CosignedStatement::new(statement.clone(), cosignatures),
        roster,
        heads,
        statement,
        expected,
    }
});
