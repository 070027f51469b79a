//! The transparency log: what a node does stands in it, the others witness it, anybody reads it, and a node that shows two
//! histories is caught.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use commitment::{Epoch, Slot};
use federation::{PeerId, Role};
use ledger::log::{
    AddCheckpoint, Entry, Evidence, Log, LogHash, LogSigner, NoteKey, SignedCheckpoint, TilePath,
    WitnessPolicy, leaf_hash, read_bundle,
};
use ledger::{HeadKeys, Member, Roster};
use node::store::{MemoryStore, StoreError, Table, Vault};
use node::{Fsck, Node, NodeError, SimulatedClock, fsck};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::federation::v1 as proto;
use wire::{CheckpointOffer, Reason, WitnessAnswer, reason_of};

use crate::clients::{at_peers, operator};
use crate::world::{
    House, PROVINCES, START, Wish, World, federation, head_key, log_signer, minute, parts, province,
};

/// Status, head and body of what is got by plain HTTP.
async fn get(at: SocketAddr, method: &str, path: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), answer[end + 4..].to_vec())
}

/// What a path gives.
async fn read(house: &House, path: &str) -> Vec<u8> {
    let (status, _, body) = get(house.log_at, "GET", path).await;
    assert_eq!(status, 200, "{path}");
    body
}

async fn checkpoint(house: &House) -> SignedCheckpoint {
    SignedCheckpoint::from_bytes(&read(house, "/checkpoint").await).unwrap()
}

async fn close_and_assemble(world: &World, epoch: u32) {
    world.close_epoch(epoch);
    let request = wire::operator::v1::AssembleRegistryRequest { epoch };
    let mut first = operator(&world.houses[0]);
    first.assemble_registry(request).await.unwrap();
}

