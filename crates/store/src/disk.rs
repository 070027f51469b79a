//! A store in a directory: `lock`, `current` with the name of the generation in use, and that generation's directory.
//! A directory under another name is either not whole yet or not in use any more, and is removed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::failed;
use crate::generation::{
    Generation, Loader, Opening, UNMARKED, each_row, in_time, size_of_dir, sync_dir,
};
use crate::group::{Grouped, NotSwitched};
use crate::mark::Tally;
use crate::room::Room;
use crate::{Batch, Each, EachRow, Entries, Store, StoreError, StoreObserver, Table, unsynced};

const CURRENT: &str = "current";
const LOCK: &str = "lock";
/// What a generation's directory is called while it is not whole.
const UNFINISHED: &str = "new-";

/// Which database a directory holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// [sled](https://docs.rs/sled/0.34): fast in groups, never shrinks by itself.
    #[default]
    Sled,
    /// [redb](https://docs.rs/redb): one file, pages with checksums.
    Redb,
}

impl Backend {
    /// The name in configuration and directories.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }
}

/// How a directory is opened.
#[derive(Clone, Debug)]
pub struct DiskOptions {
    /// The directory; made if it is missing.
    pub dir: PathBuf,
    /// The database.
    pub backend: Backend,
    /// Page cache, bytes.
    pub cache_bytes: u64,
    /// Bytes that must stay free on the disk; below them commits are refused.
    pub reserve_bytes: u64,
    /// Bytes that the store may have on disk; above them commits are refused.
    pub max_bytes: u64,
    /// Time that the database has to open, besides a second for every 10 MiB, and to answer any one call.
    pub stall_limit: Duration,
    /// Whether all rows are read and added up before the store is used: what decay took away is found then, and not by
    /// an answer that lacks it.
    pub verify: bool,
}

impl DiskOptions {
    /// For a directory, all else as by default.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            backend: Backend::default(),
            cache_bytes: 64 << 20,
            reserve_bytes: 0,
            max_bytes: u64::MAX,
            stall_limit: Duration::from_secs(30),
            verify: true,
        }
    }

    fn opening(&self, backend: Backend) -> Opening {
        Opening {
            backend,
            cache_bytes: self.cache_bytes,
            limit: self.stall_limit,
            verify: self.verify,
        }
    }
}

/// Takes a row, and a function to put rows with.
pub(crate) type Transform<'a> =
    dyn FnMut(&[u8], &[u8], &mut EachRow<'_>) -> Result<(), StoreError> + 'a;

/// What a store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Commits since it was made.
    pub commits: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes on disk.
    pub size_bytes: u64,
}

/// A store in a directory.
pub struct DiskStore {
    options: DiskOptions,
    /// The generation in use; held while another takes its place.
    current: Mutex<Name>,
    grouped: Grouped,
    _lock: File,
}

/// A generation's number and database, as its directory is called: `g000001.sled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    number: u32,
    backend: Backend,
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        let (number, backend) = text.strip_prefix('g')?.split_once('.')?;
        let backend = [Backend::Sled, Backend::Redb]
            .into_iter()
            .find(|b| b.name() == backend)?;
        let name = Self {
            number: number.parse().ok()?,
            backend,
        };
        (name.to_string() == text).then_some(name)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "g{:06}.{}", self.number, self.backend.name())
    }
}

impl DiskStore {
    /// Opens or makes the store.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has the directory, [`StoreError::OtherBackend`],
    /// [`StoreError::LostCommits`] and [`StoreError::Rotten`] for one that is not what was committed,
    /// [`StoreError::Stalled`], [`StoreError::Failed`] if it cannot be opened. Nothing is changed then, but for a note
    /// where the disk may have failed.
    pub fn open(options: &DiskOptions) -> Result<Self, StoreError> {
        let lock = take(&options.dir)?;
        let (name, generation) = open_settled(options)?;
        Self::start(options, lock, name, generation)
    }

    /// Makes a store from rows, in a directory that holds none: `fill` is given a function to put rows with, and returns
    /// what they must add up to.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the directory holds a store; [`StoreError::Rotten`] if the rows are not what `fill` says;
    /// what `fill` returns. There is no store then.
    pub fn create(
        options: &DiskOptions,
        fill: impl FnOnce(&mut Each<'_>) -> Result<Tally, StoreError>,
    ) -> Result<Self, StoreError> {
        let lock = take(&options.dir)?;
        if holds_store(&options.dir)? {
            return Err(failed("the directory holds a store already"));
        }
        remove_all_but(&options.dir, None)?;
        let name = Name {
            number: 1,
            backend: options.backend,
        };
        let mut loader = begin(options, name)?;
        let expected = fill(&mut |key, value| loader.put(key, value))?;
        let generation = loader.finish_as(expected)?;
        put_in_place(&options.dir, name)?;
        Self::start(options, lock, name, generation)
    }

    fn start(
        options: &DiskOptions,
        lock: File,
        name: Name,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        let room = Room::of(options);
        Ok(Self {
            options: options.clone(),
            current: Mutex::new(name),
            grouped: Grouped::start(generation, room, options.stall_limit)?,
            _lock: lock,
        })
    }

    /// Whether there is a store in a directory.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the directory cannot be read.
    pub fn exists(dir: &Path) -> Result<bool, StoreError> {
        Ok(dir.exists() && holds_store(dir)?)
    }

    /// The database in use.
    pub fn backend(&self) -> Backend {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .backend
    }

    /// The database that a directory holds; none for one without a store.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the directory cannot be read.
    pub fn backend_of(dir: &Path) -> Result<Option<Backend>, StoreError> {
        if !Self::exists(dir)? {
            return Ok(None);
        }
        Ok(Some(
            read_current(dir)?.map_or(Backend::Sled, |name| name.backend),
        ))
    }

    /// What the store takes.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the directory cannot be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let tally = self.grouped.tally();
        Ok(Usage {
            commits: tally.commits,
            rows: tally.rows,
            size_bytes: size_of_dir(&self.options.dir)?,
        })
    }

