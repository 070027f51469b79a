//! From record, row table and risk map to colour and reasons, at one moment.

use serde::Serialize;

use crate::{
    AreaCode, CheckInRun, Clearing, Colour, Day, Error, Fact, FactKind, Grade, Interval, Key,
    LookbackHours, Minute, Record, RiskMap, Row, RowTable, Stay,
};

/// What a reason rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Ground {
    /// A fact of the record, by its position among the facts.
    Fact {
        /// Position in [`Record::facts`].
        index: usize,
        /// Its kind.
        kind: FactKind,
    },
    /// A stay of the record, by its position among the stays.
    Stay {
        /// Position in [`Record::stays`].
        index: usize,
        /// Where.
        place: AreaCode,
        /// Worst grade met there.
        worst: Grade,
    },
}

/// Whether a reason still colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It counts: its colour is the phase's.
    Open,
    /// One of its ways out is fulfilled (0 or 1).
    Cleared(u8),
    /// Its row's lapse has passed.
    Lapsed,
    /// Its row never colours.
    Inert,
}

/// One way out of an open reason, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WayOut {
    /// The conditions.
    pub clearing: Clearing,
    /// First minute at which the time condition holds; absent while the anchor still moves or beyond [`Minute::MAX`].
    pub time_from: Option<Minute>,
    /// The most negatives of the record that already count together, up to the number needed.
    pub negatives_counted: u8,
    /// The longest run of days after the anchor that already counts, up to the number needed.
    pub check_in_days_counted: u8,
    /// The earliest minute at which this way can be fulfilled, if the missing tests are sampled and the missing
    /// days checked in as early as possible from now on; absent where time alone cannot fulfil it.
    pub earliest: Option<Minute>,
}

/// A ground with what the rule set makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it rests on.
    pub ground: Ground,
    /// Its key in the row table.
    pub key: Key,
    /// The moment from which its row counts.
    pub anchor: Minute,
    /// Whether the anchor still moves with the clock (a stay that goes on in a listed area).
    pub anchor_moves: bool,
    /// Open or how it ended.
    pub state: State,
    /// The colour it gives now; green unless open.
    pub colour: Colour,
    /// The row that applied.
    pub row: Row,
    /// Its ways out, for an open reason.
    pub ways_out: Vec<WayOut>,
    /// The minute at which it lapses by itself, if its row has a lapse and the anchor stands still.
    pub lapses_at: Option<Minute>,
    /// The earliest day on which the reason can end, by the best of its ways out or its lapse; absent where only
    /// an event (a release, a discharge, an area's release) can end it.
    pub earliest_end: Option<Day>,
}

/// The colour of a record at a moment, and every reason, open or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evaluation {
    /// The worst colour over open reasons, green if there is none.
    pub colour: Colour,
    /// One reason for each fact and for each stay that met a listed grade: facts first, in record order.
    pub reasons: Vec<Reason>,
}

/// What a stay met in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Worst grade met.
    pub worst: Grade,
    /// Grade at the end of the stay, or at the moment of evaluation while it goes on.
    pub at_end: Grade,
    /// Last minute of exposure: to a medium or high listing if one was met, else to a low one; the end of the stay where none.
    pub anchor: Minute,
}

/// What `stay` met in `interval`, which must hold its place, when listings reach back by `lookback`.
pub fn exposure(stay: &Stay, interval: &Interval, lookback: LookbackHours, at: Minute) -> Exposure {
    let end = stay.end.unwrap_or(at);
    let mut worst = Grade::None;
    let mut at_end = Grade::None;
    let reach = |p: &crate::Period| {
        p.since
            .saturating_add_signed(-60 * i64::from(lookback.of(p.grade)))
    };
    let met = || {
        interval
            .periods
            .iter()
            .filter(|p| stay.begin < p.until && reach(p) <= end)
    };
    for period in met() {
        worst = worst.max(period.grade);
        if end < period.until {
            at_end = at_end.max(period.grade);
        }
    }
    let counts = |grade: Grade| grade >= Grade::Medium || worst == Grade::Low;
    let last = met().rfind(|p| counts(p.grade));
    Exposure {
        worst,
        at_end,
        anchor: last.map_or(end, |p| p.until.min(end)),
    }
}

