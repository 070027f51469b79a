//! Checkpoint.

fn main() {}
