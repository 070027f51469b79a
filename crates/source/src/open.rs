//! `open` and `check-opening`: what a home answers to the source of an event, judged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use commitment::opening::{Answer, Stated};
use commitment::{CircuitUse, fr_to_bytes};
use federation::{Credentials, PeerId, TlsIdentity, connect};
use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use ledger::{Epoch, Minute};
use rules::Event;
use rules::event::MAX_EVENT_LEN_BYTES;
use serde_json::{Value, json};
use source::ask::{self, AskError, TIMEOUTS};
use source::{Judges, OpeningFault, Question, newest_epoch};
use tonic::transport::Channel;
use verifier::opening::{OPENING_LEN_BYTES, Opened};
use verifier::trust::{Candidate, MAX_BUNDLE_LEN_BYTES, RootKeys, TrustList};
use verifier::{Error as ListError, UnixTime};
use wire::OpeningRequest;

use crate::{Ending, RootKeyArgs, Told, files};

/// A chain, a key or a few authorities in PEM take some kilobytes.
const MAX_PEM_LEN_BYTES: usize = 256 << 10;

/// Ask the home that gave a receipt to open the record at the event, and judge the answer.
#[derive(Args)]
#[command(after_help = "Examples:
  viridian-source open --node node-33.example:7440 --cert lab.pem --key lab-key.pem --roots federation.pem \\
      --receipt r.bin --event e.bin --root-key 9f…03 --root-key 81…aa --root-threshold 2 --keep opening.bin --keep-list list.bin
  viridian-source open … --epoch 4711 --json
  viridian-source open … --ended-not-before 27698400      as the source of its release asks

The node opens the record that it committed for the newest registry, as long as it has taken up no later one; the registry and the
key come from the trust list, which a quorum of provinces has signed, and not from the opening. The resident is shown who asked, and
for which registry. The receipt must be for this event, and the certificate that of the event's source; the trust list must have the
registry and name a key of openings, or nothing is asked.

Exit codes: 0 the event stands in the record, or stood there and has ended; 1 could not tell: a file or the trust list is refused, or
the list has no such registry or no key; 2 wrong usage; 3 the receipt is not good, or there is nothing to ask about the event; 8 the
node refuses, and says why; 9 the node does not answer; 10 nothing in the record has the event's key and begin: ask why; 11 another
entry stands for it: to be held against the rule sets in force; 12 the answer is not to be believed.")]
pub(crate) struct Open {
    /// The door for certificates of the node that gave the receipt
    #[arg(long, value_name = "HOST:PORT")]
    node: String,
    /// The source's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Certificates (PEM) of the authorities that issue the nodes'
    #[arg(long, value_name = "FILE")]
    roots: PathBuf,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    root_keys: RootKeyArgs,
    /// Judge by this trust list, and do not ask the node for one
    #[arg(long, value_name = "FILE")]
    trust_list: Option<PathBuf>,
    /// Ask about the registry of this epoch; the newest of the trust list if not given
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    epoch: Option<u32>,
    /// Judge the trust list's age as at this minute since the Unix epoch, not now
    #[arg(long, value_name = "MINUTE", value_parser = minute)]
    at_minute: Option<Minute>,
    /// Keep the opening in this file, which must not exist
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Keep the trust list that it is judged by in this file, which must not exist
    #[arg(long, value_name = "FILE")]
    keep_list: Option<PathBuf>,
}

/// Judge an opening that was kept; nobody is asked.
#[derive(Args)]
#[command(after_help = "Example:
  viridian-source check-opening opening.bin --receipt r.bin --event e.bin --trust-list list.bin --epoch 4711 --federation cn \\
      --root-key 9f…03 --root-threshold 1

The trust list is the one that was kept beside it: how old it is does not matter here, only that it is signed.

