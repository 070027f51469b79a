//! The command by which a node that was put back gets its log back, and the look at the other nodes before every start.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use node::store::DiskStore;
use node::{Entropy, Peers, Prepared, Recovered, StartError, is_older_than_signed, mark_older};
use tokio::runtime::Runtime;

use crate::commands::{Configured, Done, config_error, counter, prepare, print};

/// How long a start waits for the other nodes to say what they have cosigned. Most answer at once, and those that are away do
/// not hold it up for long.
const LOOK_TIME: Duration = Duration::from_secs(3);

pub(crate) fn recover(
    configured: &Configured,
    urls: &[String],
    least: Option<usize>,
    entropy: Entropy,
) -> Done {
    let (prepared, runtime) = prepare(configured)?;
    if !DiskStore::exists(&prepared.config().data_dir)? {
        return Err(config_error("data_dir holds no store"));
    }
    let within = runtime.enter();
    let peers = prepared.peers()?;
    drop(within);
    let (_disk, vault) = prepared.open_store(&Arc::new(entropy))?;
    let roster = prepared.roster()?;
    let me = prepared.recovering(&vault, &roster)?;
    let bar = counter("entries");
    let mut each = |entries| bar.set_position(entries);
    let done = runtime.block_on(me.run(&peers, urls, least, &mut each));
    bar.finish_and_clear();
    let recovered = done?;
    print(configured.json, &as_json(&recovered), &as_text(&recovered))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(recovered: &Recovered) -> serde_json::Value {
    let answered: Vec<u8> = recovered.answered.iter().map(|p| p.get()).collect();
    serde_json::json!({
        "entries_before": recovered.had,
        "entries": recovered.has,
        "heads": recovered.heads,
        "logs_of_others": recovered.logs,
        "logs_with_two_histories": recovered.forked.iter().map(|slot| slot.get()).collect::<Vec<_>>(),
        "logs_not_read": recovered.unread.iter().map(|slot| slot.get()).collect::<Vec<_>>(),
        "cosigned_by": recovered.cosigned_by,
        "answered": answered,
        "passed_over": recovered.passed_over.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "signs_no_registry_up_to_epoch": recovered.epoch,
        "signs_no_list_up_to_number": recovered.sequence,
        "signs_no_list_before_minute": recovered.quiet_until.get(),
    })
}

fn as_text(recovered: &Recovered) -> String {
    let what = match recovered.has - recovered.had {
        0 => format!(
            "nothing is missing from the log's {} entries",
            recovered.had
        ),
        more => format!(
            "{more} entries and {} heads recovered, {} entries now; {} witnesses hold them",
            recovered.heads, recovered.has, recovered.cosigned_by
        ),
    };
    let mut text = format!(
        "{what}\nno registry up to epoch {}, and no list up to number {} or within the next quarter of an hour, is signed",
        recovered.epoch, recovered.sequence
    );
    for (slots, what) in [
        (
            &recovered.forked,
            "has two histories, and is cosigned no more until it has new log keys: /evidence",
        ),
        (
            &recovered.unread,
            "could not be read as far as others have cosigned it, or too few of them said how far: again when they are reached",
        ),
    ] {
        for slot in slots {
            let _ = write!(text, "\nthe log of slot {} {what}", slot.get());
        }
    }
    for one in &recovered.passed_over {
        // Writing to a string does not fail.
        let _ = write!(text, "\nnot used: {one}");
    }
    text
}

/// Asks the other nodes what they have cosigned of this node's log, and refuses to start over a store that is older than that.
/// What it signed then would be another history. Who is away does not answer, and then nothing is known.
pub(crate) fn check_before_start(
    prepared: &Prepared,
    peers: &Peers,
    runtime: &Runtime,
    entropy: Entropy,
) -> Result<(), StartError> {
    if !DiskStore::exists(&prepared.config().data_dir)? || prepared.config().peers.is_empty() {
        return Ok(());
    }
    let (_disk, vault) = prepared.open_store(&Arc::new(entropy))?;
    if is_older_than_signed(&vault)? {
        return Err(StartError::OlderThanSigned);
    }
    let roster = prepared.roster()?;
    let me = prepared.recovering(&vault, &roster)?;
    if runtime.block_on(me.is_older(peers, LOOK_TIME))? {
        mark_older(&vault)?;
        return Err(StartError::OlderThanSigned);
    }
    Ok(())
}
