//! Whether an opened sample is the one that the cosignatures draw, and whether its records are what sources signed.

use std::collections::HashMap;

use commitment::{
    Blinding, Fr, IdentityCommitment, RiskTree, fr_from_bytes, record_leaf, rule_digest,
};
use ledger::log::SourceEntitlement;
use ledger::sample::{Drawn, SampleSeed, passed_over};
use ledger::{CosignedStatement, RegistryStatement, Roster, RuleSetsDigest, Slot, TreeHead};
use risk_list::{FactTable, MapOptions};
use rules::intake::check_known;
use rules::{Context, Event, EventError, IdentityNumber, Minute, RiskMap, RowTable, RuleSet};
use serde::Serialize;
use wire::{LeafContent, OpenedLeaf, OpenedSample, ShownSample};

use super::evidence::Witnesses;
use super::finding::{EventFault, Finding};
use super::record::{Counted, compare};

/// Fewest days that a node keeps events for: below it a record shows nothing. Three weeks are the longest that a rule set of record
/// has looked back.
const HORIZON_MIN_DAYS: u32 = 21;

/// Records are kept until the next registry; so much later than the closing, minutes, the auditor's clock counts at most. One that is far
/// ahead would excuse all that a record has without an event.
const AGE_MAX_MIN: i64 = 7 * 1_440;

/// What a sample is held against; the auditor has it from elsewhere than the node.
pub struct Believed {
    /// The federation's members.
    pub roster: Roster,
    /// The slot of the node.
    pub slot: Slot,
    /// The rule sets that the root document names.
    pub rule_sets: Vec<RuleSet>,
    /// The grace time after a rule set's end, minutes.
    pub grace_min: u32,
    /// The listed places, as they were published; none where nothing is listed.
    pub places: Option<FactTable>,
    /// What the node's log tells of sources; none where it is not at hand.
    pub log: Option<Vec<SourceEntitlement>>,
    /// The registries that the node's log tells of, with the cosignatures that it took them up with; none where it is not at
    /// hand.
    pub registries: Vec<CosignedStatement>,
}

/// Why a sample cannot be judged: what is believed is not what the registry rests on. That is nobody's finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unjudged {
    /// Other rule sets than those of the head.
    #[error("the rule sets at hand are not those that the tree head was made for")]
    RuleSets,
    /// Another risk map than that of the registry.
    #[error("the risk map of the lists at hand is not the registry's")]
    RiskMap,
    /// Lists that give no risk map.
    #[error("the lists at hand give no risk map: {0}")]
    Lists(String),
}

/// What became of a sample.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// The registry's epoch.
    pub epoch: u32,
    /// Its closing minute.
    pub as_of: Minute,
    /// When the records were committed.
    pub head_time: Option<Minute>,
    /// Leaves that the head tells of.
    pub leaf_count: Option<u32>,
    /// Slots of provinces whose cosignatures would have drawn, that were there, and that did not cosign.
    pub passed_over: Vec<u8>,
    /// The places drawn, in their order.
    pub places: Vec<Place>,
    /// What contradicts.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// A drawn place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The place.
    pub place: u32,
    /// What was found there.
    pub state: State,
}

/// What was found in a drawn place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum State {
    /// No leaf.
    Empty,
    /// A leaf whose resident the node says to have erased since.
    Erased,
    /// A leaf that was not shown.
    NotShown,
    /// A leaf that was opened.
    Opened {
        /// Events shown.
        events: usize,
        /// Events that the node says came too late for this record.
        late: usize,
        /// Grounds that left the record, by the rules.
        left: usize,
        /// Declared stays that gave way in a full record.
        yielded: usize,
    },
}

impl Judgement {
    /// Whether a drawn leaf was said to be erased, so that nothing is known of it.
    pub fn has_erased(&self) -> bool {
        self.places.iter().any(|place| place.state == State::Erased)
    }
}