/// The colour and all reasons of `record` under `table` and `map` at the moment `at`.
///
/// # Errors
/// [`Error::Future`] if the record speaks of a moment after `at`.
pub fn evaluate(
    record: &Record,
    table: &RowTable,
    map: &RiskMap,
    at: Minute,
) -> Result<Evaluation, Error> {
    let latest = record.latest();
    if latest > at {
        return Err(Error::Future { latest, at });
    }
    let facts = record.facts().iter().enumerate().map(|(index, fact)| {
        let ground = Ground::Fact {
            index,
            kind: fact.kind,
        };
        reason(
            record,
            table,
            at,
            ground,
            key_of_fact(fact, table),
            fact.anchor(),
            false,
        )
    });
    let stays = record
        .stays()
        .iter()
        .enumerate()
        .filter_map(|(index, stay)| {
            let interval = map.interval_of(stay.place);
            let met = exposure(stay, interval, table.lookback_hours(), at);
            if met.worst == Grade::None {
                return None;
            }
            let present = stay.end.is_none();
            let key = Key::of_stay(met.worst, met.at_end, present);
            let ground = Ground::Stay {
                index,
                place: stay.place,
                worst: met.worst,
            };
            let last_counted = if met.worst == Grade::Low {
                Grade::Low
            } else {
                Grade::Medium
            };
            let moves = present && met.at_end >= last_counted;
            Some(reason(record, table, at, ground, key, met.anchor, moves))
        });
    let reasons: Vec<Reason> = facts.chain(stays).collect();
    let colour = reasons
        .iter()
        .map(|r| r.colour)
        .max()
        .unwrap_or(Colour::Green);
    Ok(Evaluation { colour, reasons })
}

/// The key of a fact under a table: local where the fact's province is the table's (never for the nation's table).
pub fn key_of_fact(fact: &Fact, table: &RowTable) -> Key {
    let local = fact.province == table.province() && table.province().get() != 0;
    Key::of_fact(fact.kind, fact.end.is_some(), local)
}

/// The colour that `row` gives at `at` for a ground anchored at `anchor`, given the record's relief.
pub fn row_state(row: &Row, record: &Record, anchor: Minute, at: Minute) -> (State, Colour) {
    row_state_with(row, record.negatives(), record.runs(), anchor, at)
}

/// As [`row_state`], with relief that need not fit a record: `negatives` and `runs` strictly ascend.
pub fn row_state_with(
    row: &Row,
    negatives: &[Minute],
    runs: &[CheckInRun],
    anchor: Minute,
    at: Minute,
) -> (State, Colour) {
    if row.is_inert() {
        return (State::Inert, Colour::Green);
    }
    if row.lapse.is_some_and(|lapse| lapse.reached(anchor, at)) {
        return (State::Lapsed, Colour::Green);
    }
    for (index, clearing) in (0..).zip(&row.clearing) {
        if clearing.is_some_and(|c| is_cleared_with(&c, negatives, runs, anchor, at)) {
            return (State::Cleared(index), Colour::Green);
        }
    }
    let colour = if row.switch.reached(anchor, at) {
        row.then
    } else {
        row.first
    };
    (State::Open, colour)
}

fn reason(
    record: &Record,
    table: &RowTable,
    at: Minute,
    ground: Ground,
    key: Key,
    anchor: Minute,
    anchor_moves: bool,
) -> Reason {
    let row = *table.row(key);
    let (state, colour) = row_state(&row, record, anchor, at);
    let mut ways_out = Vec::new();
    let mut lapses_at = None;
    if state == State::Open {
        ways_out.extend(
            row.clearing
                .iter()
                .flatten()
                .map(|c| way_out(c, record, anchor, at, anchor_moves)),
        );
        if let (Some(lapse), false) = (row.lapse, anchor_moves) {
            lapses_at = minute_at(lapse.from_anchor(anchor));
        }
    }
    let earliest_end = ways_out
        .iter()
        .filter_map(|w| w.earliest)
        .chain(lapses_at)
        .min()
        .map(Minute::day);
    Reason {
        ground,
        key,
        anchor,
        anchor_moves,
        state,
        colour,
        row,
        ways_out,
        lapses_at,
        earliest_end,
    }
}

/// Whether all conditions of `clearing` hold at `at` for a ground anchored at `anchor`.
pub fn is_cleared(clearing: &Clearing, record: &Record, anchor: Minute, at: Minute) -> bool {
    is_cleared_with(clearing, record.negatives(), record.runs(), anchor, at)
}

fn is_cleared_with(
    clearing: &Clearing,
    negatives: &[Minute],
    runs: &[CheckInRun],
    anchor: Minute,
    at: Minute,
) -> bool {
    clearing.after.reached(anchor, at)
        && negatives_counted(clearing, negatives, anchor) >= clearing.negatives
        && days_counted(clearing, runs, anchor, at) >= clearing.check_in_days
}

