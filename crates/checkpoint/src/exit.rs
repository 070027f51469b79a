//! Exit codes.

use verifier::Outcome;

/// What the process returns for each outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// 通行 PASS; or the command did what it should.
    Accept = 0,
    /// 不通过 NO.
    Reject = 1,
    /// 无法核验 CANNOT CHECK.
    Undecided = 2,
    /// No verdict: wrong usage, configuration, input, or state.
    Failed = 3,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accept => Self::Accept,
            Outcome::Reject => Self::Reject,
            Outcome::Undecided => Self::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_exit_code() {
        let codes = [Outcome::Accept, Outcome::Reject, Outcome::Undecided].map(ExitCode::from);
        assert_eq!(codes.map(|code| code as u8), [0, 1, 2]);
    }
}
