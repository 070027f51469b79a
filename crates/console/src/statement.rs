//! What can be stated by hand: a form of the page as the body of an event, and an event as the page shows it.

use std::fmt;

use rules::{
    CaseKind, ContactDegree, Event, EventBody, EventError, EventId, EventKind, ExposureList,
    IdentityNumber, Minute, Policy, ProvinceCode, SourceGrant, SourceId, SourceKind, TestResult,
    intake, may_sign,
};
use wire::console::v1 as proto;
use wire::{Reason, WireError, bytes_exact};

use crate::ConsoleError;

/// Lists of people exposed, as rules and page name them.
const EXPOSURES: [(ExposureList, proto::ExposureKind); 7] = [
    (
        ExposureList::ColdChainOnce,
        proto::ExposureKind::ColdChainOnce,
    ),
    (
        ExposureList::ColdChainFrequent,
        proto::ExposureKind::ColdChainFrequent,
    ),
    (ExposureList::FeverClinic, proto::ExposureKind::FeverClinic),
    (
        ExposureList::PossibleLink,
        proto::ExposureKind::PossibleLink,
    ),
    (ExposureList::AssistList, proto::ExposureKind::AssistList),
    (
        ExposureList::PotentialRisk,
        proto::ExposureKind::PotentialRisk,
    ),
    (ExposureList::PooledTube, proto::ExposureKind::PooledTube),
];
const CASES: [(CaseKind, proto::CaseGrade); 3] = [
    (CaseKind::Confirmed, proto::CaseGrade::Confirmed),
    (CaseKind::Asymptomatic, proto::CaseGrade::Asymptomatic),
    (CaseKind::Suspected, proto::CaseGrade::Suspected),
];
const CONTACTS: [(ContactDegree, proto::ContactGrade); 2] = [
    (ContactDegree::Close, proto::ContactGrade::Close),
    (ContactDegree::Secondary, proto::ContactGrade::Secondary),
];

/// What somebody would state: an event without its name and the moment of its issue.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) source: SourceId,
    pub(crate) subject: IdentityNumber,
    /// Where the person lives; none for the source's own province.
    pub(crate) home: Option<ProvinceCode>,
    pub(crate) body: EventBody,
    /// Of a release: whether its target was typed.
    pub(crate) is_target_by_hand: bool,
}

/// Prints nothing of the person.
impl fmt::Debug for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stated(..)")
    }
}

impl Stated {
    /// Reads a form. Nothing may stand in fields that do not belong to what is stated, so that what is agreed on is all that
    /// was written.
    ///
    /// # Errors
    /// [`WireError`] for the first field that is missing or not of its form.
    pub(crate) fn read(message: &proto::Statement, source: SourceId) -> Result<Self, WireError> {
        let stated = Self {
            source,
            subject: (message.identity_number.parse()).map_err(|_| WireError::IdentityNumber)?,
            home: home(message.home_province, source.province)?,
            body: body(message)?,
            is_target_by_hand: message.is_target_by_hand
                && message.kind() == proto::StatementKind::Release,
        };
        let mut written = message.clone();
        let told = stated.to_message();
        // Spellings that are admitted: a small x, and the own province by its number or by none.
        written.identity_number.clone_from(&told.identity_number);
        written.home_province = told.home_province;
        written.source.clone_from(&told.source);
        if written == told {
            Ok(stated)
        } else {
            Err(WireError::Malformed { field: "statement" })
        }
    }

    /// The event, under a name and issued at a moment.
    pub(crate) const fn event(&self, id: EventId, issued_at: Minute) -> Event {
        Event {
            id,
            subject: self.subject,
            source: self.source,
            issued_at,
            body: self.body,
        }
    }

    /// What an event states.
    pub(crate) const fn of(
        event: &Event,
        home: Option<ProvinceCode>,
        is_target_by_hand: bool,
    ) -> Self {
        Self {
            source: event.source,
            subject: event.subject,
            home,
            body: event.body,
            is_target_by_hand,
        }
    }

    /// Whether the source may state this now, by the rules that every node holds events to.
    ///
    /// # Errors
    /// [`ConsoleError`] with the reason.
    pub(crate) fn check(&self, now: Minute) -> Result<(), ConsoleError> {
        let grant = SourceGrant {
            source: self.source,
            since: Minute::ZERO,
            until: Minute::MAX,
        };
        let event = self.event(EventId([0; 16]), now);
        intake::check(&event, &grant, now, &Policy::default()).map_err(refused)
    }

