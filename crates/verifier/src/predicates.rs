//! The checks of a showing, one by one and each by name; [`crate::verify`] gives their order.

use rules::Minute;

use crate::time::CLOCK_TOLERANCE_S;
use crate::trust::{RegistryEntry, RuleSetEntry};
use crate::{
    CircuitUse, Gate, GateChallenge, GateMemory, Pass, PreparedCircuit, Reason, RiskMapShortId,
    Showing, Specimens, TrustList, UnixTime, Verdict, Why,
};

/// The clock is not behind what the gate, the list or the pass's epoch prove to have happened.
pub(crate) fn clock_is_not_behind(seen: UnixTime, now: UnixTime) -> Result<(), Verdict> {
    if seen.since_s(now) > CLOCK_TOLERANCE_S {
        return Err(Verdict::Undecided(Why::ClockSetBack {
            now_s: now.get_s(),
            seen_s: seen.get_s(),
        }));
    }
    Ok(())
}

/// The root document has not ended and the online document is not beyond its hard age; gives the latter's age.
pub(crate) fn list_is_fresh(trusted: &TrustList, now: UnixTime) -> Result<u64, Verdict> {
    let expires_at = trusted.root().expires_at;
    if now >= expires_at {
        return Err(Verdict::Undecided(Why::ListExpired {
            ended_s: expires_at.get_s(),
            now_s: now.get_s(),
        }));
    }
    let age_s = now.since_s(trusted.online().issued_at);
    let limit_s = u64::from(trusted.online().hard_stale_s);
    if age_s >= limit_s {
        return Err(Verdict::Undecided(Why::ListStale { age_s, limit_s }));
    }
    Ok(age_s)
}

/// The circuit is known, and no specimen where those do not count.
pub(crate) fn circuit_serves<'a>(
    pass: &Pass,
    trusted: &'a TrustList,
    gate: &Gate,
) -> Result<&'a PreparedCircuit, Verdict> {
    let circuit = trusted
        .circuit(pass.circuit)
        .ok_or(Verdict::Undecided(Why::UnknownCircuit(pass.circuit)))?;
    match (circuit.id().circuit_use(), gate.specimens) {
        (CircuitUse::Test, Specimens::Refused) => {
            Err(Verdict::Reject(Reason::Specimen(pass.circuit)))
        }
        _ => Ok(circuit),
    }
}

/// The epoch is known; an epoch before all known ones is too old for any rule.
pub(crate) fn epoch_is_known<'a>(
    pass: &Pass,
    trusted: &'a TrustList,
    gate: &Gate,
    now: UnixTime,
) -> Result<&'a RegistryEntry, Verdict> {
    if let Some(entry) = trusted.registry(pass.epoch) {
        return Ok(entry);
    }
    let entries = &trusted.online().registries;
    match (entries.first(), entries.last()) {
        (Some(oldest), Some(_)) if pass.epoch < oldest.epoch => {
            Err(Verdict::Reject(Reason::PassExpired {
                age_min: age_min(oldest.as_of, now),
                limit_min: gate.rule.age_max_min(pass.holder.kind()),
            }))
        }
        (_, newest) => Err(Verdict::Undecided(Why::UnknownEpoch {
            epoch: pass.epoch,
            newest: newest.map_or(pass.epoch, |e| e.epoch),
        })),
    }
}

/// The pass is not older than the gate admits; gives its age in minutes.
pub(crate) fn pass_is_young(
    pass: &Pass,
    registry: &RegistryEntry,
    gate: &Gate,
    now: UnixTime,
) -> Result<u32, Verdict> {
    let closed_at = UnixTime::from_s(u64::from(registry.as_of.get()) * 60);
    clock_is_not_behind(closed_at, now)?;
    let age_min = age_min(registry.as_of, now);
    let limit_min = gate.rule.age_max_min(pass.holder.kind());
    if age_min > limit_min {
        return Err(Verdict::Reject(Reason::PassExpired { age_min, limit_min }));
    }
    Ok(age_min)
}

fn age_min(as_of: Minute, now: UnixTime) -> u32 {
    now.minute().get().saturating_sub(as_of.get())
}

/// The claim is at least as strong as what the gate asks for.
pub(crate) fn claim_suffices(pass: &Pass, gate: &Gate) -> Result<(), Verdict> {
    let (claimed, asked) = (pass.claim, gate.rule.asked);
    if !gate.rule.colour_suffices(claimed) {
        return Err(Verdict::Reject(Reason::ColourTooWeak { claimed, asked }));
    }
    if !gate.rule.test_age_suffices(claimed) {
        return Err(Verdict::Reject(Reason::TestTooOld { claimed, asked }));
    }
    Ok(())
}

