//! Wires, public inputs and rows that do nothing.

use r1cs_audit::Structure;

use super::report::{Finding, Search};
use super::{Args, SearchName};

pub(super) fn search(args: &Args) -> Search {
    let system = args.circuit.system();
    let found = Structure::of(system);
    let names = system.names();
    let mut search = Search::new(SearchName::Structure);
    search.figure("rows", system.rows().len());
    search.figure("public inputs", system.public());
    search.figure("witness wires", system.wires() - 1 - system.public());
    search.figure("coefficients that are not zero", found.non_zero);
    for (what, wires) in [
        ("a witness wire in no row", &found.unused_wires),
        ("a public input in no row", &found.unused_public),
    ] {
        for wire in wires {
            search.finding(Finding::fault(&names.wires[*wire], what));
        }
    }
    for row in &found.empty_rows {
        let what = "a row that holds whatever the wires are";
        search.finding(Finding::fault(&names.rows[*row], what));
    }
    for (earlier, row) in &found.duplicate_rows {
        let what = format!("says what {} says", names.rows[*earlier]);
        search.finding(Finding::fault(&names.rows[*row], what));
    }
    search
}
