//! What holds for every record, table, map and moment.

mod random;

use proptest::prelude::*;
use random::{MOMENTS, map, minute, record, scene, table};
use rules::evaluate::{days_counted, negatives_counted};
use rules::{
    CheckInRun, Clearing, Colour, Context, Day, Error, Fact, FactKind, MAX_ENTRIES, MAX_NEGATIVES,
    Minute, Record, RiskMap, RowTable, RuleSet, State, evaluate, fits, fold,
};

fn colour(record: &Record, table: &RowTable, map: &RiskMap, at: Minute) -> Colour {
    evaluate(record, table, map, at).unwrap().colour
}

fn with_facts(record: &Record, facts: Vec<Fact>) -> Record {
    Record::new(
        record.stays().to_vec(),
        facts,
        record.negatives().to_vec(),
        record.runs().to_vec(),
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn more_grounds_never_give_a_better_colour((record, more, table, map, at) in scene()) {
        let before = colour(&record, &table, &map, at);
        let mut stays = record.stays().to_vec();
        let mut facts = record.facts().to_vec();
        stays.extend(more.stays());
        stays.truncate(12);
        facts.extend(more.facts());
        facts.truncate(MAX_ENTRIES - stays.len());
        let relief = (record.negatives().to_vec(), record.runs().to_vec());
        let grown = Record::new(stays, facts, relief.0, relief.1).unwrap();
        if grown.facts().len() >= record.facts().len() {
            prop_assert!(colour(&grown, &table, &map, at) >= before);
        }
    }

    #[test]
    fn more_relief_never_gives_a_worse_colour((record, more, table, map, at) in scene()) {
        let before = colour(&record, &table, &map, at);
        let mut negatives = [record.negatives(), more.negatives()].concat();
        negatives.sort();
        negatives.dedup();
        let runs = union(&[record.runs(), more.runs()].concat());
        if negatives.len() <= MAX_NEGATIVES && runs.len() <= 4 {
            let helped = Record::new(
                record.stays().to_vec(),
                record.facts().to_vec(),
                negatives,
                runs,
            )
            .unwrap();
            prop_assert!(colour(&helped, &table, &map, at) <= before);
        }
    }

    #[test]
    fn merging_to_the_latest_anchor_changes_no_colour_where_the_row_is_monotone(
        (record, _, table, map, at) in scene()
    ) {
        let key = |f: &Fact| rules::evaluate::key_of_fact(f, &table);
        let dominated = |i: usize, f: &Fact| record.facts().iter().enumerate().any(|(j, other)| {
            key(other) == key(f)
                && table.row(key(f)).is_monotone()
                && (other.anchor(), j) > (f.anchor(), i)
        });
        let merged: Vec<Fact> = record
            .facts()
            .iter()
            .enumerate()
            .filter(|(i, f)| !dominated(*i, f))
            .map(|(_, f)| *f)
            .collect();
        let merged = with_facts(&record, merged);
        prop_assert_eq!(colour(&merged, &table, &map, at), colour(&record, &table, &map, at));
    }

    #[test]
    fn any_moments_are_evaluated_or_refused_without_a_panic(
        (record, _, table, map, _) in scene(),
        begin in prop_oneof![Just(1), Just(Minute::MAX.get()), 1..=Minute::MAX.get()],
        last in prop_oneof![Just(u16::MAX), Just(1), 1..u16::MAX],
        at in prop_oneof![Just(0), Just(Minute::MAX.get()), 0..=Minute::MAX.get()],
    ) {
        let mut facts = record.facts().to_vec();
        facts.truncate(MAX_ENTRIES - 1 - record.stays().len());
        facts.push(Fact {
            kind: FactKind::CloseContact,
            province: table.province(),
            begin: Minute::new(begin).unwrap(),
            end: None,
        });
        let run = CheckInRun { first: Day::new(last.min(46_000)), last: Day::new(last) };
        let relief = record.negatives().to_vec();
        let record = Record::new(record.stays().to_vec(), facts, relief, vec![run]).unwrap();
        let at = Minute::new(at).unwrap();
        match evaluate(&record, &table, &map, at) {
            Ok(_) => prop_assert!(record.latest() <= at),
            Err(error) => {
                let latest = record.latest();
                prop_assert_eq!(error, Error::Future { latest, at });
            }
        }
    }

    #[test]
    fn the_earliest_way_out_is_open_then_and_not_a_minute_before(
        (record, _, table, map, at) in scene()
    ) {
        for reason in evaluate(&record, &table, &map, at).unwrap().reasons {
            for way in reason.ways_out.iter().filter(|_| !reason.anchor_moves) {
                let earliest = way.earliest.unwrap();
                let can = |by| can_clear(&way.clearing, &record, reason.anchor, at, by);
                prop_assert!(can(earliest), "{:?} at {}", way, earliest.get());
                prop_assert!(earliest >= at);
                if earliest > at {
                    let before = earliest.saturating_add_signed(-1);
                    prop_assert!(!can(before), "{:?} before {}", way, earliest.get());
                }
            }
            if let Some(lapses_at) = reason.lapses_at {
                let lapse = reason.row.lapse.unwrap();
                prop_assert!(lapse.reached(reason.anchor, lapses_at));
                prop_assert!(!lapse.reached(reason.anchor, lapses_at.saturating_add_signed(-1)));
            }
            let first = reason.ways_out.iter().filter_map(|w| w.earliest).chain(reason.lapses_at).min();
            prop_assert_eq!(reason.earliest_end, first.map(Minute::day));
            prop_assert!(reason.state == State::Open || reason.colour == Colour::Green);
        }
    }

    #[test]
    fn what_is_over_for_an_anchor_that_stands_is_over_for_good(
        (record, _, table, map, at) in scene(),
        later in 1u32..100_000,
    ) {
        let then = at.saturating_add_signed(i64::from(later));
        let now = evaluate(&record, &table, &map, at).unwrap();
        let future = evaluate(&record, &table, &map, then).unwrap();
        prop_assert_eq!(now.reasons.len(), future.reasons.len());
        for (a, b) in now.reasons.iter().zip(&future.reasons) {
            prop_assert_eq!(a.anchor_moves, a.anchor != b.anchor);
            if a.state != State::Open && !a.anchor_moves {
                prop_assert!(b.state != State::Open);
            }
        }
    }

    #[test]
    fn a_record_within_eight_entries_in_four_places_always_fits(
        (record, _, table, map, at) in scene()
    ) {
        let small = Record::new(
            record.stays().iter().take(4).copied().collect(),
            record.facts().iter().take(4).copied().collect(),
            vec![],
            vec![],
        )
        .unwrap();
        prop_assert_eq!(fits(&small, &table, &map, at), Ok(()));
    }

    #[test]
    fn folding_changes_no_colour_under_any_of_its_rule_sets(
        (events, raw) in random::events_with_record(),
        map in map(),
        at in minute(MOMENTS.end..MOMENTS.end + 60 * 1440),
    ) {
        let sets = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).unwrap());
        let tables = sets.map(|s| s.table().clone());
        let context = Context { tables: &tables, map: &map };
        let folded = fold(&events, &context, at).unwrap();
        prop_assert_eq!(folded.facts_from.len(), folded.record.facts().len());
        prop_assert_eq!(folded.stays_from.len(), folded.record.stays().len());
        for table in &tables {
            let (had, has) = (colour(&raw, table, &map, at), colour(&folded.record, table, &map, at));
            prop_assert_eq!(had, has);
        }
    }
}

