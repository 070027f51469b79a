//! The calls that an office makes to its node, with what they answer as values.

use federation::Timeouts;
use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use rules::{Event, Minute};
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Status};
use wire::source::v1 as source;
use wire::{MAX_REASON_BYTES, MAX_STATEMENT_BYTES, WireError, bytes_exact, required, text_within};

use crate::ConsoleError;

#[cfg(test)]
pub(crate) mod fake;

/// How long the node has: whoever agreed on something waits for it, and what is not handed in is tried again.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    call: Duration::from_secs(8),
};
/// Most appeals that a node tells at once.
const CASES_MAX: usize = 256;
/// Longest name of a source with what the node calls it, bytes.
const SOURCE_NAME_LEN_MAX_BYTES: usize = 200;

/// Name of an appeal at the node.
pub(crate) type AppealName = [u8; 20];

/// The node does not answer, or says that it cannot now; or it refuses, and that is its answer.
pub(crate) fn told(status: &Status) -> ConsoleError {
    match wire::reason_of(status) {
        // Not its decision about what was asked, but that it did not get to it.
        Some(reason) if !is_for_now(reason.grpc()) => ConsoleError::Node(reason),
        Some(reason) => ConsoleError::NodeSilent(reason.code().to_owned()),
        None => ConsoleError::NodeSilent(format!("{:?}", status.code())),
    }
}

const fn is_for_now(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Internal
    )
}

/// An answer that is not of its form: the console cannot tell what became of what it asked.
#[allow(clippy::needless_pass_by_value)] // handed to `map_err`
fn of_no_form(error: WireError) -> ConsoleError {
    ConsoleError::NodeSilent(format!("its answer is not of its form: {error}"))
}

/// What became of something that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The node has it.
    Taken {
        /// Its receipt; empty where it gave none, or one over something else.
        receipt: Vec<u8>,
        /// Whether it goes on to the home in another province.
        is_forwarded: bool,
    },
    /// The node refuses it for good, with a stable code.
    Refused(String),
}

/// An appeal as the node tells it.
#[derive(Clone)]
pub(crate) struct Appeal {
    /// The resident's name for it.
    pub(crate) case_id: [u8; 16],
    /// The contested event.
    pub(crate) event: Event,
    /// What is wrong with it, in the resident's words.
    pub(crate) statement: String,
    pub(crate) opened_at: Minute,
    pub(crate) decide_by: Minute,
    /// The source that stated the event, with its name where the node knows it.
    pub(crate) stated_by: String,
}

/// An appeal that waits, without whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitingAppeal {
    pub(crate) name: AppealName,
    pub(crate) opened_at: Minute,
    pub(crate) decide_by: Minute,
}

/// A page of the appeals that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppealsPage {
    pub(crate) now: Minute,
    pub(crate) appeals: Vec<WaitingAppeal>,
    pub(crate) total: u32,
    pub(crate) overdue: u32,
}

/// The node, over an office's own channel.
#[derive(Clone)]
pub(crate) struct HomeNode(pub(crate) Channel);

