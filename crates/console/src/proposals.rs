//! What is proposed, and what becomes of it: one person proposes, another agrees, and only then is anything signed.
//!
//! Knows no session: who asks is an argument. A proposal tells whom it is about only to who proposed it and to who may judge it,
//! and every such reading is an act.

mod forwarded;
mod index;
mod judge;
mod orphaned;
mod row;
mod view;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rules::appeal::Words;
use rules::naming::Naming;
use rules::{MINUTES_PER_DAY, Minute};
use store::{StoreError, Table};
use tokio::sync::Notify;
use wire::console::v1 as proto;
use wire::{AppealId, Reason, WireError, bytes_exact, text_within};

use crate::cases::Appeals;
use crate::offices::Offices;
use crate::statement::Stated;
use crate::{About, ConsoleError, Entry, Journal, Person, Role, What};
use index::Index;
use row::{Content, Matter, Who, read_event, read_naming, read_words};
pub(crate) use row::{ProposalId, ProposalRow, Signed, State, Subject, event_id};

/// Minutes after which a proposal that nobody judged lapses: whoever may agree is there within a day.
pub(crate) const PROPOSAL_LAPSES_MIN: u32 = MINUTES_PER_DAY;
/// Least time for somebody to judge a decision whose appeal is due, minutes.
const DECISION_LAPSES_MIN: u32 = 60;
/// Longest grounds and longest words of a refusal, bytes.
const WORDS_LEN_MAX_BYTES: usize = 500;
/// Most proposals that wait at once: more than a day's work of an office, and few enough to be listed.
const WAITING_MAX: usize = 4_096;
/// Most that lapse or are forgotten at once: each is a commit, and others wait for it.
const AT_ONCE_MAX: usize = 64;

/// The console's proposals.
pub(crate) struct Proposals {
    journal: Arc<Journal>,
    offices: Arc<Offices>,
    appeals: Appeals,
    keep_min: u32,
    /// Locked before the journal, and for as long as a change takes: so that it never tells what is not stored.
    index: Mutex<Index>,
    /// Told when there is something to hand in.
    agreed: Notify,
    /// Told when there is something to follow.
    forwarded: Notify,
    /// Held while something is handed in or asked for: one after the other.
    turn: tokio::sync::Mutex<()>,
}

/// What somebody proposes, read and not checked against anything stored.
enum Wish {
    Statement(Stated),
    Decision {
        appeal: AppealId,
        is_upheld: bool,
        words: Words,
    },
    Naming(Naming),
}

