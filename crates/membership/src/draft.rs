//! The next root document: what follows from the one in force, the plan, and the requests of provinces.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use rules::{ProvinceCode, RuleSet, within};
use verifier::trust::{
    HeadKeys, ProvinceEntry, RootDocument, RootSignature, RuleSetEntry, Sequence, SignedRoot,
};
use verifier::{Slot, UnixTime};

use crate::head_keys::followed;
use crate::{MembershipError, Plan, Request, SignedRequest};

/// Most days for which a root document may hold.
pub const MAX_EXPIRY_DAYS: u32 = 400;
/// Least minutes from a rule set's announcement to its first minute in force, but for emergencies: 48 hours.
pub const NOTICE_MIN: u32 = 2 * 1_440;

/// A root document that follows from the one in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    document: RootDocument,
}

impl Draft {
    /// The root document that follows at `now`: the plan's, with the provinces in force as the requests and the plan
    /// change them.
    ///
    /// # Errors
    /// What is wrong with a request, a rule set or the whole.
    pub fn next(
        plan: &Plan,
        in_force: Option<&RootDocument>,
        requests: &[SignedRequest],
        now: UnixTime,
    ) -> Result<Self, MembershipError> {
        let expires_at = now.get_s() + u64::from(plan.expires_in_days) * 86_400;
        Self::ending_at(plan, in_force, requests, now, UnixTime::from_s(expires_at))
    }

    /// Checks that a document is what follows now from plan and requests, so that whoever signs it has derived it alone.
    /// Only its end is its own: not before now, and not beyond what the plan says.
    ///
    /// # Errors
    /// [`MembershipError::Draft`], and those of [`Draft::next`].
    pub fn check(
        document: &RootDocument,
        plan: &Plan,
        in_force: Option<&RootDocument>,
        requests: &[SignedRequest],
        now: UnixTime,
    ) -> Result<Self, MembershipError> {
        let end = document.expires_at;
        let latest_s = now.get_s() + u64::from(plan.expires_in_days) * 86_400;
        if end <= now || end.get_s() > latest_s {
            return Err(MembershipError::Draft("it ends too early or too late"));
        }
        let own = Self::ending_at(plan, in_force, requests, now, end)?;
        if own.document == *document {
            Ok(own)
        } else {
            Err(MembershipError::Draft(
                "plan and requests at hand give another document",
            ))
        }
    }

    fn ending_at(
        plan: &Plan,
        in_force: Option<&RootDocument>,
        requests: &[SignedRequest],
        now: UnixTime,
        expires_at: UnixTime,
    ) -> Result<Self, MembershipError> {
        check_rule_sets(plan, in_force, now)?;
        let mut rule_sets: Vec<_> = plan.rule_sets.iter().map(RuleSetEntry::of).collect();
        rule_sets.sort_by_key(|entry| entry.short_id);
        let sequence = in_force.map_or(0, |root| root.sequence.get()) + 1;
        let document = RootDocument {
            sequence: Sequence::new(sequence),
            expires_at,
            root_keys: plan.root_keys.clone(),
            grace_min: plan.grace_min,
            provinces: provinces(plan, in_force, requests, now)?,
            circuits: plan.circuits.clone(),
            openings: plan.openings.clone(),
            rule_sets,
            profiles: plan.profiles.clone(),
        };
        document.to_bytes()?; // checks the whole
        Ok(Self { document })
    }

    /// The document.
    pub const fn document(&self) -> &RootDocument {
        &self.document
    }

    /// The document with a root key's signature beside those that it has.
    ///
    /// # Errors
    /// [`MembershipError::NotARootKey`] for a key that neither the document in force nor this one names.
    pub fn sign(
        &self,
        key: &SigningKey,
        in_force: Option<&RootDocument>,
        so_far: Vec<RootSignature>,
    ) -> Result<SignedRoot, MembershipError> {
        let own = key.verifying_key();
        let mut sides = [Some(&self.document), in_force].into_iter().flatten();
        if !sides.any(|side| side.root_keys.keys().contains(&own)) {
            return Err(MembershipError::NotARootKey);
        }
        let signature = key.sign(&self.document.signing_bytes()?).to_bytes();
        let mut signatures = vec![RootSignature {
            key: own,
            signature,
        }];
        signatures.extend(so_far.into_iter().filter(|s| s.key != own));
        Ok(SignedRoot::new(self.document.clone(), signatures))
    }
}

