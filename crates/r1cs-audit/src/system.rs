//! The system itself: rows, names, and hashes that are taken to bind their inputs.

use ark_ff::PrimeField;

/// A linear combination: ascending wire indices with their coefficients, none of them zero; wire 0 is the constant one.
pub type Terms<F> = Vec<(F, usize)>;

/// One row: `a · b = c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<F> {
    /// Left factor.
    pub a: Terms<F>,
    /// Right factor.
    pub b: Terms<F>,
    /// Product.
    pub c: Terms<F>,
}

/// Names of wires and rows: a path of scopes, indices in brackets, such as `Entry key/entry[3]/key`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// One for each wire, the constant and the public inputs included.
    pub wires: Vec<String>,
    /// One for each row.
    pub rows: Vec<String>,
}

/// A hash in the system that is *assumed* to bind: whoever knows its output is taken to know all its inputs.
///
/// This is collision resistance, an assumption about the hash and not about the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<F> {
    /// Where it stands.
    pub name: String,
    /// The rows that compute it: the first, and the one after the last. Without one of them it binds nothing.
    pub rows: (usize, usize),
    /// Its inputs.
    pub inputs: Vec<Terms<F>>,
    /// Its output.
    pub output: Terms<F>,
}

/// A rank-1 constraint system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System<F> {
    public: usize,
    wires: usize,
    rows: Vec<Row<F>>,
    names: Names,
    bindings: Vec<Binding<F>>,
}

/// Why parts are no system; whoever put them together is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// A row or binding speaks of a wire that is not there.
    #[error("{place} speaks of wire {wire}, and there are {wires}")]
    NoSuchWire {
        /// Row or binding.
        place: String,
        /// The wire.
        wire: usize,
        /// Wires of the system.
        wires: usize,
    },
    /// Terms are not in ascending order of wires, or one has a zero coefficient.
    #[error("the terms of {0} do not ascend, or one is zero")]
    Terms(String),
    /// There are not as many names as wires or rows.
    #[error("{names} names for {things} {what}")]
    Names {
        /// Wires or rows.
        what: &'static str,
        /// Names given.
        names: usize,
        /// Things to name.
        things: usize,
    },
    /// More public inputs than wires.
    #[error("{public} public inputs and the constant do not fit {wires} wires")]
    Public {
        /// Public inputs.
        public: usize,
        /// Wires of the system.
        wires: usize,
    },
}

impl<F: PrimeField> System<F> {
    /// A system of `wires` wires: the constant one, then `public` public inputs, then the witness. Wires and rows are
    /// named by their numbers.
    ///
    /// # Errors
    /// [`SystemError`] for a wire that is not there, or terms that are not in their form.
    pub fn new(public: usize, wires: usize, rows: Vec<Row<F>>) -> Result<Self, SystemError> {
        if public >= wires {
            return Err(SystemError::Public { public, wires });
        }
        for (number, row) in rows.iter().enumerate() {
            for terms in [&row.a, &row.b, &row.c] {
                check_terms(terms, wires, || format!("row {number}"))?;
            }
        }
        let names = Names {
            wires: (0..wires).map(|w| format!("wire[{w}]")).collect(),
            rows: (0..rows.len()).map(|r| format!("row[{r}]")).collect(),
        };
        Ok(Self {
            public,
            wires,
            rows,
            names,
            bindings: Vec::new(),
        })
    }

    /// The same with names.
    ///
    /// # Errors
    /// [`SystemError::Names`] unless there is one for each wire and each row.
    pub fn with_names(mut self, names: Names) -> Result<Self, SystemError> {
        for (what, names, things) in [
            ("wires", names.wires.len(), self.wires),
            ("rows", names.rows.len(), self.rows.len()),
        ] {
            if names != things {
                return Err(SystemError::Names {
                    what,
                    names,
                    things,
                });
            }
        }
        self.names = names;
        Ok(self)
    }

    /// The same with hashes that are assumed to bind.
    ///
    /// # Errors
    /// [`SystemError`] for a wire that is not there, or terms that are not in their form.
    pub fn with_bindings(mut self, bindings: Vec<Binding<F>>) -> Result<Self, SystemError> {
        for binding in &bindings {
            for terms in binding.inputs.iter().chain([&binding.output]) {
                check_terms(terms, self.wires, || binding.name.clone())?;
            }
        }
        self.bindings = bindings;
        Ok(self)
    }

    /// Public inputs, the constant not counted: wires 1 to this number.
    pub const fn public(&self) -> usize {
        self.public
    }

    /// Wires: the constant, the public inputs, the witness.
    pub const fn wires(&self) -> usize {
        self.wires
    }

    /// The rows.
    pub fn rows(&self) -> &[Row<F>] {
        &self.rows
    }

    /// The names.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// Hashes assumed to bind.
    pub fn bindings(&self) -> &[Binding<F>] {
        &self.bindings
    }
}

fn check_terms<F: PrimeField>(
    terms: &[(F, usize)],
    wires: usize,
    place: impl Fn() -> String,
) -> Result<(), SystemError> {
    if let Some((_, wire)) = terms.iter().find(|(_, wire)| *wire >= wires) {
        return Err(SystemError::NoSuchWire {
            place: place(),
            wire: *wire,
            wires,
        });
    }
    let ascend = terms.windows(2).all(|pair| pair[0].1 < pair[1].1);
    if !ascend || terms.iter().any(|(c, _)| c.is_zero()) {
        return Err(SystemError::Terms(place()));
    }
    Ok(())
}

/// What kind of thing a name names: the name with its indices left out, such as `Entry key/entry[]/key`.
pub fn kind_of(name: &str) -> String {
    let mut kind = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        kind.push_str(before);
        kind.push_str("[]");
        rest = after.split_once(']').map_or("", |(_, after)| after);
    }
    kind.push_str(rest);
    kind
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ff::Field;

    use super::*;

    #[test]
    fn a_kind_is_a_name_without_its_indices() {
        assert_eq!(kind_of("a/b[3]/c[12]"), "a/b[]/c[]");
        assert_eq!(kind_of("a"), "a");
        assert_eq!(kind_of("a[3"), "a[]");
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let row = |c: Terms<Fr>| Row {
            a: vec![],
            b: vec![],
            c,
        };
        let one = Fr::ONE;
        assert!(System::new(1, 3, vec![row(vec![(one, 1), (one, 2)])]).is_ok());
        assert!(matches!(
            System::new(1, 3, vec![row(vec![(one, 3)])]),
            Err(SystemError::NoSuchWire { wire: 3, .. })
        ));
        for terms in [vec![(one, 2), (one, 1)], vec![(one - one, 1)]] {
            let refused = System::new(1, 3, vec![row(terms)]);
            assert!(matches!(refused, Err(SystemError::Terms(_))));
        }
        assert!(matches!(
            System::<Fr>::new(3, 3, vec![]),
            Err(SystemError::Public { .. })
        ));
        let system = System::<Fr>::new(1, 3, vec![]).unwrap();
        assert!(matches!(
            system.with_names(Names::default()),
            Err(SystemError::Names { what: "wires", .. })
        ));
    }
}
