//! The disk as it is known from a record of what was asked of it (`shim/disk.c`): what is certain to be there after a
//! power cut, and what may be.
//!
//! Certain: a file's bytes and length as of its last `fsync` or `fdatasync`; a directory's names as of its last `fsync`.
//! Of later writes any sectors of 512 bytes may be there, whatever their order, and any changes of length; of later
//! changes of names in a directory, the first few in their order. `sync_file_range` makes nothing certain.
//!
//! A sync of a file that fails is not made good by the next one: the system forgets that its pages were to be written, and
//! reads go on to see them. They stay uncertain until something is written to the same page again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::record::{Op, Request};

const SECTOR: usize = 512;
const PAGE: usize = 4_096;

/// A change of a file that is not certain yet.
enum FileChange {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// A change of a directory that is not certain yet.
enum NameChange {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

impl FileChange {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => write(bytes, *at, data),
            Self::Length(len) => bytes.resize(*len, 0),
        }
    }

    /// The pages that it writes to.
    fn pages(&self) -> std::ops::Range<usize> {
        match self {
            Self::Write(at, data) => at / PAGE..(at + data.len()).div_ceil(PAGE),
            Self::Length(_) => 0..0,
        }
    }
}

/// The same, in parts that lie within one page each.
fn by_page(change: FileChange) -> Vec<FileChange> {
    let FileChange::Write(at, data) = change else {
        return vec![change];
    };
    let mut parts = Vec::new();
    let mut from = 0;
    while from < data.len() {
        let end = data.len().min((at + from) / PAGE * PAGE + PAGE - at);
        parts.push(FileChange::Write(at + from, data[from..end].to_vec()));
        from = end;
    }
    parts
}

type Names = BTreeMap<String, usize>;

enum Node {
    File {
        certain: Vec<u8>,
        /// What a sync failed to write, within one page each; a later sync does not write it.
        given_up: Vec<FileChange>,
        changes: Vec<FileChange>,
    },
    Dir {
        certain: Names,
        changes: Vec<NameChange>,
        /// With all changes.
        now: Names,
    },
}

/// All files and directories that ever were; the first is the root.
pub(crate) struct Disk {
    nodes: Vec<Node>,
    open: HashMap<i32, usize>,
    /// A file whose syncs are disbelieved, by name: a disk that lies.
    lying: Option<String>,
    lied_to: Vec<usize>,
}

/// What of the uncertain is there after a cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Survival {
    /// Nothing.
    Nothing,
    /// All.
    Everything,
    /// Each sector, each change of length with this chance; names up to any point.
    Some(f64),
    /// As `Some`, but whole writes and not sectors.
    Writes(f64),
}

impl Disk {
    /// What a directory holds, all of it certain.
    pub(crate) fn from_dir(dir: &Path, lying: Option<&str>) -> Result<Self> {
        let mut disk = Self {
            nodes: Vec::new(),
            open: HashMap::new(),
            lying: lying.map(ToOwned::to_owned),
            lied_to: Vec::new(),
        };
        disk.take_in(dir)?;
        Ok(disk)
    }

