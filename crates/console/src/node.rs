//! The calls that an office makes to its node, with what they answer as values.

use std::time::Duration;

use federation::Timeouts;
use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use rules::{EventId, Minute};
use tonic::transport::Channel;
use tonic::{Code, Status};
use wire::source::v1 as source;
use wire::{
    AppealId, DecisionRequest, MAX_REASON_BYTES, NamingRequest, Reason, ShownAppeal,
    WaitingAppeals, WireError, required,
};

use crate::ConsoleError;

#[cfg(test)]
pub(crate) mod fake;

/// How long the node has: whoever agreed on something waits for it, and what is not handed in is tried again.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    call: Duration::from_secs(8),
};

/// The node does not answer, or says that it cannot now; or it refuses, and that is its answer.
pub(crate) fn told(status: &Status) -> ConsoleError {
    match wire::reason_of(status) {
        // A person has so many proxies until one of them ends.
        Some(Reason::TooManyProxies) => ConsoleError::Node(Reason::TooManyProxies),
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

/// How far an event is that goes on to the home in another province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Onward {
    /// On its way.
    Queued {
        /// When it lapses.
        until: Minute,
    },
    /// The home contests it.
    Waiting {
        /// The last minute in which it can be confirmed.
        until: Minute,
    },
    /// The confirmation is on its way.
    Confirming {
        /// The last minute in which it can be confirmed.
        until: Minute,
    },
    /// Part of the record at the home.
    Accepted {
        /// The home's receipt; empty where it gave none, or one over something else.
        receipt: Vec<u8>,
    },
    /// The home refused it, with a stable code.
    Refused(String),
    /// It was too late for it.
    Lapsed,
    /// The node does not know it, or not any more.
    Unknown,
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
        let (content, goes_on) = (event.event.clone(), event.home_province != 0);
        let request = source::SubmitEventRequest { event: Some(event) };
        let mut client = wire::client::source(self.0.clone());
        let answer = client.submit_event(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        let result = required("result", answer.result.as_ref()).map_err(of_no_form)?;
        match answer_of(result, &result.receipt, &content)? {
            // The answer before this one was lost: the node has it, and the home perhaps not.
            Answer::Taken { receipt, .. } => Ok(Answer::Taken {
                receipt,
                is_forwarded: goes_on,
            }),
            refused @ Answer::Refused(_) => Ok(refused),
        }
    }

    /// What became of an event that the node sends on; `content` is its canonical bytes.
    ///
    /// # Errors
    /// As [`HomeNode::submit`].
    pub(crate) async fn onward(
        &self,
        event: EventId,
        content: &[u8],
    ) -> Result<Onward, ConsoleError> {
        let request = source::GetForwardedRequest {
            event_id: event.0.to_vec(),
        };
        let mut client = wire::client::forwarded(self.0.clone());
        let answer = match client.get_forwarded(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                return match told(&status) {
                    ConsoleError::Node(Reason::NotFound) => Ok(Onward::Unknown),
                    error => Err(error),
                };
            }
        };
        onward_of(&answer, content).map_err(of_no_form)
    }

    /// Hands in the second signature under an event that its home contests.
    ///
    /// # Errors
    /// As [`HomeNode::submit`].
    pub(crate) async fn confirm(&self, event: source::SignedEvent) -> Result<Answer, ConsoleError> {
        let content = event.event.clone();
        let request = source::ConfirmForwardedRequest { event: Some(event) };
        let mut client = wire::client::forwarded(self.0.clone());
        let answer = client.confirm_forwarded(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        let result = required("result", answer.result.as_ref()).map_err(of_no_form)?;
        answer_of(result, &result.receipt, &content)
    }

    /// Hands in a decision.
    ///
    /// # Errors
    /// As [`HomeNode::submit`].
    pub(crate) async fn decide(&self, request: &DecisionRequest) -> Result<Answer, ConsoleError> {
        let request = source::DecideAppealRequest::from(request);
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

    /// Hands in who acts for somebody.
    ///
    /// # Errors
    /// As [`HomeNode::submit`].
    pub(crate) async fn name_proxy(&self, request: &NamingRequest) -> Result<Answer, ConsoleError> {
        let request = source::NameProxyRequest::from(request);
        let mut client = wire::client::proxy_office(self.0.clone());
        let answer = client.name_proxy(request).await;
        answer.map_err(|status| told(&status))?;
        Ok(Answer::Taken {
            receipt: Vec::new(),
            is_forwarded: false,
        })
    }

    /// The appeals that wait, after one of them or from the first.
    ///
    /// # Errors
    /// [`ConsoleError::NodeSilent`], [`ConsoleError::Node`].
    pub(crate) async fn list_appeals(
        &self,
        after: Option<AppealId>,
    ) -> Result<WaitingAppeals, ConsoleError> {
        let after = after.map_or_else(Vec::new, |appeal| appeal.0.to_vec());
        let request = source::ListAppealsRequest { after };
        let mut client = wire::client::appeal(self.0.clone());
        let answer = client.list_appeals(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        WaitingAppeals::try_from(&answer).map_err(of_no_form)
    }

    /// One of them. The resident sees that it was read.
    ///
    /// # Errors
    /// As [`HomeNode::list_appeals`].
    pub(crate) async fn read_appeal(&self, appeal: AppealId) -> Result<ShownAppeal, ConsoleError> {
        let request = source::ReadAppealRequest {
            appeal: appeal.0.to_vec(),
        };
        let mut client = wire::client::appeal(self.0.clone());
        let answer = client.read_appeal(request).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        ShownAppeal::try_from(&answer).map_err(of_no_form)
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

fn onward_of(answer: &source::GetForwardedResponse, content: &[u8]) -> Result<Onward, WireError> {
    use source::ForwardedState as State;
    let until = || {
        let field = "until_minute";
        Minute::new(answer.until_minute).map_err(|_| WireError::Malformed { field })
    };
    Ok(match answer.state() {
        State::Queued => Onward::Queued { until: until()? },
        State::Waiting => Onward::Waiting { until: until()? },
        State::Confirming => Onward::Confirming { until: until()? },
        State::Accepted => Onward::Accepted {
            receipt: fitting(&answer.receipt, content),
        },
        State::Refused => Onward::Refused(code(&answer.reason).to_owned()),
        State::Lapsed => Onward::Lapsed,
        State::Unspecified => return Err(WireError::Missing { field: "state" }),
    })
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
