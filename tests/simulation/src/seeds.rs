//! One seed: a federation is founded, lives through what the seed brings, is left in peace, and is asked for all that it promised.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use node::Node;
use rules::SourceId;
use store::ForwardState;

use crate::acts::Actor;
use crate::people::Gate;
use crate::realm::Realm;
use crate::world::World;

/// The provinces of a seed's federation.
const PROVINCES: [u8; 5] = [33, 35, 42, 44, 51];
/// Minutes between two epochs.
const EVERY_MIN: u32 = 30;
/// Simulated time in which everything that was promised must have come true once nothing goes wrong any more: eight epochs.
const SETTLE_LIMIT: Duration = Duration::from_mins(20);
const SETTLE_LOOK: Duration = Duration::from_secs(5);
/// A run takes at most so much simulated time.
const LIMIT: Duration = Duration::from_hours(48);

/// What a seed came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How often what was done or suffered.
    pub counts: BTreeMap<String, u64>,
    /// Simulated seconds until everything promised had come true.
    pub settled_after_s: u64,
}

/// Runs a seed.
///
/// # Errors
/// What does not hold, and what the run itself cannot do.
pub fn run(seed: u64, steps: u64) -> Result<Outcome> {
    let realm = Realm::new(PROVINCES.to_vec(), EVERY_MIN, seed)?;
    let world = Arc::new(World::new(realm));
    let dir = tempfile::tempdir()?;
    let gates = (0..2).map(|n| Gate::open(&world.realm, &dir.path().join(n.to_string()), 35));
    let gates: Vec<Gate> = gates.collect::<Result<_>>()?;
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let (told, of) = (Arc::clone(&outcome), Arc::clone(&world));
    let acting = async move {
        let mut actor = Actor::new(&of, gates);
        // The first epochs, before anything goes wrong.
        tokio::time::sleep(Duration::from_secs(200)).await;
        actor.act(steps).await?;
        let settled_after_s = settle(&mut actor).await?;
        ask_for_all(&mut actor).await?;
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = outcome_of(&actor, settled_after_s);
        Ok(())
    };
    world.run(acting, LIMIT)?;
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(outcome.clone())
}

fn outcome_of(actor: &Actor, settled_after_s: u64) -> Outcome {
    let counts = actor.account.counts.iter();
    let mut counts: BTreeMap<String, u64> =
        counts.map(|(what, n)| ((*what).to_owned(), *n)).collect();
    let look = actor.world.look.lock();
    let look = look.unwrap_or_else(PoisonError::into_inner);
    let of = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    counts.insert("registries".to_owned(), of(look.registries()));
    counts.insert("trust lists".to_owned(), of(look.documents()));
    counts.insert("looks at all nodes".to_owned(), look.looks);
    let refused = actor.world.houses.values().map(|h| h.refused_starts());
    counts.insert("starts refused".to_owned(), refused.sum());
    let starts = actor.world.houses.values().map(|h| u64::from(h.starts()));
    counts.insert("starts".to_owned(), starts.sum());
    Outcome {
        counts,
        settled_after_s,
    }
}

/// Ends all that goes wrong and waits until everything promised has come true.
async fn settle(actor: &mut Actor) -> Result<u64> {
    actor.heal(true);
    let began = tokio::time::Instant::now();
    loop {
        actor.heal(true);
        actor.keep_up();
        tokio::time::sleep(SETTLE_LOOK).await;
        let open = open_points(actor);
        if open.is_empty() {
            return Ok(began.elapsed().as_secs());
        }
        if began.elapsed() > SETTLE_LIMIT {
            bail!("not in time after all was well again: {}", open.join("; "));
        }
    }
}

