//! Rows left out: would it be noticed?

use std::collections::BTreeMap;

use anyhow::Result;
use r1cs_audit::determinism::Index;
use r1cs_audit::dropping::{noticed_by_attempt, noticed_by_uniqueness, rows_by_kind};
use r1cs_audit::values::broken_rows;
use rayon::prelude::*;

use super::report::{Finding, Search};
use super::{Args, SearchName, uniqueness};
use crate::system::{CircuitName, attempted};
use crate::{files, vectors};

/// How a missing row is noticed.
enum Notice {
    /// Some wire no longer follows.
    Uniqueness,
    /// An attempt would pass.
    Attempt,
    /// Not at all.
    Nothing,
}

pub(super) fn search(args: &Args) -> Result<Search> {
    let mut search = Search::new(SearchName::Dropped);
    let system = args.circuit.system();
    let index = Index::new(system);
    let (given, idle) = (
        uniqueness::given(args.circuit),
        uniqueness::idle(args.circuit),
    );
    let attempts = broken_by_attempts(args.circuit)?;
    let kinds = rows_by_kind(system);
    // In the reduced form the first row of each kind stands for all.
    let dropped: Vec<(&String, usize)> = kinds
        .iter()
        .flat_map(|(kind, rows)| {
            let count = if args.full { rows.len() } else { 1 };
            rows.iter().take(count).map(move |row| (kind, *row))
        })
        .collect();
    let bar = files::progress(dropped.len() as u64, "rows left out");
    let noticed: Vec<Notice> = dropped
        .par_iter()
        .map(|(kind, row)| {
            let rows = &kinds[*kind];
            let notice =
                if noticed_by_uniqueness(system, &index, (&given, &idle), &[*row]).is_some() {
                    Notice::Uniqueness
                } else if attempts
                    .values()
                    .any(|broken| noticed_by_attempt(broken, rows))
                {
                    Notice::Attempt
                } else {
                    Notice::Nothing
                };
            bar.inc(1);
            notice
        })
        .collect();
    bar.finish_and_clear();
    let mut by_kind: BTreeMap<&String, [usize; 3]> = BTreeMap::new();
    for ((kind, _), notice) in dropped.iter().zip(&noticed) {
        let counts = by_kind.entry(kind).or_default();
        counts[match notice {
            Notice::Uniqueness => 0,
            Notice::Attempt => 1,
            Notice::Nothing => 2,
        }] += 1;
    }
    report(&mut search, &by_kind, &attempts, &kinds);
    Ok(search)
}

fn report(
    search: &mut Search,
    by_kind: &BTreeMap<&String, [usize; 3]>,
    attempts: &BTreeMap<String, Vec<usize>>,
    kinds: &BTreeMap<String, Vec<usize>>,
) {
    let rows = |n: usize| by_kind.values().map(|counts| counts[n]).sum::<usize>();
    search.figure("kinds of rows", by_kind.len());
    search.figure("attempts at hand", attempts.len());
    search.figure("rows left out in turn", rows(0) + rows(1) + rows(2));
    search.figure("noticed by uniqueness", rows(0));
    search.figure("noticed by an attempt", rows(1));
    search.figure("not noticed", rows(2));
    for (kind, counts) in by_kind {
        if counts[1] > 0 {
            let rows = &kinds[*kind];
            let who = attempts
                .iter()
                .filter(|(_, broken)| noticed_by_attempt(broken, rows));
            let who: Vec<&str> = who.map(|(name, _)| name.as_str()).take(3).collect();
            let what = format!("conditions on what is unique; missed by {}", who.join(", "));
            search.finding(Finding::explained(kind, what));
        }
        if counts[2] > 0 {
            let what = format!("{} rows could be missing and nothing would tell", counts[2]);
            search.finding(Finding::fault(kind, what));
        }
    }
}

/// The rows that each shipped attempt breaks.
fn broken_by_attempts(circuit: CircuitName) -> Result<BTreeMap<String, Vec<usize>>> {
    let all = match circuit {
        CircuitName::Clearance => attempted(&vectors::shipped()?),
        CircuitName::Opening => attempted(&vectors::shipped_openings()?),
        CircuitName::Pseudonym => attempted(&vectors::shipped_pseudonyms()?),
    };
    let broken = all.into_par_iter();
    Ok(broken
        .map(|(name, values)| (name, broken_rows(circuit.system(), &values)))
        .collect())
}
