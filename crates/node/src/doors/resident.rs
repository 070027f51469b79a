use commitment::Epoch;
use rules::{Minute, Rule, Text};
use tonic::{Request, Response, Status};
use wire::Padded as _;
use wire::resident::v1 as proto;
use wire::resident::v1::resident_service_server::ResidentService;

use super::{Desk, held};
use crate::appeals::OwnAppeal;
use crate::forward::{ForeignEvent, ForeignState};
use crate::grid::Grid;
use crate::proxies::KnownProxy;
use crate::query::Status as Own;
use crate::terms::PassTerms;
use crate::trail::ReadByOther;
use crate::{CaseState, Making, Node, Outcome, words};

/// How soon a device asks again for passes that are not made yet.
const RETRY_AFTER_MS: u32 = 1_000;

pub(super) struct ResidentDesk(pub(super) Desk);

#[tonic::async_trait]
impl ResidentService for ResidentDesk {
    async fn get_home(
        &self,
        _: Request<proto::GetHomeRequest>,
    ) -> Result<Response<proto::GetHomeResponse>, Status> {
        let node = self.0.node();
        Ok(Response::new(proto::GetHomeResponse {
            federation: node.federation().as_str().to_owned(),
            province: node.home().get().into(),
            now_minute: node.clock().now().get(),
            epoch: node.newest_registry_epoch().map_or(0, Epoch::get),
            retention_days: node.horizon_days(),
            pass_terms: node.pass_terms().map(terms),
        }))
    }

    async fn register(
        &self,
        request: Request<proto::RegisterRequest>,
    ) -> Result<Response<proto::RegisterResponse>, Status> {
        let node = self.0.node();
        if let Some(from) = federation::address_of(&request) {
            node.quotas.register_from(from)?;
        }
        let request = request.into_inner();
        // What is written, and so how long it takes, depends on who is known.
        let grid = Grid::begin(node.query_quantum());
        let registered = self.0.ask(move |node| node.register(&request)).await;
        grid.next().await;
        let device = registered?;
        Ok(Response::new(proto::RegisterResponse {
            device_key_id: device.0.to_vec(),
        }))
    }

    async fn declare_health(
        &self,
        request: Request<proto::DeclareHealthRequest>,
    ) -> Result<Response<proto::DeclareHealthResponse>, Status> {
        let request = request.into_inner();
        let declared = self
            .0
            .ask(move |node| node.declare_health(&request))
            .await?;
        Ok(Response::new(proto::DeclareHealthResponse {
            duplicate: declared.is_duplicate,
            receipt: held(declared.receipt.as_ref()),
            event: declared.event,
        }))
    }

    async fn declare_trip(
        &self,
        request: Request<proto::DeclareTripRequest>,
    ) -> Result<Response<proto::DeclareTripResponse>, Status> {
        let request = request.into_inner();
        let declared = self.0.ask(move |node| node.declare_trip(&request)).await?;
        Ok(Response::new(proto::DeclareTripResponse {
            duplicate: declared.is_duplicate,
            receipt: held(declared.receipt.as_ref()),
            event: declared.event,
        }))
    }

    async fn query(
        &self,
        request: Request<proto::QueryRequest>,
    ) -> Result<Response<proto::QueryResponse>, Status> {
        let request = request.into_inner();
        // How long a query takes, and how long its answer is, depends on what is known of the resident.
        let grid = Grid::begin(self.0.node().query_quantum());
        let answered = self
            .0
            .ask(move |node| Ok(answer(node, &node.query(&request)?)))
            .await;
        grid.next().await;
        let mut answer = answered?;
        answer.pad();
        Ok(Response::new(answer))
    }

    async fn request_use(
        &self,
        request: Request<proto::RequestUseRequest>,
    ) -> Result<Response<proto::RequestUseResponse>, Status> {
        let request = request.into_inner();
        let requested = self.0.ask(move |node| node.request_use(&request)).await?;
        Ok(Response::new(proto::RequestUseResponse {
            epoch: requested.epoch.get(),
            passes: u32::try_from(requested.passes).unwrap_or(u32::MAX),
            renew_delay_s: requested.renew_delay_s,
        }))
    }