    /// Whether a release may end the event that it names, as far as that event tells.
    ///
    /// # Errors
    /// [`ConsoleError`] with the reason; [`Reason::NotFound`] for an event about somebody else.
    pub(crate) fn check_target(&self, target: &Event, now: Minute) -> Result<(), ConsoleError> {
        let event = self.event(EventId([0; 16]), now);
        intake::check_known(&event, &[*target]).map_err(refused)
    }

    /// The event that it ends, if it is a release.
    pub(crate) const fn target(&self) -> Option<EventId> {
        match self.body {
            EventBody::Release { target, .. } => Some(target),
            _ => None,
        }
    }

    /// The form that it was read from.
    pub(crate) fn to_message(&self) -> proto::Statement {
        let facts = Facts::of(&self.body);
        let number = String::from_utf8_lossy(self.subject.expose()).into_owned();
        proto::Statement {
            source: self.source.to_string(),
            identity_number: number,
            home_province: self.home.map_or(0, |home| home.get().into()),
            kind: facts.kind.into(),
            at_minute: facts.at.get(),
            where_province: facts.place.map_or(0, |place| place.get().into()),
            is_positive: facts.is_positive,
            contact: facts.contact.into(),
            case: facts.case.into(),
            exposure: facts.exposure.into(),
            target_event: facts.target.map_or_else(Vec::new, |id| id.0.to_vec()),
            is_target_by_hand: self.is_target_by_hand,
        }
    }
}

/// Why an event would not be taken, as the console says it.
fn refused(error: EventError) -> ConsoleError {
    match error {
        EventError::NotEntitled | EventError::NotEntitledToEnd => Reason::NotEntitled.into(),
        EventError::AfterIssue | EventError::FutureDated => Reason::InFuture.into(),
        EventError::TooLate => Reason::TooLate.into(),
        EventError::UnknownTarget => Reason::NotFound.into(),
        EventError::NoMoment => WireError::Missing { field: "at_minute" }.into(),
        EventError::WrongProvince => WireError::Malformed {
            field: "where_province",
        }
        .into(),
        _ => Reason::EventRefused.into(),
    }
}

/// What a source of a kind may state by hand.
pub(crate) fn kinds_of(source: SourceKind) -> Vec<proto::StatementKind> {
    use proto::StatementKind as Kind;
    let by_event = [
        (Kind::Test, EventKind::Test),
        (Kind::Contact, EventKind::Contact),
        (Kind::Case, EventKind::Case),
        (Kind::Entry, EventKind::Entry),
        (Kind::Release, EventKind::Release),
    ];
    let mut kinds: Vec<Kind> = by_event
        .into_iter()
        .filter_map(|(kind, event)| may_sign(source, event).then_some(kind))
        .collect();
    if !exposures_of(source).is_empty() {
        kinds.push(Kind::Exposure);
    }
    kinds.sort_unstable_by_key(|kind| *kind as i32);
    kinds
}

/// The lists of people exposed that a source of a kind may put somebody on.
pub(crate) fn exposures_of(source: SourceKind) -> Vec<proto::ExposureKind> {
    let may_list = |list| {
        let body = EventBody::Exposure {
            list,
            at: Minute::ZERO,
            province: ProvinceCode::NATION,
        };
        may_sign(source, body.kind())
    };
    let admitted = EXPOSURES.into_iter();
    admitted
        .filter_map(|(list, kind)| may_list(list).then_some(kind))
        .collect()
}

/// The kind's name in the rules.
pub(crate) const fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::CheckIn => "check-in",
        EventKind::Test => "test",
        EventKind::Stay => "stay",
        EventKind::Contact => "contact",
        EventKind::Case => "case",
        EventKind::Entry => "entry",
        EventKind::ColdChain => "cold-chain",
        EventKind::FeverClinic => "fever-clinic",
        EventKind::List => "list",
        EventKind::PooledTube => "pooled-tube",
        EventKind::Release => "release",
        EventKind::Ruling => "ruling",
    }
}

/// What a contested event states, without whom it is about.
pub(crate) fn case_content(event: &Event) -> proto::CaseContent {
    let facts = Facts::of(&event.body);
    proto::CaseContent {
        kind: facts.kind.into(),
        at_minute: facts.at.get(),
        where_province: facts.place.map_or(0, |place| place.get().into()),
        is_positive: facts.is_positive,
        contact: facts.contact.into(),
        case: facts.case.into(),
        exposure: facts.exposure.into(),
        kind_name: kind_name(event.body.kind()).to_owned(),
        stated_at_minute: event.issued_at.get(),
        event_id: event.id.0.to_vec(),
        ..Default::default()
    }
}

