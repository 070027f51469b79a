//! `viridian-source`: for whoever hands in events. It owns the clock.

mod files;
mod open;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Parser, Subcommand};
use ledger::Minute;
use ledger::receipt::{BROKEN_PROMISE_LEN_MAX_BYTES, Broken, BrokenPromise};
use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use open::{CheckOpening, Open};
use serde_json::{Value, json};
use source::{DirectoryLog, HttpLog, JudgeError, Judged, LogReader, State, Trust, judge};
use verifier::trust::{MAX_SIGNED_ROOT_LEN_BYTES, RootKeys, SignedRoot};

/// Longest content that a receipt is over: a decision of an appeal, with its words, or a contestation.
const CONTENT_LEN_MAX_BYTES: usize = 2_048;

/// How a command ends: its exit code, which means the same in all commands. 2 is wrong usage.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Ending {
    /// What was asked about is so.
    Holds = 0,
    /// A file, a log or a trust list was not read, is refused, or does not have what is needed.
    CouldNotTell = 1,
    /// The receipt or the evidence that was given is not good, or there is nothing to ask about the event.
    NotGood = 3,
    /// Not in the log, and not due.
    Pending = 4,
    /// Not in the log and overdue, but nothing is shown.
    Overdue = 5,
    /// The promise is broken.
    Broken = 6,
    /// A batch that it may stand in is not served.
    Unserved = 7,
    /// The node refuses, and says why.
    Refused = 8,
    /// The node does not answer.
    Silent = 9,
    /// Nothing in the record has the event's key and begin.
    Absent = 10,
    /// Another entry stands for it.
    ByAnother = 11,
    /// What the node answered is not to be believed.
    NotBelieved = 12,
}

/// What a node's receipts are worth.
#[derive(Parser)]
#[command(
    name = "viridian-source",
    version,
    after_help = "Whether an event stands in the log of the node that accepted it:
  viridian-source verify-receipt --receipt r.bin --event e.bin --log http://log.zj.example:7450 \\
      --federation cn --root-document root.bin --root-key 9f…03 --root-threshold 1 --evidence broken.bin

What anybody does with the evidence of a broken promise:
  viridian-source check-evidence broken.bin --federation cn --root-document root.bin --root-key 9f…03 --root-threshold 1

Whether it stands in the record that was committed:
  viridian-source open --node node-33.example:7440 --cert lab.pem --key lab-key.pem --roots federation.pem \\
      --receipt r.bin --event e.bin --root-key 9f…03 --root-threshold 1 --keep opening.bin --keep-list list.bin

A receipt's file holds the bytes of the field `receipt` that came with the answer, an event's file the event's canonical bytes. No
secret is read but open's own certificate's key. Progress is shown on a terminal; --json prints one JSON object.

Exit codes of verify-receipt: 0 in the log, 1 could not tell, 2 wrong usage, 3 the receipt is not good, 4 not in the log and not
due, 5 overdue but nothing shown, 6 the promise is broken, 7 a batch that it may stand in is not served. Of check-evidence: 0 a broken promise is shown, 1 could not tell,
2 wrong usage, 3 the evidence is not good: none is shown. Those of open and check-opening, 8 to 12 besides, are in their own help."
)]
struct Cli {
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look for what a receipt promises in the log
    VerifyReceipt(VerifyReceipt),
    /// Check the evidence of a broken promise
    CheckEvidence {
        /// The evidence
        file: PathBuf,
        #[command(flatten)]
        trust: TrustArgs,
    },
    Open(Box<Open>),
    CheckOpening(CheckOpening),
}

#[derive(Args)]
struct VerifyReceipt {
    /// The receipt: the bytes of the field `receipt` of the answer
    #[arg(long)]
    receipt: PathBuf,
    /// The event's canonical bytes; of a contestation case id, event id and statement, one after the other
    #[arg(long)]
    event: PathBuf,
    /// The log: `http://HOST[:PORT][/PREFIX]`, or a directory with its files
    #[arg(long)]
    log: String,
    #[command(flatten)]
    trust: TrustArgs,
    /// Believe a checkpoint that too few other provinces have cosigned
    #[arg(long)]
    unwitnessed: bool,
    /// Judge as at this minute since the Unix epoch, not now
    #[arg(long)]
    at_minute: Option<u32>,
    /// Where the evidence of a broken promise goes; the file must not exist
    #[arg(long)]
    evidence: Option<PathBuf>,
}

