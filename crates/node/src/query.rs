//! What a resident is told about the own record.

use std::sync::Arc;

use rules::{
    Context, Evaluation, Event, EventId, Folded, Ground, Minute, SourceId, evaluate, fold,
};
use wire::Question;
use wire::resident::v1 as proto;

use crate::appeals::OwnAppeal;
use crate::forward::ForeignEvent;
use crate::proxies::KnownProxy;
use crate::rule_book::KnownSet;
use crate::store::ReadPurpose;
use crate::trail::Readings;
use crate::{Node, NodeError};

/// The own status, with everything that it rests on.
pub struct Status {
    /// Moment of the evaluation.
    pub at: Minute,
    /// Rule set applied.
    pub rule_set: Arc<KnownSet>,
    /// The record, and which events each part of it is from.
    pub folded: Folded,
    /// Colour and reasons.
    pub evaluation: Evaluation,
    /// The resident's events.
    pub events: Vec<Event>,
    /// The newest that sources of other provinces stated, those without effect among them.
    pub foreign: Vec<ForeignEvent>,
    /// Readings by somebody else than the resident.
    pub readings: Readings,
    /// Who may act for the resident now; a proxy is told of itself alone, and of no readings.
    pub proxies: Vec<KnownProxy>,
    /// What the resident contests; none for a proxy.
    pub appeals: Vec<OwnAppeal>,
}

impl Status {
    /// The events that a ground of the record rests on.
    pub fn events_of(&self, ground: &Ground) -> &[EventId] {
        let from = match ground {
            Ground::Fact { index, .. } => self.folded.facts_from.get(*index),
            Ground::Stay { index, .. } => self.folded.stays_from.get(*index),
        };
        from.map_or(&[], Vec::as_slice)
    }
}

impl Node {
    /// The name of the source that stated the newest of these events; empty for none.
    pub(crate) fn source_name(&self, own: &Status, events: &[EventId]) -> String {
        let newest = own.events.iter().rev().find(|e| events.contains(&e.id));
        newest.map_or_else(String::new, |event| self.name_of_source(event.source))
    }

    /// A source's identifier, with its name where it is known.
    pub(crate) fn name_of_source(&self, id: SourceId) -> String {
        match self.sources.get(&id) {
            Some(source) => format!("{id} {}", source.name),
            None => id.to_string(),
        }
    }

    /// A resident's own colour now, with every reason. The reading is written to the resident's trail before it is
    /// answered.
    ///
    /// # Errors
    /// `UNKNOWN_RULE_SET` and `TOO_MANY_RULE_SETS`, and those of every resident's call.
    pub fn query(&self, request: &proto::QueryRequest) -> Result<Status, NodeError> {
        let call = self.authenticate(request)?;
        let at = call.now;
        let question = Question::try_from(&call.body)?;
        let charter = self.charter();
        let known = charter.rules.for_query(question.rule_set.as_ref(), at)?;
        let rule_set = known.set();
        let _held = self.locks.hold([call.resident]);
        let mut write = self.vault.write();
        self.spend_rule_set(&call, rule_set.id().as_str(), &mut write)?;
        call.note_reading(ReadPurpose::Query, rule_set.id().as_str(), &mut write);
        let events = self.events_of(call.resident)?;
        let foreign = self.foreign_events(call.resident, &events, at)?;
        let mut proxies = self.known_proxies(call.resident, at)?;
        let mut readings =
            self.readings_by_others(call.resident, question.readings_from, &proxies)?;
        let mut appeals = self.own_appeals(call.resident, &events)?;
        if call.is_proxy {
            appeals.clear();
            proxies.retain(|proxy| proxy.id == call.device);
            readings = Readings::default();
        }
        call.commit(write)?;

        let counting = self.charter().rules.counting_at(at);
        let risk = self.risk.at(at);
        let fold_for = |tables| {
            let map = risk.map();
            fold(&events, &Context { tables, map }, at)
        };
        // Where a new rule set makes the record larger than it can be, the one asked for still has its answer.
        let folded = fold_for(&counting.tables)
            .or_else(|_| fold_for(std::slice::from_ref(rule_set.table())))
            .map_err(|_| NodeError::Fault("accepted events do not fold"))?;
        let evaluation = evaluate(&folded.record, rule_set.table(), risk.map(), at)
            .map_err(|_| NodeError::Fault("a folded record speaks of the future"))?;
        Ok(Status {
            at,
            rule_set: known,
            folded,
            evaluation,
            events,
            foreign,
            readings,
            proxies,
            appeals,
        })
    }
}
