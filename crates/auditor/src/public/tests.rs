//! Nodes that answer, and nodes that lie, are late, answer garbage, too much or nothing.

mod counts;
mod daily;
mod made_up;
mod slow;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::log::Entry;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wire::public::v1::{Fault, GetOverviewResponse, InList, Slot as ToldSlot};

use super::config::Config;
use super::counted;
use super::texts::Texts;
use super::told;
use super::watch::Watch;
use made_up::{FEDERATION, Files, HOSTILE, entries, files, nodes, now, trust_list, vectors};

/// Nodes on this machine; what they serve can be changed.
struct Mirrors {
    urls: Vec<String>,
    files: Vec<Arc<Mutex<Files>>>,
    _serving: JoinSet<()>,
}

impl Mirrors {
    async fn start(all: Vec<Files>) -> Self {
        let (mut urls, mut kept, mut serving) = (Vec::new(), Vec::new(), JoinSet::new());
        for files in all {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            urls.push(format!("http://{}", listener.local_addr().unwrap()));
            let files = Arc::new(Mutex::new(files));
            kept.push(Arc::clone(&files));
            serving.spawn(serve(listener, files));
        }
        Self {
            urls,
            files: kept,
            _serving: serving,
        }
    }

    fn put(&self, node: usize, path: &str, bytes: Vec<u8>) {
        let mut files = self.files[node].lock().unwrap();
        files.insert(path.to_owned(), bytes);
    }

    fn set(&self, node: usize, all: Files) {
        *self.files[node].lock().unwrap() = all;
    }
}

async fn serve(listener: TcpListener, files: Arc<Mutex<Files>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, Arc::clone(&files), |_| Duration::ZERO).await;
    }
}

/// Answers a request after a while, which may depend on its path.
async fn answer(mut stream: TcpStream, files: Arc<Mutex<Files>>, after: fn(&str) -> Duration) {
    let mut asked = vec![0; 2_048];
    let len = stream.read(&mut asked).await.unwrap();
    let asked = String::from_utf8_lossy(&asked[..len]).into_owned();
    let path = asked.split(' ').nth(1).unwrap_or("/");
    let path = path.trim_start_matches('/');
    tokio::time::sleep(after(path)).await;
    let found = files.lock().unwrap().get(path).cloned();
    let (status, body) = found.map_or(("404 Not Found", Vec::new()), |b| ("200 OK", b));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Who asked may have gone away.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

fn config(urls: &[String]) -> Config {
    let vectors = vectors();
    let nodes = (1..).zip(urls);
    let nodes = nodes.map(|(slot, url)| format!("[[node]]\nslot = {slot}\nurl = \"{url}\"\n"));
    let nodes: String = nodes.collect();
    let text = format!(
        "federation = \"{FEDERATION}\"\n[trust]\nroot_keys = {}\nroot_threshold = {}\n{nodes}\
         [clock]\nstart_minute = {}\nrate_min_per_s = 0\n",
        vectors["root_keys"],
        vectors["root_threshold"],
        now().minute().get(),
    );
    Config::parse(&text, std::path::Path::new(".")).unwrap()
}

fn watching(urls: &[String]) -> Watch {
    Watch::new(config(urls))
}

async fn seen(watch: &Watch) -> GetOverviewResponse {
    watch.look().await;
    let texts = Texts::read(std::iter::empty()).unwrap();
    told::overview(watch, &texts)
}

fn log_fault(slot: &ToldSlot) -> Option<Fault> {
    slot.log_problem
        .as_ref()
        .map(wire::public::v1::Problem::fault)
}

fn list_fault(slot: &ToldSlot) -> Option<Fault> {
    slot.list_problem
        .as_ref()
        .map(wire::public::v1::Problem::fault)
}

#[tokio::test]
async fn what_three_nodes_serve_is_verified_and_told() {
    let mirrors = Mirrors::start(nodes()).await;
    let watch = watching(&mirrors.urls);
    let seen = seen(&watch).await;
    let list = seen.list.unwrap();
    assert_eq!((list.root_sequence, list.epoch), (1, 13));
    assert_eq!(list.verified_at_s, now().get_s());
    assert!(list.revocations > 0);
    assert_eq!(seen.rule_sets.len(), 8);
    assert_eq!(seen.rule_sets.iter().filter(|set| set.has_text).count(), 2);
    assert!(seen.rule_sets.iter().any(|set| set.rule_set_id == HOSTILE));
    assert_eq!(seen.circuits.iter().filter(|c| c.is_test).count(), 1);
    assert_eq!(seen.slots.len(), 3);
    for slot in &seen.slots {
        assert_eq!(
            (list_fault(slot), log_fault(slot)),
            (None, None),
            "{slot:?}"
        );
        let log = slot.log.as_ref().unwrap();
        let size = entries(u8::try_from(slot.slot).unwrap()).len() as u64;
        assert_eq!((log.size, log.entries_read, log.days), (size, size, 3));
        assert_eq!(log.witness_slots.len(), 2);
        assert!(!log.witness_slots.contains(&slot.slot));
        assert_eq!(log.head.as_ref().unwrap().epoch, 13);
        let registry = log.registry.as_ref().unwrap();
        assert_eq!(registry.cosigner_slots, [1, 2, 3]);
        assert_eq!(registry.in_list(), InList::Same);
        assert!(log.wrong.is_empty());
    }
    let counts = counted::days(&watch.state(), 1);
    let days: Vec<u32> = counts.days.iter().map(|day| day.day).collect();
    assert!(days.is_sorted() && days.len() == 3);
    let few = &counts.days[0].cells[2].people;
    assert_eq!(few.as_ref().map(|c| (c.least, c.most)), Some((0, 9)));
    assert!(counted::days(&watch.state(), 9).days.is_empty());
}

#[tokio::test]
async fn where_nobody_answers_nothing_is_told_but_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let seen = seen(&watching(&[free])).await;
    assert!(seen.list.is_none() && seen.rule_sets.is_empty() && seen.circuits.is_empty());
    assert_eq!(list_fault(&seen.slots[0]), Some(Fault::Silent));
    assert_eq!(log_fault(&seen.slots[0]), Some(Fault::NoList));
    assert!(seen.slots[0].log.is_none());
    assert!(seen.looked_at_s > 0);
}

