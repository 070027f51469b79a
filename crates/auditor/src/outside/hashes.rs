//! Poseidon by others: with the tags of this project, and without a tag.

use anyhow::{Context, Result, bail, ensure};
use ark_ff::{AdditiveGroup as _, Field as _, UniformRand as _};
use commitment::Fr;
use commitment::poseidon::{Domain, hash3, hash4, hash8};
use light_poseidon::{Poseidon, PoseidonHasher as _};
use serde::{Deserialize, Serialize};

use super::Asker;
use super::process;
use super::report::Check;

const DOMAINS: [Domain; 11] = [
    Domain::RecordFirst,
    Domain::RecordRest,
    Domain::RuleTable,
    Domain::RiskPair,
    Domain::RiskNode,
    Domain::StateNode,
    Domain::RegistryLeaf,
    Domain::RegistryNode,
    Domain::Binder,
    Domain::Identity,
    Domain::Pseudonym,
];
/// Numbers of inputs that the project hashes.
const TAGGED: [usize; 3] = [3, 4, 8];
/// Numbers of inputs that are compared without a tag.
const PLAIN: std::ops::RangeInclusive<usize> = 1..=8;

/// A tag, or none, and inputs, as the script reads them.
#[derive(Serialize)]
struct Question {
    inputs: Vec<String>,
    tag: String,
}

/// As the script answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    reference: String,
    optimised: String,
    lite: Option<String>,
}

/// Hashes under one tag, or under none.
struct Group {
    what: String,
    tag: Fr,
    inputs: Vec<Vec<Fr>>,
    hashes: Vec<Fr>,
}

pub(super) fn ask(asker: &mut Asker<'_>, count: usize) -> Result<Vec<Check>> {
    asker.bar.inc_length(1);
    let groups = groups(asker, count)?;
    let questions: Vec<Question> = groups
        .iter()
        .flat_map(|group| {
            group.inputs.iter().map(|inputs| Question {
                inputs: inputs.iter().map(ToString::to_string).collect(),
                tag: group.tag.to_string(),
            })
        })
        .collect();
    let input = serde_json::to_vec(&questions)?;
    let done = process::run(&mut asker.tools.poseidon(), &input, asker.tools.limit)?;
    ensure!(
        done.code == Some(0),
        "poseidon.mjs ended with {:?}: {}",
        done.code,
        done.stderr.trim()
    );
    let answers: Vec<Answer> =
        serde_json::from_str(&done.stdout).context("poseidon.mjs gave no answers")?;
    ensure!(
        answers.len() == questions.len(),
        "poseidon.mjs gave {} answers to {} questions",
        answers.len(),
        questions.len()
    );
    asker.bar.inc(1);
    let mut rest = answers.as_slice();
    let mut checks = Vec::new();
    for group in &groups {
        let (own, after) = rest.split_at(group.hashes.len());
        rest = after;
        checks.extend(compare(group, own));
    }
    if let Some(first) = checks.first_mut() {
        first.elapsed = Some(done.elapsed);
    }
    Ok(checks)
}

/// One check for a group and an implementation.
fn compare(group: &Group, answers: &[Answer]) -> Vec<Check> {
    type Pick = fn(&Answer) -> Option<&str>;
    let tools: [(&'static str, Pick); 3] = [
        ("circomlibjs, reference", |a| Some(&a.reference)),
        ("circomlibjs, optimised", |a| Some(&a.optimised)),
        // It takes no tag.
        ("poseidon-lite", |a| a.lite.as_deref()),
    ];
    let plain = group.tag == Fr::ZERO;
    let asked = tools
        .iter()
        .filter(|(tool, _)| plain || *tool != "poseidon-lite");
    let checks = asked.map(|(tool, pick)| {
        let pairs = group.hashes.iter().zip(answers);
        let others: Vec<usize> = pairs
            .zip(&group.inputs)
            .filter(|((hash, answer), _)| pick(answer) != Some(&*hash.to_string()))
            .map(|(_, inputs)| inputs.len())
            .collect();
        let count = answers.len();
        let answered = match others.first() {
            None => format!("{count} of {count} equal"),
            Some(arity) => format!(
                "{} of {count} equal, first other with {arity} inputs",
                count - others.len()
            ),
        };
        Check {
            part: "hash",
            tool,
            asked: group.what.clone(),
            expected: format!("{count} of {count} equal"),
            answered,
            elapsed: None,
        }
    });
    checks.collect()
}

fn groups(asker: &mut Asker<'_>, count: usize) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for domain in DOMAINS {
        let inputs: Vec<_> = TAGGED
            .into_iter()
            .flat_map(|arity| inputs(asker, arity, count))
            .collect();
        let hashes = inputs.iter().map(|inputs| tagged(domain, inputs));
        groups.push(Group {
            what: format!("Poseidon tagged {domain:?}, 3, 4 and 8 inputs"),
            tag: domain.tag(),
            hashes: hashes.collect::<Result<_>>()?,
            inputs,
        });
    }
    let inputs: Vec<_> = PLAIN
        .flat_map(|arity| inputs(asker, arity, count))
        .collect();
    let hashes = inputs
        .iter()
        .map(|inputs| Poseidon::<Fr>::new_circom(inputs.len())?.hash(inputs));
    groups.push(Group {
        what: "Poseidon without a tag, 1 to 8 inputs".to_owned(),
        tag: Fr::ZERO,
        hashes: hashes.collect::<Result<_, _>>()?,
        inputs,
    });
    Ok(groups)
}

/// The hash as circuits and nodes use it.
fn tagged(domain: Domain, inputs: &[Fr]) -> Result<Fr> {
    match inputs.len() {
        3 => Ok(hash3(domain, inputs.try_into()?)),
        4 => Ok(hash4(domain, inputs.try_into()?)),
        8 => Ok(hash8(domain, inputs.try_into()?)),
        other => bail!("nothing here hashes {other} inputs under a tag"),
    }
}

/// All zero, all one, all minus one, then random.
fn inputs(asker: &mut Asker<'_>, arity: usize, count: usize) -> Vec<Vec<Fr>> {
    let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE].map(|value| vec![value; arity]);
    let random = (0..count).map(|_| (0..arity).map(|_| Fr::rand(&mut asker.rng)).collect());
    edges.into_iter().chain(random).collect()
}
