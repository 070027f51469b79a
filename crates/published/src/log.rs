//! The log of a slot: followed from what was verified before, and read from its end as far as the page tells of it.

use std::collections::BTreeMap;

use commitment::Slot;
use ledger::log::{
    BUNDLE_LEN, ColourCounts, ENTRY_BUNDLE_LEN_MAX_BYTES, Entry, Log, LogHash,
    MAX_CHECKPOINT_LEN_BYTES, SIGNED_LOG_KEYS_LEN_BYTES, SignedCheckpoint, SignedLogKeys,
    SourceCell, SourceCounts, TilePath, read_bundle,
};
use ledger::{CosignedStatement, Roster, SignedTreeHead};
use plain_http::Origin;
use rules::Day;
use verifier::UnixTime;

use crate::by_source::Parts;
use crate::daily::Daily;
use crate::mirror::get;
use crate::problem::{Fault, Problem};
use crate::sets::Sets;

/// Bundles that are read, the newest ones: some 8,000 entries. Of those before them the roots do.
const RECENT_BUNDLES: u64 = 32;
/// Most tiles of roots of bundles: a log of some 16 million entries.
const MAX_ROOT_TILES: u64 = 256;
/// Most bytes of entries that are read in one round.
const MAX_ENTRIES_LEN_BYTES: usize = 48 << 20;
/// Days of counts that are kept.
pub(crate) const MAX_DAYS: usize = 60;
/// Most sources of a day that are kept: an honest day has fewer, since who stated fewer than 10 is not among them.
const MAX_SOURCES: usize = 1_000;
/// Most rule sets that are kept as announced, and most counts of whom one changes: some 1 MB of a log.
const MAX_SETS: usize = 64;
/// Sentences of what must not be.
const MAX_WRONG: usize = 8;
/// Length of a hash in a tile.
const HASH_LEN_BYTES: usize = 32;

/// What is believed of a log from the trust list.
#[derive(Clone, Copy)]
pub(crate) struct Believed<'a> {
    pub(crate) federation: &'a str,
    pub(crate) roster: &'a Roster,
    pub(crate) slot: Slot,
    pub(crate) now: UnixTime,
}

/// A log that was verified up to a checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    keys: SignedLogKeys,
    tree: Log,
    pub(crate) checkpoint: SignedCheckpoint,
    /// Slots whose witnesses cosigned the checkpoint.
    pub(crate) witnesses: Vec<Slot>,
    pub(crate) at: UnixTime,
    pub(crate) entries_read: u64,
    pub(crate) head: Option<SignedTreeHead>,
    pub(crate) registry: Option<CosignedStatement>,
    pub(crate) days: BTreeMap<u16, ColourCounts>,
    /// Days whose events are counted by source.
    pub(crate) sources: BTreeMap<u16, DaySources>,
    /// Rule sets that it announces, and whom each changes.
    pub(crate) sets: Sets,
    pub(crate) daily: Daily,
    /// What must not be, in English.
    pub(crate) wrong: Vec<String>,
}

/// A day's counts by source, as far as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct DaySources {
    parts: Parts,
    pub(crate) cells: Vec<SourceCell>,
    is_cut: bool,
}

impl DaySources {
    /// Whether all of them are here.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.is_whole() && !self.is_cut
    }
}

/// Fetches what is new in a log. What was verified before stays the caller's where this fails.
pub(crate) async fn follow(
    origin: &Origin,
    believed: Believed<'_>,
    known: Option<&Followed>,
) -> Result<Followed, Problem> {
    let all_keys = fetch_keys(origin, believed, known).await?;
    let [keys, others @ ..] = &all_keys[..] else {
        return Err(Problem::new(Fault::Garbage, "keys"));
    };
    let bytes = get(origin, "checkpoint", MAX_CHECKPOINT_LEN_BYTES).await?;
    let checkpoint = SignedCheckpoint::from_bytes(&bytes).map_err(Problem::from)?;
    let log_key = keys
        .keys
        .log_key(believed.federation)
        .map_err(Problem::from)?;
    checkpoint.check_log(&log_key).map_err(Problem::from)?;
    let witnesses = witnesses(&checkpoint, others, believed.federation)?;
    let mut next = known.map_or_else(
        || Followed {
            keys: *keys,
            tree: Log::default(),
            checkpoint: checkpoint.clone(),
            witnesses: Vec::new(),
            at: believed.now,
            entries_read: 0,
            head: None,
            registry: None,
            days: BTreeMap::new(),
            sources: BTreeMap::new(),
            sets: Sets::default(),
            daily: Daily::default(),
            wrong: Vec::new(),
        },
        Clone::clone,
    );
    let (before, size) = (next.tree.size(), checkpoint.size());
    if size < before {
        let detail = format!("the log had {before} entries, and now has {size}");
        return Err(Problem::new(Fault::Contradicts, detail));
    }
    skip_to_recent(origin, &mut next.tree, size).await?;
    let entries = read_to(origin, &mut next.tree, size).await?;
    if next.tree.root().map_err(Problem::from)? != checkpoint.root() {
        let detail = if known.is_some() {
            "the checkpoint is not of a log that extends the one that was verified before"
        } else {
            "the entries are not those that the checkpoint is of"
        };
        return Err(Problem::new(Fault::Contradicts, detail));
    }
    next.keys = *keys;
    next.checkpoint = checkpoint;
    next.witnesses = witnesses;
    next.at = believed.now;
    next.entries_read += entries.len() as u64;
    next.take(&entries, believed)?;
    Ok(next)
}

