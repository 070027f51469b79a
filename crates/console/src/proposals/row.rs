//! A proposal as it is stored. What lies in [`Content`] is about somebody, and goes when its time is over; the rest tells of nobody.

use rules::appeal::Words;
use rules::naming::Naming;
use rules::{Event, EventId, Minute, ProvinceCode, SourceId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{StoreError, Table};
use wire::console::v1 as proto;
use wire::{APPEAL_ID_BYTES, AppealId};

use crate::statement::{Stated, kind_name};
use crate::{ConsoleError, Person, StaffId};

/// Sets names of the console's events apart from other digests.
const EVENT_ID_DOMAIN: &[u8] = b"viridian/console-event/v1\0";

/// The page's name for a proposal.
pub(crate) type ProposalId = [u8; 16];

/// How far a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Waiting,
    Sending,
    Done,
    RefusedByNode,
    Refused,
    Withdrawn,
    Lapsed,
    /// Taken by the node, and on its way to the home in another province; when it lapses, once the node has said so.
    Forwarded {
        until: Option<Minute>,
    },
    /// The home contests it; the last minute in which it can be confirmed.
    Contested {
        until: Minute,
    },
    /// Somebody confirmed it, and the node has not been told so yet.
    Confirmed {
        until: Minute,
    },
    /// The confirmation is on its way.
    Confirming {
        until: Minute,
    },
    TakenByHome,
    RefusedByHome,
    LapsedOnTheWay,
}

impl State {
    pub(crate) const fn to_message(self) -> proto::ProposalState {
        match self {
            Self::Waiting => proto::ProposalState::Waiting,
            Self::Sending => proto::ProposalState::Sending,
            Self::Done => proto::ProposalState::Done,
            Self::RefusedByNode => proto::ProposalState::RefusedByNode,
            Self::Refused => proto::ProposalState::Refused,
            Self::Withdrawn => proto::ProposalState::Withdrawn,
            Self::Lapsed => proto::ProposalState::Lapsed,
            Self::Forwarded { .. } => proto::ProposalState::Forwarded,
            Self::Contested { .. } => proto::ProposalState::Contested,
            Self::Confirmed { .. } | Self::Confirming { .. } => proto::ProposalState::Confirming,
            Self::TakenByHome => proto::ProposalState::TakenByHome,
            Self::RefusedByHome => proto::ProposalState::RefusedByHome,
            Self::LapsedOnTheWay => proto::ProposalState::LapsedOnTheWay,
        }
    }

    /// Whether nothing more happens to it.
    pub(crate) const fn is_over(self) -> bool {
        !matches!(self, Self::Waiting) && !self.is_to_be_handed_in() && !self.is_followed()
    }

    /// Whether the node has to be told of what somebody agreed on.
    pub(crate) const fn is_to_be_handed_in(self) -> bool {
        matches!(self, Self::Sending | Self::Confirmed { .. })
    }

    /// Whether the node has to be asked what became of it.
    pub(crate) const fn is_followed(self) -> bool {
        matches!(
            self,
            Self::Forwarded { .. } | Self::Contested { .. } | Self::Confirming { .. }
        )
    }

    /// Until when it is on its way, or can be confirmed.
    pub(crate) const fn until(self) -> Option<Minute> {
        match self {
            Self::Forwarded { until } => until,
            Self::Contested { until } | Self::Confirmed { until } | Self::Confirming { until } => {
                Some(until)
            }
            _ => None,
        }
    }
}

/// Somebody, as the list of staff named them then.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) id: StaffId,
    pub(crate) name: String,
}

impl Who {
    /// Whether it is, or may be, this person: whoever was taken off the list and invited again has another id under the same name.
    /// No two on the list have one name at once, so nobody else is kept from anything but who came later and is called the same.
    pub(crate) fn may_be(&self, person: &Person) -> bool {
        self.id == person.id || self.name == person.name
    }
}

impl From<&Person> for Who {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id,
            name: person.name.clone(),
        }
    }
}

/// What would be signed, without whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Matter {
    /// An event, by the number of its kind in the page's protocol and its name in the rules.
    Statement { kind: i32, name: String },
    /// A decision of an appeal.
    Decision {
        appeal: [u8; APPEAL_ID_BYTES],
        is_upheld: bool,
    },
    /// A proxy for somebody who has no phone.
    Naming,
}

/// A proposal. Key: its number (8).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ProposalRow {
    pub(crate) id: ProposalId,
    pub(crate) source: SourceId,
    pub(crate) matter: Matter,
    pub(crate) by: Who,
    pub(crate) proposed_at: Minute,
    pub(crate) lapses_at: Minute,
    pub(crate) state: State,
    /// Who judged it, and when.
    pub(crate) judged: Option<(Who, Minute)>,
    /// When nothing more happened to it.
    pub(crate) over_at: Option<Minute>,
    /// What the node or the home answered, if that is more than yes.
    pub(crate) node_reason: String,
    pub(crate) content: Option<Content>,
}

/// What of a proposal is removed when its time is over.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) subject: Subject,
    pub(crate) grounds: String,
    pub(crate) judged_words: String,
    pub(crate) signed: Option<Signed>,
    /// The receipt of the node or of the home; empty for none.
    pub(crate) receipt: Vec<u8>,
}

