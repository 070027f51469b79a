//! What happens before anybody shows a pass: import, registration, fourteen days of events, the epoch, and the passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use p256::ecdsa::SigningKey;
use risk_list::{AreaTable, FactTable};
use rules::{Claim, Colour, Event, Grade, ProvinceCode, SourceId, TestAge, WorstColour};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tonic::Status;
use verifier::{HolderKey, Pass};
use wire::Reason;
use wire::resident::v1::{IssuedPass, QueryResponse};

use crate::callers::{Callers, Wish, all_accepted, said};
use crate::people::{Person, province_name};
use crate::rule_sets;
use crate::stage::{Stage, nodes};
use crate::story::{self, DAYS, PER_ROLE, Planned, Role, Route};
use crate::voice::Voice;

/// Calls of phones under way at once.
const PHONES_AT_ONCE: usize = 64;
/// Passes asked for at once, over all three nodes: about as many as their provers make while a call waits for one.
const PASSES_AT_ONCE: usize = 12;
/// Events in one call of a source.
const BATCH_LEN: usize = 256;
/// The only epoch.
const EPOCH: u32 = 1;
/// Ordinary residents who fetch a pass.
const ORDINARY_PASSES: usize = 9;
/// Residents without a phone of their own who have a pass printed.
const CARD_PASSES: usize = 5;
/// Minutes from the close to the moment at which passes are fetched.
const FETCH_AFTER_MIN: i64 = 5;

/// The claim of a gate that asks for nothing but "not red".
pub const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};
/// The claim "green".
pub const GREEN: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::NotAsked,
};

/// Green with a negative of the last hours.
pub const fn green_within(test_age: TestAge) -> Claim {
    Claim {
        worst: WorstColour::Green,
        test_age,
    }
}

/// Counts of the imported lists.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Listed places over all lists.
    pub entries: u64,
    /// Of these, resolved to a county or finer.
    pub resolved: u64,
    /// Of these, resolved to a township or finer.
    pub township: u64,
    /// Names that could not be placed in a county.
    pub unresolved: Vec<String>,
    /// Dated facts.
    pub facts: usize,
}

/// Imports the published lists of 2022-08-18 to 31 and says what became of every listed place.
///
/// # Errors
/// Only if the shipped table is damaged.
pub fn import(voice: Voice) -> Result<(FactTable, Imported)> {
    let facts = FactTable::august_2022()?;
    let total = facts.total();
    let names: BTreeSet<&str> = facts.unplaced().iter().map(|u| u.text.as_str()).collect();
    let unresolved: Vec<String> = names.into_iter().map(str::to_owned).collect();
    voice.say(format!("source: {}", facts.source()));
    for grade in [Grade::High, Grade::Medium, Grade::Low] {
        let of_grade = facts.counts().iter().filter(|list| list.grade == grade);
        let sum = of_grade.fold((0, 0), |(entries, resolved), list| {
            (
                entries + list.counts.entries,
                resolved + list.counts.resolved,
            )
        });
        voice.say(format!(
            "{grade:?}: {} entries, {} resolved to county or finer",
            sum.0, sum.1
        ));
    }
    voice.say(format!(
        "together {} entries in {} lists, {} resolved, {} of them to township or finer; {} dated facts",
        total.entries,
        facts.counts().len() / 3,
        total.resolved,
        total.township,
        facts.facts().len()
    ));
    voice.say(format!(
        "{} different names not resolved to a county:",
        unresolved.len()
    ));
    for name in &unresolved {
        voice.say(format!("  {name}"));
    }
    let imported = Imported {
        entries: total.entries,
        resolved: total.resolved,
        township: total.township,
        unresolved,
        facts: facts.facts().len(),
    };
    Ok((facts, imported))
}

/// Binds every resident's phone after the real-name check.
///
/// # Errors
/// If a node refuses one.
pub async fn register(voice: Voice, callers: &Callers, people: &[Person]) -> Result<()> {
    let bar = voice.bar(people.len(), "real-name check, phone bound");
    let limit = Arc::new(Semaphore::new(PHONES_AT_ONCE));
    let mut calls = JoinSet::new();
    for person in people {
        let phone = callers.phone(person, story::start())?;
        let (person, limit, bar) = (person.clone(), Arc::clone(&limit), bar.clone());
        calls.spawn(async move {
            let _permit = limit.acquire_owned().await;
            phone.register(&person).await.map_err(said)?;
            bar.inc(1);
            Ok::<(), anyhow::Error>(())
        });
    }
    while let Some(done) = calls.join_next().await {
        done??;
    }
    bar.finish();
    for home in nodes() {
        let count = people.iter().filter(|p| p.home == home).count();
        voice.say(format!("{} {count} residents", province_name(home)));
    }
    Ok(())
}

