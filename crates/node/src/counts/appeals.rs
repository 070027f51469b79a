//! What came of the appeals of a day, from what the store has of them: a late start, and a node that was down, count the same.

use std::collections::BTreeSet;

use ledger::log::{AppealCounts, Rounded, Wait};
use rules::appeal::Outcome;
use rules::{Day, Event, EventBody, EventId, Minute};
use wire::AppealId;

use super::book::end_of;
use crate::appeals::{ENDED, WAITING, appeal_of_key, stored_decision};
use crate::store::{AppealRow, CaseRow, EventRow, StoreError, Table};
use crate::{Node, NodeError};

/// An appeal, as far as it is counted.
struct Counted {
    opened_at: Minute,
    decide_by: Minute,
    end: End,
}

/// How an appeal ended.
#[derive(Clone, Copy)]
enum End {
    /// It waits, now.
    None,
    /// It was decided, or a ruling handed in alone voided the event.
    Decided { at: Minute, outcome: Outcome },
    /// Otherwise: nothing is told of it.
    Unknown,
}

/// A day's appeals, added up.
struct AppealTally {
    day: Day,
    came: u64,
    upheld: [u64; Wait::ALL.len()],
    dismissed: [u64; Wait::ALL.len()],
    waiting: u64,
    overdue: u64,
}

impl AppealTally {
    const fn new(day: Day) -> Self {
        Self {
            day,
            came: 0,
            upheld: [0; Wait::ALL.len()],
            dismissed: [0; Wait::ALL.len()],
            waiting: 0,
            overdue: 0,
        }
    }

    fn add(&mut self, appeal: &Counted) {
        let &Counted {
            opened_at,
            decide_by,
            end,
        } = appeal;
        let end_of_day = end_of(self.day);
        if opened_at >= end_of_day {
            return;
        }
        self.came += u64::from(opened_at.day() == self.day);
        match end {
            End::Decided { at, outcome } if at < end_of_day => {
                if at.day() != self.day {
                    return;
                }
                let waited_min = at.get().saturating_sub(opened_at.get());
                let wait = Wait::of(waited_min, decide_by < at) as usize;
                match outcome {
                    Outcome::Upheld => self.upheld[wait] += 1,
                    Outcome::Dismissed => self.dismissed[wait] += 1,
                }
            }
            End::Decided { .. } | End::None if decide_by < end_of_day => self.overdue += 1,
            End::Decided { .. } | End::None => self.waiting += 1,
            End::Unknown => {}
        }
    }

    fn publish(&self) -> AppealCounts {
        AppealCounts {
            day: self.day.get(),
            came: Rounded::of(self.came),
            upheld: self.upheld.map(Rounded::of),
            dismissed: self.dismissed.map(Rounded::of),
            waiting: Rounded::of(self.waiting),
            overdue: Rounded::of(self.overdue),
        }
    }
}

impl Node {
    /// What came of the appeals of a day. First those that wait: what is decided meanwhile is counted where it was found first.
    ///
    /// # Errors
    /// As for [`Self::walk_residents`].
    pub(super) fn count_appeals(&self, day: Day) -> Result<AppealCounts, NodeError> {
        let mut tally = AppealTally::new(day);
        let mut waited = BTreeSet::new();
        self.walk_appeals(WAITING, &mut |appeal, counted| {
            waited.insert(appeal);
            tally.add(counted);
        })?;
        self.walk_appeals(ENDED, &mut |appeal, counted| {
            if !waited.contains(&appeal) {
                tally.add(counted);
            }
        })?;
        Ok(tally.publish())
    }

    /// One appeal after the other, those that wait or those that do not.
    fn walk_appeals(
        &self,
        place: &[u8],
        each: &mut dyn FnMut(AppealId, &Counted),
    ) -> Result<(), NodeError> {
        self.walk_keys(Table::Appeals, place, &mut |key| {
            let damaged = || StoreError::Damaged(Table::Appeals);
            let (appeal, waits) = appeal_of_key(key).ok_or_else(damaged)?;
            let decide_by = appeal.decide_by().ok_or_else(damaged)?;
            if let Some(counted) = self.counted_appeal(key, decide_by, waits)? {
                each(appeal, &counted);
            }
            Ok(())
        })
    }

