//! What people and machines do, drawn from a seed: events, revocations, showings, and everything that goes wrong.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rules::{Event, EventBody, EventId, SourceKind, TestResult};
use store::MemoryStore;
use tokio::time::Instant;
use tonic::Status;
use verifier::trust::MAX_BUNDLE_LEN_BYTES;
use wire::federation::v1 as proto;
use wire::{Proposal, Reason};

use crate::account::{Account, Promised};
use crate::people::{Device, Gate, Lines, Stated};
use crate::realm::{DIVISIONS, PEOPLE, host, minute, person, source};
use crate::world::{Command, World};

/// What ends by itself.
enum Heal {
    Link(u8, u8),
    Held(u8, u8),
    Fast(u8, u8),
    Clock(u8),
    Up(u8),
    Restart(u8),
}

/// Somebody who acts.
pub(crate) struct Actor {
    pub(crate) world: Arc<World>,
    rng: ChaCha8Rng,
    pub(crate) lines: Lines,
    pub(crate) account: Account,
    pub(crate) gates: Vec<Gate>,
    heals: Vec<(Instant, Heal)>,
    /// Houses that are meant to be down.
    down: Vec<u8>,
    /// The house that is put back once, the copy that it is put back to, and the entries that its log had by then.
    victim: Option<u8>,
    backup: Option<Arc<MemoryStore>>,
    pub(crate) entries_before: u64,
    was_put_back: bool,
    has_reformed: bool,
}

/// A refusal that says "not now", or none that a node has made: the network's.
fn is_passing(status: &Status) -> bool {
    wire::reason_of(status).is_none_or(|reason| {
        matches!(
            reason,
            Reason::Overloaded
                | Reason::Deadline
                | Reason::Draining
                | Reason::Internal
                | Reason::StorageFull
                | Reason::StorageFailed
                | Reason::ProverBusy
                | Reason::NotCommitted
                | Reason::UnknownEpoch
                | Reason::ClockSkew
        )
    })
}

impl Actor {
    pub(crate) fn new(world: &Arc<World>, gates: Vec<Gate>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(world.realm.seed);
        let last = world.realm.provinces.last().copied();
        let victim = last.filter(|_| rng.random_ratio(1, 3));
        Self {
            lines: Lines::new(Arc::clone(&world.realm)),
            world: Arc::clone(world),
            rng,
            account: Account::default(),
            gates,
            heals: Vec::new(),
            down: Vec::new(),
            victim,
            backup: None,
            entries_before: 0,
            was_put_back: false,
            has_reformed: false,
        }
    }

    /// Does `steps` things, one after the other.
    pub(crate) async fn act(&mut self, steps: u64) -> Result<()> {
        for step in 0..steps {
            // Each step draws from a source of its own: what it is does not depend on how the steps before it went.
            let seed = self.world.realm.seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.rng = ChaCha8Rng::seed_from_u64(seed);
            self.heal(false);
            self.keep_up();
            self.step(step, steps)
                .await
                .with_context(|| format!("step {step}"))?;
            let pause = self.rng.random_range(0..8_000);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    async fn step(&mut self, step: u64, steps: u64) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..=23 => self.state_at_home().await,
            24..=30 => self.state_again().await,
            31..=40 => self.state_elsewhere().await,
            41..=52 => self.fetch_pass().await,
            53..=56 => self.revoke_pass().await,
            57..=71 => self.pass_a_gate().await,
            72..=74 => self.offer_an_old_list(),
            75..=78 => self.propose_another().await,
            draw @ 79..=98 => {
                self.go_wrong(draw);
                Ok(())
            }
            _ => self.put_back(step, steps),
        }
    }

    fn go_wrong(&mut self, draw: u32) {
        match draw {
            79..=83 => self.kill(),
            84..=87 => self.die_in_a_commit(),
            88..=90 => self.cut_a_link(),
            91..=92 => self.isolate(),
            93..=94 => self.hold_a_link(),
            95 => self.slow_a_link(),
            96 => self.set_a_clock_off(),
            97 => self.stay_away(),
            _ => self.reform(),
        }
    }

