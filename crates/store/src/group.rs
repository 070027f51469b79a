//! One writer for all commits: those that wait share one durable write, which costs about a millisecond whatever its size.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::batch::{Rows, after_prefix, whole_key};
use crate::error::{failed, stopped};
use crate::generation::{CHUNK_LEN, Engine, Generation};
use crate::mark::Tally;
use crate::observe::observed;
use crate::room::Room;
use crate::watch::Watch;
use crate::{Batch, Each, Entries, StoreError, StoreObserver, Table, unsynced};

/// Commits that may wait for the writer; more block their callers.
const QUEUE_LEN: usize = 1_024;
/// Commits that share one write.
const GROUP_LEN: usize = 256;
/// Bytes of changes that may wait for an export; beyond, the export fails and not the commits.
const TAP_BYTES: usize = 64 << 20;
/// Time that the writer of a store that has failed has to end.
const CLOSING: Duration = Duration::from_secs(2);
/// How often the size of the directory is looked at.
const SIZE_EVERY: Duration = Duration::from_secs(1);

/// What readers and the writer share.
struct Shared {
    engine: RwLock<Arc<dyn Engine>>,
    calls: Arc<Calls>,
    tally: Mutex<Tally>,
    observer: OnceLock<Arc<dyn StoreObserver>>,
}

/// The calls under way, and whether any may still be made. What looks after them has this alone: were it to hold the
/// database, if only for a moment, a store that was just closed could not be opened again.
struct Calls {
    failed: AtomicBool,
    watch: Watch,
    /// The store's directory.
    dir: PathBuf,
}

impl Calls {
    fn usable(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        Ok(())
    }

    fn fail(&self) {
        if !self.failed.swap(true, Ordering::SeqCst) {
            unsynced::note(&self.dir);
        }
    }
}

impl Shared {
    fn usable(&self) -> Result<(), StoreError> {
        self.calls.usable()
    }

    fn fail(&self) {
        self.calls.fail();
    }

    fn engine(&self) -> Arc<dyn Engine> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&engine)
    }
}

/// Databases with one writer.
pub(crate) struct Grouped {
    shared: Arc<Shared>,
    queue: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held by an export or a switch: one at a time, since an export reads the database that it began with.
    exporting: Mutex<()>,
}

/// Makes the generation to switch to; it is called between two commits.
type Switch = Box<dyn FnOnce(Tally) -> Result<Generation, NotSwitched> + Send>;

/// Why there was no switch.
pub(crate) struct NotSwitched {
    pub(crate) error: StoreError,
    /// Whether the next start may begin with the new generation: no commit may go to the old one any more.
    pub(crate) in_doubt: bool,
}

impl From<StoreError> for NotSwitched {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            in_doubt: false,
        }
    }
}

enum Job {
    Commit(Batch, SyncSender<Result<(), StoreError>>),
    Tap(Tap, SyncSender<Result<(), StoreError>>),
    Untap(SyncSender<Tally>),
    Switch(Switch, SyncSender<Result<(), StoreError>>),
}

/// Hands an export the changes made since it began.
struct Tap {
    changes: Sender<Arc<Rows>>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// An export's end of it.
struct Tapped {
    changes: Receiver<Arc<Rows>>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Tapped {
    fn keeps_up(&self) -> Result<(), StoreError> {
        if self.waiting_bytes.load(Ordering::SeqCst) > TAP_BYTES {
            return Err(StoreError::Overrun);
        }
        Ok(())
    }

    fn each(&self, rows: &Rows, each: &mut Each<'_>) -> Result<(), StoreError> {
        self.waiting_bytes
            .fetch_sub(bytes_of(rows), Ordering::SeqCst);
        let own = rows.iter().filter(|(key, _)| key.first() != Some(&0));
        own.into_iter()
            .try_for_each(|(key, value)| each(key, value.as_deref()))
    }
}

fn bytes_of(rows: &Rows) -> usize {
    let of = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
        key.len() + value.as_ref().map_or(0, Vec::len) + 64
    };
    rows.iter().map(of).sum()
}

impl Grouped {
    pub(crate) fn start(
        generation: Generation,
        room: Room,
        stall_limit: Duration,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(QUEUE_LEN);
        let shared = Arc::new(Shared {
            engine: RwLock::new(Arc::clone(&generation.engine)),
            calls: Arc::new(Calls {
                failed: AtomicBool::new(false),
                watch: Watch::new(),
                dir: room.dir.clone(),
            }),
            tally: Mutex::new(generation.tally),
            observer: OnceLock::new(),
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            generation,
            room,
            room_seen: None,
            tap: None,
        };
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(failed)?;
        start_watching(&shared.calls, stall_limit)?;
        Ok(Self {
            shared,
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
            exporting: Mutex::new(()),
        })
    }

    /// What the rows added up to at the last commit.
    pub(crate) fn tally(&self) -> Tally {
        *self
            .shared
            .tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.shared.usable().is_err()
    }

    /// Reads under the watch; a database that dies over damaged pages fails, and nothing else does.
    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.shared.usable()?;
        let engine = self.shared.engine();
        let _watched = self.shared.calls.watch.begin();
        let answer = read(&*engine);
        if engine.has_died() {
            self.shared.fail();
        }
        answer
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = whole_key(table, key)?;
        self.read(|engine| engine.get(&key))
    }

