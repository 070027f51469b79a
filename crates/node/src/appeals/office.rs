//! What an office for appeals is answered: what waits, one appeal, and what becomes of a decision.

use ed25519_dalek::Signature;
use ledger::receipt::{Content, HeldReceipt};
use rules::appeal::Outcome;
use rules::{Event, EventBody, EventId, Minute, SourceId, SourceKind};
use wire::{
    AppealId, CaseId, DecisionRequest, MAX_APPEALS, Reason, ShownAppeal, WaitingAppeal,
    WaitingAppeals,
};

use super::{end_appeal, ended_key, waiting_key};
use crate::intake::{EventAnswer, Judging, OfferedEvent, Taken};
use crate::sources::Source;
use crate::store::{AppealDecisionRow, AppealRow, CaseRow, EventRow, Evidence, StoreError, Table};
use crate::{Node, NodeError};

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealDecided {
    /// What became of the ruling that came with it. Where it was refused, nothing was decided.
    pub ruling: Option<Taken>,
    /// The receipt for the decision.
    pub receipt: Option<HeldReceipt>,
}

/// A ruling, its signature checked.
struct Ruling<'a> {
    event: Event,
    source: &'a Source,
    offered: OfferedEvent,
}

/// What came of a decision.
struct Settled {
    /// What became of its ruling.
    judged: Option<EventAnswer>,
    /// When it came, now or before.
    received_at: Minute,
    /// Whether it was not there before.
    is_new: bool,
}

/// Whether a ruling is part of the record.
const fn is_taken(answer: EventAnswer) -> bool {
    matches!(answer, EventAnswer::Accepted | EventAnswer::Duplicate)
}

const fn refused(reason: Reason) -> NodeError {
    NodeError::Refused(reason)
}

impl Node {
    /// The appeals that wait, the earliest deadline first, those after `after`. No record is read for it.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`] for whoever is no office for appeals of this province.
    pub fn list_appeals(
        &self,
        caller: SourceId,
        after: Option<AppealId>,
    ) -> Result<WaitingAppeals, NodeError> {
        self.appeals_office(caller)?;
        let ids = self.waiting_ids()?;
        let (total, overdue) = (ids.len(), self.overdue_of(&ids));
        let mut appeals = Vec::new();
        for appeal in ids {
            if after.is_some_and(|after| appeal <= after) {
                continue;
            }
            if appeals.len() == MAX_APPEALS {
                break;
            }
            // One that has ended meanwhile is not told.
            if let Some(AppealRow { opened_at, .. }) = self.listed_appeal(appeal)? {
                appeals.push(WaitingAppeal { appeal, opened_at });
            }
        }
        Ok(WaitingAppeals {
            now: self.clock.now(),
            appeals,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            overdue: u32::try_from(overdue).unwrap_or(u32::MAX),
        })
    }

    /// An appeal that waits; nobody holds its resident, who may be erased while it is read.
    fn listed_appeal(&self, appeal: AppealId) -> Result<Option<AppealRow>, NodeError> {
        let key = waiting_key(appeal);
        match self.waiting_appeal(appeal) {
            Err(_) if self.vault.keys(Table::Appeals, &key, 1)?.is_empty() => Ok(None),
            read => read,
        }
    }

    /// What one appeal is about. That it was read, and by whom, is a row of the resident's trail before it is answered.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`]; [`Reason::NotFound`] for one that does not wait.
    pub fn read_appeal(
        &self,
        caller: SourceId,
        appeal: AppealId,
    ) -> Result<ShownAppeal, NodeError> {
        self.appeals_office(caller)?;
        let waits = || {
            let row = self.listed_appeal(appeal)?;
            row.ok_or(refused(Reason::NotFound))
        };
        let resident = waits()?.resident;
        let _held = self.locks.hold([resident]);
        // It may have been decided, and the resident may have left, before.
        let row = waits()?;
        let (case, event) = self.contested(&row)?;
        let decide_by = appeal.decide_by();
        let decide_by = decide_by.ok_or(StoreError::Damaged(Table::Appeals))?;
        let mut write = self.vault.write();
        self.note_reading_by_office(resident, caller, &mut write);
        write.commit()?;
        tracing::info!(source = %caller, "an office reads what is contested");
        Ok(ShownAppeal {
            case_id: CaseId(row.case_id),
            source: self.name_of_source(event.source),
            event,
            statement: case.statement,
            opened_at: row.opened_at,
            decide_by,
        })
    }

