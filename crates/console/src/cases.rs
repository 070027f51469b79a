//! Appeals: the queue at the node, and what one of them contests, for who has to decide it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rules::{Minute, SourceId};
use wire::console::v1 as proto;
use wire::{AppealId, ShownAppeal, bytes_exact};

use crate::offices::Office;
use crate::proposals::Proposals;
use crate::sessions::AGE_MAX_MIN;
use crate::statement::case_content;
use crate::{About, ConsoleError, Person, What};

/// Most appeals that are kept in memory after somebody read them: as many as anybody has open at once.
const KEPT_MAX: usize = 256;

/// By the office and the appeal's name; with when it was read.
type Kept = BTreeMap<(SourceId, AppealId), (Minute, Arc<ShownAppeal>)>;

/// Appeals that were read at the node, and when, kept in memory so that deciding one is not another reading.
#[derive(Default)]
pub(crate) struct Appeals(Mutex<Kept>);

impl Appeals {
    /// Reads one at the node; the resident sees that.
    ///
    /// # Errors
    /// Those of the node; [`wire::Reason::NotFound`] for one that is decided or gone.
    pub(crate) async fn ask(
        &self,
        office: &Office,
        name: AppealId,
        now: Minute,
    ) -> Result<Arc<ShownAppeal>, ConsoleError> {
        let asked = office.node.read_appeal(name).await;
        let mut kept = self.0.lock();
        let key = (office.source, name);
        // Names begin with the deadline: the first ones have waited longest.
        while kept.len() >= KEPT_MAX && !kept.contains_key(&key) {
            kept.pop_first();
        }
        match asked {
            Ok(appeal) => {
                let appeal = Arc::new(appeal);
                kept.insert(key, (now, Arc::clone(&appeal)));
                Ok(appeal)
            }
            Err(error) => {
                if matches!(error, ConsoleError::Node(_)) {
                    kept.remove(&key);
                }
                Err(error)
            }
        }
    }

    /// One that somebody read, or else from the node.
    ///
    /// # Errors
    /// As [`Appeals::ask`].
    pub(crate) async fn known(
        &self,
        office: &Office,
        name: AppealId,
        now: Minute,
    ) -> Result<Arc<ShownAppeal>, ConsoleError> {
        self.forget_old(now);
        let kept = self.0.lock().get(&(office.source, name)).cloned();
        match kept {
            Some((_, appeal)) => Ok(appeal),
            None => self.ask(office, name, now).await,
        }
    }

    /// Keeps those no longer that were read longer ago than a session lasts.
    pub(crate) fn forget_old(&self, now: Minute) {
        let is_new = |read_at: Minute| now < read_at.saturating_add_signed(AGE_MAX_MIN.into());
        self.0.lock().retain(|_, (read_at, _)| is_new(*read_at));
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Keeps one no longer.
    pub(crate) fn forget(&self, source: SourceId, name: AppealId) {
        self.0.lock().remove(&(source, name));
    }
}

/// The appeals of the console's offices.
pub(crate) struct Cases(Arc<Proposals>);

impl Cases {
    /// Over the proposals that decide them.
    pub(crate) const fn new(proposals: Arc<Proposals>) -> Self {
        Self(proposals)
    }

    /// Those that wait at the node, without whose they are.
    ///
    /// # Errors
    /// [`wire::Reason::UnknownOffice`], [`wire::Reason::NotEntitled`]; those of the node.
    pub(crate) async fn list(
        &self,
        request: &proto::ListCasesRequest,
    ) -> Result<proto::ListCasesResponse, ConsoleError> {
        let office = self.0.offices().for_appeals(&request.source)?;
        let after = (!request.after.is_empty()).then(|| bytes_exact("after", &request.after));
        let after = after.transpose()?.map(AppealId);
        let page = office.node.list_appeals(after).await?;
        let cases = page.appeals.iter().map(|waiting| {
            let proposal = self.0.deciding(waiting.appeal);
            proto::CaseLine {
                appeal: waiting.appeal.0.to_vec(),
                opened_at_minute: waiting.opened_at.get(),
                decide_by_minute: waiting.appeal.decide_by().map_or(0, Minute::get),
                proposal_id: proposal.map_or_else(Vec::new, |id| id.to_vec()),
            }
        });
        Ok(proto::ListCasesResponse {
            now_minute: page.now.get(),
            cases: cases.collect(),
            total: page.total,
            overdue: page.overdue,
        })
    }

    /// One of them. That it is read, and by whom, is stored first.
    ///
    /// # Errors
    /// As [`Cases::list`]; [`wire::Reason::NotFound`] for one that is decided or gone; [`ConsoleError::Store`].
    pub(crate) async fn read(
        &self,
        person: &Person,
        request: &proto::ReadCaseRequest,
    ) -> Result<proto::ReadCaseResponse, ConsoleError> {
        let office = self.0.offices().for_appeals(&request.source)?;
        let name = AppealId(bytes_exact("appeal", &request.appeal)?);
        let words = office.source.to_string();
        self.0
            .note(person, What::ReadAppeal, About::Appeal(name.0), &words)?;
        let appeal = self.0.appeals().ask(office, name, self.0.now()).await?;
        Ok(proto::ReadCaseResponse {
            content: Some(content(&appeal)),
        })
    }
}

/// What is contested, and why; the person is not named.
pub(crate) fn content(appeal: &ShownAppeal) -> proto::CaseContent {
    proto::CaseContent {
        stated_by: appeal.source.clone(),
        statement: appeal.statement.clone(),
        opened_at_minute: appeal.opened_at.get(),
        decide_by_minute: appeal.decide_by.get(),
        ..case_content(&appeal.event)
    }
}

#[cfg(test)]
#[path = "cases_tests.rs"]
pub(crate) mod tests;
