//! A home node that holds everything, commits what it likes and sets every wire as it likes, and wants a proof of
//! something that is not so.
//!
//! Each attempt names the heading that refuses it. Where that heading's rows alone are broken, the attempt would pass
//! if they were left out; beside it stands what is admitted, so that the refusal is for the reason named.

mod gadgets;
mod keys;
mod map;
mod ranges;
mod record;
mod relief;
mod table;
mod times;
mod trees;

use std::collections::BTreeSet;
use std::path::Path;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use commitment::poseidon::{Domain, hash3, hash8};
use commitment::record::{EntryBits, RECORD_ELEMENTS};
use commitment::{MerklePath, PublicInputs, Tree, node_hash};
use rules::{Claim, Fact, FactKind, Record, RowTable, Stay, TestAge, WorstColour};

use super::freedom::{Values, free};
use crate::clearance::scene::{Scene, ago, fact};
use crate::clearance::{Heading, Refusal, Witness, assign, check, entry_facts};

const HOUR: u32 = 60;
const DAY: u32 = 1440;

/// The public inputs' variables.
const AS_OF_WIRE: usize = 4;
const CLAIM_WIRE: usize = 5;

/// Refused under one heading, by relation and rows alike, and only that heading's rows stand in the way.
#[track_caller]
fn refused_under(heading: Heading, (public, witness): &(PublicInputs, Witness)) {
    assert_eq!(check(public, witness), Err(Refusal(heading)));
    assert_eq!(assign(public, witness).broken, [heading]);
}

/// Accepted by relation and rows.
#[track_caller]
fn accepted((public, witness): &(PublicInputs, Witness)) {
    assert_eq!(check(public, witness), Ok(()));
    assert_eq!(assign(public, witness).broken, []);
}

/// A scene's record as it stands, whatever its colour: nothing is claimed lapsed or cleared.
fn as_it_stands(scene: &Scene) -> (PublicInputs, Witness) {
    // Under a table that never colours anything can be planned.
    let (province, lookback) = (scene.table.province(), scene.table.lookback_hours());
    let inert = RowTable::new(province, lookback, |_| rules::Row::INERT).unwrap();
    let test_age = TestAge::NotAsked;
    let plain = Scene {
        table: inert,
        claim: Claim {
            test_age,
            ..scene.claim
        },
        ..scene.clone()
    };
    let (mut public, mut witness) = plain.witness().expect("few stays");
    public.rule_digest = commitment::rule_digest(&scene.table);
    public.claim = scene.claim;
    witness.table = scene.table.clone();
    claim_truly(&public, &mut witness);
    (public, witness)
}

/// Claims of every entry what its facts give it, with each ground in a slot of its own.
fn claim_truly(public: &PublicInputs, witness: &mut Witness) {
    witness.slots = Default::default();
    let mut numbers = 0..rules::MAX_SLOTS;
    for position in 0..rules::MAX_ENTRIES {
        let facts = entry_facts(witness, position, public.as_of);
        let entry = &mut witness.entries[position];
        (entry.key, entry.anchor, entry.is_ground) = (facts.key, facts.anchor, facts.is_ground);
        entry.slot = 0;
        if facts.is_ground {
            let number = numbers.next().expect("few grounds");
            entry.slot = u8::try_from(number).unwrap();
            let slot = &mut witness.slots[number];
            (slot.key, slot.anchor) = (facts.key, facts.anchor);
        }
    }
}

/// A record of facts, stays and negatives, the latter in minutes before `as_of`, that is claimed green.
fn claimed_green(facts: &[Fact], stays: &[Stay], negatives: &[u32]) -> Scene {
    let negatives = negatives.iter().map(|m| ago(*m)).collect();
    let record = Record::new(stays.to_vec(), facts.to_vec(), negatives, vec![]).unwrap();
    Scene {
        record,
        claim: Claim {
            worst: WorstColour::Green,
            test_age: TestAge::NotAsked,
        },
        ..Scene::green()
    }
}

/// A case of three days ago, alone in its record, said to be green: only the colour stands in its way.
fn case() -> (PublicInputs, Witness) {
    let case = fact(FactKind::ConfirmedCase, 33, 3 * DAY);
    as_it_stands(&claimed_green(&[case], &[], &[]))
}

/// The same in any position.
fn case_at(position: usize) -> (PublicInputs, Witness) {
    let (mut public, mut witness) = case();
    let case = std::mem::take(entry_of(&mut witness, 12));
    *entry_of(&mut witness, position) = case;
    recommit(&mut public, &mut witness);
    claim_truly(&public, &mut witness);
    (public, witness)
}

fn entry_of(witness: &mut Witness, position: usize) -> &mut EntryBits {
    match position.checked_sub(12) {
        None => &mut witness.record.entries[position],
        Some(narrow) => &mut witness.record.facts[narrow],
    }
}