    /// Takes an office's decision. Where that upholds the appeal, the ruling is judged as every event is, and ruling and decision
    /// become durable together or not at all. The same decision again is answered as before.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`]; [`Reason::BadSignature`]; [`Reason::NotFound`] for what is no appeal here, or not any more;
    /// [`Reason::DecisionRefused`] where decision or ruling name another case, event, office or person, or a moment before the appeal
    /// or in the future; [`Reason::AlreadyDecided`] where it was decided otherwise.
    pub fn decide_appeal(
        &self,
        caller: SourceId,
        asked: &DecisionRequest,
    ) -> Result<AppealDecided, NodeError> {
        let office = self.appeals_office(caller)?;
        let decision = &asked.decision;
        let signature = Signature::from_bytes(&asked.signature);
        office
            .key
            .verify_strict(&decision.signing_bytes(), &signature)
            .map_err(|_| refused(Reason::BadSignature))?;
        if decision.source != caller {
            return Err(refused(Reason::DecisionRefused));
        }
        let ruling = match self.ruling_of(caller, asked)? {
            Ok(ruling) => ruling,
            Err(answer) => return Ok(without_effect(answer)),
        };
        let resident = self.appeal_at(asked.appeal)?.0.resident;
        let held = self.locks.hold([resident]);
        let (row, waits) = self.appeal_at(asked.appeal)?;
        self.check_decision(office, asked, &row, ruling.as_ref())?;
        let settled = self.settle_appeal(asked, &row, waits, ruling.as_ref())?;
        // Nobody waits for this resident while receipts are signed.
        drop(held);
        if let Some(answer) = settled.judged {
            self.metrics.events_judged(&[answer]);
            if !is_taken(answer) {
                return Ok(without_effect(answer));
            }
        }
        if settled.is_new {
            self.metrics.appeal_decided(decision.outcome);
        }
        let bytes = decision.to_bytes();
        let receipt = self.receipt(Content::Decision, &bytes, settled.received_at);
        let ruling = ruling.zip(settled.judged).map(|(ruling, answer)| {
            let bytes = &ruling.offered.event[..];
            let receipt = self.receipt_again(resident, ruling.event.id, bytes)?;
            Ok::<_, NodeError>(Taken { answer, receipt })
        });
        Ok(AppealDecided {
            ruling: ruling.transpose()?,
            receipt,
        })
    }

    /// Makes a decision durable, with its ruling; once.
    fn settle_appeal(
        &self,
        asked: &DecisionRequest,
        row: &AppealRow,
        waits: bool,
        ruling: Option<&Ruling<'_>>,
    ) -> Result<Settled, NodeError> {
        let decision = asked.decision.to_bytes();
        let stored = self.decision_of(row.resident, &row.case_id)?;
        let is_other = (stored.as_ref()).is_some_and(|known| known.decision != decision);
        // A ruling that was handed in alone has voided the event.
        let is_void = stored.is_none() && !waits;
        if is_other || (is_void && asked.decision.outcome == Outcome::Dismissed) {
            return Err(refused(Reason::AlreadyDecided));
        }
        let mut judging = Judging::begin(self, self.clock.now());
        let judged = match ruling {
            Some(ruling) => Some(judging.judge(&ruling.event, ruling.source)?),
            None => None,
        };
        let now = judging.accepted_at();
        let settled = Settled {
            judged,
            received_at: stored.as_ref().map_or(now, |known| known.received_at),
            is_new: stored.is_none(),
        };
        if judged.is_some_and(|answer| !is_taken(answer)) {
            return Ok(settled);
        }
        if let (Some(ruling), Some(EventAnswer::Accepted)) = (ruling, judged) {
            judging.append(ruling.event, &ruling.row(now))?;
        }
        if settled.is_new {
            let commitment = self.commitment_of(Content::Decision, &decision);
            let key = row.resident.row(&row.case_id);
            let decided = AppealDecisionRow {
                decision,
                signature: asked.signature.to_vec(),
                decide_by: asked.appeal.decide_by().unwrap_or(row.opened_at),
                received_at: now,
            };
            let write = judging.beside();
            write.put_new(Table::AppealDecisions, &key, &decided);
            end_appeal(write, asked.appeal, row);
            self.promise(write, now, &[commitment]);
        }
        judging.finish(None)?;
        Ok(settled)
    }

