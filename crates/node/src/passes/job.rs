//! Making one pass, or refusing it, on a thread of the prover.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use circuits::clearance::Witness;
use commitment::{Fr, PublicInputs, revocation_hash};
use rules::Claim;
use verifier::{CardNumber, Holder, Pass, RevocationHash, RiskMapShortId, RuleSetShortId};

use super::under_way::Progress;
use crate::epoch::Issuing;
use crate::store::{IssuedRow, RefusedRow, ResidentKey, Table, UseRow};
use crate::{Node, NodeError};

/// What all passes of one use share.
pub(super) struct Common {
    pub(super) witness: Arc<Witness>,
    pub(super) issuing: Arc<Issuing>,
    pub(super) claim: Claim,
    pub(super) rule_set: RuleSetShortId,
    pub(super) digest: Fr,
    pub(super) card: Option<CardNumber>,
}

/// What is to be done for each pass of a use.
#[derive(Clone)]
pub(super) enum Work {
    /// To prove it.
    Prove(Arc<Common>),
    /// To refuse it, after as long as a proof takes.
    Refuse(Arc<RefusedRow>),
}

/// One pass to be made, or to be refused.
pub(super) struct PassJob {
    pub(super) node: Arc<Node>,
    pub(super) work: Work,
    pub(super) progress: Arc<Progress>,
    pub(super) holder: Holder,
    pub(super) resident: ResidentKey,
    pub(super) use_id: [u8; 16],
    pub(super) position: usize,
}

impl PassJob {
    pub(super) fn run(self) {
        // Nobody waits for it any more: it is made when somebody asks again.
        if !self.progress.is_wanted() {
            return;
        }
        let began = Instant::now();
        let made = match &self.work {
            Work::Prove(common) => self.make(common),
            Work::Refuse(row) => self.refuse(row),
        };
        let metrics = &self.node.metrics;
        metrics.pass_job_ended(began.elapsed(), made.is_err());
        if let Err(error) = made {
            tracing::error!(%error, "a pass could not be made");
            self.progress.has_failed.store(true, Ordering::SeqCst);
        }
    }

    /// Takes the thread for as long as the newest proof did, so that neither this answer nor those that are queued behind
    /// it come sooner than after a pass, and writes why there is none.
    fn refuse(&self, row: &RefusedRow) -> Result<(), NodeError> {
        let newest = self.node.proof_times.newest();
        std::thread::sleep(newest.unwrap_or_else(|| self.node.answer_quantum() / 2));
        let _held = self.node.locks.hold([self.resident]);
        let of_use = self.resident.row(&self.use_id);
        // It may have been revoked meanwhile, or the resident have left.
        if self
            .node
            .vault
            .get::<UseRow>(Table::Uses, &of_use)?
            .is_none()
        {
            return Ok(());
        }
        let mut write = self.node.vault.write();
        write.put(Table::Refusals, &of_use, row);
        Ok(write.commit()?)
    }

    fn make(&self, common: &Common) -> Result<(), NodeError> {
        let revocation_secret: [u8; 16] = self.node.entropy.bytes();
        let h = RevocationHash(revocation_hash(&revocation_secret));
        let tag = common.card.as_ref().map(|card| card.tag(h));
        let binder = self
            .holder
            .binder(h, tag.as_ref())
            .map_err(|_| NodeError::Fault("a holder without its binder"))?;
        let statement = &common.issuing.statement;
        let inputs = PublicInputs {
            registry_root: statement.registry_root(),
            risk_root: statement.risk_root(),
            rule_digest: common.digest,
            as_of: statement.as_of(),
            claim: common.claim,
            binder,
        };
        let seed = self.node.entropy.bytes();
        let began = Instant::now();
        let proof = self.node.prover.prove(&inputs, &common.witness, seed);
        self.node.proof_times.record(began.elapsed());
        let proof = proof.map_err(|error| {
            tracing::error!(%error, "a proof failed");
            NodeError::Fault("a checked claim was not proved")
        })?;
        let pass = Pass {
            circuit: self.node.prover.circuit().short(),
            epoch: statement.epoch(),
            rule_set: common.rule_set,
            risk_map: RiskMapShortId::of_root(statement.risk_root()),
            claim: common.claim,
            holder: self.holder,
            h,
            proof,
        };
        let row = IssuedRow {
            pass: pass.to_bytes(),
            revocation_secret,
            epoch: statement.epoch().get(),
            issued_at: self.node.clock.now(),
        };
        self.keep(&row)
    }

    /// Keeps a pass, unless what came in while it was proved speaks against it, or its request is gone.
    fn keep(&self, row: &IssuedRow) -> Result<(), NodeError> {
        let _held = self.node.locks.hold([self.resident]);
        let of_use = self.resident.row(&self.use_id);
        let asked: Option<UseRow> = self.node.vault.get(Table::Uses, &of_use)?;
        let Some(asked) = asked else {
            return Ok(());
        };
        let mut write = self.node.vault.write();
        if let Some(refused) = self.node.refused_now(self.resident, &asked)? {
            write.put(Table::Refusals, &of_use, &refused);
        } else {
            let mut key = of_use;
            key.push(u8::try_from(self.position).unwrap_or(u8::MAX));
            write.put_new(Table::Passes, &key, row);
        }
        Ok(write.commit()?)
    }
}

/// However a job ends – done, failed, not wanted, dropped with the queue – it is no longer under way.
impl Drop for PassJob {
    fn drop(&mut self) {
        let mut in_flight = self
            .node
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.progress.remaining.send_modify(|left| *left -= 1);
        if *self.progress.remaining.borrow() == 0 {
            in_flight.remove(&(self.resident, self.use_id));
        }
    }
}
