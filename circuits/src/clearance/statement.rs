//! The native relation: the same statement as the rows, heading by heading, in plain arithmetic.

use commitment::poseidon::{Domain, hash3};
use commitment::record::EntryBits;
use commitment::risk_tree::pair_hash;
use commitment::rule_table::encoded_province;
use commitment::{
    Fr, PublicInputs, REGISTRY_DEPTH, RISK_DEPTH, STATE_DEPTH, Tree, pack, rule_digest,
};
use rules::{Claim, Colour, Grade, Key, MAX_SLOTS, MAX_STAYS, Minute, Offset, Row};

use super::{Heading, OpenedInterval, Relief, SlotClaim, Witness};

/// Why the relation refuses: the heading that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("clearance does not hold: {0}")]
pub struct Refusal(pub Heading);

/// What the facts of one entry give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryFacts {
    /// Its key; zero where it is no ground.
    pub key: u8,
    /// Its anchor.
    pub anchor: u32,
    /// Whether it must lie in a slot.
    pub is_ground: bool,
}

/// Whether `witness` fulfils the statement for `public`; the first heading that fails, if not.
///
/// # Errors
/// [`Refusal`] with that heading.
pub fn check(public: &PublicInputs, witness: &Witness) -> Result<(), Refusal> {
    check_with(public, witness, |opening| opening.holds(public, witness))
}

/// As [`check`], where `opens` says whether an opening holds: hashing takes nearly all of the time, and who tries many
/// witnesses with the same openings need not hash them anew for each.
pub(super) fn check_with(
    public: &PublicInputs,
    witness: &Witness,
    opens: impl Fn(Opening) -> bool,
) -> Result<(), Refusal> {
    let need = |holds: bool, heading| if holds { Ok(()) } else { Err(Refusal(heading)) };
    if let Some(heading) = witness.malformed() {
        return Err(Refusal(heading));
    }
    need(opens(Opening::Registry), Heading::RegistryMembership)?;
    need(witness.head_time <= public.as_of.get(), Heading::HeadTime)?;
    need(opens(Opening::State), Heading::StateMembership)?;
    need(times_hold(public.as_of, witness), Heading::RangesAndTimes)?;
    need(opens(Opening::Record), Heading::RecordOpening)?;
    need(opens(Opening::RuleTable), Heading::RuleTableOpening)?;
    let intervals = opens(Opening::Intervals) && stays_lie_in_theirs(witness);
    need(intervals, Heading::RiskOpening)?;
    need(keys_hold(public.as_of, witness), Heading::EntryKey)?;
    need(slots_hold(witness), Heading::ReasonSlots)?;
    for slot in &witness.slots {
        let row = row_of(witness, slot.key).ok_or(Refusal(Heading::AnchorPhasesLapse))?;
        need(
            !slot.lapsed || lapsed(&row, slot, public.as_of),
            Heading::AnchorPhasesLapse,
        )?;
        let cleared = slot
            .relief
            .is_none_or(|r| cleared(&row, slot, r, witness, public.as_of));
        need(cleared, Heading::Clearing)?;
        let bound = public.claim.worst.colour();
        need(
            slot_colour(&row, slot, public.as_of) <= bound,
            Heading::WorstColour,
        )?;
    }
    need(
        test_age_holds(public.claim, public.as_of, witness),
        Heading::TestAge,
    )
}

/// What is opened by hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The province's leaf in the registry.
    Registry,
    /// The record's leaf in the state tree.
    State,
    /// The record in its leaf.
    Record,
    /// The rule table in its digest.
    RuleTable,
    /// The risk intervals in the map.
    Intervals,
}

impl Opening {
    /// Whether it holds.
    pub(super) fn holds(self, public: &PublicInputs, w: &Witness) -> bool {
        match self {
            Self::Registry => registry_holds(public, w),
            Self::State => state_holds(w),
            Self::Record => w.record.leaf(w.identity, w.blinding) == w.leaf,
            Self::RuleTable => rule_digest(&w.table) == public.rule_digest,
            Self::Intervals => intervals_hold(public, w),
        }
    }
}