#[tokio::test]
async fn a_slot_that_nobody_is_asked_about_says_so() {
    let mirrors = Mirrors::start(nodes()[..1].to_vec()).await;
    let seen = seen(&watching(&mirrors.urls)).await;
    assert_eq!(log_fault(&seen.slots[0]), None);
    assert_eq!(log_fault(&seen.slots[1]), Some(Fault::NotAsked));
    assert_eq!(seen.slots[1].province_code, 35);
}

#[tokio::test]
async fn a_list_by_too_few_an_old_one_garbage_and_too_much_are_told_apart() {
    let mirrors = Mirrors::start(nodes()).await;
    mirrors.put(0, "trust/v1/list", trust_list(5, &[1]));
    mirrors.put(1, "trust/v1/list", b"<html>".to_vec());
    mirrors.put(2, "trust/v1/list", vec![0; 300_000]);
    let watch = watching(&mirrors.urls);
    let first = seen(&watch).await;
    assert!(first.list.is_none());
    let faults: Vec<_> = first.slots.iter().map(list_fault).collect();
    let expected = [Fault::Unsigned, Fault::Garbage, Fault::TooLong];
    assert_eq!(faults, expected.map(Some));

    mirrors.put(0, "trust/v1/list", trust_list(5, &[1, 2]));
    mirrors.put(1, "trust/v1/list", trust_list(0, &[1, 2]));
    mirrors.put(2, "trust/v1/list", trust_list(5, &[2, 3]));
    let second = seen(&watch).await;
    assert_eq!(second.list.unwrap().online_sequence, 45);
    let faults: Vec<_> = second.slots.iter().map(list_fault).collect();
    assert_eq!(faults, [None, Some(Fault::Stale), None]);
}

