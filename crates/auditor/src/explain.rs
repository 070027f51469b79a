//! `auditor explain`: the colour of a record given as JSON, every reason for it, and on request a proof of a claim about it.

mod input;
mod report;
mod specimen;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use rules::{Minute, RuleSet, evaluate};

use crate::{Outcome, files};

pub(crate) use input::rule_set;

/// Explain a record: its colour under a rule set and a risk map at a moment, and all reasons, open or closed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor explain --rule-set fj-2022-08 --at 27699359 record.json
  auditor explain --rule-set hz-2020-02 --risk-map 202208*.json --at '2022-08-31 23:59' record.json --json
  auditor explain --rule-set mine.toml --risk-map map.json --at 27699359 record.json
  auditor explain --rule-set fj-2022-08 --at 27699359 record.json --prove --claim green --test-age 48

RECORD.json, all four parts optional, times in minutes since the Unix epoch, days since 1970-01-01 in UTC+8:
  {\"stays\":     [{\"place\": \"330102001/17\", \"begin\": 27690000, \"end\": 27691000}],
   \"facts\":     [{\"kind\": \"close-contact\", \"province\": 33, \"begin\": 27690000, \"end\": null}],
   \"negatives\": [27698000],
   \"runs\":      [{\"first\": 19220, \"last\": 19235}]}
Kinds: confirmed-case, asymptomatic-case, suspected-case, screened-positive, close-contact, secondary-contact, entry,
cold-chain-once, cold-chain-frequent, fever-clinic, possible-link, assist-list, potential-risk, pooled-tube, symptoms.

--risk-map takes published lists, one fact table (.zst), or one map of your own, whose gaps are unlisted:
  {\"listed\": [{\"from\": \"330102001/17\", \"last\": \"330102001/17\",
               \"periods\": [{\"grade\": \"high\", \"since\": 27680000, \"until\": 67108863}]}]}
Lists and tables are taken as known at the moment of --at. Without --risk-map nothing is listed.

--prove puts the record into a made-up federation, proves the claim under a test key, and verifies the proof as a gate would.
Exit code 1 if the record does not support the claim; the reasons against it are printed.")]
pub(crate) struct Args {
    /// The record
    #[arg(value_name = "RECORD.json")]
    record: PathBuf,
    /// A built-in rule set's identifier, or a TOML file
    #[arg(long, value_name = "ID|FILE")]
    rule_set: String,
    /// Published lists, a fact table, or a map
    #[arg(long, value_name = "FILE", num_args = 1..)]
    risk_map: Vec<PathBuf>,
    /// Minutes since the Unix epoch, or 'YYYY-MM-DD HH:MM' in UTC+8
    #[arg(long, value_parser = moment)]
    at: Minute,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    specimen: specimen::ProveArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let rule_set = input::rule_set(&args.rule_set)?;
    let record = input::record(&args.record)?;
    let map = input::risk_map(&args.risk_map, args.at)?;
    let evaluation = evaluate(&record, rule_set.table(), &map, args.at)
        .with_context(|| format!("{} cannot be evaluated", args.record.display()))?;
    let subject = specimen::Subject {
        record: &record,
        rule_set: &rule_set,
        map: &map,
        at: args.at,
        evaluation: &evaluation,
    };
    let attempt = (args.specimen.prove)
        .then(|| specimen::attempt(&args.specimen, &subject))
        .transpose()?;
    let report = report::Report::new(&rule_set, args.at, &evaluation, attempt.as_ref());
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    };
    files::print(&text)?;
    match attempt {
        Some(attempt) if !attempt.holds() => {
            eprintln!("auditor: the claim is not proved");
            Ok(Outcome::Differs)
        }
        _ => Ok(Outcome::Agrees),
    }
}

fn moment(text: &str) -> Result<Minute> {
    let minute = match text.parse::<u32>() {
        Ok(minutes) => Minute::new(minutes),
        Err(_) => text.parse(),
    };
    minute.map_err(|error| anyhow!(error))
}

/// What a rule set is called in a report.
fn name(rule_set: &RuleSet) -> String {
    format!("{} version {}", rule_set.id(), rule_set.version())
}