/// Waits until a house's newest checkpoint is cosigned by `count` others.
async fn cosigned_by(house: &House, count: usize) {
    let began = Instant::now();
    while house.node.checkpoint_cosignatures() < count {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", house.home);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn all_cosigned(world: &World) {
    for house in &world.houses {
        cosigned_by(house, 2).await;
    }
}

/// All entries, by plain HTTP, of the tree of a checkpoint.
async fn entries(house: &House, size: u64) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    while (all.len() as u64) < size {
        let index = all.len() as u64 / 256;
        let width = u16::try_from((size - index * 256).min(256)).unwrap();
        let path = TilePath {
            level: None,
            index,
            width,
        };
        let bytes = read(house, &format!("/{path}")).await;
        all.extend(read_bundle(&bytes).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn each_nodes_checkpoint_carries_the_others_cosignatures_and_a_plain_reader_recomputes_it() {
    let world = World::new(Wish::default()).await;
    close_and_assemble(&world, 1).await;
    all_cosigned(&world).await;
    for house in &world.houses {
        let checkpoint = checkpoint(house).await;
        let policy = WitnessPolicy::from_bytes(&read(house, "/policy").await).unwrap();
        assert_eq!(policy.logs(), std::slice::from_ref(house.node.log_key()));
        assert_eq!(policy.check(&checkpoint), Ok(()));
        let entries = entries(house, checkpoint.size()).await;
        let mut log = Log::default();
        for entry in &entries {
            log.append(entry).unwrap();
        }
        assert_eq!(
            (log.size(), log.root().unwrap()),
            (checkpoint.size(), checkpoint.root())
        );
        let tile = format!("/tile/0/000.p/{}", entries.len());
        let hashes: Vec<u8> = entries
            .iter()
            .flat_map(|entry| leaf_hash(entry).0)
            .collect();
        assert_eq!(read(house, &tile).await, hashes);
        let told: Vec<Entry> = entries
            .iter()
            .map(|entry| Entry::from_bytes(entry).unwrap())
            .collect();
        let epoch = Epoch::new(1);
        let head = Entry::TreeHead(house.node.tree_head(epoch).unwrap());
        let registry = Entry::Registry(house.node.registry(epoch).unwrap().cosigned);
        assert!(told.contains(&head) && told.contains(&registry));
        let count = |kind: fn(&Entry) -> bool| told.iter().filter(|entry| kind(entry)).count();
        // Both of the published ones were emergencies.
        let is_emergency = |e: &Entry| matches!(e, Entry::RuleSet(notice) if notice.is_emergency);
        assert_eq!(count(is_emergency), 2);
        assert_eq!(count(|entry| matches!(entry, Entry::KeyChange(_))), 2);
        assert!(count(|entry| matches!(entry, Entry::Source(_))) > 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_listener_gives_what_there_is_and_says_what_may_be_kept() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let size = checkpoint(house).await.size();
    assert!(size < 250);
    let (status, head, _) = get(house.log_at, "GET", "/tile/entries/000.p/3").await;
    assert!(status == 200 && head.contains("immutable") && head.contains("octet-stream"));
    let (status, head, _) = get(house.log_at, "GET", "/checkpoint").await;
    assert!(status == 200 && head.contains("no-store") && head.contains("charset=utf-8"));
    let beyond = format!("/tile/0/000.p/{}", size + 1);
    for path in [
        beyond.as_str(),
        "/tile/0/000",
        "/tile/0/000.p/0",
        "/tile/entries/001.p/1",
        "/tile/1/000.p/1",
        "/tile/64/000.p/1",
        "/tile/8/0/000",
        "/metrics",
        "/",
    ] {
        assert_eq!(get(house.log_at, "GET", path).await.0, 404, "{path}");
    }
    assert_eq!(get(house.log_at, "POST", "/checkpoint").await.0, 405);
    assert_eq!(read(house, "/evidence").await, b"{\"evidence\":[]}\n");
}

/// Houses over the stores of others that have ended.
async fn again(world: World, now: u32) -> World {
    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    World::over(Wish::default(), stores.try_into().ok().unwrap(), now).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_brings_back_log_and_witness_and_the_next_epoch_is_cosigned() {
    let world = World::new(Wish::default()).await;
    close_and_assemble(&world, 1).await;
    all_cosigned(&world).await;
    let mut before = Vec::new();
    for house in &world.houses {
        before.push(checkpoint(house).await);
    }
    let world = again(world, START + 10).await;
    for (house, before) in world.houses.iter().zip(&before) {
        // Nothing was announced twice, and no new checkpoint was made.
        assert_eq!(checkpoint(house).await.text(), before.text());
        assert_eq!(house.node.checkpoint_cosignatures(), 2);
    }
    // The witness knows what it cosigned: an old size is answered with the one known.
    let mut client = wire::log_client(at_peers(
        &world.houses[0],
        &PeerId::node(&federation(), province(35)),
    ));
    let offer = offer(35, 0, vec![], before[1].clone());
    let answer = client
        .add_checkpoint(proto::AddCheckpointRequest::from(&offer))
        .await
        .unwrap();
    let answer = WitnessAnswer::try_from(answer.get_ref()).unwrap();
    assert_eq!((answer.cosignature, answer.size), (None, before[1].size()));
    close_and_assemble(&world, 2).await;
    all_cosigned(&world).await;
    for (house, before) in world.houses.iter().zip(&before) {
        assert_eq!(checkpoint(house).await.size(), before.size() + 2);
    }
}

fn slot(home: u8) -> Slot {
    let position = PROVINCES.iter().position(|code| *code == home).unwrap();
    Slot::new(u8::try_from(position).unwrap()).unwrap()
}

/// The log key of a house.
fn log_key(home: u8) -> NoteKey {
    let keys = log_signer(home).public(province(home), slot(home), 1);
    keys.log_key("test").unwrap()
}

/// What the holder of a house's keys can ask a witness.
fn offer(
    home: u8,
    old_size: u64,
    proof: Vec<LogHash>,
    checkpoint: SignedCheckpoint,
) -> CheckpointOffer {
    let keys = log_signer(home).public(province(home), slot(home), 1);
    CheckpointOffer {
        keys: keys.sign(rules::Minute::ZERO, &head_key(home)),
        request: AddCheckpoint {
            old_size,
            proof,
            checkpoint,
        },
    }
}

/// A log of `count` entries that a house never wrote, and its checkpoint.
fn other_history(home: u8, seed: u8, count: u64) -> (Log, SignedCheckpoint) {
    let mut log = Log::default();
    for index in 0..count {
        log.append(&[&[seed][..], &index.to_be_bytes()].concat())
            .unwrap();
    }
    let root = log.root().unwrap();
    let checkpoint = log_signer(home).sign(count, root, &log_key(home)).unwrap();
    (log, checkpoint)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shows_two_histories_is_refused_and_the_evidence_is_anybodys_to_check() {
    let world = World::new(Wish::default()).await;
    all_cosigned(&world).await;
    let witness = &world.houses[0];
    let honest = checkpoint(&world.houses[1]).await;
    let mut client = wire::log_client(at_peers(
        witness,
        &PeerId::node(&federation(), province(35)),
    ));
    let mut refused = async |offer: &CheckpointOffer| {
        let request = proto::AddCheckpointRequest::from(offer);
        let status = client.add_checkpoint(request).await.unwrap_err();
        reason_of(&status).unwrap()
    };
    // As large and different, whatever size it says to extend.
    let size = honest.size();
    let (_, fork) = other_history(35, 1, size);
    for old in [0, size] {
        let found = refused(&offer(35, old, vec![], fork.clone())).await;
        assert_eq!(found, Reason::CheckpointRefused);
    }
    // Larger, and consistent with another past.
    let (log, longer) = other_history(35, 2, size + 9);
    let none = |_: u64| Err(());
    let proof = log.prove_consistency(size, size + 9, &none).unwrap();
    let found = refused(&offer(35, size, proof, longer)).await;
    assert_eq!(found, Reason::CheckpointRefused);
    // Another province's log, and keys that its head key did not sign.
    let (_, others) = other_history(42, 1, 3);
    assert_eq!(
        refused(&offer(42, 0, vec![], others)).await,
        Reason::RoleRefused
    );
    let mut unsigned = offer(35, size, vec![], honest.clone());
    unsigned.keys.signature[0] ^= 1;
    assert_eq!(refused(&unsigned).await, Reason::CheckpointRefused);

    let told: serde_json::Value =
        serde_json::from_slice(&read(witness, "/evidence").await).unwrap();
    let told = told["evidence"].as_array().unwrap();
    assert!(!size.is_power_of_two(), "the proof would hide the old root");
    assert_eq!(told.len(), 2);
    for one in told {
        let evidence = from_json(one);
        let key = NoteKey::from_vkey(one["log_keys"][0].as_str().unwrap()).unwrap();
        assert_eq!(key, log_key(35));
        assert_eq!(evidence.check(&[key]), Ok(()));
        assert_eq!(one["contradiction"], true);
        assert_eq!(evidence.first.text(), honest.text());
    }
    // The one that it keeps to goes on being cosigned.
    world.close_epoch(1);
    all_cosigned(&world).await;
}

fn from_json(one: &serde_json::Value) -> Evidence {
    let note = |field: &str| {
        let text = one[field].as_str().unwrap();
        SignedCheckpoint::from_bytes(text.as_bytes()).unwrap()
    };
    let hash = |value: &serde_json::Value| value.as_str().unwrap().parse().unwrap();
    Evidence {
        first: note("first"),
        second: note("second"),
        proof: one["proof"].as_array().unwrap().iter().map(hash).collect(),
        prefix_root: hash(&one["prefix_root"]),
    }
}

fn open(home: u8, store: &Arc<MemoryStore>, signer: Option<LogSigner>) -> Arc<Node> {
    let clock = Arc::new(SimulatedClock::start(minute(START + 100), 0));
    let mut parts = parts(&Wish::default(), home, Arc::clone(store) as _, clock);
    if let Some(signer) = signer {
        parts.log_signer = signer;
    }
    Node::open(parts).unwrap()
}

#[test]
fn evidence_is_bounded_for_each_log_and_what_is_shown_is_not_crowded_out() {
    let store = Arc::new(MemoryStore::default());
    let node = open(33, &store, None);
    let (_, first) = other_history(35, 0, 20);
    let cosigned = node.witness(province(35), &offer(35, 0, vec![], first));
    assert!(cosigned.unwrap().cosignature.is_some());
    let refused = Err(NodeError::Refused(Reason::CheckpointRefused));
    for seed in 1..30 {
        // With a proof that proves nothing: kept, and shown to be nothing.
        let (_, unproven) = other_history(35, seed, 40);
        let proof = vec![LogHash([seed; 32])];
        let answer = node.witness(province(35), &offer(35, 20, proof, unproven));
        assert_eq!(answer, refused);
    }
    for seed in 1..30 {
        let (_, fork) = other_history(35, seed, 20);
        let answer = node.witness(province(35), &offer(35, 20, vec![], fork));
        assert_eq!(answer, refused);
    }
    let kept = node.evidence().unwrap();
    let shown = kept.iter().filter(|(e, keys)| e.check(keys).is_ok());
    assert_eq!((kept.len(), shown.count()), (16, 8));
    drop(node);
    // All of it is there after a restart, and in order.
    let node = open(33, &store, None);
    assert_eq!(node.evidence().unwrap(), kept);
    assert_eq!(checked(&vault(33, &store)), Vec::<String>::new());
}

#[test]
fn a_witness_stores_before_it_signs_and_a_full_disk_gives_no_cosignature() {
    let store = Arc::new(MemoryStore::default());
    let node = open(33, &store, None);
    let (log, first) = other_history(35, 0, 20);
    store.set_full(true);
    let answer = node.witness(province(35), &offer(35, 0, vec![], first.clone()));
    assert_eq!(answer.unwrap_err().reason(), Reason::StorageFull);
    store.set_full(false);
    // Nothing was remembered of it: the same again, from nothing.
    let answer = node.witness(province(35), &offer(35, 0, vec![], first));
    assert!(answer.unwrap().cosignature.is_some());
    let mut longer = log;
    longer.append(b"more").unwrap();
    let none = |_: u64| Err(());
    let proof = longer.prove_consistency(20, 21, &none).unwrap();
    let root = longer.root().unwrap();
    let grown = log_signer(35).sign(21, root, &log_key(35)).unwrap();
    let answer = node.witness(province(35), &offer(35, 20, proof, grown));
    assert_eq!(answer.unwrap().size, 21);
}

#[test]
fn an_epoch_that_a_full_disk_keeps_from_closing_is_not_in_the_log() {
    let store = Arc::new(MemoryStore::default());
    let node = open(33, &store, None);
    let before = node.checkpoint().unwrap();
    store.set_full(true);
    let refused = node.close_epoch(Epoch::new(1), minute(START)).unwrap_err();
    assert_eq!(refused.reason(), Reason::StorageFull);
    assert_eq!(node.log_entries(), before.size());
    store.set_full(false);
    node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    let after = node.checkpoint().unwrap();
    assert_eq!(after.size(), before.size() + 1);
    assert_eq!(checked(&vault(33, &store)), Vec::<String>::new());
}

#[test]
fn a_new_log_key_gets_the_next_number_stands_in_the_log_and_is_taken_by_the_witnesses() {
    let store = Arc::new(MemoryStore::default());
    let old = open(33, &store, None);
    let (old_key, size) = (old.log_key().clone(), old.log_entries());
    drop(old);
    let new = open(33, &store, Some(LogSigner::derive(&[7; 32])));
    assert_ne!(*new.log_key(), old_key);
    let checkpoint = new.checkpoint().unwrap();
    assert_eq!(checkpoint.size(), size + 1);
    assert_eq!(checkpoint.check_log(new.log_key()), Ok(()));
    assert_eq!(checked(&vault(33, &store)), Vec::<String>::new());
    // The witness that knows number 1 takes number 2, and then no more number 1.
    let witness = open(35, &Arc::new(MemoryStore::default()), None);
    let (_, first) = other_history(33, 0, 20);
    let first = offer(33, 0, vec![], first);
    assert!(witness.witness(province(33), &first).is_ok());
    let keys = LogSigner::derive(&[7; 32]).public(province(33), slot(33), 2);
    let signed = LogSigner::derive(&[7; 32])
        .sign(
            20,
            first.request.checkpoint.root(),
            &keys.log_key("test").unwrap(),
        )
        .unwrap();
    let next = CheckpointOffer {
        keys: keys.sign(rules::Minute::ZERO, &head_key(33)),
        request: AddCheckpoint {
            old_size: 20,
            proof: vec![],
            checkpoint: signed,
        },
    };
    assert!(witness.witness(province(33), &next).is_ok());
    let again = offer(33, 20, vec![], first.request.checkpoint);
    assert_eq!(
        witness.witness(province(33), &again),
        Err(NodeError::Refused(Reason::CheckpointRefused))
    );
}

fn vault(home: u8, store: &Arc<MemoryStore>) -> Arc<Vault> {
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    parts(&Wish::default(), home, Arc::clone(store) as _, clock).vault
}

/// What fsck says of a store of province 33.
fn checked(vault: &Vault) -> Vec<String> {
    let members = PROVINCES.map(|code| Member {
        province: province(code),
        slot: slot(code),
        head_keys: HeadKeys::single(head_key(code).verifying_key()),
    });
    let against = Fsck {
        slot: slot(33),
        roster: Roster::new(members.to_vec()).unwrap(),
    };
    let checked = fsck(vault, &against, &mut |_| {}).unwrap();
    let findings = checked.findings.iter();
    findings
        .map(|f| format!("{}: {}", f.table.name(), f.what))
        .collect()
}

#[test]
fn a_changed_or_missing_entry_is_found_by_fsck_and_the_node_does_not_start() {
    let store = Arc::new(MemoryStore::default());
    let node = open(33, &store, None);
    node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    let last = node.log_entries() - 1;
    drop(node);
    let vault = vault(33, &store);
    assert_eq!(checked(&vault), Vec::<String>::new());
    let entry: Vec<u8> = vault
        .get(Table::LogEntries, &last.to_be_bytes())
        .unwrap()
        .unwrap();
    let put = |bytes: Option<&Vec<u8>>, index: u64| {
        let mut write = vault.write();
        match bytes {
            Some(bytes) => write.put(Table::LogEntries, &index.to_be_bytes(), bytes),
            None => write.delete(Table::LogEntries, &index.to_be_bytes()),
        }
        write.commit().unwrap();
    };
    let start = || {
        let clock = Arc::new(SimulatedClock::start(minute(START + 100), 0));
        let parts = parts(&Wish::default(), 33, Arc::clone(&store) as _, clock);
        Node::open(parts).map(|_| ())
    };
    // One bit of the head's signature.
    let mut flipped = entry.clone();
    *flipped.last_mut().unwrap() ^= 1;
    put(Some(&flipped), last);
    assert_eq!(
        checked(&vault),
        [
            "log-entries: entries whose tree is not the checkpoint's",
            "epochs: a tree head that the log does not tell of"
        ]
    );
    let damaged = Err(NodeError::Store(StoreError::Damaged(Table::LogEntries)));
    assert_eq!(start(), damaged);
    put(None, last);
    assert!(checked(&vault)[0].contains("the checkpoint is of"));
    assert!(start().is_err());
    put(Some(&entry), last + 1);
    assert!(checked(&vault)[0].contains("not where it belongs"));
    assert_eq!(start(), damaged);
    put(None, last + 1);
    put(Some(&entry), last);
    assert_eq!((checked(&vault), start()), (Vec::new(), Ok(())));
}

#[test]
fn a_node_that_had_no_log_begins_it_with_its_past() {
    let store = Arc::new(MemoryStore::default());
    let node = open(33, &store, None);
    for epoch in 1..4 {
        let at = minute(START + epoch);
        node.close_epoch(Epoch::new(epoch), at).unwrap();
    }
    drop(node);
    let vault = vault(33, &store);
    let mut write = vault.write();
    for table in [Table::LogEntries, Table::LogCheckpoint, Table::LogKeys] {
        for key in vault.keys(table, b"", usize::MAX).unwrap() {
            write.delete(table, &key);
        }
    }
    write.commit().unwrap();
    assert_eq!(checked(&vault).len(), 3);
    let node = open(33, &store, None);
    assert!(node.log_entries() > 3);
    assert_eq!(checked(&vault), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_nodes_ask_for_cosignatures() {
    let world = World::new(Wish::default()).await;
    let who = PeerId {
        federation: federation(),
        province: province(35),
        role: Role::Checkpoint,
    };
    let mut client = wire::log_client(at_peers(&world.houses[0], &who));
    let (_, first) = other_history(35, 0, 20);
    let request = proto::AddCheckpointRequest::from(&offer(35, 0, vec![], first));
    let status = client.add_checkpoint(request).await.unwrap_err();
    assert_eq!(reason_of(&status), Some(Reason::RoleRefused));
}