    fn count(&mut self, what: &'static str) {
        self.account.count(what);
    }

    fn a_province(&mut self) -> u8 {
        let provinces = self.world.realm.provinces.clone();
        *provinces.choose(&mut self.rng).unwrap_or(&DIVISIONS[0])
    }

    fn two_provinces(&mut self) -> (u8, u8) {
        loop {
            let (a, b) = (self.a_province(), self.a_province());
            if a != b {
                return (a, b);
            }
        }
    }

    fn a_test(&mut self, of: u8, office: u8) -> Stated {
        let number = self.rng.random_range(0..PEOPLE);
        let at = self.world.time.now() - self.rng.random_range(90..600);
        let result = if self.rng.random_ratio(1, 5) {
            TestResult::Positive
        } else {
            TestResult::Negative
        };
        Stated::sign(Event {
            id: EventId(self.lines.fresh()),
            subject: person(of, number),
            source: source(office, SourceKind::Laboratory),
            issued_at: minute(at),
            body: EventBody::Test {
                sampled_at: minute(at),
                result,
            },
        })
    }

    async fn state_at_home(&mut self) -> Result<()> {
        let home = self.a_province();
        let stated = self.a_test(home, home);
        self.hand_in(home, home, stated).await
    }

    async fn state_elsewhere(&mut self) -> Result<()> {
        let (at, home) = self.two_provinces();
        let stated = self.a_test(home, at);
        self.hand_in(at, home, stated).await
    }

    async fn hand_in(&mut self, at: u8, home: u8, stated: Stated) -> Result<()> {
        let elsewhere = (at != home).then_some(home);
        match self.lines.submit(at, &stated, elsewhere).await? {
            Ok(word) => match &word[..] {
                "accepted" if at == home => {
                    self.count("events accepted");
                    self.account.accepted.push(Promised { at, home, stated });
                }
                "forwarded" if at != home => {
                    self.count("events taken for elsewhere");
                    self.account.forwarded.push(Promised { at, home, stated });
                }
                // Two results of one moment contradict each other only in another kind; the record may refuse what is full.
                "too-many-events" | "overloaded" | "bad-time" | "too-old" => {
                    self.count("events refused");
                }
                other => bail!("an event of {at} for {home} is answered {other}"),
            },
            Err(status) if is_passing(&status) => self.count("calls without an answer"),
            Err(status) => bail!("an event of {at} for {home}: {status:?}"),
        }
        Ok(())
    }

    /// What was acknowledged is known, whoever asks whenever.
    async fn state_again(&mut self) -> Result<()> {
        let all = if self.rng.random_ratio(1, 3) {
            &self.account.forwarded
        } else {
            &self.account.accepted
        };
        let Some(promised) = all.choose(&mut self.rng).cloned() else {
            return Ok(());
        };
        let elsewhere = (promised.at != promised.home).then_some(promised.home);
        let answer = self.lines.submit(promised.at, &promised.stated, elsewhere);
        match answer.await? {
            Ok(word) if word == "duplicate" => self.count("events known again"),
            // A home has refused it, or it has lapsed: then the source may try again.
            Ok(word) if word == "forwarded" => self.count("events sent again"),
            Ok(word) => bail!("lost: an acknowledged event of {} is {word}", promised.at),
            Err(status) if is_passing(&status) => self.count("calls without an answer"),
            Err(status) => bail!("an acknowledged event: {status:?}"),
        }
        Ok(())
    }