impl Proposals {
    /// Takes up what is stored. The content of a proposal is removed `keep_days` after it was over.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn open(
        journal: Arc<Journal>,
        offices: Arc<Offices>,
        keep_days: u32,
    ) -> Result<Self, ConsoleError> {
        let index = Mutex::new(Index::read(journal.vault())?);
        Ok(Self {
            journal,
            offices,
            appeals: Appeals::default(),
            keep_min: keep_days.saturating_mul(MINUTES_PER_DAY),
            index,
            agreed: Notify::new(),
            forwarded: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
        })
    }

    /// Enters a proposal. The same one again, by the same person, is answered as before.
    ///
    /// # Errors
    /// [`ConsoleError`]: of the form; [`Reason::RoleRefused`], [`Reason::UnknownOffice`], [`Reason::NotEntitled`],
    /// [`Reason::InFuture`] and the like for what cannot be stated; [`Reason::IdReused`]; those of the node where an appeal has to be
    /// asked for.
    pub(crate) async fn propose(
        &self,
        person: &Person,
        request: &proto::ProposeRequest,
    ) -> Result<proto::ProposeResponse, ConsoleError> {
        let id = bytes_exact("proposal_id", &request.proposal_id)?;
        let grounds = words("grounds", &request.grounds)?;
        let (wish, source) = self.wish(person, request)?;
        if let Some(lapses_at) = self.before(person, &id, (&wish, source), grounds)? {
            return Ok(response(lapses_at));
        }
        let now = self.now();
        let (matter, subject, lapses_at) = match wish {
            Wish::Statement(stated) => {
                stated.check(now)?;
                self.check_target(&stated, now)?;
                let lapses_at = later(now, PROPOSAL_LAPSES_MIN);
                (Matter::from(&stated), Subject::from(&stated), lapses_at)
            }
            Wish::Decision {
                appeal,
                is_upheld,
                words,
            } => {
                let office = self.offices.get(source)?;
                let of = self.appeals.known(office, appeal, now).await?;
                let subject = Subject::Decision {
                    case_id: of.case_id.0,
                    event: of.event.to_bytes(),
                    words: words.as_str().to_owned(),
                };
                // Nobody is to judge in a hurry what came late, nor is it to wait beyond its deadline otherwise.
                let due = of.decide_by.max(later(now, DECISION_LAPSES_MIN));
                let lapses_at = due.min(later(now, PROPOSAL_LAPSES_MIN));
                (Matter::decision(appeal, is_upheld), subject, lapses_at)
            }
            Wish::Naming(naming) => {
                crate::naming::check(&naming, now)?;
                let lapses_at = later(now, PROPOSAL_LAPSES_MIN).min(naming.until);
                (Matter::Naming, Subject::from(&naming), lapses_at)
            }
        };
        self.enter(
            &ProposalRow {
                id,
                source,
                matter,
                by: Who::from(person),
                proposed_at: now,
                lapses_at,
                state: State::Waiting,
                judged: None,
                over_at: None,
                node_reason: String::new(),
                content: Some(Content {
                    subject,
                    grounds: grounds.to_owned(),
                    judged_words: String::new(),
                    signed: None,
                    receipt: Vec::new(),
                }),
            },
            person,
        )?;
        Ok(response(lapses_at))
    }

    /// Takes an own proposal back.
    ///
    /// # Errors
    /// [`Reason::NotFound`], [`Reason::RoleRefused`] for somebody else's, [`Reason::NotWaiting`].
    pub(crate) fn withdraw(
        &self,
        person: &Person,
        request: &proto::WithdrawProposalRequest,
    ) -> Result<proto::WithdrawProposalResponse, ConsoleError> {
        let id = bytes_exact("proposal_id", &request.proposal_id)?;
        let mut change = self.change();
        let (number, mut row) = self.find(&id)?;
        if row.by.id != person.id {
            return Err(Reason::RoleRefused.into());
        }
        let now = self.now();
        if row.state_at(now) != State::Waiting {
            return Err(Reason::NotWaiting.into());
        }
        row.end(State::Withdrawn, now);
        change.note(Some(person), What::Withdrawn, &row, &row.title());
        change.commit(number, &row)?;
        Ok(proto::WithdrawProposalResponse {})
    }

    /// Writes that proposals lapsed which nobody judged in time; how many, at most 64 at once.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn lapse(&self) -> Result<usize, ConsoleError> {
        let now = self.now();
        let has_lapsed =
            |row: &ProposalRow| row.state == State::Waiting && row.state_at(now) == State::Lapsed;
        let waiting: Vec<u64> = self.index.lock().waiting.keys().copied().collect();
        let mut lapsed = 0;
        for number in waiting {
            if !has_lapsed(&self.get(number)?) {
                continue;
            }
            let mut change = self.change();
            let mut row = self.get(number)?;
            if !has_lapsed(&row) {
                continue;
            }
            row.end(State::Lapsed, now);
            change.note(None, What::Lapsed, &row, &row.title());
            change.commit(number, &row)?;
            lapsed += 1;
            if lapsed == AT_ONCE_MAX {
                break;
            }
        }
        Ok(lapsed)
    }

    /// Removes the content of proposals that were over for long enough; how many, at most 64 at once.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub(crate) fn forget(&self) -> Result<usize, ConsoleError> {
        let now = self.now();
        let is_due = |over_at: Minute| later(over_at, self.keep_min) <= now;
        let over: Vec<u64> = {
            let index = self.index.lock();
            let due = index.over.iter().take_while(|(at, _)| is_due(*at));
            let numbers = due.map(|(_, number)| *number);
            numbers.take(AT_ONCE_MAX).collect()
        };
        for number in &over {
            let mut change = self.change();
            let mut row = self.get(*number)?;
            row.content = None;
            change.note(None, What::Forgotten, &row, &row.title());
            change.commit(*number, &row)?;
        }
        Ok(over.len())
    }

    /// The proposal that is to decide an appeal.
    pub(crate) fn deciding(&self, appeal: AppealId) -> Option<ProposalId> {
        self.index.lock().appeals.get(&appeal).copied()
    }

    pub(crate) const fn appeals(&self) -> &Appeals {
        &self.appeals
    }

    pub(crate) fn offices(&self) -> &Offices {
        &self.offices
    }

    /// Stores that somebody did something which changes nothing else.
    pub(crate) fn note(
        &self,
        person: &Person,
        what: What,
        about: About,
        words: &str,
    ) -> Result<(), ConsoleError> {
        let mut entry = self.journal.begin();
        entry.note(Some(person), what, about, words);
        entry.commit()
    }

    pub(crate) fn now(&self) -> Minute {
        self.journal.clock().now_minute()
    }

    /// Reads what is proposed, and by whom it may be.
    fn wish(
        &self,
        person: &Person,
        request: &proto::ProposeRequest,
    ) -> Result<(Wish, rules::SourceId), ConsoleError> {
        use proto::propose_request::What as Asked;
        match &request.what {
            None => Err(WireError::Missing { field: "what" }.into()),
            Some(Asked::Statement(message)) => {
                need(person, Role::Clerk)?;
                let source = self.offices.named(&message.source)?.source;
                Ok((Wish::Statement(Stated::read(message, source)?), source))
            }
            Some(Asked::Decision(message)) => {
                need(person, Role::AppealsOfficer)?;
                let source = self.offices.for_appeals(&message.source)?.source;
                let said =
                    text_within("words", &message.words, rules::appeal::MAX_WORDS_LEN_BYTES)?;
                let said = Words::new(said).map_err(|_| WireError::Malformed { field: "words" })?;
                let wish = Wish::Decision {
                    appeal: AppealId(bytes_exact("appeal", &message.appeal)?),
                    is_upheld: message.is_upheld,
                    words: said,
                };
                Ok((wish, source))
            }
            Some(Asked::Naming(message)) => {
                need(person, Role::Clerk)?;
                let source = self.offices.for_proxies(&message.source)?.source;
                let naming = crate::naming::read(message, source)?;
                Ok((Wish::Naming(naming), source))
            }
        }
    }

    /// When a proposal of this name lapses that is the same; none where there is none of this name.
    fn before(
        &self,
        person: &Person,
        id: &ProposalId,
        (wish, source): (&Wish, rules::SourceId),
        grounds: &str,
    ) -> Result<Option<Minute>, ConsoleError> {
        let (_, row) = match self.find(id) {
            Err(ConsoleError::Refused(Reason::NotFound)) => return Ok(None),
            found => found?,
        };
        // What was forgotten is not known to be the same.
        let is_same = row.content.as_ref().is_some_and(|content| {
            let is_same_wish = match wish {
                Wish::Statement(stated) => content.subject == Subject::from(stated),
                Wish::Naming(naming) => content.subject == Subject::from(naming),
                Wish::Decision {
                    appeal,
                    is_upheld,
                    words,
                } => {
                    row.matter == Matter::decision(*appeal, *is_upheld)
                        && matches!(&content.subject, Subject::Decision { words: w, .. } if w == words.as_str())
                }
            };
            is_same_wish && content.grounds == grounds
        });
        if is_same && row.by.id == person.id && row.source == source {
            Ok(Some(row.lapses_at))
        } else {
            Err(Reason::IdReused.into())
        }
    }

    /// Holds a release against the event that it ends, where that was stated here.
    fn check_target(&self, stated: &Stated, now: Minute) -> Result<(), ConsoleError> {
        let Some(target) = stated.target() else {
            return Ok(());
        };
        let number = self.index.lock().events.get(&target).copied();
        let row = number.map(|number| self.get(number)).transpose()?;
        match row.and_then(|row| row.taken_event()) {
            Some(event) => stated.check_target(&event, now),
            None if stated.is_target_by_hand => Ok(()),
            None => Err(Reason::NotFound.into()),
        }
    }

    fn enter(&self, row: &ProposalRow, person: &Person) -> Result<(), ConsoleError> {
        let mut change = self.change();
        if change.index.waiting.len() >= WAITING_MAX {
            return Err(Reason::Quota.into());
        }
        // Both may have come in while the node was asked.
        let is_taken = row
            .appeal()
            .is_some_and(|appeal| change.index.appeals.contains_key(&appeal));
        if is_taken {
            return Err(Reason::AlreadyProposed.into());
        }
        let number = change.index.newest + 1;
        let numbers = &mut change.entry.write;
        numbers.put_new(Table::ProposalNumbers, &row.id, &number);
        change.note(Some(person), What::Proposed, row, &row.title());
        change.commit(number, row).map_err(|error| match error {
            ConsoleError::Store(StoreError::Conflict(Table::ProposalNumbers)) => {
                Reason::IdReused.into()
            }
            other => other,
        })
    }

    fn find(&self, id: &ProposalId) -> Result<(u64, ProposalRow), ConsoleError> {
        let vault = self.journal.vault();
        let number: u64 = vault
            .get(Table::ProposalNumbers, id)?
            .ok_or(Reason::NotFound)?;
        Ok((number, self.get(number)?))
    }

    fn get(&self, number: u64) -> Result<ProposalRow, ConsoleError> {
        let row = self
            .journal
            .vault()
            .get(Table::Proposals, &number.to_be_bytes())?;
        Ok(row.ok_or(StoreError::Damaged(Table::Proposals))?)
    }

    /// Begins a change: nobody else changes a proposal until it is over.
    fn change(&self) -> Change<'_> {
        let index = self.index.lock();
        Change {
            index,
            entry: self.journal.begin(),
        }
    }
}

