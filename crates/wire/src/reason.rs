//! A reason and its ways out, as a resident's device receives them.

use rules::{Clearing, Day, EventId, Minute, Reason, Rule, State, Text, WayOut};

use crate::resident::v1 as proto;

/// A reason with the rule that made it, the events it rests on and the name of their source; `words` says a way out
/// in both languages.
pub fn resident_reason(
    reason: &Reason,
    rule: &Rule,
    events: &[EventId],
    source: &str,
    words: impl Fn(&Clearing) -> Text,
) -> proto::Reason {
    let colour = crate::pass::v1::Colour::from(reason.colour);
    let state = match reason.state {
        State::Open => proto::ReasonState::Open,
        State::Cleared(_) => proto::ReasonState::Cleared,
        State::Lapsed => proto::ReasonState::Lapsed,
        State::Inert => proto::ReasonState::Inert,
    };
    proto::Reason {
        rule_id: rule.id.clone(),
        text_zh: rule.text.zh.clone(),
        text_en: rule.text.en.clone(),
        colour: colour.into(),
        state: state.into(),
        event_ids: events.iter().map(|id| id.0.to_vec()).collect(),
        source: source.to_owned(),
        anchor_minute: reason.anchor.get(),
        anchor_moves: reason.anchor_moves,
        ways_out: reason
            .ways_out
            .iter()
            .map(|way| way_out(way, words(&way.clearing)))
            .collect(),
        lapses_at_minute: reason.lapses_at.map(Minute::get),
        earliest_end_day: reason.earliest_end.map(Day::get).map(u32::from),
    }
}

fn way_out(way: &WayOut, words: Text) -> proto::WayOut {
    proto::WayOut {
        time_from_minute: way.time_from.map(Minute::get),
        negatives_needed: way.clearing.negatives.into(),
        negatives_counted: way.negatives_counted.into(),
        gap_hours: way.clearing.gap_hours.into(),
        span_hours: way.clearing.span_hours.into(),
        check_in_days_needed: way.clearing.check_in_days.into(),
        check_in_days_counted: way.check_in_days_counted.into(),
        earliest_minute: way.earliest.map(Minute::get),
        text_zh: words.zh,
        text_en: words.en,
    }
}

#[cfg(test)]
mod tests {
    use rules::{Colour, RuleSet};

    use super::*;

    #[test]
    fn a_reason_carries_rule_anchor_events_and_ways_out() {
        let set = RuleSet::built_in("fj-2022-08").unwrap();
        let minute = |n| rules::Minute::new(n).unwrap();
        let key = rules::Key::of_fact(rules::FactKind::CloseContact, false, true);
        let row = *set.table().row(key);
        let clearing = row.clearing[0].expect("a close contact has a way out");
        let reason = Reason {
            ground: rules::Ground::Fact {
                index: 0,
                kind: rules::FactKind::CloseContact,
            },
            key,
            anchor: minute(27_700_000),
            anchor_moves: false,
            state: State::Open,
            colour: Colour::Red,
            row,
            ways_out: vec![WayOut {
                clearing,
                time_from: Some(minute(27_714_400)),
                negatives_counted: 0,
                check_in_days_counted: 0,
                earliest: None,
            }],
            lapses_at: None,
            earliest_end: Some(rules::Day::new(19_246)),
        };
        let words = |_: &Clearing| Text {
            zh: "终究".into(),
            en: "after all".into(),
        };
        let rule = set.rule_of(key).expect("a rule of the publication");
        let sent = resident_reason(&reason, rule, &[EventId([3; 16])], "35-cdc-1", words);
        assert_eq!(
            (sent.rule_id.as_str(), sent.source.as_str()),
            (rule.id.as_str(), "35-cdc-1")
        );
        assert_eq!(
            (sent.state(), sent.colour()),
            (proto::ReasonState::Open, crate::pass::v1::Colour::Red)
        );
        assert_eq!(
            (sent.anchor_minute, sent.earliest_end_day),
            (27_700_000, Some(19_246))
        );
        assert_eq!(sent.event_ids, vec![vec![3; 16]]);
        assert_eq!(sent.ways_out[0].time_from_minute, Some(27_714_400));
        assert_eq!(sent.ways_out[0].text_en, "after all");
        assert!(!sent.text_zh.is_empty() && !sent.text_en.is_empty());
    }

    #[test]
    fn each_state_has_its_word_and_what_is_not_known_is_left_out() {
        let set = RuleSet::built_in("fj-2022-08").unwrap();
        let key = rules::Key::of_fact(rules::FactKind::CloseContact, false, true);
        let rule = set.rule_of(key).expect("a rule of the publication");
        let row = *set.table().row(key);
        let clearing = Clearing {
            negatives: 3,
            gap_hours: 24,
            span_hours: 168,
            check_in_days: 7,
            ..row.clearing[0].expect("a close contact has a way out")
        };
        let way = WayOut {
            clearing,
            time_from: None,
            negatives_counted: 2,
            check_in_days_counted: 5,
            earliest: Some(Minute::new(27_720_000).unwrap()),
        };
        for (state, word) in [
            (State::Open, proto::ReasonState::Open),
            (State::Cleared(1), proto::ReasonState::Cleared),
            (State::Lapsed, proto::ReasonState::Lapsed),
            (State::Inert, proto::ReasonState::Inert),
        ] {
            let reason = Reason {
                ground: rules::Ground::Fact {
                    index: 0,
                    kind: rules::FactKind::CloseContact,
                },
                key,
                anchor: Minute::ZERO,
                anchor_moves: true,
                state,
                colour: Colour::Yellow,
                row,
                ways_out: vec![way],
                lapses_at: Some(Minute::new(27_730_000).unwrap()),
                earliest_end: None,
            };
            let words = |_: &Clearing| rule.text.clone();
            let sent = resident_reason(&reason, rule, &[], "33-cdc-1", words);
            assert_eq!(sent.state(), word);
            assert!(sent.anchor_moves && sent.event_ids.is_empty());
            assert_eq!(sent.lapses_at_minute, Some(27_730_000));
            assert_eq!(sent.earliest_end_day, None);
            let way = &sent.ways_out[0];
            assert_eq!((way.negatives_needed, way.negatives_counted), (3, 2));
            assert_eq!((way.gap_hours, way.span_hours), (24, 168));
            assert_eq!(
                (way.check_in_days_needed, way.check_in_days_counted),
                (7, 5)
            );
            assert_eq!(
                (way.time_from_minute, way.earliest_minute),
                (None, Some(27_720_000))
            );
            assert_eq!(way.text_zh, rule.text.zh);
        }
    }
}