    /// An appeal as it is counted; none of one that is gone, or has moved, meanwhile.
    fn counted_appeal(
        &self,
        key: &[u8],
        decide_by: Minute,
        waits: bool,
    ) -> Result<Option<Counted>, NodeError> {
        let read = || {
            let Some(row) = self.vault.get::<AppealRow>(Table::Appeals, key)? else {
                return Ok(None);
            };
            let end = if waits {
                End::None
            } else {
                self.end_of_appeal(&row)?
            };
            Ok(Some(Counted {
                opened_at: row.opened_at,
                decide_by,
                end,
            }))
        };
        match read() {
            // Whoever is erased between two reads has rows and no key.
            Err(_) if self.vault.keys(Table::Appeals, key, 1)?.is_empty() => Ok(None),
            read => read,
        }
    }

    fn end_of_appeal(&self, row: &AppealRow) -> Result<End, NodeError> {
        if let Some(decided) = self.decision_of(row.resident, &row.case_id)? {
            return Ok(End::Decided {
                at: decided.received_at,
                outcome: stored_decision(&decided)?.outcome,
            });
        }
        let case_key = row.resident.row(&row.case_id);
        let Some(case) = self.vault.get::<CaseRow>(Table::Cases, &case_key)? else {
            return Ok(End::Unknown);
        };
        let (contested, mut end) = (EventId(case.event_id), End::Unknown);
        self.vault
            .walk::<EventRow, NodeError>(Table::Events, &row.resident.0, |_, row| {
                let event = Event::from_bytes(&row.event)
                    .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Events)))?;
                match (event.body, end) {
                    (EventBody::Ruling { target, .. }, End::Unknown) if target == contested => {
                        end = End::Decided {
                            at: row.received_at,
                            outcome: Outcome::Upheld,
                        };
                    }
                    _ => {}
                }
                Ok(())
            })?;
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MIN: u32 = 1_440;
    /// 29 August 2022 in UTC+8.
    const DAY: Day = Day::new(19_233);

    fn at(minutes: i64) -> Minute {
        DAY.first_minute().saturating_add_signed(minutes)
    }

    fn decided(opened: i64, waited: i64, outcome: Outcome) -> Counted {
        Counted {
            opened_at: at(opened),
            decide_by: at(opened + 480),
            end: End::Decided {
                at: at(opened + waited),
                outcome,
            },
        }
    }

    fn waits(opened: i64, decide_by: i64) -> Counted {
        Counted {
            opened_at: at(opened),
            decide_by: at(decide_by),
            end: End::None,
        }
    }

    fn tally(appeals: &[Counted]) -> AppealTally {
        let mut tally = AppealTally::new(DAY);
        for appeal in appeals {
            tally.add(appeal);
        }
        tally
    }

    #[test]
    fn what_was_decided_on_the_day_is_counted_by_outcome_and_wait_and_on_no_other() {
        let end = i64::from(DAY_MIN);
        let tally = tally(&[
            decided(10, 60, Outcome::Upheld),
            decided(-100, 480, Outcome::Dismissed),
            decided(-100, 481, Outcome::Dismissed),
            decided(-2_000, 2_000, Outcome::Upheld),
            decided(-100, 99, Outcome::Upheld),
            decided(end - 10, 10, Outcome::Upheld),
            decided(end - 1_000, 1_000, Outcome::Upheld),
            decided(end, 5, Outcome::Upheld),
        ]);
        assert_eq!(tally.came, 3);
        assert_eq!(tally.upheld, [1, 0, 0, 0, 0, 1]);
        assert_eq!(tally.dismissed, [0, 0, 1, 0, 1, 0]);
        assert_eq!((tally.waiting, tally.overdue), (1, 1), "decided since");
    }

    #[test]
    fn what_waits_at_the_days_end_is_late_or_has_time_and_what_came_since_is_neither() {
        let end = i64::from(DAY_MIN);
        let mut left = waits(0, 480);
        left.end = End::Unknown;
        let tally = tally(&[
            waits(-10, 470),
            waits(end - 481, end - 1),
            waits(end - 480, end),
            waits(end - 1, end + 479),
            waits(end, end + 480),
            left,
        ]);
        assert_eq!((tally.waiting, tally.overdue), (2, 2));
        assert_eq!(tally.came, 4);
        assert_eq!(tally.upheld, [0; 6]);
        assert_eq!(tally.publish().came, Rounded::FEW);
    }
}