    /// Has an observer told of every commit and every write from now on; the first one stays.
    pub fn tell(&self, observer: std::sync::Arc<dyn StoreObserver>) {
        self.grouped.tell(observer);
    }

    /// Whether the store has failed and refuses all work.
    pub fn has_failed(&self) -> bool {
        self.grouped.has_failed()
    }

    /// Writes all rows into a new generation, of the database `backend`, and switches to it: what removed and overwritten
    /// rows took is given back, and their old bytes are gone. Reads and commits go on meanwhile. `each` is called with the
    /// number of rows written so far.
    ///
    /// # Errors
    /// As [`Store::export`], and [`StoreError::Full`] and the like for the new one; the store is unchanged then.
    pub fn compact(&self, backend: Backend, each: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let name = Name {
            number: current.number + 1,
            backend,
        };
        let old = *current;
        let dir = self.options.dir.clone();
        let loader = std::sync::Arc::new(Mutex::new(Some(begin(&self.options, name)?)));
        let finishing = std::sync::Arc::clone(&loader);
        let mut rows = 0;
        let switched = self.grouped.switch(
            &mut |key, value| {
                rows += 1;
                each(rows);
                let mut loader = loader.lock().unwrap_or_else(PoisonError::into_inner);
                let loader = loader
                    .as_mut()
                    .ok_or_else(|| failed("compaction is over"))?;
                loader.put(key, value)
            },
            move |rest, tally| {
                let mut loader = finishing.lock().unwrap_or_else(PoisonError::into_inner);
                let mut loader = loader.take().ok_or_else(|| failed("compaction is over"))?;
                for rows in rest {
                    for (key, value) in rows.iter().filter(|(key, _)| key.first() != Some(&0)) {
                        loader.put(key, value.as_deref())?;
                    }
                }
                let generation = loader.finish_as(tally)?;
                put_in_place(&dir, name).map_err(|error| NotSwitched {
                    error,
                    in_doubt: read_current(&dir) != Ok(Some(old)),
                })?;
                Ok(generation)
            },
        );
        match switched {
            Ok(()) => {
                *current = name;
                remove_all_but(&self.options.dir, Some(name))
            }
            Err(error) => {
                drop(loader);
                // Where the new one may be the one in use, the next start removes the other.
                if !self.grouped.has_failed()
                    && let Err(also) = remove_all_but(&self.options.dir, Some(old))
                {
                    tracing::warn!(%also, "what a compaction left behind is removed at the next start");
                }
                Err(error)
            }
        }
    }

    /// Rewrites the rows of a store that nobody else uses: `each` gets every row and a function to put rows with.
    ///
    /// # Errors
    /// What `each` returns, or [`StoreError`] where the database fails; the store is unchanged then.
    pub(crate) fn migrate(
        options: &DiskOptions,
        each: &mut Transform<'_>,
    ) -> Result<(), StoreError> {
        let _lock = take(&options.dir)?;
        let (old_name, old) = open_settled(options)?;
        let name = Name {
            number: old_name.number + 1,
            backend: old_name.backend,
        };
        let mut loader = begin(options, name)?;
        let migrated = each_row(&*old.engine, &mut |key, value| {
            each(key, value, &mut |key, value| loader.put(key, Some(value)))
        });
        let finished = migrated.and_then(|()| loader.finish(old.tally.commits + 1));
        match finished {
            Ok(_) => {
                put_in_place(&options.dir, name)?;
                remove_all_but(&options.dir, Some(name))
            }
            Err(error) => {
                remove_all_but(&options.dir, Some(old_name))?;
                Err(error)
            }
        }
    }
}

impl Store for DiskStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.grouped.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        self.grouped.scan(table, prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.grouped.commit(batch)
    }

    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        self.grouped.export(each)
    }
}

/// Makes the directory if it is missing, for its owner only, and takes it for this process.
fn take(dir: &Path) -> Result<File, StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(dir).map_err(failed)?;
    // Each time, since whoever made it may have been stopped before.
    match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_dir(Path::new("."))?,
        Some(parent) => sync_dir(parent)?,
        None => {}
    }
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(dir.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn holds_store(dir: &Path) -> Result<bool, StoreError> {
    Ok(dir.join(CURRENT).exists() || dir.join("db").exists() || !whole_ones(dir)?.is_empty())
}

/// The names of generations that are whole.
fn whole_ones(dir: &Path) -> Result<Vec<Name>, StoreError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        names.extend(Name::parse(&entry.file_name().to_string_lossy()));
    }
    Ok(names)
}

