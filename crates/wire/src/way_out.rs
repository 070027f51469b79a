//! A reason and its ways out as a resident reads them.

use rules::{Clearing, EventId, Offset, Reason, Rule, State, Text, WayOut};

use crate::resident::v1 as proto;

/// A reason with the rule that made it, the events it rests on and the name of their source.
pub fn resident_reason(
    reason: &Reason,
    rule: &Rule,
    events: &[EventId],
    source: &str,
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
        ways_out: reason.ways_out.iter().map(Into::into).collect(),
        lapses_at_minute: reason.lapses_at.map(rules::Minute::get),
        earliest_end_day: reason.earliest_end.map(|day| u32::from(day.get())),
    }
}

impl From<&WayOut> for proto::WayOut {
    fn from(way: &WayOut) -> Self {
        let Text { zh, en } = words(&way.clearing);
        Self {
            time_from_minute: way.time_from.map(rules::Minute::get),
            negatives_needed: way.clearing.negatives.into(),
            negatives_counted: way.negatives_counted.into(),
            gap_hours: way.clearing.gap_hours.into(),
            span_hours: way.clearing.span_hours.into(),
            check_in_days_needed: way.clearing.check_in_days.into(),
            check_in_days_counted: way.check_in_days_counted.into(),
            earliest_minute: way.earliest.map(rules::Minute::get),
            text_zh: zh,
            text_en: en,
        }
    }
}

/// The conditions of a way out in one sentence; they must hold together.
pub fn words(clearing: &Clearing) -> Text {
    let conditions = [
        time(clearing.after),
        negatives(clearing),
        check_ins(clearing.check_in_days),
    ];
    let conditions: Vec<Text> = conditions.into_iter().flatten().collect();
    if conditions.is_empty() {
        return Text {
            zh: "无需等待。".into(),
            en: "Nothing more is needed.".into(),
        };
    }
    let zh: Vec<&str> = conditions.iter().map(|text| text.zh.as_str()).collect();
    let en: Vec<&str> = conditions.iter().map(|text| text.en.as_str()).collect();
    Text {
        zh: format!("{}。", zh.join(";并且")),
        en: format!("{}.", en.join("; and ")),
    }
}

fn time(after: Offset) -> Option<Text> {
    match after {
        Offset::Hours(0) | Offset::Days(0) => None,
        Offset::Hours(n) => Some(Text {
            zh: format!("自起算时刻起满{n}小时"),
            en: format!("{n} hours after the anchor"),
        }),
        Offset::Days(n) => Some(Text {
            zh: format!("自起算日后第{n}日零时起"),
            en: format!("from midnight (UTC+8) of day {n} after the anchor's day"),
        }),
    }
}

fn negatives(clearing: &Clearing) -> Option<Text> {
    let (gap, span) = (clearing.gap_hours, clearing.span_hours);
    let count = match clearing.negatives {
        0 => return None,
        1 => Text {
            zh: "1次阴性检测".into(),
            en: "1 negative test".into(),
        },
        n => Text {
            zh: format!("{n}次阴性检测,每次间隔不少于{gap}小时,首末相隔不超过{span}小时"),
            en: format!("{n} negative tests, at least {gap} hours apart, all within {span} hours"),
        },
    };
    let not_before = match clearing.neg_from_hours {
        0 => Text {
            zh: "采样不早于起算时刻".into(),
            en: "sampled after the anchor".into(),
        },
        n if n > 0 => Text {
            zh: format!("采样不早于起算后{n}小时"),
            en: format!("sampled at least {n} hours after the anchor"),
        },
        n => Text {
            zh: format!("采样不早于起算前{}小时", n.unsigned_abs()),
            en: format!(
                "sampled no earlier than {} hours before the anchor",
                n.unsigned_abs()
            ),
        },
    };
    Some(Text {
        zh: format!("{},{}", count.zh, not_before.zh),
        en: format!("{}, {}", count.en, not_before.en),
    })
}

fn check_ins(days: u8) -> Option<Text> {
    (days > 0).then(|| Text {
        zh: format!("起算日之后连续{days}天正常打卡"),
        en: format!("{days} consecutive days of normal check-in after the anchor's day"),
    })
}

#[cfg(test)]
mod tests {
    use rules::{Colour, RuleSet};

    use super::*;

    const NOTHING: Clearing = Clearing {
        after: Offset::ZERO,
        negatives: 0,
        gap_hours: 1,
        span_hours: 0,
        neg_from_hours: 0,
        check_in_days: 0,
    };

    #[test]
    fn every_condition_that_is_asked_for_is_named_and_no_other() {
        let two = Clearing {
            negatives: 2,
            gap_hours: 24,
            span_hours: 72,
            ..NOTHING
        };
        let text = words(&two);
        assert!(
            text.zh.contains("2次") && text.zh.contains("24") && text.zh.contains("72"),
            "{}",
            text.zh
        );
        assert!(
            !text.en.contains("check-in") && !text.en.contains("midnight"),
            "{}",
            text.en
        );

        let full = Clearing {
            after: Offset::Days(10),
            negatives: 1,
            check_in_days: 7,
            ..NOTHING
        };
        let text = words(&full);
        assert_eq!(
            text.en,
            "from midnight (UTC+8) of day 10 after the anchor's day; and 1 negative test, sampled after the \
             anchor; and 7 consecutive days of normal check-in after the anchor's day."
        );
        assert!(
            text.zh.contains("第10日") && text.zh.contains("连续7天"),
            "{}",
            text.zh
        );

        let before = Clearing {
            negatives: 1,
            neg_from_hours: -24,
            ..NOTHING
        };
        assert!(words(&before).en.contains("24 hours before"));
        let after = Clearing {
            after: Offset::Hours(12),
            negatives: 1,
            neg_from_hours: 48,
            ..NOTHING
        };
        assert!(
            words(&after)
                .en
                .starts_with("12 hours after the anchor; and 1 negative test")
        );
        assert!(words(&after).en.contains("at least 48 hours after"));
        assert_eq!(words(&NOTHING).en, "Nothing more is needed.");
    }

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
        let rule = set.rule_of(key).expect("a rule of the publication");
        let sent = resident_reason(&reason, rule, &[EventId([3; 16])], "35-cdc-1");
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
        assert_eq!(sent.ways_out[0].text_en, words(&clearing).en);
        assert!(!sent.text_zh.is_empty() && !sent.text_en.is_empty());
    }
}
