//! What `auditor vectors` says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use circuits::vector::{Body, Tried, Vectors};
use serde::Serialize;

use super::replay::{Difference, Judge, Replayed};

#[derive(Serialize)]
pub(super) struct Report {
    agrees: bool,
    vectors: Kinds,
    /// Reject and wire vectors by heading.
    headings: BTreeMap<String, usize>,
    judgements: BTreeMap<Judge, usize>,
    differences: Vec<Difference>,
    /// SHA-256 of the matrices that were built.
    matrix_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proving: Option<Proving>,
    seconds: f64,
}

#[derive(Default, Serialize)]
struct Kinds {
    accept: usize,
    reject: usize,
    wires: usize,
    shown: usize,
}

#[derive(Serialize)]
struct Proving {
    key_seconds: f64,
    proofs: u32,
    seconds_per_proof: f64,
}

impl Report {
    pub(super) fn new<C: Tried>(vectors: &Vectors<C>, replayed: Replayed, took: Duration) -> Self {
        let mut kinds = Kinds::default();
        let mut headings = BTreeMap::new();
        for vector in vectors.all() {
            match &vector.body {
                Body::Accept { .. } => kinds.accept += 1,
                Body::Shown { .. } => kinds.shown += 1,
                Body::Reject { heading, .. } => {
                    kinds.reject += 1;
                    *headings.entry(heading.to_string()).or_default() += 1;
                }
                Body::Wires { heading, .. } => {
                    kinds.wires += 1;
                    *headings.entry(heading.to_string()).or_default() += 1;
                }
            }
        }
        Self {
            agrees: replayed.differences.is_empty(),
            vectors: kinds,
            headings,
            judgements: replayed.judged,
            differences: replayed.differences,
            matrix_sha256: hex::encode(C::shape().digest()),
            proving: replayed.proving.map(|proving| Proving {
                key_seconds: hundredths(proving.key),
                proofs: proving.count,
                seconds_per_proof: hundredths(proving.proofs / proving.count.max(1)),
            }),
            seconds: hundredths(took),
        }
    }

    pub(super) fn agrees(&self) -> bool {
        self.agrees
    }

    pub(super) fn text<C: Tried>(&self) -> String {
        let Kinds {
            accept,
            reject,
            wires,
            shown,
        } = self.vectors;
        let mut out = format!(
            "{accept} accept, {reject} reject, {wires} wire vectors, {shown} shown with other inputs\n"
        );
        for heading in C::HEADINGS {
            if let Some(count) = self.headings.get(&heading.to_string()) {
                let _ = writeln!(out, "  {count:>3} under {heading}");
            }
        }
        let said = |judge| self.judgements.get(&judge).copied().unwrap_or(0);
        let _ = writeln!(
            out,
            "judged: {} by the relation, {} by the constraints, {} by the prover, {} by the verifier",
            said(Judge::Relation),
            said(Judge::Constraints),
            said(Judge::Prover),
            said(Judge::Verifier)
        );
        if let Some(proving) = &self.proving {
            let Proving {
                key_seconds,
                proofs,
                seconds_per_proof,
            } = proving;
            let _ = writeln!(
                out,
                "test key {key_seconds} s; {proofs} proofs, {seconds_per_proof} s each; all {} s",
                self.seconds
            );
        }
        for Difference {
            vector,
            judge,
            expected,
            said,
        } in &self.differences
        {
            let judge = format!("{judge:?}").to_lowercase();
            let _ = writeln!(
                out,
                "DIFFERS: {vector}: {judge}: {said}; expected: {expected}"
            );
        }
        let verdict = if self.agrees {
            "all agree"
        } else {
            "NOT all agree"
        };
        let _ = writeln!(out, "{verdict}, on matrices {}", self.matrix_sha256);
        out
    }
}

fn hundredths(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
