//! The verdict: predicates in their order, then the proof, then the gate's memory.

use std::collections::BTreeMap;

use commitment::layout::LayoutError;
use commitment::{CircuitShortId, Fr, PUBLIC_INPUTS, PublicInputs};

use crate::groth16::verify_proofs;
use crate::predicates as check;
use crate::{
    Accepted, BatchSeed, CardNumber, CircuitUse, Error, Gate, GateChallenge, GateMemory,
    PreparedCircuit, QrText, Reason, Showing, ShowingSlot, TrustList, UnixTime, Verdict, Why,
};

/// What one person presents at a gate; nothing of it is believed.
#[derive(Clone, Debug)]
pub struct Presented<'a> {
    /// The showing, as decoded.
    pub showing: &'a Showing,
    /// The challenge that this gate gave to this person, if it gave one.
    pub challenge: Option<GateChallenge>,
    /// The number on the identity card that was read, if one was.
    pub card: Option<&'a CardNumber>,
}

impl<'a> Presented<'a> {
    /// A showing without challenge or card.
    pub const fn plain(showing: &'a Showing) -> Self {
        Self {
            showing,
            challenge: None,
            card: None,
        }
    }
}

/// The verdict on a QR text; see [`verify`].
pub fn verify_text(
    text: &str,
    challenge: Option<GateChallenge>,
    card: Option<&CardNumber>,
    trusted: &TrustList,
    gate: &Gate,
    now: UnixTime,
    memory: &mut GateMemory,
) -> Verdict {
    match QrText::parse(text).and_then(|text| text.showing()) {
        Ok(showing) => {
            let presented = Presented {
                showing: &showing,
                challenge,
                card,
            };
            verify(&presented, trusted, gate, now, memory)
        }
        Err(error) => Verdict::from(error),
    }
}

/// The verdict on one showing. Its only effect is on `memory`: the time is noted, and an accepted showing remembered.
pub fn verify(
    presented: &Presented<'_>,
    trusted: &TrustList,
    gate: &Gate,
    now: UnixTime,
    memory: &mut GateMemory,
) -> Verdict {
    let claimed = match consider(presented, trusted, gate, now, memory) {
        Ok(claimed) => claimed,
        Err(verdict) => return verdict,
    };
    let holds = claimed
        .circuit
        .verifies(&presented.showing.pass().proof, &claimed.inputs);
    claimed.conclude(holds, memory)
}

/// The verdicts on several showings, in their order: what [`verify`] would say of one after the other, with their
/// proofs checked together.
pub fn verify_batch(
    presented: &[Presented<'_>],
    trusted: &TrustList,
    gate: &Gate,
    now: UnixTime,
    memory: &mut GateMemory,
    seed: &BatchSeed,
) -> Vec<Verdict> {
    let considered: Vec<Result<Claimed<'_>, Verdict>> = presented
        .iter()
        .map(|one| consider(one, trusted, gate, now, memory))
        .collect();
    let mut by_circuit: BTreeMap<CircuitShortId, Vec<usize>> = BTreeMap::new();
    for (index, claimed) in considered.iter().enumerate() {
        if let Ok(claimed) = claimed {
            let short = claimed.circuit.id().short();
            by_circuit.entry(short).or_default().push(index);
        }
    }
    let mut holds = vec![false; presented.len()];
    for indices in by_circuit.values() {
        let claimed: Vec<(usize, &Claimed<'_>)> = indices
            .iter()
            .filter_map(|i| considered[*i].as_ref().ok().map(|c| (*i, c)))
            .collect();
        let Some((_, first)) = claimed.first() else {
            continue;
        };
        let items: Vec<_> = claimed
            .iter()
            .map(|(i, c)| (&presented[*i].showing.pass().proof, c.inputs))
            .collect();
        let found = verify_proofs(first.circuit, &items, seed);
        for ((index, _), found) in claimed.iter().zip(found) {
            holds[*index] = found;
        }
    }
    considered
        .into_iter()
        .zip(holds)
        .map(|(claimed, holds)| match claimed {
            Ok(claimed) => claimed.conclude(holds, memory),
            Err(verdict) => verdict,
        })
        .collect()
}

/// What is left to say once everything but the proof was checked.
struct Claimed<'a> {
    circuit: &'a PreparedCircuit,
    inputs: [Fr; PUBLIC_INPUTS],
    binder: Fr,
    slot: Option<ShowingSlot>,
    with_card: bool,
    accepted: Accepted,
}

impl Claimed<'_> {
    fn conclude(self, holds: bool, memory: &mut GateMemory) -> Verdict {
        if !holds {
            return Verdict::Reject(if self.with_card {
                Reason::CardMismatch
            } else {
                Reason::ProofInvalid
            });
        }
        if let Some(slot) = self.slot {
            // Within a batch the limit can be passed, and one showing can stand twice.
            if memory.is_full() {
                return Verdict::Undecided(Why::MemoryFull(crate::MEMORY_LIMIT));
            }
            if !memory.remember(slot, self.binder) {
                return Verdict::Reject(Reason::Replayed(slot));
            }
        }
        Verdict::Accept(self.accepted)
    }
}

