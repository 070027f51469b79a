//! What the walk concludes, against all assignments of small systems over small fields.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::testing::{F7, F31};
use crate::{Binding, Row};

/// Most values that are tried for one question; a system that needs more is passed over.
const MAX_TRIED: u64 = 200_000;

type Small = Vec<(u64, usize)>;

/// Do any two assignments that fulfil the rows, and agree on the key, agree on a wire?
struct Question {
    modulus: u64,
    /// Wires that take all values; the others are zero.
    wires: Vec<usize>,
    /// For each wire, the rows whose last wire it is.
    rows: Vec<Vec<[Small; 3]>>,
    /// For each wire, the inputs and outputs of hashes whose last wire it is. A hash binds: its input is a power of its
    /// output, another one for each output.
    bindings: Vec<Vec<[Small; 2]>>,
    key: Vec<Small>,
}

impl Question {
    fn of<F: PrimeField>(rows: &[&Row<F>], bindings: &[Binding<F>], key: &[Terms<F>]) -> Self {
        let rows = rows.iter().map(|row| [&row.a, &row.b, &row.c].map(small));
        let rows: Vec<[Small; 3]> = rows.collect();
        let bindings = bindings.iter();
        let bindings = bindings.map(|b| [small(&b.inputs[0]), small(&b.output)]);
        let bindings: Vec<[Small; 2]> = bindings.collect();
        let key: Vec<Small> = key.iter().map(small).collect();
        let terms = rows.iter().flatten().chain(bindings.iter().flatten());
        let wires = terms.chain(&key).flatten().map(|(_, wire)| *wire);
        let wires: BTreeSet<usize> = wires.filter(|wire| *wire > 0).collect();
        let count = wires.last().map_or(1, |last| last + 1);
        Self {
            modulus: F::MODULUS.as_ref()[0],
            wires: wires.into_iter().collect(),
            rows: by_last(count, rows),
            bindings: by_last(count, bindings),
            key,
        }
    }

    fn at(&self, terms: &Small, values: &[u64]) -> u64 {
        let sum: u64 = terms.iter().map(|(c, wire)| c * values[*wire]).sum();
        sum % self.modulus
    }

    /// Whether all holds whose last wire this is.
    fn holds(&self, values: &[u64], last: usize) -> bool {
        let row = |[a, b, c]: &[Small; 3]| {
            self.at(a, values) * self.at(b, values) % self.modulus == self.at(c, values)
        };
        // 5 and 7 have no divisor in common with one less 7 or 31, so powers are a permutation.
        let exponent = if self.modulus == 7 { 5 } else { 7 };
        let power = |x: u64| (0..exponent).fold(1, |power, _| power * x % self.modulus);
        let binds =
            |[input, output]: &[Small; 2]| self.at(input, values) == power(self.at(output, values));
        self.rows[last].iter().all(row) && self.bindings[last].iter().all(binds)
    }

    /// The wires on which two such assignments differ, or none if there is too much to try.
    fn differing(&self) -> Option<BTreeSet<usize>> {
        let mut values = vec![0; self.rows.len()];
        values[0] = 1;
        let mut found = (HashMap::new(), BTreeSet::new());
        let mut tried = 0;
        if self.holds(&values, 0) {
            self.try_from(0, &mut values, &mut found, &mut tried)?;
        }
        Some(found.1)
    }

    fn try_from(
        &self,
        next: usize,
        values: &mut Vec<u64>,
        found: &mut (HashMap<Vec<u64>, Vec<u64>>, BTreeSet<usize>),
        tried: &mut u64,
    ) -> Option<()> {
        let Some(wire) = self.wires.get(next) else {
            let key = self.key.iter().map(|terms| self.at(terms, values));
            let first = found.0.entry(key.collect()).or_insert(values.clone());
            let differs = |wire: &&usize| first[**wire] != values[**wire];
            found.1.extend(self.wires.iter().filter(differs));
            return Some(());
        };
        for value in 0..self.modulus {
            *tried += 1;
            if *tried > MAX_TRIED {
                return None;
            }
            values[*wire] = value;
            if self.holds(values, *wire) {
                self.try_from(next + 1, values, found, tried)?;
            }
        }
        values[*wire] = 0;
        Some(())
    }
}