fn registry_holds(public: &PublicInputs, w: &Witness) -> bool {
    let slot = Fr::from(w.registry_path.index);
    let leaf = hash3(
        Domain::RegistryLeaf,
        &[slot, Fr::from(w.head_time), w.state_root],
    );
    w.registry_path.levels.len() == REGISTRY_DEPTH
        && w.registry_path.root(Tree::Registry, leaf) == Some(public.registry_root)
}

fn state_holds(w: &Witness) -> bool {
    w.state_path.levels.len() == STATE_DEPTH
        && w.state_path.root(Tree::State, w.leaf) == Some(w.state_root)
}

fn times_hold(as_of: Minute, w: &Witness) -> bool {
    let entries = w.record.entries.iter().chain(&w.record.facts);
    let times = entries
        .flat_map(|e| [e.begin, e.end])
        .chain(w.record.negatives);
    let today = as_of.day().get();
    times.max().is_none_or(|latest| latest <= as_of.get())
        && w.record.runs.iter().all(|(_, last)| *last <= today)
}

fn intervals_hold(public: &PublicInputs, w: &Witness) -> bool {
    let mut intervals = w.intervals.iter().enumerate();
    // An interval that no stay needs repeats another one.
    intervals.all(|(i, interval)| {
        w.intervals[..i].contains(interval) || interval_holds(public, interval)
    })
}

fn stays_lie_in_theirs(w: &Witness) -> bool {
    let mut stays = w.record.entries.iter().zip(&w.entries);
    stays.all(|(entry, claim)| {
        let interval = w.intervals.get(usize::from(claim.interval));
        !entry.is_stay || interval.is_some_and(|i| (i.from..=i.last).contains(&entry.place))
    })
}

fn interval_holds(public: &PublicInputs, interval: &OpenedInterval) -> bool {
    let opening = &interval.opening;
    let own = (opening.index % 2) as usize;
    let mut pair = opening.pair;
    pair[own] = interval_elements(interval);
    opening.path.levels.len() == RISK_DEPTH
        && opening.path.root(Tree::Risk, pair_hash(&pair)) == Some(public.risk_root)
}

fn interval_elements(interval: &OpenedInterval) -> [Fr; 2] {
    let period = |(grade, since, until): (u8, u32, u32)| {
        [
            (u64::from(grade), 2),
            (u64::from(since), 26),
            (u64::from(until), 26),
        ]
    };
    let [p0, p1, p2] = interval.periods.map(period);
    [
        pack(&[&[(interval.from, 47), (interval.last, 47)][..], &p0].concat()),
        pack(&[p1, p2].concat()),
    ]
}

fn keys_hold(as_of: Minute, w: &Witness) -> bool {
    w.entries.iter().enumerate().all(|(position, claim)| {
        let facts = entry_facts(w, position, as_of);
        (claim.key, claim.anchor, claim.is_ground) == (facts.key, facts.anchor, facts.is_ground)
    })
}

/// The key and anchor that the facts of the entry at `position` give it.
pub fn entry_facts(w: &Witness, position: usize, as_of: Minute) -> EntryFacts {
    let entry = w.entry(position);
    if position < MAX_STAYS && entry.is_stay {
        let interval = &w.intervals[usize::from(w.entries[position].interval)];
        return stay_facts(entry, interval, w, as_of);
    }
    let local = entry.place == encoded_province(w.table.province());
    let key = entry.kind + 16 * u8::from(entry.ended) + 32 * u8::from(local);
    let anchor = if entry.ended { entry.end } else { entry.begin };
    EntryFacts {
        key,
        anchor,
        is_ground: entry.kind != 0,
    }
}

