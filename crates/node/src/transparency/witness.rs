//! The node as a witness of the other provinces' logs, and what it keeps against them.

use std::sync::PoisonError;

use commitment::Slot;
use ledger::log::{
    AddCheckpoint, Evidence, LogError, LogHash, LogSigner, NoteKey, SignedCheckpoint,
    SignedLogKeys, WitnessState,
};
use rules::ProvinceCode;
use wire::{CheckpointOffer, Reason, WitnessAnswer};

use super::book::{fault, stored_keys};
use super::forked::{evidence_keys, is_forked, put_evidence};
use crate::store::{LogEvidenceRow, StoreError, Table, Vault, WitnessedRow, WriteSet};
use crate::{Node, NodeError};

/// What was cosigned of a log, read.
pub(super) struct Witnessed {
    pub(super) state: WitnessState,
    pub(super) checkpoint: SignedCheckpoint,
    pub(super) keys: SignedLogKeys,
}

impl Witnessed {
    /// What a store says was cosigned last of a log.
    pub(super) fn stored(vault: &Vault, slot: Slot) -> Result<Option<Self>, NodeError> {
        let row: Option<WitnessedRow> = vault.get(Table::Witnessed, &[slot.get()])?;
        let read = row.as_ref().map(Self::read).transpose();
        read.map_err(|_| NodeError::Store(StoreError::Damaged(Table::Witnessed)))
    }

    fn read(row: &WitnessedRow) -> Result<Self, LogError> {
        Ok(Self {
            state: WitnessState::from_bytes(&row.state)?,
            checkpoint: SignedCheckpoint::from_bytes(&row.checkpoint)?,
            keys: SignedLogKeys::from_bytes(&row.keys)?,
        })
    }

    /// The cosignature once more; none if the tree is not the one cosigned.
    pub(super) fn again(&self, name: &NoteKey, signer: &LogSigner, at_s: u64) -> Option<Vec<u8>> {
        let log = NoteKey::log(self.checkpoint.origin(), self.keys.keys.log).ok()?;
        let same = AddCheckpoint {
            old_size: self.state.size(),
            proof: Vec::new(),
            checkpoint: self.checkpoint.clone(),
        };
        let permit = self.state.consider(&same, &log).ok()?;
        Some(permit.sign(name, signer, at_s))
    }
}

impl Node {
    /// Whether a checkpoint of the log of province `from` is one that this node would cosign: then its entries are worth
    /// reading.
    pub(crate) fn would_witness(&self, from: ProvinceCode, offer: &CheckpointOffer) -> bool {
        let CheckpointOffer { keys, request } = offer;
        let slot = keys.keys.slot;
        if keys.keys.province != from || slot == self.slot {
            return false;
        }
        let Ok(known) = stored_keys(&self.vault, slot) else {
            return false;
        };
        let log = keys
            .check_told(&self.charter().roster, known.as_ref(), self.clock.now())
            .and_then(|()| keys.keys.log_key(self.federation.as_str()));
        let last = self.last_witnessed(slot);
        let (Ok(log), Ok(last), Ok(false)) = (log, last, is_forked(&self.vault, keys)) else {
            return false;
        };
        let state = last.map_or(WitnessState::default(), |last| last.state);
        state.consider(request, &log).is_ok()
    }

    /// Cosigns a checkpoint of the log of province `from`, if it extends the one cosigned last; that is checked and stored
    /// as one, before the signature exists. With another old size than the one known, the answer is the size known.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`] for another province's log or the own; [`Reason::CheckpointRefused`] for keys or a checkpoint that are
    /// not the log's, or that do not extend: the latter is kept. The same for a log that was found with two histories after this
    /// node was put back, until it has log keys of a higher number.
    pub fn witness(
        &self,
        from: ProvinceCode,
        offer: &CheckpointOffer,
    ) -> Result<WitnessAnswer, NodeError> {
        let CheckpointOffer { keys, request } = offer;
        let slot = keys.keys.slot;
        if keys.keys.province != from || slot == self.slot {
            return Err(NodeError::Refused(Reason::RoleRefused));
        }
        let _held = self
            .witnessing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known_keys = stored_keys(&self.vault, slot)?;
        let log = keys
            .check_told(
                &self.charter().roster,
                known_keys.as_ref(),
                self.clock.now(),
            )
            .and_then(|()| keys.keys.log_key(self.federation.as_str()))
            .map_err(|error| self.refused(from, &error))?;
        if is_forked(&self.vault, keys)? {
            let why =
                "its log has two histories, and it is not known which of them this node cosigned";
            return Err(self.refused(from, &why));
        }
        let last = self.last_witnessed(slot)?;
        let state = last.as_ref().map_or(WitnessState::default(), |l| l.state);
        let own_keys = self.own_log_keys()?;
        let answer = |cosignature, size| WitnessAnswer {
            keys: own_keys,
            cosignature,
            size,
        };
        match state.consider(request, &log) {
            Ok(permit) => {
                let size = permit.next_state().size();
                self.settle_mirror(slot, &request.checkpoint)?;
                let row = WitnessedRow {
                    state: permit.next_state().to_bytes(),
                    checkpoint: request.checkpoint.to_bytes().to_vec(),
                    keys: keys.to_bytes(),
                };
                let mut write = self.vault.write();
                write.put(Table::Witnessed, &[slot.get()], &row);
                write.put(Table::LogKeys, &[slot.get()], &keys.to_bytes());
                write.commit()?;
                let at_s = u64::from(self.clock.now().get()) * 60;
                let line = permit.sign(&self.log_names.witness, &self.log_signer, at_s);
                Ok(answer(Some(line), size))
            }
            Err(error) => {
                let is_shown = match &last {
                    Some(last) => self.keep_refused(last, keys, request, &error)?,
                    None => false,
                };
                match error {
                    LogError::OldSize { known, .. } if !is_shown => Ok(answer(None, known)),
                    error => Err(self.refused(from, &error)),
                }
            }
        }
    }

