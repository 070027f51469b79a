//! `auditor counts`: what a province's log tells of its people as a whole, and whether it told in time.

mod daily;
mod story;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use ledger::log::{
    ENTRY_BUNDLE_LEN_MAX_BYTES, Entry, Log, MAX_CHECKPOINT_LEN_BYTES, MAX_POLICY_LEN_BYTES,
    SignedCheckpoint, WitnessPolicy, read_bundle,
};
use published::sets::Told;

use crate::{Outcome, files};
use daily::DailyStory;
use story::{RuleSetStory, Story};

/// Read a province's log: its rule sets with whom each changes, whether that was told in time, and the days counted.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  curl -s http://NODE:7445/tile/entries/000 > 000         whole bundles, and the last one by its width
  curl -s http://NODE:7445/tile/entries/001.p/17 > 001
  curl -s http://NODE:7445/checkpoint > checkpoint
  auditor counts 000 001 --checkpoint checkpoint --policy policy

Without --checkpoint nothing says that these are all the entries of the log, or that they are the log's. Trust a policy from
somewhere else than the node.

Says exit code 1 for a rule set whose effect was not published before it took effect – by the times of tree heads and registries
that stand before it in the log, not by its own minute –, one that came with less than 48 hours' notice and no flag, two counts of
one day or one rule set, counts by source with a part twice or missing, and appeals or retention of a day twice, or a day that is
counted without its appeals. Days on which nothing left since the job for it did not run are listed, and no difference.")]
pub(crate) struct Args {
    /// Bundles of entries, in the order of the log
    #[arg(value_name = "BUNDLE", required = true)]
    bundles: Vec<PathBuf>,
    /// The log's checkpoint that the entries must be all of
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Who must have signed it (c2sp.org/tlog-policy)
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    policy: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let policy = args.policy.as_deref();
    let entries = read_log(&args.bundles, args.checkpoint.as_deref(), policy)?;
    let story = Story::of(&entries);
    let text = if args.json {
        serde_json::to_string_pretty(&story)? + "\n"
    } else {
        text_of(&story)
    };
    files::print(&text)?;
    for wrong in &story.wrong {
        eprintln!("auditor: {wrong}");
    }
    Ok(if story.wrong.is_empty() {
        Outcome::Agrees
    } else {
        Outcome::Differs
    })
}

/// The entries of bundles; all of a checkpoint's, signed as a policy asks, where these are given.
pub(crate) fn read_log(
    bundles: &[PathBuf],
    checkpoint: Option<&Path>,
    policy: Option<&Path>,
) -> Result<Vec<Entry>> {
    let bar = files::progress(bundles.len() as u64, "reading bundles");
    let (mut entries, mut log) = (Vec::new(), Log::default());
    for path in bundles {
        let bytes = files::read(path, ENTRY_BUNDLE_LEN_MAX_BYTES)?;
        let refused = || format!("{} is refused", path.display());
        for bytes in read_bundle(&bytes).with_context(refused)? {
            entries.push(Entry::from_bytes(bytes).with_context(refused)?);
            log.append(bytes).with_context(refused)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = checkpoint {
        check_checkpoint(path, policy, &log)?;
    }
    Ok(entries)
}

fn check_checkpoint(path: &Path, policy: Option<&Path>, log: &Log) -> Result<()> {
    let bytes = files::read(path, MAX_CHECKPOINT_LEN_BYTES)?;
    let refused = || format!("{} is refused", path.display());
    let checkpoint = SignedCheckpoint::from_bytes(&bytes).with_context(refused)?;
    ensure!(
        checkpoint.size() == log.size(),
        "{} entries, the checkpoint is of {}",
        log.size(),
        checkpoint.size()
    );
    if log.root()? != checkpoint.root() {
        bail!("the entries are not those of the checkpoint");
    }
    if let Some(path) = policy {
        let bytes = files::read(path, MAX_POLICY_LEN_BYTES)?;
        let policy = WitnessPolicy::from_bytes(&bytes);
        let policy = policy.with_context(|| format!("{} is refused", path.display()))?;
        let checked = policy.check(&checkpoint);
        checked.context("the checkpoint is not signed as the policy asks")?;
    }
    Ok(())
}

fn text_of(story: &Story) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} entries", story.entries);
    for set in &story.rule_sets {
        tell_set(&mut text, set);
    }
    if let (Some(first), Some(last)) = (story.days.first(), story.days.last()) {
        let _ = writeln!(
            text,
            "{} days counted, {} to {}, {} between them missing",
            story.days.len(),
            first.day,
            last.day,
            story.days_missing
        );
        let _ = writeln!(text, "  on {}, of {} residents:", last.day, last.residents);
        for cell in &last.cells {
            let _ = writeln!(
                text,
                "    {:<6} by {:<8} {}",
                cell.colour, cell.rule, cell.people
            );
        }
    } else {
        text.push_str("no day counted\n");
    }
    tell_daily(&mut text, &story.daily);
    text
}

/// The newest day's appeals, what left last, and when nothing did.
fn tell_daily(text: &mut String, daily: &DailyStory) {
    if let Some(last) = daily.appeals.last() {
        let _ = writeln!(
            text,
            "{} days of appeals\n  on {}: {} came, {} upheld, {} dismissed, {} of them late; {} waiting, {} overdue",
            daily.appeals.len(),
            last.day,
            last.came,
            last.upheld.appeals,
            last.dismissed.appeals,
            last.late,
            last.waiting,
            last.overdue
        );
        for (upheld, dismissed) in last.upheld.by_wait.iter().zip(&last.dismissed.by_wait) {
            let _ = writeln!(
                text,
                "    {:<12} {} upheld, {} dismissed",
                upheld.wait, upheld.appeals, dismissed.appeals
            );
        }
    } else {
        text.push_str("no appeals counted\n");
    }
    match daily.retention.last() {
        Some(last) => {
            let _ = writeln!(
                text,
                "kept no longer on {}: {} events, {} records erased; {} days are kept, from {} on",
                last.day, last.events, last.erased, last.horizon_days, last.first_day
            );
        }
        None => text.push_str("nothing told of what is kept no longer\n"),
    }
    if !daily.retention_missing.is_empty() {
        let days = daily.retention_missing.join(", ");
        let _ = writeln!(
            text,
            "NOTHING LEFT ON {days}: the job for it did not run to its end"
        );
    }
}

fn tell_set(text: &mut String, set: &RuleSetStory) {
    let emergency = if set.is_emergency {
        ", AN EMERGENCY"
    } else {
        ""
    };
    let told = match set.told {
        Told::Founding => "in force when the log began",
        Told::Redated => "a table that was known, with another end",
        Told::Withdrawn => "withdrawn before it was in force",
        Told::InTime => "whom it changes was published before",
        Told::Late => "whom it changes was published when it was in force",
        Told::Due => "whom it changes is not published yet",
        Told::Missing => "whom it changes was not published",
    };
    let _ = writeln!(
        text,
        "rule set {} version {}, scope {}, from {}{emergency}: {told}",
        set.name, set.version, set.scope, set.from
    );
    for change in &set.changes {
        let _ = writeln!(
            text,
            "    {} -> {} by {:<8} {}",
            change.from, change.to, change.rule, change.people
        );
    }
}
