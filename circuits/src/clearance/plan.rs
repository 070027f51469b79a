//! From a record and its surroundings to a witness: which intervals, slots and relief to claim.

use commitment::record::RecordLayout;
use commitment::{
    Blinding, Fr, IdentityCommitment, MerklePath, PublicInputs, REGISTRY_DEPTH, RISK_DEPTH,
    RiskTree, STATE_DEPTH,
};
use rules::evaluate::{exposure, key_of_fact, row_state};
use rules::{
    Claim, Clearing, Colour, Key, MAX_ENTRIES, MAX_RISK_INTERVALS, MAX_SLOTS, MAX_STAYS, Minute,
    Record, RiskMap, RowTable, State, TestAge, WorstColour,
};

use super::{EntryClaim, OpenedInterval, Relief, SlotClaim, Witness};

/// Why no witness can be had; the record does not support the claim, or does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The record speaks of a moment after `as_of`.
    #[error("the record speaks of a moment after as_of")]
    Future,
    /// The stays lie in more distinct risk intervals than can be opened.
    #[error("stays in {0} risk intervals, at most 4")]
    Intervals(usize),
    /// The grounds need more slots than there are.
    #[error("grounds need {0} slots, at most 8")]
    Slots(usize),
    /// The colour is worse than claimed.
    #[error("the record is worse than claimed")]
    Colour,
    /// No negative test is as young as claimed.
    #[error("no negative test is as young as claimed")]
    TestAge,
}

/// Everything that a witness is made from.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The record.
    pub record: &'a Record,
    /// Whose it is.
    pub identity: IdentityCommitment,
    /// What hides its leaf.
    pub blinding: Blinding,
    /// From its leaf to the state root.
    pub state_path: &'a MerklePath,
    /// The province's state root.
    pub state_root: Fr,
    /// When the province's tree head was signed.
    pub head_time: Minute,
    /// From the province's leaf to the registry root.
    pub registry_path: &'a MerklePath,
    /// The rule table to apply.
    pub table: &'a RowTable,
    /// The risk map in force.
    pub map: &'a RiskMap,
    /// Its tree.
    pub tree: &'a RiskTree,
    /// The moment to evaluate at.
    pub as_of: Minute,
    /// What to claim.
    pub claim: Claim,
}

/// A witness that fulfils the statement for what is planned.
///
/// # Errors
/// [`PlanError`] where there is none.
pub fn plan(plan: &Plan<'_>) -> Result<Witness, PlanError> {
    if plan.record.latest() > plan.as_of {
        return Err(PlanError::Future);
    }
    let (intervals, interval_of_stay) = open_intervals(plan)?;
    let (entries, slots) = slots(plan, &interval_of_stay)?;
    let bound = plan.claim.worst.colour();
    let slots = slots
        .iter()
        .map(|s| settle(plan, *s, bound))
        .collect::<Result<Vec<_>, _>>()?;
    let slots: [SlotClaim; MAX_SLOTS] =
        std::array::from_fn(|i| slots.get(i).copied().unwrap_or_default());
    let record = RecordLayout::from(plan.record);
    Ok(Witness {
        leaf: record.leaf(plan.identity, plan.blinding),
        record,
        identity: plan.identity,
        blinding: plan.blinding,
        state_path: plan.state_path.clone(),
        state_root: plan.state_root,
        head_time: plan.head_time.get(),
        registry_path: plan.registry_path.clone(),
        table: plan.table.clone(),
        intervals,
        entries,
        slots,
        fresh_negative: fresh_negative(plan)?,
    })
}

type Opened = ([OpenedInterval; MAX_RISK_INTERVALS], Vec<u8>);

fn open_intervals(plan: &Plan<'_>) -> Result<Opened, PlanError> {
    let mut indices: Vec<usize> = Vec::new();
    let mut of_stay = Vec::with_capacity(MAX_STAYS);
    for stay in plan.record.stays() {
        let index = plan.map.index_of(stay.place);
        let position = indices.iter().position(|i| *i == index).unwrap_or_else(|| {
            indices.push(index);
            indices.len() - 1
        });
        of_stay.push(u8::try_from(position).unwrap_or(u8::MAX));
    }
    if indices.len() > MAX_RISK_INTERVALS {
        return Err(PlanError::Intervals(indices.len()));
    }
    let intervals = std::array::from_fn(|i| {
        let index = indices.get(i).copied().unwrap_or(0);
        OpenedInterval::new(&plan.map.intervals()[index], plan.tree.opening(index))
    });
    Ok((intervals, of_stay))
}

/// Grounds of one key merge to the latest anchor where the row is monotone; otherwise only equal anchors merge.
fn slots(
    plan: &Plan<'_>,
    interval_of_stay: &[u8],
) -> Result<([EntryClaim; MAX_ENTRIES], Vec<SlotClaim>), PlanError> {
    let mut entries = [EntryClaim::default(); MAX_ENTRIES];
    let mut slots: Vec<SlotClaim> = Vec::new();
    for (position, key, anchor, is_ground) in keys(plan) {
        let entry = &mut entries[position];
        entry.key = key.code();
        entry.anchor = anchor.get();
        entry.is_ground = is_ground;
        entry.interval = interval_of_stay.get(position).copied().unwrap_or(0);
        if !is_ground {
            continue;
        }
        let monotone = plan.table.row(key).is_monotone();
        let fits = |s: &SlotClaim| s.key == key.code() && (monotone || s.anchor == anchor.get());
        let slot = slots.iter().position(fits).unwrap_or_else(|| {
            slots.push(SlotClaim {
                key: key.code(),
                ..SlotClaim::default()
            });
            slots.len() - 1
        });
        slots[slot].anchor = slots[slot].anchor.max(anchor.get());
        entry.slot = u8::try_from(slot).unwrap_or(u8::MAX);
    }
    if slots.len() > MAX_SLOTS {
        Err(PlanError::Slots(slots.len()))
    } else {
        Ok((entries, slots))
    }
}