    fn refused(&self, from: ProvinceCode, error: &dyn std::fmt::Display) -> NodeError {
        let province = from.get();
        tracing::error!(province, %error, "a checkpoint of another province's log is refused");
        self.metrics.checkpoint_refused();
        NodeError::Refused(Reason::CheckpointRefused)
    }

    /// Keeps a refused checkpoint that its log signed, if it contradicts the one cosigned or was not shown to extend it;
    /// says whether it contradicts it.
    fn keep_refused(
        &self,
        last: &Witnessed,
        keys: &SignedLogKeys,
        request: &AddCheckpoint,
        error: &LogError,
    ) -> Result<bool, NodeError> {
        let all_keys = [last.keys, *keys];
        let evidence = Evidence::of(&last.checkpoint, request);
        let is_shown = evidence.check(&self.log_keys_of(&all_keys)?).is_ok();
        if !is_shown && !matches!(error, LogError::Inconsistent { .. }) {
            return Ok(false);
        }
        let mut write = self.vault.write();
        let of = (keys.keys.slot, is_shown);
        let at = self.clock.now();
        put_evidence((&self.vault, &mut write), of, &evidence, &all_keys, at)?;
        write.commit()?;
        Ok(is_shown)
    }

    fn log_keys_of(&self, keys: &[SignedLogKeys]) -> Result<Vec<NoteKey>, NodeError> {
        let federation = self.federation.as_str();
        let read = keys.iter().map(|keys| keys.keys.log_key(federation));
        read.collect::<Result<_, _>>()
            .map_err(|_| fault("a federation whose name makes no origin"))
    }

    /// How many refused checkpoints are kept.
    pub(crate) fn evidence_kept(&self) -> usize {
        evidence_keys(&self.vault, b"").map_or(0, |keys| keys.len())
    }

