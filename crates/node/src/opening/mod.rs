//! Openings: what the source of an event is answered who asks whether the committed record holds it.
//!
//! Who may ask is shown by a certificate and a receipt, so that nobody is looked up here by an identity number alone. What is answered
//! is proved; whatever is refused before is refused by reasons that do not depend on the record.

mod settings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use circuits::opening::{Plan, PlanError, Witness, plan};
use commitment::opening::{Answer, OpeningInputs, Sought};
use commitment::{Blinding, fr_from_bytes};
use federation::{Quota, Quotas};
use ledger::receipt::Content;
use ledger::{LeafIndex, Registry, SignedTreeHead};
use prover::OpeningProver;
use rules::SourceId;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use verifier::PassProof;
use verifier::opening::{Opening, RegisteredHead};
use wire::{OpeningRequest, PublishedRegistry, Reason};

pub use settings::Openings;

use crate::epoch::{Closed, committed_key};
use crate::proving::{Job, spread};
use crate::quotas::used_up;
use crate::registry::refused_registry;
use crate::store::{CommittedRow, ReadPurpose, ResidentRow, StoreError, Table};
use crate::trail::{OPENINGS_MAX, OpeningNote};
use crate::{Node, NodeError};

/// Sources told apart; a province has thousands.
const MAX_SOURCES: usize = 16_384;

/// What openings are made with.
pub struct OpeningParts {
    /// Makes the proofs.
    pub prover: Arc<OpeningProver>,
    /// Its key is the prover's; the rest is how many.
    pub settings: Openings,
}

/// What a node that offers openings has for it.
pub(crate) struct OpeningRoom {
    prover: Arc<OpeningProver>,
    at_once: Arc<Semaphore>,
    quotas: Quotas<SourceId>,
    began: Instant,
}

impl OpeningRoom {
    pub(crate) fn new(parts: OpeningParts) -> Self {
        let settings = parts.settings;
        let period = Duration::from_hours(1) / settings.per_source_per_h.max(1);
        let quota = Quota::every(period, settings.per_source_burst);
        Self {
            prover: parts.prover,
            at_once: Arc::new(Semaphore::new(settings.at_once)),
            quotas: Quotas::new(quota, MAX_SOURCES),
            began: Instant::now(),
        }
    }
}

/// An opening that is under way. Once it is dropped, what is not yet begun is not begun.
pub struct OpeningUnderWay {
    node: Arc<Node>,
    answer: oneshot::Receiver<Result<Opening, NodeError>>,
}

impl OpeningUnderWay {
    /// Waits for it, at most `until`.
    ///
    /// # Errors
    /// As [`Node::begin_opening`]; [`Reason::Draining`] if the node ended before it was begun, [`Reason::ProverBusy`] if its turn did
    /// not come in time.
    pub async fn finished(self, until: tokio::time::Instant) -> Result<Opening, NodeError> {
        match tokio::time::timeout_at(until, self.answer).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) if self.node.is_draining() => Err(NodeError::Refused(Reason::Draining)),
            Ok(Err(_)) => Err(NodeError::Fault("an opening was not made to its end")),
            Err(_) => Err(NodeError::Later {
                reason: Reason::ProverBusy,
                wait: spread(Duration::from_secs(5), self.node.entropy.bytes()),
            }),
        }
    }
}

/// Where a record stands in a registry.
struct Standing {
    registry: Registry,
    own: SignedTreeHead,
    closed: Arc<Closed>,
}