fn stay_facts(
    stay: &EntryBits,
    interval: &OpenedInterval,
    w: &Witness,
    as_of: Minute,
) -> EntryFacts {
    let end = if stay.ended { stay.end } else { as_of.get() };
    let lookback = w.table.lookback_hours();
    let met = |(grade, since, until): (u8, u32, u32)| {
        let reach = i64::from(since) - 60 * i64::from(lookback.of(Grade::ALL[usize::from(grade)]));
        stay.begin < until && reach <= i64::from(end)
    };
    let grades = |also: &dyn Fn(u32) -> bool| {
        let found = interval
            .periods
            .iter()
            .filter(|p| met(**p) && also(p.2))
            .map(|p| p.0);
        found.max().unwrap_or(0)
    };
    let worst = grades(&|_| true);
    let at_end = grades(&|until| end < until);
    let counts = |grade: u8| grade >= Grade::Medium.code() || (worst == 1 && grade == 1);
    let last = interval.periods.iter().rfind(|p| met(**p) && counts(p.0));
    let anchor = last.map_or(end, |p| p.2.min(end));
    let key = 64 + worst + 4 * at_end + 16 * u8::from(!stay.ended);
    EntryFacts {
        key,
        anchor,
        is_ground: worst != 0,
    }
}

fn slots_hold(w: &Witness) -> bool {
    w.entries.iter().filter(|e| e.is_ground).all(|entry| {
        let Some(slot) = w.slots.get(usize::from(entry.slot)) else {
            return false;
        };
        let monotone = row_of(w, slot.key).is_some_and(|row| row.is_monotone());
        slot.key == entry.key
            && (slot.anchor == entry.anchor || (monotone && slot.anchor > entry.anchor))
    })
}

/// The row of a key; none from 96 on.
fn row_of(w: &Witness, key: u8) -> Option<Row> {
    Key::from_code(key).map(|key| *w.table.row(key))
}

fn reached(offset: Offset, slot: &SlotClaim, as_of: Minute) -> bool {
    Minute::new(slot.anchor).is_ok_and(|anchor| offset.reached(anchor, as_of))
}

fn lapsed(row: &Row, slot: &SlotClaim, as_of: Minute) -> bool {
    row.lapse.is_some_and(|lapse| reached(lapse, slot, as_of))
}

fn slot_colour(row: &Row, slot: &SlotClaim, as_of: Minute) -> Colour {
    match slot {
        SlotClaim { lapsed: true, .. }
        | SlotClaim {
            relief: Some(_), ..
        } => Colour::Green,
        _ if reached(row.switch, slot, as_of) => row.then,
        _ => row.first,
    }
}

fn cleared(row: &Row, slot: &SlotClaim, relief: Relief, w: &Witness, as_of: Minute) -> bool {
    let Some(way) = row
        .clearing
        .get(usize::from(relief.alternative))
        .copied()
        .flatten()
    else {
        return false;
    };
    let Ok(anchor) = Minute::new(slot.anchor) else {
        return false;
    };
    let picked = relief
        .negatives
        .map(|i| w.record.negatives.get(usize::from(i)).copied());
    let [Some(first), Some(second), Some(third)] = picked.map(|m| m.map(i64::from)) else {
        return false;
    };
    let needed = way.negatives;
    let earliest = i64::from(slot.anchor) + 60 * i64::from(way.neg_from_hours);
    let gap = 60 * i64::from(way.gap_hours);
    let last = if needed == 3 { third } else { second };
    let tests = (needed < 1 || first >= earliest)
        && (needed < 2
            || (second - first >= gap && last - first <= 60 * i64::from(way.span_hours)))
        && (needed < 3 || third - second >= gap);
    let days = way.check_in_days == 0 || {
        let start = u32::from(relief.first_day);
        w.record
            .runs
            .get(usize::from(relief.run))
            .is_some_and(|(run_first, run_last)| {
                start >= u32::from(*run_first)
                    && start > u32::from(anchor.day().get())
                    && start + u32::from(way.check_in_days) - 1 <= u32::from(*run_last)
            })
    };
    reached(way.after, slot, as_of) && tests && days
}

fn test_age_holds(claim: Claim, as_of: Minute, w: &Witness) -> bool {
    let hours = claim.test_age.hours();
    let minute = w.record.negatives.get(usize::from(w.fresh_negative));
    hours == 0
        || minute.is_some_and(|m| i64::from(*m) >= i64::from(as_of.get()) - 60 * i64::from(hours))
}

const _: () = assert!(MAX_SLOTS == 8, "a slot's position is three bits");
