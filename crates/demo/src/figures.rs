//! Figures: sizes, and how long verification takes in this process, with the trust list that the gates have.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use qrcode::{EcLevel, QrCode, Version};
use verifier::trust::RootKeys;
use verifier::{
    BatchSeed, Gate, GateMemory, Presented, PublicInputs, QrText, Specimens, TrustList, verify,
    verify_proofs,
};

use crate::acts::{Held, NOT_RED};
use crate::gate::Gate as GateDir;
use crate::scenarios::show;
use crate::stage::Stage;

/// Proofs in the batch that is timed.
const BATCH: usize = 256;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Bytes of a proof.
    pub proof_bytes: usize,
    /// Bytes of a pass with its showing: what the code holds before base45.
    pub pass_bytes: usize,
    /// Version of the QR code at level M.
    pub qr_version: i16,
    /// Median of a whole verdict, milliseconds.
    pub verify_ms_median: f64,
    /// A proof in a batch of 256, milliseconds.
    pub verify_batch_256_ms_per_proof: f64,
}

/// The code of a text.
///
/// # Errors
/// For a text that is too long.
pub fn code(text: &str) -> Result<QrCode> {
    Ok(QrCode::with_error_correction_level(text, EcLevel::M)?)
}

/// Measures with the passes of devices among `held`.
///
/// # Errors
/// If a pass that must be accepted is not.
pub fn measure(stage: &Stage, gate: &GateDir, held: &[Held]) -> Result<Figures> {
    let pinned = RootKeys::from_digits(&stage.root_keys, 2)?;
    let mut candidate = TrustList::restore(&gate.list_bytes()?, &pinned)?;
    for entry in candidate.missing().to_vec() {
        candidate.supply(&gate.batch_bytes(&entry)?)?;
    }
    let list = candidate.complete()?;
    let passes: Vec<&Held> = held
        .iter()
        .filter(|h| h.key.is_some() && h.rule_set == crate::rule_sets::NATION)
        .collect();
    let rule = *list.profile("not-red").context("a profile")?;
    ensure!(
        rule.asked == NOT_RED,
        "the profile not-red asks for not red"
    );
    let place = Gate {
        specimens: Specimens::Admitted,
        ..Gate::new(gate.setup.place, rule)
    };
    let mut times_ms = Vec::with_capacity(passes.len());
    let mut pass_bytes = 0;
    let mut qr_version = 0;
    for held in &passes {
        let text = show(held, gate.now().slot(), None)?;
        if let Version::Normal(version) = code(&text)?.version() {
            qr_version = qr_version.max(version);
        }
        let mut memory = GateMemory::default();
        let began = Instant::now();
        let showing = QrText::parse(&text)?.showing()?;
        let presented = Presented::plain(&showing);
        let verdict = verify(&presented, &list, &place, gate.now(), &mut memory);
        times_ms.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(
            verdict.is_accept(),
            "a good pass is not accepted: {verdict:?}"
        );
        pass_bytes = pass_bytes.max(showing.to_bytes().len());
    }
    times_ms.sort_by(f64::total_cmp);
    let first = passes.first().context("a pass")?;
    Ok(Figures {
        proof_bytes: first.pass.proof.to_bytes().len(),
        pass_bytes,
        qr_version,
        verify_ms_median: *times_ms.get(times_ms.len() / 2).context("a time")?,
        verify_batch_256_ms_per_proof: measure_batch(&list, &passes)?,
    })
}

/// 256 proofs at once: those of the passes, again and again.
fn measure_batch(list: &TrustList, passes: &[&Held]) -> Result<f64> {
    let first = passes.first().context("a pass")?;
    let circuit = list.circuit(first.pass.circuit).context("the circuit")?;
    let mut items = Vec::with_capacity(BATCH);
    for held in passes.iter().cycle().take(BATCH) {
        let pass = &held.pass;
        let registry = list.registry(pass.epoch).context("the registry")?;
        let inputs = PublicInputs {
            registry_root: registry.root,
            risk_root: registry.risk_root,
            rule_digest: list.rule_set(pass.rule_set).context("the rules")?.digest,
            as_of: registry.as_of,
            claim: pass.claim,
            binder: pass.holder.binder(pass.h, None)?,
        };
        items.push((&pass.proof, inputs.to_fields()));
    }
    let seed = BatchSeed::from_random(rand::random());
    let began = Instant::now();
    let holds = verify_proofs(circuit, &items, &seed);
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    ensure!(
        holds.iter().all(|holds| *holds),
        "a good proof does not hold"
    );
    #[allow(clippy::cast_precision_loss)] // 256
    Ok(took_ms / BATCH as f64)
}