impl Node {
    /// Has an opening made of what an event states, for the event's source, who holds this node's receipt for it. That the record is
    /// read, by whom and what for, is a row of the resident's trail before it is read.
    ///
    /// # Errors
    /// [`Reason::OpeningNotOffered`], [`Reason::NotFound`] for another source's event, [`Reason::ReceiptRefused`],
    /// [`Reason::NothingToOpen`], [`Reason::UnknownEpoch`], [`Reason::SampleGone`], [`Reason::NotCommitted`], [`Reason::ProverBusy`]
    /// and [`Reason::Quota`] at once; at its end the same again, [`Reason::NotFound`] where no record of the person is kept, and
    /// [`Reason::EndedBefore`].
    pub fn begin_opening(
        self: &Arc<Self>,
        caller: SourceId,
        asked: OpeningRequest,
    ) -> Result<OpeningUnderWay, NodeError> {
        let room = self.opening_room()?;
        self.check_receipt(caller, &asked)?;
        let (sought, preferred) = sought(&asked)?;
        let accepted = asked.receipt.signed.receipt.accepted;
        self.standing(&asked, accepted)?;
        if self.is_draining() {
            return Err(NodeError::Refused(Reason::Draining));
        }
        let busy = |wait: Duration| NodeError::Later {
            reason: Reason::ProverBusy,
            wait: spread(wait, self.entropy.bytes()),
        };
        let permit = Arc::clone(&room.at_once).try_acquire_owned();
        let permit = permit.map_err(|_| busy(Duration::from_secs(1)))?;
        let (answer, answered) = oneshot::channel();
        let job = OpeningJob {
            node: Arc::clone(self),
            caller,
            asked,
            sought,
            preferred,
            answer,
            _permit: permit,
        };
        let job: Job = Box::new(move || job.run());
        self.queue
            .submit(vec![job])
            .map_err(|full| busy(full.wait))?;
        Ok(OpeningUnderWay {
            node: Arc::clone(self),
            answer: answered,
        })
    }

    /// What openings are made with, if the root document in use names its key.
    fn opening_room(&self) -> Result<&OpeningRoom, NodeError> {
        let room = self.openings.as_ref();
        room.filter(|room| self.names_openings(room))
            .ok_or(NodeError::Refused(Reason::OpeningNotOffered))
    }

    /// Whether the root document in use names the key that openings are made with.
    pub(crate) fn names_openings(&self, room: &OpeningRoom) -> bool {
        let own = room.prover.circuit_id();
        let charter = self.charter();
        let mut named = charter.document().openings.iter();
        named.any(|entry| entry.id() == own)
    }

    /// Whether the caller stated the event, and this node gave the receipt for it.
    fn check_receipt(&self, caller: SourceId, asked: &OpeningRequest) -> Result<(), NodeError> {
        if asked.event.source != caller {
            return Err(NodeError::Refused(Reason::NotFound));
        }
        let refused = NodeError::Refused(Reason::ReceiptRefused);
        let receipt = &asked.receipt.signed.receipt;
        let is_own = (receipt.province, receipt.slot) == (self.home, self.slot);
        let content = asked.event.to_bytes();
        if !is_own
            || receipt.content != Content::Event
            || asked.receipt.check_content(&content).is_err()
        {
            return Err(refused);
        }
        let charter = self.charter();
        let mut rosters = charter.rosters_of(receipt.accepted);
        let federation = self.federation.as_str();
        let is_good = rosters.any(|roster| asked.receipt.signed.check(federation, roster).is_ok());
        is_good.then_some(()).ok_or(refused)
    }

    /// This node's tree in the registry that is asked about.
    fn standing(
        &self,
        asked: &OpeningRequest,
        accepted: rules::Minute,
    ) -> Result<Standing, NodeError> {
        let PublishedRegistry { heads, .. } = self.registry(asked.epoch)?;
        let not_committed = NodeError::Refused(Reason::NotCommitted);
        let own = heads.iter().find(|signed| signed.head.slot == self.slot);
        let own = *own.ok_or(not_committed.clone())?;
        // A tree of before says nothing of it.
        if own.head.head_time < accepted {
            return Err(not_committed);
        }
        let closed = self.closed_under(&own)?;
        let registry = Registry::new(heads.iter().map(|signed| (&signed.head).into()));
        Ok(Standing {
            registry: registry.map_err(|error| refused_registry(&error))?,
            own,
            closed,
        })
    }
}

/// What is sought by a request, and the answer that is looked for first: whoever names a bound asks whether it has ended.
fn sought(asked: &OpeningRequest) -> Result<(Sought, Option<Answer>), NodeError> {
    let sought = Sought::of_event(&asked.event);
    let sought = sought.map_err(|_| NodeError::Refused(Reason::NothingToOpen))?;
    Ok(match asked.ended_not_before {
        Some(at) => (sought.ended_not_before(at), Some(Answer::Ended)),
        None => (sought, None),
    })
}

