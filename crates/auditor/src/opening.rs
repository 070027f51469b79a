//! `auditor opening`: whether a home node's answer to the source of an event is to be believed, and what it says.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use commitment::opening::{Answer, Sought, Stated};
use commitment::{CircuitUse, Fr, fr_from_bytes, fr_to_bytes};
use rules::event::MAX_EVENT_LEN_BYTES;
use rules::{Event, Minute};
use serde::Serialize;
use verifier::opening::{Asked, OPENING_LEN_BYTES, Opened, Opening, OpeningRefusal};
use verifier::{PreparedCircuit, VERIFYING_KEY_LEN_BYTES, VerifyingKey};

use crate::system::CircuitName;
use crate::{Outcome, files, test_key};

/// Check an opening: what a home node answers to whoever asks whether its committed record holds what an event states.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor opening answer.bin --event event.bin --registry-root 1b0c… --verifying-key opening-vk.bin
  auditor opening answer.bin --event target.bin --ended-not-before 27698400 --registry-root … --verifying-key …
  auditor opening answer.bin --event event.bin --registry-root … --verifying-key … --admit-test-key --json

The event is the one that was stated, in its canonical bytes; of a release or a ruling, the event that it speaks of. The registry
root is that of the opening's epoch, from a trust list that you believe. The circuit is rebuilt from the source of this program;
the key is that of openings, arkworks compressed. Nothing is asked of anybody.

What an answer says and does not say is in `auditor statement --circuit opening --text`. Whether it suffices is for you to judge: an
event that stands under another, one that ended, and one that is absent each need a reason that the home node has to show.
Exit code 0 if the opening is to be believed, whatever it answers; 1 if not; 3 if a file cannot be read.")]
pub(crate) struct Args {
    /// The opening, 719 bytes
    #[arg(value_name = "FILE")]
    opening: PathBuf,
    /// The event asked about, in its canonical bytes
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The registry root of the opening's epoch, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = element)]
    registry_root: Fr,
    /// The verifying key of the circuit of openings
    #[arg(long, value_name = "FILE")]
    verifying_key: PathBuf,
    /// Ask whether it ended no earlier than this minute since 1970 UTC, as the source of a release does
    #[arg(long, value_name = "MINUTE", value_parser = minute)]
    ended_not_before: Option<Minute>,
    /// Believe a key of tests, under which whoever made it can forge
    #[arg(long)]
    admit_test_key: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let opening = files::read(&args.opening, OPENING_LEN_BYTES)?;
    let opening = Opening::from_bytes(&opening)
        .with_context(|| format!("{} is no opening", args.opening.display()))?;
    let event = files::read(&args.event, MAX_EVENT_LEN_BYTES)?;
    let event = Event::from_bytes(&event)
        .with_context(|| format!("{} is no event", args.event.display()))?;
    let key = files::read(&args.verifying_key, VERIFYING_KEY_LEN_BYTES)?;
    let key = VerifyingKey::from_bytes(&key)
        .with_context(|| format!("{} is no verifying key", args.verifying_key.display()))?;
    let sought = Sought::of_event(&event).context("nothing can be asked about this event")?;
    let sought = args
        .ended_not_before
        .map_or(sought, |at| sought.ended_not_before(at));
    let asked = Asked {
        subject: event.subject,
        sought,
    };
    let verdict = judge(&opening, &asked, args.registry_root, &key);
    let report = Report::new(&opening, &sought, &verdict, args.admit_test_key);
    files::print(&if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    })?;
    match &report.refused {
        None => Ok(Outcome::Agrees),
        Some(why) => {
            eprintln!("auditor: {why}");
            Ok(Outcome::Differs)
        }
    }
}

/// The opening under the key as one of production or of tests, whichever it names.
fn judge(
    opening: &Opening,
    asked: &Asked,
    registry_root: Fr,
    key: &VerifyingKey,
) -> Result<Opened, OpeningRefusal> {
    let digest = CircuitName::Opening.identity().digest;
    let under = |circuit_use| PreparedCircuit::new(circuit_use, &digest, key);
    let (production, test) = (under(CircuitUse::Production), under(CircuitUse::Test));
    let is_test = opening.circuit == test.id().short();
    let circuit = if is_test { &test } else { &production };
    opening.verify(asked, registry_root, circuit)
}

fn element(text: &str) -> Result<Fr, String> {
    let bytes = test_key::digits(text)?;
    fr_from_bytes(&bytes).map_err(|error| error.to_string())
}

fn minute(text: &str) -> Result<Minute, String> {
    let number: u32 = text.parse().map_err(|_| "a number of minutes".to_owned())?;
    Minute::new(number).map_err(|error| error.to_string())
}

/// What `opening` prints. It names nobody: who asks has the event.
#[derive(Serialize)]
struct Report {
    is_believed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    epoch: u32,
    slot: u8,
    leaf: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit_use: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
}

impl Report {
    fn new(
        opening: &Opening,
        sought: &Sought,
        verdict: &Result<Opened, OpeningRefusal>,
        admit_test_key: bool,
    ) -> Self {
        let opened = verdict.as_ref().ok();
        let is_test = opened.is_some_and(|o| o.circuit_use == CircuitUse::Test);
        let refused = match verdict {
            Err(refusal) => Some(refusal.to_string()),
            Ok(_) if is_test && !admit_test_key => {
                Some("the key is one of tests, under which whoever made it can forge".to_owned())
            }
            Ok(_) => None,
        };
        let believed = opened.filter(|_| refused.is_none());
        Self {
            is_believed: believed.is_some(),
            epoch: opening.head.epoch.get(),
            slot: opening.head.slot.get(),
            leaf: hex::encode(fr_to_bytes(opening.leaf)),
            circuit_use: opened.map(|_| if is_test { "test" } else { "production" }),
            answer: believed.map(|opened| word(opened.answer)),
            says: believed.map(|opened| says(sought, opened.answer)),
            refused,
        }
    }

    fn text(&self) -> String {
        let mut out = format!(
            "epoch {}, slot {}\nleaf {}\n",
            self.epoch, self.slot, self.leaf
        );
        if self.circuit_use == Some("test") {
            out.push_str("under a test key: a specimen\n");
        }
        match (&self.says, &self.refused) {
            (Some(says), _) => {
                let _ = writeln!(out, "{says}");
            }
            (None, why) => {
                let _ = writeln!(out, "NOT to be believed: {}", why.as_deref().unwrap_or("?"));
            }
        }
        out
    }
}

const fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Stands => "stands",
        Answer::Ended => "ended",
        Answer::Covered => "covered",
        Answer::CoveredAndEnded => "covered-and-ended",
        Answer::Absent => "absent",
    }
}

/// What an answer says of what was sought, in a sentence.
fn says(sought: &Sought, answer: Answer) -> String {
    let bound = sought.end_not_before().get();
    let other = match sought.stated() {
        Stated::Stay { .. } => "a stay in its place that began no later",
        Stated::Fact { .. } | Stated::NegativeTest { .. } => {
            "one of its kind and province that began no earlier"
        }
    };
    match answer {
        Answer::Stands => "the event stands in the record as stated, and has not ended".to_owned(),
        Answer::Ended => {
            format!("the event stands as stated and has ended, no earlier than minute {bound}")
        }
        Answer::Covered => format!("another stands for the event and has not ended: {other}"),
        Answer::CoveredAndEnded => format!(
            "another of its kind or place stands for the event and has ended, no earlier than minute {bound}"
        ),
        Answer::Absent => "nothing in the record has the event's key and begin: ask why".to_owned(),
    }
}