/// Judges a sample.
///
/// # Errors
/// [`Unjudged`] where the auditor's own rule sets or lists are not those of the registry.
pub fn judge(shown: &ShownSample, believed: &Believed) -> Result<Judgement, Unjudged> {
    let registry = &shown.sample.registry;
    let statement = registry.cosigned.statement();
    let mut judgement = Judgement {
        epoch: statement.epoch().get(),
        as_of: statement.as_of(),
        head_time: None,
        leaf_count: None,
        passed_over: Vec::new(),
        places: Vec::new(),
        findings: Vec::new(),
    };
    // Also where the draw is wrong: whoever was left away may be why.
    if registry.cosigned.check_quorum(&believed.roster).is_ok() {
        let passed = passed_over(
            &registry.cosigned,
            &registry.heads,
            believed.slot,
            &believed.roster,
        );
        let passed = passed.unwrap_or_default().into_iter();
        judgement.passed_over = passed.map(Slot::get).collect();
    }
    let (head, drawn) = match drawn(&shown.sample, believed) {
        Ok(found) => found,
        Err(finding) => {
            judgement.findings.push(finding);
            return Ok(judgement);
        }
    };
    judgement.head_time = Some(head.head_time);
    judgement.leaf_count = Some(head.leaf_count);
    let horizon_days = shown.sample.horizon_days;
    if horizon_days < HORIZON_MIN_DAYS {
        judgement.findings.push(Finding::Horizon {
            days: horizon_days,
            least: HORIZON_MIN_DAYS,
        });
    }
    let tables = believed.can_compute(&head, statement)?;
    let map = believed.map_at(head.head_time)?;
    let latest = shown
        .at
        .min(statement.as_of().saturating_add_signed(AGE_MAX_MIN));
    let kept_min = i64::from(horizon_days.min(10_000)) * 1_440;
    let bench = Bench {
        context: Context {
            tables: &tables,
            map: &map,
        },
        witnesses: Witnesses {
            home: head.province,
            log: believed.log.as_deref(),
        },
        at: head.head_time,
        kept_since: latest.saturating_add_signed(-kept_min),
    };
    let mut people = HashMap::new();
    for Drawn { place, leaf } in drawn {
        let place = place.get();
        let state = match (leaf, shown.leaves.get(&place)) {
            (None, _) => State::Empty,
            (Some(_), None) => {
                judgement.findings.push(Finding::NotShown(place));
                State::NotShown
            }
            (Some(leaf), Some(opened)) => {
                let person = opened.content.as_ref().map(|content| content.resident);
                note_person(&mut people, person, place, &mut judgement.findings);
                bench.judge(place, leaf, opened, &mut judgement.findings)
            }
        };
        judgement.places.push(Place { place, state });
    }
    Ok(judgement)
}

/// Whether the leaves of a sample are to be opened: not where its registry or its draw is wrong already.
///
/// # Errors
/// [`Unjudged`], as [`judge`] would give it: nobody's record is opened for what cannot be judged.
pub fn opens(sample: &OpenedSample, believed: &Believed) -> Result<bool, Unjudged> {
    let Ok((head, _)) = drawn(sample, believed) else {
        return Ok(false);
    };
    believed.can_compute(&head, sample.registry.cosigned.statement())?;
    Ok(true)
}

/// One person has one leaf.
fn note_person(
    people: &mut HashMap<IdentityNumber, u32>,
    person: Option<IdentityNumber>,
    place: u32,
    findings: &mut Vec<Finding>,
) {
    let Some(person) = person else { return };
    if let Some(first) = people.insert(person, place) {
        findings.push(Finding::SecondLeaf {
            first,
            second: place,
        });
    }
}

/// The node's head in the registry, and the places that are drawn from it.
fn drawn(sample: &OpenedSample, believed: &Believed) -> Result<(TreeHead, Vec<Drawn>), Finding> {
    let registry = &sample.registry;
    let roster = &believed.roster;
    let cosigned = &registry.cosigned;
    cosigned.check_quorum(roster).map_err(Finding::Registry)?;
    let statement = cosigned.statement();
    let checked = statement.check_heads(&registry.heads, roster);
    checked.map_err(Finding::Registry)?;
    let mut heads = registry.heads.iter();
    let head = heads.find(|signed| signed.head.slot == believed.slot);
    let head = head.ok_or(Finding::NoHead)?.head;
    let seed = SampleSeed::new(cosigned, believed.slot, roster).map_err(Finding::NoSeed)?;
    let mut told = believed.registries.iter();
    let told = told.find(|told| told.statement().epoch() == statement.epoch());
    if let Some(told) = told {
        if told.statement() != statement {
            return Err(Finding::OtherRegistry);
        }
        if SampleSeed::new(told, believed.slot, roster).ok() != Some(seed) {
            return Err(Finding::OtherDraw);
        }
    }
    let drawn = sample.ways.check(&head, seed)?;
    Ok((head, drawn))
}

impl Believed {
    /// The row tables of a head, where rule sets and lists are those of its registry.
    fn can_compute(
        &self,
        head: &TreeHead,
        statement: &RegistryStatement,
    ) -> Result<Vec<RowTable>, Unjudged> {
        let tables = self.tables(head)?;
        if self.root_at(statement.as_of())? != statement.risk_root() {
            return Err(Unjudged::RiskMap);
        }
        Ok(tables)
    }

