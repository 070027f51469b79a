//! Openings: what a home node answers to whoever asks whether the committed record holds what an event states.
//!
//! The statement is `circuits/src/opening/STATEMENT.md`. What is asked comes from the asker's own event and receipt and is not
//! taken from the opening; the epoch's registry comes from a trust list.

use commitment::layout::{LayoutError, Reader};
use commitment::opening::{Answer, OpeningError, OpeningInputs, Said, Sought};
use commitment::{
    CircuitId, CircuitShortId, CircuitUse, Epoch, Fr, MerklePath, Minute, REGISTRY_DEPTH, Slot,
    Tree, fr_to_bytes, registry_leaf,
};
use rules::IdentityNumber;

use crate::trust::RegistryEntry;
use crate::{Error, PROOF_LEN_BYTES, PassProof, PreparedCircuit, VerifyingKey};

/// Version of the layout.
const VERSION: u8 = 1;
/// Length of an opening.
pub const OPENING_LEN_BYTES: usize =
    1 + 4 + 4 + 1 + 4 + 32 + REGISTRY_DEPTH * 8 * 32 + 32 + 1 + PROOF_LEN_BYTES;

/// A province's tree head in an epoch's registry, with its way to the registry's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredHead {
    /// The registry's epoch. Neither proof nor root binds it: it must be that of the registry which is asked about.
    pub epoch: Epoch,
    /// The province's slot.
    pub slot: Slot,
    /// When the head was signed.
    pub head_time: Minute,
    /// The root of the province's state tree.
    pub state_root: Fr,
    /// At both levels of the registry, leaves first, all eight children.
    pub way: [[Fr; 8]; REGISTRY_DEPTH],
}

impl RegisteredHead {
    /// The registry root that the way leads to, if it begins at this head.
    pub fn registry_root(&self) -> Option<Fr> {
        let leaf = registry_leaf(self.slot.get(), self.head_time, self.state_root);
        let path = MerklePath {
            index: u32::from(self.slot.get()),
            levels: self.way.to_vec(),
        };
        path.root(Tree::Registry, leaf)
    }
}

/// A verifying key for openings with its pairings prepared. It verifies no pass: those take a [`PreparedCircuit`], which cannot
/// be had from this.
#[derive(Clone, Debug)]
pub struct PreparedOpening(PreparedCircuit);

impl PreparedOpening {
    /// A key as a root document names it among its openings: a circuit's digest, and what the key is for.
    pub fn new(circuit_use: CircuitUse, matrix_digest: &[u8; 32], key: &VerifyingKey) -> Self {
        Self(PreparedCircuit::new(circuit_use, matrix_digest, key))
    }

    /// The circuit's identity.
    pub const fn id(&self) -> CircuitId {
        self.0.id()
    }
}

/// The registry of an epoch, as a trust list has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochRegistry {
    /// The epoch.
    pub epoch: Epoch,
    /// When it closed.
    pub as_of: Minute,
    /// Its root.
    pub root: Fr,
}

impl From<&RegistryEntry> for EpochRegistry {
    fn from(entry: &RegistryEntry) -> Self {
        Self {
            epoch: entry.epoch,
            as_of: entry.as_of,
            root: entry.root,
        }
    }
}

/// What is asked of whom about whom: from an event that the asker stated, or holds otherwise, and the receipt for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The slot of the home node, by its receipt. Another province can commit a record of anybody, too.
    pub slot: Slot,
    /// The person.
    pub subject: IdentityNumber,
    /// What the record should hold.
    pub sought: Sought,
}

/// An opening as decoded: canonical, but not believed.
///
/// Layout, big-endian: version 1 · circuit 4 · epoch 4 · slot 1 · head time 4 · state root 32 · way 2 × 8 × 32 · leaf 32 ·
/// answer 1 · proof 128: always 719 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Circuit and key under which it was proved.
    pub circuit: CircuitShortId,
    /// The head of the tree that the record stands in.
    pub head: RegisteredHead,
    /// The record's leaf.
    pub leaf: Fr,
    /// What the home node answers.
    pub answer: Answer,
    /// The proof.
    pub proof: PassProof,
}

/// What an opening that was believed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The answer.
    pub answer: Answer,
    /// When the tree that was opened was closed. A registry can hold an older head for a province that was away: what was
    /// accepted after this minute cannot stand in it.
    pub head_time: Minute,
    /// The record's leaf: another one for the same person and epoch is evidence of a second record.
    pub leaf: Fr,
    /// Whether the key is one of tests, under which whoever made it can forge.
    pub circuit_use: CircuitUse,
}

