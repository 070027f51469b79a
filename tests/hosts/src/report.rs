//! What a run came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::book::{Book, Wrong};
use crate::host::Place;
use crate::load::Counts;
use crate::sample::Sample;
use crate::site::Site;
use crate::stage::{Act, Fault, gates};

/// Several times, seconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The one in the middle.
    pub median_s: f64,
    /// The longest.
    pub max_s: f64,
}

impl Spread {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            count: times.len(),
            median_s: times.get(times.len() / 2).copied().unwrap_or_default(),
            max_s: times.last().copied().unwrap_or_default(),
        }
    }
}

/// A node while nobody calls it.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// Share of one core, percent.
    pub cpu_percent: f64,
}

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// What hosts stood on.
    pub network: String,
    /// Seed.
    pub seed: u64,
    /// How long it took, seconds.
    pub seconds: u64,
    /// Real time between two epochs, seconds.
    pub epoch_s: u64,
    /// What was done, in order.
    pub acts: Vec<Act>,
    /// Epochs that found a registry.
    pub registries: usize,
    /// How often somebody was looked at.
    pub looks: u64,
    /// From an epoch's closing minute to its registry at every node, while nothing was wrong.
    pub closed_to_nodes: Spread,
    /// From an epoch's closing minute to a trust list with its registry at every gate, while nothing was wrong.
    pub closed_to_gates: Spread,
    /// From the end of a partition to a registry with everybody's fresh head at every node.
    pub whole_after_partition: Spread,
    /// From then to a trust list with it at every gate.
    pub gates_after_partition: Spread,
    /// Each node in the quiet minute.
    pub idle: BTreeMap<String, Idle>,
    /// What each has on its disk at the end, bytes.
    pub disk_bytes: BTreeMap<String, u64>,
    /// Most resident memory of each, bytes.
    pub memory_max_bytes: BTreeMap<String, u64>,
    /// What was done beside.
    pub counts: Counts,
    /// Verdicts at the gates, by code.
    pub verdicts: BTreeMap<String, u64>,
    /// Why residents got no pass when they asked, by reason.
    pub refusals: BTreeMap<String, u64>,
    /// What did not hold; empty if all did.
    pub failures: Vec<String>,
    /// What was seen that should never be.
    pub wrong: Vec<Wrong>,
}

impl Report {
    /// Whether all held.
    pub fn all_held(&self) -> bool {
        self.failures.is_empty() && self.wrong.is_empty()
    }

    /// Takes figures from what was seen.
    pub(crate) fn take(&mut self, site: &Site, book: &Book, samples: &[Sample], nodes: &[Place]) {
        self.registries = book.registries.len();
        self.looks = book.looks;
        self.wrong.clone_from(&book.wrong);
        let calm = |epoch: u32| {
            let at_s = site.closing(epoch).as_secs_f64();
            let is_within = |act: &&Act| {
                let margin_s = 2.0 * site.pulse.epoch().as_secs_f64();
                at_s > act.from_s - margin_s && at_s < act.until_s + act.whole_after_s
            };
            !self.acts.iter().any(|act| is_within(&act))
        };
        let delays = |places: &[Place]| {
            let epochs = book.registries.keys().filter(|epoch| calm(**epoch));
            let delays = epochs.filter_map(|epoch| {
                let closing = site.closing(*epoch);
                let had = book.all_had(places, *epoch)?;
                had.checked_sub(closing).as_ref().map(Duration::as_secs_f64)
            });
            Spread::of(delays.collect())
        };
        (self.closed_to_nodes, self.closed_to_gates) = (delays(nodes), delays(&gates()));
        let partitions = || {
            let is_one = |act: &&Act| matches!(act.fault, Fault::Unplugged | Fault::Split);
            self.acts.iter().filter(is_one)
        };
        let whole = partitions().map(|act| act.whole_after_s).collect();
        let listed = partitions().filter_map(|act| act.gates_after_s).collect();
        self.whole_after_partition = Spread::of(whole);
        self.gates_after_partition = Spread::of(listed);
        for sample in samples {
            let name = sample.place.to_string();
            self.disk_bytes.insert(name.clone(), sample.disk_bytes);
            let most = self.memory_max_bytes.entry(name).or_default();
            *most = sample.memory_bytes.max(*most);
        }
    }

