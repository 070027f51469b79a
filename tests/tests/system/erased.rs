//! A resident who is erased: what is left of them, on disk, in backups and in memory, and what a node has said of them all
//! the while.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::config::Config;
use node::store::{DiskStore, Entropy, ResidentKey, Store as _, Table, Vault};
use node::{Prepared, StartError};
use rules::{Event, EventBody, SourceKind, TestResult};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use tests::{Holder, NodeProcess, Person, Plan, Search, Sentinels, World, fresh_id, refusal};
use wire::maintenance::v1 as upkeep;
use wire::operator::v1 as op;
use wire::resident::v1 as res;

use crate::NODE;
use crate::leak::{
    HOME, NOT_RED, OTHER, live, misstatements, refusals, sentinel, sentinels_of, walk,
};

/// Days after which events leave.
const HORIZON: u32 = 30;
/// Days that pass before the erasure; the trust list's root lasts for 60.
const LATER: i64 = 59;
/// The contact among the events of [`live`].
const CONTACT: usize = 4;
/// Somebody who stays.
const STAYS: u16 = 1;

/// A row as it is stored, and what it says once it is opened.
struct Row {
    table: Table,
    key: Vec<u8>,
    stored: Vec<u8>,
    opened: Vec<u8>,
}

/// What a command of the node's program says, on both outputs.
fn told(world: &World, arguments: &[&str]) -> Vec<u8> {
    let output = command(world, arguments).output().unwrap();
    let text = [&output.stdout[..], &output.stderr].concat();
    let shown = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{arguments:?}: {shown}");
    text
}

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(NODE);
    command
        .args(arguments)
        .current_dir(world.dir().join(HOME.to_string()))
        .env("RUST_LOG", "trace");
    command
}

/// A home whose log is JSON at the finest level.
fn start(world: &mut World) {
    let mut command = world.node_command(HOME);
    command.env("NODE_LOG_FORMAT", "json");
    let started = NodeProcess::start(command);
    let node = started.unwrap_or_else(|(exit, log)| panic!("it ended with {exit:?}:\n{log}"));
    world.adopt(HOME, node);
}

