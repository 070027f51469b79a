//! Who works here: the list of staff, with what each may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A person's name in the store: 8 bytes, drawn when they were invited. It outlives a change of the name that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StaffId(pub [u8; 8]);

impl std::fmt::Display for StaffId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What somebody may do. Nobody agrees with an own proposal, whatever roles they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Proposes events.
    Clerk,
    /// Agrees with proposals, or refuses them.
    Approver,
    /// Reads appeals and proposes how to decide them.
    AppealsOfficer,
    /// Sees what the node does.
    Operator,
    /// Sees what was done at the console, and by whom.
    Auditor,
}

/// What one person may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether `role` is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Them all, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        Self(roles.into_iter().collect())
    }
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: StaffId,
    /// The name that people read.
    pub name: String,
    /// What they may do.
    pub roles: Roles,
}
