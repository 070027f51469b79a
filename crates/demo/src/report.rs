//! The end of the demonstration: one table for people, one object for programs.

use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Value, json};

use crate::acts::Imported;
use crate::figures::Figures;
use crate::scenarios::{Scenario, Tally};
use crate::stage::Stage;

/// Everything that the end tells.
pub struct Report {
    /// Residents registered.
    pub residents: usize,
    /// Events that the nodes have.
    pub events_accepted: u64,
    /// Events a second, with everything durable before it is acknowledged.
    pub events_per_s: f64,
    /// The lists.
    pub imported: Imported,
    /// Passes issued.
    pub passes_issued: usize,
    /// Every try.
    pub tally: Tally,
    /// Constraints of the circuit.
    pub constraints: u64,
    /// Rows of the proof system.
    pub rows: u64,
    /// Milliseconds to make or read the test key.
    pub key_ms: u128,
    /// Median time of a proof, milliseconds, as the nodes tell.
    pub prove_ms_median: u32,
    /// Sizes and verification.
    pub figures: Figures,
    /// Seconds from the start, building not counted.
    pub took_s: f64,
}

impl Report {
    /// Whether everything came out as it must.
    pub fn ok(&self) -> bool {
        let scenarios = self.tally.scenarios();
        let kinds = scenarios.iter().all(|s| s.got == s.expected && s.count > 0);
        kinds && !scenarios.is_empty() && self.passes_issued >= 40
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "ok": self.ok(),
            "residents": self.residents,
            "events_accepted": self.events_accepted,
            "events_per_s": round(self.events_per_s, 0),
            "risk_entries": self.imported.entries,
            "risk_resolved": self.imported.resolved,
            "risk_resolved_township": self.imported.township,
            "risk_unresolved": self.imported.unresolved,
            "risk_facts": self.imported.facts,
            "passes_issued": self.passes_issued,
            "scenarios": self.tally.scenarios(),
            "verdicts": self.tally.by_code(),
            "constraints": self.constraints,
            "rows": self.rows,
            "key_ms": u64::try_from(self.key_ms).unwrap_or(u64::MAX),
            "proof_bytes": self.figures.proof_bytes,
            "pass_bytes": self.figures.pass_bytes,
            "qr_version": self.figures.qr_version,
            "prove_ms_median": self.prove_ms_median,
            "verify_ms_median": round(self.figures.verify_ms_median, 3),
            "verify_batch_256_ms_per_proof": round(self.figures.verify_batch_256_ms_per_proof, 3),
            "took_s": round(self.took_s, 1),
        })
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut tries = Table::new();
        tries.load_preset(UTF8_HORIZONTAL_ONLY);
        tries.set_header(["what was tried", "times", "must be", "was"]);
        for Scenario {
            name,
            expected,
            got,
            count,
        } in self.tally.scenarios()
        {
            let mark = if got == expected { "" } else { "  <<<" };
            tries.add_row([name, count.to_string(), expected, format!("{got}{mark}")]);
        }
        let figures = &self.figures;
        let mut end = Table::new();
        end.load_preset(UTF8_HORIZONTAL_ONLY);
        end.set_header(["figure", ""]);
        let codes: Vec<String> = (self.tally.by_code().iter())
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        for (name, value) in [
            ("passes issued", self.passes_issued.to_string()),
            ("verdicts and refusals", codes.join("\n")),
            ("proof", format!("{} bytes", figures.proof_bytes)),
            ("pass with showing", format!("{} bytes", figures.pass_bytes)),
            ("QR code", format!("version {}-M", figures.qr_version)),
            (
                "constraints",
                format!("{} ({} rows of 32768)", self.constraints, self.rows),
            ),
            ("to prove, median", format!("{} ms", self.prove_ms_median)),
            (
                "to verify, median",
                format!("{:.2} ms", figures.verify_ms_median),
            ),
            (
                "a proof among 256",
                format!("{:.2} ms", figures.verify_batch_256_ms_per_proof),
            ),
            (
                "events, durable",
                format!(
                    "{} ({:.0} a second)",
                    self.events_accepted, self.events_per_s
                ),
            ),
            ("all of it", format!("{:.0} s", self.took_s)),
        ] {
            end.add_row([name.to_owned(), value]);
        }
        format!("{tries}\n\n{end}")
    }
}

/// What a stage says of its circuit.
pub fn circuit_line(stage: &Stage) -> String {
    format!(
        "clearance: {} constraints; test key made or read in {} ms (single-party, flagged, refused in production)",
        stage.circuit.constraints,
        stage.key_took.as_millis()
    )
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(got: &str, passes_issued: usize) -> Report {
        let mut tally = Tally::default();
        tally.add("one", "ACCEPTED", "ACCEPTED");
        tally.add("two", "REPLAYED", got);
        Report {
            residents: 300,
            events_accepted: 1,
            events_per_s: 1.0,
            imported: Imported {
                entries: 2,
                resolved: 1,
                township: 1,
                unresolved: vec!["somewhere".to_owned()],
                facts: 1,
            },
            passes_issued,
            tally,
            constraints: 1,
            rows: 1,
            key_ms: 1,
            prove_ms_median: 1,
            figures: Figures {
                proof_bytes: 128,
                pass_bytes: 265,
                qr_version: 12,
                verify_ms_median: 1.0,
                verify_batch_256_ms_per_proof: 0.5,
            },
            took_s: 1.0,
        }
    }

    #[test]
    fn one_other_verdict_or_too_few_passes_and_it_is_not_ok() {
        assert!(report("REPLAYED", 40).ok());
        assert!(!report("ACCEPTED", 40).ok());
        assert!(!report("REPLAYED", 39).ok());
        assert_eq!(report("ACCEPTED", 40).to_json()["ok"], false);
        assert!(report("ACCEPTED", 40).to_text().contains("<<<"));
    }

    #[test]
    fn the_object_has_every_member_that_is_promised() {
        let object = report("REPLAYED", 40).to_json();
        for member in [
            "ok",
            "residents",
            "events_accepted",
            "risk_entries",
            "risk_resolved",
            "passes_issued",
            "scenarios",
            "constraints",
            "rows",
            "proof_bytes",
            "pass_bytes",
            "qr_version",
            "prove_ms_median",
            "verify_ms_median",
            "verify_batch_256_ms_per_proof",
        ] {
            assert!(!object[member].is_null(), "{member}");
        }
        let first = &object["scenarios"][0];
        assert_eq!(
            (&first["name"], &first["got"]),
            (&"one".into(), &"ACCEPTED".into())
        );
    }
}
