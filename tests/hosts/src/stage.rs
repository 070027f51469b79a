//! One fault after the other, and what must hold after each.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tokio::time::sleep;

use crate::cable::Pace;
use crate::host::Place;
use crate::load::Load;
use crate::realm::{Hands, Realm};
use crate::site::{GATES, PROVINCES};
use crate::watch::{Books, until};

/// Passes that must be accepted after each fault.
const PASSES: u64 = 2;

/// Something that happens to hosts, or that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// One node's cable is out.
    Unplugged,
    /// Two nodes and a gate on one side, three nodes and a gate on the other: no side has a quorum.
    Split,
    /// All lines of one node are slow.
    Slow,
    /// A node is killed and started again.
    Killed,
    /// A node's clock jumps ahead, and is put right.
    ClockAhead,
    /// A node is away and comes back with a clock that is behind.
    ClockBehind,
    /// A node gets a new certificate as planned.
    NewCertificate,
    /// A province's head key is rotated as planned.
    NewHeadKey,
    /// A province's head key is known to others: it is replaced, and the thief is refused.
    StolenHeadKey,
    /// Somebody with a node's keys shows two histories.
    Equivocation,
    /// The holders take the equivocator's slot away.
    Removal,
}

impl Fault {
    /// All, in an order in which each finds what it needs.
    pub const ALL: [Self; 11] = [
        Self::Unplugged,
        Self::ClockAhead,
        Self::ClockBehind,
        Self::Killed,
        Self::Slow,
        Self::NewCertificate,
        Self::Split,
        Self::NewHeadKey,
        Self::StolenHeadKey,
        Self::Equivocation,
        Self::Removal,
    ];

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unplugged => "one node cut off",
            Self::Split => "two nodes cut off from three",
            Self::Slow => "slow lines to one node",
            Self::Killed => "a node killed",
            Self::ClockAhead => "a clock ahead",
            Self::ClockBehind => "a clock behind",
            Self::NewCertificate => "certificate rotated",
            Self::NewHeadKey => "head key rotated",
            Self::StolenHeadKey => "stolen head key replaced",
            Self::Equivocation => "an equivocating node",
            Self::Removal => "the equivocator removed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// A partition, or a slow line.
    pub hold: Duration,
    /// By how much clocks jump, minutes.
    pub jump_min: u32,
    /// How slow slow lines are.
    pub pace: Pace,
    /// Most time until all is whole again.
    pub patience: Duration,
    /// Whether gates and passes are waited for after each fault, and not only at the end.
    pub gates_each_time: bool,
}

/// What was done and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Act {
    /// What.
    pub fault: Fault,
    /// To which province's node.
    pub province: u8,
    /// Seconds from the beginning to its begin.
    pub from_s: f64,
    /// To when it was put right.
    pub until_s: f64,
    /// From then to a registry with everybody's fresh head at every node.
    pub whole_after_s: f64,
    /// From then to a trust list with that registry at every gate, where that was waited for.
    pub gates_after_s: Option<f64>,
    /// Further figures, by name.
    pub figures: BTreeMap<String, f64>,
}

/// Everything that takes part.
pub struct Stage {
    /// The federation.
    pub realm: Realm,
    /// What goes on beside.
    pub load: Load,
    /// What was seen.
    pub books: Books,
    /// What chance brings.
    pub rng: ChaCha8Rng,
    /// How long things last.
    pub measures: Measures,
    /// What was done so far.
    pub acts: Vec<Act>,
    pub(crate) members: Vec<u8>,
    /// Whose keys are known to somebody else.
    pub(crate) caught: Option<u8>,
}

/// The figures of an act under way.
pub(crate) type Figures = BTreeMap<String, f64>;

impl Stage {
    /// Everybody is a member.
    pub fn new(
        realm: Realm,
        load: Load,
        books: Books,
        rng: ChaCha8Rng,
        measures: Measures,
    ) -> Self {
        Self {
            realm,
            load,
            books,
            rng,
            measures,
            acts: Vec::new(),
            members: PROVINCES.to_vec(),
            caught: None,
        }
    }

    pub(crate) fn nodes(&self) -> Vec<Place> {
        self.members.iter().copied().map(Place::Node).collect()
    }

