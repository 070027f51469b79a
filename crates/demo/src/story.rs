//! What happens to whom in the last fourteen days of August 2022: a role for each resident, and the events that make it.
//!
//! A role says beforehand which colour its bearer has at the close under each rule set; the run checks that the nodes
//! say the same, and a test here that the rules do.

use anyhow::{Context as _, Result, ensure};
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use risk_list::{FactTable, MapOptions, Place};
use rules::{
    AreaCode, CaseKind, Colour, ContactDegree, Day, Event, EventBody, EventId, ExposureList, Grade,
    Minute, ProvinceCode, SourceId, SourceKind, TestResult,
};

use crate::people::{Person, province};

/// Days of the story: 2022-08-18 to 2022-08-31.
pub const DAYS: usize = 14;
/// The hour at which each day's events are handed in, and at which the epoch closes on the last day.
const EVENING_HOUR: u32 = 22;
/// Residents of each role but the ordinary one: two of each province.
pub const PER_ROLE: usize = 6;
/// Fewest residents: all roles, and some ordinary ones.
pub const LEAST_RESIDENTS: usize = 120;
/// The province with many listed places that people travel to, and in which the gate stands.
pub const DESTINATION: u8 = 36;

/// Kinds of sources in each province.
pub const SOURCE_KINDS: [SourceKind; 7] = [
    SourceKind::Laboratory,
    SourceKind::Cdc,
    SourceKind::BorderPost,
    SourceKind::Telecom,
    SourceKind::CommunityOffice,
    SourceKind::Hospital,
    SourceKind::AppealsOffice,
];

/// What happens to a resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Nothing: checks in, is tested every other day.
    Ordinary,
    /// As ordinary, but the newest negative is more than 48 hours old.
    TestTooOld,
    /// Is in a listed medium-risk place.
    InMedium,
    /// Was at a fever clinic yesterday, with one negative so far.
    FeverClinic,
    /// Is in a positive pooled tube of this afternoon.
    PooledTube,
    /// Contact of a close contact, three days ago.
    SecondaryContact,
    /// Entered from abroad through Zhejiang nine days ago.
    Arrival,
    /// Close contact of a case, four days ago.
    CloseContact,
    /// Is in a listed high-risk place.
    InHigh,
    /// Confirmed case, in hospital.
    Case,
    /// Was on the assist list, and tested negative twice since.
    Cleared,
    /// Was suspected, and excluded by the hospital.
    Excluded,
    /// Was called a close contact by mistake; an appeal was granted.
    Appealed,
    /// Left a medium-risk place eleven days ago, and tested negative since.
    Returned,
}

impl Role {
    /// The role in plain words, as what befell a person.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Ordinary => "someone to whom nothing happened",
            Self::TestTooOld => "someone whose last test is more than 48 hours old",
            Self::InMedium => "someone in a listed medium-risk place",
            Self::FeverClinic => "someone who was at a fever clinic yesterday",
            Self::PooledTube => "someone of a positive pooled tube",
            Self::SecondaryContact => "a contact of a close contact, three days ago",
            Self::Arrival => "someone who entered from abroad nine days ago",
            Self::CloseContact => "a close contact of a case, four days ago",
            Self::InHigh => "someone in a listed high-risk place",
            Self::Case => "a confirmed case in hospital",
            Self::Cleared => "someone once on the assist list, cleared by two tests",
            Self::Excluded => "someone once suspected, and excluded",
            Self::Appealed => "someone called a contact by mistake, whose appeal was granted",
            Self::Returned => "someone who left a medium-risk place eleven days ago",
        }
    }

    /// All roles but the ordinary one.
    pub const SPECIAL: [Role; 13] = [
        Self::TestTooOld,
        Self::InMedium,
        Self::FeverClinic,
        Self::PooledTube,
        Self::SecondaryContact,
        Self::Arrival,
        Self::CloseContact,
        Self::InHigh,
        Self::Case,
        Self::Cleared,
        Self::Excluded,
        Self::Appealed,
        Self::Returned,
    ];

    /// The role of the resident with this number.
    pub fn of(index: usize) -> Self {
        *Self::SPECIAL
            .get(index / PER_ROLE)
            .unwrap_or(&Self::Ordinary)
    }

    /// The colour at the close under the nation's set, `hz-2020-02` and `fj-2022-08`.
    pub const fn colours(self) -> [Colour; 3] {
        use Colour::{Green, Red, Yellow};
        match self {
            Self::Ordinary
            | Self::TestTooOld
            | Self::Cleared
            | Self::Excluded
            | Self::Appealed
            | Self::Returned => [Green, Green, Green],
            Self::InMedium => [Yellow, Yellow, Yellow],
            Self::FeverClinic | Self::PooledTube | Self::Arrival => [Yellow, Green, Yellow],
            Self::SecondaryContact => [Yellow, Yellow, Red],
            Self::CloseContact | Self::InHigh | Self::Case => [Red, Red, Red],
        }
    }
}

