//! The walk that applies the rules until nothing new follows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ark_ff::PrimeField;

use super::equation::{
    Equation, bound_by, eliminate, numbers_are_distinct, solve_together, solved,
};
use super::index::{Index, Side};
use super::{Follows, Premise, Rule};
use crate::{System, Terms};

const A: Side = 0;
const B: Side = 1;
const C: Side = 2;

pub(super) struct Walk<'a, F> {
    system: &'a System<F>,
    index: &'a Index<F>,
    /// Rows that are not there.
    absent: BTreeSet<usize>,
    /// Wires that present rows say are zero or one.
    is_bit: Vec<bool>,
    rule: Vec<Option<Rule>>,
    /// What each step rests on, if that is asked for.
    premise: Option<Vec<Option<Arc<Premise<F>>>>>,
    /// For each row and side, how many of its wires are unknown.
    unknown: Vec<[u32; 3]>,
    /// Combinations whose value is known though some of their wires are not.
    known_sums: Vec<bool>,
    /// Equations that gave nothing so far.
    equations: Vec<Equation<F>>,
    /// For each wire, the equations in which it stands.
    equations_of: BTreeMap<usize, Vec<usize>>,
    due_rows: VecDeque<usize>,
    is_due: Vec<bool>,
    due_equations: VecDeque<usize>,
}

impl<'a, F: PrimeField> Walk<'a, F> {
    pub(super) fn new(system: &'a System<F>, index: &'a Index<F>, without: &[usize]) -> Self {
        let unknown = system.rows().iter().map(|row| {
            [&row.a, &row.b, &row.c].map(|terms| u32::try_from(terms.len()).unwrap_or(u32::MAX))
        });
        let absent: BTreeSet<usize> = without.iter().copied().collect();
        let present = |rows: &Vec<u32>| rows.iter().any(|row| !absent.contains(&(*row as usize)));
        Self {
            system,
            index,
            is_bit: index.bit_rows.iter().map(present).collect(),
            absent,
            rule: vec![None; system.wires()],
            premise: None,
            unknown: unknown.collect(),
            known_sums: vec![false; index.rows_of_sum.len()],
            equations: Vec::new(),
            equations_of: BTreeMap::new(),
            due_rows: VecDeque::new(),
            is_due: vec![false; system.rows().len()],
            due_equations: VecDeque::new(),
        }
    }

    pub(super) fn with_premises(mut self) -> Self {
        self.premise = Some(vec![None; self.system.wires()]);
        self
    }

    pub(super) fn run(mut self, given: &[usize]) -> Follows<F> {
        for (number, row) in self.system.rows().iter().enumerate() {
            let empty = [&row.a, &row.b, &row.c]
                .iter()
                .any(|terms| terms.is_empty());
            if empty {
                self.due_rows.push_back(number);
            }
        }
        for wire in (0..=self.system.public()).chain(given.iter().copied()) {
            self.learn(wire, Rule::Given);
        }
        loop {
            if let Some(row) = self.due_rows.pop_front() {
                self.is_due[row] = false;
                self.read_row(row);
            } else if let Some(equation) = self.due_equations.pop_front() {
                self.read_equation(equation);
            } else if !self.try_cases() {
                return Follows {
                    rule: self.rule,
                    premise: self.premise.unwrap_or_default(),
                };
            }
        }
    }

    fn is_bit(&self, wire: usize) -> bool {
        self.is_bit[wire]
    }

    /// A row that is there and says that a wire is zero or one.
    fn bit_row(&self, wire: usize) -> Option<usize> {
        let mut rows = self.index.bit_rows[wire].iter().map(|row| *row as usize);
        rows.find(|row| !self.absent.contains(row))
    }

    /// Several wires follow by one step, which rests on rows and on sums that are known.
    fn learn_all(&mut self, wires: &[usize], rule: Rule, rows: Vec<usize>, sums: Vec<Equation<F>>) {
        if self.premise.is_some() {
            let premise = Arc::new(self.premise_of(rows, sums));
            for wire in wires {
                if self.rule[*wire].is_none()
                    && let Some(premises) = &mut self.premise
                {
                    premises[*wire] = Some(Arc::clone(&premise));
                }
            }
        }
        for wire in wires {
            self.learn(*wire, rule);
        }
    }

