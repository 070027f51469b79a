//! A node that lost its store and was put back from a backup: its log comes back from the others, and it does nothing twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use commitment::{Epoch, Slot};
use ed25519_dalek::SigningKey;
use federation::FederationId;
use ledger::log::{AddCheckpoint, Entry, LogSigner, WitnessState};
use ledger::{
    HeadHash, HeadKeys, Member, RegistryStatement, Roster, RuleSetsDigest, SignedTreeHead, TreeHead,
};
use node::store::{Batch, Change, MemoryStore, Store as _, Table, Vault, WitnessedRow};
use node::{Fsck, NodeError, Patience, RecoverError, Recovered, Recovering, SimulatedClock, fsck};
use rules::{Day, Minute};
use wire::operator::v1::AssembleRegistryRequest;
use wire::{CheckpointOffer, Reason};

use crate::clients::operator;
use crate::world::{
    House, PROVINCES, START, Wish, World, federation, head_key, log_signer, minute, parts, province,
};

/// The house that loses its store.
pub(crate) const LOST: u8 = 35;
/// 30 August 2022, 03:00 in UTC+8: the day before is counted.
pub(crate) const NIGHT: u32 = START + 19 * 60;
/// How long the others are waited for here.
pub(crate) const PATIENCE: Patience = Patience {
    answer: Duration::from_secs(3),
    asking: Duration::from_secs(5),
    turn: Duration::from_secs(3),
    turn_bytes: 1 << 20,
    log: Duration::from_secs(20),
};
/// When the house is back.
pub(crate) const BACK: u32 = NIGHT + 40;

pub(crate) fn slot(home: u8) -> Slot {
    let position = PROVINCES.iter().position(|code| *code == home).unwrap();
    Slot::new(u8::try_from(position).unwrap()).unwrap()
}

pub(crate) fn roster() -> Roster {
    let members = PROVINCES.map(|code| Member {
        province: province(code),
        slot: slot(code),
        head_keys: HeadKeys::single(head_key(code).verifying_key()),
    });
    Roster::new(members.to_vec()).unwrap()
}

/// A copy of all rows.
pub(crate) fn copy_of(store: &MemoryStore) -> Arc<MemoryStore> {
    let (copy, mut batch) = (MemoryStore::default(), Batch::default());
    store
        .export(&mut |key, value| {
            let table = Table::from_code(key[0]);
            if let (Some(table), Some(value)) = (table, value) {
                batch.push(table, key[1..].to_vec(), Change::Put(value.to_vec()));
            }
            Ok(())
        })
        .unwrap();
    copy.commit(batch).unwrap();
    Arc::new(copy)
}

pub(crate) fn vault(home: u8, store: &Arc<MemoryStore>) -> Arc<Vault> {
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    parts(&Wish::default(), home, Arc::clone(store) as _, clock).vault
}

pub(crate) fn findings(home: u8, store: &Arc<MemoryStore>) -> Vec<String> {
    let against = Fsck {
        slot: slot(home),
        roster: roster(),
    };
    let checked = fsck(&vault(home, store), &against, &mut |_| {}).unwrap();
    let findings = checked.findings.iter();
    findings
        .map(|f| format!("{}: {}", f.table.name(), f.what))
        .collect()
}

/// Recovers the log of the lost house over a store.
pub(crate) async fn recover(
    world: &World,
    store: &Arc<MemoryStore>,
    urls: &[String],
    least: Option<usize>,
) -> Result<Recovered, RecoverError> {
    let keys = [head_key(LOST)];
    recover_as(world, store, urls, least, (&roster(), &keys)).await
}

/// The same among these provinces, with these head keys of its own.
pub(crate) async fn recover_as(
    world: &World,
    store: &Arc<MemoryStore>,
    urls: &[String],
    least: Option<usize>,
    (roster, head_keys): (&Roster, &[SigningKey]),
) -> Result<Recovered, RecoverError> {
    let (vault, federation, signer) = (vault(LOST, store), federation(), log_signer(LOST));
    let me = who(&vault, &federation, (roster, head_keys), &signer);
    let peers = world.peers_of(LOST);
    me.run(&peers, urls, least, &mut |_| {}).await
}

/// Whether the others show that a store of the lost house is older than what it signed.
pub(crate) async fn is_older(world: &World, store: &Arc<MemoryStore>) -> bool {
    look(world, store).await.unwrap()
}

/// The same, or why it cannot be said.
pub(crate) async fn look(world: &World, store: &Arc<MemoryStore>) -> Result<bool, NodeError> {
    let (vault, federation, signer) = (vault(LOST, store), federation(), log_signer(LOST));
    let (roster, head_keys) = (roster(), [head_key(LOST)]);
    let me = who(&vault, &federation, (&roster, &head_keys), &signer);
    let wait = Duration::from_secs(3);
    me.is_older(&world.peers_of(LOST), wait).await
}