Exit codes: 0, 1, 2, 3, 10, 11 and 12 as those of open.")]
pub(crate) struct CheckOpening {
    /// The opening, 719 bytes
    #[arg(value_name = "FILE")]
    opening: PathBuf,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    root_keys: RootKeyArgs,
    /// The federation's name
    #[arg(long)]
    federation: String,
    /// The trust list
    #[arg(long, value_name = "FILE")]
    trust_list: PathBuf,
    /// The epoch of the registry that was asked about
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    epoch: u32,
}

#[derive(Args)]
struct QuestionArgs {
    /// The receipt: the bytes of the field `receipt` of the answer
    #[arg(long, value_name = "FILE")]
    receipt: PathBuf,
    /// The event's canonical bytes, as it was handed in; of a release or a ruling there is nothing to ask
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// Ask whether it ended no earlier than this minute since the Unix epoch
    #[arg(long, value_name = "MINUTE", value_parser = minute)]
    ended_not_before: Option<Minute>,
    /// Believe a key of tests, under which whoever made it can forge
    #[arg(long)]
    admit_test_key: bool,
}

fn minute(text: &str) -> Result<Minute, String> {
    let number: u32 = text.parse().map_err(|_| "a number of minutes".to_owned())?;
    Minute::new(number).map_err(|error| error.to_string())
}

/// Why nothing is told of the record: somebody's word, or nobody's.
enum Ended {
    /// The node refuses, or does not answer.
    Unanswered(AskError),
    /// The question is none, cannot be judged, or the answer is not to be believed.
    Fault(OpeningFault),
}

impl From<AskError> for Ended {
    fn from(error: AskError) -> Self {
        Self::Unanswered(error)
    }
}

impl From<OpeningFault> for Ended {
    fn from(fault: OpeningFault) -> Self {
        Self::Fault(fault)
    }
}