/// Lives through the fourteen days: each evening all clocks are moved on, then the day's events come in.
///
/// # Errors
/// If a node refuses an event of the story.
pub async fn live(
    voice: Voice,
    stage: &Stage,
    callers: &Callers,
    people: &[Person],
    planned: &[Planned],
) -> Result<Duration> {
    let bar = voice.bar(planned.len(), "2022-08-18 … 31, day by day");
    let began = Instant::now();
    for day in 0..DAYS {
        for home in nodes() {
            callers.advance_clock(home, story::evening(day)).await?;
        }
        let today: Vec<&Planned> = planned.iter().filter(|p| p.day == day).collect();
        phones(callers, people, &today, &bar).await?;
        sources(stage, callers, people, &today, &bar).await?;
    }
    bar.finish();
    Ok(began.elapsed())
}

async fn phones(
    callers: &Callers,
    people: &[Person],
    today: &[&Planned],
    bar: &indicatif::ProgressBar,
) -> Result<()> {
    let limit = Arc::new(Semaphore::new(PHONES_AT_ONCE));
    let mut calls = JoinSet::new();
    for planned in today.iter().filter(|p| p.route == Route::Phone) {
        let phone = callers.phone(&people[planned.resident], story::evening(planned.day))?;
        let (event, limit, bar) = (planned.event, Arc::clone(&limit), bar.clone());
        calls.spawn(async move {
            let _permit = limit.acquire_owned().await;
            phone.declare(&event).await.map_err(said)?;
            bar.inc(1);
            Ok::<(), anyhow::Error>(())
        });
    }
    while let Some(done) = calls.join_next().await {
        done??;
    }
    Ok(())
}

async fn sources(
    stage: &Stage,
    callers: &Callers,
    people: &[Person],
    today: &[&Planned],
    bar: &indicatif::ProgressBar,
) -> Result<()> {
    let mut by_route: BTreeMap<(SourceId, ProvinceCode), Vec<Event>> = BTreeMap::new();
    for planned in today {
        if let Route::Source(source) = planned.route {
            let home = people[planned.resident].home;
            by_route
                .entry((source, home))
                .or_default()
                .push(planned.event);
        }
    }
    for ((source, home), events) in by_route {
        for batch in events.chunks(BATCH_LEN) {
            let results = callers.submit(stage, source, home, batch).await?;
            all_accepted(&results).with_context(|| format!("{source} to {}", home.get()))?;
            bar.inc(batch.len() as u64);
        }
    }
    Ok(())
}

/// Closes the epoch everywhere and has the registry assembled and cosigned.
///
/// # Errors
/// If a node fails, or there is no quorum.
pub async fn close_epoch(voice: Voice, callers: &Callers) -> Result<()> {
    for home in nodes() {
        let closed = callers.close_epoch(home, EPOCH, story::close()).await?;
        voice.say(format!(
            "{}: {} records committed, tree head signed, {} ms",
            province_name(home),
            closed.records,
            closed.took_ms
        ));
    }
    let first = nodes().next().context("a node")?;
    let assembled = callers.assemble(first, EPOCH).await?;
    voice.say(format!(
        "registry of epoch {EPOCH} closing at {}: heads of {} provinces, {} cosignatures, {} ms; trust list signed",
        story::close(),
        assembled.provinces,
        assembled.cosignatures,
        assembled.took_ms
    ));
    ensure!(
        assembled.provinces == 3,
        "a province is missing in the registry"
    );
    ensure!(assembled.cosignatures >= 2, "no quorum");
    for home in nodes() {
        let status = callers.status(home).await?;
        ensure!(
            status.registry_epoch == EPOCH,
            "{} has no registry",
            home.get()
        );
        let later = story::close().saturating_add_signed(FETCH_AFTER_MIN);
        callers.advance_clock(home, later).await?;
    }
    Ok(())
}

/// A pass in its holder's hands.
#[derive(Clone)]
pub struct Held {
    /// The resident's number.
    pub resident: usize,
    /// The pass.
    pub pass: Pass,
    /// The one-time key; none for a pass bound to the identity card.
    pub key: Option<SigningKey>,
    /// What was asked for.
    pub claim: Claim,
    /// Under which rules.
    pub rule_set: &'static str,
}

