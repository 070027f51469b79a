//! Memory, processor time and disk of every process, every few seconds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::host::Place;
use crate::realm::places;
use crate::site::Site;

/// How often.
const EVERY: Duration = Duration::from_secs(2);

/// What a process had at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Seconds since the beginning.
    pub at_s: f64,
    /// Whose.
    pub place: Place,
    /// Resident memory; 0 while nobody runs there.
    pub memory_bytes: u64,
    /// Processor time since the beginning, over all processes that ran there.
    pub cpu_s: f64,
    /// What its store takes on the disk.
    pub disk_bytes: u64,
}

/// All samples, and who takes them.
pub(crate) struct Samples {
    all: Arc<Mutex<Vec<Sample>>>,
    task: JoinHandle<()>,
}

impl Drop for Samples {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Processor time of former processes of a place, and of the present one as it was last.
#[derive(Default)]
struct Cpu {
    former_s: f64,
    id: u32,
    present_s: f64,
}

impl Samples {
    /// Begins to take them.
    pub(crate) fn begin(site: &Arc<Site>) -> Self {
        let all: Arc<Mutex<Vec<Sample>>> = Arc::default();
        let (site, taken) = (Arc::clone(site), Arc::clone(&all));
        let task = tokio::spawn(async move {
            let mut tick = interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut cpu: BTreeMap<Place, Cpu> = BTreeMap::new();
            loop {
                tick.tick().await;
                for place in places() {
                    let sample = take(&site, place, cpu.entry(place).or_default());
                    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                    taken.push(sample);
                }
            }
        });
        Self { all, task }
    }

    /// What was taken so far.
    pub(crate) fn all(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes samples as a table.
///
/// # Errors
/// What the system refuses.
pub fn write_table(samples: &[Sample], path: &Path) -> Result<()> {
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    writeln!(file, "at_s,who,memory_bytes,cpu_s,disk_bytes")?;
    for sample in samples {
        writeln!(
            file,
            "{:.1},{},{},{:.2},{}",
            sample.at_s, sample.place, sample.memory_bytes, sample.cpu_s, sample.disk_bytes
        )?;
    }
    file.flush().with_context(|| path.display().to_string())
}

fn take(site: &Site, place: Place, cpu: &mut Cpu) -> Sample {
    let id = {
        let running = site.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(&place).copied()
    };
    let now = id.and_then(|id| Some((id, memory(id)?, cpu_of(id)?)));
    let mut memory_bytes = 0;
    if let Some((id, memory, present_s)) = now {
        if id != cpu.id {
            cpu.former_s += cpu.present_s;
            cpu.id = id;
        }
        cpu.present_s = present_s;
        memory_bytes = memory;
    }
    let kept = match place {
        Place::Node(_) => "data",
        Place::Gate(_) => "state",
    };
    Sample {
        at_s: site.elapsed().as_secs_f64(),
        place,
        memory_bytes,
        cpu_s: cpu.former_s + cpu.present_s,
        disk_bytes: disk(&site.home(place).join(kept)),
    }
}

fn memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// User and system time.
fn cpu_of(id: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<f64>().ok();
    let ticks = ticks()? + ticks()?;
    let per_s = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some(ticks / f64::from(per_s))
}

/// Blocks that the files of a directory have.
fn disk(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    });
    sizes.sum()
}