/// A change of one proposal, with the act that tells of it.
struct Change<'a> {
    index: MutexGuard<'a, Index>,
    entry: Entry<'a>,
}

impl Change<'_> {
    fn note(&mut self, who: Option<&Person>, what: What, row: &ProposalRow, words: &str) {
        self.entry.note(who, what, About::Proposal(row.id), words);
    }

    fn commit(mut self, number: u64, row: &ProposalRow) -> Result<(), ConsoleError> {
        let key = number.to_be_bytes();
        self.entry.write.put(Table::Proposals, &key, row);
        self.entry.commit()?;
        self.index.put(number, row);
        Ok(())
    }
}

/// Refuses who has not the role.
///
/// # Errors
/// [`Reason::RoleRefused`].
fn need(person: &Person, role: Role) -> Result<(), ConsoleError> {
    if person.roles.has(role) {
        Ok(())
    } else {
        Err(Reason::RoleRefused.into())
    }
}

/// Words that staff write for each other: 1 to 500 bytes, of control characters new lines alone.
fn words<'a>(field: &'static str, text: &'a str) -> Result<&'a str, WireError> {
    let text = text_within(field, text, WORDS_LEN_MAX_BYTES)?;
    if text.chars().all(|c| c == '\n' || !c.is_control()) {
        Ok(text)
    } else {
        Err(WireError::Malformed { field })
    }
}

fn later(minute: Minute, minutes: u32) -> Minute {
    minute.saturating_add_signed(minutes.into())
}

const fn response(lapses_at: Minute) -> proto::ProposeResponse {
    proto::ProposeResponse {
        lapses_at_minute: lapses_at.get(),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod world;