/// Commits the record as it now is.
fn recommit(public: &mut PublicInputs, witness: &mut Witness) {
    let leaf = witness.record.leaf(witness.identity, witness.blinding);
    recommit_as(leaf, public, witness);
}

/// Puts any leaf at the record's place in the state tree, and the new root into the registry.
fn recommit_as(leaf: Fr, public: &mut PublicInputs, witness: &mut Witness) {
    witness.leaf = leaf;
    witness.state_root = replace(&mut witness.state_path, Tree::State, leaf);
    let (slot, head_time) = (witness.registry_path.index, witness.head_time);
    let head = [Fr::from(slot), Fr::from(head_time), witness.state_root];
    register(&head, public, witness);
}

/// Puts a tree head (slot, time, state root) into the registry.
fn register(head: &[Fr; 3], public: &mut PublicInputs, witness: &mut Witness) {
    let leaf = hash3(Domain::RegistryLeaf, head);
    public.registry_root = replace(&mut witness.registry_path, Tree::Registry, leaf);
}

/// Puts a leaf at a path's place; gives the new root.
fn replace(path: &mut MerklePath, tree: Tree, leaf: Fr) -> Fr {
    let (mut node, mut index) = (leaf, path.index);
    for children in &mut path.levels {
        children[(index % 8) as usize] = node;
        node = node_hash(tree, children);
        index /= 8;
    }
    node
}

/// The leaf of any twelve elements.
fn leaf_of(e: &[Fr; RECORD_ELEMENTS], witness: &Witness) -> Fr {
    let first = [e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]];
    let first = hash8(Domain::RecordFirst, &first);
    let (identity, blinding) = (witness.identity.element(), witness.blinding.0);
    let rest = [first, e[8], e[9], e[10], e[11], identity, blinding];
    let zero = Fr::from(0u64);
    hash8(
        Domain::RecordRest,
        &[
            rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], zero,
        ],
    )
}

/// The number in bits.
fn number_in(values: &Values, bits: &[usize]) -> u64 {
    let bit = |wire: &usize| values.of(*wire).into_bigint().0[0];
    bits.iter()
        .enumerate()
        .map(|(i, wire)| bit(wire) << i)
        .sum()
}

/// Wires by what they are, found by their order.
struct Roles {
    times: Vec<usize>,
    record_bits: Vec<usize>,
    run_bits: Vec<usize>,
    slot_bits: Vec<usize>,
    entry_bits: Vec<usize>,
    relief_bits: Vec<usize>,
}

impl Roles {
    fn new() -> Self {
        Self {
            times: free(Heading::RangesAndTimes, false),
            record_bits: free(Heading::RecordOpening, true),
            run_bits: free(Heading::RangesAndTimes, true),
            slot_bits: free(Heading::AnchorPhasesLapse, true),
            entry_bits: free(Heading::ReasonSlots, true),
            relief_bits: free(Heading::Clearing, true),
        }
    }

    /// The place of an entry: 47 bits in a wide position, 7 in a narrow one.
    fn place(&self, position: usize) -> &[usize] {
        match position.checked_sub(12) {
            None => &self.record_bits[53 * position + 6..53 * (position + 1)],
            Some(narrow) => {
                let at = 53 * 12 + 12 * narrow;
                &self.record_bits[at + 5..at + 12]
            }
        }
    }

    /// Day of `as_of`, then its minute of the day.
    fn as_of(&self) -> (&[usize], &[usize]) {
        (&self.run_bits[..16], &self.run_bits[16..27])
    }

    /// The first day of a run.
    fn run_first(&self, run: usize) -> &[usize] {
        &self.run_bits[27 + 16 * run..27 + 16 * (run + 1)]
    }

    /// Key of a slot.
    fn key(&self, slot: usize) -> &[usize] {
        &self.slot_bits[34 * slot..34 * slot + 7]
    }

    /// Day and minute of the day of a slot's anchor.
    fn anchor(&self, slot: usize) -> (&[usize], &[usize]) {
        let at = 34 * slot + 7;
        (
            &self.slot_bits[at..at + 16],
            &self.slot_bits[at + 16..at + 27],
        )
    }

    fn lapsed(&self, slot: usize) -> usize {
        self.slot_bits[34 * rules::MAX_SLOTS + slot]
    }

    /// The slot of an entry, three bits.
    fn slot(&self, position: usize) -> &[usize] {
        &self.entry_bits[4 * position..4 * position + 3]
    }

    /// Whether an entry's anchor must equal its slot's.
    fn must_equal(&self, position: usize) -> usize {
        self.entry_bits[4 * position + 3]
    }