/// What is not yet as it must become.
fn open_points(actor: &Actor) -> Vec<String> {
    let mut open = Vec::new();
    let world = &actor.world;
    let mut nodes: Vec<(u8, Arc<Node>)> = Vec::new();
    for house in world.houses.values() {
        match house.node() {
            Some(node) => nodes.push((house.home, node)),
            None => open.push(format!(
                "{} does not run: {}",
                house.home,
                house.last_refusal()
            )),
        }
    }
    let put_back = actor.put_back_house();
    let now = world.time.now();
    let current = now / EVERY_MIN - 1;
    for (home, node) in &nodes {
        let newest = node.newest_registry_epoch();
        match newest.and_then(|epoch| node.registry(epoch).ok()) {
            Some(registry) if newest.is_some_and(|epoch| epoch.get() >= current) => {
                for other in &world.realm.provinces {
                    let epoch = registry.cosigned.statement().epoch();
                    let is_fresh = registry
                        .heads
                        .iter()
                        .any(|head| head.head.province.get() == *other && head.head.epoch == epoch);
                    if !is_fresh && Some(*other) != put_back {
                        open.push(format!("{home}: {other} is not fresh in the registry"));
                    }
                }
            }
            _ => open.push(format!(
                "{home}: no registry of {current}, newest {newest:?}"
            )),
        }
        let list = node.trust_list();
        let is_new = list.is_some_and(|l| l.online().issued_at.minute().get() + EVERY_MIN >= now);
        if !is_new {
            open.push(format!("{home}: no new trust list"));
        }
        let waiting = node.revocations_waiting().unwrap_or(usize::MAX);
        if waiting > 0 {
            open.push(format!("{home}: {waiting} revocations wait"));
        }
        let witnesses = world.realm.provinces.len() - 1 - usize::from(put_back.is_some());
        if Some(*home) != put_back && node.checkpoint_cosignatures() < witnesses {
            let cosigned = node.checkpoint_cosignatures();
            open.push(format!(
                "{home}: {cosigned} of {witnesses} have cosigned its log"
            ));
        }
    }
    for promised in &actor.account.forwarded {
        let sender = nodes.iter().find(|(home, _)| *home == promised.at);
        let id = promised.stated.event.id;
        let source: SourceId = promised.stated.event.source;
        let state = sender.map(|(_, node)| node.forwarded(source, id));
        match state {
            Some(Ok((row, _))) => match row.state {
                ForwardState::Accepted | ForwardState::Refused(_) | ForwardState::Lapsed => {}
                other => open.push(format!(
                    "an event of {} for {} is {other:?}",
                    promised.at, promised.home
                )),
            },
            Some(Err(error)) => open.push(format!("an event of {}: {error}", promised.at)),
            None => {}
        }
    }
    open
}

/// Asks for everything that was promised.
async fn ask_for_all(actor: &mut Actor) -> Result<()> {
    for promised in actor.account.accepted.clone() {
        let answer = actor.lines.submit(promised.at, &promised.stated, None);
        let answer = answer.await?.context("an event is asked for in peace")?;
        ensure!(
            answer == "duplicate",
            "lost: an event that {} had accepted is {answer}",
            promised.at
        );
    }
    for promised in actor.account.forwarded.clone() {
        let source = promised.stated.event.source;
        let node = actor.world.house(promised.at).node();
        let state = node.map(|node| node.forwarded(source, promised.stated.event.id));
        if let Some(Ok((row, _))) = state
            && row.state == ForwardState::Accepted
        {
            let answer = actor.lines.submit(promised.home, &promised.stated, None);
            let answer = answer.await?.context("an event is asked for in peace")?;
            ensure!(
                answer == "duplicate",
                "lost: an event of {} that {} had accepted is {answer}",
                promised.at,
                promised.home
            );
            actor.account.count("events that came to another home");
        }
    }
    let now = actor.world.time.unix();
    let all = actor.world.realm.provinces.clone();
    for gate in 0..actor.gates.len() {
        for from in &all {
            actor.gates[gate].refresh(*from, now).await?;
        }
        for held in actor.account.revoked.clone() {
            let shown = held.show(now)?;
            let verdict = actor.gates[gate].decide(shown, now)?;
            ensure!(
                !verdict.is_accept(),
                "a pass of {} is accepted whose revocation was promised",
                held.device.home
            );
        }
    }
    look_for_evidence(actor)?;
    let mut look = actor
        .world
        .look
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    look.at_all_registries(&actor.world)?;
    Ok(())
}

/// Whoever went on from an older copy of its log is shown to have done so, and nobody else is.
fn look_for_evidence(actor: &mut Actor) -> Result<()> {
    let put_back = actor.put_back_house();
    let mut is_shown = false;
    for house in actor.world.houses.values() {
        let Some(node) = house.node() else { continue };
        for (evidence, keys) in node.evidence()? {
            let origin = evidence.first.origin().to_owned();
            let of = put_back.is_some_and(|home| origin.contains(&format!("/{home}/")));
            if evidence.check(&keys).is_ok() {
                ensure!(of, "{} keeps evidence against {origin}", house.home);
                is_shown = true;
            }
        }
    }
    if let Some(home) = put_back {
        let node = actor.world.house(home).node().context("all run")?;
        // Until it is longer than it was, nothing that it signs contradicts what was cosigned.
        if node.log_entries() > actor.entries_before {
            ensure!(
                is_shown,
                "nobody keeps evidence that the log of {home} forked"
            );
            actor.account.count("forks shown by evidence");
        }
    }
    Ok(())
}