/// An opening to be made, on a proving thread.
struct OpeningJob {
    node: Arc<Node>,
    caller: SourceId,
    asked: OpeningRequest,
    sought: Sought,
    preferred: Option<Answer>,
    answer: oneshot::Sender<Result<Opening, NodeError>>,
    /// Of those at once; given back however the job ends.
    _permit: OwnedSemaphorePermit,
}

impl OpeningJob {
    fn run(self) {
        // Nobody waits for it any more: nothing is read.
        if self.answer.is_closed() {
            return;
        }
        let made = self.make();
        let _ = self.answer.send(made);
    }

    fn make(&self) -> Result<Opening, NodeError> {
        let room = self.node.opening_room()?;
        let accepted = self.asked.receipt.signed.receipt.accepted;
        let standing = self.node.standing(&self.asked, accepted)?;
        // Whoever was told to come again, since there was no room, has used up nothing.
        let now = room.began.elapsed();
        room.quotas.take(&self.caller, 1, now).map_err(used_up)?;
        let (inputs, witness) = self.planned(&standing)?;
        let seed = self.node.entropy.bytes();
        let proof = room.prover.prove(&inputs, &witness, seed);
        let proof = proof.map_err(|error| {
            tracing::error!(%error, "a proof of an opening failed");
            NodeError::Fault("a planned opening was not proved")
        })?;
        let proof = PassProof::from_bytes(&proof);
        let way = standing.registry.path(self.node.slot).levels;
        Ok(Opening {
            circuit: room.prover.circuit_id().short(),
            head: RegisteredHead {
                epoch: self.asked.epoch,
                slot: self.node.slot,
                head_time: standing.own.head.head_time,
                state_root: standing.closed.tree.root(),
                way: (way.try_into())
                    .map_err(|_| NodeError::Fault("a registry of another depth"))?,
            },
            leaf: inputs.leaf,
            answer: inputs.said.answer(),
            proof: proof.map_err(|_| NodeError::Fault("a proof of an opening is none"))?,
        })
    }

    /// Reads the record, once that is in the trail, and finds the true answer.
    fn planned(&self, standing: &Standing) -> Result<(OpeningInputs, Witness), NodeError> {
        let node = &self.node;
        let subject = self.asked.event.subject;
        let resident = node.resident_key(&subject);
        let _held = node.locks.hold([resident]);
        let row: ResidentRow = node
            .vault
            .get(Table::Residents, &resident.0)?
            .ok_or(NodeError::Refused(Reason::NotFound))?;
        let index = LeafIndex::new(row.place);
        let index = index.ok_or(NodeError::Store(StoreError::Damaged(Table::Residents)))?;
        let key = committed_key(standing.own.head.epoch, row.place);
        let Some(committed): Option<CommittedRow> = node.vault.get(Table::Committed, &key)? else {
            // A newer registry may have come meanwhile.
            node.closed_under(&standing.own)?;
            return Err(NodeError::Refused(Reason::NotCommitted));
        };
        let epoch = self.asked.epoch;
        let by = Sha256::new_with_prefix(self.caller.to_string())
            .chain_update(b"\0")
            .chain_update(self.asked.event.id.0);
        node.note_opening(&OpeningNote {
            leaf: (epoch, row.place),
            by: by.finalize().into(),
            most: OPENINGS_MAX,
            resident,
            purpose: ReadPurpose::Opening {
                source: self.caller,
                epoch: epoch.get(),
            },
        })?;
        tracing::info!(source = %self.caller, epoch = epoch.get(), "a record is opened for the source of an event");
        let element = |bytes: &[u8; 32], table| {
            fr_from_bytes(bytes).map_err(|_| NodeError::Store(StoreError::Damaged(table)))
        };
        let planned = plan(&Plan {
            record: &committed.record,
            subject,
            salt: element(&row.salt, Table::Residents)?,
            blinding: Blinding(element(&committed.blinding, Table::Committed)?),
            state_path: &standing.closed.tree.path(index),
            state_root: standing.closed.tree.root(),
            sought: self.sought,
            preferred: self.preferred,
        });
        planned.map_err(|error| match error {
            PlanError::EndedBefore => NodeError::Refused(Reason::EndedBefore),
            _ => NodeError::Fault("a committed record cannot be opened"),
        })
    }
}
