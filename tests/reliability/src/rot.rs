//! Decay: bytes of a store's files are flipped or zeroed, files are cut short, removed, or replaced by older ones. The
//! store must have all rows as they were, or refuse by an error that names the trouble; it must never give a wrong row or
//! lack one, hang, or end the process. The same for bytes that change under an open store.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reliability::files::{copy_dir, remove_dir};
use reliability::report::{Common, Run};
use serde::{Deserialize, Serialize};

use crate::load::Rows;
use crate::look::{Found, Limits, look};

const PAGE: u64 = 4_096;
/// How often a store is opened while it is filled: from the second time on there is a snapshot of sled's.
const OPENINGS: u64 = 2;
/// Damaged files can make a database go round for ever: it is given less time here, since that costs it each time.
const LIMITS: Limits = Limits {
    stall_s: 2,
    all_s: 30,
    memory_mib: 1_024,
};

/// Damages the files of a store.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Rot {
    #[command(flatten)]
    common: Common,
    /// Flipped bits in each file; each byte of a file that has fewer.
    #[arg(long, default_value_t = 400)]
    flips: u64,
    /// Zeroed pages, and as many lengths that it is cut to, in each file.
    #[arg(long, default_value_t = 60)]
    pages: u64,
    /// Damages under an open store.
    #[arg(long, default_value_t = 400)]
    live: u64,
}

/// A damage.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Damage {
    Flip {
        file: PathBuf,
        at: u64,
        bit: u8,
    },
    Zero {
        file: PathBuf,
        at: u64,
        len: u64,
    },
    Cut {
        file: PathBuf,
        len: u64,
    },
    Remove {
        file: PathBuf,
    },
    /// By the same file as it was earlier.
    Older {
        file: PathBuf,
    },
    /// Many flips or zeroed pages under an open store, from a seed.
    Live {
        seed: u64,
    },
}

impl Damage {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Flip { .. } => "flipped bits",
            Self::Zero { .. } => "zeroed pages",
            Self::Cut { .. } => "truncations",
            Self::Remove { .. } => "removed files",
            Self::Older { .. } => "older files",
            Self::Live { .. } => "under an open store",
        }
    }
}

/// The stores that are damaged, by the name of their directory: how many threads have filled them, with how many batches
/// each time, and whether there was a compaction. The last has so many rows that no database keeps them all in memory; it
/// is damaged while it is open.
const STORES: [Filling; 3] = [
    Filling {
        name: "filled",
        threads: 2,
        batches: 30,
        compacted: false,
    },
    Filling {
        name: "compacted",
        threads: 2,
        batches: 30,
        compacted: true,
    },
    Filling {
        name: "wide",
        threads: 200,
        batches: 10,
        compacted: false,
    },
];

struct Filling {
    name: &'static str,
    threads: usize,
    batches: u64,
    compacted: bool,
}

impl Rot {
    pub(crate) fn run(&self) -> Result<bool> {
        let mut run = Run::begin(&self.common, "rot")?;
        let cases = match run.place::<Vec<(usize, Damage)>>()? {
            Some(cases) => cases,
            None => self.make(&run.dir, run.seed())?,
        };
        run.show(cases.len() as u64, "damages");
        let victim = run.dir.join("victim");
        let mut right = Vec::new();
        for store in STORES {
            remove_dir(&victim)?;
            copy_dir(&run.dir.join(store.name), &victim)?;
            match look(&victim, self.common.backend, LIMITS, None)? {
                Found::Rows(rows) if rows.len() > 50 => right.push(rows),
                other => bail!("the undamaged store: {other:?}"),
            }
        }
        for (number, (store, damage)) in (0..).zip(&cases).skip(usize::try_from(run.done())?) {
            remove_dir(&victim)?;
            copy_dir(&run.dir.join(STORES[*store].name), &victim)?;
            let older = run.dir.join(format!("{}-older", STORES[*store].name));
            let found = self.look_at_damaged(&victim, &older, damage)?;
            run.count(damage.kind(), 1);
            let wrong = judge(&found, &right[*store]);
            run.count(
                if matches!(found, Found::Rows(_)) {
                    "all rows right"
                } else {
                    "refused"
                },
                u64::from(wrong.is_none()),
            );
            let mut goes_on = true;
            if let Some(wrong) = wrong {
                let what = format!("{damage:?} of {}: {wrong}", STORES[*store].name);
                goes_on = run.fail(number, &what, &[&run.dir.join(STORES[*store].name), &older])?;
            }
            run.advance(number + 1, &cases)?;
            if !goes_on {
                break;
            }
        }
        run.finish()
    }

    fn look_at_damaged(&self, victim: &Path, older: &Path, damage: &Damage) -> Result<Found> {
        let backend = self.common.backend;
        if let Damage::Live { seed } = damage {
            let mut rot = || rot_under(victim, *seed);
            return look(victim, backend, LIMITS, Some(&mut rot));
        }
        apply(victim, older, damage)?;
        look(victim, backend, LIMITS, None)
    }

