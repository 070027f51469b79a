use std::collections::HashMap;

use ark_ff::PrimeField;

use crate::structure::linear;
use crate::{Row, System, Terms};

/// A factor or the product of a row.
pub(super) type Side = usize;

/// A system read by wires and by linear combinations: made once, used for many walks.
pub struct Index<F> {
    /// For each wire, the rows and sides in which it stands.
    pub(super) places: Vec<Vec<(u32, u8)>>,
    /// For each wire, the rows that say it is zero or one.
    pub(super) bit_rows: Vec<Vec<u32>>,
    /// For each row and side, the number of its linear combination; equal combinations have one number.
    pub(super) sums: Vec<[u32; 3]>,
    /// For each combination, the rows in which it stands.
    pub(super) rows_of_sum: Vec<Vec<u32>>,
    /// For each combination, the bindings of which it is the output.
    pub(super) bindings_of_sum: Vec<Vec<u32>>,
    /// For each binding, its inputs.
    pub(super) inputs_of_binding: Vec<Vec<u32>>,
    /// For each row that has a constant factor, the linear combination that it says is zero.
    pub(super) linear: Vec<Option<Terms<F>>>,
    /// For each wire, the linear rows in which it stands.
    pub(super) linear_rows: Vec<Vec<u32>>,
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 rows, wires and combinations")
}

impl<F: PrimeField> Index<F> {
    /// Reads a system.
    ///
    /// # Panics
    /// For 2^32 wires, rows or terms.
    pub fn new(system: &System<F>) -> Self {
        let mut numbers: HashMap<&[(F, usize)], u32> = HashMap::new();
        let mut number_of = |terms| {
            let next = narrow(numbers.len());
            *numbers.entry(terms).or_insert(next)
        };
        let sums: Vec<[u32; 3]> = system
            .rows()
            .iter()
            .map(|row| [&row.a, &row.b, &row.c].map(|terms| number_of(&terms[..])))
            .collect();
        let bindings = system.bindings().iter();
        let (outputs, inputs_of_binding): (Vec<u32>, Vec<Vec<u32>>) = bindings
            .map(|binding| {
                let inputs = binding.inputs.iter();
                let inputs = inputs.map(|terms| number_of(&terms[..])).collect();
                (number_of(&binding.output[..]), inputs)
            })
            .unzip();
        let count = numbers.len();
        let mut index = Self {
            places: vec![Vec::new(); system.wires()],
            bit_rows: vec![Vec::new(); system.wires()],
            sums,
            rows_of_sum: vec![Vec::new(); count],
            bindings_of_sum: vec![Vec::new(); count],
            inputs_of_binding,
            linear: Vec::with_capacity(system.rows().len()),
            linear_rows: vec![Vec::new(); system.wires()],
        };
        for (number, output) in outputs.into_iter().enumerate() {
            index.bindings_of_sum[output as usize].push(narrow(number));
        }
        for (number, row) in system.rows().iter().enumerate() {
            index.read(narrow(number), row);
        }
        index
    }

    fn read(&mut self, number: u32, row: &Row<F>) {
        for (side, terms) in (0u8..).zip([&row.a, &row.b, &row.c]) {
            for (_, wire) in terms {
                self.places[*wire].push((number, side));
            }
        }
        for sum in self.sums[number as usize] {
            let rows = &mut self.rows_of_sum[sum as usize];
            if rows.last() != Some(&number) {
                rows.push(number);
            }
        }
        if let Some(wire) = bit_of(row) {
            self.bit_rows[wire].push(number);
        }
        let equation = linear(row);
        for (_, wire) in equation.iter().flatten() {
            self.linear_rows[*wire].push(number);
        }
        self.linear.push(equation);
    }
}

/// The wire that a row says is zero or one: `x · x = x`, or `x · (x − 1) = 0` either way round.
fn bit_of<F: PrimeField>(row: &Row<F>) -> Option<usize> {
    let single = |terms: &[(F, usize)]| match terms {
        [(_, wire)] if *wire != 0 => Some(*wire),
        _ => None,
    };
    let less_one = |terms: &[(F, usize)], wire: usize| matches!(terms, [(one, 0), (x, w)] if *w == wire && *one + *x == F::zero());
    if let (Some(a), Some(b)) = (single(&row.a), single(&row.b))
        && let [(c, wire)] = row.c[..]
        && a == b
        && b == wire
        && row.a[0].0 * row.b[0].0 == c
    {
        return Some(a);
    }
    if !row.c.is_empty() {
        return None;
    }
    let turned = [(&row.a, &row.b), (&row.b, &row.a)];
    turned
        .into_iter()
        .find_map(|(x, y)| single(x).filter(|wire| less_one(y, *wire)))
}
