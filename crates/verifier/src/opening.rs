//! Openings: what a home node answers to whoever asks whether the committed record holds what an event states.
//!
//! The statement is `circuits/src/opening/STATEMENT.md`. What is asked comes from the asker's own event and is not in the
//! opening; the registry root of its epoch comes from a trust list.

use commitment::layout::{LayoutError, Reader};
use commitment::opening::{Answer, OpeningError, OpeningInputs, Said, Sought};
use commitment::{
    CircuitShortId, CircuitUse, Epoch, Fr, MerklePath, Minute, REGISTRY_DEPTH, Slot, Tree,
    fr_to_bytes, registry_leaf,
};
use rules::IdentityNumber;

use crate::{Error, PROOF_LEN_BYTES, PassProof, PreparedCircuit};

/// Version of the layout.
const VERSION: u8 = 1;
/// Length of an opening.
pub const OPENING_LEN_BYTES: usize =
    1 + 4 + 4 + 1 + 4 + 32 + REGISTRY_DEPTH * 8 * 32 + 32 + 1 + PROOF_LEN_BYTES;

/// A province's tree head of an epoch, with its way to the epoch's registry root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredHead {
    /// The epoch.
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

/// What is asked about whom: from an event that the asker stated, or holds otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
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
    /// The epoch that it is about.
    pub epoch: Epoch,
    /// The slot of the home node.
    pub slot: Slot,
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
    /// `registry_root` is that of the opening's own epoch, from a trust list; `circuit` is that of openings, never one of
    /// passes. Whether an answer suffices, and whether a key of tests does, is for the caller.
    ///
    /// # Errors
    /// [`OpeningRefusal`] with the first reason not to believe it.
    pub fn verify(
        &self,
        asked: &Asked,
        registry_root: Fr,
        circuit: &PreparedCircuit,
    ) -> Result<Opened, OpeningRefusal> {
        let known = circuit.id().short();
        if self.circuit != known {
            return Err(OpeningRefusal::OtherCircuit {
                opening: self.circuit,
                known,
            });
        }
        if self.head.registry_root() != Some(registry_root) {
            return Err(OpeningRefusal::NotRegistered);
        }
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
            epoch: self.head.epoch,
            slot: self.head.slot,
            leaf: self.leaf,
            circuit_use: circuit.id().circuit_use(),
        })
    }
}

const _: () = assert!(
    commitment::opening::OPENING_INPUTS == commitment::PUBLIC_INPUTS,
    "both circuits have keys of one form"
);
