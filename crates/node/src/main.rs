//! Node.

fn main() {}