    async fn make_code(
        &self,
        request: Request<proto::MakeCodeRequest>,
    ) -> Result<Response<proto::MakeCodeResponse>, Status> {
        let request = request.into_inner();
        let node = self.0.node();
        let grid = Grid::begin(node.answer_quantum());
        let latest = grid.point(node.pass_wait());
        // What is a status here does not depend on the record.
        let ended = match self.0.ask(move |node| node.make_code(&request)).await? {
            Making::Ready(outcome) => Some(outcome),
            Making::UnderWay(waiting) if waiting.wait(latest).await => {
                Some(self.0.ask(move |node| node.collect(&waiting)).await?)
            }
            Making::UnderWay(_) => None,
        };
        // A call that has waited to the end is at a point already.
        if ended.is_some() {
            grid.next().await;
        }
        Ok(Response::new(made(ended)))
    }

    async fn revoke_passes(
        &self,
        request: Request<proto::RevokePassesRequest>,
    ) -> Result<Response<proto::RevokePassesResponse>, Status> {
        let request = request.into_inner();
        let revoked = self.0.ask(move |node| node.revoke_passes(&request)).await?;
        Ok(Response::new(proto::RevokePassesResponse { revoked }))
    }

    async fn leave(
        &self,
        request: Request<proto::LeaveRequest>,
    ) -> Result<Response<proto::LeaveResponse>, Status> {
        let request = request.into_inner();
        // What is erased, and so how long it takes, depends on what is known.
        let grid = Grid::begin(self.0.node().query_quantum());
        let left = self.0.ask(move |node| node.leave(&request)).await;
        grid.next().await;
        left.map(|()| Response::new(proto::LeaveResponse {}))
    }

    async fn set_proxy(
        &self,
        request: Request<proto::SetProxyRequest>,
    ) -> Result<Response<proto::SetProxyResponse>, Status> {
        let request = request.into_inner();
        let proxies = self.0.ask(move |node| node.set_proxy(&request)).await?;
        let node = self.0.node();
        Ok(Response::new(proto::SetProxyResponse {
            proxies: proxies.iter().map(|p| proxy(node, p)).collect(),
        }))
    }

    async fn correct(
        &self,
        request: Request<proto::CorrectRequest>,
    ) -> Result<Response<proto::CorrectResponse>, Status> {
        let request = request.into_inner();
        let contested = self.0.ask(move |node| node.correct(&request)).await?;
        Ok(Response::new(proto::CorrectResponse {
            state: standing(contested.state).into(),
            receipt: held(contested.receipt.as_ref()),
        }))
    }
}

/// What passes are made from, as it travels.
fn terms(terms: PassTerms) -> proto::PassTerms {
    proto::PassTerms {
        epoch: terms.epoch.get(),
        as_of_minute: terms.as_of.get(),
        pass_age_max_min: terms.pass_age_max_min,
        card_pass_age_max_min: terms.card_pass_age_max_min,
        rule_set_ids: terms.rule_sets,
    }
}

/// How far a request for passes is, as it travels: at one length, whatever it says.
fn made(ended: Option<Outcome>) -> proto::MakeCodeResponse {
    let mut response = proto::MakeCodeResponse::default();
    match ended {
        Some(Outcome::Made(passes)) => {
            response.set_state(proto::MakeCodeState::Ready);
            response.passes = passes;
        }
        Some(Outcome::Refused(refusal)) => {
            response.set_state(proto::MakeCodeState::Refused);
            response.refusal = Some(refusal);
        }
        None => {
            response.set_state(proto::MakeCodeState::Pending);
            response.retry_after_ms = RETRY_AFTER_MS;
        }
    }
    response.pad();
    response
}

