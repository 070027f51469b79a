//! A head key is announced by a root document and signs from its minute on, while nodes and gates run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commitment::{Epoch, Slot};
use ed25519_dalek::{Signer as _, SigningKey};
use ledger::{Cosignature, CosignedStatement, HeadKeys, Member, RegistryStatement, SignedTreeHead};
use node::store::MemoryStore;
use node::{CharterTaken, Node, NodeError, SimulatedClock};
use rules::Minute;
use verifier::UnixTime;
use verifier::trust::{RootDocument, Sequence, SignedRoot, TrustList};
use wire::operator::v1 as o;
use wire::{PublishedRegistry, Reason};

use crate::charters::{refusal, root, rules_of, take};
use crate::clients::{operator, signed, submit};
use crate::process::{run, write_house};
use crate::provers::real_entry;
use crate::receipts::negative;
use crate::swap::operator_of;
use crate::world::{
    House, PROVINCES, START, Wish, World, head_key, minute, parts, province, root_document_with,
    root_keys,
};

/// From when the new key of 35 signs.
const SWITCH: u32 = START + 100;

fn next_key() -> SigningKey {
    SigningKey::from_bytes(&[235; 32])
}

fn dates() -> HeadKeys {
    let old = (Minute::ZERO, head_key(35).verifying_key());
    HeadKeys::new(vec![old, (minute(SWITCH), next_key().verifying_key())]).unwrap()
}

/// The world's root document, and 35's next key announced.
fn announced(document: &mut RootDocument) {
    document.sequence = Sequence::new(2);
    document.provinces[1].head_keys = dates();
}

/// Slot 1 as that document names it, with its keys.
fn member() -> Member {
    Member {
        province: province(35),
        slot: Slot::new(1).unwrap(),
        head_keys: dates(),
    }
}

/// Three nodes with that document, of which 35 holds both keys.
async fn world() -> World {
    let world = World::new(Wish::default()).await;
    let keys = vec![head_key(35), next_key()];
    world.house(35).node.hold_signing_keys(keys);
    for code in PROVINCES {
        let taken = take(&world.house(code).node, root(announced));
        assert_eq!(taken, Ok(CharterTaken::Swapped));
    }
    world
}

async fn assemble(house: &House, epoch: u32) {
    let request = o::AssembleRegistryRequest { epoch };
    operator(house).assemble_registry(request).await.unwrap();
}

fn heads(world: &World, epoch: u32) -> Vec<SignedTreeHead> {
    let head = |code| world.house(code).node.tree_head(Epoch::new(epoch)).unwrap();
    PROVINCES.map(head).to_vec()
}

/// A registry of an epoch that 33 and 35 have signed, 35 head and statement with this key.
fn registry(world: &World, epoch: u32, by: &SigningKey) -> PublishedRegistry {
    let mut heads = heads(world, epoch);
    heads[1] = heads[1].head.sign(by);
    let proposer = &world.house(33).node;
    let statement = proposer.propose(Epoch::new(epoch), &heads).unwrap();
    let cosignature = |slot, key: &SigningKey| Cosignature {
        slot: Slot::new(slot).unwrap(),
        signature: key.sign(&statement.signing_bytes()).to_bytes(),
    };
    let cosignatures = vec![cosignature(0, &head_key(33)), cosignature(1, by)];
    PublishedRegistry {
        cosigned: CosignedStatement::new(statement, cosignatures),
        heads,
    }
}