    /// The caller, if it is an office for appeals of this province that may sign now.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`].
    pub(crate) fn appeals_office(&self, caller: SourceId) -> Result<&Source, NodeError> {
        let now = self.clock.now();
        let is_office = caller.kind == SourceKind::AppealsOffice && caller.province == self.home;
        let known = self.sources.get(&caller).filter(|source| {
            let grant = &source.grant;
            is_office && (grant.since..grant.until).contains(&now)
        });
        known.ok_or(refused(Reason::RoleRefused))
    }

    /// The case and the event of an appeal that waits. One that points nowhere, as no commit leaves it, is damage.
    fn contested(&self, row: &AppealRow) -> Result<(CaseRow, Event), NodeError> {
        let key = row.resident.row(&row.case_id);
        let case: Option<CaseRow> = self.vault.get(Table::Cases, &key)?;
        let case = case.ok_or(StoreError::Damaged(Table::Appeals))?;
        let event = EventId(case.event_id);
        let events = self.events_of(row.resident)?;
        let event = events.into_iter().find(|known| known.id == event);
        Ok((case, event.ok_or(StoreError::Damaged(Table::Appeals))?))
    }

    /// An appeal that is known, and whether it waits.
    fn appeal_at(&self, appeal: AppealId) -> Result<(AppealRow, bool), NodeError> {
        if let Some(row) = self.listed_appeal(appeal)? {
            return Ok((row, true));
        }
        let key = ended_key(appeal);
        let row: Option<AppealRow> = match self.vault.get(Table::Appeals, &key) {
            Err(_) if self.vault.keys(Table::Appeals, &key, 1)?.is_empty() => None,
            read => read?,
        };
        Ok((row.ok_or(refused(Reason::NotFound))?, false))
    }

    /// The ruling of a decision, its signature checked; none for one that needs none, and as what it is refused where it is no event
    /// of the caller's.
    fn ruling_of(
        &self,
        caller: SourceId,
        asked: &DecisionRequest,
    ) -> Result<Result<Option<Ruling<'_>>, EventAnswer>, NodeError> {
        let Some((event, signature)) = &asked.ruling else {
            return Ok(Ok(None));
        };
        let offered = OfferedEvent {
            event: event.clone(),
            signature: *signature,
            home: None,
        };
        let (event, source) = match self.authentic(caller, &offered) {
            Ok(authentic) => authentic,
            Err(answer) => return Ok(Err(answer)),
        };
        match event.body {
            EventBody::Ruling { target, .. } if target == asked.decision.event => {
                Ok(Ok(Some(Ruling {
                    event,
                    source,
                    offered,
                })))
            }
            _ => Err(refused(Reason::DecisionRefused)),
        }
    }

    /// Whether a decision is about this appeal, and of a moment that it can be of; clocks may differ by as much as those of sources.
    fn check_decision(
        &self,
        office: &Source,
        asked: &DecisionRequest,
        row: &AppealRow,
        ruling: Option<&Ruling<'_>>,
    ) -> Result<(), NodeError> {
        let decision = &asked.decision;
        let key = row.resident.row(&row.case_id);
        let case: Option<CaseRow> = self.vault.get(Table::Cases, &key)?;
        let case = case.ok_or(StoreError::Damaged(Table::Appeals))?;
        let is_of_case = decision.case_id == row.case_id && decision.event.0 == case.event_id;
        let is_of_person =
            ruling.is_none_or(|ruling| self.resident_key(&ruling.event.subject) == row.resident);
        let tolerance = i64::from(self.policy().clock_tolerance_min);
        let earliest = row.opened_at.saturating_add_signed(-tolerance);
        let latest = self.clock.now().saturating_add_signed(tolerance);
        let grant = &office.grant;
        let is_of_now = (earliest..=latest).contains(&decision.at)
            && (grant.since..grant.until).contains(&decision.at);
        if is_of_case && is_of_person && is_of_now {
            Ok(())
        } else {
            Err(refused(Reason::DecisionRefused))
        }
    }
}

impl Ruling<'_> {
    fn row(&self, received_at: Minute) -> EventRow {
        EventRow {
            event: self.offered.event.clone(),
            evidence: Evidence::Source(self.offered.signature.to_vec()),
            received_at,
        }
    }
}

/// A decision whose ruling was refused: nothing was decided.
const fn without_effect(answer: EventAnswer) -> AppealDecided {
    AppealDecided {
        ruling: Some(Taken {
            answer,
            receipt: None,
        }),
        receipt: None,
    }
}