    /// The row tables that a head's records were made for.
    fn tables(&self, head: &TreeHead) -> Result<Vec<RowTable>, Unjudged> {
        let at = head.head_time;
        let counting = self.rule_sets.iter().filter(|set| {
            let validity = set.validity();
            let end = validity.until.saturating_add_signed(self.grace_min.into());
            validity.announced <= at && at < end
        });
        let tables: Vec<RowTable> = counting.map(|set| set.table().clone()).collect();
        let digests: Vec<Fr> = tables.iter().map(rule_digest).collect();
        if RuleSetsDigest::of(&digests) == head.rule_sets {
            Ok(tables)
        } else {
            Err(Unjudged::RuleSets)
        }
    }

    fn map_at(&self, at: Minute) -> Result<RiskMap, Unjudged> {
        let Some(places) = &self.places else {
            return Ok(RiskMap::empty());
        };
        let options = MapOptions {
            known_at: Some(at),
            horizon: Minute::ZERO,
        };
        let built = places.risk_map(options);
        Ok(built
            .map_err(|error| Unjudged::Lists(error.to_string()))?
            .map)
    }

    fn root_at(&self, at: Minute) -> Result<Fr, Unjudged> {
        Ok(RiskTree::new(&self.map_at(at)?).root())
    }
}

/// Where leaves are judged.
struct Bench<'a> {
    context: Context<'a>,
    witnesses: Witnesses<'a>,
    /// When the records were committed.
    at: Minute,
    /// What lies before may rest on events that have left.
    kept_since: Minute,
}

impl Bench<'_> {
    fn judge(
        &self,
        place: u32,
        leaf: Fr,
        opened: &OpenedLeaf,
        findings: &mut Vec<Finding>,
    ) -> State {
        let Some(content) = &opened.content else {
            return State::Erased;
        };
        if leaf_of(content) != Some(leaf) {
            findings.push(Finding::OtherLeaf(place));
        }
        if usize::try_from(opened.events_total) != Ok(opened.events.len()) {
            findings.push(Finding::EventCount {
                place,
                shown: opened.events.len(),
                told: opened.events_total,
            });
        }
        let counted = self.events(place, content, opened, findings);
        let (at, kept_since) = (self.at, self.kept_since);
        let compared = compare(&content.record, &counted, &self.context, at, kept_since);
        let (mut late, mut left, mut yielded) = (0, 0, 0);
        match compared {
            None => findings.push(Finding::NoRecord(place)),
            Some(compared) => {
                let left_out = compared.left_out.into_iter();
                findings.extend(left_out.map(|(part, count)| Finding::LeftOut {
                    place,
                    part,
                    count,
                }));
                let unstated = compared.unstated.into_iter();
                findings.extend(unstated.map(|(part, count)| Finding::Unstated {
                    place,
                    part,
                    count,
                }));
                (late, left, yielded) = (compared.late, compared.left, compared.yielded);
            }
        }
        State::Opened {
            events: opened.events.len(),
            late,
            left,
            yielded,
        }
    }

    /// The events that were stated as they are shown; the others are findings, and count for nothing.
    fn events(
        &self,
        place: u32,
        content: &LeafContent,
        opened: &OpenedLeaf,
        findings: &mut Vec<Finding>,
    ) -> Vec<Counted> {
        let mut known: Vec<Event> = Vec::new();
        let mut counted = Vec::new();
        for (number, opened) in opened.events.iter().enumerate() {
            let event = opened
                .event()
                .map_err(|error| EventFault::NotAnEvent(error.code()));
            let checked = event.and_then(|event| {
                if event.subject != content.resident {
                    return Err(EventFault::OtherPerson);
                }
                self.witnesses.check(&event, opened, &known)?;
                match check_known(&event, &known) {
                    // What it speaks of may have left: then it ends or voids nothing.
                    Ok(()) | Err(EventError::UnknownTarget) => Ok(event),
                    Err(error) => Err(EventFault::Inadmissible(error.code())),
                }
            });
            match checked {
                Ok(event) => {
                    known.push(event);
                    counted.push(Counted {
                        event,
                        received_at: opened.received_at,
                    });
                }
                Err(why) => findings.push(Finding::Event { place, number, why }),
            }
        }
        counted
    }
}

/// The leaf that an opening gives; none where salt or blinding are no field elements.
fn leaf_of(content: &LeafContent) -> Option<Fr> {
    let salt = fr_from_bytes(&content.salt).ok()?;
    let blinding = Blinding(fr_from_bytes(&content.blinding).ok()?);
    let identity = IdentityCommitment::new(content.resident.expose(), salt);
    Some(record_leaf(&content.record, identity, blinding))
}