    /// Makes the stores and all damages.
    fn make(&self, dir: &Path, seed: u64) -> Result<Vec<(usize, Damage)>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut cases = Vec::new();
        for (number, filling) in STORES.into_iter().enumerate() {
            let store = dir.join(filling.name);
            let older = dir.join(format!("{}-older", filling.name));
            remove_dir(&store)?;
            remove_dir(&older)?;
            if filling.threads > 2 {
                self.fill(&store, seed, 0, &filling)?;
                cases.extend((0..self.live).map(|_| (number, Damage::Live { seed: rng.random() })));
                continue;
            }
            self.fill(&store, seed, 0, &filling)?;
            copy_dir(&store, &older)?;
            self.fill(&store, seed, OPENINGS * filling.batches, &filling)?;
            let mut files = files_of(&store)?;
            files.sort();
            for file in files {
                let len = std::fs::metadata(store.join(&file))?.len();
                let mut damages = self.damages(&file, len, &mut rng);
                damages.extend(older.join(&file).exists().then_some(Damage::Older { file }));
                cases.extend(damages.into_iter().map(|damage| (number, damage)));
            }
        }
        Ok(cases)
    }

    fn damages(&self, file: &Path, len: u64, rng: &mut ChaCha8Rng) -> Vec<Damage> {
        let file = file.to_owned();
        let mut damages = vec![Damage::Remove { file: file.clone() }];
        if len == 0 {
            return damages;
        }
        let flips = self.flips.min(len);
        damages.extend((0..flips).map(|part| {
            // Anywhere in its part of the file, so that all regions have their share.
            let (from, to) = (part * len / flips, (part + 1) * len / flips);
            Damage::Flip {
                file: file.clone(),
                at: rng.random_range(from..to.max(from + 1)),
                bit: rng.random_range(0..8),
            }
        }));
        let pages = len.div_ceil(PAGE);
        let zeroed = self.pages.min(pages);
        damages.extend((0..zeroed).map(|part| {
            let at = (part * pages / zeroed) * PAGE;
            Damage::Zero {
                file: file.clone(),
                at,
                len: PAGE.min(len - at),
            }
        }));
        let lengths = [
            0,
            1,
            len / 2,
            len - 1,
            len.saturating_sub(512),
            len / PAGE * PAGE,
        ];
        let more = (0..self.pages.min(len)).map(|_| rng.random_range(0..len));
        let lengths = lengths
            .into_iter()
            .chain(more)
            .filter(|shorter| *shorter < len);
        damages.extend(lengths.map(|len| Damage::Cut {
            file: file.clone(),
            len,
        }));
        damages
    }

    fn fill(&self, store: &Path, seed: u64, from: u64, filling: &Filling) -> Result<()> {
        let from = vec![from.to_string(); filling.threads].join(",");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("writer").arg("--dir").arg(store);
        command.args([
            "--backend",
            self.common.backend.name(),
            "--seed",
            &seed.to_string(),
        ]);
        command.args(["--from", &from, "--batches", &filling.batches.to_string()]);
        command.args(["--openings", &OPENINGS.to_string()]);
        if filling.compacted {
            command.args(["--compact-after", &(filling.batches / 2).to_string()]);
        }
        let output = command.stderr(Stdio::inherit()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && !said.contains("refusal"),
            "filling a store: {said}"
        );
        Ok(())
    }
}

fn judge(found: &Found, right: &Rows) -> Option<String> {
    match found {
        Found::Rows(rows) if rows == right => None,
        Found::Rows(rows) => {
            let missing = right.keys().filter(|row| !rows.contains_key(*row)).count();
            let wrong = rows
                .iter()
                .filter(|(row, value)| right.get(*row) != Some(value))
                .count();
            Some(format!(
                "wrong: {missing} rows are missing and {wrong} wrong, and nothing is refused"
            ))
        }
        Found::Refused(text) if text.is_empty() => Some("refused without a word".to_owned()),
        Found::Refused(_) => None,
        Found::Hung => Some("hung: the store did not answer".to_owned()),
        Found::Died(how) => Some(format!("died: {how}")),
    }
}

/// All files below a directory, by their paths in it.
pub(crate) fn files_of(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(dir)?.to_owned());
            }
        }
    }
    Ok(files)
}

fn apply(victim: &Path, older: &Path, damage: &Damage) -> Result<()> {
    let open = |file: &Path| {
        let path = victim.join(file);
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        opened.with_context(|| path.display().to_string())
    };
    match damage {
        Damage::Flip { file, at, bit } => flip(&open(file)?, *at, *bit)?,
        Damage::Zero { file, at, len } => {
            open(file)?.write_all_at(&vec![0; usize::try_from(*len)?], *at)?;
        }
        Damage::Cut { file, len } => open(file)?.set_len(*len)?,
        Damage::Remove { file } => std::fs::remove_file(victim.join(file))?,
        Damage::Older { file } => {
            std::fs::copy(older.join(file), victim.join(file))?;
        }
        Damage::Live { .. } => bail!("not a damage of a closed store"),
    }
    Ok(())
}

fn flip(file: &std::fs::File, at: u64, bit: u8) -> Result<()> {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ (1 << bit)], at)?;
    Ok(())
}

/// Some flips, many flips or zeroed pages in the files of a database in use.
fn rot_under(victim: &Path, seed: u64) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let files = files_of(victim)?;
    let data = files
        .iter()
        .find(|file| file.ends_with("db") || file.ends_with("rows.redb"));
    let path = victim.join(data.context("the database's file")?);
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let len = file.metadata()?.len();
    let count = [1, 10, 100, 1_000][rng.random_range(0..4)];
    let zeroes = rng.random_ratio(1, 3);
    for _ in 0..count {
        let at = rng.random_range(0..len);
        if zeroes {
            let at = at / PAGE * PAGE;
            let len = usize::try_from(PAGE.min(len - at))?;
            file.write_all_at(&vec![0; len], at)?;
        } else {
            flip(&file, at, rng.random_range(0..8))?;
        }
    }
    Ok(())
}