    pub(crate) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        let prefix = whole_key(table, prefix)?;
        let Some(end) = after_prefix(&prefix) else {
            return Ok(Vec::new());
        };
        let mut from = prefix;
        if let Some(after) = after {
            // The least key above `after` is `after` with a zero byte.
            from = from.max([whole_key(table, after)?, vec![0]].concat());
        }
        let rows = self.read(|engine| engine.range(&from, Some(&end), limit))?;
        let own = rows.into_iter();
        Ok(own
            .map(|(mut key, value)| (key.split_off(1), value))
            .collect())
    }

    /// Gives the writer a job and waits for its answer.
    fn ask<T>(&self, job: impl FnOnce(SyncSender<T>) -> Job) -> Result<T, StoreError> {
        self.shared.usable()?;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.clone().ok_or_else(stopped)?;
        drop(queue);
        let (done, answer) = sync_channel(1);
        sender.send(job(done)).map_err(|_| stopped())?;
        loop {
            match answer.recv_timeout(Duration::from_secs(1)) {
                Ok(answer) => return Ok(answer),
                // A writer that hangs in the database does not answer.
                Err(RecvTimeoutError::Timeout) => self.shared.usable()?,
                Err(RecvTimeoutError::Disconnected) => return Err(stopped()),
            }
        }
    }

    pub(crate) fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return self.shared.usable();
        }
        let commit = || self.ask(|done| Job::Commit(batch, done))?;
        match self.shared.observer.get() {
            Some(observer) => observed(&**observer, commit),
            None => commit(),
        }
    }

    /// Has an observer told of every commit from now on; the first one stays.
    pub(crate) fn tell(&self, observer: Arc<dyn StoreObserver>) {
        let _ = self.shared.observer.set(observer);
    }

    pub(crate) fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        let _one = self
            .exporting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tapped = self.begin_export(each)?;
        let tally = self.ask(Job::Untap)?;
        tapped.keeps_up()?;
        for rows in &tapped.changes {
            tapped.each(&rows, each)?;
        }
        Ok(tally)
    }

    /// Exports and then, between two commits, has what was exported take the database's place: `finish` is given the
    /// changes not yet exported and what all must add up to.
    pub(crate) fn switch(
        &self,
        each: &mut Each<'_>,
        finish: impl FnOnce(
            &mut dyn Iterator<Item = Arc<Rows>>,
            Tally,
        ) -> Result<Generation, NotSwitched>
        + Send
        + 'static,
    ) -> Result<(), StoreError> {
        let _one = self
            .exporting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tapped = self.begin_export(each)?;
        let switch = Box::new(move |tally| {
            tapped.keeps_up()?;
            finish(&mut tapped.changes.try_iter(), tally)
        });
        self.ask(|done| Job::Switch(switch, done))?
    }

    fn begin_export(&self, each: &mut Each<'_>) -> Result<Tapped, StoreError> {
        let (changes, tapped) = std::sync::mpsc::channel();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let tap = Tap {
            changes,
            waiting_bytes: Arc::clone(&waiting_bytes),
        };
        let tapped = Tapped {
            changes: tapped,
            waiting_bytes,
        };
        self.ask(|done| Job::Tap(tap, done))??;
        let mut from = vec![1];
        loop {
            tapped.keeps_up()?;
            while let Ok(rows) = tapped.changes.try_recv() {
                tapped.each(&rows, each)?;
            }
            // What was committed before this is read, or was given; what comes after it is given later.
            let rows = self.read(|engine| engine.range(&from, None, CHUNK_LEN))?;
            for (key, value) in &rows {
                each(key, Some(value))?;
            }
            match rows.into_iter().next_back() {
                Some((last, _)) => from = [last, vec![0]].concat(),
                None => return Ok(tapped),
            }
        }
    }
}

impl Drop for Grouped {
    fn drop(&mut self) {
        let queue = self.queue.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(queue.take());
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = writer.take() else { return };
        // One that hangs in the database would never end; one that does not must have let go of it before it is opened
        // again.
        let since = Instant::now();
        let in_time = || since.elapsed() < CLOSING;
        while self.has_failed() && !writer.is_finished() && in_time() {
            std::thread::sleep(Duration::from_millis(5));
        }
        if !self.has_failed() || writer.is_finished() {
            // A writer that panicked has already made the store refuse everything.
            let _ = writer.join();
        }
    }
}

/// Looks after the calls under way until the store is dropped.
fn start_watching(calls: &Arc<Calls>, limit: Duration) -> Result<(), StoreError> {
    let watched = Arc::downgrade(calls);
    let every = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let watch = move || {
        while let Some(calls) = watched.upgrade() {
            if calls.watch.oldest() > limit && calls.usable().is_ok() {
                calls.fail();
                tracing::error!(
                    limit_s = limit.as_secs(),
                    "the database does not answer; it is not asked any more"
                );
            }
            drop(calls);
            std::thread::sleep(every);
        }
    };
    let thread = std::thread::Builder::new().name("store-watch".to_owned());
    thread.spawn(watch).map_err(failed)?;
    Ok(())
}