/// The most negatives that count together, up to the number needed: each at least the gap after the one before,
/// the first not before its earliest minute, first and last within the span.
pub fn negatives_counted(clearing: &Clearing, negatives: &[Minute], anchor: Minute) -> u8 {
    if clearing.negatives == 0 {
        return 0;
    }
    let earliest = i64::from(anchor.get()) + 60 * i64::from(clearing.neg_from_hours);
    let gap_min = 60 * u32::from(clearing.gap_hours);
    let span_min = 60 * u32::from(clearing.span_hours);
    let mut most = 0;
    for (i, &first) in negatives.iter().enumerate() {
        if i64::from(first.get()) < earliest {
            continue;
        }
        let (mut count, mut last) = (1, first);
        for &next in &negatives[i + 1..] {
            let fits = next.get() - last.get() >= gap_min && next.get() - first.get() <= span_min;
            if count < clearing.negatives && fits {
                count += 1;
                last = next;
            }
        }
        most = most.max(count);
    }
    most
}

/// The most consecutive check-in days in one run after the anchor's day and not after today, up to the number needed.
pub fn days_counted(clearing: &Clearing, runs: &[CheckInRun], anchor: Minute, at: Minute) -> u8 {
    let from = anchor.day().get().saturating_add(1);
    let today = at.day().get();
    let longest = runs
        .iter()
        .map(|run| (run.last.get().min(today) + 1).saturating_sub(run.first.get().max(from)))
        .max()
        .unwrap_or(0);
    u8::try_from(longest.min(u16::from(clearing.check_in_days))).unwrap_or(u8::MAX)
}

fn way_out(
    clearing: &Clearing,
    record: &Record,
    anchor: Minute,
    at: Minute,
    anchor_moves: bool,
) -> WayOut {
    let time_from = minute_at(clearing.after.from_anchor(anchor)).filter(|_| !anchor_moves);
    let negatives_counted = negatives_counted(clearing, record.negatives(), anchor);
    let check_in_days_counted = days_counted(clearing, record.runs(), anchor, at);
    let earliest = time_from.and_then(|time| {
        let tests = earliest_tests(clearing, record, anchor, at)?;
        let days = earliest_check_ins(clearing, record, anchor, at)?;
        Some(time.max(tests).max(days))
    });
    WayOut {
        clearing: *clearing,
        time_from,
        negatives_counted,
        check_in_days_counted,
        earliest,
    }
}

/// The earliest minute by which the tests can be complete, adding to what counts or starting afresh from now.
fn earliest_tests(
    clearing: &Clearing,
    record: &Record,
    anchor: Minute,
    at: Minute,
) -> Option<Minute> {
    let needed = i64::from(clearing.negatives);
    let gap_min = 60 * i64::from(clearing.gap_hours);
    let span_min = 60 * i64::from(clearing.span_hours);
    let now = i64::from(at.get());
    let first_allowed = i64::from(anchor.get()) + 60 * i64::from(clearing.neg_from_hours);
    if negatives_counted(clearing, record.negatives(), anchor) >= clearing.negatives {
        return Some(at);
    }
    let afresh = (
        now.max(first_allowed) + gap_min * (needed - 1),
        gap_min * (needed - 1) <= span_min,
    );
    let mut best = afresh.1.then_some(afresh.0);
    for (i, first) in record.negatives().iter().enumerate() {
        let first_min = i64::from(first.get());
        if first_min < first_allowed {
            continue;
        }
        let (mut have, mut last) = (1, first_min);
        for next in &record.negatives()[i + 1..] {
            if i64::from(next.get()) - last >= gap_min {
                (have, last) = (have + 1, i64::from(next.get()));
            }
        }
        let done = now.max(last + gap_min) + gap_min * (needed - have - 1);
        if have < needed && done - first_min <= span_min {
            best = Some(best.map_or(done, |b| b.min(done)));
        }
    }
    minute_at(best?)
}

/// The earliest minute by which enough days can be checked in, going on with a run that reaches today or
/// yesterday, or starting afresh today.
fn earliest_check_ins(
    clearing: &Clearing,
    record: &Record,
    anchor: Minute,
    at: Minute,
) -> Option<Minute> {
    let needed = u16::from(clearing.check_in_days);
    if u16::from(days_counted(clearing, record.runs(), anchor, at)) >= needed {
        return Some(at);
    }
    let today = at.day().get();
    let from = anchor.day().get().saturating_add(1);
    let begun = record
        .runs()
        .iter()
        .filter(|r| r.last.get().saturating_add(1) >= today)
        .map(|r| r.first.get());
    let start = begun.chain([today]).min()?.max(from);
    let last = Day::new(start.checked_add(needed - 1)?);
    Some(last.first_minute().max(at))
}

fn minute_at(minutes_since_epoch: i64) -> Option<Minute> {
    u32::try_from(minutes_since_epoch.max(0))
        .ok()
        .and_then(|m| Minute::new(m).ok())
}