/// Opens what is surely on the disk. A disk that fails meanwhile is noted for the next time.
fn open_settled(options: &DiskOptions) -> Result<(Name, Generation), StoreError> {
    unsynced::settle(&options.dir)?;
    open_current(options).inspect_err(|error| {
        if matches!(error, StoreError::Failed(_) | StoreError::Stalled { .. }) {
            unsynced::note(&options.dir);
        }
    })
}

fn open_current(options: &DiskOptions) -> Result<(Name, Generation), StoreError> {
    let dir = &options.dir;
    adopt_flat_layout(dir)?;
    let Some(name) = read_current(dir)? else {
        let name = Name {
            number: 1,
            backend: options.backend,
        };
        remove_all_but(dir, None)?;
        let generation = begin(options, name)?.finish(0)?;
        put_in_place(dir, name)?;
        return Ok((name, generation));
    };
    if name.backend != options.backend {
        return Err(StoreError::OtherBackend {
            found: name.backend.name(),
            configured: options.backend.name(),
        });
    }
    let path = dir.join(name.to_string());
    if !path.is_dir() {
        return Err(failed(format!(
            "{} is missing; restore the last backup",
            path.display()
        )));
    }
    let generation = Generation::open(&path, options.opening(name.backend))?;
    remove_all_but(dir, Some(name))?;
    Ok((name, generation))
}

/// The generation in use; none if there is no store yet.
fn read_current(dir: &Path) -> Result<Option<Name>, StoreError> {
    let path = dir.join(CURRENT);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    let named = std::str::from_utf8(&text).ok();
    if let Some(name) = named.and_then(|text| Name::parse(text.strip_suffix('\n')?)) {
        return Ok(Some(name));
    }
    // The first generation is whole a moment before it is named; and a damaged name is no loss where there is no choice.
    match whole_ones(dir)?[..] {
        [] if text.is_empty() => Ok(None),
        [only] => {
            write_current(dir, only)?;
            Ok(Some(only))
        }
        _ => Err(failed(format!(
            "{} does not name a generation; write the name of the right directory beside it into it",
            path.display()
        ))),
    }
}

fn write_current(dir: &Path, name: Name) -> Result<(), StoreError> {
    use std::io::Write as _;
    let new = dir.join(format!("{UNFINISHED}{CURRENT}"));
    let mut file = File::create(&new).map_err(failed)?;
    file.write_all(format!("{name}\n").as_bytes())
        .map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&new, dir.join(CURRENT)).map_err(failed)?;
    sync_dir(dir)
}

/// Begins a generation under a name that says that it is not whole.
fn begin(options: &DiskOptions, name: Name) -> Result<Loader, StoreError> {
    let path = options.dir.join(format!("{UNFINISHED}{name}"));
    let (opening, limit) = (options.opening(name.backend), options.stall_limit);
    let generation = in_time("make a database", limit, move || {
        Generation::create(&path, opening)
    })?;
    let room = Room::of(options);
    Ok(Loader::new(generation, room, limit))
}

/// Gives a generation that is whole its name, and makes it the one in use.
fn put_in_place(dir: &Path, name: Name) -> Result<(), StoreError> {
    let whole = dir.join(name.to_string());
    std::fs::rename(dir.join(format!("{UNFINISHED}{name}")), whole).map_err(failed)?;
    sync_dir(dir)?;
    write_current(dir, name)
}

/// Removes what is not whole and every generation but one.
fn remove_all_but(dir: &Path, kept: Option<Name>) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let generation = Name::parse(&name);
        if name.starts_with(UNFINISHED) || (generation.is_some() && generation != kept) {
            let path = entry.path();
            let is_dir = entry.file_type().map_err(failed)?.is_dir();
            let removed = if is_dir {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            removed.map_err(failed)?;
        }
    }
    sync_dir(dir)
}

/// Stores of schema 1 lay flat in the directory. Each step may be the last before a crash; the next start goes on.
fn adopt_flat_layout(dir: &Path) -> Result<(), StoreError> {
    let name = Name {
        number: 1,
        backend: Backend::Sled,
    };
    let flat = |name: &str| {
        matches!(name, "db" | "conf" | "blobs")
            || name.starts_with("snap.")
            || name.starts_with("damaged-snap.")
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if flat(&entry.file_name().to_string_lossy()) {
            found.push(entry.file_name());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let path = dir.join(name.to_string());
    std::fs::create_dir_all(&path).map_err(failed)?;
    File::create(path.join(UNMARKED)).map_err(failed)?;
    sync_dir(&path)?;
    for file in found {
        std::fs::rename(dir.join(&file), path.join(&file)).map_err(failed)?;
    }
    sync_dir(&path)?;
    sync_dir(dir)?;
    tracing::info!("the store's files are moved into a directory of their own");
    Ok(())
}

#[cfg(test)]
mod tests;