#[tokio::test]
async fn a_batch_of_revocations_that_is_missing_or_another_takes_the_list_with_it() {
    let mut all = nodes();
    let path = all[0]
        .keys()
        .find(|path| path.starts_with("trust/v1/batch/"));
    let path = path.unwrap().clone();
    all[0].remove(&path);
    all.truncate(1);
    let mirrors = Mirrors::start(all).await;
    let watch = watching(&mirrors.urls);
    let first = seen(&watch).await;
    assert_eq!(list_fault(&first.slots[0]), Some(Fault::Nothing));
    mirrors.put(0, &path, vec![1, 2, 3]);
    let second = seen(&watch).await;
    assert_eq!(list_fault(&second.slots[0]), Some(Fault::Garbage));
    assert!(second.list.is_none());
}

#[tokio::test]
async fn a_log_that_lies_is_not_told_of() {
    let good = nodes();
    let other = files(1, &entries(1)[..4]);
    let flipped = |path: &str| {
        let mut files = good[0].clone();
        files.get_mut(path).unwrap()[60] ^= 1;
        files
    };
    let with = |path: &str, bytes: &[u8]| {
        let mut files = good[0].clone();
        files.insert(path.to_owned(), bytes.to_vec());
        files
    };
    let bundle = "tile/entries/000.p/9";
    assert!(good[0].contains_key(bundle));
    let without = |path: &str| {
        let mut files = good[0].clone();
        files.remove(path).unwrap();
        files
    };
    for (what, files, fault) in [
        (
            "another's checkpoint",
            with("checkpoint", &good[1]["checkpoint"]),
            Fault::Unsigned,
        ),
        (
            "a checkpoint of another tree",
            with("checkpoint", &other["checkpoint"]),
            Fault::Nothing,
        ),
        ("no note", with("checkpoint", b"ok\n"), Fault::Garbage),
        ("an entry changed", flipped(bundle), Fault::Contradicts),
        (
            "fewer entries",
            with(bundle, &other["tile/entries/000.p/4"]),
            Fault::Garbage,
        ),
        ("no entries", without(bundle), Fault::Nothing),
        ("keys that nobody signed", flipped("keys"), Fault::Unsigned),
        (
            "another's keys",
            with("keys", &good[1]["keys"][..good[1]["keys"].len() / 3]),
            Fault::Nothing,
        ),
        (
            "a part of keys",
            with("keys", &good[0]["keys"][..100]),
            Fault::Garbage,
        ),
        (
            "too many keys",
            with("keys", &vec![0; 20_000]),
            Fault::TooLong,
        ),
        (
            "too long a checkpoint",
            with("checkpoint", &vec![b'a'; 40_000]),
            Fault::TooLong,
        ),
    ] {
        let mirrors = Mirrors::start(vec![files]).await;
        let seen = seen(&watching(&mirrors.urls)).await;
        let slot = &seen.slots[0];
        assert_eq!(
            log_fault(slot),
            Some(fault),
            "{what}: {:?}",
            slot.log_problem
        );
        assert!(slot.log.is_none(), "{what}");
        assert!(slot.log_problem.as_ref().unwrap().detail.len() <= 300);
    }
}

#[tokio::test]
async fn a_log_is_followed_and_one_that_goes_back_or_forks_keeps_what_was_verified_and_says_so() {
    let mirrors = Mirrors::start(vec![files(1, &entries(1)[..2])]).await;
    let watch = watching(&mirrors.urls);
    let first = seen(&watch).await;
    assert_eq!(first.slots[0].log.as_ref().unwrap().size, 2);
    assert!(first.slots[0].log.as_ref().unwrap().head.is_none());

    mirrors.set(0, files(1, &entries(1)));
    let grown = seen(&watch).await;
    let log = grown.slots[0].log.as_ref().unwrap();
    assert_eq!((log.size, log.entries_read), (9, 9));

    mirrors.set(0, files(1, &entries(1)[..3]));
    let shrunk = seen(&watch).await;
    assert_eq!(log_fault(&shrunk.slots[0]), Some(Fault::Contradicts));
    assert_eq!(shrunk.slots[0].log.as_ref().unwrap().size, 9);

    let mut forked = entries(1);
    forked.swap(0, 1);
    forked.push(entries(1).swap_remove(0));
    mirrors.set(0, files(1, &forked));
    let forked = seen(&watch).await;
    assert_eq!(log_fault(&forked.slots[0]), Some(Fault::Contradicts));
    assert_eq!(forked.slots[0].log.as_ref().unwrap().size, 9);
}

