//! What the page calls: each call with who may make it, then whoever does it.

use std::sync::Arc;

use rules::ProvinceCode;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Request, Response, Status};
use wire::console::v1 as proto;
use wire::console::v1::console_service_server::ConsoleService;
use wire::{Method, Reason};

use crate::cases::Cases;
use crate::offices::Offices;
use crate::overview::Overview;
use crate::passkeys::{Passkeys, SignIn};
use crate::proposals::{PROPOSAL_LAPSES_MIN, Proposals};
use crate::sessions::{Sessions, no_cookie};
use crate::staff::Staff;
use crate::{About, ActRow, ConsoleError, Journal, Person, Role, What};

/// Most acts in one answer.
const ACTS_MAX: u64 = 128;

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nobody has to be signed in.
    Nothing,
    /// Anybody who is signed in.
    Session,
    /// Somebody with one of these roles. What else a call asks – of one role for one thing and another for another, or that a
    /// proposal is the own one – is judged where it is done.
    OneOf(&'static [Role]),
}

/// The table of roles; none for calls that are none of the console's.
const fn needs(method: Method) -> Option<Needs> {
    use Role::{AppealsOfficer, Approver, Auditor, Clerk, Operator};
    let needs = match method {
        Method::BeginEnrol
        | Method::Enrol
        | Method::BeginSignIn
        | Method::SignIn
        | Method::SignOut => Needs::Nothing,
        Method::GetDesk => Needs::Session,
        Method::Propose | Method::WithdrawProposal => Needs::OneOf(&[Clerk, AppealsOfficer]),
        Method::ListProposals => Needs::OneOf(&[Clerk, Approver, AppealsOfficer, Auditor]),
        Method::ReadProposal => Needs::OneOf(&[Clerk, Approver, AppealsOfficer]),
        Method::JudgeProposal => Needs::OneOf(&[Approver]),
        Method::ListCases | Method::ReadCase => Needs::OneOf(&[AppealsOfficer]),
        Method::GetConsoleOverview | Method::ListIntake => Needs::OneOf(&[Operator, Auditor]),
        Method::ListActs => Needs::OneOf(&[Auditor]),
        _ => return None,
    };
    Some(needs)
}

/// What the calls are answered from. A console has few people: a commit's few milliseconds are spent on the runtime's own threads.
pub(crate) struct Desk {
    pub(crate) federation: String,
    pub(crate) province: ProvinceCode,
    pub(crate) journal: Arc<Journal>,
    pub(crate) staff: Staff,
    pub(crate) passkeys: Arc<Passkeys>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) offices: Arc<Offices>,
    pub(crate) proposals: Arc<Proposals>,
    pub(crate) cases: Cases,
    pub(crate) overview: Overview,
}

impl Desk {
    /// Who makes a call, if they may. The session lasts by it.
    fn admit<T>(&self, method: Method, request: &Request<T>) -> Result<Person, ConsoleError> {
        self.admitted(method, request.metadata(), true)
    }

    /// Who makes a call, if they may. What a page asks by itself does not make a session last: nobody may be there.
    fn admitted(
        &self,
        method: Method,
        metadata: &MetadataMap,
        prolongs: bool,
    ) -> Result<Person, ConsoleError> {
        let (person, _) = self.signed_in(metadata, prolongs)?;
        let may = match needs(method) {
            Some(Needs::OneOf(roles)) => roles.iter().any(|role| person.roles.has(*role)),
            Some(Needs::Session) => true,
            Some(Needs::Nothing) | None => false,
        };
        if may {
            Ok(person)
        } else {
            Err(Reason::RoleRefused.into())
        }
    }

    /// Who is signed in, and until when.
    fn signed_in(
        &self,
        metadata: &MetadataMap,
        prolongs: bool,
    ) -> Result<(Person, u64), ConsoleError> {
        let found = self.sessions.of(cookies(metadata), prolongs);
        let (who, ends_at_s) = found.ok_or(Reason::NotSignedIn)?;
        // As the list is now: roles that were taken away are gone with this call.
        let person = self.staff.now().get(who).cloned();
        Ok((person.ok_or(Reason::NotSignedIn)?, ends_at_s))
    }

