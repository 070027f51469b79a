//! Reading what is missing of this node's log from those who hold it, in turns.
//!
//! Whoever holds the newest checkpoint is read first: each of its parts is held against that. What a holder of an older
//! checkpoint gives is held against that older one, and is sure only once it is continued to the newest.

use std::collections::BTreeSet;

use ledger::log::{Log, LogPart, SignedCheckpoint};
use tokio::time::Instant;
use tonic::{Code, Status};
use wire::Reason;

use super::ask::{Holder, Way, log_part};
use super::passed::{PassedOver, Spent, WhyNot, note};
use super::{RECOVERED_MAX_BYTES, RecoverError, Recovering};

/// Why a holder gives nothing more.
pub(super) struct Failed {
    pub(super) why: WhyNot,
    /// For the operator's log.
    pub(super) what: String,
}

impl Failed {
    pub(super) fn wrong(what: &dyn std::fmt::Display) -> Self {
        Self {
            why: WhyNot::OtherEntries,
            what: what.to_string(),
        }
    }

    pub(super) fn of(status: &Status) -> Self {
        let is_late = wire::reason_of(status) == Some(Reason::Deadline)
            || matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded);
        Self {
            why: if is_late {
                WhyNot::Silent
            } else {
                WhyNot::OtherEntries
            },
            what: status.message().to_owned(),
        }
    }
}

impl Holder {
    /// Entries from `first` on of a tree whose checkpoint this holder has, held against it.
    async fn part(&self, me: &Recovering<'_>, log: &Log) -> Result<(LogPart, Log), Failed> {
        let size = self.checkpoint.size();
        let part = match &self.way {
            Way::Peer(channel) => {
                let of = (log.size(), size);
                log_part(channel, me.slot, of, me.patience.answer).await?
            }
            // Tiles have no proof from one size to another: all is read, and its root is the checkpoint's.
            Way::Http(mirror) => LogPart {
                entries: mirror
                    .entries(log.size(), size, RECOVERED_MAX_BYTES)
                    .await?,
                proof: Vec::new(),
            },
        };
        let of = (size, self.checkpoint.root());
        let next = log
            .extended(&part, of)
            .map_err(|error| Failed::wrong(&error))?;
        Ok((part, next))
    }
}

/// A holder, and what it was given so far.
struct Turn<'a> {
    holder: &'a Holder,
    spent: Spent,
}

/// How far reading is.
struct Reading<'a> {
    me: &'a Recovering<'a>,
    newest: &'a SignedCheckpoint,
    log: Log,
    entries: Vec<Vec<u8>>,
    len_bytes: usize,
    /// The last point that is known to lead to the newest checkpoint.
    sure: (Log, usize),
    /// Those who gave what is after it.
    unsure: BTreeSet<&'a str>,
    given_up: BTreeSet<&'a str>,
}

/// Reads what is missing from `own` to the newest checkpoint. Everybody who is not read to the end is put among `passed`.
pub(super) async fn read_missing(
    me: &Recovering<'_>,
    own: &Log,
    newest: &SignedCheckpoint,
    holders: &[Holder],
    passed: &mut Vec<PassedOver>,
    each: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Vec<u8>>, RecoverError> {
    let mut reading = Reading {
        me,
        newest,
        log: own.clone(),
        entries: Vec::new(),
        len_bytes: 0,
        sure: (own.clone(), 0),
        unsure: BTreeSet::new(),
        given_up: BTreeSet::new(),
    };
    let mut turns = in_order(newest, holders);
    while !reading.is_done() && !turns.is_empty() {
        let before = (reading.entries.len(), turns.len());
        let mut kept = Vec::with_capacity(turns.len());
        for mut turn in turns {
            if reading.take_turn(&mut turn, passed, each).await? {
                kept.push(turn);
            }
        }
        turns = kept;
        if (reading.entries.len(), turns.len()) == before {
            break;
        }
    }
    if reading.is_done() {
        return Ok(reading.entries);
    }
    let reached = reading.log.size().min(newest.size());
    // It is not the mirrors that fall short if the store's own entries are others.
    for holder in holders.iter().filter(|h| is_of(newest, h)) {
        if let Some(index) = first_difference(me, holder, own.size()).await? {
            return Err(RecoverError::OtherHistory { index });
        }
    }
    if newest.size() == own.size() {
        let index = own.size().saturating_sub(1);
        return Err(RecoverError::OtherHistory { index });
    }
    Err(RecoverError::Incomplete {
        reached,
        wanted: newest.size(),
        passed_over: passed.clone(),
    })
}

fn is_of(newest: &SignedCheckpoint, holder: &Holder) -> bool {
    holder.checkpoint.text() == newest.text()
}

/// Those who can lead to the newest checkpoint: its own holders before the others, peers before plain HTTP, the longest first.
fn in_order<'a>(newest: &SignedCheckpoint, holders: &'a [Holder]) -> Vec<Turn<'a>> {
    let may = |holder: &&Holder| is_of(newest, holder) || holder.checkpoint.size() < newest.size();
    let mut order: Vec<&Holder> = holders.iter().filter(may).collect();
    order.sort_by_key(|holder| {
        let is_http = matches!(holder.way, Way::Http(_));
        (!is_of(newest, holder), is_http, u64::MAX - holder.end)
    });
    let turn = |holder| Turn {
        holder,
        spent: Spent::default(),
    };
    order.into_iter().map(turn).collect()
}

