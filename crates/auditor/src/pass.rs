//! `auditor pass`: a code taken apart to its last byte, with what each field reveals and to whom.

mod input;
mod pair;
mod report;

use anatomy::{Anatomy, Signature};
use anyhow::{Context, Result, bail};
use rules::RuleSet;
use verifier::RuleSetShortId;

use crate::{Outcome, explain, files};

/// Decode a code to its last byte: each field's offset, value, meaning, and what it reveals to whom.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor pass 'VIR1:6BF…'
  auditor pass code.png --json
  scanner | auditor pass -
  auditor pass 'VIR1:6BF…' --other 'VIR1:7CG…'        what two codes together reveal
  auditor pass code.png --rule-set cn-demo.toml       names a rule set that is not built in

Needs no network, no trust list and no key: what stands here is what anybody sees who reads the code. Whether the proof
holds is for a checkpoint to say, which has the trust list. Exit code 1 if the holder's signature does not fit, 3 if the
text is damaged.")]
pub(crate) struct Args {
    /// A text that begins with VIR1:, a file (PNG or text), or - for either on standard input
    #[arg(value_name = "QRTEXT|FILE|-")]
    code: String,
    /// A second code: which fields are equal, and what that means
    #[arg(long, value_name = "QRTEXT|FILE|-")]
    other: Option<String>,
    /// A rule set whose short name is to be recognised, besides the built-in ones
    #[arg(long, value_name = "FILE")]
    rule_set: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    if args.code == "-" && args.other.as_deref() == Some("-") {
        bail!("standard input can be read once");
    }
    let known = KnownRuleSets::new(&args.rule_set)?;
    let one = read(&args.code, &known).context("the code is refused")?;
    let other = (args.other.as_deref())
        .map(|input| read(input, &known).context("the other code is refused"))
        .transpose()?;
    let together = other.as_ref().map(|other| pair::compare(&one, other));
    let report = report::Report::new(&one, other.as_ref(), together.as_ref());
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    };
    files::print(&text)?;
    let signed = |code: &Anatomy| code.signature != Signature::DoesNotFit;
    if signed(&one) && other.as_ref().is_none_or(signed) {
        Ok(Outcome::Agrees)
    } else {
        eprintln!("auditor: the signature does not fit the pass's own key");
        Ok(Outcome::Differs)
    }
}

fn read(input: &str, known: &KnownRuleSets) -> Result<Anatomy> {
    let name = |short| known.name(short).map(str::to_owned);
    Ok(Anatomy::of(&input::text(input)?, &name)?)
}

/// Rule sets whose short names can be resolved without a trust list.
struct KnownRuleSets(Vec<(RuleSetShortId, String)>);

impl KnownRuleSets {
    fn new(further: &[String]) -> Result<Self> {
        let named = |set: &RuleSet| {
            let digest = commitment::rule_digest(set.table());
            (RuleSetShortId::of_digest(digest), set.id().to_string())
        };
        let mut all = Vec::new();
        for id in RuleSet::BUILT_IN {
            all.push(named(&RuleSet::built_in(id)?));
        }
        for file in further {
            all.push(named(&explain::rule_set(file)?));
        }
        Ok(Self(all))
    }

    fn name(&self, short: RuleSetShortId) -> Option<&str> {
        let entry = self.0.iter().find(|(known, _)| *known == short);
        entry.map(|(_, name)| name.as_str())
    }
}