/// The provinces in force, as requests and plan change them; ascending by slot.
fn provinces(
    plan: &Plan,
    in_force: Option<&RootDocument>,
    requests: &[SignedRequest],
    now: UnixTime,
) -> Result<Vec<ProvinceEntry>, MembershipError> {
    let root_keys = in_force.map_or(&plan.root_keys, |root| &root.root_keys);
    let sequence = in_force.map_or(0, |root| root.sequence.get());
    let mut provinces = in_force.map_or_else(Vec::new, |root| root.provinces.clone());
    let mut asked = BTreeSet::new();
    for signed in requests {
        let request = signed.request();
        let slot = request.slot();
        if !asked.insert(slot) {
            return Err(MembershipError::SlotTwice(slot.get()));
        }
        if plan.removed_slots.contains(&slot) {
            return Err(MembershipError::SlotRemoved(slot.get()));
        }
        if *request.federation() != plan.federation {
            return Err(MembershipError::OtherFederation {
                theirs: request.federation().as_str().to_owned(),
                ours: plan.federation.as_str().to_owned(),
            });
        }
        match request {
            Request::Join(join) => {
                join.invitation.check(&plan.federation, root_keys, now)?;
                if let Some(holder) = provinces.iter().find(|e| e.slot == slot)
                    && holder.province != request.province()
                {
                    return Err(MembershipError::SlotTaken {
                        slot: slot.get(),
                        taken_by: holder.province.get(),
                    });
                }
                provinces.retain(|entry| entry.slot != slot);
                provinces.push(ProvinceEntry {
                    province: request.province(),
                    slot,
                    head_keys: HeadKeys::single(join.head_key),
                });
            }
            Request::Rotate {
                root_sequence,
                old,
                new,
                from,
                ..
            } => {
                check_root(*root_sequence, sequence)?;
                let entry = member(&mut provinces, slot, request.province(), old, now)?;
                entry.head_keys = followed(&entry.head_keys, *new, *from, now.minute())?;
            }
            Request::Leave {
                root_sequence, key, ..
            } => {
                check_root(*root_sequence, sequence)?;
                member(&mut provinces, slot, request.province(), key, now)?;
                provinces.retain(|entry| entry.slot != slot);
            }
        }
    }
    provinces.retain(|entry| !plan.removed_slots.contains(&entry.slot));
    provinces.sort_by_key(|entry| entry.slot);
    Ok(provinces)
}

fn check_root(asked: u64, in_force: u64) -> Result<(), MembershipError> {
    if asked == in_force {
        Ok(())
    } else {
        Err(MembershipError::OtherRoot { asked, in_force })
    }
}

fn member<'a>(
    provinces: &'a mut [ProvinceEntry],
    slot: Slot,
    province: ProvinceCode,
    key: &ed25519_dalek::VerifyingKey,
    now: UnixTime,
) -> Result<&'a mut ProvinceEntry, MembershipError> {
    let found = provinces.iter_mut().find(|entry| {
        let in_force = entry.head_keys.at(now.minute());
        entry.slot == slot && entry.province == province && in_force == Some(key)
    });
    found.ok_or(MembershipError::NotAMember {
        slot: slot.get(),
        province: province.get(),
    })
}

