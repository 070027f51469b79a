//! The gate's desk with its configuration and its state directory: what is decided is stored.

use gate::{ListAge, Report, Scanned, Setting};
use verifier::trust::{BatchEntry, RevocationBatch};
use verifier::{BatchSeed, GateId, GateMemory, TrustList, UnixTime, Verdict};

use crate::{Config, Error, StateDir};

/// An open gate.
#[derive(Debug)]
pub struct Desk {
    config: Config,
    inner: gate::Desk,
    state: StateDir,
    stored: GateMemory,
}

impl Desk {
    /// Opens the gate of a configuration: takes its state directory, and what is stored there.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::File`], [`Error::StateInUse`], [`Error::StateDamaged`].
    pub fn open(config: Config) -> Result<Self, Error> {
        let setting = config.setting()?;
        let state = StateDir::open(&config.state_dir)?;
        let memory = state.load_memory()?;
        let list = state.load_list(&setting.pinned)?;
        Ok(Self {
            inner: gate::Desk::new(setting, list, memory.clone()),
            stored: memory,
            config,
            state,
        })
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What it is set to.
    pub const fn setting(&self) -> &Setting {
        self.inner.setting()
    }

    /// The gate's name in challenges.
    pub const fn gate_id(&self) -> GateId {
        self.inner.setting().gate_id
    }

    /// The trust list in use, if there is one.
    pub const fn list(&self) -> Option<&TrustList> {
        self.inner.list()
    }

    /// What was decided since the desk opened.
    pub const fn counts(&self) -> gate::Counts {
        self.inner.counts()
    }

    /// Age and numbers of the trust list in use.
    pub fn list_age(&self, now: UnixTime) -> Option<ListAge> {
        self.inner.list_age(now)
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
        let mut candidate = self.inner.consider(bundle, now).map_err(refused)?;
        for entry in candidate.missing().to_vec() {
            if let Some(batch) = batches.iter().find(|batch| batch.entry() == entry) {
                candidate.supply(&batch.to_bytes()).map_err(refused)?;
                self.state.store_batch(batch)?;
            }
        }
        let list = candidate.complete().map_err(refused)?;
        if self.list().is_some_and(|old| old.to_bytes() == bundle) {
            return Ok(false);
        }
        self.state.store_list(&list)?;
        self.inner.use_list(list);
        Ok(true)
    }

    /// The canonical bytes of a batch of revocations that the list in use names.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn batch(&self, entry: &BatchEntry) -> Result<Vec<u8>, Error> {
        self.state.load_batch(entry)
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
        Ok(self.inner.decide(scanned, profile, now)?)
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
        Ok(self.inner.decide_all(scanned, profile, now, seed)?)
    }

    /// What was asked for without a usable challenge: a refusal that never reaches the verifier.
    pub(crate) fn refuse(&mut self, verdict: Verdict, now: UnixTime) -> Report {
        self.inner.refuse(verdict, now)
    }

    /// Stores what the gate remembers, if that changed since it was last stored.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn store_memory(&mut self) -> Result<(), Error> {
        if *self.inner.memory() != self.stored {
            self.state.store_memory(self.inner.memory())?;
            self.stored = self.inner.memory().clone();
        }
        Ok(())
    }
}
