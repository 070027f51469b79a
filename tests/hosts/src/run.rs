//! A whole run: the federation is founded, left alone for a while, and put through one fault after the other.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use crate::load::{Load, LoadPace};
use crate::network::Wanted;
use crate::programs::Programs;
use crate::realm::Realm;
use crate::report::Report;
use crate::sample::{Sample, Samples};
use crate::site::Pulse;
use crate::stage::{Fault, Measures, Stage};
use crate::watch::{Books, Watch, look_at_all};

/// What a run is to be.
#[derive(Clone, Debug)]
pub struct Order {
    /// A directory that is not there yet.
    pub dir: PathBuf,
    /// What is run.
    pub programs: Programs,
    /// What hosts stand on.
    pub network: Wanted,
    /// How fast all goes.
    pub pulse: Pulse,
    /// How long things last.
    pub measures: Measures,
    /// What happens, in this order, again and again while there is time.
    pub faults: Vec<Fault>,
    /// How long it lasts; without it each fault happens once.
    pub lasts: Option<Duration>,
    /// Time at first in which nobody calls.
    pub quiet: Duration,
    /// What goes on beside.
    pub load: LoadPace,
    /// Seed.
    pub seed: u64,
}

/// A run that is over.
pub struct Ran {
    /// What it came to.
    pub report: Report,
    /// Memory, processor time and disk.
    pub samples: Vec<Sample>,
}

/// Runs it; `tell` hears what is going on and how long it has gone on.
///
/// # Errors
/// If the run itself cannot be made; what does not hold stands in the report.
pub async fn run(order: Order, tell: &(dyn Fn(Duration, &str) + Sync)) -> Result<Ran> {
    tell(Duration::ZERO, "founding");
    let Order { dir, programs, .. } = order.clone();
    let mut realm = Realm::found(&dir, programs, order.network, order.pulse).await?;
    let site = std::sync::Arc::clone(&realm.site);
    let mut report = Report {
        network: site.network.to_string(),
        seed: order.seed,
        epoch_s: site.pulse.epoch().as_secs(),
        ..Report::default()
    };
    tell(site.elapsed(), &format!("starting on {}", site.network));
    let books = Books::default();
    let (_watch, samples) = (Watch::begin(&site, &books), Samples::begin(&site));
    realm.start_all().await?;
    let load = Load::begin(&site, order.seed, order.load);
    let rng = ChaCha8Rng::seed_from_u64(order.seed);
    let mut stage = Stage::new(realm, load, books.clone(), rng, order.measures);
    let went = put_through(&order, &mut stage, &samples, &mut report, tell).await;
    if let Err(error) = went {
        report.failures.push(format!("{error:#}"));
    }
    report.seconds = site.elapsed().as_secs();
    report.acts.clone_from(&stage.acts);
    report.counts = stage.load.done().counts;
    report.verdicts.clone_from(&stage.load.done().verdicts);
    report.refusals.clone_from(&stage.load.done().refusals);
    let samples = samples.all().clone();
    report.take(&site, &books.open(), &samples, &stage.nodes());
    Ok(Ran { report, samples })
}

async fn put_through(
    order: &Order,
    stage: &mut Stage,
    samples: &Samples,
    report: &mut Report,
    tell: &(dyn Fn(Duration, &str) + Sync),
) -> Result<()> {
    let site = std::sync::Arc::clone(&stage.realm.site);
    stage.load.pause(true);
    let whole = stage.whole(Duration::ZERO, Duration::ZERO).await;
    whole.context("the first registry")?;
    if !order.quiet.is_zero() {
        tell(site.elapsed(), "nobody calls");
        let from = site.elapsed();
        sleep(order.quiet).await;
        let between = (from.as_secs_f64(), site.elapsed().as_secs_f64());
        report.take_idle(&samples.all(), between);
    }
    stage.load.pause(false);
    tell(site.elapsed(), "nothing is wrong");
    if order.measures.gates_each_time {
        stage.check(false).await.context("at first")?;
    }
    for fault in schedule(order, &site) {
        tell(site.elapsed(), fault.words());
        if let Err(error) = stage.act(fault).await {
            report.failures.push(format!("{error:#}"));
            tell(site.elapsed(), &format!("FAILED: {error:#}"));
            stage.put_right().await.context("after what failed")?;
        }
        tell(site.elapsed(), "nothing is wrong");
        if order.lasts.is_some() {
            sleep(site.pulse.epoch() * 2).await; // so that there is something to compare with
        }
    }
    if let Some(lasts) = order.lasts {
        sleep(lasts.saturating_sub(site.elapsed())).await;
    }
    tell(site.elapsed(), "looking at all once more");
    let now = site.elapsed();
    stage.whole(now, now).await.context("at the end")?;
    let members = stage.members.clone();
    stage.check(true).await.context("at the end")?;
    let patience = stage.measures.patience;
    stage.load.all_arrived(&members, patience).await?;
    look_at_all(&site, &members, &stage.books).await?;
    stage.load.pause(true);
    tell(site.elapsed(), "ending in order");
    stage.realm.end_all().await
}

/// The faults, while there is time; what takes somebody away for good comes last.
fn schedule<'a>(order: &'a Order, site: &'a crate::Site) -> impl Iterator<Item = Fault> + 'a {
    let last = order
        .faults
        .iter()
        .copied()
        .filter(|f| *f == Fault::Removal);
    let round = order
        .faults
        .iter()
        .copied()
        .filter(|f| *f != Fault::Removal);
    let rounds: Box<dyn Iterator<Item = Fault> + Send> = match order.lasts {
        None => Box::new(round),
        Some(lasts) => {
            // Time for one more, for the last ones and for looking at all.
            let reserve = order.measures.patience + order.measures.hold;
            let is_time = move |_: &Fault| site.elapsed() + reserve < lasts;
            let round: Vec<Fault> = round.collect();
            let first = round.len();
            // A slot has three head keys at most.
            let again = move |(index, fault): (usize, Fault)| {
                (index < first || fault != Fault::NewHeadKey).then_some(fault)
            };
            let rounds = round.into_iter().cycle().take_while(is_time);
            Box::new(rounds.enumerate().filter_map(again))
        }
    };
    rounds.chain(last)
}
