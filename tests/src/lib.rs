//! Whole-system tests: what they share. The scenarios are under `tests/tests`.
