//! Looking at every row.

use super::{Vault, owner_of};
use crate::table::Scope;
use crate::{StoreError, Table};

/// Something wrong with a row. It names no resident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The row's table.
    pub table: Table,
    /// What is wrong.
    pub what: String,
}

/// What looking at every row came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Rows looked at.
    pub rows: u64,
    /// What is wrong, at most [`Checked::MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many things are wrong.
    pub wrong: u64,
}

impl Checked {
    /// Findings that are kept word by word.
    pub const MAX_FINDINGS: usize = 100;

    /// Adds a finding.
    pub fn add(&mut self, table: Table, what: impl Into<String>) {
        self.wrong += 1;
        if self.findings.len() < Self::MAX_FINDINGS {
            let what = what.into();
            self.findings.push(Finding { table, what });
        }
    }
}

impl Vault {
    /// Opens every row of every table; `each` is called with the number of rows looked at.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails; what is wrong with a row is a finding.
    pub fn check_rows(&self, each: &mut dyn FnMut(u64)) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        for table in Table::ALL {
            let mut last = None;
            self.walk_stored::<StoreError>(table, b"", &mut |key, stored| {
                checked.rows += 1;
                each(checked.rows);
                let opened = match table.scope() {
                    Scope::Plain if table == Table::Keys => key
                        .try_into()
                        .map_err(|_| StoreError::Damaged(table))
                        .and_then(|owner| self.ring().unwrap(&owner, stored).map(drop)),
                    Scope::Plain => Ok(()),
                    _ => self.open_row(table, key, stored, &mut last).map(drop),
                };
                if let Err(error) = opened {
                    let orphan = owner_of(table, key, stored)
                        .and_then(|(owner, _)| self.data_key(&owner))
                        .is_ok_and(|key| key.is_none());
                    checked.add(
                        table,
                        if orphan {
                            "a row of a resident without a data key".to_owned()
                        } else {
                            error.to_string()
                        },
                    );
                }
                Ok(())
            })?;
        }
        Ok(checked)
    }
}
