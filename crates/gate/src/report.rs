//! A verdict as people and programs read it: word, reason, what to do, and the age of the trust list.

use serde_json::{Value, json};
use verifier::{AcceptanceRule, Accepted, BinderKind, Code, Outcome, TrustList, UnixTime, Verdict};

/// How old the trust list in use is, and which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListAge {
    /// Seconds since its online document was issued; zero where the clock is behind it.
    pub age_s: u64,
    /// Sequence of its root document.
    pub root_sequence: u64,
    /// Sequence of its online document.
    pub online_sequence: u64,
    /// Whether it is beyond its soft age.
    pub stale: bool,
}

impl ListAge {
    /// Of a list, now.
    pub fn of(list: &TrustList, now: UnixTime) -> Self {
        let online = list.online();
        let age_s = now.since_s(online.issued_at);
        Self {
            age_s,
            root_sequence: list.root().sequence.get(),
            online_sequence: online.sequence.get(),
            stale: age_s >= u64::from(online.soft_stale_s),
        }
    }
}

/// A verdict with what belongs beside it. It holds nothing about who presented the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The trust list it rests on, if there is one.
    pub list: Option<ListAge>,
    /// The gate's time.
    pub checked_at: UnixTime,
}

impl Report {
    /// The stable code.
    pub const fn code(&self) -> Code {
        self.verdict.code()
    }

    /// For a terminal: word, reason, what the officer does, the list's age.
    pub fn to_text(&self) -> String {
        let code = self.code();
        let outcome = self.verdict.outcome();
        let (zh, en) = outcome.word();
        let mark = match outcome {
            Outcome::Accept => '●',
            Outcome::Reject => '✕',
            Outcome::Undecided => '?',
        };
        let mut lines = vec![format!("{mark} {zh} {en}   [{code}]")];
        match &self.verdict {
            Verdict::Accept(accepted) => lines.extend(accepted_lines(accepted)),
            Verdict::Reject(reason) => lines.push(format!("  原因 reason      {reason}")),
            Verdict::Undecided(why) => lines.push(format!("  原因 reason      {why}")),
        }
        let (resident, officer) = (code.resident(), code.officer());
        lines.push(format!(
            "  告知 say         {} {}",
            resident.zh, resident.en
        ));
        lines.push(format!("  处置 do          {} {}", officer.zh, officer.en));
        if outcome == Outcome::Undecided {
            let operator = code.operator();
            lines.push(format!(
                "  运维 operator    {} {}",
                operator.zh, operator.en
            ));
        }
        lines.push(format!("  信任列表 list    {}", list_text(self.list)));
        lines.join("\n")
    }

    /// For programs: one object.
    pub fn to_json(&self) -> Value {
        let code = self.code();
        let (word_zh, word_en) = self.verdict.outcome().word();
        let (accepted, detail) = match &self.verdict {
            Verdict::Accept(accepted) => (accepted_json(accepted), Value::Null),
            Verdict::Reject(reason) => (Value::Null, reason.to_string().into()),
            Verdict::Undecided(why) => (Value::Null, why.to_string().into()),
        };
        json!({
            "outcome": outcome_word(self.verdict.outcome()),
            "word_zh": word_zh,
            "word_en": word_en,
            "code": code.as_str(),
            "detail": detail,
            "text_zh": code.resident().zh,
            "text_en": code.resident().en,
            "officer_zh": code.officer().zh,
            "officer_en": code.officer().en,
            "accepted": accepted,
            "checked_at_s": self.checked_at.get_s(),
            "list": self.list.map(|list| json!({
                "age_s": list.age_s,
                "stale": list.stale,
                "root_sequence": list.root_sequence,
                "online_sequence": list.online_sequence,
            })),
        })
    }
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accept => "accept",
        Outcome::Reject => "reject",
        Outcome::Undecided => "undecided",
    }
}

fn accepted_lines(accepted: &Accepted) -> Vec<String> {
    let claim = accepted.claim;
    let colour = match claim.worst {
        rules::WorstColour::Green => "绿码 green",
        rules::WorstColour::Yellow => "非红码 not red",
    };
    let test = match claim.test_age.hours() {
        0 => String::new(),
        hours => format!(", {hours} 小时内阴性 negative within {hours} h"),
    };
    let mut lines = vec![
        format!("  证明 proved      {colour}{test}"),
        format!(
            "  依据 under       {} · {} (UTC+8) · {} 分钟前 min ago",
            accepted.rule_set, accepted.as_of, accepted.age_min
        ),
    ];
    if accepted.binder == BinderKind::Card {
        lines.push("  注意 note        仅凭证件,绑定较弱 bound to the card alone: weak".to_owned());
    }
    if accepted.specimen {
        lines.push("  注意 note        样本,仅供演示 a specimen under a test circuit".to_owned());
    }
    lines
}

