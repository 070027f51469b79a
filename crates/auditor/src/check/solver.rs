//! cvc5 on the steps of the uniqueness search: each is asked of a program that is not ours.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use commitment::Fr;
use r1cs_audit::determinism::{Premise, Rule};
use r1cs_audit::smt;

use super::Args;
use super::report::{Finding, Search};
use crate::files;
use crate::outside::{SolverAnswer, ask_solver};

/// Longest for one question.
const LIMIT: Duration = Duration::from_secs(20);
/// Questions in one run of the solver, between two steps of the progress bar.
const AT_ONCE: usize = 16;

/// A step to be confirmed.
pub(super) struct Step {
    pub(super) rule: Rule,
    pub(super) kind: String,
    pub(super) wire: usize,
    pub(super) premise: Arc<Premise<Fr>>,
}

/// What the solver said of a step.
pub(super) struct Confirmed {
    rule: Rule,
    kind: String,
    answer: SolverAnswer,
}

/// Asks the solver about steps; nothing if it is not installed.
pub(super) fn confirm(steps: &[Step], args: &Args) -> Result<Option<Vec<Confirmed>>> {
    let bar = files::progress(steps.len() as u64, "asking the solver");
    let mut confirmed = Vec::with_capacity(steps.len());
    for some in steps.chunks(AT_ONCE) {
        let queries: Vec<String> = some
            .iter()
            .map(|step| smt::can_differ(args.circuit.system(), &step.premise, step.wire))
            .collect();
        let Some(answers) = ask_solver(args.tools.as_deref(), &queries, LIMIT)? else {
            bar.finish_and_clear();
            return Ok(None);
        };
        for (step, answer) in some.iter().zip(answers) {
            let kind = step.kind.clone();
            confirmed.push(Confirmed {
                rule: step.rule,
                kind,
                answer,
            });
        }
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(Some(confirmed))
}

/// Notes what the solver confirmed, what it contradicts, and what it did not decide.
pub(super) fn report(search: &mut Search, asked: Option<Vec<Confirmed>>) {
    let Some(asked) = asked else {
        search.missing("cvc5, about the steps of this search");
        return;
    };
    search.figure("steps asked of cvc5", asked.len());
    let unsat = |c: &&Confirmed| c.answer == SolverAnswer::Unsat;
    search.figure("confirmed by cvc5", asked.iter().filter(unsat).count());
    for step in asked {
        let word = step.rule.word();
        match step.answer {
            SolverAnswer::Unsat => {}
            SolverAnswer::Sat => {
                let what = format!("cvc5 finds a second value, against the rule {word}");
                search.finding(Finding::fault(&step.kind, what));
            }
            SolverAnswer::Failed(why) => {
                let what = format!("cvc5 gave no answer to the rule {word}: {why}");
                search.finding(Finding::fault(&step.kind, what));
            }
            SolverAnswer::Undecided(why) => {
                let what = format!("not decided by cvc5 ({why}); {}", argument(step.rule));
                search.finding(Finding::explained(&step.kind, what));
            }
        }
    }
}

/// Why a step holds that the solver does not decide.
const fn argument(rule: Rule) -> &'static str {
    match rule {
        Rule::Given => "nothing is concluded",
        Rule::Linear => "one unknown of a linear equation with a coefficient that is not zero",
        Rule::Bits => {
            "weights of which each exceeds the sum of the smaller, all of them below the modulus: two choices of bits \
             differ first at some highest weight, which the others cannot make up for"
        }
        Rule::Ranges => {
            "numbers in a mixed base: the minute of the day is at most 1,439 by a row of its own, so 1,440 times the day plus \
             the minute is reached in one way, as in any positional notation, and stays far below the modulus"
        }
        Rule::ZeroTest => {
            "if the value is zero so is the product; if not, the second row makes the product one"
        }
        Rule::Cases => "both cases of a known bit give the wire by linear equations",
        _ => "see the rule",
    }
}
