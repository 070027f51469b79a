//! A console with its people, beside a fake node, for tests.

use std::sync::Arc;

use rules::{IdentityNumber, Minute, SourceKind};
use store::{Entropy, KeyRing, MemoryStore, StoreIdentity, Table, Vault};
use wire::console::v1 as proto;
use wire::source::v1::GetForwardedResponse;

use super::{Proposals, State, event_id};
use crate::node::fake::{FakeNode, demo, home, source};
use crate::offices::Offices;
use crate::{ActRow, ConsoleError, Journal, Person, Role, SetClock, StaffId};

/// When tests begin, minutes since the Unix epoch.
pub(crate) const NOW: u32 = 27_700_000;
pub(crate) const KEEP_DAYS: u32 = 30;

pub(crate) struct World {
    pub(crate) node: FakeNode,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) proposals: Arc<Proposals>,
}

pub(crate) fn person(number: u8, roles: &[Role]) -> Person {
    Person {
        id: StaffId([number; 8]),
        name: format!("Person {number}"),
        roles: roles.iter().copied().collect(),
    }
}

/// Proposes.
pub(crate) fn clerk() -> Person {
    person(1, &[Role::Clerk])
}

/// Agrees; may also propose, which helps with an own proposal nothing.
pub(crate) fn approver() -> Person {
    person(2, &[Role::Approver, Role::Clerk, Role::AppealsOfficer])
}

pub(crate) fn officer() -> Person {
    person(3, &[Role::AppealsOfficer])
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

pub(crate) fn resident(number: u16) -> IdentityNumber {
    IdentityNumber::assemble(330_102, (1990, 1, 1), number).unwrap()
}

pub(crate) fn number_of(number: u16) -> String {
    String::from_utf8(resident(number).expose().to_vec()).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let node = FakeNode::start().await;
        let entropy = Arc::new(Entropy::from_seed([3; 32]));
        let ring = KeyRing::generate(&entropy);
        let identity = StoreIdentity {
            federation: "demo".to_owned(),
            province: home(),
        };
        let store = Arc::new(MemoryStore::default());
        let vault = Arc::new(Vault::open(store, &identity, ring, entropy).unwrap());
        let clock = Arc::new(SetClock::at_s(u64::from(NOW) * 60));
        let proposals = open(&vault, &clock, node.offices());
        Self {
            node,
            vault,
            clock,
            proposals,
        }
    }

    /// The console after a start anew; the node may be somewhere else.
    pub(crate) fn reopen(&mut self, address: &str) {
        let offices = self.node.offices_at(address);
        self.proposals = open(&self.vault, &self.clock, offices);
    }

    /// The console after a start anew that signs for no office any more.
    pub(crate) fn reopen_without_offices(&mut self) {
        let nowhere = Offices::new(&demo(), home(), "127.0.0.1:9", Vec::new());
        self.proposals = open(&self.vault, &self.clock, nowhere.unwrap());
    }

    pub(crate) fn pass_min(&self, minutes: u32) {
        self.clock.pass_s(u64::from(minutes) * 60);
        *self.node.fake.now.lock() += minutes;
    }

    pub(crate) async fn propose(
        &self,
        person: &Person,
        request: &proto::ProposeRequest,
    ) -> Result<u32, ConsoleError> {
        let answer = self.proposals.propose(person, request).await?;
        Ok(answer.lapses_at_minute)
    }

    pub(crate) async fn judge(
        &self,
        person: &Person,
        id: u8,
        refusal: &str,
    ) -> Result<proto::ProposalLine, ConsoleError> {
        let request = proto::JudgeProposalRequest {
            proposal_id: vec![id; 16],
            agrees: refusal.is_empty(),
            words: refusal.to_owned(),
            is_confirmation: false,
        };
        let answer = self.proposals.judge(person, &request).await?;
        Ok(answer.line.unwrap())
    }

    /// Confirms what the home contests.
    pub(crate) async fn confirm(
        &self,
        person: &Person,
        id: u8,
    ) -> Result<proto::ProposalLine, ConsoleError> {
        let request = proto::JudgeProposalRequest {
            proposal_id: vec![id; 16],
            agrees: true,
            words: String::new(),
            is_confirmation: true,
        };
        let answer = self.proposals.judge(person, &request).await?;
        Ok(answer.line.unwrap())
    }

    /// Proposes a contact of somebody who lives in another province, and has it be agreed on and handed in.
    pub(crate) async fn forward(&self, id: u8) -> proto::ProposalLine {
        let mut request = contact(id, id.into());
        if let Some(proto::propose_request::What::Statement(statement)) = &mut request.what {
            statement.home_province = 35;
        }
        self.propose(&clerk(), &request).await.unwrap();
        self.judge(&approver(), id, "").await.unwrap()
    }

    /// Has the node say from now on how far the event of a proposal is.
    pub(crate) fn is_onward(&self, id: u8, answer: GetForwardedResponse) {
        let event = event_id(&[id; 16], source(SourceKind::Cdc));
        self.node.fake.onward.lock().insert(event, answer);
    }

    pub(crate) async fn read(
        &self,
        person: &Person,
        id: u8,
    ) -> Result<proto::ReadProposalResponse, ConsoleError> {
        let request = proto::ReadProposalRequest {
            proposal_id: vec![id; 16],
        };
        self.proposals.read(person, &request).await
    }

    pub(crate) fn list(&self, person: &Person, only_waiting: bool) -> proto::ListProposalsResponse {
        let request = proto::ListProposalsRequest {
            only_waiting,
            before: 0,
            is_by_itself: false,
        };
        self.proposals.list(person, &request).unwrap()
    }

    pub(crate) fn state(&self, id: u8) -> State {
        self.proposals.find(&[id; 16]).unwrap().1.state
    }

    /// What was done, oldest first.
    pub(crate) fn acts(&self) -> Vec<ActRow> {
        let rows = self.vault.list::<ActRow>(Table::Acts, &[]).unwrap();
        rows.into_iter().map(|(_, act)| act).collect()
    }

    pub(crate) fn act_words(&self) -> Vec<String> {
        self.acts().into_iter().map(|act| act.what).collect()
    }
}