    /// The three negatives of a slot's relief, nine bits.
    fn negatives(&self, slot: usize) -> &[usize] {
        &self.relief_bits[13 * slot + 2..13 * slot + 11]
    }

    /// The run of a slot's relief, two bits.
    fn run(&self, slot: usize) -> &[usize] {
        &self.relief_bits[13 * slot + 11..13 * slot + 13]
    }
}

#[test]
fn the_wires_that_attempts_set_are_the_ones_they_mean() {
    let roles = Roles::new();
    let (public, witness) = Scene::green().witness().unwrap();
    let mut values = Values::assigned(&public, &witness);
    let entries = (0..24).map(|p| *witness.entry(p));
    for (position, entry) in entries.enumerate() {
        assert_eq!(number_in(&values, roles.place(position)), entry.place);
        let [begin, end] = [0, 1].map(|i| values.of(roles.times[2 * position + i]));
        assert_eq!((begin, end), (entry.begin.into(), entry.end.into()));
        let slot = number_in(&values, roles.slot(position));
        assert_eq!(slot, u64::from(witness.entries[position].slot));
        let rises = witness.entries[position].key == 7;
        let must_equal = values.of(roles.must_equal(position));
        assert_eq!(
            must_equal,
            Fr::from(rises && witness.entries[position].is_ground)
        );
    }
    for (i, minute) in witness.record.negatives.iter().enumerate() {
        assert_eq!(values.of(roles.times[48 + i]), Fr::from(*minute));
    }
    for (i, (first, last)) in witness.record.runs.iter().enumerate() {
        assert_eq!(number_in(&values, roles.run_first(i)), u64::from(*first));
        assert_eq!(values.of(roles.times[56 + i]), Fr::from(*last));
    }
    let (day, minute) = roles.as_of();
    assert_eq!(number_in(&values, day), u64::from(public.as_of.day().get()));
    assert_eq!(
        number_in(&values, minute),
        u64::from(public.as_of.minute_of_day())
    );
    for (i, slot) in witness.slots.iter().enumerate() {
        assert_eq!(number_in(&values, roles.key(i)), u64::from(slot.key));
        let (day, minute) = roles.anchor(i);
        let local = 1440 * number_in(&values, day) + number_in(&values, minute);
        assert_eq!(local, u64::from(slot.anchor) + 480);
        assert_eq!(values.of(roles.lapsed(i)), Fr::from(slot.lapsed));
        let relief = slot.relief.unwrap_or_default();
        let [a, b, c] = relief.negatives.map(u64::from);
        assert_eq!(number_in(&values, roles.negatives(i)), a + 8 * b + 64 * c);
        assert_eq!(number_in(&values, roles.run(i)), u64::from(relief.run));
    }
    assert_eq!(values.of(AS_OF_WIRE), Fr::from(public.as_of.get()));
    assert_eq!(values.of(CLAIM_WIRE), Fr::from(public.claim.code()));
    // What is set is followed through to what hangs on it.
    values.follow_bits(roles.key(0), 96);
    assert!(
        values
            .broken_headings()
            .contains(&Heading::AnchorPhasesLapse)
    );
}

/// Names of functions in a Rust source, or in all below a folder.
fn functions_in(path: &Path) -> BTreeSet<String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("a folder of this project");
        return entries
            .flat_map(|entry| functions_in(&entry.expect("readable").path()))
            .collect();
    }
    if path.extension().is_none_or(|e| e != "rs") {
        return BTreeSet::new();
    }
    let text = std::fs::read_to_string(path).expect("source text");
    let names = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("fn ")?;
        rest.split_once('(').map(|(name, _)| name.to_owned())
    });
    names.collect()
}

#[test]
fn the_write_up_names_every_attempt_and_only_tests_that_exist() {
    let write_up = include_str!("../../../../SOUNDNESS.md");
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let named: BTreeSet<String> = write_up
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|part| part.matches('_').count() >= 3 && part.chars().all(is_name))
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 70, "{}", named.len());
    let circuits = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = functions_in(&circuits.join("src"));
    known.extend(functions_in(&circuits.join("../crates")));
    assert_eq!(named.difference(&known).next(), None);

    let mut attempts = functions_in(&circuits.join("src/clearance/tests/attempts"));
    attempts.extend(functions_in(
        &circuits.join("../crates/prover/tests/attempts.rs"),
    ));
    // Two tests are about these tests.
    for own in [
        "the_wires_that_attempts_set_are_the_ones_they_mean",
        "the_write_up_names_every_attempt_and_only_tests_that_exist",
    ] {
        assert!(attempts.remove(own));
    }
    attempts.retain(|name| name.matches('_').count() >= 4);
    assert_eq!(attempts.difference(&named).next(), None);
}