fn configure(world: &World, backend: &str, recipient: &str) {
    let tables = format!(
        "[store]\nbackend = \"{backend}\"\nreserve_mib = 1\nbackup_recipients = [\"{recipient}\"]\n\
         [retention]\nhorizon_days = {HORIZON}\n"
    );
    world.write_config(HOME, &tables);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_resident_nothing_is_left_that_opens_on_sled() {
    nothing_is_left_on("sled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_resident_nothing_is_left_that_opens_on_redb() {
    nothing_is_left_on("redb").await;
}

async fn nothing_is_left_on(backend: &str) {
    let mut plan = Plan::new(NODE, 2);
    plan.people.push(sentinel());
    plan.log = "trace";
    let mut world = World::prepare(plan);
    let (identity, recipient) = node::new_identity();
    std::fs::write(world.dir().join("backup.identity"), identity.as_bytes()).unwrap();
    owner_only(&world.dir().join("backup.identity"));
    configure(&world, backend, &recipient);
    start(&mut world);
    world.start_node(OTHER);
    let events = lead_a_life(&world).await;
    let mut said = told(
        &world,
        &["backup", "--config", "node.toml", "--to", "before.age"],
    );
    said.extend(over_the_socket(&world).await);
    end(&mut world, &mut said);

    let search = sentinels_of(&sentinel(), &events).search();
    let here = world.dir().join(HOME.to_string());
    files_hold_nothing(&search, "before the erasure", &here);
    let stolen = world.dir().join("stolen");
    copy(&here, &stolen);
    let theirs = what_is_theirs(&search, &stolen);

    // They move away, and time passes.
    world.write_register(HOME, |person| person.name != sentinel().name);
    world.let_pass(world.now().saturating_add_signed(LATER * 1_440));
    configure(&world, backend, &recipient);
    start(&mut world);
    wait_for_erasure(&world).await;
    memory_holds_nothing(&world, &search).await;
    nobody_knows_them(&world, &events).await;
    files_hold_nothing(&search, "after the erasure", &here);
    for arguments in [
        &["keys", "rotate", "node.key"][..],
        &["keys", "renew", "--config", "node.toml"],
        &["keys", "retire", "1", "node.key"],
        &["compact", "--config", "node.toml"],
        &["backup", "--config", "node.toml", "--to", "after.age"],
    ] {
        said.extend(told(&world, arguments));
    }
    said.extend(over_the_socket(&world).await);
    end(&mut world, &mut said);
    search.must_find_nothing("what the node and its commands said", &said);
    files_hold_nothing(&search, "after compaction", &here);
    nothing_opens(&search, &theirs, &world);
    told(&world, &["fsck", "--config", "node.toml"]);
    backups_and_old_disks(&world, &search, &theirs, &stolen);
}

/// What looks for the rows of the resident in the store of a directory, where they are.
fn what_is_theirs(search: &Search, dir: &Path) -> Search {
    let (rows, key) = open_store(&dir.join("node.toml"));
    let rows = rows.unwrap();
    let opened: Vec<u8> = rows.iter().flat_map(|row| row.opened.clone()).collect();
    let found = search.found_in(&opened);
    for form in ["identity number", "event", "place, 8 bytes"] {
        assert!(found.contains(form), "{form} is not in the opened rows");
    }
    let theirs = rows_of_them(&rows, key);
    let found = found_in_files(&theirs, dir);
    assert!(!found.is_empty(), "their rows are on the disk");
    theirs
}

/// In no file is anything of the resident's, sealed or not, and no row that opens speaks of them.
fn nothing_opens(search: &Search, theirs: &Search, world: &World) {
    let data = world.data_dir(HOME);
    assert_eq!(found_in_files(theirs, &data), BTreeSet::new());
    let names = data.read_dir().unwrap().flatten().map(|e| e.file_name());
    let is_one = |name: &str| name.starts_with('g') || name.starts_with("new-");
    let generations = names.filter(|name| name.to_str().is_some_and(is_one));
    assert_eq!(generations.count(), 1, "there is the generation in use");
    let (rows, _) = open_store(&data.with_file_name("node.toml"));
    for row in rows.unwrap() {
        let found = search.found_in_little(&row.opened);
        assert_eq!(found, BTreeSet::new(), "{}", row.table.name());
    }
}

/// All that can become of a record: events, an epoch, passes, a query, a correction, refusals; and of somebody else's.
async fn lead_a_life(world: &World) -> Vec<Event> {
    let (now, person) = (world.now(), sentinel());
    let mut device = world.device(&person);
    device.register(now).await.unwrap();
    let mut errors = Vec::new();
    let mut events = live(world, &person, &mut errors).await;
    let stays = Person::of(HOME, STAYS);
    let body = EventBody::Test {
        sampled_at: now.saturating_add_signed(-77),
        result: TestResult::Negative,
    };
    let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
    laboratory.state(&stays, now, body).await;
    world.commit(1).await;
    let passes = device.passes(NOT_RED, "", &[Holder::new()], now).await;
    assert_eq!(passes.unwrap().len(), 1);
    device.query("", now).await.unwrap();
    let contested = res::Correct {
        case_id: fresh_id().to_vec(),
        event_id: events[CONTACT].id.0.to_vec(),
        statement: "我没有去".to_owned(),
    };
    let request: res::CorrectRequest = device.sign(&contested, now);
    device.client.correct(request).await.unwrap();
    refusals(world, &person, &mut errors).await;
    misstatements(world, &person, &events, &mut errors).await;
    // The contest is granted; the record would be kept for the contact otherwise.
    let mut appeals = world.source(HOME, SourceKind::AppealsOffice, HOME);
    let granted = EventBody::Ruling {
        target: events[CONTACT].id,
        at: now,
    };
    let granted = appeals.event(person.number, now, granted);
    let signed = appeals.sign(&granted);
    assert_eq!(appeals.offer(vec![signed]).await.unwrap(), ["accepted"]);
    events.push(granted);
    events
}

/// What the control socket answers to every call.
async fn over_the_socket(world: &World) -> Vec<u8> {
    let channel = node::control_channel(&world.data_dir(HOME)).await.unwrap();
    let mut node = wire::client::maintenance(channel.expect("a node runs"));
    let compacted = node.compact(upkeep::CompactRequest {}).await.unwrap();
    let renewed = node.renew_keys(upkeep::RenewKeysRequest {}).await.unwrap();
    let mut said = format!("{compacted:?} {renewed:?}").into_bytes();
    let chunks = node.backup(upkeep::BackupRequest {}).await.unwrap();
    said.extend(format!("{:?}", chunks.metadata()).bytes());
    let mut chunks = chunks.into_inner();
    while let Some(chunk) = chunks.message().await.unwrap() {
        said.extend(chunk.chunk);
    }
    said
}

/// Ends all nodes, after a look at what they show; their logs are among what was said.
fn end(world: &mut World, said: &mut Vec<u8>) {
    for code in [HOME, OTHER] {
        if world.runs(code) {
            let (_, told) = world.node(code).ask("/metrics");
            said.extend(told.bytes());
            let (exit, log) = world.take_node(code).terminate();
            assert_eq!(exit, Some(0));
            let log = log.bytes();
            let level = b"TRACE";
            assert!(
                log.windows(5).any(|w| w == level),
                "the log is not at trace level"
            );
            said.extend(log);
        }
    }
}

async fn wait_for_erasure(world: &World) {
    let began = Instant::now();
    let log = world.node(HOME).log();
    while !log.text().contains("\"erased\":1") {
        let waited = began.elapsed();
        assert!(waited < Duration::from_mins(1), "nobody was erased");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The node takes nothing of the erased resident and for them; whoever stays is there.
async fn nobody_knows_them(world: &World, events: &[Event]) {
    let mut operator = world.operator(HOME);
    let status = operator.get_status(op::GetStatusRequest {}).await.unwrap();
    assert_eq!(status.get_ref().residents, 1);
    let (now, person) = (world.now(), sentinel());
    let mut device = world.device(&person);
    assert_eq!(refusal(device.query("", now).await), "UNKNOWN_DEVICE");
    assert_eq!(refusal(device.register(now).await), "REAL_NAME_REFUSED");
    let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
    let event = laboratory.event(person.number, now, events[0].body);
    let event = laboratory.sign(&event);
    assert_eq!(
        laboratory.offer(vec![event]).await.unwrap(),
        ["lives-elsewhere"]
    );
}

/// Old backups and copies of the disk open with the old ring, and with no other.
fn backups_and_old_disks(world: &World, search: &Search, theirs: &Search, stolen: &Path) {
    let here = world.dir().join(HOME.to_string());
    let after = open_backup(world, &here.join("after.age"));
    search.must_find_nothing("the new backup, opened", &after);
    theirs.must_find_nothing("the new backup, opened", &after);
    let before = open_backup(world, &here.join("before.age"));
    search.must_find_nothing("the old backup, opened", &before);
    assert!(
        !theirs.found_in(&before).is_empty(),
        "their rows are in the old backup"
    );

    let config = std::fs::read_to_string(here.join("node.toml")).unwrap();
    let config = config.replace("data_dir = \"data\"", "data_dir = \"restored\"");
    std::fs::write(here.join("with-new.toml"), &config).unwrap();
    let old_ring = format!("node_key_file = \"{}\"", stolen.join("node.key").display());
    let config = config.replace("node_key_file = \"node.key\"", &old_ring);
    std::fs::write(here.join("with-old.toml"), config).unwrap();
    let identity = ["--from", "before.age", "--identity", "../backup.identity"];
    let restore = |config| [&["restore", "--config", config], &identity[..]].concat();
    let refused = command(world, &restore("with-new.toml")).output().unwrap();
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && text.contains("key number 1"),
        "{text}"
    );
    told(world, &restore("with-old.toml"));
    let (rows, _) = open_store(&here.join("with-old.toml"));
    let brings_back = |row: &Row| search.found_in(&row.opened).contains("identity number");
    assert!(rows.unwrap().iter().any(brings_back));

    // A disk that was taken before the erasure.
    std::fs::copy(here.join("node.key"), stolen.join("new.key")).unwrap();
    owner_only(&stolen.join("new.key"));
    let config = std::fs::read_to_string(stolen.join("node.toml")).unwrap();
    let (rows, _) = open_store(&stolen.join("node.toml"));
    assert!(rows.unwrap().iter().any(brings_back));
    let config = config.replace("\"node.key\"", "\"new.key\"");
    std::fs::write(stolen.join("node.toml"), config).unwrap();
    let (refused, _) = open_store(&stolen.join("node.toml"));
    let refused = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(refused.contains("key number 1"), "{refused}");
}

/// All rows of a node's store, opened, and the sentinel's name in it.
fn open_store(config: &Path) -> (Result<Vec<Row>, StartError>, ResidentKey) {
    let prepared = Prepared::read(Config::read(config).unwrap()).unwrap();
    let entropy = Arc::new(Entropy::from_seed([7; 32]));
    match prepared.open_store(&entropy) {
        Ok((disk, vault)) => {
            let key = ResidentKey(vault.blinded("resident", sentinel().number.expose()));
            (Ok(all_rows(&disk, &vault)), key)
        }
        Err(error) => (Err(error), ResidentKey([0; 32])),
    }
}

fn all_rows(disk: &DiskStore, vault: &Vault) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        for (key, stored) in disk.scan(table, b"", None, usize::MAX).unwrap() {
            // Whose store it is and wrapped keys are under no data key.
            let opened = match table {
                Table::Meta | Table::Keys => stored.clone(),
                _ => vault.get::<Opened>(table, &key).unwrap().unwrap().0,
            };
            rows.push(Row {
                table,
                key,
                stored,
                opened,
            });
        }
    }
    rows
}

/// A row's bytes, whatever they mean.
struct Opened(Vec<u8>);

impl<'de> Deserialize<'de> for Opened {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AllBytes;
        impl<'de> Visitor<'de> for AllBytes {
            type Value = Opened;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes up to the end")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Opened, A::Error> {
                let next = || from.next_element::<u8>().ok().flatten();
                Ok(Opened(std::iter::from_fn(next).collect()))
            }
        }
        from.deserialize_tuple(usize::MAX, AllBytes)
    }
}