    fn others(&self, code: u8) -> Vec<Place> {
        let mut nodes = self.nodes();
        nodes.retain(|place| *place != Place::Node(code));
        nodes
    }

    /// Nodes in a chance order.
    fn shuffled(&mut self) -> Vec<u8> {
        let mut codes = self.members.clone();
        codes.shuffle(&mut self.rng);
        codes
    }

    /// Has something happen to a node that chance chooses, and looks whether all is well afterwards.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn act(&mut self, fault: Fault) -> Result<&Act> {
        let code = match (fault, self.caught) {
            (Fault::Removal, Some(code)) => code,
            (Fault::Removal, None) => bail!("nobody was caught"),
            _ => *self.members.choose(&mut self.rng).context("a member")?,
        };
        let begun = self.realm.site.elapsed();
        let mut figures = Figures::new();
        let righted = self
            .happen(fault, code, &mut figures)
            .await
            .with_context(|| format!("{fault}, {code}"))?;
        let looked = self.look(fault, begun, righted).await;
        let (whole, gates) = looked.with_context(|| format!("after: {fault}, {code}"))?;
        let after = |at: Duration| at.saturating_sub(righted).as_secs_f64();
        self.acts.push(Act {
            fault,
            province: code,
            from_s: begun.as_secs_f64(),
            until_s: righted.as_secs_f64(),
            whole_after_s: after(whole),
            gates_after_s: gates.map(after),
            figures,
        });
        self.acts.last().context("an act")
    }

    /// Looks whether all is well after a fault was put right; gives when it was, for nodes and gates.
    async fn look(
        &mut self,
        fault: Fault,
        begun: Duration,
        righted: Duration,
    ) -> Result<(Duration, Option<Duration>)> {
        if self.measures.gates_each_time {
            let (whole, gates) = self.whole(begun, righted).await?;
            self.check(false).await?;
            return Ok((whole, Some(gates)));
        }
        let is_noticed = !matches!(fault, Fault::NewCertificate | Fault::Equivocation);
        let whole = if is_noticed {
            let epoch = self.whole_registry(begun, righted).await?;
            self.books.open().all_had(&self.nodes(), epoch)
        } else {
            None
        };
        self.acknowledged(false).await?;
        Ok((whole.unwrap_or(righted), None))
    }

    /// Has it happen; gives when it was put right.
    async fn happen(&mut self, fault: Fault, code: u8, figures: &mut Figures) -> Result<Duration> {
        match fault {
            Fault::Unplugged => self.unplugged(code).await?,
            Fault::Split => self.split().await?,
            Fault::Slow => self.slow(code).await?,
            Fault::Killed => self.killed(code, figures).await?,
            Fault::ClockAhead => self.clock_ahead(code, figures).await?,
            Fault::ClockBehind => self.clock_behind(code, figures).await?,
            Fault::NewCertificate => self.new_certificate(code, figures).await?,
            Fault::NewHeadKey => self.new_head_key(code, figures).await?,
            Fault::StolenHeadKey => self.stolen_head_key(code, figures).await?,
            Fault::Equivocation => self.equivocation(code, figures).await?,
            Fault::Removal => self.removal(code).await?,
        }
        Ok(self.realm.site.elapsed())
    }

    /// After something did not hold: everybody is put right, as far as that goes, so that the rest can be looked at, too.
    ///
    /// # Errors
    /// If somebody cannot be started, or there is no whole registry.
    pub async fn put_right(&mut self) -> Result<()> {
        self.realm.site.network.mend()?;
        for place in self.nodes() {
            if !self.realm.site.runs(place) {
                self.realm.start(place, 0).await?;
            }
            if let Place::Node(code) = place {
                if self.realm.site.is_behind(code) {
                    self.realm.site.note_behind(code, false);
                }
                self.realm
                    .site
                    .move_clock(code, self.realm.site.now().get())
                    .await?;
            }
        }
        self.load.wrong();
        let now = self.realm.site.elapsed();
        self.whole(now, now).await.map(drop)
    }

    /// Waits for an epoch that closed since `begun`, a registry of it with everybody's fresh head at every node, and a trust
    /// list with it at every gate; gives when that was.
    ///
    /// # Errors
    /// If it takes too long.
    pub async fn whole(&self, begun: Duration, since: Duration) -> Result<(Duration, Duration)> {
        let (nodes, gates) = (self.nodes(), gates());
        let epoch = self.whole_registry(begun, since).await?;
        let what = "a trust list with it at every gate";
        until(&self.books, self.measures.patience, what, |book| {
            book.all_had(&gates, epoch).is_some()
        })
        .await?;
        let book = self.books.open();
        let at = book.all_had(&nodes, epoch).zip(book.all_had(&gates, epoch));
        at.context("both were seen")
    }

    /// Waits for the registry alone; gives its epoch.
    pub(crate) async fn whole_registry(&self, begun: Duration, since: Duration) -> Result<u32> {
        let nodes = self.nodes();
        let site = std::sync::Arc::clone(&self.realm.site);
        let epoch_of = |book: &crate::Book| {
            let mut epochs = book.registries.iter();
            let found = epochs.find(|(epoch, seen)| {
                let is_whole = seen.fresh == nodes.len() && seen.heads == nodes.len();
                let at = book.all_had(&nodes, **epoch);
                is_whole && site.closing(**epoch) >= begun && at.is_some_and(|at| at >= since)
            });
            found.map(|(epoch, _)| *epoch)
        };
        let what = "a registry with everybody's head at every node";
        until(&self.books, self.measures.patience, what, |book| {
            epoch_of(book).is_some()
        })
        .await?;
        epoch_of(&self.books.open()).context("an epoch")
    }

    /// Nothing that was acknowledged is lost, no call had an answer that it should not have, and passes are accepted.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn check(&mut self, all: bool) -> Result<()> {
        self.acknowledged(all).await?;
        let patience = self.measures.patience;
        self.load.until_accepted(PASSES, patience).await?;
        self.all_well()
    }

    async fn acknowledged(&mut self, all: bool) -> Result<()> {
        self.load.check(&self.members, all, &mut self.rng).await?;
        self.all_well()
    }

    fn all_well(&self) -> Result<()> {
        let wrong = self.load.wrong();
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(())
    }

    /// Waits, while these form registries and the gates get them.
    async fn hold(&self, others: &[Place]) -> Result<()> {
        let before = self.books.open().newest(others);
        sleep(self.measures.hold).await;
        self.go_on(before, others).await
    }

    /// Waits until these have a newer registry than that of an epoch, and the gates, too.
    async fn go_on(&self, before: u32, others: &[Place]) -> Result<()> {
        let gates = if self.measures.gates_each_time {
            gates()
        } else {
            Vec::new()
        };
        let what = "the others form a registry and the gates have it";
        until(&self.books, self.measures.patience, what, |book| {
            book.all_have(others, before + 1) && book.all_have(&gates, before + 1)
        })
        .await
    }

    async fn unplugged(&mut self, code: u8) -> Result<()> {
        let network = &self.realm.site.network;
        let before = self.load.acknowledged_by(code);
        network.unplug(Place::Node(code))?;
        let held = self.hold(&self.others(code)).await;
        let acknowledged = self.load.acknowledged_by(code) - before;
        network.mend()?;
        held?;
        ensure!(
            acknowledged > 0,
            "node-{code} took nothing while it was cut off"
        );
        Ok(())
    }

    async fn split(&mut self) -> Result<()> {
        let order = self.shuffled();
        let (first, second) = order.split_at(2);
        let mut group: Vec<Place> = first.iter().copied().map(Place::Node).collect();
        group.push(Place::Gate(1));
        let before = self.load.acknowledged_by(first[0]) + self.load.acknowledged_by(second[0]);
        self.realm.site.network.split(&group)?;
        // What was under way may still come about.
        sleep(self.measures.hold / 4).await;
        let newest = self.books.open().newest(&self.nodes());
        sleep(self.measures.hold).await;
        let after = self.books.open().newest(&self.nodes());
        let taken = self.load.acknowledged_by(first[0]) + self.load.acknowledged_by(second[0]);
        self.realm.site.network.mend()?;
        ensure!(
            newest == after,
            "a side without a quorum has a registry of {after}"
        );
        ensure!(
            taken > before,
            "nothing was taken while the network was split"
        );
        Ok(())
    }

    async fn slow(&mut self, code: u8) -> Result<()> {
        let network = &self.realm.site.network;
        network.slow(Place::Node(code), self.measures.pace);
        let held = self.hold(&self.others(code)).await;
        network.mend()?;
        held
    }

    async fn killed(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let place = Place::Node(code);
        self.realm.kill(place)?;
        sleep(self.measures.hold / 4).await;
        let begun = self.realm.site.elapsed();
        self.realm.start(place, 0).await?;
        let took = self.realm.site.since(begun);
        figures.insert("seconds to open the doors".to_owned(), took.as_secs_f64());
        Ok(())
    }

    /// An operator cannot take it back: the node does not start before the time has come that it has closed an epoch for.
    async fn clock_ahead(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let (place, site) = (Place::Node(code), std::sync::Arc::clone(&self.realm.site));
        let to = site
            .now()
            .saturating_add_signed(self.measures.jump_min.into());
        site.minute_begins().await;
        site.move_clock(code, to.get()).await?;
        let before = self.books.open().newest(&self.others(code));
        self.go_on(before, &self.others(code)).await?;
        self.realm.end(place).await?;
        let waited = self.until_it_starts(code, 0).await?;
        figures.insert(
            "seconds until it may start".to_owned(),
            waited.as_secs_f64(),
        );
        Ok(())
    }

    async fn clock_behind(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let (place, site) = (Place::Node(code), std::sync::Arc::clone(&self.realm.site));
        self.realm.end(place).await?;
        site.note_behind(code, true);
        // At once it would lie behind its last epoch; once it has been away for longer than that, nobody can tell it.
        let behind = -i64::from(self.measures.jump_min);
        let waited = self.until_it_starts(code, behind).await?;
        figures.insert("seconds until it starts".to_owned(), waited.as_secs_f64());
        let before = self.books.open().newest(&self.others(code));
        self.go_on(before, &self.others(code)).await?;
        site.minute_begins().await;
        site.move_clock(code, site.now().get()).await?;
        site.note_behind(code, false);
        Ok(())
    }

    /// Starts a node with a clock so far from everybody's, again and again; it must not start while that lies behind the last
    /// epoch that it has closed.
    async fn until_it_starts(&mut self, code: u8, skew_min: i64) -> Result<Duration> {
        let (place, site) = (Place::Node(code), std::sync::Arc::clone(&self.realm.site));
        let closed = self
            .books
            .open()
            .last
            .get(&place)
            .map_or(0, |said| said.closed);
        let begun = site.elapsed();
        loop {
            let clock = site.now().saturating_add_signed(skew_min).get();
            let is_behind = clock + 1 < closed * site.pulse.every_min;
            if self
                .realm
                .try_to_start(place, Hands::Fixed(skew_min))
                .await?
            {
                ensure!(
                    !is_behind,
                    "{place} starts at {clock}, behind its epoch {closed}"
                );
                let waited = site.since(begun);
                // Again with a clock that its operator can put right.
                self.realm.kill(place)?;
                self.realm.start(place, skew_min).await?;
                return Ok(waited);
            }
            let said = crate::process::last_words(&site.home(place));
            ensure!(said.contains("clock"), "{place} does not start: {said}");
            let waited = site.since(begun);
            ensure!(
                waited < self.measures.patience,
                "{place} never starts: {said}"
            );
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn removal(&mut self, code: u8) -> Result<()> {
        // Asked for while it is still there.
        self.load.check(&[code], true, &mut self.rng).await?;
        let number = self.realm.remove(code)?;
        self.realm.site.note_away(code);
        self.realm.end(Place::Node(code)).await?;
        self.members.retain(|member| *member != code);
        let everybody = [self.nodes(), gates()].concat();
        self.realm.hand_out(&everybody)?;
        self.until_root(number).await
    }

    /// Waits until all members and gates have a root document.
    pub(crate) async fn until_root(&self, number: u64) -> Result<()> {
        let everybody = [self.nodes(), gates()].concat();
        let what = "everybody has the new root document";
        until(&self.books, self.measures.patience, what, |book| {
            everybody
                .iter()
                .all(|place| book.last.get(place).is_some_and(|said| said.root >= number))
        })
        .await
    }
}

pub(crate) fn gates() -> Vec<Place> {
    GATES
        .into_iter()
        .map(|(number, _)| Place::Gate(number))
        .collect()
}