/// Whether the plan's rule sets may follow those in force at `now`.
fn check_rule_sets(
    plan: &Plan,
    in_force: Option<&RootDocument>,
    now: UnixTime,
) -> Result<(), MembershipError> {
    let now = now.minute();
    let refuse = |id: &str, what: String| {
        Err(MembershipError::RuleSet {
            id: id.to_owned(),
            what,
        })
    };
    let mut seen = BTreeSet::new();
    for set in &plan.rule_sets {
        let id = set.id().as_str();
        if !seen.insert((id, set.version())) {
            return refuse(id, format!("version {} stands twice", set.version()));
        }
        check_bounds(plan, set)?;
        check_alone(plan, set)?;
        // What a federation is founded with may be in force already.
        if let Some(root) = in_force {
            check_notice(root, set, now)?;
        }
    }
    // What was promised with the document in force holds, whatever the plan says now.
    let grace_min = in_force
        .map_or(0, |root| root.grace_min)
        .max(plan.grace_min);
    for entry in in_force.map_or(&[][..], |root| &root.rule_sets) {
        let goes_on = plan.rule_sets.iter().any(|set| {
            let own = RuleSetEntry::of(set);
            let is_same = own.name == entry.name && own.digest == entry.digest;
            is_same && own.valid_from == entry.valid_from
        });
        let end = entry.superseded_at.unwrap_or(rules::Minute::MAX);
        let served_until = end.saturating_add_signed(i64::from(grace_min));
        if !goes_on && entry.valid_from <= now && now < served_until {
            let what = format!(
                "in force, with the grace time until minute {}: it may not be left out",
                served_until.get()
            );
            return refuse(&entry.name, what);
        }
    }
    Ok(())
}

/// A rule set that the document in force does not have in this form has a version above those that it has, and is announced 48
/// hours ahead; so is another end of one in force.
fn check_notice(
    root: &RootDocument,
    set: &RuleSet,
    now: rules::Minute,
) -> Result<(), MembershipError> {
    let own = RuleSetEntry::of(set);
    if root.rule_sets.contains(&own) {
        return Ok(());
    }
    let refuse = |what: String| {
        Err(MembershipError::RuleSet {
            id: own.name.clone(),
            what,
        })
    };
    let named = root.rule_sets.iter().filter(|entry| entry.name == own.name);
    let newest = named.clone().map(|entry| entry.version).max().unwrap_or(0);
    if own.version <= newest {
        return refuse(format!(
            "version {} is changed or old: in force or announced is version {newest}, and versions rise",
            own.version
        ));
    }
    let validity = set.validity();
    let earliest = now.saturating_add_signed(i64::from(NOTICE_MIN));
    let goes_on = |entry: &&RuleSetEntry| {
        entry.digest == own.digest && entry.valid_from == own.valid_from && entry.valid_from <= now
    };
    let (what, minute) = if named.clone().any(|entry| goes_on(&entry)) {
        ("out of force", validity.until)
    } else {
        ("in force", validity.from)
    };
    if minute < earliest && !validity.emergency {
        return refuse(format!(
            "{what} from minute {}, less than 48 hours from now ({}), and no emergency",
            minute.get(),
            now.get()
        ));
    }
    if validity.until <= now {
        return refuse("ended already".to_owned());
    }
    Ok(())
}

/// Of one province, or of the nation, one rule set is in force at a time: two that differ in one row would tell, of whoever is
/// asked under both, whether that row counts.
fn check_alone(plan: &Plan, set: &RuleSet) -> Result<(), MembershipError> {
    let own = set.validity();
    let meets = |other: &&RuleSet| {
        let theirs = other.validity();
        let is_same = (other.id(), other.version()) == (set.id(), set.version());
        let is_later = own.from < theirs.until && theirs.from < own.until;
        other.province() == set.province() && !is_same && is_later
    };
    match plan.rule_sets.iter().find(meets) {
        Some(other) => Err(MembershipError::RuleSet {
            id: set.id().as_str().to_owned(),
            what: format!(
                "in force together with {} version {}, of the same province: let one end where the other begins",
                other.id().as_str(),
                other.version()
            ),
        }),
        None => Ok(()),
    }
}

/// A province's rule set lies within what the nation's admit, as long as both are in force.
fn check_bounds(plan: &Plan, set: &RuleSet) -> Result<(), MembershipError> {
    if set.province() == ProvinceCode::NATION {
        return Ok(());
    }
    for nation in &plan.rule_sets {
        let (own, theirs) = (set.validity(), nation.validity());
        let meet = own.from < theirs.until && theirs.from < own.until;
        if nation.bounds().is_none() || !meet {
            continue;
        }
        if let Some(outside) = within(nation, set).first() {
            return Err(MembershipError::RuleSet {
                id: set.id().as_str().to_owned(),
                what: format!("outside of {}: {outside}", nation.id().as_str()),
            });
        }
    }
    Ok(())
}