impl<'a> Reading<'a> {
    fn is_done(&self) -> bool {
        let (size, root) = (self.newest.size(), self.newest.root());
        self.log.size() == size && self.log.root() == Ok(root)
    }

    /// Reads from one holder for as long as it has; whether it is asked again.
    async fn take_turn(
        &mut self,
        turn: &mut Turn<'a>,
        passed: &mut Vec<PassedOver>,
        each: &mut (dyn FnMut(u64) + Send),
    ) -> Result<bool, RecoverError> {
        let (holder, patience) = (turn.holder, self.me.patience);
        if self.given_up.contains(holder.name.as_str()) {
            return Ok(false);
        }
        let (began, mut given) = (Instant::now(), 0);
        let end = holder.end.min(self.newest.size());
        while self.log.size() < end && holder.first <= self.log.size() {
            if began.elapsed() >= patience.turn || given >= patience.turn_bytes {
                break;
            }
            let since = Instant::now();
            match holder.part(self.me, &self.log).await {
                Ok((part, next)) => {
                    let len_bytes: usize = part.entries.iter().map(Vec::len).sum();
                    turn.spent.add(since, len_bytes);
                    given += len_bytes;
                    self.take(holder, part, next, len_bytes)?;
                    each(self.entries.len() as u64);
                }
                // What others gave before can be at fault: they hold another checkpoint.
                Err(failed)
                    if failed.why == WhyNot::OtherEntries
                        && is_of(self.newest, holder)
                        && !self.unsure.is_empty() =>
                {
                    self.go_back(passed);
                }
                Err(failed) => {
                    let what = failed.what;
                    tracing::warn!(from = holder.name, what, "a mirror is not used further");
                    note(passed, &holder.name, failed.why);
                    return Ok(false);
                }
            }
            if turn.spent.is_slow(&patience) {
                note(passed, &holder.name, WhyNot::Slow);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(
        &mut self,
        holder: &'a Holder,
        part: LogPart,
        next: Log,
        len_bytes: usize,
    ) -> Result<(), RecoverError> {
        self.len_bytes += len_bytes;
        if self.len_bytes > RECOVERED_MAX_BYTES {
            return Err(RecoverError::TooMuch {
                limit: RECOVERED_MAX_BYTES,
            });
        }
        self.entries.extend(part.entries);
        self.log = next;
        if is_of(self.newest, holder) {
            self.sure = (self.log.clone(), self.entries.len());
            self.unsure.clear();
        } else {
            self.unsure.insert(&holder.name);
        }
        Ok(())
    }

    /// Back to what is sure; whoever gave what came after it is asked no more.
    fn go_back(&mut self, passed: &mut Vec<PassedOver>) {
        let (log, count) = &self.sure;
        self.log = log.clone();
        self.entries.truncate(*count);
        self.len_bytes = self.entries.iter().map(Vec::len).sum();
        for name in std::mem::take(&mut self.unsure) {
            note(passed, name, WhyNot::OtherEntries);
            self.given_up.insert(name);
        }
    }
}

/// The first entry in which the store and a holder, who has all of them from the first on, differ.
pub(super) async fn first_difference(
    me: &Recovering<'_>,
    holder: &Holder,
    had: u64,
) -> Result<Option<u64>, RecoverError> {
    let (mut log, mut spent) = (Log::default(), Spent::default());
    if holder.first > 0 {
        return Ok(None);
    }
    while log.size() < had.min(holder.end) && !spent.is_slow(&me.patience) {
        let since = Instant::now();
        let Ok((part, next)) = holder.part(me, &log).await else {
            return Ok(None);
        };
        spent.add(since, part.entries.iter().map(Vec::len).sum());
        for (index, entry) in (log.size()..had).zip(&part.entries) {
            if super::rows::own_entry(me.vault, index)?.as_ref() != Some(entry) {
                return Ok(Some(index));
            }
        }
        log = next;
    }
    Ok(None)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