    fn premise_of(&self, mut rows: Vec<usize>, sums: Vec<Equation<F>>) -> Premise<F> {
        let in_rows = rows.iter().flat_map(|row| {
            let row = &self.system.rows()[*row];
            [&row.a, &row.b, &row.c].into_iter().flatten()
        });
        let of_rows = in_rows.map(|(_, wire)| *wire);
        let all = of_rows.chain(sums.iter().flat_map(|sum| sum.keys().copied()));
        let unknown: BTreeSet<usize> = all.filter(|w| self.rule[*w].is_none()).collect();
        rows.extend(unknown.iter().filter_map(|wire| self.bit_row(*wire)));
        rows.sort_unstable();
        rows.dedup();
        let sums = sums.into_iter().filter(|sum| !sum.is_empty());
        let sums = sums.map(|sum| sum.into_iter().map(|(w, c)| (c, w)).collect());
        Premise {
            rows,
            sums: sums.collect(),
            unknown: unknown.into_iter().collect(),
        }
    }

    fn learn(&mut self, wire: usize, rule: Rule) {
        if self.rule[wire].is_some() {
            return;
        }
        self.rule[wire] = Some(rule);
        for (row, side) in &self.index.places[wire] {
            let row = *row as usize;
            let unknown = &mut self.unknown[row][usize::from(*side)];
            *unknown -= 1;
            if *unknown <= 1 && !self.is_due[row] {
                self.is_due[row] = true;
                self.due_rows.push_back(row);
            }
            if *unknown == 0 {
                self.bind(self.index.sums[row][usize::from(*side)]);
            }
        }
        if let Some(equations) = self.equations_of.remove(&wire) {
            self.due_equations.extend(equations);
        }
    }

    fn is_known(&self, row: usize, side: Side) -> bool {
        self.unknown[row][side] == 0 || self.known_sums[self.index.sums[row][side] as usize]
    }

    /// The value of a combination is known: it is an equation, it is known in every row, and a hash with this output
    /// gives its inputs away.
    fn learn_sum(&mut self, sum: u32, terms: &Terms<F>) {
        if self.known_sums[sum as usize] {
            return;
        }
        self.known_sums[sum as usize] = true;
        let mut unknown = terms.iter().filter(|(_, wire)| self.rule[*wire].is_none());
        match (unknown.next(), unknown.next()) {
            (None, _) => {}
            (Some((c, wire)), None) => {
                let sums = vec![[(*wire, *c)].into()];
                self.learn_all(&[*wire], Rule::Linear, Vec::new(), sums);
            }
            _ => self.add_equation(terms),
        }
        let rows = self.index.rows_of_sum[sum as usize].iter();
        for row in rows.map(|row| *row as usize) {
            if !self.is_due[row] {
                self.is_due[row] = true;
                self.due_rows.push_back(row);
            }
        }
        self.bind(sum);
    }

    fn bind(&mut self, sum: u32) {
        for number in &self.index.bindings_of_sum[sum as usize] {
            let binding = &self.system.bindings()[*number as usize];
            let (first, end) = binding.rows;
            if self.absent.range(first..end).next().is_none() {
                let sums = &self.index.inputs_of_binding[*number as usize];
                for (input, sum) in binding.inputs.iter().zip(sums) {
                    self.learn_sum(*sum, input);
                }
            }
        }
    }

    fn add_equation(&mut self, terms: &Terms<F>) {
        let unknown = terms.iter().filter(|(_, wire)| self.rule[*wire].is_none());
        let equation: Equation<F> = unknown.map(|(c, wire)| (*wire, *c)).collect();
        if equation.is_empty() {
            return;
        }
        self.due_equations.push_back(self.equations.len());
        self.equations.push(equation);
    }

    fn read_row(&mut self, number: usize) {
        if self.absent.contains(&number) {
            return;
        }
        let row = &self.system.rows()[number];
        let [a, b, c] = self.index.sums[number];
        let constant = |terms: &Terms<F>| matches!(terms[..], [(_, 0)]);
        let known = [A, B, C].map(|side| self.is_known(number, side));
        if known[A] && known[B] {
            self.learn_sum(c, &row.c);
        }
        if known[C] && constant(&row.a) {
            self.learn_sum(b, &row.b);
        }
        if known[C] && constant(&row.b) {
            self.learn_sum(a, &row.a);
        }
        if self.index.linear[number].is_some() {
            self.read_linear(number);
        }
        if row.c.is_empty() {
            self.try_zero_test(number, A, B);
            self.try_zero_test(number, B, A);
        }
    }