    /// Takes the figures of a time in which nobody calls.
    pub(crate) fn take_idle(&mut self, samples: &[Sample], (from_s, to_s): (f64, f64)) {
        let within: Vec<&Sample> = samples
            .iter()
            .filter(|sample| sample.at_s >= from_s && sample.at_s <= to_s)
            .collect();
        for first in &within {
            let last = within
                .iter()
                .rev()
                .find(|sample| sample.place == first.place);
            let (Place::Node(_), Some(last)) = (first.place, last) else {
                continue;
            };
            let name = first.place.to_string();
            if last.at_s > first.at_s && !self.idle.contains_key(&name) {
                let idle = Idle {
                    memory_bytes: last.memory_bytes,
                    cpu_percent: 100.0 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s),
                };
                self.idle.insert(name, idle);
            }
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "five nodes and two gates on {}, {} s, an epoch each {} s, seed {}\n\n",
            self.network, self.seconds, self.epoch_s, self.seed
        );
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        line(format!(
            "{:28} {:>4}  {:>7} {:>7}  {:>11} {:>11}",
            "what happened", "to", "from s", "to s", "whole after", "gates after"
        ));
        for act in &self.acts {
            let mut figures = String::new();
            for (name, figure) in &act.figures {
                let _ = write!(figures, "  {name}: {figure:.2}");
            }
            let gates = act
                .gates_after_s
                .map_or("-".to_owned(), |after| format!("{after:.1} s"));
            line(format!(
                "{:28} {:>4}  {:>7.0} {:>7.0}  {:>9.1} s {gates:>11}{figures}",
                act.fault.words(),
                act.province,
                act.from_s,
                act.until_s,
                act.whole_after_s,
            ));
        }
        line(String::new());
        for (what, spread) in [
            (
                "epoch closed to its registry at every node",
                &self.closed_to_nodes,
            ),
            (
                "epoch closed to a list with it at every gate",
                &self.closed_to_gates,
            ),
            (
                "partition over to everybody's fresh heads",
                &self.whole_after_partition,
            ),
            (
                "partition over to a list with them at every gate",
                &self.gates_after_partition,
            ),
        ] {
            line(format!(
                "{what}: median {:.1} s, max {:.1} s of {}",
                spread.median_s, spread.max_s, spread.count
            ));
        }
        for (name, idle) in &self.idle {
            line(format!(
                "{name} idle: {:.0} MB, {:.1} % of a core",
                mb(idle.memory_bytes),
                idle.cpu_percent
            ));
        }
        for (name, bytes) in &self.disk_bytes {
            let most = self.memory_max_bytes.get(name).copied().unwrap_or_default();
            line(format!(
                "{name}: {:.1} MB on disk at the end, {:.0} MB of memory at most",
                mb(*bytes),
                mb(most)
            ));
        }
        let counts = &self.counts;
        line(format!(
            "{} registries; {} events acknowledged, {} of them for other provinces, none lost of {} asked for again; {} \
             passes made, {} accepted, {} not within a minute",
            self.registries,
            counts.events_acknowledged,
            counts.events_forwarded,
            counts.events_asked_for_again,
            counts.passes_made,
            counts.passes_accepted,
            counts.passes_not_accepted
        ));
        for wrong in &self.wrong {
            line(format!("WRONG at {} s: {}", wrong.at_s, wrong.what));
        }
        for failure in &self.failures {
            line(format!("FAILED: {failure}"));
        }
        text
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes are told with a digit or two"
)]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle_and_the_longest() {
        let spread = Spread::of(vec![9.0, 1.0, 2.0]);
        assert_eq!((spread.count, spread.median_s, spread.max_s), (3, 2.0, 9.0));
        assert_eq!(Spread::of(Vec::new()).count, 0);
    }

    #[test]
    fn an_idle_node_is_told_by_what_it_took_between_two_moments() {
        let sample = |at_s, cpu_s, memory_bytes| Sample {
            at_s,
            place: Place::Node(33),
            memory_bytes,
            cpu_s,
            disk_bytes: 0,
        };
        let mut report = Report::default();
        let samples = [
            sample(0.0, 0.0, 9),
            sample(10.0, 5.0, 7),
            sample(20.0, 5.5, 8),
            sample(30.0, 9.0, 9),
        ];
        report.take_idle(&samples, (10.0, 20.0));
        let idle = &report.idle["node-33"];
        assert_eq!((idle.memory_bytes, idle.cpu_percent), (8, 5.0));
    }
}
