//! Auditor.

fn main() {}