/// Position, key, anchor and whether it is a ground, for every position of the layout.
fn keys(plan: &Plan<'_>) -> Vec<(usize, Key, Minute, bool)> {
    let mut out = Vec::with_capacity(MAX_ENTRIES);
    let stays = plan.record.stays();
    for (position, stay) in stays.iter().enumerate() {
        let interval = plan.map.interval_of(stay.place);
        let met = exposure(stay, interval, plan.table.lookback_hours(), plan.as_of);
        let key = Key::of_stay(met.worst, met.at_end, stay.end.is_none());
        out.push((position, key, met.anchor, met.worst != rules::Grade::None));
    }
    let positions = (MAX_STAYS..MAX_ENTRIES).chain(stays.len()..MAX_STAYS);
    for (position, fact) in positions.zip(plan.record.facts()) {
        out.push((position, key_of_fact(fact, plan.table), fact.anchor(), true));
    }
    out
}

/// Claims lapse or relief for a slot where its row admits it.
fn settle(plan: &Plan<'_>, slot: SlotClaim, bound: Colour) -> Result<SlotClaim, PlanError> {
    let anchor = Minute::new(slot.anchor).map_err(|_| PlanError::Future)?;
    let row = Key::from_code(slot.key).map_or(&rules::Row::INERT, |key| plan.table.row(key));
    let (state, colour) = row_state(row, plan.record, anchor, plan.as_of);
    let relief = match state {
        State::Cleared(alternative) => {
            let way = row.clearing[usize::from(alternative)];
            way.map(|way| relief(plan.record, &way, anchor, alternative))
        }
        _ => None,
    };
    if colour > bound {
        return Err(PlanError::Colour);
    }
    Ok(SlotClaim {
        lapsed: state == State::Lapsed,
        relief,
        ..slot
    })
}

fn relief(record: &Record, way: &Clearing, anchor: Minute, alternative: u8) -> Relief {
    let from = anchor.day().get().saturating_add(1);
    let days = u16::from(way.check_in_days);
    let run = record
        .runs()
        .iter()
        .position(|r| (r.last.get() + 1).saturating_sub(r.first.get().max(from)) >= days);
    let run = run.unwrap_or(0);
    Relief {
        alternative,
        negatives: negatives(record, way, anchor),
        run: u8::try_from(run).unwrap_or(0),
        first_day: record
            .runs()
            .get(run)
            .map_or(from, |r| r.first.get().max(from)),
    }
}

/// Positions of negatives that count together: from some first one on, always the next that keeps the gap.
fn negatives(record: &Record, way: &Clearing, anchor: Minute) -> [u8; 3] {
    let all = record.negatives();
    let earliest = i64::from(anchor.get()) + 60 * i64::from(way.neg_from_hours);
    let gap_min = 60 * u32::from(way.gap_hours);
    let span_min = 60 * u32::from(way.span_hours);
    for (i, first) in all
        .iter()
        .enumerate()
        .filter(|(_, m)| i64::from(m.get()) >= earliest)
    {
        let mut picked = vec![i];
        for (j, next) in all.iter().enumerate().skip(i + 1) {
            let last = all[picked[picked.len() - 1]];
            let fits = next.get() - last.get() >= gap_min && next.get() - first.get() <= span_min;
            if fits && picked.len() < usize::from(way.negatives) {
                picked.push(j);
            }
        }
        if picked.len() >= usize::from(way.negatives) {
            return std::array::from_fn(|n| {
                picked.get(n).map_or(0, |p| u8::try_from(*p).unwrap_or(0))
            });
        }
    }
    [0; 3]
}

fn fresh_negative(plan: &Plan<'_>) -> Result<u8, PlanError> {
    let hours = plan.claim.test_age.hours();
    if hours == 0 {
        return Ok(0);
    }
    let youngest = plan.record.negatives().last().ok_or(PlanError::TestAge)?;
    if i64::from(youngest.get()) < i64::from(plan.as_of.get()) - 60 * i64::from(hours) {
        return Err(PlanError::TestAge);
    }
    u8::try_from(plan.record.negatives().len() - 1).map_err(|_| PlanError::TestAge)
}

/// A public input and a witness of the right form and no truth, for walking over the statement's shape.
pub(super) fn blank() -> (PublicInputs, Witness) {
    let zero = Fr::from(0u64);
    let path = |depth| MerklePath {
        index: 0,
        levels: vec![[zero; 8]; depth],
    };
    let map = RiskMap::empty();
    let tree = RiskTree::new(&map);
    let table = RowTable::new(
        rules::ProvinceCode::NATION,
        rules::LookbackHours::default(),
        |_| rules::Row::INERT,
    )
    .expect("the inert table is in range");
    let claim = Claim {
        worst: WorstColour::Yellow,
        test_age: TestAge::NotAsked,
    };
    let as_of = Minute::ZERO;
    let public = PublicInputs {
        registry_root: zero,
        risk_root: zero,
        rule_digest: zero,
        as_of,
        claim,
        binder: zero,
    };
    let witness = plan(&Plan {
        record: &Record::default(),
        identity: IdentityCommitment::from_element(zero),
        blinding: Blinding(zero),
        state_path: &path(STATE_DEPTH),
        state_root: zero,
        head_time: as_of,
        registry_path: &path(REGISTRY_DEPTH),
        table: &table,
        map: &map,
        tree: &tree,
        as_of,
        claim,
    })
    .expect("an empty record is green");
    debug_assert_eq!(witness.intervals[0].opening.path.levels.len(), RISK_DEPTH);
    (public, witness)
}