/// How an event reaches the home node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// The resident's own phone.
    Phone,
    /// A source, with its signature.
    Source(SourceId),
}

/// An event to come.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Day of the story, from 0, on whose evening it is handed in.
    pub day: usize,
    /// The resident's number.
    pub resident: usize,
    /// By whom.
    pub route: Route,
    /// What.
    pub event: Event,
}

/// Really listed places of the story.
#[derive(Clone, Debug)]
pub struct Places {
    /// Medium risk, listed since before the 27th and at the close.
    pub medium: Vec<AreaCode>,
    /// High risk, listed since before the 27th and at the close.
    pub high: Vec<AreaCode>,
    /// Medium risk on the 19th and 20th, released before the close.
    pub medium_then: Vec<AreaCode>,
}

impl Places {
    /// Finds them in the published lists.
    ///
    /// # Errors
    /// If the lists have none, or make no map.
    pub fn find(facts: &FactTable) -> Result<Self> {
        let options = MapOptions {
            known_at: Some(close()),
            horizon: evening(0),
        };
        let map = facts.risk_map(options)?.map;
        let (arrival, stay) = (minute(9, 0), [minute(1, 0), minute(2, EVENING_HOUR)]);
        let mut places = Self {
            medium: Vec::new(),
            high: Vec::new(),
            medium_then: Vec::new(),
        };
        for fact in facts.facts() {
            let Place::Site(site) = fact.place else {
                continue;
            };
            let [period] = map.interval_of(site).periods[..] else {
                continue;
            };
            let at_destination = site.province().is_ok_and(|p| p.get() == DESTINATION);
            let open = at_destination && period.since <= arrival && period.until > close();
            let then = period.since <= stay[0] && stay[1] < period.until && period.until < close();
            match period.grade {
                Grade::Medium if open => places.medium.push(site),
                Grade::High if open => places.high.push(site),
                Grade::Medium if then => places.medium_then.push(site),
                _ => {}
            }
        }
        for (what, found) in [
            ("medium-risk", &mut places.medium),
            ("high-risk", &mut places.high),
            ("released", &mut places.medium_then),
        ] {
            found.dedup();
            ensure!(!found.is_empty(), "the lists have no {what} place to use");
        }
        Ok(places)
    }
}

/// A minute of a day of the story, at an hour.
fn minute(day: usize, hour: u32) -> Minute {
    let first = u16::try_from(day).unwrap_or(0) + start_day().get();
    Day::new(first)
        .first_minute()
        .saturating_add_signed(i64::from(hour) * 60)
}

fn start_day() -> Day {
    "2022-08-18".parse().expect("a date")
}

/// When the nodes' clocks start: the morning of the first day.
pub fn start() -> Minute {
    minute(0, 6)
}

/// When a day's events are handed in.
pub fn evening(day: usize) -> Minute {
    minute(day, EVENING_HOUR)
}

/// When the epoch closes.
pub fn close() -> Minute {
    evening(DAYS - 1)
}

/// The only source of a kind in a province.
pub fn source(province: ProvinceCode, kind: SourceKind) -> SourceId {
    SourceId {
        province,
        kind,
        number: u32::from(kind != SourceKind::Resident), // residents share the number 0
    }
}

struct Writer<'a> {
    rng: &'a mut ChaCha20Rng,
    planned: Vec<Planned>,
}