/// What looks for a resident's rows as they are stored, for their name in the store and for their device's.
fn rows_of_them(rows: &[Row], key: ResidentKey) -> Search {
    let mut sentinels = Sentinels::default();
    sentinels.bytes("the resident's name in the store", &key.0);
    sentinels.device(&sentinel());
    let mut tables = BTreeSet::new();
    for row in rows {
        let named = |bytes: &[u8]| bytes.windows(32).any(|w| w == key.0);
        let is_theirs = row.key.starts_with(&key.0) || named(&row.stored) || named(&row.opened);
        // A place keeps that it was somebody's.
        if is_theirs && row.table != Table::Places {
            tables.insert(row.table.name());
            sentinels.bytes(row.table.name(), &row.stored);
        }
    }
    for table in [
        "residents",
        "devices",
        "events",
        "uses",
        "passes",
        "limits",
        "cases",
        "reads",
        "committed",
        "keys",
        "refusals",
    ] {
        assert!(tables.contains(table), "no row of {table} is theirs");
    }
    sentinels.search()
}

fn found_in_files(search: &Search, dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(dir, &mut |_, bytes| {
        found.extend(search.found_in(bytes).into_iter().map(ToOwned::to_owned));
    });
    found
}

fn files_hold_nothing(search: &Search, when: &str, dir: &Path) {
    let mut files = 0;
    walk(dir, &mut |path, bytes| {
        files += 1;
        let found = search.found_in(bytes);
        assert_eq!(found, BTreeSet::new(), "{when}: {}", path.display());
    });
    assert!(files > 8, "{files} files were looked at");
}

