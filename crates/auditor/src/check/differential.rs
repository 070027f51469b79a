//! Rules, relation and rows on random scenes.

use std::path::Path;

use anyhow::{Context, Result, bail};
use circuits::clearance::scene::{Compared, Depth, Disagreement, Support, differential};
use circuits::clearance::shape;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::report::{Finding, Search};
use super::{Args, SearchName};
use crate::files;

/// Scenes between two writings of the state.
const BATCH: u64 = 256;
/// A state takes a few hundred bytes, and a disagreement some more.
const MAX_STATE_BYTES: usize = 1 << 20;

/// What was done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    matrix_sha256: String,
    seed: u64,
    scenes: u64,
    scenes_through_rows: u64,
    supported: u64,
    too_large: u64,
    unsupported: u64,
    witnesses_accepted: u64,
    witnesses_refused: u64,
    witnesses_through_rows: u64,
    disagreements: Vec<String>,
}

impl State {
    fn add(&mut self, compared: &Compared) {
        match compared.support {
            Support::Planned => self.supported += 1,
            Support::TooLarge => self.too_large += 1,
            Support::Unsupported => self.unsupported += 1,
        }
        self.witnesses_accepted += compared.accepted as u64;
        self.witnesses_refused += compared.refused as u64;
        self.witnesses_through_rows += compared.through_rows as u64;
    }

    /// Nothing done.
    fn fresh(seed: u64) -> Self {
        Self {
            matrix_sha256: hex::encode(shape().digest()),
            seed,
            ..Self::default()
        }
    }

    /// From a file, if it is of this circuit and seed; nothing done if there is no such file.
    fn read(path: &Path, seed: u64) -> Result<Self> {
        let fresh = Self::fresh(seed);
        if !path.exists() {
            return Ok(fresh);
        }
        let bytes = files::read(path, MAX_STATE_BYTES)?;
        let state: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is no state of this search", path.display()))?;
        if (&state.matrix_sha256, state.seed) != (&fresh.matrix_sha256, seed) {
            bail!("{} is of another circuit or another seed", path.display());
        }
        Ok(state)
    }

    fn write(&self, path: &Path) -> Result<()> {
        files::write_whole(path, &serde_json::to_vec_pretty(self)?)
    }
}

pub(super) fn search(args: &Args) -> Result<Search> {
    let (records, through_rows) = if args.full {
        (100_000, 5_000)
    } else {
        (400, 24)
    };
    let records = args.records.unwrap_or(records);
    let through_rows = args.through_rows.unwrap_or(through_rows);
    let mut state = match &args.state {
        Some(path) => State::read(path, args.seed)?,
        None => State::fresh(args.seed),
    };
    let bar = files::progress(records + through_rows, "random scenes");
    bar.set_position(state.scenes + state.scenes_through_rows);
    for (depth, wanted) in [(Depth::Relation, records), (Depth::Rows, through_rows)] {
        let done = |state: &State| match depth {
            Depth::Relation => state.scenes,
            Depth::Rows => state.scenes_through_rows,
        };
        while done(&state) < wanted && state.disagreements.is_empty() {
            let from = done(&state);
            let to = wanted.min(from + BATCH);
            // Seeds of scenes: the search's own in the upper bits, so that no two searches share scenes.
            let seeds =
                (from..to).map(|n| args.seed << 40 | n << 1 | u64::from(depth == Depth::Rows));
            let seeds: Vec<u64> = seeds.collect();
            let compared: Vec<Result<Compared, Disagreement>> = seeds
                .par_iter()
                .map(|seed| differential(*seed, depth))
                .collect();
            for compared in compared {
                match compared {
                    Ok(compared) => state.add(&compared),
                    Err(disagreement) => state.disagreements.push(disagreement.to_string()),
                }
            }
            match depth {
                Depth::Relation => state.scenes = to,
                Depth::Rows => state.scenes_through_rows = to,
            }
            bar.inc(to - from);
            if let Some(path) = &args.state {
                state.write(path)?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(report(&state))
}

fn report(state: &State) -> Search {
    let mut search = Search::new(SearchName::Differential);
    search.figure("seed", state.seed);
    search.figure("scenes, rules against relation", state.scenes);
    search.figure("scenes, through the rows, too", state.scenes_through_rows);
    search.figure("claims supported and planned", state.supported);
    search.figure("supported, but too large for a proof", state.too_large);
    search.figure("claims not supported", state.unsupported);
    search.figure("witnesses accepted", state.witnesses_accepted);
    search.figure("witnesses refused", state.witnesses_refused);
    search.figure("witnesses through the rows", state.witnesses_through_rows);
    for disagreement in &state.disagreements {
        search.finding(Finding::fault("disagreement", disagreement.clone()));
    }
    search
}