impl Writer<'_> {
    /// Plans an event of a source of this kind in the resident's home, and names it.
    fn plan(
        &mut self,
        (resident, person): (usize, &Person),
        day: usize,
        kind: SourceKind,
        body: EventBody,
    ) -> EventId {
        self.plan_by((resident, person), day, source(person.home, kind), body)
    }

    fn plan_by(
        &mut self,
        (resident, person): (usize, &Person),
        day: usize,
        source: SourceId,
        body: EventBody,
    ) -> EventId {
        let id = EventId(self.rng.random());
        let route = if source.kind == SourceKind::Resident {
            Route::Phone
        } else {
            Route::Source(source)
        };
        let issued_at = evening(day);
        self.planned.push(Planned {
            day,
            resident,
            route,
            event: Event {
                id,
                subject: person.number,
                source,
                issued_at,
                body,
            },
        });
        id
    }

    /// A negative test in the working hours of a day.
    fn negative(&mut self, who: (usize, &Person), day: usize) {
        let after_min = i64::from(self.rng.random_range(0..600_u32));
        let sampled_at = minute(day, 7).saturating_add_signed(after_min);
        let body = EventBody::Test {
            sampled_at,
            result: TestResult::Negative,
        };
        self.plan(who, day, SourceKind::Laboratory, body);
    }
}

/// Plans all events, in the order of the days.
///
/// # Errors
/// For fewer than [`LEAST_RESIDENTS`].
pub fn write(people: &[Person], places: &Places, rng: &mut ChaCha20Rng) -> Result<Vec<Planned>> {
    ensure!(
        people.len() >= LEAST_RESIDENTS,
        "at least {LEAST_RESIDENTS} residents"
    );
    let mut writer = Writer {
        rng,
        planned: Vec::new(),
    };
    for (index, person) in people.iter().enumerate() {
        let role = Role::of(index);
        daily(&mut writer, (index, person), role);
        happen(&mut writer, (index, person), role, places)?;
    }
    let mut planned = writer.planned;
    planned.sort_by_key(|p| p.day);
    Ok(planned)
}

/// Check-ins every day, tests every other day, a trip now and then.
fn daily(writer: &mut Writer<'_>, who: (usize, &Person), role: Role) {
    let (index, person) = who;
    for day in 0..DAYS {
        let body = EventBody::CheckIn {
            day: evening(day).day(),
            symptoms: false,
        };
        let by = if person.has_phone {
            SourceKind::Resident
        } else {
            SourceKind::CommunityOffice
        };
        writer.plan(who, day, by, body);
    }
    let last_test = match role {
        Role::TestTooOld | Role::FeverClinic => 11,
        _ => 13,
    };
    for day in (1..=last_test).step_by(2) {
        writer.negative(who, day);
    }
    if role == Role::Ordinary && index % 3 == 0 {
        let by = if person.has_phone {
            SourceKind::Resident
        } else {
            SourceKind::Telecom
        };
        let stay = EventBody::Stay {
            place: person.elsewhere,
            begin: minute(3, 10),
            end: Some(minute(5, 18)),
        };
        writer.plan(who, 5, by, stay);
    }
}

