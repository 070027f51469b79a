//! Events for residents of other provinces: signed by their source, sealed to the one home that the source names, kept in an
//! outbox until the home has answered. ADR 0014 says why each part is as it is.

mod deliver;
mod envelope;
mod inbox;
mod keys;
mod outbox;
mod settings;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ed25519_dalek::{Signature, VerifyingKey};
use rules::{Day, Event, EventKind, FactKind, ProvinceCode, SourceId, fact_kind};

use crate::store::{SentAs, StoreError, Vault};

pub(crate) use deliver::forward_all;
pub use envelope::{Content, Envelope, EnvelopeError, Header};
pub use inbox::{ForeignEvent, ForeignState};
pub(crate) use keys::SealingKeys;
pub use keys::{
    SIGNED_SEALING_KEY_LEN_BYTES, SealingKeyError, SealingSecret, SealingStatement,
    SignedSealingKey,
};
pub(crate) use outbox::Departing;
use outbox::Outbox;
pub use settings::{Forward, SealingKeyFile};

/// Whether a source made this signature of an event.
fn is_signed(key: &VerifyingKey, event: &Event, sent_as: SentAs, signature: &[u8; 64]) -> bool {
    let message = match sent_as {
        SentAs::Statement => event.signing_bytes(),
        SentAs::Confirmation => event.confirmation_bytes(),
    };
    key.verify_strict(&message, &Signature::from_bytes(signature))
        .is_ok()
}

/// Whether events of a kind go to other provinces. A check-in is made at home, and an appeal is decided there.
const fn is_forwardable(kind: EventKind) -> bool {
    !matches!(kind, EventKind::CheckIn | EventKind::Ruling)
}

/// What an event states, in one stable word.
pub(crate) fn word_of(event: &Event) -> &'static str {
    match (fact_kind(event), event.body.kind()) {
        (Some(fact), _) => fact_word(fact),
        (None, EventKind::CheckIn) => "check-in",
        (None, EventKind::Stay) => "stay",
        (None, EventKind::Release) => "release",
        (None, EventKind::Ruling) => "ruling",
        // Of what states no fact only a negative is left.
        (None, _) => "negative-test",
    }
}

/// As the configuration writes it.
pub(crate) const fn fact_word(fact: FactKind) -> &'static str {
    match fact {
        FactKind::ConfirmedCase => "confirmed-case",
        FactKind::AsymptomaticCase => "asymptomatic-case",
        FactKind::SuspectedCase => "suspected-case",
        FactKind::ScreenedPositive => "screened-positive",
        FactKind::CloseContact => "close-contact",
        FactKind::SecondaryContact => "secondary-contact",
        FactKind::Entry => "entry",
        FactKind::ColdChainOnce => "cold-chain-once",
        FactKind::ColdChainFrequent => "cold-chain-frequent",
        FactKind::FeverClinic => "fever-clinic",
        FactKind::PossibleLink => "possible-link",
        FactKind::AssistList => "assist-list",
        FactKind::PotentialRisk => "potential-risk",
        FactKind::PooledTube => "pooled-tube",
        FactKind::Symptoms => "symptoms",
    }
}

/// What a node keeps in memory about events that go and come.
pub(crate) struct Forwarding {
    pub(crate) settings: Forward,
    pub(crate) keys: SealingKeys,
    pub(crate) outbox: Outbox,
    learnt: Mutex<BTreeMap<ProvinceCode, SignedSealingKey>>,
    /// How often each source missed on its last day. In memory: a restart gives a prober little, and there are no more entries
    /// than sources.
    misses: Mutex<BTreeMap<SourceId, (Day, u32)>>,
}

impl Forwarding {
    pub(crate) fn open(
        vault: &Vault,
        settings: Forward,
        keys: SealingKeys,
        homes: impl Iterator<Item = ProvinceCode>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            settings,
            keys,
            outbox: Outbox::open(vault, homes)?,
            learnt: Mutex::default(),
            misses: Mutex::default(),
        })
    }

    /// Forgets the sealing keys of all homes.
    pub(crate) fn forget_keys(&self) {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.clear();
    }

    /// Whether a source may still ask, on this day, about people who may not live here.
    fn may_ask(&self, source: SourceId, today: Day) -> bool {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let (day, count) = misses.get(&source).copied().unwrap_or((today, 0));
        day != today || count < self.settings.misses_per_source_per_day
    }

    fn count_miss(&self, source: SourceId, today: Day) {
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let (day, count) = misses.entry(source).or_insert((today, 0));
        if *day != today {
            (*day, *count) = (today, 0);
        }
        *count += 1;
        if *count == self.settings.misses_per_source_per_day {
            tracing::warn!(%source, "a source of another province has asked too often about people who do not live here");
        }
    }
}
