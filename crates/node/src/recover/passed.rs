//! Who was not used while a log was recovered, and why: the operator reads it at the end.

use std::fmt;
use std::time::Duration;

use rules::ProvinceCode;
use tokio::time::Instant;

/// Bytes a second below which nobody is read any further, over all the time that was spent on it: a part of 128 KiB then takes eight of
/// the ten seconds that one answer has, and all that is recovered at once (`RECOVERED_MAX_BYTES`) nine hours at the most.
const LEAST_RATE_BYTES: u64 = 16 << 10;

/// How long others are waited for. Each of these bounds what one that is slow, or means to be, costs a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one answer; 10 s, in which the largest part comes at the least rate, with two to spare.
    pub answer: Duration,
    /// For everything that one of them is asked before entries are read, and again for what it has cosigned of all others' logs; 20 s, two
    /// answers that come at the last moment, for most are small and come at once.
    pub asking: Duration,
    /// For its entries before it is another's turn; twice that is allowed beyond what its bytes take at the least rate. 10 s, one answer: who
    /// gives nothing holds the others up for no longer.
    pub turn: Duration,
    /// Bytes of entries before it is another's turn; 8 MiB, 64 of the largest parts, so that a fast one is not left for another at every part, and
    /// one with another history leaves no more than that to be taken back for each turn.
    pub turn_bytes: usize,
    /// For reading on in one of the others' logs; what was read is kept, and the next time goes on from there. 5 min, in which the least rate
    /// gives 4.8 MB, some 25 days of a log that writes 70 MB a year; for the logs of 33 others under three hours.
    pub log: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            asking: Duration::from_secs(20),
            turn: Duration::from_secs(10),
            turn_bytes: 8 << 20,
            log: Duration::from_mins(5),
        }
    }
}

/// What one holder was given in time, and gave in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    time: Duration,
    bytes: u64,
}

impl Spent {
    pub(super) fn add(&mut self, since: Instant, bytes: usize) {
        self.time += since.elapsed();
        self.bytes += bytes as u64;
    }

    /// Whether it took longer than is allowed for what it gave.
    pub(super) fn is_slow(&self, patience: &Patience) -> bool {
        let allowed = Duration::from_secs(self.bytes / LEAST_RATE_BYTES) + patience.turn * 2;
        self.time > allowed
    }
}

/// Why somebody was not used, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// It did not say what it has, or stopped answering.
    Silent,
    /// It gave less than it was waited for.
    Slow,
    /// It did not say within its time what it has cosigned of so many of the others' logs.
    CutOff {
        /// How many it was not heard of.
        logs: usize,
    },
    /// It shows a checkpoint that this node did not sign.
    NotSigned,
    /// What it gives does not lead to the newest checkpoint.
    OtherEntries,
    /// This node signed a checkpoint that it shows, of so many entries, and it is none of the log that a quorum of witnesses holds.
    OtherHistory {
        /// Its entries.
        size: u64,
    },
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("did not answer"),
            Self::Slow => f.write_str("was too slow"),
            Self::CutOff { logs } => write!(
                f,
                "did not say in time what it has cosigned of {logs} of the others' logs"
            ),
            Self::NotSigned => f.write_str("shows a checkpoint that this node did not sign"),
            Self::OtherEntries => f.write_str("does not hold what leads to the newest checkpoint"),
            Self::OtherHistory { size } => write!(
                f,
                "shows a checkpoint of {size} entries that this node signed, of another history"
            ),
        }
    }
}

/// Somebody who was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// A province, or an address.
    pub who: String,
    /// Why.
    pub why: WhyNot,
}

impl PassedOver {
    pub(super) fn province(province: ProvinceCode, why: WhyNot) -> Self {
        let who = name_of(province);
        Self { who, why }
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.who, self.why)
    }
}

pub(super) fn name_of(province: ProvinceCode) -> String {
    format!("province {}", province.get())
}

/// Notes somebody once for each reason.
pub(super) fn note(passed: &mut Vec<PassedOver>, who: &str, why: WhyNot) {
    let one = PassedOver {
        who: who.to_owned(),
        why,
    };
    if !passed.contains(&one) {
        tracing::warn!(who = one.who, why = %one.why, "somebody is passed over");
        passed.push(one);
    }
}

/// All of them after a text, each behind a semicolon.
pub(super) fn listed(passed: &[PassedOver]) -> String {
    let each = passed.iter().map(ToString::to_string);
    [String::new()]
        .into_iter()
        .chain(each)
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_gives_less_than_the_least_rate_is_slow_once_its_patience_is_over() {
        let patience = Patience::default();
        let spent = |secs, bytes| Spent {
            time: Duration::from_secs(secs),
            bytes,
        };
        assert!(!spent(20, 0).is_slow(&patience));
        assert!(spent(21, 0).is_slow(&patience));
        // A part of 128 KiB is good for eight seconds more, and no entry for none.
        assert!(!spent(28, 128 << 10).is_slow(&patience));
        assert!(spent(29, 128 << 10).is_slow(&patience));
        assert!(spent(600, 100).is_slow(&patience));
    }

    #[test]
    fn somebody_is_named_once_for_each_reason() {
        let mut passed = Vec::new();
        for why in [WhyNot::Slow, WhyNot::Slow, WhyNot::OtherEntries] {
            note(&mut passed, "province 33", why);
        }
        assert_eq!(
            listed(&passed),
            "; province 33 was too slow; province 33 does not hold what leads to the newest checkpoint"
        );
    }
}