    async fn fetch_pass(&mut self) -> Result<()> {
        let device = Device {
            home: self.a_province(),
            number: self.rng.random_range(0..PEOPLE),
        };
        let now = minute(self.world.time.now());
        if !self.account.bound.contains(&device) {
            match self.lines.register(device, now).await? {
                Ok(()) => {
                    self.count("devices bound");
                    self.account.bound.insert(device);
                }
                Err(status) if is_passing(&status) => self.count("calls without an answer"),
                Err(status) => bail!("a device of {} is not bound: {status:?}", device.home),
            }
            return Ok(());
        }
        match self.lines.pass(device, now).await? {
            Ok(held) => {
                self.count("passes made");
                self.account.held.push(held);
            }
            Err(status) if is_passing(&status) => self.count("calls without an answer"),
            Err(status) if wire::reason_of(&status) == Some(Reason::ClaimNotSupported) => {
                self.count("passes refused");
            }
            Err(status) => bail!("a pass of {}: {status:?}", device.home),
        }
        Ok(())
    }

    async fn revoke_pass(&mut self) -> Result<()> {
        if self.account.held.is_empty() {
            return Ok(());
        }
        let chosen = self.rng.random_range(0..self.account.held.len());
        let held = self.account.held[chosen].clone();
        let now = minute(self.world.time.now());
        match self.lines.revoke(&held, now).await? {
            Ok(_) => {
                self.count("passes revoked");
                self.account.held.swap_remove(chosen);
                self.account.revoked.push(held);
            }
            Err(status) if is_passing(&status) => self.count("calls without an answer"),
            // An earlier call, whose answer was lost, has done it.
            Err(status) if wire::reason_of(&status) == Some(Reason::NotFound) => {
                self.account.held.swap_remove(chosen);
                self.account.revoked.push(held);
            }
            Err(status) => bail!("a revocation: {status:?}"),
        }
        Ok(())
    }

    /// A gate asks somebody for a newer list and judges a pass, revoked or not.
    async fn pass_a_gate(&mut self) -> Result<()> {
        let from = self.a_province();
        let gate = self.rng.random_range(0..self.gates.len());
        let now = self.world.time.unix();
        if self.gates[gate].refresh(from, now).await? {
            self.count("lists fetched");
        }
        self.look_at_gate(gate)?;
        let all = [&self.account.held, &self.account.revoked];
        let of = *all.choose(&mut self.rng).context("two kinds")?;
        let Some(held) = of.choose(&mut self.rng).cloned() else {
            return Ok(());
        };
        self.judge(gate, &held)
    }

    /// The number of a gate's list never falls.
    fn look_at_gate(&mut self, gate: usize) -> Result<()> {
        let gate = &mut self.gates[gate];
        if let Some(number) = gate.sequence() {
            let before = std::mem::replace(&mut gate.number, number);
            ensure!(
                before <= number,
                "a gate's list fell from {before} to {number}"
            );
            if before != number
                && let Some(bundle) = gate.bundle()
            {
                ensure!(bundle.len() <= MAX_BUNDLE_LEN_BYTES, "a list is too long");
                self.account.old_bundles.push((number, bundle));
            }
        }
        Ok(())
    }

    /// No verdict accepts what the gate's list revokes.
    fn judge(&mut self, gate: usize, held: &crate::people::Held) -> Result<()> {
        let now = self.world.time.unix();
        let verdict = self.gates[gate].decide(held.show(now)?, now)?;
        let is_accepted = verdict.is_accept();
        let look = self.world.look.lock();
        let look = look.unwrap_or_else(PoisonError::into_inner);
        let number = self.gates[gate].number;
        let is_listed = look
            .revoked_by(number)
            .is_some_and(|revoked| revoked.contains(&held.pass.h));
        drop(look);
        ensure!(
            !(is_accepted && is_listed),
            "a gate accepts a pass that its list {number} revokes"
        );
        match &verdict {
            verifier::Verdict::Accept(_) => self.count("showings accepted"),
            verifier::Verdict::Reject(verifier::Reason::Revoked) => {
                self.count("showings revoked");
            }
            verifier::Verdict::Reject(
                verifier::Reason::PassExpired { .. } | verifier::Reason::Replayed(_),
            ) => self.count("showings out of time"),
            verifier::Verdict::Undecided(_) => self.count("showings undecided"),
            verifier::Verdict::Reject(reason) => {
                bail!("a pass of {} is rejected: {reason}", held.device.home)
            }
        }
        Ok(())
    }

