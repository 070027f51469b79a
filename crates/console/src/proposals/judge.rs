//! Agreeing and refusing, by somebody else than who proposed; and what is signed then.

use std::collections::BTreeSet;
use std::time::Duration;

use rules::appeal::{Decision, Outcome};
use rules::{Event, EventBody, Minute};
use store::{StoreError, Table};
use wire::console::v1 as proto;
use wire::{DecisionRequest, Reason, WireError, bytes_exact};

use super::{
    Matter, ProposalId, ProposalRow, Proposals, Signed, State, Subject, Who, event_id, need,
    read_event, read_naming, read_words, words,
};
use crate::node::Answer;
use crate::offices::Office;
use crate::{ConsoleError, Person, Role, What};

/// How long whoever agreed is let wait for the node. Beyond that it is tried again without them.
const WAIT: Duration = Duration::from_secs(9);

impl Proposals {
    /// Agrees with a proposal or refuses it, or confirms what the home in another province contests. What is agreed on is signed, stored,
    /// and handed in at once if the node answers soon.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`], [`Reason::NotFound`], [`Reason::OwnProposal`], [`Reason::NotWaiting`] for one that was judged, taken back
    /// or lapsed, or that is not contested, [`Reason::UnknownOffice`] for an office that the console signs for no more; [`ConsoleError::Store`].
    pub(crate) async fn judge(
        &self,
        person: &Person,
        request: &proto::JudgeProposalRequest,
    ) -> Result<proto::JudgeProposalResponse, ConsoleError> {
        let id = bytes_exact("proposal_id", &request.proposal_id)?;
        if request.agrees && !request.words.is_empty() {
            return Err(WireError::Malformed { field: "words" }.into());
        }
        if request.is_confirmation && !request.agrees {
            let field = "is_confirmation";
            return Err(WireError::Malformed { field }.into());
        }
        let refusal = (!request.agrees).then(|| words("words", &request.words));
        let refusal = refusal.transpose()?;
        let number = if request.is_confirmation {
            self.confirm(person, &id)?
        } else {
            self.settle(person, &id, refusal)?
        };
        if refusal.is_none() {
            // Whether or not it came to an answer: what stands in the store says it.
            let _ = tokio::time::timeout(WAIT, self.hand_in(number)).await;
        }
        let row = self.get(number)?;
        let line = Some(self.line(number, &row, person));
        Ok(proto::JudgeProposalResponse { line })
    }

    fn settle(
        &self,
        person: &Person,
        id: &ProposalId,
        refusal: Option<&str>,
    ) -> Result<u64, ConsoleError> {
        need(person, Role::Approver)?;
        let mut change = self.change();
        let (number, mut row) = self.find(id)?;
        if row.by.may_be(person) {
            return Err(Reason::OwnProposal.into());
        }
        let now = self.now();
        if row.state_at(now) != State::Waiting {
            return Err(Reason::NotWaiting.into());
        }
        row.judged = Some((Who::from(person), now));
        let title = row.title();
        if let Some(words) = refusal {
            words.clone_into(&mut content(&mut row)?.judged_words);
            row.end(State::Refused, now);
            // The words may say whom it is about: they go with the proposal, an act stays.
            change.note(Some(person), What::Refused, &row, &title);
        } else {
            let signed = self.signed(&row, now)?;
            content(&mut row)?.signed = Some(signed);
            row.state = State::Sending;
            change.note(Some(person), What::Agreed, &row, &title);
        }
        change.commit(number, &row)?;
        self.agreed.notify_one();
        Ok(number)
    }

    /// What the office signs for a proposal, issued now. The signatures follow from it, whenever they are made.
    fn signed(&self, row: &ProposalRow, now: Minute) -> Result<Signed, ConsoleError> {
        let office = self.offices.get(row.source)?;
        let content = row.content.as_ref();
        let content = content.ok_or(StoreError::Damaged(Table::Proposals))?;
        let id = event_id(&row.id, row.source);
        match (&content.subject, &row.matter) {
            (Subject::Statement { .. }, _) => {
                let stated = content.subject.stated()?;
                let stated = stated.ok_or(ConsoleError::Fault("a statement that is none"))?;
                Ok(Signed {
                    event: Some(stated.event(id, now).to_bytes()),
                    decision: None,
                })
            }
            (Subject::Naming { .. }, _) => {
                let naming = content.subject.naming(id)?;
                let naming = naming.ok_or(ConsoleError::Fault("a naming that is none"))?;
                Ok(Signed {
                    event: None,
                    decision: Some(naming.to_bytes()),
                })
            }
            (
                Subject::Decision {
                    case_id,
                    event,
                    words,
                },
                Matter::Decision { is_upheld, .. },
            ) => {
                let contested = read_event(event)?;
                let ruling = Event {
                    id,
                    subject: contested.subject,
                    source: office.source,
                    issued_at: now,
                    body: EventBody::Ruling {
                        target: contested.id,
                        at: now,
                    },
                };
                let outcome = if *is_upheld {
                    Outcome::Upheld
                } else {
                    Outcome::Dismissed
                };
                let decision = Decision {
                    case_id: *case_id,
                    event: contested.id,
                    outcome,
                    at: now,
                    source: office.source,
                    words: read_words(words)?,
                };
                Ok(Signed {
                    event: is_upheld.then(|| ruling.to_bytes()),
                    decision: Some(decision.to_bytes()),
                })
            }
            _ => Err(StoreError::Damaged(Table::Proposals).into()),
        }
    }