impl HomeNode {
    /// Hands in an event.
    ///
    /// # Errors
    /// [`ConsoleError::NodeSilent`] where it is to be tried again, [`ConsoleError::Node`] where it is not.
    pub(crate) async fn submit(&self, event: source::SignedEvent) -> Result<Answer, ConsoleError> {
        let content = event.event.clone();
        let request = source::SubmitEventRequest { event: Some(event) };
        let mut client = wire::client::source(self.0.clone());
        let answer = client.submit_event(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        let result = required("result", answer.result.as_ref()).map_err(of_no_form)?;
        answer_of(result, &result.receipt, &content)
    }

    /// Hands in a decision.
    ///
    /// # Errors
    /// As [`HomeNode::submit`].
    pub(crate) async fn decide(
        &self,
        request: source::DecideAppealRequest,
    ) -> Result<Answer, ConsoleError> {
        let (content, rules) = (request.decision.clone(), request.ruling.is_some());
        let mut client = wire::client::appeal(self.0.clone());
        let answer = client.decide_appeal(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        if rules {
            let ruling = required("ruling", answer.ruling.as_ref()).map_err(of_no_form)?;
            return answer_of(ruling, &answer.receipt, &content);
        }
        Ok(Answer::Taken {
            receipt: fitting(&answer.receipt, &content),
            is_forwarded: false,
        })
    }

    /// The appeals that wait, after one of them or from the first.
    ///
    /// # Errors
    /// [`ConsoleError::NodeSilent`], [`ConsoleError::Node`].
    pub(crate) async fn list_appeals(
        &self,
        after: Option<AppealName>,
    ) -> Result<AppealsPage, ConsoleError> {
        let after = after.map_or_else(Vec::new, |name| name.to_vec());
        let request = source::ListAppealsRequest { after };
        let mut client = wire::client::appeal(self.0.clone());
        let answer = client.list_appeals(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        page(&answer).map_err(of_no_form)
    }

    /// One of them. The resident sees that it was read.
    ///
    /// # Errors
    /// As [`HomeNode::list_appeals`].
    pub(crate) async fn read_appeal(&self, name: AppealName) -> Result<Appeal, ConsoleError> {
        let request = source::ReadAppealRequest {
            appeal: name.to_vec(),
        };
        let mut client = wire::client::appeal(self.0.clone());
        let answer = client.read_appeal(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        appeal(&answer).map_err(of_no_form)
    }
}

fn answer_of(
    result: &source::EventResult,
    receipt: &[u8],
    content: &[u8],
) -> Result<Answer, ConsoleError> {
    use source::EventOutcome as Outcome;
    let taken = |is_forwarded| Answer::Taken {
        receipt: fitting(receipt, content),
        is_forwarded,
    };
    match result.outcome() {
        Outcome::Accepted | Outcome::Duplicate => Ok(taken(false)),
        Outcome::Forwarded => Ok(taken(true)),
        // The way to another province is full for now.
        Outcome::Refused if result.reason == "overloaded" => {
            Err(ConsoleError::NodeSilent(result.reason.clone()))
        }
        Outcome::Refused => Ok(Answer::Refused(code(&result.reason).to_owned())),
        Outcome::Unspecified => Err(of_no_form(WireError::Missing { field: "outcome" })),
    }
}

/// A stable code, or that there was none: what a node writes is shown to people.
fn code(reason: &str) -> &str {
    let is_of_code = |b: u8| b.is_ascii_lowercase() || b == b'-';
    let fits = (1..=MAX_REASON_BYTES).contains(&reason.len()) && reason.bytes().all(is_of_code);
    if fits { reason } else { "no-reason" }
}

/// A receipt if it is over `content`. Without it the event is there all the same; it is for the node's operators to find out.
fn fitting(receipt: &[u8], content: &[u8]) -> Vec<u8> {
    if receipt.is_empty() {
        return Vec::new();
    }
    let held = (receipt.len() <= HELD_RECEIPT_LEN_MAX_BYTES)
        .then(|| HeldReceipt::from_bytes(receipt).ok())
        .flatten();
    if held.is_some_and(|held| held.check_content(content).is_ok()) {
        receipt.to_vec()
    } else {
        tracing::error!("the node gave a receipt that is none for what it was given");
        Vec::new()
    }
}

fn page(answer: &source::ListAppealsResponse) -> Result<AppealsPage, WireError> {
    if answer.appeals.len() > CASES_MAX {
        return Err(WireError::WrongCount {
            field: "appeals",
            least: 0,
            limit: CASES_MAX,
            got: answer.appeals.len(),
        });
    }
    let waiting = answer.appeals.iter().map(|appeal| {
        Ok(WaitingAppeal {
            name: bytes_exact("appeal", &appeal.appeal)?,
            opened_at: minute("opened_at_minute", appeal.opened_at_minute)?,
            decide_by: minute("decide_by_minute", appeal.decide_by_minute)?,
        })
    });
    Ok(AppealsPage {
        now: minute("now_minute", answer.now_minute)?,
        appeals: waiting.collect::<Result<_, _>>()?,
        total: answer.total,
        overdue: answer.overdue,
    })
}

fn appeal(answer: &source::ReadAppealResponse) -> Result<Appeal, WireError> {
    let event = Event::from_bytes(&answer.event);
    let (statement, stated_by) = (&answer.statement, &answer.source);
    Ok(Appeal {
        case_id: bytes_exact("case_id", &answer.case_id)?,
        event: event.map_err(|_| WireError::Malformed { field: "event" })?,
        statement: text_within("statement", statement, MAX_STATEMENT_BYTES)?.to_owned(),
        opened_at: minute("opened_at_minute", answer.opened_at_minute)?,
        decide_by: minute("decide_by_minute", answer.decide_by_minute)?,
        stated_by: text_within("source", stated_by, SOURCE_NAME_LEN_MAX_BYTES)?.to_owned(),
    })
}

fn minute(field: &'static str, minutes: u32) -> Result<Minute, WireError> {
    Minute::new(minutes).map_err(|_| WireError::Malformed { field })
}
