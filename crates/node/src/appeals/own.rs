//! What a resident is told of the own appeals.

use std::cmp::Reverse;

use rules::appeal::Outcome;
use rules::{Event, EventBody, EventId, Minute, SourceId};
use wire::CaseId;

use super::{decide_by, ruling_on, state_of, stored_decision};
use crate::declare::CaseState;
use crate::forward::word_of;
use crate::store::{AppealDecisionRow, CaseRow, ResidentKey};
use crate::{Node, NodeError};

/// Appeals that a resident is shown at once; as many as may wait.
const SHOWN_MAX: usize = super::WAITING_MAX;

/// An own appeal, as its resident is told.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnAppeal {
    /// Its name.
    pub case_id: CaseId,
    /// The event contested.
    pub event: EventId,
    /// What that states, in one stable word; none where it is kept no more.
    pub kind: Option<&'static str>,
    /// When it came.
    pub opened_at: Minute,
    /// Until when it is, or was, to be decided.
    pub decide_by: Minute,
    /// Where it stands.
    pub state: CaseState,
    /// How it ended; none while it waits.
    pub ended: Option<EndedAppeal>,
}

/// How an appeal ended.
#[derive(Clone, PartialEq, Eq)]
pub struct EndedAppeal {
    /// When.
    pub at: Minute,
    /// The office.
    pub office: SourceId,
    /// Why, in the office's words; empty where it handed in a ruling alone.
    pub words: String,
    /// Canonical bytes of the decision, and the office's signature over its signing bytes; empty where there is none.
    pub signed: (Vec<u8>, Vec<u8>),
}

/// Prints nothing of the resident.
impl std::fmt::Debug for OwnAppeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnAppeal(..)")
    }
}

impl Node {
    /// The appeals of a resident, those that wait first, each newest first, beside the own events.
    pub(crate) fn own_appeals(
        &self,
        resident: ResidentKey,
        events: &[Event],
    ) -> Result<Vec<OwnAppeal>, NodeError> {
        let mut appeals = Vec::new();
        for (case_id, case) in self.cases_of(resident)? {
            let row = self.decision_of(resident, &case_id)?;
            appeals.push(self.own_appeal(CaseId(case_id), &case, row, events)?);
        }
        appeals.sort_by_key(|appeal| {
            let has_ended = appeal.state != CaseState::Open;
            (has_ended, Reverse((appeal.opened_at, appeal.case_id.0)))
        });
        appeals.truncate(SHOWN_MAX);
        Ok(appeals)
    }

    fn own_appeal(
        &self,
        case_id: CaseId,
        case: &CaseRow,
        row: Option<AppealDecisionRow>,
        events: &[Event],
    ) -> Result<OwnAppeal, NodeError> {
        let event = EventId(case.event_id);
        let contested = events.iter().find(|known| known.id == event);
        let is_own = contested.is_none_or(|known| known.source.province == self.home);
        let decision = row.as_ref().map(stored_decision).transpose()?;
        let state = state_of(event, events, decision.as_ref());
        let by_ruling = ruling_on(event, events).map(ended_by);
        let written_down = row.as_ref().map(|row| row.decide_by);
        let by_decision = decision.zip(row).map(|(decision, row)| {
            let ended = EndedAppeal {
                at: decision.at,
                office: decision.source,
                words: decision.words.as_str().to_owned(),
                signed: (row.decision, row.signature),
            };
            (decision.outcome, ended)
        });
        // A ruling outlasts a decision that let the event stand.
        let ended = match (by_decision, by_ruling) {
            (Some((Outcome::Dismissed, _)), Some(ruled)) => Some(ruled),
            (Some((_, ended)), _) => Some(ended),
            (None, ruled) => ruled,
        };
        Ok(OwnAppeal {
            case_id,
            event,
            kind: contested.map(word_of),
            opened_at: case.opened_at,
            decide_by: written_down.unwrap_or_else(|| decide_by(case.opened_at, is_own)),
            state,
            ended,
        })
    }
}

/// The end of an appeal whose event a ruling voids, without a decision.
fn ended_by(ruling: &Event) -> EndedAppeal {
    let at = match ruling.body {
        EventBody::Ruling { at, .. } => at,
        _ => ruling.issued_at,
    };
    EndedAppeal {
        at,
        office: ruling.source,
        words: String::new(),
        signed: (Vec::new(), Vec::new()),
    }
}