/// The rows of a backup, sealed as they are in the store.
fn open_backup(world: &World, file: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(world.dir().join("backup.identity")).unwrap();
    let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
    let identity: age::x25519::Identity = line.parse().unwrap();
    let sealed = std::fs::read(file).unwrap();
    let decryptor = age::Decryptor::new_buffered(&sealed[..]).unwrap();
    let named = std::iter::once(&identity as &dyn age::Identity);
    let mut plain = Vec::new();
    let mut reader = decryptor.decrypt(named).unwrap();
    reader.read_to_end(&mut plain).unwrap();
    plain
}

/// The node that has read the record to erase it has nothing of it in its memory any more: what is freed is wiped. Stacks of
/// threads are not; those that have read records are gone some seconds after.
async fn memory_holds_nothing(world: &World, search: &Search) {
    let mut in_use = Sentinels::default();
    in_use.text("directory", world.data_dir(HOME).to_str().unwrap());
    let Some(found) = in_memory(world, &in_use.search()) else {
        // Who is not root may not look: crates/node/tests/whole/hardened.rs.
        return;
    };
    assert!(found.contains("directory"), "what is in use is found");
    let began = Instant::now();
    loop {
        let found = in_memory(world, search).unwrap();
        if found.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{found:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What is found in the memory of the node; none where it may not be read, which is what a node asks of the system.
fn in_memory(world: &World, search: &Search) -> Option<BTreeSet<String>> {
    let proc = format!("/proc/{}", world.node(HOME).id());
    let maps = std::fs::read_to_string(format!("{proc}/maps"));
    let memory = std::fs::File::open(format!("{proc}/mem"));
    let (Ok(maps), Ok(memory)) = (maps, memory) else {
        return None;
    };
    let (mut found, mut read) = (BTreeSet::new(), 0);
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        let (from, upto) = range.split_once('-').unwrap();
        let at = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, upto) = (at(from), at(upto));
        if !rest.starts_with("rw") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(upto - from).unwrap()];
        // What the system keeps to itself cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            read += bytes.len();
            found.extend(search.found_in(&bytes).into_iter().map(ToOwned::to_owned));
        }
    }
    assert!(read > 1 << 20, "{read} bytes of memory were read");
    Some(found)
}

fn owner_only(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}