/// Why an opening is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningRefusal {
    /// It was proved under another circuit or key.
    #[error("the opening is under the circuit {opening}, not {known}")]
    OtherCircuit {
        /// The circuit that it names.
        opening: CircuitShortId,
        /// The circuit at hand.
        known: CircuitShortId,
    },
    /// It is about another epoch than the registry.
    #[error("the opening is about epoch {}, not {}", opening.get(), asked.get())]
    OtherEpoch {
        /// The epoch that it names.
        opening: Epoch,
        /// That of the registry.
        asked: Epoch,
    },
    /// It is of another slot than the home node that is asked.
    #[error("the opening is of slot {}, not {}", opening.get(), asked.get())]
    OtherSlot {
        /// The slot that it names.
        opening: Slot,
        /// That of the home node.
        asked: Slot,
    },
    /// The tree head is later than its registry.
    #[error("the tree head is of minute {}, after its registry's, {}", head.get(), as_of.get())]
    HeadAfterRegistry {
        /// When the head was signed.
        head: Minute,
        /// When the epoch closed.
        as_of: Minute,
    },
    /// The state root is none of the epoch's registry.
    #[error("the epoch's registry does not hold this tree head")]
    NotRegistered,
    /// An answer that does not go with what is asked.
    #[error(transparent)]
    Answer(#[from] OpeningError),
    /// The proof does not hold for what is asked and answered.
    #[error("the proof does not hold for what is asked and answered")]
    Proof,
}

impl Opening {
    /// Reads an opening.
    ///
    /// # Errors
    /// [`Error::Layout`] for bytes that break the layout, [`Error::BadPoint`] for a bad proof.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, OPENING_LEN_BYTES)?;
        reader.version(VERSION)?;
        let circuit = CircuitShortId(reader.array()?);
        let (epoch, slot, head_time) = (reader.epoch()?, reader.slot()?, reader.minute()?);
        let state_root = reader.fr()?;
        let mut way = [[Fr::from(0u64); 8]; REGISTRY_DEPTH];
        for child in way.iter_mut().flatten() {
            *child = reader.fr()?;
        }
        let leaf = reader.fr()?;
        let answer = Answer::from_code(reader.u8()?).ok_or(LayoutError::Invalid("an answer"))?;
        let proof = PassProof::from_bytes(&reader.array()?)?;
        reader.finish()?;
        Ok(Self {
            circuit,
            head: RegisteredHead {
                epoch,
                slot,
                head_time,
                state_root,
                way,
            },
            leaf,
            answer,
            proof,
        })
    }

    /// The canonical bytes, always [`OPENING_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(OPENING_LEN_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.circuit.0);
        out.extend_from_slice(&self.head.epoch.get().to_be_bytes());
        out.push(self.head.slot.get());
        out.extend_from_slice(&self.head.head_time.get().to_be_bytes());
        out.extend_from_slice(&fr_to_bytes(self.head.state_root));
        for child in self.head.way.iter().flatten() {
            out.extend_from_slice(&fr_to_bytes(*child));
        }
        out.extend_from_slice(&fr_to_bytes(self.leaf));
        out.push(self.answer.code());
        out.extend_from_slice(&self.proof.to_bytes());
        out
    }

    /// What the opening says about what was asked, if it is to be believed.
    ///
    /// `registry` is that of the epoch which is asked about, from a trust list; `circuit` is that of openings, never one of
    /// passes, and its use is what the root document says, not what the opening names. Whether an answer suffices, whether the tree
    /// is late enough to hold the event, and whether a key of tests does, is for the caller.
    ///
    /// # Errors
    /// [`OpeningRefusal`] with the first reason not to believe it.
    pub fn verify(
        &self,
        asked: &Asked,
        registry: &EpochRegistry,
        circuit: &PreparedOpening,
    ) -> Result<Opened, OpeningRefusal> {
        let circuit = &circuit.0;
        let known = circuit.id().short();
        if self.circuit != known {
            return Err(OpeningRefusal::OtherCircuit {
                opening: self.circuit,
                known,
            });
        }
        self.check_head(asked.slot, registry)?;
        let inputs = OpeningInputs {
            state_root: self.head.state_root,
            leaf: self.leaf,
            subject: asked.subject,
            said: Said::new(asked.sought, self.answer)?,
        };
        if !circuit.verifies(&self.proof, &inputs.to_fields()) {
            return Err(OpeningRefusal::Proof);
        }
        Ok(Opened {
            answer: self.answer,
            head_time: self.head.head_time,
            leaf: self.leaf,
            circuit_use: circuit.id().circuit_use(),
        })
    }

    /// Whether its head is the one of a slot in a registry.
    fn check_head(&self, slot: Slot, registry: &EpochRegistry) -> Result<(), OpeningRefusal> {
        let head = &self.head;
        if head.epoch != registry.epoch {
            return Err(OpeningRefusal::OtherEpoch {
                opening: head.epoch,
                asked: registry.epoch,
            });
        }
        if head.slot != slot {
            return Err(OpeningRefusal::OtherSlot {
                opening: head.slot,
                asked: slot,
            });
        }
        if head.head_time > registry.as_of {
            return Err(OpeningRefusal::HeadAfterRegistry {
                head: head.head_time,
                as_of: registry.as_of,
            });
        }
        if head.registry_root() != Some(registry.root) {
            return Err(OpeningRefusal::NotRegistered);
        }
        Ok(())
    }
}

const _: () = assert!(
    commitment::opening::OPENING_INPUTS == commitment::PUBLIC_INPUTS,
    "both circuits have keys of one form"
);