proptest! {
    #[test]
    fn a_record_of_the_future_is_refused((record, _, table, map, _) in scene()) {
        let latest = record.latest();
        if latest > Minute::ZERO {
            let at = latest.saturating_add_signed(-1);
            prop_assert_eq!(
                evaluate(&record, &table, &map, at),
                Err(Error::Future { latest, at })
            );
        }
    }

    #[test]
    fn the_order_of_entries_does_not_matter((record, _, table, map, at) in scene()) {
        let reversed = Record::new(
            record.stays().iter().rev().copied().collect(),
            record.facts().iter().rev().copied().collect(),
            record.negatives().to_vec(),
            record.runs().to_vec(),
        )
        .unwrap();
        prop_assert_eq!(colour(&reversed, &table, &map, at), colour(&record, &table, &map, at));
    }
}

#[test]
fn the_rule_set_in_force_now_decides_not_the_one_at_the_event() {
    // A secondary contact of 20 August with a negative: green under Fujian's rules on day 8, yellow under Hangzhou's.
    let at: Minute = "2022-08-28 00:00".parse().unwrap();
    let contact = Fact {
        kind: FactKind::SecondaryContact,
        province: rules::ProvinceCode::NATION,
        begin: "2022-08-20 10:00".parse().unwrap(),
        end: None,
    };
    let negative = "2022-08-22 10:00".parse().unwrap();
    let record = Record::new(vec![], vec![contact], vec![negative], vec![]).unwrap();
    let under = |id| {
        let set = RuleSet::built_in(id).unwrap();
        colour(&record, set.table(), &RiskMap::empty(), at)
    };
    assert_eq!(under("fj-2022-08"), Colour::Green);
    assert_eq!(under("hz-2020-02"), Colour::Yellow);
}

