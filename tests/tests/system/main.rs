//! Whole-system scenarios: real nodes, sources, devices and gates, over their doors.

mod auditor;
mod crash;
mod desk;
mod disk;
mod doors;
mod ear;
mod erased;
mod forward;
mod leak;
mod observability;
mod openings;
mod relay;
mod sample;
mod schedule;
mod secrets;
mod story;
mod travel;
mod trust;
mod unlinkable;

/// The node's program.
const NODE: &str = env!("CARGO_BIN_EXE_viridian-node");
/// The checkpoint's program.
const CHECKPOINT: &str = env!("CARGO_BIN_EXE_viridian-checkpoint");
/// The federation's desk.
const FEDERATION: &str = env!("CARGO_BIN_EXE_viridian-federation");
/// The auditor's program.
const AUDITOR: &str = env!("CARGO_BIN_EXE_viridian-auditor");
/// The source's.
const SOURCE: &str = env!("CARGO_BIN_EXE_viridian-source");

/// The table in `README.md` says where each bad input is shown; what it names must be there.
#[test]
fn every_test_that_the_table_of_bad_input_names_exists() {
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(room.join("README.md")).unwrap();
    let named: Vec<_> = readme
        .split('`')
        .filter_map(|cell| cell.split_once("::"))
        .collect();
    assert!(named.len() > 25, "{} tests are named", named.len());
    for (file, test) in named {
        let source = std::fs::read_to_string(room.parent().unwrap().join(file));
        let source = source.unwrap_or_else(|_| panic!("{file} is not there"));
        assert!(
            source.contains(&format!("fn {test}(")),
            "{file} has no test {test}"
        );
    }
}
