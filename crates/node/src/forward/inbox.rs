//! The home's side: envelopes are opened and judged as events of the home's own sources are, and what is contested waits.
//!
//! A sender is told nothing of a person that does not leave a mark in that person's own record. Whatever can be judged without
//! knowing whether somebody lives here is judged first and answered by its code; everything that depends on it is answered by
//! one code, and the sources that get it too often are answered nothing more on that day.

use ledger::receipt::HeldReceipt;
use rules::intake::check;
use rules::{Event, EventBody, EventId, Minute, ProvinceCode, SourceId, fact_kind};
use wire::{ENVELOPE_BYTES, ForwardAnswer, Reason};

use super::{
    Content, Envelope, EnvelopeError, SignedSealingKey, is_forwardable, is_signed, word_of,
};
use crate::intake::Judging;
use crate::sources::Source;
use crate::store::{EventRow, Evidence, ResidentKey, SentAs, StoreError, Table, WaitingRow};
use crate::{EventAnswer, Node, NodeError};

/// Events of one source that wait, or have lapsed, for one resident: more would only fill the disk.
const WAITING_MAX: usize = 8;
/// Events that a resident is shown; the newest. As many as four sources can have waiting, at some 80 bytes each 2.6 of the 16 kB that an answer is
/// padded to.
const SHOWN_MAX: usize = 32;

/// An envelope's event, its signature checked.
struct Letter<'a> {
    event: Event,
    source: &'a Source,
    content: Content,
}

/// Whether an event of another province counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignState {
    /// It is part of the record.
    Accepted,
    /// It has no effect unless it is confirmed.
    Waiting {
        /// The last minute for that.
        confirm_by: Minute,
    },
    /// It was not confirmed.
    Lapsed {
        /// The last minute that it had.
        confirm_by: Minute,
    },
}

/// An event of another province, as its resident is told.
#[derive(Clone, Debug)]
pub struct ForeignEvent {
    /// The event.
    pub event: Event,
    /// What it states, in one stable word.
    pub kind: &'static str,
    /// Whether it counts.
    pub state: ForeignState,
}

/// The events of one call, and what waits because of it.
struct Sitting<'a> {
    judging: Judging<'a>,
    waiting: Vec<(ResidentKey, SourceId)>,
}

impl Node {
    /// The key that events for this home's residents are sealed to.
    ///
    /// # Errors
    /// [`Reason::NotFound`] while there is none in use; [`NodeError::Fault`] without the head key in force.
    pub fn sealing_key(&self) -> Result<SignedSealingKey, NodeError> {
        let now = self.clock.now();
        let told = self.forward.keys.told_at(now);
        let told = told.ok_or(NodeError::Refused(Reason::NotFound))?;
        Ok(told.sign(self.charter().head_key_at(now)?.1))
    }

    /// Opens and judges envelopes that the node of `sender` hands in, and returns when all that were taken are durable; answers
    /// are in the same order, each with the receipt for its source, once the event is part of a record.
    ///
    /// # Errors
    /// [`NodeError`] if nothing could be judged or stored; then none of them was taken.
    pub fn take_forwarded(
        &self,
        sender: ProvinceCode,
        envelopes: &[[u8; ENVELOPE_BYTES]],
    ) -> Result<Vec<(ForwardAnswer, Option<HeldReceipt>)>, NodeError> {
        let now = self.clock.now();
        let letters = envelopes
            .iter()
            .map(|bytes| self.opened(sender, bytes, now));
        let letters: Vec<Result<Letter<'_>, ForwardAnswer>> = letters.collect();
        let subjects = letters.iter().flatten();
        let subjects = subjects.map(|letter| self.resident_key(&letter.event.subject));
        let held = self.locks.hold(subjects);
        let mut sitting = Sitting {
            judging: Judging::begin(self, now),
            waiting: Vec::new(),
        };
        let mut answers = Vec::with_capacity(letters.len());
        for letter in &letters {
            answers.push(match letter {
                Ok(letter) => self.answered(&mut sitting, sender, letter, now)?,
                Err(answer) => answer.clone(),
            });
        }
        sitting.judging.finish(None)?;
        // Nobody waits for these residents while receipts are signed.
        drop(held);
        self.metrics.foreign_events(&answers);
        let answered = answers.into_iter().zip(letters);
        answered
            .map(|(answer, letter)| {
                let receipt = match (&answer, letter) {
                    (ForwardAnswer::Accepted, Ok(letter)) => self.receipt_of(&letter)?,
                    _ => None,
                };
                Ok((answer, receipt))
            })
            .collect()
    }

