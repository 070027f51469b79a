//! What an event must satisfy before it is stored: by itself, beside what is known of its subject, and within the capacities.

use crate::fold::{Context, FoldError, check_room};
use crate::source::{may_end, may_sign};
use crate::{
    Event, EventBody, EventId, EventKind, IdentityError, Minute, ProvinceCode, SourceId, SourceKind,
};

/// Why an event is refused. Whoever sent it is at fault, except for [`EventError::OverCapacity`].
///
/// [`EventError::code`] is stable; the message is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Bytes that are no canonical event of the version they name.
    #[error("not an event: {0}")]
    Malformed(&'static str),
    /// Bytes of a version that this program does not read.
    #[error("events of version {0} are not read here")]
    UnknownVersion(u8),
    /// An invalid identity number.
    #[error("subject: {0}")]
    BadSubject(#[from] IdentityError),
    /// The grant is for another source.
    #[error("the grant is not this source's")]
    UnknownSource,
    /// The source's grant is not in force at the moment of issue.
    #[error("the source's grant is not in force at the moment of issue")]
    GrantNotInForce,
    /// The kind of source may not sign this kind of event.
    #[error("a source of this kind may not sign such an event")]
    NotEntitled,
    /// The kind of source may not end the target.
    #[error("a source of this kind may not end such an event")]
    NotEntitledToEnd,
    /// The body names a province that the source does not answer for.
    #[error("the source does not answer for that province")]
    WrongProvince,
    /// A place whose leading digits name no province.
    #[error("the place lies in no province")]
    BadPlace,
    /// A moment or day of zero.
    #[error("a moment of zero")]
    NoMoment,
    /// A stay that ends before it begins.
    #[error("it ends before it begins")]
    EndsBeforeBegin,
    /// The body speaks of a moment after the event was issued.
    #[error("it speaks of a moment after it was issued")]
    AfterIssue,
    /// Issued after now, beyond the tolerance for clocks.
    #[error("issued in the future")]
    FutureDated,
    /// What it speaks of is longer ago than the policy admits.
    #[error("too late: longer ago than the policy admits")]
    TooLate,
    /// The same event is known already; nothing is lost by dropping it.
    #[error("known already")]
    Duplicate,
    /// Another event has this name.
    #[error("another event has this id")]
    IdReused,
    /// The target of a release or ruling is not known for this subject.
    #[error("no such event of this subject")]
    UnknownTarget,
    /// The target cannot be ended: nothing in it goes on, or it ended already.
    #[error("the target does not go on")]
    NotOpen,
    /// The target cannot be voided: it is a ruling, or it was voided already.
    #[error("the target cannot be voided")]
    NotVoidable,
    /// A release or ruling dated before what it ends or voids.
    #[error("dated before its target")]
    BeforeTarget,
    /// The record would hold more than it can.
    #[error("over capacity: {0}")]
    OverCapacity(FoldError),
}

impl EventError {
    /// The stable reason code; README lists them.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownVersion(_) => "unknown-version",
            Self::BadSubject(_) => "bad-subject",
            Self::UnknownSource => "unknown-source",
            Self::GrantNotInForce => "grant-not-in-force",
            Self::NotEntitled => "not-entitled",
            Self::NotEntitledToEnd => "not-entitled-to-end",
            Self::WrongProvince => "wrong-province",
            Self::BadPlace => "bad-place",
            Self::NoMoment => "no-moment",
            Self::EndsBeforeBegin => "ends-before-begin",
            Self::AfterIssue => "after-issue",
            Self::FutureDated => "future-dated",
            Self::TooLate => "too-late",
            Self::Duplicate => "duplicate",
            Self::IdReused => "id-reused",
            Self::UnknownTarget => "unknown-target",
            Self::NotOpen => "not-open",
            Self::NotVoidable => "not-voidable",
            Self::BeforeTarget => "before-target",
            Self::OverCapacity(_) => "over-capacity",
        }
    }
}

/// That a source exists and is entitled by its kind, as the federation publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceGrant {
    /// The source.
    pub source: SourceId,
    /// First minute in force.
    pub since: Minute,
    /// First minute no longer in force; [`Minute::MAX`] while it is open.
    pub until: Minute,
}

/// Limits of lateness and of clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long ago, in hours, the latest moment that an event speaks of may lie. Default 720 (30 days).
    pub max_age_hours: u32,
    /// How many days after its own day a check-in may still come. Default 1; more would let fourteen days be made up at once.
    pub check_in_grace_days: u16,
    /// How far, in minutes, a source's clock may run ahead of ours. Default 5.
    pub clock_tolerance_min: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_age_hours: 720,
            check_in_grace_days: 1,
            clock_tolerance_min: 5,
        }
    }
}

/// Checks an event by itself: source and grant, entitlement, province, moments.
///
/// # Errors
/// The first [`EventError`] in the order of the README's table.
pub fn check(
    event: &Event,
    grant: &SourceGrant,
    now: Minute,
    policy: &Policy,
) -> Result<(), EventError> {
    check_source(event, grant)?;
    check_province(event)?;
    check_moments(event, now, policy)
}

