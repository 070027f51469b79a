//! Who may make which call: the closed table of roles, and the session that a call names.

use std::sync::Arc;

use tonic::Request;
use tonic::metadata::MetadataMap;
use wire::{Method, Reason};

use crate::sessions::Sessions;
use crate::staff::Staff;
use crate::{ConsoleError, Person, Role};

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nobody has to be signed in.
    Nothing,
    /// Anybody who is signed in.
    Session,
    /// Somebody with one of these roles. What else a call asks – of one role for one thing and another for another, or that a
    /// proposal is the own one – is judged where it is done.
    OneOf(&'static [Role]),
}

/// The table of roles; none for calls that are none of the console's.
pub(crate) const fn needs(method: Method) -> Option<Needs> {
    use Role::{AppealsOfficer, Approver, Auditor, Clerk, Operator};
    let needs = match method {
        Method::BeginEnrol
        | Method::Enrol
        | Method::BeginSignIn
        | Method::SignIn
        | Method::SignOut => Needs::Nothing,
        Method::GetDesk
        | Method::GetOverview
        | Method::GetRuleText
        | Method::GetCounts
        | Method::GetImpacts => Needs::Session,
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

/// Who works here, and who of them is signed in.
#[derive(Clone)]
pub(crate) struct Admission {
    pub(crate) staff: Staff,
    pub(crate) sessions: Arc<Sessions>,
}

impl Admission {
    /// Who makes a call, if they may. The session lasts by it.
    pub(crate) fn admit<T>(
        &self,
        method: Method,
        request: &Request<T>,
    ) -> Result<Person, ConsoleError> {
        self.admitted(method, request.metadata(), true)
    }

    /// Who makes a call, if they may. What a page asks by itself does not make a session last: nobody may be there.
    pub(crate) fn admitted(
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
    pub(crate) fn signed_in(
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
}

/// A call's `Cookie` headers: one, or as HTTP/2 may split it, several. None for a body of another type than calls have: a form on
/// somebody else's page can send such a one, and no other.
pub(crate) fn cookies(metadata: &MetadataMap) -> impl Iterator<Item = &str> {
    let of_type = metadata.get("content-type");
    let of_type = of_type.and_then(|value| value.to_str().ok());
    let is_call = of_type.is_some_and(|text| text.starts_with("application/grpc"));
    let headers = metadata.get_all("cookie").iter();
    headers
        .filter(move |_| is_call)
        .filter_map(|header| header.to_str().ok())
}
