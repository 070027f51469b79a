//! `.sym`: a line `label,wire,component,name` for each wire but the constant, as circom writes them.
//!
//! A wire's label is its number. A name `Entry key/entry[3]/key` becomes `main.Entry_key.entry[3].key`: the root has
//! circom's name `main`, scopes are parted by dots, and every character that may not stand in circom's identifiers or
//! their indices becomes an underscore. Where two names would fall together, the later one gets its wire's number.
//! Components are the scopes that hold wires, numbered from 0 in the order in which they first do.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use ark_ff::PrimeField;

use crate::System;

/// The names as a file's text.
pub fn write<F: PrimeField>(system: &System<F>) -> String {
    let mut text = String::new();
    let mut components = HashMap::new();
    let mut taken = HashSet::new();
    for (wire, given) in system.names().wires.iter().enumerate().skip(1) {
        let mut name = circom_name(given);
        if taken.contains(&name) {
            let _ = write!(name, "_wire{wire}");
        }
        let scope = name.rsplit_once('.').map_or("", |(scope, _)| scope);
        let next = components.len();
        let component = *components.entry(scope.to_owned()).or_insert(next);
        let _ = writeln!(text, "{wire},{wire},{component},{name}");
        taken.insert(name);
    }
    text
}

/// A name of ours as circom would write it.
pub fn circom_name(name: &str) -> String {
    let fit = |c: char| match c {
        '/' => '.',
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '$' | '[' | ']' => c,
        _ => '_',
    };
    std::iter::once("main.")
        .flat_map(str::chars)
        .chain(name.chars().map(fit))
        .collect()
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::Names;

    #[test]
    fn names_become_paths_that_stay_apart() {
        let wires = [
            "one",
            "as of",
            "Entry key/entry[3]/key",
            "Entry,key/entry[3]/key",
            "Entry key/other",
        ];
        let names = Names {
            wires: wires.map(ToOwned::to_owned).to_vec(),
            rows: vec![],
        };
        let system = System::<Fr>::new(1, 5, vec![]).unwrap();
        let system = system.with_names(names).unwrap();
        assert_eq!(
            write(&system),
            "1,1,0,main.as_of\n\
             2,2,1,main.Entry_key.entry[3].key\n\
             3,3,1,main.Entry_key.entry[3].key_wire3\n\
             4,4,2,main.Entry_key.other\n"
        );
    }
}
