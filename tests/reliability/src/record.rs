//! The layer between a program and its disk (`shim/disk.c`), and the record that it keeps.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

const SOURCE: &str = include_str!("../shim/disk.c");
const HEAD_LEN: usize = 30;

/// What was asked of the disk. Paths are below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Open {
        path: String,
        existed: bool,
        truncated: bool,
        dir: bool,
    },
    Close,
    Write {
        at: usize,
        data: Vec<u8>,
    },
    /// The file is as long as this.
    Length(usize),
    /// `fsync` and `fdatasync`.
    Sync,
    /// One that failed.
    FailedSync,
    /// `sync_file_range`.
    SyncRange,
    Rename(String, String),
    Unlink(String),
    MakeDir(String),
    /// What the program said on stdout.
    Said(Vec<u8>),
    /// The request that was to fail has failed.
    Fault {
        what: String,
    },
    /// How many requests there were that could fail.
    Asked(u64),
    /// Something that the model of the disk does not know.
    Unmodelled(String),
}

/// A request about an open file, or about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) fd: i32,
    pub(crate) op: Op,
}

/// Compiles the layer, unless it is there.
pub(crate) fn build(dir: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let digest = Sha256::digest(SOURCE);
    let name = digest[..8]
        .iter()
        .fold(String::from("disk-"), |name, byte| {
            format!("{name}{byte:02x}")
        });
    let library = dir.join(format!("{name}.so"));
    if library.exists() {
        return Ok(library);
    }
    // Several processes may do this at once.
    let own = dir.join(format!("{name}-{}", std::process::id()));
    let source = own.with_extension("c");
    std::fs::write(&source, SOURCE)?;
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-O2", "-shared", "-fPIC", "-pthread", "-o"])
        .arg(&own)
        .arg(&source)
        .arg("-ldl")
        .output()
        .context("`cc` compiles the layer under the store")?;
    ensure!(
        compiled.status.success(),
        "shim/disk.c: {}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    std::fs::remove_file(source)?;
    std::fs::rename(own, &library)?;
    Ok(library)
}

/// Has a command run above the layer: files under `root` are recorded in `log`.
pub(crate) fn put_under(command: &mut Command, library: &Path, root: &Path, log: &Path) {
    command
        .env("LD_PRELOAD", library)
        .env("DISK_ROOT", root)
        .env("DISK_LOG", log);
}

/// Reads a record of requests about files under `root`.
pub(crate) fn read(log: &Path, root: &Path) -> Result<Vec<Request>> {
    let bytes = std::fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let mut rest = &bytes[..];
    let mut requests = Vec::new();
    while !rest.is_empty() {
        let (request, after) = parse(rest, root)
            .with_context(|| format!("request {} of {}", requests.len(), log.display()))?;
        requests.push(request);
        rest = after;
    }
    Ok(requests)
}

fn parse<'a>(bytes: &'a [u8], root: &Path) -> Result<(Request, &'a [u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>().context("cut short")?;
    let number = |at: usize, len: usize| {
        let digits = head[at..at + len].iter().rev();
        digits.fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let size = |at: usize, len: usize| usize::try_from(number(at, len));
    let kind = head[1];
    let (one, rest) = rest.split_at_checked(size(2, 2)?).context("cut short")?;
    let (two, rest) = rest.split_at_checked(size(4, 2)?).context("cut short")?;
    let (data, rest) = rest.split_at_checked(size(26, 4)?).context("cut short")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let path = |bytes: &[u8]| -> Result<String> {
        let path = text(bytes);
        let below = Path::new(&path)
            .strip_prefix(root)
            .context("a path outside")?;
        Ok(below.to_string_lossy().into_owned())
    };
    let op = match head[0] {
        1 => Op::Open {
            path: path(one)?,
            existed: kind & 1 != 0,
            truncated: kind & 2 != 0,
            dir: kind & 4 != 0,
        },
        2 => Op::Close,
        3 => Op::Write {
            at: size(10, 8)?,
            data: data.to_vec(),
        },
        4 => Op::Length(size(10, 8)?),
        6 | 7 if kind & 8 != 0 => Op::FailedSync,
        6 | 7 => Op::Sync,
        8 => Op::SyncRange,
        9 => Op::Rename(path(one)?, path(two)?),
        10 | 12 => Op::Unlink(path(one)?),
        11 => Op::MakeDir(path(one)?),
        13 => Op::Said(data.to_vec()),
        14 if kind == 1 => Op::Asked(number(10, 8)),
        14 => Op::Fault { what: text(one) },
        15 => Op::Unmodelled(text(one)),
        other => Op::Unmodelled(format!("request {other}")),
    };
    let fd = u32::try_from(number(6, 4))?.cast_signed();
    Ok((Request { fd, op }, rest))
}