    /// Hands in what was agreed on, once, and stores what became of it; nothing if that is known.
    ///
    /// # Errors
    /// [`ConsoleError::NodeSilent`] and [`ConsoleError::Store`]: it is to be tried again.
    pub(crate) async fn hand_in(&self, number: u64) -> Result<(), ConsoleError> {
        let _turn = self.turn.lock().await;
        let row = self.get(number)?;
        // For an office that is gone nobody can sign; a day later it ends by that.
        if !row.state.is_to_be_handed_in() || !self.signs_for(&row) {
            return Ok(());
        }
        let office = self.offices.get(row.source)?;
        let answer = match sent(office, &row).await {
            Err(ConsoleError::Node(reason)) => Answer::Refused(reason.code().to_owned()),
            answered => answered?,
        };
        if row.state == State::Sending {
            self.finish(number, answer)
        } else {
            self.finish_confirmation(number, answer)
        }
    }

    fn finish(&self, number: u64, answer: Answer) -> Result<(), ConsoleError> {
        let mut change = self.change();
        let mut row = self.get(number)?;
        let now = self.now();
        match answer {
            Answer::Taken {
                receipt,
                is_forwarded,
            } => {
                content(&mut row)?.receipt = receipt;
                if is_forwarded {
                    row.state = State::Forwarded { until: None };
                    change.note(None, What::Forwarded, &row, &row.title());
                } else {
                    row.end(State::Done, now);
                    change.note(None, What::Taken, &row, &row.title());
                }
            }
            Answer::Refused(reason) => {
                let words = format!("{}: {reason}", row.title());
                row.node_reason = reason;
                row.end(State::RefusedByNode, now);
                change.note(None, What::RefusedByNode, &row, &words);
            }
        }
        if let Some(appeal) = row.appeal() {
            self.appeals.forget(row.source, appeal);
        }
        change.commit(number, &row)?;
        if row.state.is_followed() {
            self.forwarded.notify_one();
        }
        Ok(())
    }

    /// The numbers of those that are to be handed in, beginning after `after`.
    pub(crate) fn to_hand_in(&self, after: u64) -> Vec<u64> {
        beginning_after(after, &self.index.lock().sending)
    }

    /// Waits until something was agreed on.
    pub(crate) async fn until_agreed(&self) {
        self.agreed.notified().await;
    }
}

pub(super) fn content(row: &mut ProposalRow) -> Result<&mut super::Content, ConsoleError> {
    let content = row.content.as_mut();
    Ok(content.ok_or(StoreError::Damaged(Table::Proposals))?)
}

/// Those above `after` first, then the others.
pub(super) fn beginning_after(after: u64, numbers: &BTreeSet<u64>) -> Vec<u64> {
    let later = numbers.range(after.saturating_add(1)..);
    later.chain(numbers.range(..=after)).copied().collect()
}

/// Signs what was agreed on and hands it in.
async fn sent(office: &Office, row: &ProposalRow) -> Result<Answer, ConsoleError> {
    let damaged = || ConsoleError::from(StoreError::Damaged(Table::Proposals));
    let content = row.content.as_ref().ok_or_else(damaged)?;
    let signed = content.signed.as_ref().ok_or_else(damaged)?;
    let event = signed.event.as_deref().map(read_event).transpose()?;
    let home = match &content.subject {
        Subject::Statement { home, .. } => *home,
        Subject::Decision { .. } => None,
        Subject::Naming { .. } => {
            let naming = read_naming(signed.decision.as_deref().ok_or_else(damaged)?)?;
            let request = crate::naming::signed(naming, office)?;
            return office.node.name_proxy(&request).await;
        }
    };
    let (Some(bytes), Some(appeal)) = (&signed.decision, row.appeal()) else {
        let event = event.ok_or_else(damaged)?;
        return match row.state {
            State::Sending => office.node.submit(office.signed(&event, home)).await,
            _ => office.node.confirm(office.confirmed(&event, home)).await,
        };
    };
    let decision = Decision::from_bytes(bytes).map_err(|_| damaged())?;
    let request = DecisionRequest {
        appeal,
        signature: office.sign(&decision.signing_bytes()),
        decision,
        ruling: event.map(|ruling| (ruling.to_bytes(), office.sign(&ruling.signing_bytes()))),
    };
    office.node.decide(&request).await
}