#[test]
fn random_records_of_a_size_are_really_made() {
    // Guards the generators: without open reasons of every kind the properties above would say little.
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = [0u32; 4];
    for _ in 0..300 {
        let (record, _, table, map, at) = scene().new_tree(&mut runner).unwrap().current();
        for reason in evaluate(&record, &table, &map, at).unwrap().reasons {
            seen[match reason.state {
                State::Open => 0,
                State::Cleared(_) => 1,
                State::Lapsed => 2,
                State::Inert => 3,
            }] += 1;
        }
    }
    assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
    let _ = (record(), table());
}

/// Check-in runs of all their days together.
fn union(runs: &[CheckInRun]) -> Vec<CheckInRun> {
    let days: std::collections::BTreeSet<u16> = runs
        .iter()
        .flat_map(|r| r.first.get()..=r.last.get())
        .collect();
    let mut joined: Vec<CheckInRun> = Vec::new();
    for day in days {
        match joined.last_mut() {
            Some(run) if run.last.get() + 1 == day => run.last = Day::new(day),
            _ => joined.push(CheckInRun {
                first: Day::new(day),
                last: Day::new(day),
            }),
        }
    }
    joined
}

/// Whether `clearing` can hold at `by` if from `now` on every useful test is sampled and every day checked in.
///
/// The earliest schedule that goes on from any test that there is, or begins now or when tests begin to count, samples
/// only at such a moment plus a multiple of the gap; so these moments suffice.
fn can_clear(
    clearing: &Clearing,
    record: &Record,
    anchor: Minute,
    now: Minute,
    by: Minute,
) -> bool {
    let gap = 60 * i64::from(clearing.gap_hours);
    let first = anchor.saturating_add_signed(60 * i64::from(clearing.neg_from_hours));
    let mut negatives: Vec<Minute> = [now, first]
        .iter()
        .chain(record.negatives())
        .flat_map(|base| (0..=3).map(|k| base.saturating_add_signed(k * gap)))
        .filter(|m| (now..=by).contains(m))
        .chain(record.negatives().iter().copied())
        .collect();
    negatives.sort();
    negatives.dedup();
    let mut runs = record.runs().to_vec();
    runs.push(CheckInRun {
        first: now.day(),
        last: by.day(),
    });
    let runs = union(&runs);
    clearing.after.reached(anchor, by)
        && negatives_counted(clearing, &negatives, anchor) >= clearing.negatives
        && days_counted(clearing, &runs, anchor, by) >= clearing.check_in_days
}
