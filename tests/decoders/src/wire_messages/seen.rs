//! What the public page asks, and is told.

use wire::pass::v1::Colour;
use wire::public::v1 as public;

use super::{Row, plain, row};

pub(super) fn rows() -> Vec<Row> {
    let overview = public::GetOverviewRequest { look_again: true };
    let text = public::GetRuleTextRequest {
        digest: vec![7; 32],
    };
    let counts = public::GetCountsRequest { slot: 3 };
    let impacts = public::GetImpactsRequest {
        short_id: vec![7; 4],
        from_slot: 3,
    };
    let told = public::GetOverviewResponse {
        now_s: 1_662_043_800,
        root_keys: vec![vec![1; 32]],
        root_threshold: 1,
        slots: vec![public::Slot {
            slot: 3,
            province_code: 42,
            log_problem: Some(public::Problem {
                fault: public::Fault::Silent.into(),
                detail: "checkpoint: no answer".to_owned(),
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    let day = public::GetCountsResponse {
        days: vec![public::Day {
            day: 19_236,
            cells: vec![public::Cell {
                colour: Colour::Red.into(),
                rule_id: "R4".to_owned(),
                people: Some(public::Count { least: 0, most: 9 }),
            }],
            appeals: Some(public::Appeals {
                decided: vec![public::DecidedCell {
                    is_upheld: true,
                    wait: public::AppealWait::LateDay.into(),
                    appeals: Some(public::Count { least: 0, most: 9 }),
                }],
                ..Default::default()
            }),
            retention: Some(public::Retention {
                horizon_days: 60,
                ..Default::default()
            }),
            ..Default::default()
        }],
    };
    let impact = public::GetImpactsResponse {
        impacts: vec![public::Impact {
            slot: 3,
            state: public::ImpactState::InTime.into(),
            count: Some(public::ImpactCount {
                at_minute: 27_700_000,
                changes: vec![public::Change {
                    from: Colour::Green.into(),
                    to: Colour::Red.into(),
                    rule_id: "R4".to_owned(),
                    people: Some(public::Count { least: 0, most: 9 }),
                }],
                ..Default::default()
            }),
            ..Default::default()
        }],
        next_slot: 0,
    };
    vec![
        row(plain::<public::GetOverviewRequest>, &[overview]),
        row(plain::<public::GetRuleTextRequest>, &[text]),
        row(plain::<public::GetCountsRequest>, &[counts]),
        row(plain::<public::GetImpactsRequest>, &[impacts]),
        row(plain::<public::GetOverviewResponse>, &[told]),
        row(plain::<public::GetCountsResponse>, &[day]),
        row(plain::<public::GetImpactsResponse>, &[impact]),
    ]
}
