//! The rule sets of the demonstration: two published ones, and one made up for the nation.

use rules::{RuleSet, RuleSetError};

/// The nation's set as TOML, as the nodes read it from a file.
pub const NATION_TOML: &str = include_str!("../rule_sets/cn-demo-2022-08.toml");
/// Name of the nation's set.
pub const NATION: &str = "cn-demo-2022-08";
/// Name of Zhejiang's set.
pub const ZHEJIANG: &str = "hz-2020-02";
/// Name of Fujian's set.
pub const FUJIAN: &str = "fj-2022-08";

/// The nation's, Zhejiang's and Fujian's set, in the order of [`crate::story::Role::colours`].
///
/// # Errors
/// Only if a shipped file is damaged.
pub fn all() -> Result<[RuleSet; 3], RuleSetError> {
    Ok([
        RuleSet::from_toml(NATION_TOML)?,
        RuleSet::built_in(ZHEJIANG)?,
        RuleSet::built_in(FUJIAN)?,
    ])
}