#[derive(Args)]
struct TrustArgs {
    /// The federation's name
    #[arg(long)]
    federation: String,
    /// The root document that names the node's head key
    #[arg(long)]
    root_document: PathBuf,
    #[command(flatten)]
    root_keys: RootKeyArgs,
}

/// What a root document is believed by.
#[derive(Args)]
struct RootKeyArgs {
    /// An offline root key, 64 hexadecimal digits; once for each
    #[arg(long = "root-key", required = true)]
    root_keys: Vec<String>,
    /// How many of them must have signed the root document
    #[arg(long)]
    root_threshold: u8,
}

impl RootKeyArgs {
    fn read(&self) -> Result<RootKeys> {
        RootKeys::from_digits(&self.root_keys, self.root_threshold).context("--root-key")
    }
}

fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let done = match command {
        Command::VerifyReceipt(asked) => verify_receipt(&asked),
        Command::CheckEvidence { file, trust } => check_evidence(&file, &trust),
        Command::Open(asked) => open::open(&asked),
        Command::CheckOpening(asked) => open::check_opening(&asked),
    };
    match done {
        Ok((told, ending)) => {
            if files::print(&told.rendered(json)).is_err() {
                return ExitCode::from(Ending::CouldNotTell as u8);
            }
            ExitCode::from(ending as u8)
        }
        Err(error) => {
            eprintln!("viridian-source: {error:#}");
            ExitCode::from(Ending::CouldNotTell as u8)
        }
    }
}

/// What is told, in words and as JSON.
struct Told {
    words: String,
    json: Value,
}

impl Told {
    fn rendered(&self, as_json: bool) -> String {
        if as_json {
            format!("{}\n", self.json)
        } else {
            format!("{}\n", self.words)
        }
    }
}

fn verify_receipt(asked: &VerifyReceipt) -> Result<(Told, Ending)> {
    let trust = read_trust(&asked.trust)?;
    let receipt = files::read(&asked.receipt, HELD_RECEIPT_LEN_MAX_BYTES)?;
    let content = files::read(&asked.event, CONTENT_LEN_MAX_BYTES)?;
    let held = match HeldReceipt::from_bytes(&receipt) {
        Ok(held) => held,
        Err(error) => return Ok((not_good(&error.to_string()), Ending::NotGood)),
    };
    let log: Box<dyn LogReader> = if asked.log.contains("://") {
        Box::new(HttpLog::new(&asked.log).map_err(|what| anyhow!(what))?)
    } else {
        Box::new(DirectoryLog(asked.log.clone().into()))
    };
    let now = match asked.at_minute {
        Some(minute) => Minute::new(minute).context("--at-minute")?,
        None => now()?,
    };
    let sign = files::spinner("reading the log");
    let mut each = |path: &str| sign.set_message(format!("reading {path}"));
    let by = (&trust, asked.unwitnessed);
    let judged = judge(&held, &content, by, &*log, now, &mut each);
    sign.finish_and_clear();
    let judged = match judged {
        Err(JudgeError::Receipt(error)) => {
            return Ok((not_good(&error.to_string()), Ending::NotGood));
        }
        other => other?,
    };
    let told = tell(&held, &judged);
    if let (State::Broken { evidence, .. }, Some(file)) = (&judged.state, &asked.evidence) {
        let written = evidence.to_bytes().map_err(anyhow::Error::from);
        let written = written.and_then(|bytes| files::write_new(file, &bytes));
        // What was found is told all the same; but what was asked for is not done.
        if let Err(error) = written {
            eprintln!("viridian-source: the evidence is not written: {error:#}");
            return Ok((told.0, Ending::CouldNotTell));
        }
    }
    Ok(told)
}

fn not_good(what: &str) -> Told {
    Told {
        words: format!("not good: {what}"),
        json: json!({ "state": "not-good", "error": what }),
    }
}