fn is_refused(done: Result<(), NodeError>) {
    let reason = done.unwrap_err().reason();
    assert!(
        matches!(reason, Reason::HeadRefused | Reason::NoQuorum),
        "{reason:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_signs_on_across_a_switch_and_gates_take_the_registries_of_both_sides() {
    let world = world().await;
    let first = world.house(33);
    let event = negative(1, START - 60);
    let receipt = submit(world.house(33), event.source, vec![signed(&event)]).await;
    assert!(!receipt.unwrap()[0].receipt.is_empty());
    let mut gate: Option<TrustList> = None;
    for (epoch, at) in [
        (1, SWITCH - 60),
        (2, SWITCH - 1),
        (3, SWITCH),
        (4, SWITCH + 60),
    ] {
        world.advance_to(at);
        world.close_epoch(epoch);
        assemble(first, epoch).await;
        let head = world.house(35).node.tree_head(Epoch::new(epoch)).unwrap();
        let by = if at < SWITCH {
            head_key(35)
        } else {
            next_key()
        };
        assert_eq!(head, head.head.sign(&by), "{at}");
        assert_eq!(head.check_signature(&member()), Ok(()));
        let published = first.node.registry(Epoch::new(epoch)).unwrap();
        let of_35 = published.cosigned.cosignatures().iter();
        let of_35: Vec<_> = of_35.filter(|c| c.slot.get() == 1).collect();
        let message = published.cosigned.statement().signing_bytes();
        assert_eq!(of_35[0].signature, by.sign(&message).to_bytes(), "{at}");

        let list = first.node.trust_list().unwrap();
        let now = UnixTime::from_s(u64::from(at) * 60);
        let candidate = TrustList::consider(list.to_bytes(), gate.as_ref(), &root_keys(), now);
        let mut candidate = candidate.unwrap();
        for entry in candidate.missing().to_vec() {
            candidate
                .supply(&first.node.batch(entry.digest).unwrap())
                .unwrap();
        }
        let taken = candidate.complete().unwrap();
        assert_eq!(
            taken.online().registries.len(),
            usize::try_from(epoch).unwrap()
        );
        gate = Some(taken);
    }
    // What it tells of itself, it tells under the key in force; and its log was told of both keys when they were announced.
    let node = &world.house(35).node;
    let document = root(announced);
    let told = node.sealing_key().unwrap();
    assert_eq!(told, told.statement.sign(&next_key()));
    let check = |key: &node::forward::SignedSealingKey, at| {
        key.check(province(35), document.document(), minute(at))
            .is_ok()
    };
    let of_old = told.statement.sign(&head_key(35));
    assert!(check(&told, SWITCH + 60) && !check(&of_old, SWITCH + 60));
    assert!(check(&of_old, SWITCH - 60) && !check(&told, SWITCH - 60));
    let keys = node.log_file("/keys").unwrap().unwrap();
    let own = ledger::log::SignedLogKeys::from_bytes(&keys[..139]).unwrap();
    assert_eq!(own.head_key_of, minute(SWITCH));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_keys_signature_on_something_after_the_switch_is_refused() {
    let world = world().await;
    world.advance_to(SWITCH - 1);
    world.close_epoch(1);
    world.advance_to(SWITCH);
    world.close_epoch(2);
    let node = &world.house(42).node;
    let old = head_key(35);
    // The earlier document, which knows the old key alone, judges nothing of then, either.
    is_refused(node.take_registry(&registry(&world, 2, &old)));
    let late = registry(&world, 2, &old);
    let cosigned = node.cosign(late.cosigned.statement(), &late.heads);
    is_refused(cosigned.map(drop));
    // Of the minute before it is good, after the switch, too; so is the new one of its own.
    node.take_registry(&registry(&world, 1, &old)).unwrap();
    node.take_registry(&registry(&world, 2, &next_key()))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_key_signs_nothing_before_its_date() {
    let world = world().await;
    world.advance_to(SWITCH - 1);
    world.close_epoch(1);
    let node = &world.house(42).node;
    let early = registry(&world, 1, &next_key());
    is_refused(node.take_registry(&early));
    is_refused(
        node.cosign(early.cosigned.statement(), &early.heads)
            .map(drop),
    );
    let statement: &RegistryStatement = early.cosigned.statement();
    // Nor is its signature a cosignature among those of others.
    let signature = next_key().sign(&statement.signing_bytes()).to_bytes();
    let slot = Slot::new(1).unwrap();
    let roster = ledger::Roster::new(vec![member()]).unwrap();
    let cosignature = Cosignature { slot, signature };
    assert!(cosignature.check(statement, &roster).is_err());
    node.take_registry(&registry(&world, 1, &head_key(35)))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_key_that_the_node_does_not_hold_is_refused_while_it_runs() {
    let world = World::new(Wish::default()).await;
    let node = &world.house(35).node;
    assert!(refusal(node, root(announced)).contains("does not hold"));
    assert_eq!(node.root_sequence(), 1);
    // The new one alone does not do before its date: the one in force is missing.
    node.hold_signing_keys(vec![next_key()]);
    assert!(refusal(node, root(announced)).contains("does not hold"));
    node.hold_signing_keys(vec![head_key(35), next_key()]);
    assert_eq!(take(node, root(announced)), Ok(CharterTaken::Swapped));
    // A key that replaces the old one at once is taken up in the same way.
    let replaced = |document: &mut RootDocument| {
        document.sequence = Sequence::new(3);
        document.provinces[1].head_keys = HeadKeys::single(next_key().verifying_key());
    };
    assert_eq!(take(node, root(replaced)), Ok(CharterTaken::Swapped));
    world.advance_to(START + 10);
    let closed = node.close_epoch(Epoch::new(1), minute(START + 10)).unwrap();
    assert_eq!(closed.head, closed.head.head.sign(&next_key()));
}

#[test]
fn a_node_starts_with_the_keys_that_are_not_retired_and_with_no_fewer() {
    let begin = |now: u32, keys: Vec<SigningKey>| {
        let clock = Arc::new(SimulatedClock::start(minute(now), 0));
        let store = Arc::new(MemoryStore::default());
        let mut parts = parts(&Wish::default(), 35, store, clock);
        parts.root = root(announced);
        parts.rules = rules_of(&parts.root, province(35));
        parts.signing_keys = keys;
        Node::open(parts)
    };
    let fault = |opened: Result<Arc<Node>, NodeError>| match opened {
        Err(NodeError::Fault(what)) => what,
        other => panic!("{:?}", other.map(drop)),
    };
    let old = || vec![head_key(35)];
    let new = || vec![next_key()];
    assert!(fault(begin(SWITCH - 1, old())).contains("does not hold"));
    assert!(fault(begin(SWITCH - 1, new())).contains("does not hold"));
    assert!(begin(SWITCH - 1, [old(), new()].concat()).is_ok());
    assert!(fault(begin(SWITCH, old())).contains("does not name this province"));
    let node = begin(SWITCH, new()).unwrap();
    let closed = node.close_epoch(Epoch::new(1), minute(SWITCH)).unwrap();
    assert_eq!(closed.head, closed.head.head.sign(&next_key()));
    // What is of before was signed by a key that is gone.
    let node = begin(SWITCH + 5, new()).unwrap();
    let early = node.close_epoch(Epoch::new(1), minute(SWITCH - 1));
    assert!(matches!(early, Err(NodeError::Fault(what)) if what.contains("not held")));
}

/// The number of the root document that a running node has.
async fn until_root(address: &str, number: u64) {
    let began = Instant::now();
    loop {
        let status = operator_of(address)
            .get_status(o::GetStatusRequest {})
            .await;
        let now = status.unwrap().into_inner().root_sequence;
        if now == number {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{now}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_takes_a_document_up_once_the_announced_key_is_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_house(dir, false);
    let config = std::fs::read_to_string(dir.join("node.toml")).unwrap();
    let config = config.replace(
        "signing_key_file = \"signing.key\"",
        "signing_key_file = \"signing.key\"\nsigning_key_next_file = \"signing.key.next\"",
    );
    let config = config.replace("[trust]", "reload_poll_s = 1\n[trust]");
    std::fs::write(dir.join("node.toml"), config).unwrap();
    let (mut child, address) = run(dir);
    until_root(&address, 1).await;

    let next = SigningKey::from_bytes(&[233; 32]);
    let document: SignedRoot = root_document_with(real_entry(), |document| {
        document.sequence = Sequence::new(2);
        let old = (Minute::ZERO, head_key(33).verifying_key());
        let keys = vec![old, (minute(SWITCH), next.verifying_key())];
        document.provinces[0].head_keys = HeadKeys::new(keys).unwrap();
    });
    std::fs::write(dir.join("root.bin"), document.to_bytes().unwrap()).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    until_root(&address, 1).await;
    let file = dir.join("signing.key.next");
    let aside = dir.join("aside");
    std::fs::write(&aside, hex::encode(next.to_bytes())).unwrap();
    std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(aside, file).unwrap();
    until_root(&address, 2).await;
    child.kill().unwrap();
    child.wait().unwrap();
}