    /// An answer with the cookie of a session that has begun, in place of the session that the call's own cookie names.
    fn begun<T>(
        &self,
        metadata: &MetadataMap,
        begun: &str,
        answer: T,
    ) -> Result<Response<T>, ConsoleError> {
        self.sessions.end(cookies(metadata));
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
        let ended = self.sessions.end(cookies(request.metadata()));
        if let Some(person) = ended.and_then(|who| self.staff.now().get(who).cloned()) {
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
        let person = self.admitted(Method::GetDesk, request.metadata(), false)?;
        let (_, ends_at_s) = self.signed_in(request.metadata(), false)?;
        Ok(Response::new(proto::GetDeskResponse {
            name: person.name,
            roles: person.roles.iter().map(|role| told(role).into()).collect(),
            offices: self.offices.told(),
            federation: self.federation.clone(),
            province: self.province.get().into(),
            ends_at_s,
            now_s: self.journal.clock().now_s(),
            proposal_lapses_min: PROPOSAL_LAPSES_MIN,
        }))
    }

    async fn propose(
        &self,
        request: Request<proto::ProposeRequest>,
    ) -> Result<Response<proto::ProposeResponse>, Status> {
        let person = self.admit(Method::Propose, &request)?;
        let proposed = self.proposals.propose(&person, request.get_ref()).await;
        Ok(Response::new(proposed?))
    }

    async fn list_proposals(
        &self,
        request: Request<proto::ListProposalsRequest>,
    ) -> Result<Response<proto::ListProposalsResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        let person = self.admitted(Method::ListProposals, metadata, !asked.is_by_itself)?;
        let listed = self.proposals.list(&person, asked);
        Ok(Response::new(listed?))
    }

    async fn read_proposal(
        &self,
        request: Request<proto::ReadProposalRequest>,
    ) -> Result<Response<proto::ReadProposalResponse>, Status> {
        let person = self.admit(Method::ReadProposal, &request)?;
        let read = self.proposals.read(&person, request.get_ref()).await;
        Ok(Response::new(read?))
    }

    async fn judge_proposal(
        &self,
        request: Request<proto::JudgeProposalRequest>,
    ) -> Result<Response<proto::JudgeProposalResponse>, Status> {
        let person = self.admit(Method::JudgeProposal, &request)?;
        let judged = self.proposals.judge(&person, request.get_ref()).await;
        Ok(Response::new(judged?))
    }

    async fn withdraw_proposal(
        &self,
        request: Request<proto::WithdrawProposalRequest>,
    ) -> Result<Response<proto::WithdrawProposalResponse>, Status> {
        let person = self.admit(Method::WithdrawProposal, &request)?;
        let withdrawn = self.proposals.withdraw(&person, request.get_ref());
        Ok(Response::new(withdrawn?))
    }

    async fn list_cases(
        &self,
        request: Request<proto::ListCasesRequest>,
    ) -> Result<Response<proto::ListCasesResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admitted(Method::ListCases, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.cases.list(asked).await?))
    }

    async fn read_case(
        &self,
        request: Request<proto::ReadCaseRequest>,
    ) -> Result<Response<proto::ReadCaseResponse>, Status> {
        let person = self.admit(Method::ReadCase, &request)?;
        let read = self.cases.read(&person, request.get_ref()).await;
        Ok(Response::new(read?))
    }

    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Result<Response<proto::GetOverviewResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admitted(Method::GetConsoleOverview, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.overview.get().await))
    }

    async fn list_intake(
        &self,
        request: Request<proto::ListIntakeRequest>,
    ) -> Result<Response<proto::ListIntakeResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admitted(Method::ListIntake, metadata, !asked.is_by_itself)?;
        Ok(Response::new(self.overview.intake(&asked.after).await?))
    }

    async fn list_acts(
        &self,
        request: Request<proto::ListActsRequest>,
    ) -> Result<Response<proto::ListActsResponse>, Status> {
        let (metadata, asked) = (request.metadata(), request.get_ref());
        self.admitted(Method::ListActs, metadata, !asked.is_by_itself)?;
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

/// A call's `Cookie` headers: one, or as HTTP/2 may split it, several. None for a body of another type than calls have: a form on
/// somebody else's page can send such a one, and no other.
fn cookies(metadata: &MetadataMap) -> impl Iterator<Item = &str> {
    let of_type = metadata.get("content-type");
    let of_type = of_type.and_then(|value| value.to_str().ok());
    let is_call = of_type.is_some_and(|text| text.starts_with("application/grpc"));
    let headers = metadata.get_all("cookie").iter();
    headers
        .filter(move |_| is_call)
        .filter_map(|header| header.to_str().ok())
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