fn tell(held: &HeldReceipt, judged: &Judged) -> (Told, Ending) {
    let receipt = &held.signed.receipt;
    let by = receipt.promised_by.get();
    let (state, words, ending, more) = match &judged.state {
        State::InLog {
            index,
            at,
            position,
        } => (
            "in-log",
            format!(
                "in the log: entry {index}, batch of minute {}, position {position}",
                at.get()
            ),
            Ending::Holds,
            json!({ "index": index, "batch_at_minute": at.get(), "position": position }),
        ),
        State::Pending => (
            "pending",
            format!("not in the log, and not due before minute {by}"),
            Ending::Pending,
            Value::Null,
        ),
        State::Overdue => (
            "overdue",
            format!(
                "not in the log since minute {by}; but the log tells of no later time, so that nothing is shown"
            ),
            Ending::Overdue,
            Value::Null,
        ),
        State::Unserved { index, at, what } => (
            "unserved",
            format!(
                "entry {index}, batch of minute {}, may hold it, and what is in it is not served: {what}",
                at.get()
            ),
            Ending::Unserved,
            json!({ "index": index, "batch_at_minute": at.get(), "error": what }),
        ),
        State::Broken { shown, .. } => ("broken", words_of(shown), Ending::Broken, json_of(shown)),
    };
    let json = json!({
        "state": state,
        "province": receipt.province.get(),
        "slot": receipt.slot.get(),
        "accepted_minute": receipt.accepted.get(),
        "promised_by_minute": by,
        "checkpoint_size": judged.checkpoint_size,
        "witnesses": judged.witnesses,
        "witnesses_needed": judged.witnesses_needed,
        "found": more,
    });
    (Told { words, json }, ending)
}

fn words_of(shown: &Broken) -> String {
    format!(
        "broken: promised by minute {}, and entry {} of the log tells of minute {}; {} batches between lack the commitment",
        shown.promised_by.get(),
        shown.index,
        shown.told.get(),
        shown.batches
    )
}

fn json_of(shown: &Broken) -> Value {
    json!({
        "promised_by_minute": shown.promised_by.get(),
        "told_minute": shown.told.get(),
        "index": shown.index,
        "batches": shown.batches,
    })
}

fn check_evidence(file: &std::path::Path, trust: &TrustArgs) -> Result<(Told, Ending)> {
    let trust = read_trust(trust)?;
    let bytes = files::read(file, BROKEN_PROMISE_LEN_MAX_BYTES)?;
    let checked = BrokenPromise::from_bytes(&bytes).and_then(|evidence| {
        let shown = evidence.check(&trust.federation, &trust.roster)?;
        Ok((evidence, shown))
    });
    let (evidence, shown) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            let what = error.to_string();
            let json = json!({ "state": "not-shown", "error": what });
            let words = format!("not shown: {what}");
            return Ok((Told { words, json }, Ending::NotGood));
        }
    };
    let receipt = &evidence.receipt.receipt;
    let (province, slot) = (receipt.province.get(), receipt.slot.get());
    let words = format!(
        "province {province}, slot {slot}, {}.\nShown: whoever holds the slot's head key promised this, and the log announced \
         under that key did not keep it. Not shown: what it was about, and whether malice, a fault or a stolen key is to blame.",
        words_of(&shown)
    );
    let json = json!({
        "state": "broken",
        "province": province,
        "slot": slot,
        "accepted_minute": receipt.accepted.get(),
        "commitment": hex::encode(receipt.commitment.0),
        "shown": json_of(&shown),
    });
    Ok((Told { words, json }, Ending::Holds))
}

fn read_trust(args: &TrustArgs) -> Result<Trust> {
    let keys = args.root_keys.read()?;
    let path = &args.root_document;
    let bytes = files::read(path, MAX_SIGNED_ROOT_LEN_BYTES)?;
    let of = || format!("{}", path.display());
    let root = SignedRoot::from_bytes(&bytes).with_context(of)?;
    root.check_pinned(&keys).with_context(of)?;
    Ok(Trust {
        federation: args.federation.clone(),
        roster: wire::roster_of(root.document()).with_context(of)?,
    })
}

/// The minute that it is.
fn now() -> Result<Minute> {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH)?;
    let minutes = u32::try_from(since.as_secs() / 60)?;
    Ok(Minute::new(minutes)?)
}
