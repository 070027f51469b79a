use std::sync::Arc;
use std::time::Instant;

use commitment::Epoch;
use rules::{Minute, SourceId};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};
use wire::operator::v1 as proto;
use wire::operator::v1::operator_service_server::OperatorService;
use wire::{Reason, WireError};

use super::Desk;
use crate::assemble::assemble;
use crate::peers::Peers;
use crate::{Retained, SourceIntake};

pub(super) struct OperatorDesk {
    pub(super) desk: Desk,
    pub(super) peers: Arc<Peers>,
    pub(super) end: Arc<Notify>,
}

fn minute(field: &'static str, minute: u32) -> Result<Minute, Status> {
    Minute::new(minute).map_err(|_| WireError::Malformed { field }.into())
}

fn source_intake(told: &SourceIntake<'_>) -> proto::SourceIntake {
    let (grant, tally) = (&told.source.grant, &told.tally);
    let until = Some(grant.until).filter(|until| *until != Minute::MAX);
    proto::SourceIntake {
        source: told.id.to_string(),
        name: told.source.name.clone(),
        since_minute: grant.since.get(),
        until_minute: until.map_or(0, Minute::get),
        accepted: tally.accepted,
        duplicates: tally.duplicates,
        forwarded: tally.forwarded,
        refused: tally.refused,
        last_at_minute: tally.last_at.map_or(0, Minute::get),
    }
}

fn took_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[tonic::async_trait]
impl OperatorService for OperatorDesk {
    async fn close_epoch(
        &self,
        request: Request<proto::CloseEpochRequest>,
    ) -> Result<Response<proto::CloseEpochResponse>, Status> {
        let began = Instant::now();
        let request = request.get_ref();
        let epoch = Epoch::new(request.epoch);
        let as_of = minute("as_of_minute", request.as_of_minute)?;
        let closed = self
            .desk
            .ask(move |node| node.close_epoch(epoch, as_of))
            .await?;
        Ok(Response::new(proto::CloseEpochResponse {
            head: closed.head.to_bytes(),
            records: closed.records.into(),
            took_ms: took_ms(began),
        }))
    }

    async fn assemble_registry(
        &self,
        request: Request<proto::AssembleRegistryRequest>,
    ) -> Result<Response<proto::AssembleRegistryResponse>, Status> {
        let began = Instant::now();
        let epoch = Epoch::new(request.get_ref().epoch);
        let assembled = assemble(&self.desk, &self.peers, epoch).await?;
        Ok(Response::new(proto::AssembleRegistryResponse {
            provinces: assembled.provinces,
            cosignatures: assembled.cosignatures,
            took_ms: took_ms(began),
        }))
    }

    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        let node = self.desk.node();
        let (retained_at, retained) = node
            .retained_last()
            .unwrap_or((Minute::ZERO, Retained::default()));
        let state = if node.is_draining() {
            proto::NodeState::Draining
        } else {
            proto::NodeState::Serving
        };
        let trust = node.trust_list();
        Ok(Response::new(proto::GetStatusResponse {
            state: state.into(),
            now_minute: node.clock().now().get(),
            closed_epoch: node.closed_epoch().map_or(0, Epoch::get),
            registry_epoch: node.newest_registry_epoch().map_or(0, Epoch::get),
            residents: node.residents(),
            events: node.events(),
            proofs_queued: u32::try_from(node.proofs_queued()).unwrap_or(u32::MAX),
            proofs_made: node.proof_times().made(),
            prove_ms_median: node.proof_times().median_ms(),
            root_sequence: node.root_sequence(),
            online_sequence: trust.map_or(0, |t| t.online().sequence.get()),
            horizon_days: node.horizon_days(),
            retained_at_minute: retained_at.get(),
            retained_events: retained.events,
            retained_erased: retained.erased,
        }))
    }

    async fn list_sources(
        &self,
        request: Request<proto::ListSourcesRequest>,
    ) -> Result<Response<proto::ListSourcesResponse>, Status> {
        let after = &request.get_ref().after;
        let after = match &after[..] {
            "" => None,
            text => Some(SourceId::parse(text).ok_or(WireError::Malformed { field: "after" })?),
        };
        let sources = self.desk.node().source_intake(after);
        Ok(Response::new(proto::ListSourcesResponse {
            sources: sources.iter().map(source_intake).collect(),
        }))
    }

    async fn drain(
        &self,
        _: Request<proto::DrainRequest>,
    ) -> Result<Response<proto::DrainResponse>, Status> {
        self.desk.node().begin_drain();
        self.end.notify_one();
        Ok(Response::new(proto::DrainResponse {}))
    }

    async fn advance_clock(
        &self,
        request: Request<proto::AdvanceClockRequest>,
    ) -> Result<Response<proto::AdvanceClockResponse>, Status> {
        let to = minute("to_minute", request.get_ref().to_minute)?;
        let clock = self.desk.node().clock();
        if !clock.advance_to(to) {
            return Err(wire::status(Reason::RealClock));
        }
        Ok(Response::new(proto::AdvanceClockResponse {
            now_minute: clock.now().get(),
        }))
    }
}
