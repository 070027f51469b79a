//! What the page calls: each call with who may make it, then whoever does it.

use std::sync::Arc;

use rules::ProvinceCode;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Request, Response, Status};
use wire::console::v1 as proto;
use wire::console::v1::console_service_server::ConsoleService;
use wire::{Method, Reason};

use crate::admission::{Admission, cookies};
use crate::cases::Cases;
use crate::offices::Offices;
use crate::overview::Overview;
use crate::passkeys::{Passkeys, SignIn};
use crate::proposals::{PROPOSAL_LAPSES_MIN, Proposals};
use crate::sessions::no_cookie;
use crate::{About, ActRow, ConsoleError, Journal, Role, What};

/// Most acts in one answer.
const ACTS_MAX: u64 = 128;

/// What the calls are answered from. A console has few people: a commit's few milliseconds are spent on the runtime's own threads.
pub(crate) struct Desk {
    pub(crate) federation: String,
    pub(crate) province: ProvinceCode,
    pub(crate) journal: Arc<Journal>,
    pub(crate) admission: Admission,
    pub(crate) passkeys: Arc<Passkeys>,
    pub(crate) offices: Arc<Offices>,
    pub(crate) proposals: Arc<Proposals>,
    pub(crate) cases: Cases,
    pub(crate) overview: Overview,
    /// Whether what the federation publishes is told here.
    pub(crate) tells_published: bool,
}

impl Desk {
    /// An answer with the cookie of a session that has begun, in place of the session that the call's own cookie names.
    fn begun<T>(
        &self,
        metadata: &MetadataMap,
        begun: &str,
        answer: T,
    ) -> Result<Response<T>, ConsoleError> {
        self.admission.sessions.end(cookies(metadata));
        with_cookie(answer, begun)
    }
}

#[tonic::async_trait]
impl ConsoleService for Desk {
    async fn begin_enrol(
        &self,
        request: Request<proto::BeginEnrolRequest>,
    ) -> Result<Response<proto::BeginEnrolResponse>, Status> {
        let from = federation::address_of(&request);
        let options_json = self.passkeys.begin_enrol(&request.get_ref().code, from)?;
        Ok(Response::new(proto::BeginEnrolResponse { options_json }))
    }