/// The slot's own keys, then those of others that are signed by their head keys. Those that are not are left out: a node
/// keeps what it was told, and a witness whose keys nobody signed counts for nothing.
async fn fetch_keys(
    origin: &Origin,
    believed: Believed<'_>,
    known: Option<&Followed>,
) -> Result<Vec<SignedLogKeys>, Problem> {
    let limit = commitment::REGISTRY_SLOTS * SIGNED_LOG_KEYS_LEN_BYTES;
    let bytes = get(origin, "keys", limit).await?;
    let (chunks, rest) = bytes.as_chunks::<SIGNED_LOG_KEYS_LEN_BYTES>();
    if !rest.is_empty() {
        return Err(Problem::new(Fault::Garbage, "keys: a part of a key"));
    }
    let mut all = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        all.push(SignedLogKeys::from_bytes(chunk).map_err(Problem::from)?);
    }
    let own = all.iter().position(|keys| keys.keys.slot == believed.slot);
    let own = own.ok_or_else(|| Problem::new(Fault::Nothing, "keys of the log itself"))?;
    let own = all.remove(own);
    own.check_told(
        believed.roster,
        known.map(|known| &known.keys),
        believed.now.minute(),
    )
    .map_err(Problem::from)?;
    all.retain(|keys| keys.keys.slot != believed.slot && keys.check(believed.roster).is_ok());
    all.insert(0, own);
    Ok(all)
}

