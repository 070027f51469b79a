//! `auditor opening`: whether a home node's answer to the source of an event is to be believed, and what it says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use commitment::opening::{Answer, Sought, Stated};
use commitment::{CircuitShortId, CircuitUse, Epoch, Fr, Slot, fr_from_bytes, fr_to_bytes};
use ed25519_dalek::VerifyingKey as RootKey;
use rules::event::MAX_EVENT_LEN_BYTES;
use rules::{Event, Minute};
use serde::Serialize;
use verifier::opening::{
    Asked, EpochRegistry, OPENING_LEN_BYTES, Opened, Opening, OpeningRefusal, PreparedOpening,
};
use verifier::trust::{MAX_SIGNED_ROOT_LEN_BYTES, RootKeys, SignedRoot, root_key_from_digits};
use verifier::{VERIFYING_KEY_LEN_BYTES, VerifyingKey};

use crate::system::CircuitName;
use crate::{Outcome, files, root_keys, test_key};

/// Check an opening: what a home node answers to whoever asks whether its committed record holds what an event states.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor opening answer.bin --event event.bin --slot 19 --epoch 41 --as-of 27698640 --registry-root 1b0c… \\
    --verifying-key opening-vk.bin --circuit-id 9ac2… --accepted 27698000
  auditor opening answer.bin --event event.bin … --root-document root.bin --root-key 5f0a… --root-key 77c1…
  auditor opening answer.bin --event target.bin --ended-not-before 27698400 …    as the source of a release asks
  auditor opening answer.bin --event event.bin … --admit-test-key --json         without --circuit-id the key is one of tests

The event is the one that was stated, in its canonical bytes; of a release or a ruling, the event that it speaks of. The slot is that of
the home node, by your receipt; epoch, as-of and registry root are of the epoch that you ask about, from a trust list that you
believe. The circuit is rebuilt from the source of this program; the key is the one that a root document signed by your root keys names for
openings, or one that you have, arkworks compressed, and then the circuit id says what it is for: an opening's own word for it is worth
nothing. Nothing is asked of anybody.

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
    /// The home node's slot, 0 to 63
    #[arg(long, value_parser = slot)]
    slot: Slot,
    /// The epoch asked about
    #[arg(long, value_name = "NUMBER")]
    epoch: u32,
    /// The minute since 1970 UTC at which it closed
    #[arg(long, value_name = "MINUTE", value_parser = minute)]
    as_of: Minute,
    /// The registry root of that epoch, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = element)]
    registry_root: Fr,
    /// A root document with its signatures: the key is the one that it names for openings
    #[arg(long, value_name = "FILE", requires = "root_key", conflicts_with_all = ["verifying_key", "circuit_id"])]
    root_document: Option<PathBuf>,
    /// A root key, known beforehand, that has to have signed the root document; repeatable
    #[arg(long, value_name = "HEX", value_parser = root_key_from_digits, requires = "root_document")]
    root_key: Vec<RootKey>,
    /// How many of the root keys must have signed; all of them if not given
    #[arg(long, value_name = "K", requires = "root_document")]
    root_threshold: Option<u8>,
    /// The verifying key of the circuit of openings
    #[arg(long, value_name = "FILE", required_unless_present = "root_document")]
    verifying_key: Option<PathBuf>,
    /// The circuit id of openings in a root document that you believe, 64 hexadecimal digits; without it the key is one of tests
    #[arg(long, value_name = "HEX", value_parser = test_key::digits)]
    circuit_id: Option<[u8; 32]>,
    /// When the event was accepted, by your receipt: an older tree says nothing of it
    #[arg(long, value_name = "MINUTE", value_parser = minute)]
    accepted: Option<Minute>,
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
    let sought = Sought::of_event(&event).context("nothing can be asked about this event")?;
    let sought = args
        .ended_not_before
        .map_or(sought, |at| sought.ended_not_before(at));
    let asked = Asked {
        slot: args.slot,
        subject: event.subject,
        sought,
    };
    let registry = EpochRegistry {
        epoch: Epoch::new(args.epoch),
        as_of: args.as_of,
        root: args.registry_root,
    };
    let circuit = match (&args.root_document, &args.verifying_key) {
        (Some(path), _) => {
            let pinned = root_keys::pinned(&args.root_key, args.root_threshold)?;
            named_circuit(path, &pinned, opening.circuit)?
        }
        (None, Some(path)) => circuit(path, args.circuit_id)?,
        (None, None) => bail!("--root-document or --verifying-key is needed"),
    };
    let verdict = opening.verify(&asked, &registry, &circuit);
    let report = Report::new(&opening, &sought, &verdict, args);
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

