//! Trust list, memory and counts of one gate.

use rules::ProvinceCode;
use verifier::trust::{Candidate, RootKeys};
use verifier::{
    AcceptanceRule, BatchSeed, CardNumber, Gate, GateChallenge, GateId, GateMemory, GateNonce,
    Outcome, Presented, QrText, Showing, Specimens, TrustList, UnixTime, Verdict, Why, verify,
    verify_batch,
};

use crate::report::{ListAge, Report};

/// One scanned code, with what was presented beside it.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The text of the code.
    pub text: String,
    /// The nonce that was shown to this holder, if one was.
    pub nonce: Option<GateNonce>,
    /// The number on the identity card, if one was read.
    pub card: Option<CardNumber>,
}

impl Scanned {
    /// A code with nothing beside it.
    pub const fn plain(text: String) -> Self {
        Self {
            text,
            nonce: None,
            card: None,
        }
    }
}

/// How many codes had which outcome since the desk opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Let pass.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
    /// Could not be checked.
    pub undecided: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Accept => &mut self.accepted,
            Outcome::Reject => &mut self.rejected,
            Outcome::Undecided => &mut self.undecided,
        };
        *count = count.saturating_add(1);
    }
}

/// The trust list names no such profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trust list has no profile of this name")]
pub struct UnknownProfile;

/// What a gate is set to.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The province that it stands in.
    pub place: ProvinceCode,
    /// Its name in challenges.
    pub gate_id: GateId,
    /// The offline keys that are believed from the start.
    pub pinned: RootKeys,
    /// Profile of the trust list that says what is asked for.
    pub profile: Option<String>,
    /// What is asked for where no profile is named; never in production.
    pub own_rule: Option<AcceptanceRule>,
    /// Whether passes under test circuits count.
    pub specimens: Specimens,
    /// Half minutes by which a showing may lie before or behind the gate's clock, at most 10.
    pub slot_skew: u8,
}

/// An open gate.
#[derive(Debug)]
pub struct Desk {
    setting: Setting,
    list: Option<TrustList>,
    memory: GateMemory,
    counts: Counts,
    asks_for_card: bool,
}

impl Desk {
    /// A desk with what was kept of an earlier one.
    pub fn new(setting: Setting, list: Option<TrustList>, memory: GateMemory) -> Self {
        Self {
            setting,
            list,
            memory,
            counts: Counts::default(),
            asks_for_card: false,
        }
    }

    /// Whether from now on an identity card is asked for: then of the rule's kinds of binding only those with a card count.
    pub const fn ask_for_card(&mut self, asks: bool) {
        self.asks_for_card = asks;
    }

    /// What it is set to.
    pub const fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The trust list in use, if there is one.
    pub const fn list(&self) -> Option<&TrustList> {
        self.list.as_ref()
    }

    /// What the gate remembers.
    pub const fn memory(&self) -> &GateMemory {
        &self.memory
    }

    /// What was decided since the desk opened.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Age and numbers of the trust list in use.
    pub fn list_age(&self, now: UnixTime) -> Option<ListAge> {
        self.list.as_ref().map(|list| ListAge::of(list, now))
    }

    /// Judges a bundle against the list in use.
    ///
    /// # Errors
    /// As [`TrustList::consider`]; the last good list stays in use.
    pub fn consider(&self, bundle: &[u8], now: UnixTime) -> Result<Candidate, verifier::Error> {
        TrustList::consider(bundle, self.list.as_ref(), &self.setting.pinned, now)
    }

    /// Uses a list from now on: what [`Desk::consider`] led to.
    pub fn use_list(&mut self, list: TrustList) {
        self.list = Some(list);
    }

    /// The verdict on one code, under a profile of the trust list, or without one the gate's own rule.
    ///
    /// # Errors
    /// [`UnknownProfile`].
    pub fn decide(
        &mut self,
        scanned: &Scanned,
        profile: Option<&str>,
        now: UnixTime,
    ) -> Result<Report, UnknownProfile> {
        let Some(list) = &self.list else {
            return Ok(self.finish(Verdict::Undecided(Why::NoList), now));
        };
        let gate = self.gate(list, profile)?;
        let verdict = match decode(&scanned.text) {
            Err(refused) => refused,
            Ok(showing) => {
                let presented = Presented {
                    showing: &showing,
                    challenge: challenge(self.setting.gate_id, scanned.nonce),
                    card: scanned.card.as_ref(),
                };
                verify(&presented, list, &gate, now, &mut self.memory)
            }
        };
        Ok(self.finish(verdict, now))
    }

    /// The verdicts on several codes under one profile, in their order; their proofs are checked together.
    ///
    /// # Errors
    /// [`UnknownProfile`].
    pub fn decide_all(
        &mut self,
        scanned: &[Scanned],
        profile: Option<&str>,
        now: UnixTime,
        seed: &BatchSeed,
    ) -> Result<Vec<Report>, UnknownProfile> {
        let Some(list) = &self.list else {
            let none = vec![Verdict::Undecided(Why::NoList); scanned.len()];
            return Ok(none.into_iter().map(|v| self.finish(v, now)).collect());
        };
        let gate = self.gate(list, profile)?;
        let decoded: Vec<Result<Showing, Verdict>> =
            scanned.iter().map(|one| decode(&one.text)).collect();
        let presented: Vec<Presented<'_>> = scanned
            .iter()
            .zip(&decoded)
            .filter_map(|(one, showing)| {
                Some(Presented {
                    showing: showing.as_ref().ok()?,
                    challenge: challenge(self.setting.gate_id, one.nonce),
                    card: one.card.as_ref(),
                })
            })
            .collect();
        let mut judged =
            verify_batch(&presented, list, &gate, now, &mut self.memory, seed).into_iter();
        let mut verdicts = Vec::with_capacity(decoded.len());
        for showing in decoded {
            let verdict = match showing {
                Err(refused) => Some(refused),
                Ok(_) => judged.next(),
            };
            verdicts.extend(verdict);
        }
        Ok(verdicts
            .into_iter()
            .map(|verdict| self.finish(verdict, now))
            .collect())
    }

    /// What was asked for without a usable challenge: a refusal that never reaches the verifier.
    pub fn refuse(&mut self, verdict: Verdict, now: UnixTime) -> Report {
        self.finish(verdict, now)
    }

    fn finish(&mut self, verdict: Verdict, now: UnixTime) -> Report {
        self.counts.add(verdict.outcome());
        Report {
            verdict,
            list: self.list_age(now),
            checked_at: now,
        }
    }

    fn gate(&self, list: &TrustList, profile: Option<&str>) -> Result<Gate, UnknownProfile> {
        let named = profile.or(self.setting.profile.as_deref());
        let rule = match (named, self.setting.own_rule) {
            (Some(name), _) => *list.profile(name).ok_or(UnknownProfile)?,
            (None, Some(rule)) => rule,
            (None, None) => return Err(UnknownProfile),
        };
        Ok(Gate {
            place: self.setting.place,
            rule: if self.asks_for_card {
                rule.with_card()
            } else {
                rule
            },
            specimens: self.setting.specimens,
            slot_skew: self.setting.slot_skew,
        })
    }
}

fn decode(text: &str) -> Result<Showing, Verdict> {
    QrText::parse(text)
        .and_then(|text| text.showing())
        .map_err(Verdict::from)
}

fn challenge(gate: GateId, nonce: Option<GateNonce>) -> Option<GateChallenge> {
    nonce.map(|nonce| GateChallenge { gate, nonce })
}