/// The gate admits this kind of binding.
pub(crate) fn binder_is_admitted(pass: &Pass, gate: &Gate) -> Result<(), Verdict> {
    let kind = pass.holder.kind();
    if gate.rule.binders.contains(kind) {
        Ok(())
    } else {
        Err(Verdict::Reject(Reason::BinderNotAccepted(kind)))
    }
}

/// The rule set is this place's or the nation's, and was in force.
pub(crate) fn rule_set_serves<'a>(
    pass: &Pass,
    as_of: Minute,
    trusted: &'a TrustList,
    gate: &Gate,
) -> Result<&'a RuleSetEntry, Verdict> {
    let entry = trusted
        .rule_set(pass.rule_set)
        .ok_or(Verdict::Undecided(Why::UnknownRuleSet(pass.rule_set)))?;
    let (scope, place) = (entry.scope, gate.place);
    if scope != place && scope != rules::ProvinceCode::NATION {
        return Err(Verdict::Reject(Reason::RuleSetNotAccepted { scope, place }));
    }
    let valid_from = entry.valid_from;
    if as_of < valid_from {
        return Err(Verdict::Reject(Reason::RuleSetNotYetValid {
            valid_from,
            as_of,
        }));
    }
    let grace_min = trusted.root().grace_min;
    match superseded_beyond(entry.superseded_at, as_of, grace_min) {
        Some(superseded_at) => Err(Verdict::Reject(Reason::RuleSetSuperseded {
            superseded_at,
            as_of,
            grace_min,
        })),
        None => Ok(entry),
    }
}

/// The pass was made with the risk map of its epoch. A pass that lies about it has no proof.
pub(crate) fn risk_map_is_the_epochs(pass: &Pass, registry: &RegistryEntry) -> Result<(), Verdict> {
    let (named, epochs) = (pass.risk_map, RiskMapShortId::of_root(registry.risk_root));
    if named == epochs {
        Ok(())
    } else {
        Err(Verdict::Reject(Reason::RiskMapNotOfEpoch { named, epochs }))
    }
}

/// The moment of supersession, if `as_of` lies at or after the end of its grace time.
fn superseded_beyond(end: Option<Minute>, as_of: Minute, grace_min: u32) -> Option<Minute> {
    end.filter(|end| u64::from(as_of.get()) >= u64::from(end.get()) + u64::from(grace_min))
}

/// Neither home nor holder revoked the pass.
pub(crate) fn is_not_revoked(pass: &Pass, trusted: &TrustList) -> Result<(), Verdict> {
    if trusted.is_revoked(pass.h) {
        Err(Verdict::Reject(Reason::Revoked))
    } else {
        Ok(())
    }
}

/// The showing is of this half minute and answers this gate's challenge; a card alone has neither.
pub(crate) fn moment_is_now(
    showing: &Showing,
    challenge: Option<GateChallenge>,
    gate: &Gate,
    now: UnixTime,
) -> Result<(), Verdict> {
    let Some(moment) = showing.moment() else {
        return Ok(());
    };
    let skew = gate.slot_skew.min(Gate::SLOT_SKEW_LIMIT);
    if moment.slot.distance(now.slot()) > u32::from(skew) {
        return Err(Verdict::Reject(Reason::SlotNotCurrent {
            shown: moment.slot,
            now: now.slot(),
            skew,
        }));
    }
    if moment.challenge != challenge {
        return Err(Verdict::Reject(Reason::ChallengeMismatch));
    }
    Ok(())
}

/// The pass's own key signed the moment.
pub(crate) fn holder_signed(showing: &Showing) -> Result<(), Verdict> {
    if showing.signature_fits() {
        Ok(())
    } else {
        Err(Verdict::Reject(Reason::WrongHolder))
    }
}

/// The gate has not seen this binder in this half minute, and can remember it.
pub(crate) fn is_not_replayed(
    showing: &Showing,
    binder: commitment::Fr,
    memory: &GateMemory,
) -> Result<(), Verdict> {
    let Some(moment) = showing.moment() else {
        return Ok(());
    };
    if memory.holds(moment.slot, binder) {
        return Err(Verdict::Reject(Reason::Replayed(moment.slot)));
    }
    if memory.is_full() {
        return Err(Verdict::Undecided(Why::MemoryFull(crate::MEMORY_LIMIT)));
    }
    Ok(())
}