/// The circuit of openings that a root document names: the one that the opening is under if it is among them, and none but that which is
/// rebuilt from source.
fn named_circuit(path: &Path, pinned: &RootKeys, of: CircuitShortId) -> Result<PreparedOpening> {
    let bytes = files::read(path, MAX_SIGNED_ROOT_LEN_BYTES)?;
    let root = SignedRoot::from_bytes(&bytes)
        .with_context(|| format!("{} is no root document", path.display()))?;
    root.check_pinned(pinned)
        .with_context(|| format!("{} is refused", path.display()))?;
    let digest = CircuitName::Opening.identity().digest;
    let openings = root.document().openings.iter();
    let openings = openings.filter(|entry| entry.matrix_digest == digest);
    let entry = openings
        .clone()
        .find(|entry| entry.id().short() == of)
        .or(openings.clone().next())
        .context("the root document names no key of the circuit of openings rebuilt from source")?;
    Ok(entry.prepared())
}

/// The circuit of openings under a key, for what its id says; without an id for tests.
fn circuit(path: &Path, id: Option<[u8; 32]>) -> Result<PreparedOpening> {
    let key = files::read(path, VERIFYING_KEY_LEN_BYTES)?;
    let key = VerifyingKey::from_bytes(&key)
        .with_context(|| format!("{} is no verifying key", path.display()))?;
    let digest = CircuitName::Opening.identity().digest;
    let under = |circuit_use| PreparedOpening::new(circuit_use, &digest, &key);
    let Some(id) = id else {
        return Ok(under(CircuitUse::Test));
    };
    [CircuitUse::Production, CircuitUse::Test]
        .map(under)
        .into_iter()
        .find(|circuit| circuit.id().to_bytes() == id)
        .context("--circuit-id is not that of this circuit under this key")
}

fn slot(text: &str) -> Result<Slot, String> {
    let number: u8 = text
        .parse()
        .map_err(|_| "a number from 0 to 63".to_owned())?;
    Slot::new(number).ok_or("a number from 0 to 63".to_owned())
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
    head_minute: u32,
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
        args: &Args,
    ) -> Self {
        let opened = verdict.as_ref().ok();
        let is_test = opened.is_some_and(|o| o.circuit_use == CircuitUse::Test);
        let refused = match verdict {
            Err(refusal) => Some(refusal.to_string()),
            Ok(_) if is_test && !args.admit_test_key => {
                Some("the key is one of tests, under which whoever made it can forge".to_owned())
            }
            Ok(opened) if args.accepted.is_some_and(|at| opened.head_time < at) => Some(format!(
                "the tree is of minute {}, older than the receipt: it says nothing of the event",
                opened.head_time.get()
            )),
            Ok(_) => None,
        };
        let believed = opened.filter(|_| refused.is_none());
        Self {
            is_believed: believed.is_some(),
            epoch: opening.head.epoch.get(),
            slot: opening.head.slot.get(),
            head_minute: opening.head.head_time.get(),
            leaf: hex::encode(fr_to_bytes(opening.leaf)),
            circuit_use: opened.map(|_| if is_test { "test" } else { "production" }),
            answer: believed.map(|opened| word(opened.answer)),
            says: believed.map(|opened| says(sought, opened.answer)),
            refused,
        }
    }

    fn text(&self) -> String {
        let mut out = format!(
            "epoch {}, slot {}, tree of minute {}\nleaf {}\n",
            self.epoch, self.slot, self.head_minute, self.leaf
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
    let ended = match sought.stated() {
        Stated::Stay { .. } => other,
        Stated::Fact { .. } | Stated::NegativeTest { .. } => "some entry of its kind and province",
    };
    match answer {
        Answer::Stands => "the event stands in the record as stated, and has not ended".to_owned(),
        Answer::Ended => {
            format!("the event stands as stated and has ended, no earlier than minute {bound}")
        }
        Answer::Covered => format!("another stands for the event and has not ended: {other}"),
        Answer::CoveredAndEnded => format!(
            "{ended} has ended, no earlier than minute {bound}: that accounts for the event only if the event itself has ended"
        ),
        Answer::Absent => "nothing in the record has the event's key and begin: ask why".to_owned(),
    }
}