    /// The unknown wires of a linear row with their coefficients.
    fn linear_equation(&self, number: usize) -> Equation<F> {
        let terms = self.index.linear[number].iter().flatten();
        let unknown = terms.filter(|(_, wire)| self.rule[*wire].is_none());
        unknown.map(|(c, wire)| (*wire, *c)).collect()
    }

    fn read_linear(&mut self, number: usize) {
        let equation = self.linear_equation(number);
        let is_bit = |wire| self.is_bit(wire);
        let rule = solved(&equation, is_bit).or_else(|| {
            numbers_are_distinct(&equation, is_bit, |bits| self.bound(bits)).then_some(Rule::Ranges)
        });
        if let Some(rule) = rule {
            let wires: Vec<usize> = equation.keys().copied().collect();
            let mut rows = vec![number];
            if rule == Rule::Ranges {
                rows.extend(self.rows_of_bounds(&wires));
            }
            self.learn_all(&wires, rule, rows, Vec::new());
        }
    }

    /// The linear rows in which any of these bits stand, which may bound their numbers, and what says that the other
    /// wires in them are bits; also of those that are known.
    fn rows_of_bounds(&self, bits: &[usize]) -> BTreeSet<usize> {
        let rows = bits.iter().flat_map(|wire| &self.index.linear_rows[*wire]);
        let rows = rows.map(|row| *row as usize);
        let present: BTreeSet<usize> = rows.filter(|row| !self.absent.contains(row)).collect();
        let terms = present
            .iter()
            .filter_map(|row| self.index.linear[*row].as_ref());
        let others = terms.flatten().filter(|(_, wire)| *wire != 0);
        let bit_rows = others.filter_map(|(_, wire)| self.bit_row(*wire));
        let bit_rows: Vec<usize> = bit_rows.collect();
        present.into_iter().chain(bit_rows).collect()
    }

    fn read_equation(&mut self, number: usize) {
        let mut equation = std::mem::take(&mut self.equations[number]);
        equation.retain(|wire, _| self.rule[*wire].is_none());
        if equation.is_empty() {
            return;
        }
        if let Some(rule) = solved(&equation, |wire| self.is_bit(wire)) {
            let wires: Vec<usize> = equation.keys().copied().collect();
            self.learn_all(&wires, rule, Vec::new(), vec![equation]);
            return;
        }
        if let Some((bits, rule, mut rows)) = self.solved_in_bits(&equation) {
            // What is no bit then follows from the rows that say which bits it is made of.
            if rule == Rule::Ranges {
                rows.extend(self.rows_of_bounds(&bits));
            }
            self.learn_all(&bits, rule, rows, vec![equation]);
            return;
        }
        for wire in equation.keys() {
            self.equations_of.entry(*wire).or_default().push(number);
        }
        self.equations[number] = equation;
    }

    /// The bits that follow if every unknown of the equation that is no bit is replaced by bits, where a linear row says
    /// which; the rule, and those rows.
    fn solved_in_bits(&self, equation: &Equation<F>) -> Option<(Vec<usize>, Rule, Vec<usize>)> {
        let is_bit = |wire| self.is_bit(wire);
        let (mut in_bits, mut used) = (equation.clone(), Vec::new());
        for wire in equation.keys().filter(|wire| !is_bit(**wire)) {
            let rows = self.index.linear_rows[*wire].iter().map(|r| *r as usize);
            let present = rows.filter(|row| !self.absent.contains(row));
            let mut meanings = present.map(|row| (row, self.linear_equation(row)));
            let (row, meaning) =
                meanings.find(|(_, m)| m.keys().all(|w| w == wire || is_bit(*w)))?;
            eliminate(&mut in_bits, &meaning, *wire);
            used.push(row);
        }
        let rule = if solved(&in_bits, is_bit).is_some() {
            Rule::Bits
        } else if numbers_are_distinct(&in_bits, is_bit, |bits| self.bound(bits)) {
            Rule::Ranges
        } else {
            return None;
        };
        Some((in_bits.into_keys().collect(), rule, used))
    }

