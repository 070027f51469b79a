//! cvc5 on systems whose answer is known: that it is rightly asked, and that its limit of time holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ark_ff::PrimeField as _;
use commitment::Fr;
use serde::Deserialize;

use super::Asker;
use super::process;
use super::report::Check;
use super::tools::Tools;

/// What the solver says of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Sat,
    Unsat,
    Unknown,
    Timeout,
    Error,
}

/// The solver's answer to a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) id: String,
    #[serde(rename = "answer")]
    pub(super) verdict: Verdict,
    pub(super) seconds: f64,
    /// Values of the declared constants, as decimal numbers.
    #[serde(default)]
    pub(super) model: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) detail: String,
}

/// Asks the solver, if it is installed: each query is an id and SMT-LIB, and has `limit` for itself.
pub(super) fn solve(
    tools: &Tools,
    queries: &[(&str, String)],
    limit: Duration,
) -> Result<Option<Vec<Answer>>> {
    let Some(mut command) = tools.solver() else {
        return Ok(None);
    };
    let mut input = String::new();
    for (id, query) in queries {
        let _ = writeln!(input, "; query {id}\n{query}");
    }
    command.args(["--limit-s", &limit.as_secs_f64().to_string()]);
    let count = u32::try_from(queries.len())?;
    // Each query's limit and a second to start it in, and the tool's own limit for starting at all.
    let whole = (limit + Duration::from_secs(1)) * count + tools.limit;
    let done = process::run(&mut command, input.as_bytes(), whole)?;
    ensure!(
        done.code == Some(0),
        "solve.py ended with {:?}: {}",
        done.code,
        done.stderr.trim()
    );
    let answers = done.stdout.lines().map(|line| {
        serde_json::from_str(line).with_context(|| format!("solve.py answered {line}"))
    });
    answers.collect::<Result<_>>().map(Some)
}

/// Longest for the queries below, all but the last of which take milliseconds.
const LIMIT: Duration = Duration::from_secs(3);

pub(super) fn ask(asker: &mut Asker<'_>) -> Result<Vec<Check>> {
    let queries = [
        (
            "x·x = x, x not 0",
            query(1, &["(= (ff.mul x0 x0) x0)", "(not (= x0 (as ff0 F)))"]),
        ),
        (
            "two bits that make 3",
            query(
                2,
                &[
                    "(= (ff.mul x0 x0) x0)",
                    "(= (ff.mul x1 x1) x1)",
                    "(= (ff.add x0 x1) (as ff3 F))",
                ],
            ),
        ),
        ("dense equations of degree 3", dense(9)),
    ];
    let expected = ["sat, x0 = 1", "unsat", "timeout"];
    asker.bar.inc_length(1);
    let answers = solve(asker.tools, &queries, LIMIT)?;
    asker.bar.inc(1);
    let checks = answers.into_iter().flatten().map(|answer| {
        let place = queries.iter().position(|(id, _)| *id == answer.id);
        let place = place.with_context(|| format!("solve.py answered {}", answer.id))?;
        let answered = match answer.verdict {
            Verdict::Sat => {
                let model = answer
                    .model
                    .iter()
                    .map(|(x, value)| format!("{x} = {value}"));
                format!("sat, {}", model.collect::<Vec<_>>().join(", "))
            }
            Verdict::Error => format!("error: {}", answer.detail),
            other => format!("{other:?}").to_lowercase(),
        };
        Ok(Check {
            part: "solver",
            tool: "cvc5",
            asked: answer.id,
            expected: expected[place].to_owned(),
            answered,
            elapsed: Duration::try_from_secs_f64(answer.seconds).ok(),
        })
    });
    checks.collect()
}

/// A query over `count` constants x0, x1, …
fn query(count: usize, assertions: &[&str]) -> String {
    let mut text = format!(
        "(set-logic QF_FF)\n(define-sort F () (_ FiniteField {}))\n",
        Fr::MODULUS
    );
    for n in 0..count {
        let _ = writeln!(text, "(declare-const x{n} F)");
    }
    for assertion in assertions {
        let _ = writeln!(text, "(assert {assertion})");
    }
    text + "(check-sat)\n"
}

/// As many equations as constants, with so many solutions over the field's closure (3 to the power `count`) that no
/// basis is found in seconds.
fn dense(count: usize) -> String {
    let mut equations = Vec::with_capacity(count);
    let mut coefficient = Fr::from(7);
    for row in 0..count {
        let mut terms = String::new();
        for n in 0..count {
            coefficient = coefficient * coefficient + Fr::from(3);
            let [a, b, c] = [n, (n + row + 1) % count, (n * row + 2) % count];
            let _ = write!(terms, " (ff.mul (as ff{coefficient} F) x{a} x{b} x{c})");
        }
        equations.push(format!("(= (ff.add{terms}) (as ff{} F))", row + 1));
    }
    query(
        count,
        &equations.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}
