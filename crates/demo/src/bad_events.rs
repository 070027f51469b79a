//! Events that a node must refuse, each for its own reason.

use anyhow::{Context as _, Result};
use ed25519_dalek::Signer as _;
use rules::{
    CaseKind, Event, EventBody, EventId, Minute, ProvinceCode, SourceId, SourceKind, TestResult,
};
use wire::source::v1::{EventOutcome, SignedEvent};

use crate::callers::Callers;
use crate::people::{Person, province};
use crate::scenarios::Tally;
use crate::stage::Stage;
use crate::story::{DAYS, evening, source};

/// How often each is tried.
const TRIES: usize = 5;

struct Bad {
    name: &'static str,
    expected: &'static str,
    event: Event,
    by: SourceId,
    key_of: SourceId,
}

/// Hands in bad events at Zhejiang's node on the last evening, and one good event twice.
///
/// # Errors
/// If a call fails.
pub async fn hand_in(
    stage: &Stage,
    callers: &Callers,
    people: &[Person],
    tally: &mut Tally,
) -> Result<()> {
    let home = province(33);
    let own = people.iter().rev().filter(|p| p.home == home);
    let others = people.iter().rev().filter(|p| p.home != home);
    for (person, other) in own.zip(others).take(TRIES) {
        for bad in bad_events(person, other, home) {
            let key = &stage.sources.get(&bad.key_of).context("a source")?.key;
            let signature = key.sign(&bad.event.signing_bytes()).to_bytes();
            let signed = SignedEvent::new(&bad.event, signature);
            let results = callers.submit_signed(bad.by, home, vec![signed]).await?;
            let result = results.first().context("an answer")?;
            let got = match result.outcome() {
                EventOutcome::Accepted => "ACCEPTED",
                EventOutcome::Duplicate => "DUPLICATE",
                _ => &result.reason,
            };
            tally.add(bad.name, bad.expected, got);
        }
    }
    Ok(())
}

fn bad_events(person: &Person, other: &Person, home: ProvinceCode) -> Vec<Bad> {
    let now = evening(DAYS - 1);
    let laboratory = source(home, SourceKind::Laboratory);
    let telecom = source(home, SourceKind::Telecom);
    let office = source(home, SourceKind::CommunityOffice);
    let elsewhere = source(province(42), SourceKind::Laboratory);
    let event = |subject: &Person, source, issued_at, body| Event {
        id: EventId(rand::random()),
        subject: subject.number,
        source,
        issued_at,
        body,
    };
    let negative = EventBody::Test {
        sampled_at: now.saturating_add_signed(-30),
        result: TestResult::Negative,
    };
    let case = EventBody::Case {
        kind: CaseKind::Confirmed,
        at: now.saturating_add_signed(-30),
        province: home,
    };
    let late = EventBody::CheckIn {
        day: evening(5).day(),
        symptoms: false,
    };
    let bad = |name, expected, event: Event, by, key_of| Bad {
        name,
        expected,
        event,
        by,
        key_of,
    };
    let tomorrow: Minute = now.saturating_add_signed(1_440);
    let good = event(person, laboratory, now, negative);
    vec![
        bad(
            "a telecom operator reports a case",
            "not-entitled",
            event(person, telecom, now, case),
            telecom,
            telecom,
        ),
        bad(
            "an event signed with another's key",
            "bad-signature",
            event(person, laboratory, now, negative),
            laboratory,
            elsewhere,
        ),
        bad(
            "an event in another source's name",
            "unknown-source",
            event(person, elsewhere, now, negative),
            laboratory,
            elsewhere,
        ),
        bad(
            "an event of tomorrow",
            "future-dated",
            event(person, laboratory, tomorrow, negative),
            laboratory,
            laboratory,
        ),
        bad(
            "a check-in made up a week later",
            "too-late",
            event(person, office, now, late),
            office,
            office,
        ),
        bad(
            "an event for somebody who lives elsewhere",
            "lives-elsewhere",
            event(other, laboratory, now, negative),
            laboratory,
            laboratory,
        ),
        bad("a test handed in", "ACCEPTED", good, laboratory, laboratory),
        bad(
            "the same test handed in again",
            "DUPLICATE",
            good,
            laboratory,
            laboratory,
        ),
    ]
}