fn who<'a>(
    vault: &'a Vault,
    federation: &'a FederationId,
    (roster, head_keys): (&'a Roster, &'a [SigningKey]),
    log_signer: &'a LogSigner,
) -> Recovering<'a> {
    Recovering {
        vault,
        federation,
        home: province(LOST),
        slot: slot(LOST),
        roster,
        head_keys,
        log_signer,
        now: minute(BACK),
        skew_min: 5,
        patience: PATIENCE,
    }
}

pub(crate) async fn close_and_assemble(world: &World, epoch: u32) {
    world.close_epoch(epoch);
    let mut first = operator(&world.houses[0]);
    first
        .assemble_registry(AssembleRegistryRequest { epoch })
        .await
        .unwrap();
}

pub(crate) async fn cosigned_by(house: &House, count: usize) {
    let began = Instant::now();
    while house.node.checkpoint_cosignatures() < count {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", house.home);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All entries in a store.
pub(crate) fn entries(home: u8, store: &Arc<MemoryStore>) -> Vec<Entry> {
    let rows = vault(home, store)
        .list::<Vec<u8>>(Table::LogEntries, b"")
        .unwrap();
    rows.iter()
        .map(|(_, bytes)| Entry::from_bytes(bytes).unwrap())
        .collect()
}

/// What the lost house had when it was lost.
pub(crate) struct Before {
    pub(crate) backup: Arc<MemoryStore>,
    pub(crate) lost: Arc<MemoryStore>,
}

/// Three houses; after the first epoch one is backed up, and after two more and a day's counts it is lost.
pub(crate) async fn lose(world: &mut World) -> Before {
    close_and_assemble(world, 1).await;
    cosigned_by(world.house(LOST), 2).await;
    let backup = copy_of(&world.house(LOST).store);
    world.advance_to(START + 30);
    close_and_assemble(world, 2).await;
    world.advance_to(NIGHT);
    for house in &world.houses {
        house.node.count_due().unwrap();
        house.node.log_commitments().unwrap();
    }
    close_and_assemble(world, 3).await;
    cosigned_by(world.house(LOST), 2).await;
    let lost = world.close(LOST).await;
    world.advance_to(BACK);
    Before { backup, lost }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_store_gets_its_log_back_and_its_witnesses_cosign_again() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    let (then, now) = (entries(LOST, &backup), entries(LOST, &lost));
    assert!(now.len() > then.len() + 5);
    let recovered = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!(recovered.had, then.len() as u64);
    assert_eq!(recovered.has, now.len() as u64);
    assert_eq!((recovered.heads, recovered.cosigned_by), (2, 2));
    assert_eq!(entries(LOST, &backup), now);
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
    // Once more there is nothing to do.
    let again = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!((again.had, again.has), (recovered.has, recovered.has));

    world
        .reopen(&Wish::default(), LOST, Arc::clone(&backup), BACK)
        .await;
    world.advance_to(BACK + 60);
    close_and_assemble(&world, 4).await;
    let house = world.house(LOST);
    cosigned_by(house, 2).await;
    let registry = house.node.registry(Epoch::new(4)).unwrap();
    assert_eq!(registry.heads.len(), 3);
    assert!(house.node.checkpoint().unwrap().size() > recovered.has);
    for other in [33, 42] {
        assert_eq!(world.house(other).node.evidence().unwrap(), []);
    }
    // Nothing that came back with the log stands in it twice: registries were fetched anew, and batches with the list.
    let told = entries(LOST, &world.house(LOST).store);
    let once = told
        .iter()
        .filter(|entry| !matches!(entry, Entry::KeyChange(_)));
    let once: Vec<Vec<u8>> = once.map(Entry::to_bytes).collect();
    assert_eq!(once.iter().collect::<BTreeSet<_>>().len(), once.len());
    let registries = told
        .iter()
        .filter(|entry| matches!(entry, Entry::Registry(_)));
    assert_eq!(registries.count(), 4);
    for epoch in 1..=4 {
        let known = world.house(LOST).node.registry(Epoch::new(epoch)).unwrap();
        assert!(told.contains(&Entry::Registry(known.cosigned)), "{epoch}");
    }
    let store = world.close(LOST).await;
    assert_eq!(findings(LOST, &store), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_node_signs_no_second_head_and_counts_no_day_twice() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, lost } = lose(&mut world).await;
    recover(&world, &backup, &[], None).await.unwrap();
    world
        .reopen(&Wish::default(), LOST, Arc::clone(&backup), BACK)
        .await;
    let node = &world.house(LOST).node;
    let heads = |store: &Arc<MemoryStore>| -> Vec<SignedTreeHead> {
        let told = entries(LOST, store).into_iter();
        told.filter_map(|entry| match entry {
            Entry::TreeHead(head) => Some(head),
            _ => None,
        })
        .collect()
    };
    let signed = heads(&lost);
    assert_eq!(signed.len(), 3);
    let refused = Err(NodeError::Refused(Reason::EpochRefused));
    for head in &signed {
        let (epoch, at) = (head.head.epoch, head.head.head_time);
        // The very one again, and at another minute none.
        assert_eq!(node.close_epoch(epoch, at).unwrap().head, *head);
        assert_eq!(node.close_epoch(epoch, minute(BACK)), refused);
        assert_eq!(node.tree_head(epoch), Ok(*head));
    }
    assert_eq!(node.closed_epoch(), Some(Epoch::new(3)));
    let day = Day::new(minute(START).day().get());
    assert_eq!(node.counted_days().unwrap(), [day]);
    node.count_due().unwrap();
    // One of before the recovery, or within the tolerance of clocks after it, may have been given out, and no log tells of it.
    world.advance_to(BACK + 6);
    for at in [BACK - 1, BACK, BACK + 5] {
        assert_eq!(node.close_epoch(Epoch::new(4), minute(at)), refused);
    }
    node.close_epoch(Epoch::new(4), minute(BACK + 6)).unwrap();
    let last = node.tree_head(Epoch::new(4)).unwrap();
    assert_eq!(last.head.previous, signed[2].head.hash());
    let told = entries(LOST, &world.house(LOST).store);
    let counts = told
        .iter()
        .filter(|entry| matches!(entry, Entry::Colours(_)));
    assert_eq!(counts.count(), 1);
    // No time in a batch falls, and none is made of a quarter that has one.
    let times: Vec<u32> = told
        .iter()
        .filter_map(|entry| match entry {
            Entry::Commitments(batch) => Some(batch.at.get()),
            _ => None,
        })
        .collect();
    assert!(times.is_sorted() && times.len() > 1);
}

fn head(home: u8, epoch: u32, at: u32, rule_sets: RuleSetsDigest) -> SignedTreeHead {
    let head = TreeHead {
        province: province(home),
        slot: slot(home),
        epoch: Epoch::new(epoch),
        head_time: minute(at),
        state_root: commitment::Fr::from(u64::from(home)),
        leaf_count: 1,
        rule_sets,
        previous: HeadHash::NONE,
    };
    head.sign(&head_key(home))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_node_signs_no_registry_and_no_list_that_it_may_have_signed_before() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    let others = world.house(33);
    let (published, newest) = (
        others.node.registry(Epoch::new(3)).unwrap(),
        others.node.trust_list().unwrap().online().clone(),
    );
    let recovered = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!(recovered.epoch, 3);
    assert_eq!(recovered.sequence, newest.sequence.get());
    assert_eq!(recovered.quiet_until, minute(BACK + 20));
    world
        .reopen(&Wish::default(), LOST, Arc::clone(&backup), BACK)
        .await;
    let node = &world.house(LOST).node;
    // Of the last epoch neither another statement nor the same.
    let statement = published.cosigned.statement();
    assert_eq!(
        node.cosign(statement, &published.heads),
        Err(NodeError::Refused(Reason::AlreadySigned))
    );
    // Of a later one none that closed before the node was back: it may have signed that, or another.
    world.advance_to(BACK + 6);
    let rule_sets = statement.rule_sets();
    let propose = |at: u32| {
        let heads = [head(33, 4, at, rule_sets), head(42, 4, at, rule_sets)];
        let risk_root = statement.risk_root();
        let epoch = Epoch::new(4);
        let proposed = RegistryStatement::new(epoch, minute(at), risk_root, rule_sets, &heads);
        node.cosign(&proposed.unwrap(), &heads)
    };
    let refused = Err(NodeError::Refused(Reason::RegistryRefused));
    assert_eq!(propose(BACK - 1), refused);
    assert_eq!(propose(BACK), refused);
    // Nor within the tolerance of clocks.
    assert_eq!(propose(BACK + 5), refused);
    assert!(propose(BACK + 6).is_ok());
    // No list and no part of a batch while one may be under way that it has signed for.
    let wait = |result: Result<(), NodeError>| matches!(result, Err(NodeError::Later { .. }));
    let next = node.next_online(node.next_sequence().unwrap(), None);
    assert!(next.sequence > newest.sequence);
    assert!(wait(node.cosign_online(&next).map(drop)));
    assert!(wait(node.contribute().map(drop)));
    world.advance_to(BACK + 20);
    assert!(node.contribute().is_ok());
    let old = node.next_online(newest.sequence, None);
    assert_eq!(
        node.cosign_online(&old),
        Err(NodeError::Refused(Reason::AlreadySigned))
    );
    // It fetches the registry that it missed meanwhile; what it says of a list then stays the same.
    let fetched = async {
        while node.registry(Epoch::new(3)).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), fetched)
        .await
        .unwrap();
    let next = node.next_online(node.next_sequence().unwrap(), None);
    assert!(node.cosign_online(&next).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_witness_cosigns_no_other_history_of_what_was_cosigned_meanwhile() {
    let mut world = World::new(Wish::default()).await;
    let Before { backup, .. } = lose(&mut world).await;
    let cosigned = |store: &Arc<MemoryStore>| {
        let row: Option<WitnessedRow> = vault(LOST, store)
            .get(Table::Witnessed, &[slot(33).get()])
            .unwrap();
        WitnessState::from_bytes(&row.unwrap().state).unwrap()
    };
    // What it cosigned by the time of the backup, and what the log of 33 is of by now.
    let (then, now) = (
        cosigned(&backup),
        world.house(33).node.checkpoint().unwrap(),
    );
    assert!(then.size() < now.size());
    let recovered = recover(&world, &backup, &[], None).await.unwrap();
    assert_eq!(recovered.logs, 2);
    let raised = cosigned(&backup);
    let witnessed = world.house(42).node.witnessed(slot(33)).unwrap().checkpoint;
    assert_eq!(
        (raised.size(), raised.root()),
        (witnessed.size(), witnessed.root())
    );
    assert_eq!(findings(LOST, &backup), Vec::<String>::new());
    // A fork of the log of 33 after what the backup knew of, well signed.
    let mut fork = ledger::log::Log::default();
    let told = entries(33, &world.house(33).store);
    for entry in &told[..usize::try_from(then.size()).unwrap()] {
        fork.append(&entry.to_bytes()).unwrap();
    }
    fork.append(b"another history").unwrap();
    let none = |_: u64| Err(());
    let proof = fork
        .prove_consistency(then.size(), fork.size(), &none)
        .unwrap();
    let signer = log_signer(33);
    let keys = signer.public(province(33), slot(33), 1);
    let name = keys.log_key("test").unwrap();
    let checkpoint = signer
        .sign(fork.size(), fork.root().unwrap(), &name)
        .unwrap();
    let offer = CheckpointOffer {
        keys: keys.sign(Minute::new(0).unwrap(), &head_key(33)),
        request: AddCheckpoint {
            old_size: then.size(),
            proof,
            checkpoint,
        },
    };
    world.reopen(&Wish::default(), LOST, backup, BACK).await;
    let answer = world
        .house(LOST)
        .node
        .witness(province(33), &offer)
        .unwrap();
    assert_eq!((answer.cosignature, answer.size), (None, raised.size()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_node_that_is_gone_can_be_read_at_its_witnesses() {
    let mut world = World::new(Wish::default()).await;
    let Before { lost, .. } = lose(&mut world).await;
    let told = entries(LOST, &lost);
    let file = |path: &str| world.house(42).node.log_file(path).unwrap();
    let checkpoint = file("/mirror/1/checkpoint").unwrap();
    let checkpoint = ledger::log::SignedCheckpoint::from_bytes(&checkpoint).unwrap();
    assert_eq!(checkpoint.size(), told.len() as u64);
    let witness = log_signer(42).public(province(42), slot(42), 1);
    let witness = witness.witness_key("test").unwrap();
    assert_eq!(checkpoint.signers(&[witness]), Ok(vec![0]));
    let bundle = file(&format!("/mirror/1/tile/entries/000.p/{}", told.len())).unwrap();
    let read = ledger::log::read_bundle(&bundle).unwrap();
    let read: Vec<Entry> = read.iter().map(|e| Entry::from_bytes(e).unwrap()).collect();
    assert_eq!(read, told);
    let tile = file(&format!("/mirror/1/tile/0/000.p/{}", told.len())).unwrap();
    let hashes = told.iter().map(|e| ledger::log::leaf_hash(&e.to_bytes()).0);
    assert_eq!(tile, hashes.collect::<Vec<_>>().concat());
    for none in [
        "/mirror/01/checkpoint",
        "/mirror/9/checkpoint",
        "/mirror/64/checkpoint",
        "/mirror/1/tile/entries/001",
        "/mirror/1/keys",
        "/mirror/1",
    ] {
        assert_eq!(file(none), None, "{none}");
    }
}