fn accepted_json(accepted: &Accepted) -> Value {
    json!({
        "worst": accepted.claim.worst,
        "test_age_hours": accepted.claim.test_age.hours(),
        "epoch": accepted.epoch.get(),
        "as_of_minute": accepted.as_of.get(),
        "age_min": accepted.age_min,
        "rule_set": accepted.rule_set,
        "binder": binder_word(accepted.binder),
        "specimen": accepted.specimen,
    })
}

const fn binder_word(kind: BinderKind) -> &'static str {
    match kind {
        BinderKind::Device => "device",
        BinderKind::DeviceAndCard => "device-and-card",
        BinderKind::Card => "card",
    }
}

/// What a rule asks for, for programs: of each kind of binding that it admits the oldest pass, minutes.
pub fn rule_json(rule: &AcceptanceRule) -> Value {
    let ages = rule.admitted().map(|kind| {
        let age_max_min = rule.age_max_min(kind);
        json!({ "binder": binder_word(kind), "age_max_min": age_max_min })
    });
    json!({
        "worst": rule.asked.worst,
        "test_age_hours": rule.asked.test_age.hours(),
        "binders": ages.collect::<Vec<_>>(),
    })
}

/// The age of a list in words.
pub fn list_text(list: Option<ListAge>) -> String {
    let Some(list) = list else {
        return "无 none".to_owned();
    };
    let (minutes, hours) = (list.age_s / 60, list.age_s / 3600);
    let age = if hours < 3 {
        format!("{minutes} 分钟 min")
    } else {
        format!("{hours} 小时 h")
    };
    let hint = if list.stale {
        ",请更新 refresh it"
    } else {
        ""
    };
    format!(
        "{age} old, sequence {}/{}{hint}",
        list.root_sequence, list.online_sequence
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::{Reason, Why};

    fn report(verdict: Verdict) -> Report {
        Report {
            verdict,
            list: Some(ListAge {
                age_s: 720,
                root_sequence: 3,
                online_sequence: 7,
                stale: false,
            }),
            checked_at: UnixTime::from_s(60),
        }
    }

    #[test]
    fn each_outcome_has_its_word_in_both_languages() {
        let reject = report(Verdict::Reject(Reason::Revoked));
        assert!(reject.to_text().contains("不通过 NO   [REVOKED]"));
        let undecided = report(Verdict::Undecided(Why::NoList));
        assert!(undecided.to_text().contains("无法核验 CANNOT CHECK"));
        assert!(
            undecided
                .to_text()
                .contains("12 分钟 min old, sequence 3/7")
        );
    }

    #[test]
    fn the_object_for_programs_names_code_and_list() {
        let value = report(Verdict::Reject(Reason::ProofInvalid)).to_json();
        assert_eq!(value["outcome"], "reject");
        assert_eq!(value["code"], "PROOF_INVALID");
        assert_eq!(value["list"]["online_sequence"], 7);
        assert!(value["accepted"].is_null());
    }

    #[test]
    fn an_old_list_asks_to_be_refreshed() {
        let mut old = report(Verdict::Undecided(Why::NoList));
        old.list = old.list.map(|list| ListAge {
            age_s: 80 * 3600,
            stale: true,
            ..list
        });
        assert!(old.to_text().contains("80 小时 h old, sequence 3/7,请更新"));
        old.list = None;
        assert!(old.to_text().contains("无 none"));
    }

    #[test]
    fn a_rule_is_told_with_the_oldest_pass_of_each_kind_that_it_admits() {
        let rule = AcceptanceRule {
            asked: rules::Claim {
                worst: rules::WorstColour::Yellow,
                test_age: rules::TestAge::Hours48,
            },
            pass_age_max_min: 60,
            card_pass_age_max_min: 1440,
            binders: verifier::BinderKinds::of(&[BinderKind::Device, BinderKind::Card]),
        };
        let told = json!({
            "worst": "yellow",
            "test_age_hours": 48,
            "binders": [
                { "binder": "device", "age_max_min": 60 },
                { "binder": "card", "age_max_min": 1440 },
            ],
        });
        assert_eq!(rule_json(&rule), told);
    }
}