/// What would be signed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    Statement {
        /// The event's canonical bytes, issued when it was proposed and without a name.
        draft: Vec<u8>,
        /// The home that was given; none for the own province.
        home: Option<ProvinceCode>,
        is_target_by_hand: bool,
    },
    Decision {
        case_id: [u8; 16],
        /// Canonical bytes of the contested event.
        event: Vec<u8>,
        words: String,
    },
    Naming {
        /// The naming's canonical bytes, without a name.
        draft: Vec<u8>,
    },
}

/// What was signed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signed {
    /// Canonical bytes of the event or ruling; none for a decision that dismisses, and for a naming.
    pub(crate) event: Option<Vec<u8>>,
    /// Canonical bytes of the decision or naming; none for a statement.
    pub(crate) decision: Option<Vec<u8>>,
}

impl ProposalRow {
    /// What it is about in a few words, without whom: for acts.
    pub(crate) fn title(&self) -> String {
        let what = match &self.matter {
            Matter::Statement { name, .. } => name.as_str(),
            Matter::Decision {
                is_upheld: true, ..
            } => "uphold",
            Matter::Decision { .. } => "dismiss",
            Matter::Naming => "proxy",
        };
        format!("{} {what}", self.source)
    }

    /// The appeal that it would decide.
    pub(crate) const fn appeal(&self) -> Option<AppealId> {
        match self.matter {
            Matter::Decision { appeal, .. } => Some(AppealId(appeal)),
            Matter::Statement { .. } | Matter::Naming => None,
        }
    }

    /// The state at a moment: what nobody judged in time has lapsed, even where that is not written yet.
    pub(crate) fn state_at(&self, now: Minute) -> State {
        if self.state == State::Waiting && now >= self.lapses_at {
            State::Lapsed
        } else {
            self.state
        }
    }

    /// Whether the home contests it, and it is not too late to confirm it.
    pub(crate) fn may_be_confirmed(&self, now: Minute) -> bool {
        matches!(self.state, State::Contested { until } if now <= until)
    }

    /// Sets the state that it ends in.
    pub(crate) const fn end(&mut self, state: State, now: Minute) {
        self.state = state;
        self.over_at = Some(now);
    }

    /// The event that was signed for a statement, and taken by the node or by the home in another province.
    pub(crate) fn taken_event(&self) -> Option<Event> {
        let is_taken = matches!(self.state, State::Done | State::TakenByHome);
        if !is_taken || self.appeal().is_some() {
            return None;
        }
        let signed = self.content.as_ref()?.signed.as_ref()?;
        Event::from_bytes(signed.event.as_ref()?).ok()
    }
}

impl Subject {
    /// What a naming says, under the name that the signed one has; none for others.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(crate) fn naming(&self, id: EventId) -> Result<Option<Naming>, ConsoleError> {
        let Self::Naming { draft } = self else {
            return Ok(None);
        };
        let naming = read_naming(draft)?;
        Ok(Some(Naming {
            request_id: id.0,
            ..naming
        }))
    }

    /// What a statement says; none for others.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(crate) fn stated(&self) -> Result<Option<Stated>, ConsoleError> {
        let Self::Statement {
            draft,
            home,
            is_target_by_hand,
        } = self
        else {
            return Ok(None);
        };
        let event = read_event(draft)?;
        Ok(Some(Stated::of(&event, *home, *is_target_by_hand)))
    }
}

impl From<&Naming> for Subject {
    fn from(naming: &Naming) -> Self {
        Self::Naming {
            draft: naming.to_bytes(),
        }
    }
}

impl From<&Stated> for Subject {
    fn from(stated: &Stated) -> Self {
        Self::Statement {
            draft: stated.event(EventId([0; 16]), Minute::ZERO).to_bytes(),
            home: stated.home,
            is_target_by_hand: stated.is_target_by_hand,
        }
    }
}

/// What a statement is.
impl From<&Stated> for Matter {
    fn from(stated: &Stated) -> Self {
        Self::Statement {
            kind: crate::statement::kind_code(&stated.body),
            name: kind_name(stated.body.kind()).to_owned(),
        }
    }
}

impl Matter {
    /// The decision of an appeal.
    pub(crate) const fn decision(appeal: AppealId, is_upheld: bool) -> Self {
        Self::Decision {
            appeal: appeal.0,
            is_upheld,
        }
    }
}

/// The name of what an office signs for a proposal: the same however often it is signed.
pub(crate) fn event_id(proposal: &ProposalId, source: SourceId) -> EventId {
    let digest = Sha256::new_with_prefix(EVENT_ID_DOMAIN)
        .chain_update(proposal)
        .chain_update([source.province.get(), source.kind.code()])
        .chain_update(source.number.to_be_bytes())
        .finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    EventId(id)
}

/// An event that the console stored.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn read_event(bytes: &[u8]) -> Result<Event, ConsoleError> {
    Event::from_bytes(bytes).map_err(|_| StoreError::Damaged(Table::Proposals).into())
}

/// A naming that the console stored.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn read_naming(bytes: &[u8]) -> Result<Naming, ConsoleError> {
    Naming::from_bytes(bytes).map_err(|_| StoreError::Damaged(Table::Proposals).into())
}

/// Words for a resident that the console stored.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn read_words(words: &str) -> Result<Words, ConsoleError> {
    Words::new(words).map_err(|_| StoreError::Damaged(Table::Proposals).into())
}
