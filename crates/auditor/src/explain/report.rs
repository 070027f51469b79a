use std::fmt::Write;

use rules::{Colour, Evaluation, Minute, Reason, RuleSet, State};
use serde::Serialize;

use super::specimen::Attempt;

/// What `explain` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    rule_set: String,
    rule_set_sha256: String,
    at: Minute,
    colour: Colour,
    reasons: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'a Attempt>,
}

/// A reason with the published rule that made it.
#[derive(Serialize)]
struct Line<'a> {
    /// The rule's number in the publication; absent where no rule names the key.
    rule: Option<&'a str>,
    text_zh: Option<&'a str>,
    text_en: Option<&'a str>,
    source: Option<&'a str>,
    #[serde(flatten)]
    reason: &'a Reason,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        rule_set: &'a RuleSet,
        at: Minute,
        evaluation: &'a Evaluation,
        proof: Option<&'a Attempt>,
    ) -> Self {
        let line = |reason: &'a Reason| {
            let rule = rule_set.rule_of(reason.key);
            Line {
                rule: rule.map(|r| r.id.as_str()),
                text_zh: rule.map(|r| r.text.zh.as_str()),
                text_en: rule.map(|r| r.text.en.as_str()),
                source: rule.map(|r| r.source.as_str()),
                reason,
            }
        };
        Self {
            rule_set: super::name(rule_set),
            rule_set_sha256: hex::encode(rule_set.digest_sha256()),
            at,
            colour: evaluation.colour,
            reasons: evaluation.reasons.iter().map(line).collect(),
            proof,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "{} at {} (minute {}): {}\n",
            self.rule_set,
            self.at,
            self.at.get(),
            word(self.colour)
        );
        for line in &self.reasons {
            let _ = write!(out, "{}", line.text());
        }
        if self.reasons.is_empty() {
            out.push_str("  no ground in the record met any rule\n");
        }
        if let Some(proof) = self.proof {
            out.push_str(&proof.text());
        }
        out
    }
}

impl Line<'_> {
    fn text(&self) -> String {
        let r = self.reason;
        let state = match r.state {
            State::Open => format!("open, {}", word(r.colour)),
            State::Cleared(way) => format!("cleared by way {}", way + 1),
            State::Lapsed => "lapsed".to_owned(),
            State::Inert => "does not colour".to_owned(),
        };
        let rule = self.rule.unwrap_or("-");
        let mut out = format!(
            "  {rule}: {} [{state}], anchor {}\n",
            self.text_en.unwrap_or("no rule"),
            r.anchor
        );
        for way in &r.ways_out {
            let c = &way.clearing;
            let _ = writeln!(
                out,
                "      way out: negatives {} of {}, check-in days {} of {}, from {}; at the earliest {}",
                way.negatives_counted,
                c.negatives,
                way.check_in_days_counted,
                c.check_in_days,
                way.time_from
                    .map_or("(not yet)".to_owned(), |m| m.to_string()),
                way.earliest
                    .map_or("(only an event ends it)".to_owned(), |m| m.to_string()),
            );
        }
        if r.state == State::Open {
            let end = r
                .earliest_end
                .map_or("only by an event".to_owned(), |day| day.to_string());
            let _ = writeln!(out, "      earliest end: {end}");
        }
        out
    }
}

/// A reason's rule by its number and words, as published.
pub(super) fn rule_words(rule_set: &RuleSet, reason: &Reason) -> String {
    rule_set.rule_of(reason.key).map_or_else(
        || "no rule".to_owned(),
        |rule| format!("{}: {}", rule.id, rule.text.en),
    )
}

pub(super) const fn word(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "green",
        Colour::Yellow => "yellow",
        Colour::Red => "red",
    }
}