pub(crate) fn open(asked: &Open) -> Result<(Told, Ending)> {
    let pinned = asked.root_keys.read()?;
    let Some(question) = asked.question.read()? else {
        return Ok(no_receipt());
    };
    if let Err(fault) = question.check_content() {
        return Ok(faulty(&fault));
    }
    for file in asked.keep.iter().chain(&asked.keep_list) {
        if file.exists() {
            bail!("{} exists", file.display());
        }
    }
    let now = asked.at_minute.map_or_else(crate::now, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the network")?;
    let _within = runtime.enter();
    let (channel, federation) = reach(asked, &question)?;
    let sign = files::spinner("asking for the trust list");
    let list = match list(asked, &channel, &runtime)? {
        Ok(bytes) => bytes,
        Err(error) => return Ok(ended(&error.into())),
    };
    let believed = believed(&list, &pinned, now)?;
    let judges = Judges {
        federation: &federation,
        list: &believed,
        admits_test_key: asked.question.admit_test_key,
    };
    sign.set_message("waiting for the opening");
    let done = runtime.block_on(answered(asked, &question, channel, &judges));
    sign.finish_and_clear();
    let (epoch, bytes) = match done {
        Ok(answered) => answered,
        Err(why) => return Ok(ended(&why)),
    };
    // What was answered is kept whatever it is worth: one that does not hold was given by somebody, too.
    if let Some(file) = &asked.keep {
        files::write_new(file, &bytes)?;
    }
    if let Some(file) = &asked.keep_list {
        files::write_new(file, &list)?;
    }
    Ok(judged(&question, &bytes, epoch, &judges))
}

pub(crate) fn check_opening(asked: &CheckOpening) -> Result<(Told, Ending)> {
    let pinned = asked.root_keys.read()?;
    let Some(question) = asked.question.read()? else {
        return Ok(no_receipt());
    };
    let list = files::read(&asked.trust_list, MAX_BUNDLE_LEN_BYTES)?;
    let of = || format!("{} is refused", asked.trust_list.display());
    let list = TrustList::restore(&list, &pinned).with_context(of)?;
    let judges = Judges {
        federation: &asked.federation,
        list: &list,
        admits_test_key: asked.question.admit_test_key,
    };
    let bytes = files::read(&asked.opening, OPENING_LEN_BYTES)?;
    Ok(judged(&question, &bytes, Epoch::new(asked.epoch), &judges))
}

impl QuestionArgs {
    /// The question; none where the receipt's file holds none.
    fn read(&self) -> Result<Option<Question>> {
        let event = files::read(&self.event, MAX_EVENT_LEN_BYTES)?;
        let event = Event::from_bytes(&event)
            .with_context(|| format!("{} is no event", self.event.display()))?;
        let receipt = files::read(&self.receipt, HELD_RECEIPT_LEN_MAX_BYTES)?;
        let receipt = HeldReceipt::from_bytes(&receipt).ok();
        Ok(receipt.map(|receipt| Question {
            event,
            receipt,
            ended_not_before: self.ended_not_before,
        }))
    }
}

/// A channel to the node that gave the receipt, and the federation by the certificate.
fn reach(asked: &Open, question: &Question) -> Result<(Channel, String)> {
    let pem = |path: &Path| -> Result<String> {
        String::from_utf8(files::read(path, MAX_PEM_LEN_BYTES)?)
            .with_context(|| format!("{} is not PEM", path.display()))
    };
    let (cert, key, roots) = (pem(&asked.cert)?, pem(&asked.key)?, pem(&asked.roots)?);
    let identity = TlsIdentity::from_pem(&cert, &key, &roots);
    let identity = identity.context("the certificate, its key or the roots are refused")?;
    let own = identity.peer().cloned();
    let own = own.context("a certificate without an identity")?;
    if own.source() != Some(question.event.source) {
        bail!(
            "the certificate is that of {own}, the event is of source {}: only the event's source may ask",
            question.event.source
        );
    }
    let home = question.receipt.signed.receipt.province;
    let node = PeerId::node(&own.federation, home);
    let credentials: Arc<dyn Credentials> = Arc::new(Arc::new(identity));
    let channel = connect(&asked.node, node, credentials, TIMEOUTS)?;
    Ok((channel, own.federation.as_str().to_owned()))
}

fn list(
    asked: &Open,
    channel: &Channel,
    runtime: &tokio::runtime::Runtime,
) -> Result<Result<Vec<u8>, AskError>> {
    Ok(match &asked.trust_list {
        Some(file) => Ok(files::read(file, MAX_BUNDLE_LEN_BYTES)?),
        None => runtime.block_on(ask::trust_list(channel.clone())),
    })
}

fn believed(bytes: &[u8], pinned: &RootKeys, now: Minute) -> Result<Candidate> {
    let now = UnixTime::from_s(u64::from(now.get()) * 60);
    let list: Result<_, ListError> = TrustList::consider(bytes, None, pinned, now);
    list.context("the trust list is refused")
}

/// The epoch that is asked about, and the answer. The question is judged before it is asked, and so is whether its answer could be.
async fn answered(
    asked: &Open,
    question: &Question,
    channel: Channel,
    judges: &Judges<'_>,
) -> Result<(Epoch, [u8; OPENING_LEN_BYTES]), Ended> {
    question.check(judges)?;
    let epoch = match asked.epoch {
        Some(number) => Epoch::new(number),
        None => newest_epoch(judges.list)?,
    };
    judges.check(epoch)?;
    let request = OpeningRequest {
        event: question.event,
        receipt: question.receipt.clone(),
        epoch,
        ended_not_before: question.ended_not_before,
    };
    Ok((epoch, ask::open_event(channel, &request).await?))
}

fn ended(why: &Ended) -> (Told, Ending) {
    match why {
        Ended::Fault(fault) => faulty(fault),
        Ended::Unanswered(error) => {
            let (state, ending, reason) = match error {
                AskError::Refused { reason, .. } => {
                    ("refused", Ending::Refused, Some(reason.code()))
                }
                AskError::Silent(_) => ("silent", Ending::Silent, None),
                _ => ("not-believed", Ending::NotBelieved, None),
            };
            let what = error.to_string();
            let wait_s = match error {
                AskError::Refused { wait, .. } => wait.map(|wait| wait.as_secs_f64().ceil()),
                _ => None,
            };
            let again = wait_s.map_or_else(String::new, |s| format!("; again in {s} s"));
            let json = json!({ "state": state, "error": what, "reason": reason, "wait_s": wait_s });
            let words = format!("{state}: {what}{again}");
            (Told { words, json }, ending)
        }
    }
}

fn no_receipt() -> (Told, Ending) {
    (
        crate::not_good("the receipt is no receipt"),
        Ending::NotGood,
    )
}

/// Whose fault it is that nothing is told: nobody's here, the asker's, or the home's.
fn faulty(fault: &OpeningFault) -> (Told, Ending) {
    let what = fault.to_string();
    let (state, name, ending) = match fault {
        OpeningFault::Receipt(_) | OpeningFault::NotSought(_) => {
            return (crate::not_good(&what), Ending::NotGood);
        }
        // The list at hand is too old for it, too new, or none to judge by: that says nothing of the opening.
        OpeningFault::Roster(_)
        | OpeningFault::UnknownEpoch(_)
        | OpeningFault::NoRegistry
        | OpeningFault::NoKey => ("could-not-tell", "could not tell", Ending::CouldNotTell),
        _ => ("not-believed", "not to be believed", Ending::NotBelieved),
    };
    let json = json!({ "state": state, "error": what });
    let words = format!("{name}: {what}");
    (Told { words, json }, ending)
}

fn judged(question: &Question, bytes: &[u8], epoch: Epoch, judges: &Judges<'_>) -> (Told, Ending) {
    match question.judge(bytes, epoch, judges) {
        Ok(opened) => tell(question, epoch, &opened),
        Err(fault) => faulty(&fault),
    }
}

fn tell(question: &Question, epoch: Epoch, opened: &Opened) -> (Told, Ending) {
    let (state, ending) = match opened.answer {
        Answer::Stands => ("stands", Ending::Holds),
        Answer::Ended => ("ended", Ending::Holds),
        Answer::Covered => ("covered", Ending::ByAnother),
        Answer::CoveredAndEnded => ("covered-and-ended", Ending::ByAnother),
        Answer::Absent => ("absent", Ending::Absent),
    };
    let is_test = opened.circuit_use == CircuitUse::Test;
    let receipt = &question.receipt.signed.receipt;
    let (number, tree) = (epoch.get(), opened.head_time.get());
    let specimen = if is_test {
        "\nunder a key of tests: a specimen"
    } else {
        ""
    };
    let says = says(question, opened.answer);
    let json = json!({
        "state": state,
        "says": says,
        "province": receipt.province.get(),
        "slot": receipt.slot.get(),
        "accepted_minute": receipt.accepted.get(),
        "epoch": number,
        "tree_minute": tree,
        "leaf": hex::encode(fr_to_bytes(opened.leaf)),
        "test_key": is_test,
        "error": Value::Null,
    });
    let words =
        format!("{state}: {says}\nregistry of epoch {number}, tree of minute {tree}{specimen}");
    (Told { words, json }, ending)
}

/// What an answer says of the event.
fn says(question: &Question, answer: Answer) -> String {
    let is_stay = matches!(Stated::of_event(&question.event), Some(Stated::Stay { .. }));
    let other = if is_stay {
        "a stay in its place that began no later"
    } else {
        "an entry of its kind and province"
    };
    let bound = question.sought().map_or(0, |s| s.end_not_before().get());
    match answer {
        Answer::Stands => "the event stands in the record as stated, and has not ended".to_owned(),
        Answer::Ended => {
            format!("the event stands as stated, and has ended no earlier than minute {bound}")
        }
        Answer::Covered => format!("{other} stands for the event, and has not ended"),
        Answer::CoveredAndEnded => format!(
            "{other} has ended no earlier than minute {bound}: that accounts for the event only if it has ended itself"
        ),
        Answer::Absent => "nothing in the record has the event's key and begin".to_owned(),
    }
}