    /// The greatest value that a number of these bits, lowest first, can have: what they hold, or less where a row says
    /// that some constant less the number has bits, too.
    fn bound(&self, bits: &[usize]) -> F {
        let full = F::from(2u64).pow([bits.len() as u64]) - F::one();
        let rows = self.index.linear_rows[bits[0]].iter().map(|r| *r as usize);
        let present = rows.filter(|row| !self.absent.contains(row));
        let bounds = present.filter_map(|row| {
            let terms = self.index.linear[row].as_ref()?;
            bound_by(terms, bits, |wire| self.is_bit(wire))
        });
        bounds.chain([full]).min().unwrap_or(full)
    }

    /// `v · (β − γp) = 0` with a known `v`, and a row `v · i = δp`: if `v` is zero so is `p`, else `p` is `β/γ`.
    fn try_zero_test(&mut self, number: usize, value: Side, test: Side) {
        if !self.is_known(number, value) || self.unknown[number][test] != 1 {
            return;
        }
        let row = &self.system.rows()[number];
        let sides = [&row.a, &row.b];
        let unknown = sides[test].iter().find(|(_, w)| self.rule[*w].is_none());
        let only_constant = sides[test].iter().filter(|(_, w)| *w != 0).count() == 1;
        let (Some((_, wire)), true) = (unknown, only_constant) else {
            return;
        };
        let sum = self.index.sums[number][value];
        let says = |other: &u32| {
            let other = *other as usize;
            let product = matches!(self.system.rows()[other].c[..], [(_, w)] if w == *wire);
            let factor = self.index.sums[other][A] == sum || self.index.sums[other][B] == sum;
            product && factor && !self.absent.contains(&other)
        };
        let mut rows = self.index.rows_of_sum[sum as usize].iter();
        if let Some(other) = rows.find(|row| says(row)) {
            let (rows, wire) = (vec![number, *other as usize], *wire);
            let of_value = self.open_part(&sides[value].iter().map(|(c, w)| (*w, *c)).collect());
            self.learn_all(&[wire], Rule::ZeroTest, rows, vec![of_value]);
        }
    }

    /// Rows `s · x = p` with a known bit `s` and unknown `x` and `p`: what follows if `s` is zero and also if it is one.
    fn try_cases(&mut self) -> bool {
        let waiting: Vec<usize> = self.equations_of.keys().copied().collect();
        for wire in waiting {
            let rows = self.index.places[wire].clone();
            for (row, side) in rows {
                if usize::from(side) == C && self.try_cases_of(row as usize, wire) {
                    return true;
                }
            }
        }
        false
    }

    fn try_cases_of(&mut self, number: usize, product: usize) -> bool {
        let row = &self.system.rows()[number];
        let (bit, other) = match (&row.a[..], &row.b[..]) {
            ([(one, bit)], _) if one.is_one() => (*bit, &row.b),
            (_, [(one, bit)]) if one.is_one() => (*bit, &row.a),
            _ => return false,
        };
        let plain = matches!(row.c[..], [(one, w)] if one.is_one() && w == product);
        let known = self.rule[bit].is_some() && self.is_bit(bit) && self.rule[product].is_none();
        if !plain || !known || self.absent.contains(&number) {
            return false;
        }
        let zero: Equation<F> = [(product, F::one())].into();
        let mut one = zero.clone();
        for (coefficient, wire) in other.iter().filter(|(_, w)| self.rule[*w].is_none()) {
            // The product itself may stand in `x`.
            *one.entry(*wire).or_default() -= coefficient;
        }
        one.retain(|_, coefficient| !coefficient.is_zero());
        let touching = self.equations_of.get(&product).into_iter().flatten();
        let touching: Vec<Equation<F>> = touching
            .map(|e| self.open_part(&self.equations[*e]))
            .collect();
        let follows_if = |case: Equation<F>| {
            let mut equations = touching.clone();
            for equation in &mut equations {
                eliminate(equation, &case, product);
            }
            equations.push(case);
            solve_together(equations, |wire| self.is_bit(wire))
        };
        let (if_zero, if_one) = (follows_if(zero), follows_if(one));
        let both: Vec<usize> = if_zero.intersection(&if_one).copied().collect();
        let mut rows = vec![number];
        rows.extend(self.bit_row(bit));
        self.learn_all(&both, Rule::Cases, rows, touching);
        !both.is_empty()
    }

    /// What of an equation is not known yet.
    fn open_part(&self, equation: &Equation<F>) -> Equation<F> {
        let mut open = equation.clone();
        open.retain(|wire, _| self.rule[*wire].is_none());
        open
    }
}