/// The slots whose witnesses signed. A signature of one of them that does not fit makes the whole note worthless.
fn witnesses(
    checkpoint: &SignedCheckpoint,
    others: &[SignedLogKeys],
    federation: &str,
) -> Result<Vec<Slot>, Problem> {
    let keys = others.iter().map(|keys| keys.keys.witness_key(federation));
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(Problem::from)?;
    let signers = checkpoint.signers(&keys).map_err(Problem::from)?;
    let mut slots: Vec<Slot> = signers.iter().map(|at| others[*at].keys.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    Ok(slots)
}

/// Takes the roots of bundles that are too old to be read from tiles. They are the log's if the root at its end is.
async fn skip_to_recent(origin: &Origin, tree: &mut Log, size: u64) -> Result<(), Problem> {
    let bundle_len = u64::from(BUNDLE_LEN);
    let (have, full) = (tree.size() / bundle_len, size / bundle_len);
    let wanted = full.saturating_sub(RECENT_BUNDLES);
    if have >= wanted || !tree.size().is_multiple_of(bundle_len) {
        return Ok(());
    }
    if (wanted - have) / bundle_len >= MAX_ROOT_TILES {
        let detail = format!("{size} entries");
        return Err(Problem::new(Fault::TooLong, detail));
    }
    let mut at = have;
    while at < wanted {
        let index = at / bundle_len;
        let width = (full - index * bundle_len).min(bundle_len);
        let path = path(Some(1), index, width);
        let limit = usize::from(BUNDLE_LEN) * HASH_LEN_BYTES;
        let bytes = get(origin, &path, limit).await?;
        let (hashes, rest) = bytes.as_chunks::<HASH_LEN_BYTES>();
        if hashes.len() as u64 != width || !rest.is_empty() {
            return Err(Problem::new(Fault::Garbage, path));
        }
        let end = (index * bundle_len + width).min(wanted);
        while at < end {
            let place = usize::try_from(at % bundle_len).unwrap_or(usize::MAX);
            let hash = hashes.get(place).copied();
            let hash = hash.ok_or_else(|| Problem::new(Fault::Garbage, &path))?;
            tree.append_bundle(LogHash(hash)).map_err(Problem::from)?;
            at += 1;
        }
    }
    Ok(())
}

/// The entries from the tree's end to `size`, after which it has that size.
async fn read_to(origin: &Origin, tree: &mut Log, size: u64) -> Result<Vec<Entry>, Problem> {
    let bundle_len = u64::from(BUNDLE_LEN);
    let (mut entries, mut len_bytes) = (Vec::new(), 0);
    while tree.size() < size {
        let at = tree.size();
        let index = at / bundle_len;
        let width = (size - index * bundle_len).min(bundle_len);
        let path = path(None, index, width);
        let bytes = get(origin, &path, ENTRY_BUNDLE_LEN_MAX_BYTES).await?;
        len_bytes += bytes.len();
        if len_bytes > MAX_ENTRIES_LEN_BYTES {
            let detail = format!("more than {MAX_ENTRIES_LEN_BYTES} bytes of entries");
            return Err(Problem::new(Fault::TooLong, detail));
        }
        let read = read_bundle(&bytes).map_err(Problem::from)?;
        if read.len() as u64 != width {
            let detail = format!("{path}: {} entries", read.len());
            return Err(Problem::new(Fault::Garbage, detail));
        }
        let skip = usize::try_from(at % bundle_len).unwrap_or(usize::MAX);
        for bytes in read.into_iter().skip(skip) {
            tree.append(bytes).map_err(Problem::from)?;
            entries.push(Entry::from_bytes(bytes).map_err(Problem::from)?);
        }
    }
    Ok(entries)
}

pub(crate) fn path(level: Option<u8>, index: u64, width: u64) -> String {
    let width = u16::try_from(width).unwrap_or(BUNDLE_LEN);
    let tile = TilePath {
        level,
        index,
        width,
    };
    tile.to_string()
}

impl Followed {
    /// What the entries say: of heads and registries the last one counts, and is checked.
    fn take(&mut self, entries: &[Entry], believed: Believed<'_>) -> Result<(), Problem> {
        let roster = believed.roster;
        let member = roster.member(believed.slot);
        let member = member.map_err(|error| Problem::new(Fault::Unsigned, error))?;
        let (mut head, mut registry) = (None, None);
        for entry in entries {
            if let Some(wrong) = self.sets.take(entry) {
                self.say(wrong);
            }
            self.sets.keep_newest(MAX_SETS);
            match entry {
                Entry::TreeHead(found) => head = Some(found),
                Entry::Registry(found) => registry = Some(found),
                Entry::Colours(counts) => self.count(counts),
                Entry::Sources(counts) => self.count_sources(counts),
                other => {
                    if let Some(wrong) = self.daily.take(other) {
                        self.say(wrong);
                    }
                }
            }
        }
        if let Some(found) = head {
            let of = &found.head;
            let is_own = (of.slot, of.province) == (member.slot, member.province);
            if is_own && found.check_signature(member).is_ok() {
                self.head = Some(*found);
            } else {
                self.say(format!(
                    "the tree head of epoch {} is not signed by the slot's key",
                    of.epoch.get()
                ));
            }
        }
        if let Some(found) = registry {
            match found.check_quorum(roster) {
                Ok(()) => self.registry = Some(found.clone()),
                Err(error) => {
                    let epoch = found.statement().epoch().get();
                    self.say(format!("the registry of epoch {epoch}: {error}"));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, counts: &ColourCounts) {
        let day = counts.day;
        if self.days.contains_key(&day) {
            // The first is what was told; a second is wrong, and tells nothing.
            self.say(format!("two counts of the day {}", Day::new(day)));
            return;
        }
        self.days.insert(day, counts.clone());
        while self.days.len() > MAX_DAYS {
            self.days.pop_first();
        }
    }

    fn count_sources(&mut self, counts: &SourceCounts) {
        let day = self.sources.entry(counts.day).or_default();
        let wrong = match day.parts.take(counts) {
            Err(twice) => Some(twice),
            Ok(wrong) => {
                let room = MAX_SOURCES - day.cells.len();
                day.is_cut |= counts.cells.len() > room;
                day.cells.extend(counts.cells.iter().take(room));
                day.cells
                    .sort_unstable_by_key(|of| (of.province, of.kind, of.number, of.fact));
                wrong
            }
        };
        if let Some(wrong) = wrong {
            self.say(wrong);
        }
        while self.sources.len() > MAX_DAYS {
            self.sources.pop_first();
        }
    }

    /// Whether every entry of the log was read.
    pub(crate) fn is_all_read(&self) -> bool {
        self.entries_read == self.checkpoint.size()
    }

    fn say(&mut self, wrong: String) {
        if self.wrong.len() < MAX_WRONG {
            self.wrong.push(wrong);
        }
    }
}
