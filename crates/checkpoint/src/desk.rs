//! The gate's desk: configuration, trust list and memory together, and the one place where a verdict is asked for.

use rules::ProvinceCode;
use verifier::trust::{RevocationBatch, RootKeys};
use verifier::{
    AcceptanceRule, BatchSeed, CardNumber, Gate, GateChallenge, GateId, GateMemory, GateNonce,
    Outcome, Presented, QrText, Showing, TrustList, UnixTime, Verdict, Why, verify, verify_batch,
};

use crate::report::{ListAge, Report};
use crate::{Config, Error, StateDir};

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

/// An open gate.
#[derive(Debug)]
pub struct Desk {
    config: Config,
    gate_id: GateId,
    pinned: RootKeys,
    own_rule: Option<AcceptanceRule>,
    state: StateDir,
    list: Option<TrustList>,
    memory: GateMemory,
    stored: GateMemory,
    counts: Counts,
}

impl Desk {
    /// Opens the gate of a configuration: takes its state directory, and what is stored there.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::File`], [`Error::StateInUse`], [`Error::StateDamaged`].
    pub fn open(config: Config) -> Result<Self, Error> {
        let pinned = config.trust.pinned()?;
        let state = StateDir::open(&config.state_dir)?;
        let memory = state.load_memory()?;
        Ok(Self {
            gate_id: config.gate()?,
            own_rule: config.own_rule()?,
            list: state.load_list(&pinned)?,
            stored: memory.clone(),
            memory,
            counts: Counts::default(),
            config,
            pinned,
            state,
        })
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The gate's name in challenges.
    pub const fn gate_id(&self) -> GateId {
        self.gate_id
    }

    /// The trust list in use, if there is one.
    pub const fn list(&self) -> Option<&TrustList> {
        self.list.as_ref()
    }

    /// What was decided since the desk opened.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Where it stands.
    pub const fn province(&self) -> ProvinceCode {
        self.config.province
    }

    /// Age and numbers of the trust list in use.
    pub fn list_age(&self, now: UnixTime) -> Option<ListAge> {
        self.list.as_ref().map(|list| ListAge::of(list, now))
    }

    /// Takes a trust list after checking it against the one in use, and stores it before using it. False if it is the
    /// one in use.
    ///
    /// # Errors
    /// The verifier's [`verifier::Error`] as text in [`Error::NotRefreshed`], or [`Error::File`]; the last good list
    /// stays in use.
    pub fn take_list(&mut self, bundle: &[u8], now: UnixTime) -> Result<bool, Error> {
        self.take_list_with(bundle, &[], now)
    }

    /// The same with the batches of revocations that the list names and the one in use does not; others are let be.
    ///
    /// # Errors
    /// As [`Desk::take_list`].
    pub fn take_list_with(
        &mut self,
        bundle: &[u8],
        batches: &[RevocationBatch],
        now: UnixTime,
    ) -> Result<bool, Error> {
        let refused = |error: verifier::Error| Error::NotRefreshed(error.to_string());
        let mut candidate =
            TrustList::consider(bundle, self.list.as_ref(), &self.pinned, now).map_err(refused)?;
        for entry in candidate.missing().to_vec() {
            if let Some(batch) = batches.iter().find(|batch| batch.entry() == entry) {
                candidate.supply(&batch.to_bytes()).map_err(refused)?;
                self.state.store_batch(batch)?;
            }
        }
        let list = candidate.complete().map_err(refused)?;
        if self
            .list
            .as_ref()
            .is_some_and(|old| old.to_bytes() == bundle)
        {
            return Ok(false);
        }
        self.state.store_list(&list)?;
        self.list = Some(list);
        Ok(true)
    }

    /// The verdict on one code, under a profile of the trust list, or without one the gate's own rule.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`].
    pub fn decide(
        &mut self,
        scanned: &Scanned,
        profile: Option<&str>,
        now: UnixTime,
    ) -> Result<Report, Error> {
        let Some(list) = &self.list else {
            return Ok(self.finish(Verdict::Undecided(Why::NoList), now));
        };
        let gate = self.gate(list, profile)?;
        let verdict = match decode(&scanned.text) {
            Err(refused) => refused,
            Ok(showing) => {
                let presented = Presented {
                    showing: &showing,
                    challenge: challenge(self.gate_id, scanned.nonce),
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
    /// [`Error::UnknownProfile`].
    pub fn decide_all(
        &mut self,
        scanned: &[Scanned],
        profile: Option<&str>,
        now: UnixTime,
        seed: &BatchSeed,
    ) -> Result<Vec<Report>, Error> {
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
                    challenge: challenge(self.gate_id, one.nonce),
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

    /// Stores what the gate remembers, if that changed since it was last stored.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn store_memory(&mut self) -> Result<(), Error> {
        if self.memory != self.stored {
            self.state.store_memory(&self.memory)?;
            self.stored = self.memory.clone();
        }
        Ok(())
    }

    /// What was asked for without a usable challenge: a refusal that never reaches the verifier.
    pub(crate) fn refuse(&mut self, verdict: Verdict, now: UnixTime) -> Report {
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

    fn gate(&self, list: &TrustList, profile: Option<&str>) -> Result<Gate, Error> {
        let named = profile.or(self.config.profile.as_deref());
        let rule = match (named, self.own_rule) {
            (Some(name), _) => *list.profile(name).ok_or(Error::UnknownProfile)?,
            (None, Some(rule)) => rule,
            (None, None) => return Err(Error::UnknownProfile),
        };
        Ok(self.config.gate_with(rule))
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