    /// A list that was good once is not taken in place of a newer one.
    fn offer_an_old_list(&mut self) -> Result<()> {
        let Some((number, bundle)) = self.account.old_bundles.choose(&mut self.rng).cloned() else {
            return Ok(());
        };
        let gate = self.rng.random_range(0..self.gates.len());
        let now = self.world.time.unix();
        let is_taken = self.gates[gate].offer(&bundle, now);
        ensure!(
            !is_taken || number >= self.gates[gate].number,
            "a gate goes back to list {number}"
        );
        self.count("old lists offered");
        self.look_at_gate(gate)
    }

    /// A node proposes a registry without one of the heads, beside whatever the others propose.
    async fn propose_another(&mut self) -> Result<()> {
        let proposer = self.a_province();
        let Some(node) = self.world.house(proposer).node() else {
            return Ok(());
        };
        let Some(epoch) = node.closed_epoch() else {
            return Ok(());
        };
        let mut heads = Vec::new();
        for house in self.world.houses.values() {
            let head = house.node().and_then(|node| node.tree_head(epoch).ok());
            heads.extend(head);
        }
        if heads.len() < 3 {
            return Ok(());
        }
        let left_out = self.rng.random_range(0..heads.len());
        heads.remove(left_out);
        heads.sort_by_key(|head| head.head.slot);
        let Ok(statement) = node.propose(epoch, &heads) else {
            return Ok(());
        };
        self.count("rival proposals");
        let request = proto::CosignRegistryRequest::from(&Proposal {
            statement: statement.clone(),
            heads,
        });
        for to in self.world.realm.provinces.clone() {
            if to == proposer {
                continue;
            }
            let mut client = wire::client::federation(self.lines.between(proposer, to)?);
            let Ok(answer) = client.cosign_registry(request.clone()).await else {
                continue;
            };
            let signed = ledger::Cosignature::try_from(answer.get_ref())?;
            self.count("rival proposals signed");
            let look = self.world.look.lock();
            let mut look = look.unwrap_or_else(PoisonError::into_inner);
            look.at_signature(epoch, signed.slot.get(), statement.hash().0)?;
        }
        Ok(())
    }

    // What goes wrong.

    fn later(&mut self, from_s: u64, to_s: u64, heal: Heal) {
        let wait = Duration::from_secs(self.rng.random_range(from_s..to_s));
        self.heals.push((Instant::now() + wait, heal));
    }

    fn kill(&mut self) {
        let home = self.a_province();
        if !self.down.contains(&home) {
            self.count("processes killed");
            self.world.command(Command::Kill(home));
            self.down.push(home);
            self.later(1, 60, Heal::Up(home));
        }
    }

    fn die_in_a_commit(&mut self) {
        let home = self.a_province();
        self.count("machines that died in a commit");
        let (commits, keeps) = (self.rng.random_range(0..40), self.rng.random());
        self.world.house(home).die_after(commits, keeps);
    }

    fn cut_a_link(&mut self) {
        let (a, b) = self.two_provinces();
        self.count("links cut");
        if self.rng.random_ratio(1, 3) {
            turmoil::partition_oneway(host(a), host(b));
        } else {
            turmoil::partition(host(a), host(b));
        }
        self.later(10, 400, Heal::Link(a, b));
    }

    fn isolate(&mut self) {
        let alone = self.a_province();
        self.count("provinces cut off");
        for other in self.world.realm.provinces.clone() {
            if other != alone {
                turmoil::partition(host(alone), host(other));
                self.later(100, 600, Heal::Link(alone, other));
            }
        }
    }

    fn hold_a_link(&mut self) {
        let (a, b) = self.two_provinces();
        self.count("links held");
        turmoil::hold(host(a), host(b));
        self.later(2, 40, Heal::Held(a, b));
    }

