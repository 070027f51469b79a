//! Events from sources: each is checked by itself, and all that are accepted become durable together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ed25519_dalek::Signature;
use ledger::receipt::{Commitment, Content, HeldReceipt};
use rules::intake::admit;
use rules::{
    Context, Event, EventBody, EventError, IdentityNumber, Minute, ProvinceCode, SourceId,
};
use serde::Serialize;

use crate::forward::Departing;
use crate::receipts::Accepting;
use crate::residents::Resident;
use crate::revoke::can_worsen;
use crate::rule_book::Counting;
use crate::sources::Source;
use crate::store::{EventRow, Evidence, ResidentKey, Table, WriteSet};
use crate::{Node, NodeError, RiskInForce};

/// An event as a source hands it in.
#[derive(Clone, Debug)]
pub struct OfferedEvent {
    /// Canonical bytes of the event.
    pub event: Vec<u8>,
    /// Ed25519 over its signing bytes.
    pub signature: [u8; 64],
    /// The province in which the person lives, as the person says; none for this one.
    pub home: Option<ProvinceCode>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAnswer {
    /// Durable, and part of the next epoch.
    Accepted,
    /// The same event was there already.
    Duplicate,
    /// Refused for the reason with this stable code; nothing was stored.
    Refused(&'static str),
    /// Durable, and on its way to the home in another province.
    Forwarded,
}

/// What became of an event, and what its source gets for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What became of it.
    pub answer: EventAnswer,
    /// The receipt of an event that is part of a record here, as of a duplicate; none for others, and for those that came
    /// before this node gave receipts.
    pub receipt: Option<HeldReceipt>,
}

/// Refusals beyond those of [`EventError`]; the table is in the README.
pub(crate) const BAD_SIGNATURE: EventAnswer = EventAnswer::Refused("bad-signature");
const LIVES_ELSEWHERE: EventAnswer = EventAnswer::Refused("lives-elsewhere");
const TOO_MANY_EVENTS: EventAnswer = EventAnswer::Refused("too-many-events");

impl From<EventError> for EventAnswer {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Duplicate => Self::Duplicate,
            other => Self::Refused(other.code()),
        }
    }
}

/// Events that are judged one after the other, as if each were durable before the next, and become durable together. The
/// locks of all their residents are held meanwhile.
pub(crate) struct Judging<'a> {
    node: &'a Node,
    now: Minute,
    counting: Arc<Counting>,
    risk: Arc<RiskInForce>,
    touched: BTreeMap<ResidentKey, Option<Resident>>,
    changed: BTreeSet<ResidentKey>,
    /// Those whose colour may be worse for it.
    worsened: BTreeSet<ResidentKey>,
    write: WriteSet<'a>,
    /// Whether anything is written beside events.
    has_more: bool,
    /// What stands in the log for what is accepted.
    commitments: Vec<Commitment>,
    accepting: Accepting<'a>,
}

impl<'a> Judging<'a> {
    pub(crate) fn begin(node: &'a Node, now: Minute) -> Self {
        Self {
            node,
            now,
            counting: node.charter().rules.counting_at(now),
            risk: node.risk.at(now),
            touched: BTreeMap::new(),
            changed: BTreeSet::new(),
            worsened: BTreeSet::new(),
            write: node.vault.write(),
            has_more: false,
            commitments: Vec::new(),
            accepting: node.accepting(),
        }
    }

    /// When what is accepted here is accepted.
    pub(crate) const fn accepted_at(&self) -> Minute {
        self.accepting.at()
    }

    /// A person with the events so far; none for one who lives elsewhere.
    pub(crate) fn resident(
        &mut self,
        person: &IdentityNumber,
    ) -> Result<Option<&mut Resident>, NodeError> {
        let key = self.node.resident_key(person);
        let resident = match self.touched.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(self.node.resident_or_new(person)?),
        };
        Ok(resident.as_mut())
    }

    /// What becomes of an event, by the rules of intake. Nothing is changed yet.
    pub(crate) fn judge(
        &mut self,
        event: &Event,
        source: &Source,
    ) -> Result<EventAnswer, NodeError> {
        let (counting, risk) = (Arc::clone(&self.counting), Arc::clone(&self.risk));
        let context = Context {
            tables: &counting.tables,
            map: risk.map(),
        };
        let (policy, now) = (self.node.policy(), self.now);
        let most = self.node.limits.events_per_resident as usize;
        let Some(resident) = self.resident(&event.subject)? else {
            return Ok(LIVES_ELSEWHERE);
        };
        let known = &resident.events;
        Ok(
            match admit(event, &source.grant, known, &context, now, &policy) {
                Err(error) => error.into(),
                Ok(()) if known.len() >= most => TOO_MANY_EVENTS,
                Ok(()) => EventAnswer::Accepted,
            },
        )
    }

    /// Puts an event that was judged accepted among the changes and with the resident's others. What it voids nobody has to decide
    /// about any more.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub(crate) fn append(&mut self, event: Event, row: &EventRow) -> Result<(), NodeError> {
        let key = self.node.resident_key(&event.subject);
        let can_worsen = can_worsen(&event.body);
        if let Some(Some(resident)) = self.touched.get_mut(&key) {
            Node::append_event(&mut self.write, resident, event, row);
            if let EventBody::Ruling { target, .. } = event.body {
                self.node
                    .end_appeals_against(&mut self.write, key, target)?;
            }
            self.changed.insert(key);
            if can_worsen {
                self.worsened.insert(key);
            }
            let commitment = self.node.commitment_of(Content::Event, &row.event);
            self.commitments.push(commitment);
        }
        Ok(())
    }

    /// What is written beside events, and becomes durable with them.
    pub(crate) fn beside(&mut self) -> &mut WriteSet<'a> {
        self.has_more = true;
        &mut self.write
    }

    /// Puts another row of a resident, whom [`Judging::resident`] has given, among the changes.
    pub(crate) fn put<T: Serialize>(
        &mut self,
        person: &IdentityNumber,
        table: Table,
        place: &[u8],
        row: &T,
    ) {
        let resident = self.node.resident_key(person);
        if let Some(Some(known)) = self.touched.get(&resident) {
            if known.is_new {
                self.write.take_in(resident);
            }
            self.write.put(table, place, row);
            self.changed.insert(resident);
        }
    }

    /// Removes a row of a resident who is among the changed.
    pub(crate) fn delete(&mut self, table: Table, place: &[u8]) {
        self.write.delete(table, place);
    }

    /// Makes all of it durable, and what departs with it.
    pub(crate) fn finish(mut self, departing: Option<&Departing<'_>>) -> Result<(), NodeError> {
        let mut new = 0;
        for resident in self.touched.values_mut().flatten() {
            if self.changed.contains(&resident.key) {
                self.node.write_resident(&mut self.write, resident)?;
                new += u64::from(resident.is_new);
            }
        }
        for resident in &self.worsened {
            self.node.note_recheck(&mut self.write, *resident)?;
        }
        let accepted = self.accepting.at();
        self.node
            .promise(&mut self.write, accepted, &self.commitments);
        if !self.changed.is_empty() || self.has_more || departing.is_some_and(|d| !d.is_empty()) {
            self.write.commit()?;
            self.node.recheck_due.notify_one();
            self.node.count(new, self.commitments.len() as u64);
        }
        Ok(())
    }
}