    fn take_in(&mut self, dir: &Path) -> Result<usize> {
        let own = self.new_node(Node::Dir {
            certain: Names::new(),
            changes: Vec::new(),
            now: Names::new(),
        });
        let mut names = Names::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let node = if entry.file_type()?.is_dir() {
                self.take_in(&entry.path())?
            } else {
                let certain = std::fs::read(entry.path())?;
                let lies = self.lying.as_ref() == Some(&name);
                let node = self.new_node(Node::File {
                    certain,
                    given_up: Vec::new(),
                    changes: Vec::new(),
                });
                self.lied_to.extend(lies.then_some(node));
                node
            };
            names.insert(name, node);
        }
        self.nodes[own] = Node::Dir {
            certain: names.clone(),
            changes: Vec::new(),
            now: names,
        };
        Ok(own)
    }

    fn new_node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The directory and the name in it that a path below the root means.
    fn place<'a>(&self, path: &'a str) -> Result<(usize, &'a str)> {
        let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut node = 0;
        for dir in dirs.split('/').filter(|dir| !dir.is_empty()) {
            node = *self
                .names(node)?
                .get(dir)
                .with_context(|| format!("{path}: no {dir}"))?;
        }
        Ok((node, name))
    }

    fn find(&self, path: &str) -> Result<usize> {
        if path.is_empty() {
            return Ok(0);
        }
        let (dir, name) = self.place(path)?;
        let found = self.names(dir)?.get(name);
        found
            .copied()
            .with_context(|| format!("{path} is not there"))
    }

    fn names(&self, node: usize) -> Result<&Names> {
        match &self.nodes[node] {
            Node::Dir { now, .. } => Ok(now),
            Node::File { .. } => bail!("a file where a directory must be"),
        }
    }

    fn change_names(&mut self, dir: usize, change: NameChange) -> Result<()> {
        let Node::Dir { changes, now, .. } = &mut self.nodes[dir] else {
            bail!("a file where a directory must be");
        };
        apply(now, &change)?;
        changes.push(change);
        Ok(())
    }

    fn change_file(&mut self, fd: i32, change: FileChange) -> Result<()> {
        let node = *self
            .open
            .get(&fd)
            .context("a write to a file that is not open")?;
        let Node::File { changes, .. } = &mut self.nodes[node] else {
            bail!("a write to a directory");
        };
        changes.push(change);
        Ok(())
    }

    /// Takes in one request.
    pub(crate) fn take(&mut self, request: &Request) -> Result<()> {
        match &request.op {
            Op::Open {
                path,
                existed,
                truncated,
                dir,
            } => {
                let node = if *existed {
                    self.find(path)?
                } else {
                    self.create(path, *dir)?
                };
                self.open.insert(request.fd, node);
                if *truncated && *existed {
                    self.change_file(request.fd, FileChange::Length(0))?;
                }
            }
            Op::Close => {
                self.open.remove(&request.fd);
            }
            Op::Write { at, data } => {
                self.change_file(request.fd, FileChange::Write(*at, data.clone()))?;
            }
            Op::Length(len) => self.change_file(request.fd, FileChange::Length(*len))?,
            Op::Sync => {
                let node = *self
                    .open
                    .get(&request.fd)
                    .context("a sync of what is not open")?;
                if !self.lied_to.contains(&node) {
                    self.sync(node)?;
                }
            }
            Op::FailedSync => {
                let node = *self
                    .open
                    .get(&request.fd)
                    .context("a sync of what is not open")?;
                if let Node::File {
                    given_up, changes, ..
                } = &mut self.nodes[node]
                {
                    given_up.extend(changes.drain(..).flat_map(by_page));
                }
            }
            Op::Rename(from, to) => {
                let (from_dir, from) = self.place(from)?;
                let (to_dir, to) = self.place(to)?;
                ensure!(
                    from_dir == to_dir,
                    "a rename between directories is not modelled"
                );
                let change = NameChange::Rename(from.to_owned(), to.to_owned());
                self.change_names(from_dir, change)?;
            }
            Op::Unlink(path) => {
                let (dir, name) = self.place(path)?;
                self.change_names(dir, NameChange::Unlink(name.to_owned()))?;
            }
            Op::MakeDir(path) => {
                self.create(path, true)?;
            }
            Op::Unmodelled(what) => bail!("{what} is not modelled"),
            Op::SyncRange | Op::Said(_) | Op::Fault { .. } | Op::Asked(_) => {}
        }
        Ok(())
    }

    fn create(&mut self, path: &str, dir: bool) -> Result<usize> {
        let node = self.new_node(if dir {
            Node::Dir {
                certain: Names::new(),
                changes: Vec::new(),
                now: Names::new(),
            }
        } else {
            Node::File {
                certain: Vec::new(),
                given_up: Vec::new(),
                changes: Vec::new(),
            }
        });
        let (parent, name) = self.place(path)?;
        if self.lying.as_deref() == Some(name) {
            self.lied_to.push(node);
        }
        self.change_names(parent, NameChange::Link(name.to_owned(), node))?;
        Ok(node)
    }

    fn sync(&mut self, node: usize) -> Result<()> {
        match &mut self.nodes[node] {
            Node::File {
                certain,
                given_up,
                changes,
            } if given_up.is_empty() => {
                changes.drain(..).for_each(|change| change.apply(certain));
            }
            Node::File {
                certain,
                given_up,
                changes,
            } => {
                // The pages that were written to since, whole, and the length; of the others what was certain before.
                let mut seen = certain.clone();
                for change in given_up.iter() {
                    change.apply(&mut seen);
                }
                for change in changes.iter() {
                    change.apply(&mut seen);
                }
                let written: BTreeSet<usize> = changes.drain(..).flat_map(|c| c.pages()).collect();
                certain.resize(seen.len(), 0);
                for page in &written {
                    let range = (page * PAGE).min(seen.len())..((page + 1) * PAGE).min(seen.len());
                    certain[range.clone()].copy_from_slice(&seen[range]);
                }
                given_up.retain(|change| match change {
                    FileChange::Write(at, data) => {
                        !written.contains(&(at / PAGE)) && at + data.len() <= seen.len()
                    }
                    FileChange::Length(_) => false,
                });
            }
            Node::Dir {
                certain, changes, ..
            } => {
                for change in changes.drain(..) {
                    apply(certain, &change)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is there after a cut now into a directory; it must be empty.
    pub(crate) fn cut(&self, survival: Survival, rng: &mut ChaCha8Rng, to: &Path) -> Result<()> {
        self.cut_dir(0, survival, rng, to)
    }

    fn cut_dir(
        &self,
        node: usize,
        survival: Survival,
        rng: &mut ChaCha8Rng,
        to: &Path,
    ) -> Result<()> {
        let Node::Dir {
            certain, changes, ..
        } = &self.nodes[node]
        else {
            bail!("a file where a directory must be");
        };
        std::fs::create_dir_all(to)?;
        let kept = match survival {
            Survival::Nothing => 0,
            Survival::Everything => changes.len(),
            Survival::Some(_) | Survival::Writes(_) => rng.random_range(0..=changes.len()),
        };
        let mut names = certain.clone();
        for change in &changes[..kept] {
            apply(&mut names, change)?;
        }
        for (name, node) in names {
            match &self.nodes[node] {
                Node::Dir { .. } => self.cut_dir(node, survival, rng, &to.join(name))?,
                Node::File {
                    certain,
                    given_up,
                    changes,
                } => {
                    let uncertain = given_up.iter().chain(changes);
                    std::fs::write(to.join(name), cut_file(certain, uncertain, survival, rng))?;
                }
            }
        }
        Ok(())
    }
}

/// Applies a change of names.
fn apply(names: &mut Names, change: &NameChange) -> Result<()> {
    match change {
        NameChange::Link(name, node) => {
            names.insert(name.clone(), *node);
        }
        NameChange::Unlink(name) => {
            names
                .remove(name)
                .with_context(|| format!("{name} is not there"))?;
        }
        NameChange::Rename(from, to) => {
            let node = names
                .remove(from)
                .with_context(|| format!("{from} is not there"))?;
            names.insert(to.clone(), node);
        }
    }
    Ok(())
}

fn write(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(data);
}

fn cut_file<'a>(
    certain: &[u8],
    changes: impl Iterator<Item = &'a FileChange>,
    survival: Survival,
    rng: &mut ChaCha8Rng,
) -> Vec<u8> {
    let mut bytes = certain.to_vec();
    let chance = match survival {
        Survival::Nothing => return bytes,
        Survival::Everything => 1.0,
        Survival::Some(chance) | Survival::Writes(chance) => chance,
    };
    for change in changes {
        match change {
            FileChange::Length(len) if rng.random_bool(chance) => bytes.resize(*len, 0),
            FileChange::Length(_) => {}
            FileChange::Write(at, data) if matches!(survival, Survival::Writes(_)) => {
                if rng.random_bool(chance) {
                    write(&mut bytes, *at, data);
                }
            }
            FileChange::Write(at, data) => {
                // The file may have grown although the bytes are not there.
                if bytes.len() < at + data.len() && rng.random_bool(chance) {
                    bytes.resize(at + data.len(), 0);
                }
                let mut from = 0;
                while from < data.len() {
                    let end = data.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
                    if rng.random_bool(chance) {
                        write(&mut bytes, at + from, &data[from..end]);
                    }
                    from = end;
                }
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn request(fd: i32, op: Op) -> Request {
        Request { fd, op }
    }

    fn open(path: &str, dir: bool) -> Op {
        Op::Open {
            path: path.to_owned(),
            existed: dir,
            truncated: false,
            dir,
        }
    }

    fn write_at(at: usize, len: usize, byte: u8) -> Op {
        Op::Write {
            at,
            data: vec![byte; len],
        }
    }

    fn image(disk: &Disk, survival: Survival, seed: u64) -> Option<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("image");
        disk.cut(survival, &mut ChaCha8Rng::seed_from_u64(seed), &to)
            .unwrap();
        std::fs::read(to.join("f")).ok()
    }

    #[test]
    fn what_a_sync_failed_to_write_stays_uncertain_until_its_page_is_written_to_again() {
        let empty = tempfile::tempdir().unwrap();
        let mut disk = Disk::from_dir(empty.path(), None).unwrap();
        let page = |byte| vec![byte; PAGE];
        disk.take(&request(3, open("f", false))).unwrap();
        disk.take(&request(3, write_at(0, 3 * PAGE, 1))).unwrap();
        disk.take(&request(3, Op::Sync)).unwrap();
        disk.take(&request(4, open("", true))).unwrap();
        disk.take(&request(4, Op::Sync)).unwrap();

        disk.take(&request(3, write_at(0, 2 * PAGE, 2))).unwrap();
        disk.take(&request(3, Op::FailedSync)).unwrap();
        // Whoever reads sees it, and the next sync does not write it.
        disk.take(&request(3, Op::Sync)).unwrap();
        let seen = [page(2), page(2), page(1)].concat();
        assert_eq!(image(&disk, Survival::Everything, 0), Some(seen));
        let certain = [page(1), page(1), page(1)].concat();
        assert_eq!(image(&disk, Survival::Nothing, 0), Some(certain));

        // One byte has its page written whole.
        disk.take(&request(3, write_at(PAGE, 1, 3))).unwrap();
        disk.take(&request(3, Op::Sync)).unwrap();
        let mut second = page(2);
        second[0] = 3;
        let certain = [page(1), second, page(1)].concat();
        assert_eq!(image(&disk, Survival::Nothing, 0), Some(certain));
    }

    #[test]
    fn a_name_a_length_and_bytes_are_certain_only_after_their_syncs() {
        let empty = tempfile::tempdir().unwrap();
        let mut disk = Disk::from_dir(empty.path(), None).unwrap();
        disk.take(&request(3, open("f", false))).unwrap();
        disk.take(&request(3, write_at(0, 100, 1))).unwrap();
        disk.take(&request(3, Op::Sync)).unwrap();
        assert_eq!(
            image(&disk, Survival::Nothing, 0),
            None,
            "the name is not certain"
        );
        disk.take(&request(4, open("", true))).unwrap();
        disk.take(&request(4, Op::Sync)).unwrap();
        assert_eq!(image(&disk, Survival::Nothing, 0), Some(vec![1; 100]));
        disk.take(&request(3, write_at(100, 2_000, 2))).unwrap();
        disk.take(&request(3, Op::SyncRange)).unwrap();
        assert_eq!(image(&disk, Survival::Nothing, 0), Some(vec![1; 100]));
        let all = [vec![1; 100], vec![2; 2_000]].concat();
        assert_eq!(image(&disk, Survival::Everything, 0), Some(all));
    }

    #[test]
    fn sectors_survive_one_by_one_and_a_later_one_without_an_earlier() {
        let empty = tempfile::tempdir().unwrap();
        let mut disk = Disk::from_dir(empty.path(), None).unwrap();
        disk.take(&request(3, open("f", false))).unwrap();
        disk.take(&request(4, open("", true))).unwrap();
        disk.take(&request(4, Op::Sync)).unwrap();
        disk.take(&request(3, write_at(0, 1_024, 1))).unwrap();
        disk.take(&request(3, write_at(0, 1_024, 2))).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let bytes = image(&disk, Survival::Some(0.5), seed).unwrap();
            let sectors: Vec<_> = bytes.chunks(512).map(|sector| sector[0]).collect();
            assert!(
                bytes
                    .chunks(512)
                    .all(|sector| sector.iter().all(|b| *b == sector[0]))
            );
            seen.insert(sectors);
        }
        for expected in [
            vec![],
            vec![1, 2],
            vec![2, 1],
            vec![0, 2],
            vec![2, 0],
            vec![1, 1],
        ] {
            assert!(seen.contains(&expected), "{expected:?} of {seen:?}");
        }
    }
}