/// Sorted by the last wire of which they speak.
fn by_last<const N: usize>(wires: usize, all: Vec<[Small; N]>) -> Vec<Vec<[Small; N]>> {
    let mut sorted = vec![Vec::new(); wires];
    for one in all {
        let last = one.iter().flatten().map(|(_, wire)| *wire).max();
        sorted[last.unwrap_or(0)].push(one);
    }
    sorted
}

fn small<F: PrimeField>(terms: &Terms<F>) -> Small {
    let small = |(c, wire): &(F, usize)| (c.into_bigint().as_ref()[0], *wire);
    terms.iter().map(small).collect()
}

/// Coefficients by wire; a wire may come twice, and its coefficients then count together.
type Sum = Vec<(i64, usize)>;

fn terms<F: PrimeField>(sum: &Sum) -> Terms<F> {
    let mut all: BTreeMap<usize, F> = BTreeMap::new();
    for (c, wire) in sum {
        *all.entry(*wire).or_default() += F::from(*c);
    }
    let all = all.into_iter().filter(|(_, c)| !c.is_zero());
    all.map(|(wire, c)| (c, wire)).collect()
}

/// A system of one public input, what is given of it, and a row that is left out.
#[derive(Clone, Debug)]
struct Case {
    rows: Vec<[Sum; 3]>,
    binding: Option<(Sum, Sum)>,
    given: Vec<usize>,
    without: Option<usize>,
}

/// Wires of a system: one, a public input and so many others.
fn cases(others: usize) -> impl Strategy<Value = Case> {
    let wire = move || 1..others + 2;
    let own = move || 2..others + 2;
    let coefficient = || prop::sample::select(vec![1i64, 1, 1, 2, 2, 3, 4, -1, -1, -2, -4]);
    let sum = move |most: usize| prop::collection::vec((coefficient(), wire()), 1..=most);
    let with_constant = move |most| {
        (sum(most), -2i64..4).prop_map(|(mut sum, constant)| {
            sum.push((constant, 0));
            sum
        })
    };
    let one = || vec![(1, 0)];
    let bit = |w: usize| [vec![(1, w)], vec![(1, w)], vec![(1, w)]];
    let piece = prop_oneof![
        3 => with_constant(5).prop_map(move |b| vec![[one(), b, vec![]]]),
        2 => (sum(2), sum(4)).prop_map(move |(a, c)| vec![[a, one(), c]]),
        4 => (own(), sum(2), own()).prop_map(|(s, x, p)| vec![[vec![(1, s)], x, vec![(1, p)]]]),
        3 => (sum(2), own(), own()).prop_map(|(v, i, p)| {
            let says = [v.clone(), vec![(1, i)], vec![(1, p)]];
            vec![says, [v, vec![(1, 0), (-1, p)], vec![]]]
        }),
        3 => (0i64..4, prop::collection::vec(own(), 2..=4), 1usize..3).prop_map(
            move |(constant, wires, first)| {
                // constant = number + rest
                let parts = [&wires[..first], &wires[first..]];
                let weighted = parts.iter().flat_map(|part| (0..).zip(*part));
                let weighted = weighted.map(|(i, wire)| (1 << i, *wire));
                vec![[vec![(constant, 0)], one(), weighted.collect()]]
            },
        ),
        1 => (with_constant(2), with_constant(2), sum(2)).prop_map(|(a, b, c)| vec![[a, b, c]]),
        1 => (own(), sum(1)).prop_map(|(w, v)| vec![[vec![(1, w)], v, vec![]]]),
    ];
    let piece = prop_oneof![18 => piece, 1 => packed(others), 2 => swap(others)];
    let bits = prop::collection::btree_set(own(), 0..=others);
    let bits = bits.prop_map(move |wires| wires.into_iter().map(bit).collect::<Vec<_>>());
    let pieces = prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    let rows = (bits, pieces).prop_map(|(bits, pieces)| [bits, pieces].concat());
    let binding = prop::option::of((sum(4), sum(1)));
    let given = prop::collection::vec(own(), 0..3);
    (rows, binding, given, prop::option::weighted(0.3, 0..4usize)).prop_map(
        |(rows, binding, given, without)| Case {
            without: without.filter(|row| *row < rows.len()),
            rows,
            binding,
            given,
        },
    )
}