struct Writer {
    shared: Arc<Shared>,
    generation: Generation,
    room: Room,
    room_seen: Option<(Instant, Result<(), StoreError>)>,
    tap: Option<Tap>,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let _guard = FailOnPanic(Arc::clone(&self.shared));
        let mut next = jobs.recv().ok();
        while let Some(job) = next.take() {
            match job {
                Job::Commit(batch, done) => {
                    let mut group = vec![(batch, done)];
                    while group.len() < GROUP_LEN {
                        match jobs.try_recv() {
                            Ok(Job::Commit(batch, done)) => group.push((batch, done)),
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit_group(group);
                }
                Job::Tap(tap, done) => {
                    self.tap = Some(tap);
                    answer(&done, Ok(()));
                }
                Job::Untap(done) => {
                    self.tap = None;
                    answer(&done, self.generation.tally);
                }
                Job::Switch(switch, done) => {
                    self.tap = None;
                    answer(&done, self.switch(switch));
                }
            }
            if next.is_none() {
                next = jobs.recv().ok();
            }
        }
    }

    fn switch(&mut self, switch: Switch) -> Result<(), StoreError> {
        self.shared.usable()?;
        let new = switch(self.generation.tally).map_err(|not| {
            if not.in_doubt {
                self.shared.fail();
            }
            not.error
        })?;
        let mut engine = self
            .shared
            .engine
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *engine = Arc::clone(&new.engine);
        drop(engine);
        self.generation = new;
        Ok(())
    }

    fn commit_group(&mut self, group: Vec<(Batch, SyncSender<Result<(), StoreError>>)>) {
        let shared = Arc::clone(&self.shared);
        let _watched = shared.calls.watch.begin();
        let room = self.check_room();
        let mut rows = Rows::new();
        let mut tally = self.generation.tally;
        let mut applied = Vec::with_capacity(group.len());
        for (batch, done) in group {
            let outcome = match &room {
                Ok(()) => self.take_in(batch, &mut rows, &mut tally),
                Err(error) => Err(error.clone()),
            };
            match outcome {
                Ok(()) => applied.push(done),
                Err(error) => answer(&done, Err(error)),
            }
        }
        if applied.is_empty() {
            return;
        }
        tally.commits += 1;
        tally.put_into(&mut rows);
        let began = Instant::now();
        let durable = self.write(rows, tally);
        if let (Some(observer), Ok(())) = (shared.observer.get(), &durable) {
            observer.group_flushed(applied.len(), began.elapsed());
        }
        if durable.is_err() {
            // What of the group is on disk is unknown.
            self.shared.fail();
        }
        for done in applied {
            answer(&done, durable.clone());
        }
    }

    /// Puts a batch among the rows to be written, whole or not at all.
    fn take_in(&self, batch: Batch, rows: &mut Rows, tally: &mut Tally) -> Result<(), StoreError> {
        let engine = &self.generation.engine;
        let now = |rows: &Rows, key: &[u8]| match rows.get(key) {
            Some(value) => Ok(value.clone()),
            None => engine.get(key),
        };
        let changes = batch.resolve(|key| now(rows, key))?;
        let mut after = *tally;
        for (key, value) in &changes {
            if let Some(old) = now(rows, key)? {
                after.remove(key, &old);
            }
            if let Some(new) = value {
                after.add(key, new);
            }
        }
        *tally = after;
        rows.extend(changes);
        Ok(())
    }

    fn write(&mut self, rows: Rows, tally: Tally) -> Result<(), StoreError> {
        self.generation.engine.write(&rows)?;
        self.generation.mark.write(tally)?;
        self.generation.tally = tally;
        let mut known = self
            .shared
            .tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = tally;
        drop(known);
        if let Some(tap) = &self.tap {
            let waiting = tap
                .waiting_bytes
                .fetch_add(bytes_of(&rows), Ordering::SeqCst);
            // An export that has gone away, or is too slow, is not served further.
            if waiting > TAP_BYTES || tap.changes.send(Arc::new(rows)).is_err() {
                self.tap = None;
            }
        }
        Ok(())
    }

    fn check_room(&mut self) -> Result<(), StoreError> {
        self.shared.usable()?;
        match &self.room_seen {
            Some((at, room)) if at.elapsed() < SIZE_EVERY => room.clone(),
            _ => {
                let room = self.room.check();
                self.room_seen = Some((Instant::now(), room.clone()));
                room
            }
        }
    }
}

/// Makes the store refuse everything if its writer dies.
struct FailOnPanic(Arc<Shared>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail();
        }
    }
}

fn answer<T>(done: &SyncSender<T>, outcome: T) {
    // A caller that has gone away does not wait for its answer.
    let _ = done.send(outcome);
}
