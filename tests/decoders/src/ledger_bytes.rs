//! What provinces sign together: heads, statements, cosignatures, and what a cosigner remembers.

use ed25519_dalek::SigningKey;
use ledger::log::{
    AddCheckpoint, AppealCounts, ColourCell, ColourCounts, CountedSet, Entry, ImpactCell,
    ImpactCount, LogHash, LogSigner, NoteKey, RetentionCounts, Rounded, SignedCheckpoint,
    SignedLogKeys, SourceCell, SourceCounts, TilePath, WitnessPolicy, WitnessState, bundle,
    read_bundle,
};
use ledger::{
    Cosignature, CosignedStatement, CosignerState, RegistryStatement, SignedTreeHead, TreeHead,
};

use crate::bytes::{canonical, says};
use crate::receipt_bytes;
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
    check_log(data);
    receipt_bytes::check(data);
}

/// What logs and witnesses hand to each other.
fn check_log(data: &[u8]) {
    canonical(data, Entry::from_bytes(data), Entry::to_bytes);
    canonical(data, WitnessState::from_bytes(data), WitnessState::to_bytes);
    let keys = SignedLogKeys::from_bytes(data);
    if let Some(keys) = canonical(data, keys, SignedLogKeys::to_bytes) {
        let checked = keys.check(&FEDERATION.roster);
        assert!(checked.is_err(), "log keys that nobody announced");
    }
    let log = log_key();
    let read = SignedCheckpoint::from_bytes(data);
    if let Some(read) = canonical(data, read, |c| c.to_bytes().to_vec()) {
        let is_made = read.text() == checkpoint().text();
        assert!(is_made || read.check_log(&log).is_err());
    }
    let request = AddCheckpoint::from_bytes(data);
    if let Some(request) = canonical(data, request, AddCheckpoint::to_bytes) {
        match WitnessState::default().consider(&request, &log) {
            Ok(permit) => assert_eq!(permit.next_state().size(), checkpoint().size()),
            Err(error) => says(&error),
        }
    }
    match WitnessPolicy::from_bytes(data) {
        Ok(policy) => drop(policy.check(&checkpoint())),
        Err(error) => says(&error),
    }
    if let Ok(entries) = read_bundle(data) {
        assert_eq!(bundle(entries).as_deref(), Ok(data));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        canonical(data, NoteKey::from_vkey(text), |k| k.to_vkey().into_bytes());
        canonical(data, TilePath::parse(text), |p| p.to_string().into_bytes());
    }
}

pub(crate) fn log_signer() -> LogSigner {
    LogSigner::derive(&[5; 32])
}

pub(crate) fn log_key() -> NoteKey {
    log_keys().keys.log_key("test").expect("a name")
}

pub(crate) fn log_keys() -> SignedLogKeys {
    let member = &FEDERATION.roster.members()[0];
    let keys = log_signer().public(member.province, member.slot, 1);
    keys.sign(commitment::Minute::ZERO, &SigningKey::from_bytes(&[6; 32]))
}

fn checkpoint() -> SignedCheckpoint {
    let signed = log_signer().sign(700, LogHash([7; 32]), &log_key());
    signed.expect("the log's own key")
}

fn log_seeds() -> Vec<Vec<u8>> {
    let request = AddCheckpoint {
        old_size: 3,
        proof: vec![LogHash([8; 32]); 3],
        checkpoint: checkpoint(),
    };
    let first = AddCheckpoint {
        old_size: 0,
        proof: vec![],
        ..request.clone()
    };
    let known = &*FEDERATION;
    let head = Entry::TreeHead(known.heads[0]).to_bytes();
    let witness = log_keys().keys.witness_key("test").expect("a name");
    let log = log_key().to_vkey();
    let policy = format!(
        "log {log}\nwitness w {}\ngroup g any w\nquorum g\n",
        witness.to_vkey()
    );
    vec![
        bundle([&head[..], b"x"]).expect("short"),
        head,
        Entry::Registry(known.cosigned.clone()).to_bytes(),
        receipt_bytes::entry().to_bytes(),
        Entry::Colours(colours()).to_bytes(),
        Entry::Impact(impact()).to_bytes(),
        Entry::Sources(sources()).to_bytes(),
        Entry::Appeals(appeals()).to_bytes(),
        Entry::Retention(retention()).to_bytes(),
        WitnessState::default().to_bytes(),
        log_keys().to_bytes(),
        checkpoint().to_bytes().to_vec(),
        request.to_bytes(),
        first.to_bytes(),
        policy.into_bytes(),
        log.into_bytes(),
        b"tile/0/x001/234.p/5".to_vec(),
        b"tile/entries/000".to_vec(),
    ]
}

fn counted_set() -> CountedSet {
    CountedSet {
        name: "hz-2020-02".to_owned(),
        version: 2,
        scope: FEDERATION.roster.members()[0].province,
        digest: commitment::Fr::from(3),
        text_sha256: [4; 32],
    }
}

fn colours() -> ColourCounts {
    let cell = |rule: &str, people| ColourCell {
        colour: 2,
        rule: rule.to_owned(),
        people: Rounded::of(people),
    };
    ColourCounts {
        day: 19_233,
        residents: Rounded::of(1_234),
        set: counted_set(),
        cells: vec![cell("H1", 12), cell("H2", 3)],
    }
}

fn impact() -> ImpactCount {
    let cell = |to, people| ImpactCell {
        from: 0,
        to,
        rule: "H5".to_owned(),
        people: Rounded::of(people),
    };
    ImpactCount {
        at: commitment::Minute::new(27_695_520).expect("a minute"),
        residents: Rounded::of(1_234),
        set: counted_set(),
        before: Some(counted_set()),
        cells: vec![cell(1, 40), cell(2, 0)],
    }
}

fn sources() -> SourceCounts {
    let cell = |number| SourceCell {
        province: FEDERATION.roster.members()[0].province,
        kind: 2,
        number,
        fact: 12,
        events: Rounded::of(77),
    };
    let [part] = &SourceCounts::parts_of(19_233, &[cell(1), cell(9)])[..] else {
        unreachable!("two cells fit one part")
    };
    part.clone()
}

fn appeals() -> AppealCounts {
    AppealCounts {
        day: 19_233,
        came: Rounded::of(77),
        upheld: [12, 0, 33, 0, 10, 0].map(Rounded::of),
        dismissed: [0, 15, 0, 0, 0, 25].map(Rounded::of),
        waiting: Rounded::of(40),
        overdue: Rounded::FEW,
    }
}

const fn retention() -> RetentionCounts {
    RetentionCounts {
        day: 19_233,
        horizon_days: 60,
        events: Rounded::FEW,
        erased: Rounded::FEW,
    }
}

/// A head is its province's, or nobody's.
fn check_head(head: &SignedTreeHead) {
    let known = &*FEDERATION;
    if let Ok(member) = known.roster.member(head.head.slot) {
        let fits = head.check_signature(member).is_ok();
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
    seeds.extend(log_seeds());
    seeds.extend(receipt_bytes::seeds());
    seeds
}
