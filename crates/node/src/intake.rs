//! Events from sources: each is checked by itself, and all that are accepted become durable together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::Signature;
use rules::intake::admit;
use rules::{Context, Event, EventError, Minute, SourceId};

use crate::residents::Resident;
use crate::revoke::can_worsen;
use crate::sources::Source;
use crate::store::{EventRow, Evidence, ResidentKey};
use crate::{Node, NodeError};

/// An event as a source hands it in.
#[derive(Clone, Debug)]
pub struct OfferedEvent {
    /// Canonical bytes of the event.
    pub event: Vec<u8>,
    /// Ed25519 over its signing bytes.
    pub signature: [u8; 64],
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
}

/// Refusals beyond those of [`EventError`]; the table is in the README.
const BAD_SIGNATURE: EventAnswer = EventAnswer::Refused("bad-signature");
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

impl Node {
    /// Judges events that `caller` hands in, and returns when all accepted ones are durable; answers are in the same
    /// order. Events of one call see each other as if they had come one after the other.
    ///
    /// # Errors
    /// [`NodeError`] if nothing could be judged or stored; then none of the events was accepted.
    pub fn take_events(
        &self,
        caller: SourceId,
        offered: &[OfferedEvent],
    ) -> Result<Vec<EventAnswer>, NodeError> {
        let now = self.clock.now();
        let authentic: Vec<_> = offered.iter().map(|o| self.authentic(caller, o)).collect();
        let keys = authentic
            .iter()
            .flatten()
            .map(|(event, _)| self.resident_key(&event.subject));
        let _held = self.locks.hold(keys);

        let counting = self.rules.counting_at(now);
        let risk = self.risk.at(now);
        let context = Context {
            tables: &counting.tables,
            map: risk.map(),
        };
        let mut touched: BTreeMap<ResidentKey, Option<Resident>> = BTreeMap::new();
        let mut changed: BTreeSet<ResidentKey> = BTreeSet::new();
        let mut worsened: BTreeSet<ResidentKey> = BTreeSet::new();
        let mut write = self.vault.write();
        let mut answers = Vec::with_capacity(offered.len());
        for (authentic, offered) in authentic.into_iter().zip(offered) {
            let (event, source) = match authentic {
                Ok(authentic) => authentic,
                Err(answer) => {
                    answers.push(answer);
                    continue;
                }
            };
            let key = self.resident_key(&event.subject);
            let resident = match touched.entry(key) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.resident_or_new(&event.subject)?),
            };
            let answer = self.judge(resident.as_ref(), &event, source, &context, now);
            if let (EventAnswer::Accepted, Some(resident)) = (&answer, resident) {
                let row = EventRow {
                    event: offered.event.clone(),
                    evidence: Evidence::Source(offered.signature.to_vec()),
                    received_at: now,
                };
                if can_worsen(&event.body) {
                    worsened.insert(key);
                }
                Self::append_event(&mut write, resident, event, &row);
                changed.insert(key);
            }
            answers.push(answer);
        }
        if !changed.is_empty() {
            let mut new = 0;
            for resident in touched.values_mut().flatten() {
                if changed.contains(&resident.key) {
                    self.write_resident(&mut write, resident)?;
                    new += u64::from(resident.is_new);
                }
            }
            for resident in &worsened {
                self.note_recheck(&mut write, *resident)?;
            }
            write.commit()?;
            self.recheck_due.notify_one();
            let accepted = answers.iter().filter(|a| **a == EventAnswer::Accepted);
            self.count(new, accepted.count() as u64);
        }
        self.metrics.events_judged(&answers);
        Ok(answers)
    }

    /// Reads an event and checks that its source is the caller and signed it.
    fn authentic(
        &self,
        caller: SourceId,
        offered: &OfferedEvent,
    ) -> Result<(Event, &Source), EventAnswer> {
        let event = Event::from_bytes(&offered.event)?;
        if event.source != caller {
            return Err(EventError::UnknownSource.into());
        }
        let source = self.sources.get(&caller).ok_or(EventError::UnknownSource)?;
        let signature = Signature::from_bytes(&offered.signature);
        source
            .key
            .verify_strict(&event.signing_bytes(), &signature)
            .map_err(|_| BAD_SIGNATURE)?;
        Ok((event, source))
    }

    fn judge(
        &self,
        resident: Option<&Resident>,
        event: &Event,
        source: &Source,
        context: &Context<'_>,
        now: Minute,
    ) -> EventAnswer {
        let Some(resident) = resident else {
            return LIVES_ELSEWHERE;
        };
        let policy = self.policy();
        match admit(
            event,
            &source.grant,
            &resident.events,
            context,
            now,
            &policy,
        ) {
            Err(error) => error.into(),
            Ok(()) if resident.events.len() >= self.limits.events_per_resident as usize => {
                TOO_MANY_EVENTS
            }
            Ok(()) => EventAnswer::Accepted,
        }
    }
}
