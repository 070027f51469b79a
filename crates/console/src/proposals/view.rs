//! What the page is told of proposals: lines without whom they are about, and one whole to who may see it.

use rules::Minute;
use store::{StoreError, Table};
use wire::console::v1 as proto;
use wire::{Reason, bytes_exact};

use super::{Matter, ProposalRow, Proposals, State, Subject, read_naming};
use crate::cases::content;
use crate::{About, ConsoleError, Person, Role, What};

/// Most lines of one answer.
const LINES_MAX: usize = 64;
/// Most rows that are looked at for one answer, for who sees only the own ones.
const LOOKED_AT_MAX: u64 = 4_096;

impl Proposals {
    /// What was proposed, newest first: all of it to who judges or audits, the own to others. That somebody else proposes
    /// already how to decide an appeal is told in the queue.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn list(
        &self,
        person: &Person,
        request: &proto::ListProposalsRequest,
    ) -> Result<proto::ListProposalsResponse, ConsoleError> {
        let (newest, waiting) = {
            let index = self.index.lock();
            let of_waiting = index.waiting.iter();
            let seen = of_waiting.filter(|(_, by)| sees_all(person) || **by == person.id);
            let seen: Vec<u64> = seen.map(|(number, _)| *number).collect();
            (index.newest, seen)
        };
        let before = match request.before {
            0 => u64::MAX,
            before => before,
        };
        let from: Box<dyn Iterator<Item = u64> + Send> = if request.only_waiting {
            let waiting = waiting.iter().copied();
            Box::new(waiting.rev().filter(move |number| *number < before))
        } else {
            Box::new((1..=newest.min(before - 1)).rev())
        };
        let (mut proposals, mut next) = (Vec::new(), 0);
        for (looked_at, number) in (0..).zip(from) {
            if proposals.len() == LINES_MAX || looked_at == LOOKED_AT_MAX {
                // The one that comes next is below it.
                next = number + 1;
                break;
            }
            let row = self.get(number)?;
            if sees_all(person) || row.by.id == person.id {
                proposals.push(self.line(number, &row, person));
            }
        }
        Ok(proto::ListProposalsResponse {
            proposals,
            next,
            waiting: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
        })
    }

    /// One proposal whole, to who may judge it and to who proposed it. That it is read is stored first.
    ///
    /// # Errors
    /// [`Reason::NotFound`], [`Reason::RoleRefused`]; those of the node where the appeal that a decision is about cannot be had: nobody
    /// is to judge what they cannot see.
    pub(crate) async fn read(
        &self,
        person: &Person,
        request: &proto::ReadProposalRequest,
    ) -> Result<proto::ReadProposalResponse, ConsoleError> {
        let id = bytes_exact("proposal_id", &request.proposal_id)?;
        let (_, row) = self.find(&id)?;
        if row.by.id != person.id && !person.roles.has(Role::Approver) {
            return Err(Reason::RoleRefused.into());
        }
        self.note(person, What::Read, About::Proposal(id), &row.title())?;
        let is_waiting = row.state_at(self.now()) == State::Waiting;
        let appeal = match row.appeal() {
            Some(appeal) if is_waiting => {
                let office = self.offices.get(row.source)?;
                match self.appeals.ask(office, appeal, self.now()).await {
                    Err(ConsoleError::Node(Reason::NotFound)) => None,
                    asked => {
                        let appeal = asked?;
                        Some(content(&appeal))
                    }
                }
            }
            _ => None,
        };
        // What was judged meanwhile is told as it is now.
        let (number, row) = self.find(&id)?;
        let mut response = whole(&row)?;
        response.line = Some(self.line(number, &row, person));
        response.appeal = appeal;
        Ok(response)
    }

    /// A line, as somebody sees it.
    pub(super) fn line(
        &self,
        number: u64,
        row: &ProposalRow,
        person: &Person,
    ) -> proto::ProposalLine {
        let now = self.now();
        let state = row.state_at(now);
        let (is_own, waits) = (row.by.id == person.id, state == State::Waiting);
        let is_for = person.roles.has(Role::Approver) && !row.by.may_be(person);
        let (kind, is_upheld) = match row.matter {
            Matter::Statement { kind, .. } => (kind, false),
            Matter::Decision { is_upheld, .. } => (0, is_upheld),
            Matter::Naming => (0, false),
        };
        let judged = row.judged.as_ref();
        proto::ProposalLine {
            number,
            proposal_id: row.id.to_vec(),
            state: state.to_message().into(),
            source: row.source.to_string(),
            kind,
            is_upheld,
            proposed_by: row.by.name.clone(),
            proposed_at_minute: row.proposed_at.get(),
            lapses_at_minute: row.lapses_at.get(),
            judged_by: judged.map_or_else(String::new, |(who, _)| who.name.clone()),
            judged_at_minute: judged.map_or(0, |(_, at): &(_, Minute)| at.get()),
            may_judge: waits && is_for,
            may_withdraw: waits && is_own,
            node_reason: row.node_reason.clone(),
            until_minute: state.until().map_or(0, Minute::get),
            is_naming: row.matter == Matter::Naming,
            may_confirm: row.may_be_confirmed(now) && is_for,
        }
    }
}

fn sees_all(person: &Person) -> bool {
    person.roles.has(Role::Approver) || person.roles.has(Role::Auditor)
}

/// All of a proposal but its line and the appeal; without content once that is removed.
fn whole(row: &ProposalRow) -> Result<proto::ReadProposalResponse, ConsoleError> {
    use proto::read_proposal_response::What as Told;
    let Some(kept) = &row.content else {
        return Ok(proto::ReadProposalResponse::default());
    };
    let what = match (&kept.subject, &row.matter) {
        (Subject::Decision { words, .. }, Matter::Decision { appeal, is_upheld }) => {
            Told::Decision(proto::AppealDecision {
                source: row.source.to_string(),
                appeal: appeal.to_vec(),
                is_upheld: *is_upheld,
                words: words.clone(),
            })
        }
        (Subject::Naming { draft }, _) => {
            Told::Naming(crate::naming::to_message(&read_naming(draft)?))
        }
        (subject, _) => {
            let stated = subject.stated()?;
            let stated = stated.ok_or(StoreError::Damaged(Table::Proposals))?;
            Told::Statement(stated.to_message())
        }
    };
    let event = kept.signed.as_ref().and_then(|s| s.event.clone());
    Ok(proto::ReadProposalResponse {
        grounds: kept.grounds.clone(),
        what: Some(what),
        judged_words: kept.judged_words.clone(),
        receipt: kept.receipt.clone(),
        event: event.unwrap_or_default(),
        ..Default::default()
    })
}