    fn slow_a_link(&mut self) {
        let (a, b) = self.two_provinces();
        self.count("links slowed");
        let latency = Duration::from_millis(self.rng.random_range(500..4_000));
        self.world.command(Command::Slow(host(a), host(b), latency));
        self.later(30, 300, Heal::Fast(a, b));
    }

    fn set_a_clock_off(&mut self) {
        let home = self.a_province();
        self.count("clocks off by an hour");
        let ahead = if self.rng.random() { 60 } else { -60 };
        self.world.house(home).clock.set_ahead(ahead);
        self.later(60, 600, Heal::Clock(home));
    }

    fn stay_away(&mut self) {
        let home = self.a_province();
        if self.down.is_empty() {
            self.count("long absences");
            self.world.command(Command::Kill(home));
            self.down.push(home);
            self.later(1_200, 2_400, Heal::Up(home));
        }
    }

    /// Another root document: a new head key for one province, since the old one is known to others, and a rule set to come.
    /// The nodes take it up one after the other.
    fn reform(&mut self) {
        if self.has_reformed {
            return;
        }
        self.has_reformed = true;
        self.count("root documents replaced");
        let renewed = self.a_province();
        for home in self.world.realm.provinces.clone() {
            let house = self.world.house(home);
            let mut constitution = house.constitution();
            constitution.sequence += 1;
            constitution.has_later_set = true;
            *constitution.members.entry(renewed).or_default() += 1;
            house.set_constitution(constitution);
            self.later(1, 120, Heal::Restart(home));
        }
    }

    /// One province is put back to an older copy of itself, and goes on from there as if nothing had been: its log forks.
    fn put_back(&mut self, step: u64, steps: u64) -> Result<()> {
        let Some(victim) = self.victim else {
            return Ok(());
        };
        let house = Arc::clone(self.world.house(victim));
        match self.backup.take() {
            None if step < steps / 2 && !self.was_put_back => {
                self.backup = Some(house.backup()?);
            }
            Some(backup) => {
                self.count("provinces put back to an older copy");
                self.was_put_back = true;
                // Of a node that is down nobody knows it here, and no evidence is asked for.
                let entries = house.node().map(|node| node.log_entries());
                self.entries_before = entries.unwrap_or(u64::MAX);
                let look = self.world.look.lock();
                let mut look = look.unwrap_or_else(PoisonError::into_inner);
                look.put_back.insert(victim);
                drop(look);
                self.account.forget(victim);
                house.gone();
                house.restore(backup);
                self.world.command(Command::Kill(victim));
                self.down.retain(|home| *home != victim);
                self.world.command(Command::Start(victim));
            }
            None => {}
        }
        Ok(())
    }

    pub(crate) fn put_back_house(&self) -> Option<u8> {
        self.victim.filter(|_| self.was_put_back)
    }

    /// Ends what is due to end, or all of it.
    pub(crate) fn heal(&mut self, all: bool) {
        let now = Instant::now();
        let due = |at: &Instant| all || *at <= now;
        let (over, kept) = std::mem::take(&mut self.heals)
            .into_iter()
            .partition(|(at, _)| due(at));
        self.heals = kept;
        let over: Vec<(Instant, Heal)> = over;
        for (_, heal) in over {
            match heal {
                Heal::Link(a, b) => turmoil::repair(host(a), host(b)),
                Heal::Held(a, b) => turmoil::release(host(a), host(b)),
                Heal::Fast(a, b) => {
                    let usual = Duration::from_millis(150);
                    self.world.command(Command::Slow(host(a), host(b), usual));
                }
                Heal::Clock(home) => self.world.house(home).clock.set_ahead(0),
                Heal::Up(home) => self.down.retain(|down| *down != home),
                Heal::Restart(home) => self.world.command(Command::Kill(home)),
            }
        }
    }

    /// Starts the nodes that do not run and are not meant to be down.
    pub(crate) fn keep_up(&mut self) {
        for house in self.world.houses.values() {
            if house.node().is_none() && !self.down.contains(&house.home) {
                self.world.command(Command::Start(house.home));
            }
        }
    }
}