    /// The refused checkpoints that are kept, each with the keys of its log.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn evidence(&self) -> Result<Vec<(Evidence, Vec<NoteKey>)>, NodeError> {
        let mut all = Vec::new();
        for key in evidence_keys(&self.vault, b"")? {
            let damaged = || NodeError::Store(StoreError::Damaged(Table::LogEvidence));
            let row: Option<LogEvidenceRow> = self.vault.get_large(Table::LogEvidence, &key)?;
            let row = row.ok_or_else(damaged)?;
            all.push(self.read_evidence(&row).map_err(|_| damaged())?);
        }
        Ok(all)
    }

    fn read_evidence(&self, row: &LogEvidenceRow) -> Result<(Evidence, Vec<NoteKey>), LogError> {
        let evidence = Evidence {
            first: SignedCheckpoint::from_bytes(&row.first)?,
            second: SignedCheckpoint::from_bytes(&row.second)?,
            proof: row.proof.iter().map(|hash| LogHash(*hash)).collect(),
            prefix_root: LogHash(row.prefix_root),
        };
        let mut keys: Vec<NoteKey> = Vec::new();
        for bytes in &row.keys {
            let key = SignedLogKeys::from_bytes(bytes)?;
            let key = key.keys.log_key(self.federation.as_str())?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok((evidence, keys))
    }

    /// What this node asks a witness that has cosigned `old_size` entries of its log.
    pub(super) fn checkpoint_offer(&self, old_size: u64) -> Result<CheckpointOffer, NodeError> {
        let checkpoint = self
            .checkpoint()
            .ok_or(fault("a log without a checkpoint"))?;
        if old_size > checkpoint.size() {
            let own = checkpoint.size();
            tracing::error!(
                old_size,
                own,
                "a witness has cosigned more of this node's log than there is: its store is older than what it signed"
            );
            return Err(NodeError::Refused(Reason::CheckpointRefused));
        }
        Ok(CheckpointOffer {
            keys: self.own_log_keys()?,
            request: AddCheckpoint {
                old_size,
                proof: self.log_consistency(old_size, checkpoint.size())?,
                checkpoint,
            },
        })
    }

    /// Takes a witness's answer to an offer; its cosignature, where it gave one, goes under the newest checkpoint.
    pub(super) fn take_answer(
        &self,
        from: ProvinceCode,
        offer: &CheckpointOffer,
        answer: &WitnessAnswer,
    ) -> Result<(), NodeError> {
        let refused = |error: LogError| {
            tracing::warn!(province = from.get(), %error, "a witness's answer does not fit");
            NodeError::Refused(Reason::CheckpointRefused)
        };
        let slot = answer.keys.keys.slot;
        if answer.keys.keys.province != from || slot == self.slot {
            return Err(refused(LogError::Malformed("another province's keys")));
        }
        let known = stored_keys(&self.vault, slot)?;
        answer
            .keys
            .check_told(&self.charter().roster, known.as_ref(), self.clock.now())
            .map_err(refused)?;
        if known != Some(answer.keys) {
            let mut write: WriteSet<'_> = self.vault.write();
            write.put(Table::LogKeys, &[slot.get()], &answer.keys.to_bytes());
            write.commit()?;
        }
        let Some(line) = &answer.cosignature else {
            return Ok(());
        };
        let federation = self.federation.as_str();
        let witness = answer.keys.keys.witness_key(federation).map_err(refused)?;
        self.add_cosignature(&offer.request.checkpoint, line, &witness)
            .map_err(refused)
    }

    /// The keys of the other slots as witnesses, as far as they are known, by province.
    fn witnesses(&self) -> Result<Vec<(ProvinceCode, NoteKey)>, NodeError> {
        let mut witnesses = Vec::new();
        let charter = self.charter();
        for member in charter.roster.members() {
            if member.slot == self.slot {
                continue;
            }
            if let Some(known) = stored_keys(&self.vault, member.slot)? {
                let key = known.keys.witness_key(self.federation.as_str());
                let key = key.map_err(|_| fault("a federation whose name makes no name"))?;
                witnesses.push((member.province, key));
            }
        }
        Ok(witnesses)
    }

    /// The signed log keys of this node and of those others that are known, one after the other. A reader who has the root
    /// document needs no other word for whose keys they are.
    pub(super) fn known_log_keys(&self) -> Result<Vec<u8>, NodeError> {
        let mut known = self.own_log_keys()?.to_bytes();
        for member in self.charter().roster.members() {
            if member.slot != self.slot
                && let Some(keys) = stored_keys(&self.vault, member.slot)?
            {
                known.extend(keys.to_bytes());
            }
        }
        Ok(known)
    }

    /// How many witnesses have cosigned the newest checkpoint.
    pub fn checkpoint_cosignatures(&self) -> usize {
        let (Some(checkpoint), Ok(witnesses)) = (self.checkpoint(), self.witnesses()) else {
            return 0;
        };
        let keys: Vec<NoteKey> = witnesses.into_iter().map(|(_, key)| key).collect();
        checkpoint.signers(&keys).map_or(0, |signers| signers.len())
    }

    /// The policy by which a checkpoint of this node's log is good (c2sp.org/tlog-policy): cosigned by as many other
    /// provinces as make a quorum with its own. None while too few witnesses' keys are known.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn log_policy(&self) -> Result<Option<String>, NodeError> {
        use std::fmt::Write as _;
        let own = self.home;
        let mut text = format!("log {}\n", self.log_names.log.to_vkey());
        let mut provinces: Vec<(ProvinceCode, String)> = Vec::new();
        for (number, (province, key)) in self.witnesses()?.into_iter().enumerate() {
            if province == own {
                continue;
            }
            // Writing to a string does not fail.
            let _ = writeln!(text, "witness w{number} {}", key.to_vkey());
            match provinces.iter_mut().find(|(known, _)| *known == province) {
                Some((_, members)) => drop(write!(members, " w{number}")),
                None => provinces.push((province, format!("w{number}"))),
            }
        }
        let least = self.charter().roster.quorum() - 1;
        if provinces.len() < least {
            return Ok(None);
        }
        let mut names = String::new();
        for (province, members) in provinces {
            let _ = writeln!(text, "group p{} any {members}", province.get());
            let _ = write!(names, " p{}", province.get());
        }
        if least == 0 {
            text.push_str("quorum none\n");
        } else {
            let _ = write!(text, "group others {least}{names}\nquorum others\n");
        }
        Ok(Some(text))
    }
}