/// The code of a kind of statement, for what is stored of one.
pub(crate) fn kind_code(body: &EventBody) -> i32 {
    Facts::of(body).kind.into()
}

/// A body by the fields of the page.
struct Facts {
    kind: proto::StatementKind,
    at: Minute,
    place: Option<ProvinceCode>,
    is_positive: bool,
    contact: proto::ContactGrade,
    case: proto::CaseGrade,
    exposure: proto::ExposureKind,
    target: Option<EventId>,
}

impl Facts {
    fn of(body: &EventBody) -> Self {
        use proto::StatementKind as Kind;
        let none = Self {
            kind: Kind::Unspecified,
            at: body.begin(),
            place: None,
            is_positive: false,
            contact: proto::ContactGrade::Unspecified,
            case: proto::CaseGrade::Unspecified,
            exposure: proto::ExposureKind::Unspecified,
            target: None,
        };
        match *body {
            EventBody::Test { result, .. } => Self {
                kind: Kind::Test,
                is_positive: result == TestResult::Positive,
                ..none
            },
            EventBody::Contact {
                degree, province, ..
            } => Self {
                kind: Kind::Contact,
                place: Some(province),
                contact: right_of(&CONTACTS, degree),
                ..none
            },
            EventBody::Case { kind, province, .. } => Self {
                kind: Kind::Case,
                place: Some(province),
                case: right_of(&CASES, kind),
                ..none
            },
            EventBody::Entry { port, .. } => Self {
                kind: Kind::Entry,
                place: Some(port),
                ..none
            },
            EventBody::Exposure { list, province, .. } => Self {
                kind: Kind::Exposure,
                place: Some(province),
                exposure: right_of(&EXPOSURES, list),
                ..none
            },
            EventBody::Release { target, .. } => Self {
                kind: Kind::Release,
                target: Some(target),
                ..none
            },
            EventBody::Stay { place, .. } => Self {
                place: place.province().ok(),
                ..none
            },
            EventBody::CheckIn { .. } | EventBody::Ruling { .. } => none,
        }
    }
}

fn right_of<A: Copy + PartialEq, B: Copy + Default>(table: &[(A, B)], left: A) -> B {
    let row = table.iter().find(|(of, _)| *of == left);
    row.map(|(_, right)| *right).unwrap_or_default()
}

fn left_of<A: Copy, B: Copy + PartialEq>(
    table: &[(A, B)],
    right: B,
    field: &'static str,
) -> Result<A, WireError> {
    let row = table.iter().find(|(_, of)| *of == right);
    row.map(|(left, _)| *left)
        .ok_or(WireError::Missing { field })
}

fn body(message: &proto::Statement) -> Result<EventBody, WireError> {
    use proto::StatementKind as Kind;
    let at =
        Minute::new(message.at_minute).map_err(|_| WireError::Malformed { field: "at_minute" })?;
    let province = || province("where_province", message.where_province);
    Ok(match message.kind() {
        Kind::Unspecified => return Err(WireError::Missing { field: "kind" }),
        Kind::Test => EventBody::Test {
            sampled_at: at,
            result: if message.is_positive {
                TestResult::Positive
            } else {
                TestResult::Negative
            },
        },
        Kind::Contact => EventBody::Contact {
            degree: left_of(&CONTACTS, message.contact(), "contact")?,
            last_contact_at: at,
            province: province()?,
        },
        Kind::Case => EventBody::Case {
            kind: left_of(&CASES, message.case(), "case")?,
            at,
            province: province()?,
        },
        Kind::Entry => EventBody::Entry {
            port: province()?,
            arrived_at: at,
        },
        Kind::Exposure => EventBody::Exposure {
            list: left_of(&EXPOSURES, message.exposure(), "exposure")?,
            at,
            province: province()?,
        },
        Kind::Release => EventBody::Release {
            target: EventId(bytes_exact("target_event", &message.target_event)?),
            at,
        },
    })
}

/// A province that has to be given, and is not the nation.
fn province(field: &'static str, code: u32) -> Result<ProvinceCode, WireError> {
    if code == 0 {
        return Err(WireError::Missing { field });
    }
    let code = u8::try_from(code).ok();
    code.and_then(|code| ProvinceCode::new(code).ok())
        .ok_or(WireError::Malformed { field })
}

fn home(code: u32, own: ProvinceCode) -> Result<Option<ProvinceCode>, WireError> {
    if code == 0 {
        return Ok(None);
    }
    let home = province("home_province", code)?;
    Ok((home != own).then_some(home))
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