/// A number of two bits that another one bounds, and a third beside it in one known sum, packed as close as it goes or
/// closer; the sum speaks of the number's bits, or of a wire that is a constant less the number.
fn packed(others: usize) -> impl Strategy<Value = Vec<[Sum; 3]>> {
    let wires: Vec<usize> = (2..others + 2).collect();
    let wires = Just(wires).prop_shuffle();
    let stride = prop::sample::select(vec![2i64, 3, 3, 3, 4, -3]);
    (wires, 1i64..4, stride, any::<bool>()).prop_map(|(wires, most, stride, apart)| {
        let one = || vec![(1, 0)];
        let bit = |w: &usize| [vec![(1, *w)], vec![(1, *w)], vec![(1, *w)]];
        let mut rows: Vec<[Sum; 3]> = wires[..5].iter().map(bit).collect();
        let number = vec![(1, wires[0]), (2, wires[1])];
        let rest = vec![(1, wires[2]), (2, wires[3])];
        let both = [number.clone(), rest].concat();
        rows.push([one(), vec![(most, 0)], both]);
        let number = if apart {
            let back = vec![(3, 0), (-1, wires[0]), (-2, wires[1])];
            rows.push([vec![(1, wires[5 % wires.len()])], one(), back]);
            vec![(-1, wires[5 % wires.len()])]
        } else {
            number
        };
        let sum = [number, vec![(stride, wires[4])]].concat();
        rows.push([vec![(1, 1)], vec![(1, 1)], sum]);
        rows
    })
}

/// Two wires exchanged by the public input, a bit: `s·x = p` with what comes out known. The product may stand in `x`.
fn swap(others: usize) -> impl Strategy<Value = Vec<[Sum; 3]>> {
    let wires: Vec<usize> = (2..others + 2).collect();
    let wires = Just(wires).prop_shuffle();
    let coefficient = || -1i64..3;
    (wires, coefficient(), coefficient(), coefficient()).prop_map(|(wires, cx, cy, cp)| {
        let public = || vec![(1, 1)];
        let [x, y, p] = [wires[0], wires[1], wires[2]];
        let known = |sum| [public(), public(), sum];
        let factor = vec![(cx, x), (cy, y), (cp, p)];
        vec![
            known(public()),
            [public(), factor, vec![(1, p)]],
            known(vec![(1, x), (1, p)]),
            known(vec![(1, y), (-1, p)]),
        ]
    })
}

impl Case {
    fn system<F: PrimeField>(&self, others: usize) -> System<F> {
        let rows = self.rows.iter().map(|row| {
            let [a, b, c] = row.each_ref().map(terms);
            Row { a, b, c }
        });
        let binding = self.binding.iter().map(|(input, output)| Binding {
            name: "hash".to_owned(),
            rows: (0, 2.min(self.rows.len())),
            inputs: vec![terms(input)],
            output: terms(output),
        });
        let system = System::new(1, others + 2, rows.collect()).unwrap();
        system.with_bindings(binding.collect()).unwrap()
    }
}

fn alone<F: PrimeField>(wires: impl IntoIterator<Item = usize>) -> Vec<Terms<F>> {
    let wires = wires.into_iter();
    wires.map(|wire| vec![(F::one(), wire)]).collect()
}