/// Checks an event beside the known events of the same subject: names, and the target of a release or ruling.
///
/// `known` are all stored events of the subject, those that no longer count among them.
///
/// # Errors
/// [`EventError::Duplicate`] to [`EventError::BeforeTarget`] and [`EventError::NotEntitledToEnd`].
pub fn check_known(event: &Event, known: &[Event]) -> Result<(), EventError> {
    if let Some(other) = known.iter().find(|k| k.id == event.id) {
        return Err(if other == event {
            EventError::Duplicate
        } else {
            EventError::IdReused
        });
    }
    let find = |target: EventId| {
        known
            .iter()
            .find(|k| k.id == target && k.subject == event.subject)
            .ok_or(EventError::UnknownTarget)
    };
    match event.body {
        EventBody::Release { target, at } => check_release(event, find(target)?, at, known),
        EventBody::Ruling { target, at } => check_ruling(find(target)?, at, known),
        _ => Ok(()),
    }
}

/// All checks, and whether the subject's record has room for the event.
///
/// # Errors
/// As [`check`] and [`check_known`]; [`EventError::OverCapacity`] where the record or one proof about it could not hold
/// the event, so that it is refused to its source and the record stays as it was.
pub fn admit(
    event: &Event,
    grant: &SourceGrant,
    known: &[Event],
    context: &Context<'_>,
    now: Minute,
    policy: &Policy,
) -> Result<(), EventError> {
    check(event, grant, now, policy)?;
    check_known(event, known)?;
    // A source's clock may run ahead within the tolerance: the event counts from its issue.
    let at = now.max(event.issued_at);
    check_room(event, known, context, at).map_err(EventError::OverCapacity)
}

fn check_source(event: &Event, grant: &SourceGrant) -> Result<(), EventError> {
    if grant.source != event.source {
        return Err(EventError::UnknownSource);
    }
    if event.issued_at < grant.since || event.issued_at >= grant.until {
        return Err(EventError::GrantNotInForce);
    }
    if !may_sign(event.source.kind, event.body.kind()) {
        return Err(EventError::NotEntitled);
    }
    Ok(())
}

/// A source speaks of its own province, or of none; a stay by an operator or by the resident may be anywhere.
fn check_province(event: &Event) -> Result<(), EventError> {
    let own = event.source.province;
    let fits = match event.body {
        EventBody::Contact { province, .. }
        | EventBody::Case { province, .. }
        | EventBody::Exposure { province, .. } => {
            province == own || province == ProvinceCode::NATION
        }
        EventBody::Entry { port, .. } => port == own,
        EventBody::Stay { place, .. } => {
            let province = place.province().map_err(|_| EventError::BadPlace)?;
            if province == ProvinceCode::NATION {
                return Err(EventError::BadPlace);
            }
            event.source.kind != SourceKind::CommunityOffice || province == own
        }
        _ => true,
    };
    if fits && own != ProvinceCode::NATION {
        Ok(())
    } else {
        Err(EventError::WrongProvince)
    }
}

fn check_moments(event: &Event, now: Minute, policy: &Policy) -> Result<(), EventError> {
    let (begin, latest) = (event.body.begin(), event.body.latest());
    if begin == Minute::ZERO {
        return Err(EventError::NoMoment);
    }
    if latest < begin {
        return Err(EventError::EndsBeforeBegin);
    }
    if latest > event.issued_at {
        return Err(EventError::AfterIssue);
    }
    if i64::from(event.issued_at.get())
        > i64::from(now.get()) + i64::from(policy.clock_tolerance_min)
    {
        return Err(EventError::FutureDated);
    }
    let late = match event.body {
        EventBody::CheckIn { day, .. } => {
            now.day().get() > day.get().saturating_add(policy.check_in_grace_days)
        }
        EventBody::Stay { end: None, .. } => is_older(event.issued_at, now, policy),
        _ => is_older(latest, now, policy),
    };
    if late {
        return Err(EventError::TooLate);
    }
    Ok(())
}

fn is_older(moment: Minute, now: Minute, policy: &Policy) -> bool {
    i64::from(moment.get()) + 60 * i64::from(policy.max_age_hours) < i64::from(now.get())
}

fn is_voided(id: EventId, known: &[Event]) -> bool {
    known
        .iter()
        .any(|k| matches!(k.body, EventBody::Ruling { target, .. } if target == id))
}

fn check_release(
    release: &Event,
    target: &Event,
    at: Minute,
    known: &[Event],
) -> Result<(), EventError> {
    if !may_end(release.source.kind, target.body.kind(), target.source.kind) {
        return Err(EventError::NotEntitledToEnd);
    }
    let goes_on = match target.body {
        EventBody::Stay { end, .. } => end.is_none(),
        EventBody::CheckIn { symptoms, .. } => symptoms,
        EventBody::Test { result, .. } => result == crate::TestResult::Positive,
        _ => true,
    };
    let ended = known.iter().any(|k| {
        matches!(k.body, EventBody::Release { target: t, .. } if t == target.id)
            && !is_voided(k.id, known)
    });
    if !goes_on || ended || is_voided(target.id, known) {
        return Err(EventError::NotOpen);
    }
    if at < target.body.begin() {
        return Err(EventError::BeforeTarget);
    }
    Ok(())
}

fn check_ruling(target: &Event, at: Minute, known: &[Event]) -> Result<(), EventError> {
    if target.body.kind() == EventKind::Ruling || is_voided(target.id, known) {
        return Err(EventError::NotVoidable);
    }
    if at < target.body.begin() {
        return Err(EventError::BeforeTarget);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