/// What makes the role.
fn happen(
    writer: &mut Writer<'_>,
    who: (usize, &Person),
    role: Role,
    places: &Places,
) -> Result<()> {
    let (index, person) = who;
    let home = person.home;
    let nth = |list: &[AreaCode]| {
        let place = list.get(index % list.len().max(1)).copied();
        place.context("a listed place")
    };
    let stay = |place, begin, end| EventBody::Stay { place, begin, end };
    let listed = |list, at| EventBody::Exposure {
        list,
        at,
        province: home,
    };
    let contact = |degree, last_contact_at| EventBody::Contact {
        degree,
        last_contact_at,
        province: home,
    };
    let case = |kind, at| EventBody::Case {
        kind,
        at,
        province: home,
    };
    match role {
        Role::Ordinary | Role::TestTooOld => {}
        Role::InMedium => {
            let body = stay(nth(&places.medium)?, minute(10, 9), None);
            writer.plan(who, 10, SourceKind::Telecom, body);
        }
        Role::InHigh => {
            let body = stay(nth(&places.high)?, minute(10, 9), None);
            writer.plan(who, 10, SourceKind::Telecom, body);
        }
        Role::Returned => {
            let body = stay(nth(&places.medium_then)?, minute(1, 9), Some(minute(2, 18)));
            writer.plan(who, 2, SourceKind::Telecom, body);
        }
        Role::FeverClinic => {
            let body = listed(ExposureList::FeverClinic, minute(12, 9));
            writer.plan(who, 12, SourceKind::Hospital, body);
            let own = EventBody::Test {
                sampled_at: minute(12, 8),
                result: TestResult::Negative,
            };
            writer.plan(who, 12, SourceKind::Hospital, own);
        }
        Role::PooledTube => {
            let body = listed(ExposureList::PooledTube, minute(13, 15));
            writer.plan(who, 13, SourceKind::Laboratory, body);
        }
        Role::SecondaryContact => {
            let body = contact(ContactDegree::Secondary, minute(10, 12));
            writer.plan(who, 11, SourceKind::Cdc, body);
        }
        Role::CloseContact => {
            let body = contact(ContactDegree::Close, minute(9, 12));
            writer.plan(who, 10, SourceKind::Cdc, body);
        }
        Role::Arrival => {
            let port = province(33);
            let arrived_at = minute(4, 11);
            let body = EventBody::Entry { port, arrived_at };
            writer.plan_by(who, 4, source(port, SourceKind::BorderPost), body);
        }
        Role::Case => {
            let body = case(CaseKind::Confirmed, minute(11, 16));
            writer.plan(who, 11, SourceKind::Hospital, body);
        }
        Role::Cleared => {
            let body = listed(ExposureList::AssistList, minute(6, 10));
            writer.plan(who, 6, SourceKind::Cdc, body);
        }
        Role::Excluded => {
            let body = case(CaseKind::Suspected, minute(7, 10));
            let target = writer.plan(who, 7, SourceKind::Hospital, body);
            let at = minute(9, 10);
            let release = EventBody::Release { target, at };
            writer.plan(who, 9, SourceKind::Hospital, release);
        }
        Role::Appealed => {
            let body = contact(ContactDegree::Close, minute(5, 10));
            let target = writer.plan(who, 5, SourceKind::Cdc, body);
            let at = minute(8, 10);
            let ruling = EventBody::Ruling { target, at };
            writer.plan(who, 8, SourceKind::AppealsOffice, ruling);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::people::generate;
    use crate::rule_sets;
    use rand::SeedableRng;
    use rules::intake::{Policy, admit};
    use rules::{Context, RiskMap, RowTable, SourceGrant, evaluate, fold};

    fn map_at(facts: &FactTable, at: Minute) -> RiskMap {
        let options = MapOptions {
            known_at: Some(at),
            horizon: Minute::ZERO,
        };
        facts.risk_map(options).unwrap().map
    }

    #[test]
    fn every_event_is_admitted_and_every_role_has_its_colours() {
        let facts = FactTable::august_2022().unwrap();
        let places = Places::find(&facts).unwrap();
        for seed in [1, 2] {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let people = generate(LEAST_RESIDENTS, &mut rng).unwrap();
            let planned = write(&people, &places, &mut rng).unwrap();
            let sets = rule_sets::all().unwrap();
            let tables: Vec<RowTable> = sets.iter().map(|s| s.table().clone()).collect();
            let mut known: BTreeMap<usize, Vec<Event>> = BTreeMap::new();
            for day in 0..DAYS {
                let map = map_at(&facts, evening(day));
                let context = Context {
                    tables: &tables,
                    map: &map,
                };
                for plan in planned.iter().filter(|p| p.day == day) {
                    let grant = SourceGrant {
                        source: plan.event.source,
                        since: Minute::ZERO,
                        until: Minute::MAX,
                    };
                    let known = known.entry(plan.resident).or_default();
                    let policy = Policy::default();
                    let now = evening(day);
                    admit(&plan.event, &grant, known, &context, now, &policy)
                        .unwrap_or_else(|e| panic!("{:?}: {e}", Role::of(plan.resident)));
                    known.push(plan.event);
                }
            }
            let map = map_at(&facts, close());
            let context = Context {
                tables: &tables,
                map: &map,
            };
            for (resident, events) in known {
                let record = fold(&events, &context, close()).unwrap().record;
                let colours: Vec<Colour> = tables
                    .iter()
                    .map(|t| evaluate(&record, t, &map, close()).unwrap().colour)
                    .collect();
                let role = Role::of(resident);
                assert_eq!(colours, role.colours(), "{role:?}");
            }
        }
    }

    #[test]
    fn each_role_has_its_number_of_residents() {
        for role in Role::SPECIAL {
            let count = (0..LEAST_RESIDENTS)
                .filter(|i| Role::of(*i) == role)
                .count();
            assert_eq!(count, PER_ROLE, "{role:?}");
        }
        let ordinary = (0..LEAST_RESIDENTS).filter(|i| Role::of(*i) == Role::Ordinary);
        assert!(ordinary.count() >= 40);
    }
}