/// No wire follows, by the walk, that differs between two assignments which agree on what is given.
fn follows_truly<F: PrimeField>(case: &Case, system: &System<F>) -> Result<(), TestCaseError> {
    let without: Vec<usize> = case.without.into_iter().collect();
    let rows = system.rows().iter().enumerate();
    let rows: Vec<&Row<F>> = rows
        .filter(|(number, _)| !without.contains(number))
        .map(|(_, row)| row)
        .collect();
    let bindings = match system.bindings() {
        [binding] if without.iter().any(|row| *row < binding.rows.1) => &[],
        all => all,
    };
    let key = alone([1].into_iter().chain(case.given.iter().copied()));
    let found = follow(system, &Index::new(system), &case.given, &without);
    if let Some(differing) = Question::of(&rows, bindings, &key).differing() {
        for wire in differing {
            let rule = found.rule[wire];
            prop_assert_eq!(rule, None, "wire {} differs", wire);
        }
    }
    Ok(())
}

/// What each step rests on is enough for it; gives the rules of the steps that were tried.
fn premises_suffice<F: PrimeField>(
    case: &Case,
    system: &System<F>,
) -> Result<Vec<Rule>, TestCaseError> {
    let found = follow_with_premises(system, &Index::new(system), &case.given);
    let mut asked: Vec<(&Arc<Premise<F>>, BTreeSet<usize>)> = Vec::new();
    let mut rules = Vec::new();
    for (wire, premise) in found.premise.iter().enumerate() {
        let Some(premise) = premise else { continue };
        let same = asked.iter().find(|(p, _)| Arc::ptr_eq(p, premise));
        let differing = if let Some((_, differing)) = same {
            differing.clone()
        } else {
            let rows: Vec<&Row<F>> = premise.rows.iter().map(|r| &system.rows()[*r]).collect();
            let of_rows = rows.iter().flat_map(|row| [&row.a, &row.b, &row.c]);
            let wires: BTreeSet<usize> = of_rows.flatten().map(|(_, wire)| *wire).collect();
            let known = wires.into_iter();
            let known = known.filter(|wire| *wire > 0 && !premise.unknown.contains(wire));
            let key = [alone(known), premise.sums.clone()].concat();
            let Some(differing) = Question::of(&rows, &[], &key).differing() else {
                continue;
            };
            asked.push((premise, differing.clone()));
            differing
        };
        prop_assert!(!differing.contains(&wire), "wire {}: {:?}", wire, premise);
        rules.extend(found.rule[wire]);
    }
    Ok(rules)
}

/// Tries so many systems; every rule is used, and more than once.
fn try_all<F: PrimeField>(others: usize, count: u32, rules: &[Rule]) {
    let config = ProptestConfig {
        cases: count,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let used: RefCell<BTreeMap<Rule, usize>> = RefCell::default();
    let tried = TestRunner::new(config).run(&cases(others), |case| {
        let system: System<F> = case.system(others);
        follows_truly(&case, &system)?;
        for rule in premises_suffice(&case, &system)? {
            *used.borrow_mut().entry(rule).or_default() += 1;
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    let used = used.into_inner();
    let often = |rule: &&Rule| used.get(*rule).is_none_or(|count| *count < 3);
    assert_eq!(rules.iter().find(often), None, "used too rarely: {used:?}");
}

#[test]
fn over_seven_elements_nothing_follows_that_can_differ() {
    let rules = [Rule::Linear, Rule::Bits, Rule::ZeroTest, Rule::Cases];
    try_all::<F7>(5, 2000, &rules);
}

#[test]
fn over_thirty_one_elements_nothing_follows_that_can_differ() {
    let rules = [Rule::Linear, Rule::Bits, Rule::Ranges, Rule::ZeroTest];
    try_all::<F31>(6, 2000, &rules);
}