impl Node {
    /// Judges events that `caller` hands in, and returns when all accepted and forwarded ones are durable; answers are in the
    /// same order. Events of one call see each other as if they had come one after the other.
    ///
    /// # Errors
    /// [`NodeError`] if nothing could be judged or stored; then none of the events was accepted.
    pub fn take_events(
        &self,
        caller: SourceId,
        offered: &[OfferedEvent],
    ) -> Result<Vec<EventAnswer>, NodeError> {
        let taken = self.take_in_events(caller, offered)?;
        Ok(taken.into_iter().map(|taken| taken.answer).collect())
    }

    /// The same, each with the receipt that its source gets: for one that was there before, the one given then.
    ///
    /// # Errors
    /// As [`Node::take_events`].
    pub fn take_in_events(
        &self,
        caller: SourceId,
        offered: &[OfferedEvent],
    ) -> Result<Vec<Taken>, NodeError> {
        let now = self.clock.now();
        let authentic: Vec<_> = offered.iter().map(|o| self.authentic(caller, o)).collect();
        let keys = authentic
            .iter()
            .flatten()
            .map(|(event, _)| self.resident_key(&event.subject));
        let held = self.locks.hold(keys);
        let mut judging = Judging::begin(self, now);
        let accepted_at = judging.accepted_at();
        let mut departing = Departing::begin(self, now);
        let mut answers = Vec::with_capacity(offered.len());
        for (authentic, offered) in authentic.iter().zip(offered) {
            let (event, source) = match authentic {
                Ok(authentic) => *authentic,
                Err(answer) => {
                    answers.push(*answer);
                    continue;
                }
            };
            if let Some(home) = offered.home.filter(|home| *home != self.home) {
                let out = (&mut judging.write, &mut departing);
                answers.push(self.forward_event(&event, source, offered, home, out)?);
                continue;
            }
            let answer = judging.judge(&event, source)?;
            if answer == EventAnswer::Accepted {
                let row = EventRow {
                    event: offered.event.clone(),
                    evidence: Evidence::Source(offered.signature.to_vec()),
                    received_at: accepted_at,
                };
                judging.append(event, &row)?;
            }
            answers.push(answer);
        }
        judging.finish(Some(&departing))?;
        departing.depart();
        // Nobody waits for these residents while receipts are signed.
        drop(held);
        self.metrics.events_judged(&answers);
        self.tally(caller, &answers, now);
        let taken = answers.into_iter().zip(authentic).zip(offered);
        taken
            .map(|((answer, authentic), offered)| {
                let bytes = &offered.event[..];
                let is_here = offered.home.is_none_or(|home| home == self.home);
                let receipt = match (answer, authentic) {
                    (EventAnswer::Accepted, _) => self.receipt(Content::Event, bytes, accepted_at),
                    (EventAnswer::Duplicate, Ok((event, _))) if is_here => {
                        let resident = self.resident_key(&event.subject);
                        self.receipt_again(resident, event.id, bytes)?
                    }
                    _ => None,
                };
                Ok(Taken { answer, receipt })
            })
            .collect()
    }

    /// Reads an event and checks that its source is the caller and signed it.
    pub(crate) fn authentic(
        &self,
        caller: SourceId,
        offered: &OfferedEvent,
    ) -> Result<(Event, &Source), EventAnswer> {
        let (event, source) = self.of_caller(caller, offered)?;
        let signature = Signature::from_bytes(&offered.signature);
        source
            .key
            .verify_strict(&event.signing_bytes(), &signature)
            .map_err(|_| BAD_SIGNATURE)?;
        Ok((event, source))
    }

    /// Reads an event and checks that its source is the caller.
    pub(crate) fn of_caller(
        &self,
        caller: SourceId,
        offered: &OfferedEvent,
    ) -> Result<(Event, &Source), EventAnswer> {
        let event = Event::from_bytes(&offered.event)?;
        if event.source != caller {
            return Err(EventError::UnknownSource.into());
        }
        let source = self.sources.get(&caller).ok_or(EventError::UnknownSource)?;
        Ok((event, source))
    }
}