/// A refusal that was expected, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was asked for.
    pub name: &'static str,
    /// The stable reason that the node gave.
    pub got: String,
}

/// What came of asking for passes.
#[derive(Default)]
pub struct Issued {
    /// Passes.
    pub held: Vec<Held>,
    /// Refusals, all expected.
    pub refused: Vec<Refused>,
}

/// Residents of a role.
fn of_role(role: Role, people: &[Person]) -> impl Iterator<Item = usize> {
    (0..people.len()).filter(move |index| Role::of(*index) == role)
}

/// Who asks for what, and what must not be given to whom.
fn wishes(people: &[Person]) -> (Vec<(usize, Claim, &'static str)>, Vec<Unsupported>) {
    use rule_sets::{FUJIAN, NATION, ZHEJIANG};
    let mut wanted = Vec::new();
    let mut want = |role, claim, rule_set, most| {
        let them = of_role(role, people).take(most);
        wanted.extend(them.map(|resident| (resident, claim, rule_set)));
    };
    let recent = green_within(TestAge::Hours48);
    want(Role::Ordinary, recent, NATION, ORDINARY_PASSES);
    want(
        Role::TestTooOld,
        green_within(TestAge::Hours72),
        NATION,
        PER_ROLE,
    );
    want(Role::InMedium, NOT_RED, NATION, PER_ROLE);
    want(Role::FeverClinic, NOT_RED, NATION, PER_ROLE);
    want(Role::Arrival, GREEN, ZHEJIANG, PER_ROLE);
    want(Role::Arrival, NOT_RED, FUJIAN, PER_ROLE);
    want(Role::SecondaryContact, NOT_RED, ZHEJIANG, PER_ROLE);
    let mut unsupported = Vec::new();
    let mut refuse = |name, role, claim, rule_set| {
        let them = of_role(role, people).take(PER_ROLE);
        unsupported.extend(them.map(|resident| Unsupported {
            name,
            resident,
            claim,
            rule_set,
        }));
    };
    for role in [Role::CloseContact, Role::InHigh, Role::Case] {
        refuse("red asks for not red", role, NOT_RED, NATION);
    }
    refuse("yellow asks for green", Role::InMedium, GREEN, NATION);
    refuse(
        "test of 2 days ago asks for 48 h",
        Role::TestTooOld,
        recent,
        NATION,
    );
    refuse(
        "green in Zhejiang asks for green in Fujian",
        Role::Arrival,
        GREEN,
        FUJIAN,
    );
    refuse(
        "yellow in Zhejiang asks for not red in Fujian",
        Role::SecondaryContact,
        NOT_RED,
        FUJIAN,
    );
    (wanted, unsupported)
}

struct Unsupported {
    name: &'static str,
    resident: usize,
    claim: Claim,
    rule_set: &'static str,
}

/// Fetches passes for a mix of residents, and asks for some that no record supports.
///
/// # Errors
/// If a node refuses what it should give.
pub async fn issue(voice: Voice, callers: &Callers, people: &[Person]) -> Result<Issued> {
    let now = story::close().saturating_add_signed(FETCH_AFTER_MIN);
    let (wanted, unsupported) = wishes(people);
    let bar = voice.bar(
        wanted.len() + CARD_PASSES + unsupported.len(),
        "passes proved or refused",
    );
    let limit = Arc::new(Semaphore::new(PASSES_AT_ONCE));
    let ask = |resident: usize, claim, rule_set, key: Option<&SigningKey>| -> Result<Asked> {
        let wish = Wish {
            claim,
            rule_set,
            holder: key.map(|key| HolderKey::from(*key.verifying_key())),
        };
        let phone = callers.phone(&people[resident], now)?;
        let (limit, bar) = (Arc::clone(&limit), bar.clone());
        Ok(tokio::spawn(async move {
            let _permit = limit.acquire_owned().await;
            let answer = phone.fetch(&wish).await;
            bar.inc(1);
            answer
        }))
    };
    let devices = wanted
        .into_iter()
        .map(|(resident, claim, rule_set)| (resident, claim, rule_set, Some(one_time_key())));
    let cards = of_role(Role::Cleared, people)
        .take(CARD_PASSES)
        .map(|resident| (resident, NOT_RED, rule_sets::NATION, None));
    let mut passes = Vec::new();
    for (resident, claim, rule_set, key) in devices.chain(cards) {
        let asked = ask(resident, claim, rule_set, key.as_ref())?;
        passes.push((resident, claim, rule_set, key, asked));
    }
    let mut refusals = Vec::new();
    for no in unsupported {
        let asked = ask(no.resident, no.claim, no.rule_set, Some(&one_time_key()))?;
        refusals.push((no.name, asked));
    }
    let mut issued = Issued::default();
    for (resident, claim, rule_set, key, asked) in passes {
        let pass = asked.await?.map_err(said)?;
        issued.held.push(Held {
            resident,
            pass: Pass::from_bytes(&pass.pass)?,
            key,
            claim,
            rule_set,
        });
    }
    for (name, asked) in refusals {
        let got = match asked.await? {
            Ok(_) => "a pass".to_owned(),
            Err(status) => reason(&status),
        };
        issued.refused.push(Refused { name, got });
    }
    bar.finish();
    Ok(issued)
}

/// A pass that is being asked for.
type Asked = JoinHandle<Result<IssuedPass, Status>>;

/// The stable reason of a refused call.
pub fn reason(status: &Status) -> String {
    wire::reason_of(status).map_or_else(|| format!("{:?}", status.code()), |r| r.code().to_owned())
}

/// What a node refuses a claim with.
pub const NOT_SUPPORTED: Reason = Reason::ClaimNotSupported;

fn one_time_key() -> SigningKey {
    loop {
        // All but about one in 2^32 draws are keys.
        if let Ok(key) = SigningKey::from_slice(&rand::random::<[u8; 32]>()) {
            return key;
        }
    }
}

/// Asks for the colours of one resident of each role, and shows one red resident every reason.
///
/// # Errors
/// If a colour is not the role's.
pub async fn explain(
    voice: Voice,
    callers: &Callers,
    people: &[Person],
    areas: &AreaTable,
) -> Result<()> {
    let now = story::close().saturating_add_signed(FETCH_AFTER_MIN);
    let sets = [rule_sets::NATION, rule_sets::ZHEJIANG, rule_sets::FUJIAN];
    for role in [
        Role::Arrival,
        Role::SecondaryContact,
        Role::CloseContact,
        Role::InHigh,
    ] {
        let resident = of_role(role, people).next().context("a resident")?;
        let person = &people[resident];
        let phone = callers.phone(person, now)?;
        let mut colours = Vec::new();
        let mut told = None;
        for (set, expected) in sets.into_iter().zip(role.colours()) {
            let answer = phone.query(set).await.map_err(said)?;
            let colour = Colour::try_from(answer.colour()).map_err(|e| anyhow!("{e}"))?;
            ensure!(colour == expected, "{role:?} is {colour:?} under {set}");
            colours.push(format!("{set} {}", format!("{colour:?}").to_lowercase()));
            told.get_or_insert(answer);
        }
        let home = areas.names(person.township.nine_digit());
        voice.say(format!(
            "{} ({home}): {}",
            role.in_words(),
            colours.join(" · ")
        ));
        for line in told.iter().flat_map(reasons) {
            voice.say(format!("    {line}"));
        }
    }
    Ok(())
}

/// Every reason of an answer, with its rule, source, anchor and ways out.
fn reasons(answer: &QueryResponse) -> Vec<String> {
    let mut lines = Vec::new();
    for reason in &answer.reasons {
        let anchor = rules::Minute::new(reason.anchor_minute).unwrap_or(rules::Minute::ZERO);
        lines.push(format!(
            "{}, rule {}: {} {}",
            format!("{:?}", reason.state()).to_lowercase(),
            reason.rule_id,
            reason.text_zh,
            reason.text_en
        ));
        let moving = if reason.anchor_moves {
            ", while the stay goes on"
        } else {
            ""
        };
        lines.push(format!(
            "  source {}, counts from {anchor}{moving}",
            reason.source
        ));
        for way in &reason.ways_out {
            lines.push(format!("  way back: {} {}", way.text_zh, way.text_en));
        }
        if let Some(day) = reason.earliest_end_day {
            let day = rules::Day::new(u16::try_from(day).unwrap_or(u16::MAX));
            lines.push(format!("  earliest day: {day}"));
        } else {
            lines.push(
                "  way back: only an event ends it (release, discharge, the area's release)"
                    .to_owned(),
            );
        }
    }
    lines
}