#[tokio::test]
async fn a_registry_without_a_quorum_another_ones_head_and_a_second_count_are_named_and_not_told() {
    let mut wrong = entries(1);
    wrong[2] = entries(2).swap_remove(2);
    wrong[3] = Entry::Registry(made_up::cosigned(&[1]));
    wrong.push(entries(1).swap_remove(0));
    let mirrors = Mirrors::start(vec![files(1, &wrong)]).await;
    let seen = seen(&watching(&mirrors.urls)).await;
    let log = seen.slots[0].log.as_ref().unwrap();
    assert!(log.head.is_none() && log.registry.is_none());
    assert_eq!((log.wrong.len(), log.days), (3, 3), "{:?}", log.wrong);
}

#[tokio::test]
async fn of_a_long_log_the_newest_bundles_are_read_and_the_roots_of_those_before() {
    let head = entries(1).swap_remove(2);
    let mut long: Vec<Entry> = std::iter::repeat_n(head, 256 * 40 + 7).collect();
    long.extend(entries(1));
    let mut all = files(1, &long);
    let oldest = super::log::path(None, 0, 256);
    all.remove(&oldest).unwrap();
    let mirrors = Mirrors::start(vec![all.clone()]).await;
    let watch = watching(&mirrors.urls);
    let first = seen(&watch).await;
    let log = first.slots[0].log.as_ref().unwrap();
    assert_eq!((log.size, log.entries_read), (256 * 40 + 16, 256 * 32 + 16));
    assert_eq!(log.days, 3);

    let roots = super::log::path(Some(1), 0, 40);
    all.get_mut(&roots).unwrap()[5] ^= 1;
    let mirrors = Mirrors::start(vec![all]).await;
    let second = seen(&watching(&mirrors.urls)).await;
    assert_eq!(log_fault(&second.slots[0]), Some(Fault::Contradicts));
}

#[test]
fn an_address_that_others_reach_and_a_text_that_is_none_are_refused_before_a_port_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page.toml");
    let keys = &vectors()["root_keys"];
    let text = format!("federation = \"demo\"\n[trust]\nroot_keys = {keys}\nroot_threshold = 2\n");
    std::fs::write(&path, &text).unwrap();
    let refused = |listen: Option<&str>, rules: Vec<std::path::PathBuf>| {
        let args = super::Args {
            config: path.clone(),
            listen: listen.map(|address| address.parse().unwrap()),
            rules,
        };
        let refused = super::run(&args).err();
        format!("{:#}", refused.unwrap())
    };
    assert!(refused(Some("0.0.0.0:0"), Vec::new()).contains("is not loopback"));
    assert!(refused(None, vec![path.clone()]).contains("is refused"));
}

/// The made-up federation as a file, for the tests of the page in a browser.
#[test]
fn the_vectors_of_the_page_are_those_that_this_makes() {
    let of_node = |files: &Files| {
        let all = files
            .iter()
            .map(|(path, bytes)| (path.clone(), json!(hex::encode(bytes))));
        serde_json::Value::Object(all.collect())
    };
    let made = json!({
        "federation": FEDERATION,
        "now_s": now().get_s(),
        "hostile_name": HOSTILE,
        "announced_rules": made_up::announced_text(),
        "nodes": nodes().iter().map(of_node).collect::<Vec<_>>(),
        "newer_list": hex::encode(trust_list(5, &[1, 2])),
        "lying_checkpoint": hex::encode(&files(1, &entries(1)[..4])["checkpoint"]),
    });
    let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/public.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        text,
        "UPDATE_VECTORS=1 writes them"
    );
}

#[tokio::test]
async fn a_page_ends_with_an_error_where_nodes_are_no_longer_looked_at() {
    let dies = tokio::spawn(async { panic!("as a fault would") });
    let ended = super::both(std::future::pending(), dies);
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    let error = ended.expect("it goes on serving").unwrap_err();
    assert_eq!(error.to_string(), "nodes are no longer looked at");
    // And in order where it is told to end.
    let looks = tokio::spawn(std::future::pending());
    let served = super::both(std::future::ready(Ok(())), looks);
    assert!(served.await.is_ok());
}