/// The own status as it travels.
fn answer(node: &Node, own: &Own) -> proto::QueryResponse {
    let otherwise = otherwise(own);
    let reasons = own.evaluation.reasons.iter().map(|reason| {
        let events = own.events_of(&reason.ground);
        let rule = own.rule_set.set().rule_of(reason.key).unwrap_or(&otherwise);
        let source = node.source_name(own, events);
        wire::resident_reason(reason, rule, events, &source, words::way_out)
    });
    let open = || {
        let reasons = own.evaluation.reasons.iter();
        reasons.filter(|r| r.state == rules::State::Open)
    };
    let ends: Option<Vec<_>> = open().map(|reason| reason.earliest_end).collect();
    let latest_end = ends.and_then(|days| days.into_iter().max());
    proto::QueryResponse {
        at_minute: own.at.get(),
        rule_set_id: own.rule_set.set().id().as_str().to_owned(),
        rule_set_version: own.rule_set.set().version(),
        colour: wire::pass::v1::Colour::from(own.evaluation.colour).into(),
        reasons: reasons.collect(),
        newest_negative_minute: own.folded.record.negatives().last().map(|m| m.get()),
        earliest_green_day: latest_end.map(|day| day.get().into()),
        padding: Vec::new(),
        foreign_events: own.foreign.iter().map(|e| foreign(node, e)).collect(),
        readings: own.readings.shown.iter().map(reading).collect(),
        readings_total: u32::try_from(own.readings.total).unwrap_or(u32::MAX),
        readings_next: own.readings.next.map_or(Vec::new(), |next| next.to_vec()),
        proxies: own.proxies.iter().map(|p| proxy(node, p)).collect(),
        appeals: own.appeals.iter().map(|own| appeal(node, own)).collect(),
    }
}

/// Where a contestation stands, as it travels.
const fn standing(state: CaseState) -> proto::CorrectionState {
    match state {
        CaseState::Open => proto::CorrectionState::Open,
        CaseState::Upheld => proto::CorrectionState::Upheld,
        CaseState::Dismissed => proto::CorrectionState::Dismissed,
    }
}

/// An own appeal as it travels.
fn appeal(node: &Node, own: &OwnAppeal) -> proto::Appeal {
    let mut message = proto::Appeal {
        case_id: own.case_id.0.to_vec(),
        event_id: own.event.0.to_vec(),
        kind: own.kind.unwrap_or_default().to_owned(),
        opened_at_minute: own.opened_at.get(),
        decide_by_minute: own.decide_by.get(),
        state: standing(own.state).into(),
        ..proto::Appeal::default()
    };
    if let Some(ended) = &own.ended {
        message.decided_at_minute = ended.at.get();
        message.words.clone_from(&ended.words);
        message.office = node.name_of_source(ended.office);
        (message.decision, message.signature) = ended.signed.clone();
    }
    message
}

/// An event of another province as it travels.
fn foreign(node: &Node, foreign: &ForeignEvent) -> proto::ForeignEvent {
    use proto::ForeignEventState as S;
    let (state, confirm_by) = match foreign.state {
        ForeignState::Accepted => (S::Accepted, None),
        ForeignState::Waiting { confirm_by } => (S::Waiting, Some(confirm_by)),
        ForeignState::Lapsed { confirm_by } => (S::Lapsed, Some(confirm_by)),
    };
    let event = &foreign.event;
    proto::ForeignEvent {
        event_id: event.id.0.to_vec(),
        sender_province: event.source.province.get().into(),
        source: node.name_of_source(event.source),
        kind: foreign.kind.to_owned(),
        issued_minute: event.issued_at.get(),
        state: state.into(),
        confirm_by_minute: confirm_by.map_or(0, Minute::get),
    }
}

/// A reading by somebody else as it travels.
fn reading(read: &ReadByOther) -> proto::Reading {
    proto::Reading {
        at_minute: read.at.get(),
        purpose: read.purpose.to_owned(),
        reader: read.reader.clone(),
        epoch: read.epoch.get(),
    }
}

/// A proxy as it travels.
fn proxy(node: &Node, proxy: &KnownProxy) -> proto::Proxy {
    let office = proxy.named_by.map(|office| node.name_of_source(office));
    proto::Proxy {
        proxy_key: proxy.key.clone(),
        label: proxy.label.clone(),
        since_minute: proxy.since.get(),
        until_minute: proxy.until.get(),
        last_used_minute: proxy.last_used.map_or(0, Minute::get),
        named_by: office.unwrap_or_default(),
    }
}

/// What the rule set says of grounds that none of its rules names.
fn otherwise(own: &Own) -> Rule {
    let nothing = || Text {
        zh: String::new(),
        en: String::new(),
    };
    Rule {
        id: String::new(),
        text: own
            .rule_set
            .set()
            .otherwise()
            .cloned()
            .unwrap_or_else(nothing),
        source: own.rule_set.set().source().to_owned(),
    }
}