fn open(vault: &Arc<Vault>, clock: &Arc<SetClock>, offices: Offices) -> Arc<Proposals> {
    let clock: Arc<dyn crate::Clock> = Arc::clone(clock) as _;
    let journal = Arc::new(Journal::open(Arc::clone(vault), clock).unwrap());
    Arc::new(Proposals::open(journal, Arc::new(offices), KEEP_DAYS).unwrap())
}

/// A contact that the CDC states.
pub(crate) fn contact(id: u8, of: u16) -> proto::ProposeRequest {
    statement(
        id,
        proto::Statement {
            source: source(SourceKind::Cdc).to_string(),
            identity_number: number_of(of),
            kind: proto::StatementKind::Contact.into(),
            at_minute: NOW - 600,
            where_province: 33,
            contact: proto::ContactGrade::Close.into(),
            ..Default::default()
        },
    )
}

/// The end of an event.
pub(crate) fn release(of: u16, target: &[u8]) -> proto::Statement {
    proto::Statement {
        source: source(SourceKind::Cdc).to_string(),
        identity_number: number_of(of),
        kind: proto::StatementKind::Release.into(),
        at_minute: NOW - 60,
        target_event: target.to_vec(),
        ..Default::default()
    }
}

pub(crate) fn statement(id: u8, statement: proto::Statement) -> proto::ProposeRequest {
    proto::ProposeRequest {
        proposal_id: vec![id; 16],
        what: Some(proto::propose_request::What::Statement(statement)),
        grounds: "as the case told us on the telephone".to_owned(),
    }
}
