//! The auditor's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    auditor::run()
}