    async fn enrol(
        &self,
        request: Request<proto::EnrolRequest>,
    ) -> Result<Response<proto::EnrolResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let enrolled = self.passkeys.enrol(&message.code, &message.credential_json);
        Ok(self.begun(&metadata, &enrolled?, proto::EnrolResponse {})?)
    }

    async fn begin_sign_in(
        &self,
        request: Request<proto::BeginSignInRequest>,
    ) -> Result<Response<proto::BeginSignInResponse>, Status> {
        let options_json = self
            .passkeys
            .begin_sign_in(federation::address_of(&request))?;
        Ok(Response::new(proto::BeginSignInResponse { options_json }))
    }

    async fn sign_in(
        &self,
        request: Request<proto::SignInRequest>,
    ) -> Result<Response<proto::SignInResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        match self.passkeys.sign_in(&message.credential_json)? {
            SignIn::By(_, begun) => Ok(self.begun(&metadata, &begun, proto::SignInResponse {})?),
            SignIn::ByCopy(_) => Err(wire::status(Reason::PasskeyRefused)),
        }
    }

    async fn sign_out(
        &self,
        request: Request<proto::SignOutRequest>,
    ) -> Result<Response<proto::SignOutResponse>, Status> {
        let ended = self.admission.sessions.end(cookies(request.metadata()));
        if let Some(person) = ended.and_then(|who| self.admission.staff.now().get(who).cloned()) {
            let mut entry = self.journal.begin();
            entry.note(Some(&person), What::SignedOut, About::Nothing, "");
            entry.commit()?;
        }
        Ok(with_cookie(proto::SignOutResponse {}, &no_cookie())?)
    }

    async fn get_desk(
        &self,
        request: Request<proto::GetDeskRequest>,
    ) -> Result<Response<proto::GetDeskResponse>, Status> {
        let person = self
            .admission
            .admitted(Method::GetDesk, request.metadata(), false)?;
        let (_, ends_at_s) = self.admission.signed_in(request.metadata(), false)?;
        Ok(Response::new(proto::GetDeskResponse {
            name: person.name,
            roles: person.roles.iter().map(|role| told(role).into()).collect(),
            offices: self.offices.told(),
            federation: self.federation.clone(),
            province: self.province.get().into(),
            ends_at_s,
            now_s: self.journal.clock().now_s(),
            proposal_lapses_min: PROPOSAL_LAPSES_MIN,
            tells_published: self.tells_published,
        }))
    }

    async fn propose(
        &self,
        request: Request<proto::ProposeRequest>,
    ) -> Result<Response<proto::ProposeResponse>, Status> {
        let person = self.admission.admit(Method::Propose, &request)?;
        let proposed = self.proposals.propose(&person, request.get_ref()).await;
        Ok(Response::new(proposed?))
    }

    async fn list_proposals(
        &self,
        request: Request<proto::ListProposalsRequest>,
    ) -> Result<Response<proto::ListProposalsResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        let person =
            self.admission
                .admitted(Method::ListProposals, metadata, !asked.is_by_itself)?;
        let listed = self.proposals.list(&person, asked);
        Ok(Response::new(listed?))
    }

    async fn read_proposal(
        &self,
        request: Request<proto::ReadProposalRequest>,
    ) -> Result<Response<proto::ReadProposalResponse>, Status> {
        let person = self.admission.admit(Method::ReadProposal, &request)?;
        let read = self.proposals.read(&person, request.get_ref()).await;
        Ok(Response::new(read?))
    }

    async fn judge_proposal(
        &self,
        request: Request<proto::JudgeProposalRequest>,
    ) -> Result<Response<proto::JudgeProposalResponse>, Status> {
        let person = self.admission.admit(Method::JudgeProposal, &request)?;
        let judged = self.proposals.judge(&person, request.get_ref()).await;
        Ok(Response::new(judged?))
    }

    async fn withdraw_proposal(
        &self,
        request: Request<proto::WithdrawProposalRequest>,
    ) -> Result<Response<proto::WithdrawProposalResponse>, Status> {
        let person = self.admission.admit(Method::WithdrawProposal, &request)?;
        let withdrawn = self.proposals.withdraw(&person, request.get_ref());
        Ok(Response::new(withdrawn?))
    }

    async fn list_cases(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Result<Response<proto::ListCasesResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admission
            .admitted(Method::ListCases, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.cases.list(asked).await?))
    }

    async fn read_case(
        &self,
        request: Request<proto::ReadCaseRequest>,
    ) -> Result<Response<proto::ReadCaseResponse>, Status> {
        let person = self.admission.admit(Method::ReadCase, &request)?;
        let read = self.cases.read(&person, request.get_ref()).await;
        Ok(Response::new(read?))
    }

    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Result<Response<proto::GetOverviewResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admission
            .admitted(Method::GetConsoleOverview, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.overview.get().await))
    }

    async fn list_intake(
        &self,
        request: Request<proto::ListIntakeRequest>,
    ) -> Result<Response<proto::ListIntakeResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admission
            .admitted(Method::ListIntake, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.overview.intake(&asked.after).await?))
    }

    async fn list_acts(
        &self,
        request: Request<proto::ListActsRequest>,
    ) -> Result<Response<proto::ListActsResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admission
            .admitted(Method::ListActs, metadata, !asked.is_by_itself)?;
        let head = self.journal.head();
        let acts = self.journal.list(asked.before, ACTS_MAX)?;
        let oldest = acts.last().map_or(0, |(number, _)| *number);
        Ok(Response::new(proto::ListActsResponse {
            acts: acts.into_iter().map(act).collect(),
            next: if oldest > 1 { oldest } else { 0 },
            head: head.digest.to_vec(),
        }))
    }
}

fn act((number, row): (u64, ActRow)) -> proto::Act {
    proto::Act {
        number,
        at_s: row.at_s,
        who: row.who_name,
        what: row.what,
        about: row.about,
        words: row.words,
    }
}

const fn told(role: Role) -> proto::StaffRole {
    match role {
        Role::Clerk => proto::StaffRole::Clerk,
        Role::Approver => proto::StaffRole::Approver,
        Role::AppealsOfficer => proto::StaffRole::AppealsOfficer,
        Role::Operator => proto::StaffRole::Operator,
        Role::Auditor => proto::StaffRole::Auditor,
    }
}

fn with_cookie<T>(answer: T, cookie: &str) -> Result<Response<T>, ConsoleError> {
    let value: MetadataValue<Ascii> = cookie
        .parse()
        .map_err(|_| ConsoleError::Fault("a cookie is no header"))?;
    let mut response = Response::new(answer);
    response.metadata_mut().insert("set-cookie", value);
    Ok(response)
}

#[cfg(test)]
mod tests;
