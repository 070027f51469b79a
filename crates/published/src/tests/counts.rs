//! Whom rule sets change, and what sources stated, as logs tell it.

use commitment::fr_to_bytes;
use rules::{Minute, RuleSet};
use verifier::trust::RuleSetEntry;
use wire::pass::v1::Colour;
use wire::public::v1::{Day, GetImpactsResponse, ImpactState, SourcesRead};

use super::*;

fn told(watch: &Watch, set: &RuleSet, from_slot: u32) -> GetImpactsResponse {
    counted::impacts(&watch.state(), &RuleSetEntry::of(set), from_slot)
}

fn states(answer: &GetImpactsResponse) -> Vec<(u32, ImpactState)> {
    let impacts = answer.impacts.iter();
    impacts.map(|of| (of.slot, of.state())).collect()
}

/// What the log of one node says of a rule set, with further entries behind those that it has.
async fn state_with(more: Vec<Entry>, set: &RuleSet) -> (ImpactState, Vec<String>) {
    let mut all = entries(3);
    all.extend(more);
    let mut nodes = nodes();
    nodes[2] = files(3, &all);
    let mirrors = Mirrors::start(nodes).await;
    let watch = watching(&mirrors.urls);
    let seen = seen(&watch).await;
    let told = told(&watch, set, 3);
    let wrong = seen.slots[2].log.as_ref().unwrap().wrong.clone();
    (told.impacts[0].state(), wrong)
}

#[tokio::test]
async fn whom_an_announced_set_changes_is_told_of_each_province_that_counted_and_of_the_others_that_they_did_not()
 {
    let mirrors = Mirrors::start(nodes()).await;
    let watch = watching(&mirrors.urls);
    watch.look().await;
    let set = made_up::announced();
    let all = told(&watch, &set, 0);
    assert_eq!(
        states(&all),
        [
            (1, ImpactState::InTime),
            (2, ImpactState::Due),
            (3, ImpactState::NotAnnounced)
        ]
    );
    assert_eq!(all.next_slot, 0);
    let first = &all.impacts[0];
    let count = first.count.as_ref().unwrap();
    assert_eq!(count.at_minute, first.announced_minute + 30);
    assert_eq!(all.impacts[1].announced_minute, first.announced_minute);
    assert!(all.impacts[1].count.is_none() && all.impacts[2].announced_minute == 0);
    let (of, before) = (count.set.as_ref().unwrap(), count.before.as_ref().unwrap());
    let digest = fr_to_bytes(commitment::rule_digest(set.table()));
    assert_eq!((&of.digest[..], of.scope), (&digest[..], 35));
    assert_eq!(of.text_sha256, set.digest_sha256());
    assert_eq!(before.rule_set_id, "fj-2022-08");
    let changes = count.changes.iter().map(|change| {
        let people = change.people.as_ref().unwrap();
        let range = (people.least, people.most);
        (change.from(), change.to(), &change.rule_id[..], range)
    });
    let expected = [
        (Colour::Green, Colour::Yellow, "Y8", (335, 344)),
        (Colour::Green, Colour::Red, "R3", (0, 9)),
        (Colour::Red, Colour::Green, "R4", (45, 54)),
    ];
    assert_eq!(changes.collect::<Vec<_>>(), expected);
    assert_eq!(states(&told(&watch, &set, 2)).len(), 2);
}

#[tokio::test]
async fn a_count_that_the_log_tells_after_a_time_at_which_the_set_was_in_force_is_late_whatever_its_minute()
 {
    let set = RuleSet::built_in("fj-2022-08").unwrap();
    let before = Minute::new(set.validity().from.get() - 10).unwrap();
    let (state, wrong) = state_with(vec![made_up::impact(&set, before)], &set).await;
    assert_eq!((state, wrong.len()), (ImpactState::Late, 0));
}

#[tokio::test]
async fn of_two_counts_of_a_set_the_first_is_told_and_the_second_named() {
    let set = made_up::announced();
    let late = made_up::impact(&set, set.validity().until);
    let more = vec![made_up::notice(), made_up::impact_in_time(), late];
    let (state, wrong) = state_with(more, &set).await;
    assert_eq!(state, ImpactState::InTime);
    assert_eq!(wrong, ["two counts of the rule set fj-2022-09"]);
}

#[tokio::test]
async fn of_a_log_that_was_not_read_whole_nothing_is_told_of_what_it_did_not_count() {
    let head = entries(1).swap_remove(2);
    let mut long: Vec<Entry> = std::iter::repeat_n(head, 256 * 33).collect();
    long.extend(entries(3));
    let mirrors = Mirrors::start(vec![files(1, &long)]).await;
    let watch = watching(&mirrors.urls);
    watch.look().await;
    let answer = told(&watch, &made_up::announced(), 0);
    assert_eq!(states(&answer), [(1, ImpactState::NotRead)]);
}

#[tokio::test]
async fn what_sources_stated_stands_with_its_day_and_says_where_parts_are_missing() {
    let mut all = entries(1);
    // A day without a count of people, and a part that was there already.
    all.extend([made_up::sources(5, 0, 1), made_up::sources(2, 0, 2)]);
    let mirrors = Mirrors::start(vec![files(1, &all)]).await;
    let watch = watching(&mirrors.urls);
    let seen = seen(&watch).await;
    let wrong = &seen.slots[0].log.as_ref().unwrap().wrong;
    assert!(wrong.len() == 1 && wrong[0].contains("twice"), "{wrong:?}");
    let days = counted::days(&watch.state(), 1).days;
    let read: Vec<_> = days.iter().map(Day::sources_read).collect();
    let expected = [
        SourcesRead::Whole,
        SourcesRead::None,
        SourcesRead::Part,
        SourcesRead::Whole,
    ];
    assert_eq!(read, expected);
    assert!(days[0].residents.is_none() && days[0].cells.is_empty());
    assert!(days[1].residents.is_some() && days[1].sources.is_empty());
    let cells = days[3].sources.iter().map(|cell| {
        let events = cell.events.as_ref().unwrap();
        let source = (cell.province_code, cell.source_kind, cell.number);
        (source, cell.fact, (events.least, events.most))
    });
    let expected = [((35, 2, 1), 11, (25, 34)), ((35, 2, 2), 13, (15, 24))];
    assert_eq!(cells.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_day_with_more_sources_than_are_kept_says_that_some_are_missing() {
    let many = |part: u8| {
        let Entry::Sources(mut counts) = made_up::sources(4, part, 3) else {
            unreachable!()
        };
        let cell = counts.cells[0];
        let numbers = (0..500).map(|number| ledger::log::SourceCell {
            number: 1_000 * u32::from(part) + number,
            ..cell
        });
        counts.cells = numbers.collect();
        Entry::Sources(counts)
    };
    let mut all = entries(1);
    all.extend([many(0), many(1), many(2)]);
    let mirrors = Mirrors::start(vec![files(1, &all)]).await;
    let watch = watching(&mirrors.urls);
    watch.look().await;
    let days = counted::days(&watch.state(), 1).days;
    assert_eq!(days[0].sources.len(), 1_000);
    assert_eq!(days[0].sources_read(), SourcesRead::Part);
}