    /// The receipt for a letter's event, which is part of a record by now.
    fn receipt_of(&self, letter: &Letter<'_>) -> Result<Option<HeldReceipt>, NodeError> {
        let resident = self.resident_key(&letter.event.subject);
        let bytes = &letter.content.event;
        self.receipt_again(resident, letter.event.id, bytes)
    }

    /// Opens an envelope and judges all that does not depend on who lives here.
    fn opened(
        &self,
        sender: ProvinceCode,
        bytes: &[u8; ENVELOPE_BYTES],
        now: Minute,
    ) -> Result<Letter<'_>, ForwardAnswer> {
        let refused = |code| ForwardAnswer::refused(code);
        let content = Envelope::from_bytes(bytes)
            .and_then(|e| e.open(sender, self.home, &self.forward.keys, &self.federation, now))
            .map_err(|error| match error {
                EnvelopeError::Expired => ForwardAnswer::Lapsed,
                other => refused(other.code()),
            })?;
        let event = Event::from_bytes(&content.event).map_err(|error| refused(error.code()))?;
        // A province forwards what its own sources state, and answers for it.
        if event.source.province != sender {
            return Err(refused("other-sender"));
        }
        let source = self
            .sources
            .get(&event.source)
            .ok_or_else(|| refused("unknown-source"))?;
        if !is_signed(&source.key, &event, content.sent_as, &content.signature) {
            return Err(refused("bad-signature"));
        }
        if !is_forwardable(event.body.kind()) {
            return Err(refused("not-forwardable"));
        }
        check(&event, &source.grant, now, &self.policy()).map_err(|e| refused(e.code()))?;
        Ok(Letter {
            event,
            source,
            content,
        })
    }

    /// Judges a letter beside the record; a miss is counted.
    fn answered(
        &self,
        sitting: &mut Sitting<'_>,
        sender: ProvinceCode,
        letter: &Letter<'_>,
        now: Minute,
    ) -> Result<ForwardAnswer, NodeError> {
        let (source, today) = (letter.event.source, now.day());
        if !self.forward.may_ask(source, today) {
            return Ok(ForwardAnswer::refused("quota"));
        }
        let taken = match letter.content.sent_as {
            SentAs::Statement => self.stated(sitting, sender, letter, now)?,
            SentAs::Confirmation => self.confirmed(sitting, sender, letter, now)?,
        };
        Ok(taken.unwrap_or_else(|| {
            self.forward.count_miss(source, today);
            ForwardAnswer::refused("not-taken")
        }))
    }

    /// A source's statement; none where the person does not live here or the record does not admit it.
    fn stated(
        &self,
        sitting: &mut Sitting<'_>,
        sender: ProvinceCode,
        letter: &Letter<'_>,
        now: Minute,
    ) -> Result<Option<ForwardAnswer>, NodeError> {
        let event = &letter.event;
        let Some(resident) = sitting.judging.resident(&event.subject)? else {
            return Ok(None);
        };
        let key = resident.key;
        if let Some(known) = resident.events.iter().find(|known| known.id == event.id) {
            return Ok((known == event).then_some(ForwardAnswer::Accepted));
        }
        // A province ends what its own sources stated; all else ends at home.
        if let EventBody::Release { target, .. } = event.body {
            let mut own = resident.events.iter();
            if !own.any(|e| e.id == target && e.source.province == sender) {
                return Ok(None);
            }
        }
        let place = self.waiting_place(key, event.id);
        if let Some(row) = self.vault.get::<WaitingRow>(Table::Waiting, &place)? {
            let confirm_by = row.confirm_by;
            return Ok(
                (row.event == letter.content.event).then_some(if confirm_by < now {
                    ForwardAnswer::Lapsed
                } else {
                    ForwardAnswer::Waiting { confirm_by }
                }),
            );
        }
        if sitting.judging.judge(event, letter.source)? != EventAnswer::Accepted {
            return Ok(None);
        }
        if !self.is_contested(event) {
            let evidence = Evidence::Forwarded {
                sender,
                signature: letter.content.signature.to_vec(),
                confirmation: None,
            };
            let at = sitting.judging.accepted_at();
            sitting.judging.append(*event, &letter.row(evidence, at))?;
            return Ok(Some(ForwardAnswer::Accepted));
        }
        if self.waiting_of(sitting, key, event.source)? >= WAITING_MAX {
            return Ok(None);
        }
        let within_min = i64::from(self.forward.settings.confirm_within_min);
        let confirm_by = now.saturating_add_signed(within_min);
        let row = WaitingRow {
            event: letter.content.event.clone(),
            signature: letter.content.signature.to_vec(),
            sender,
            received_at: now,
            confirm_by,
        };
        sitting
            .judging
            .put(&event.subject, Table::Waiting, &place, &row);
        sitting.waiting.push((key, event.source));
        Ok(Some(ForwardAnswer::Waiting { confirm_by }))
    }

    /// A second signature; none where nothing waits for it.
    fn confirmed(
        &self,
        sitting: &mut Sitting<'_>,
        sender: ProvinceCode,
        letter: &Letter<'_>,
        now: Minute,
    ) -> Result<Option<ForwardAnswer>, NodeError> {
        let event = &letter.event;
        let Some(resident) = sitting.judging.resident(&event.subject)? else {
            return Ok(None);
        };
        if resident.events.contains(event) {
            return Ok(Some(ForwardAnswer::Accepted));
        }
        let place = self.waiting_place(resident.key, event.id);
        let row = match self.vault.get::<WaitingRow>(Table::Waiting, &place)? {
            Some(row) if row.event == letter.content.event => row,
            _ => return Ok(None),
        };
        if row.confirm_by < now {
            return Ok(Some(ForwardAnswer::Lapsed));
        }
        if sitting.judging.judge(event, letter.source)? != EventAnswer::Accepted {
            return Ok(None);
        }
        let evidence = Evidence::Forwarded {
            sender,
            signature: row.signature,
            confirmation: Some(letter.content.signature.to_vec()),
        };
        let at = sitting.judging.accepted_at();
        sitting.judging.append(*event, &letter.row(evidence, at))?;
        sitting.judging.delete(Table::Waiting, &place);
        Ok(Some(ForwardAnswer::Accepted))
    }

    /// Where a waiting event lies: keys lie in plain, so its id is blinded.
    fn waiting_place(&self, resident: ResidentKey, event: EventId) -> Vec<u8> {
        resident.row(&self.vault.blinded("waiting", &event.0)[..16])
    }

    /// Whether this home takes such a fact of another province only when it is confirmed.
    fn is_contested(&self, event: &Event) -> bool {
        fact_kind(event).is_some_and(|fact| self.forward.settings.contested.contains(&fact))
    }

    /// How many events of a source wait or have lapsed for a resident.
    fn waiting_of(
        &self,
        sitting: &Sitting<'_>,
        resident: ResidentKey,
        source: SourceId,
    ) -> Result<usize, NodeError> {
        let here = sitting.waiting.iter();
        let mut count = here.filter(|row| **row == (resident, source)).count();
        for (event, _) in self.waiting_events(resident)? {
            count += usize::from(event.source == source);
        }
        Ok(count)
    }

    fn waiting_events(&self, resident: ResidentKey) -> Result<Vec<(Event, WaitingRow)>, NodeError> {
        let mut found = Vec::new();
        self.vault
            .walk::<WaitingRow, StoreError>(Table::Waiting, &resident.0, |_, row| {
                let event = Event::from_bytes(&row.event)
                    .map_err(|_| StoreError::Damaged(Table::Waiting))?;
                found.push((event, row));
                Ok(())
            })?;
        Ok(found)
    }

    /// A resident's newest events of other provinces, the newest first: `events` of the record, and those without effect.
    pub(crate) fn foreign_events(
        &self,
        resident: ResidentKey,
        events: &[Event],
        now: Minute,
    ) -> Result<Vec<ForeignEvent>, NodeError> {
        let accepted = events.iter().filter(|e| e.source.province != self.home);
        let accepted = accepted.map(|event| (*event, ForeignState::Accepted));
        let waiting = self.waiting_events(resident)?.into_iter();
        let waiting = waiting.map(|(event, row)| {
            let confirm_by = row.confirm_by;
            let state = if confirm_by < now {
                ForeignState::Lapsed { confirm_by }
            } else {
                ForeignState::Waiting { confirm_by }
            };
            (event, state)
        });
        let mut all: Vec<ForeignEvent> = accepted
            .chain(waiting)
            .map(|(event, state)| ForeignEvent {
                event,
                kind: word_of(&event),
                state,
            })
            .collect();
        all.sort_by_key(|foreign| std::cmp::Reverse((foreign.event.issued_at, foreign.event.id)));
        all.truncate(SHOWN_MAX);
        Ok(all)
    }
}

impl Letter<'_> {
    fn row(&self, evidence: Evidence, received_at: Minute) -> EventRow {
        EventRow {
            event: self.content.event.clone(),
            evidence,
            received_at,
        }
    }
}