/// Checks everything but the proof, the cheap things first.
fn consider<'a>(
    presented: &Presented<'_>,
    trusted: &'a TrustList,
    gate: &Gate,
    now: UnixTime,
    memory: &mut GateMemory,
) -> Result<Claimed<'a>, Verdict> {
    check::clock_is_not_behind(memory.latest(), now)?;
    check::clock_is_not_behind(trusted.online().issued_at, now)?;
    memory.advance(now);
    let list_age_s = check::list_is_fresh(trusted, now)?;

    let showing = presented.showing;
    let pass = showing.pass();
    let circuit = check::circuit_serves(pass, trusted, gate)?;
    let registry = check::epoch_is_known(pass, trusted, gate, now)?;
    let age_min = check::pass_is_young(pass, registry, gate, now)?;
    check::claim_suffices(pass, gate)?;
    check::binder_is_admitted(pass, gate)?;
    let rule_set = check::rule_set_serves(pass, registry.as_of, trusted, gate)?;
    check::risk_map_is_the_epochs(pass, registry)?;
    check::is_not_revoked(pass, trusted)?;
    check::moment_is_now(showing, presented.challenge, gate, now)?;
    check::holder_signed(showing)?;

    let with_card = pass.holder.needs_card();
    let tag = match (with_card, presented.card) {
        (true, Some(card)) => Some(card.tag(pass.h)),
        (true, None) => return Err(Verdict::Undecided(Why::CardNotPresented)),
        (false, _) => None, // a card that nobody asked for says nothing
    };
    let binder = (pass.holder.binder(pass.h, tag.as_ref())).map_err(Verdict::from)?;
    check::is_not_replayed(showing, binder, memory)?;

    let inputs = PublicInputs {
        registry_root: registry.root,
        risk_root: registry.risk_root,
        rule_digest: rule_set.digest,
        as_of: registry.as_of,
        claim: pass.claim,
        binder,
    };
    Ok(Claimed {
        circuit,
        inputs: inputs.to_fields(),
        binder,
        slot: showing.moment().map(|moment| moment.slot),
        with_card,
        accepted: Accepted {
            claim: pass.claim,
            epoch: pass.epoch,
            as_of: registry.as_of,
            age_min,
            rule_set: rule_set.name.clone(),
            binder: pass.holder.kind(),
            specimen: circuit.id().circuit_use() == CircuitUse::Test,
            list_age_s,
            list_stale: list_age_s >= u64::from(trusted.online().soft_stale_s),
        },
    })
}

impl From<Error> for Verdict {
    /// The verdict on something that could not be decoded.
    fn from(error: Error) -> Self {
        Self::Reject(match error {
            Error::TextTooLong { chars, limit } => Reason::TooLong { len: chars, limit },
            Error::Layout(LayoutError::TooLong { len, limit }) => Reason::TooLong { len, limit },
            Error::Layout(LayoutError::UnknownVersion(version)) => Reason::UnknownVersion(version),
            other => Reason::Malformed(other.to_string()),
        })
    }
}
