use std::sync::Arc;
use std::time::Duration;

use commitment::Slot;
use federation::{Caller, pass_on};
use rules::ProvinceCode;
use tonic::{Request, Response, Status};
use wire::federation::v1 as proto;
use wire::federation::v1::log_service_server::LogService;
use wire::{CheckpointOffer, ReadPart, Reason};

use super::Desk;
use crate::Node;
use crate::peers::Peers;

/// Parts that are read before one cosignature: what is left is read before the next.
const PARTS_AT_ONCE: usize = 16;
/// Time for them. A log that does not give its entries is cosigned all the same: that it only grew is shown without them.
const READING_TIME: Duration = Duration::from_secs(2);

pub(super) struct LogDesk {
    pub(super) desk: Desk,
    pub(super) peers: Arc<Peers>,
}

impl LogDesk {
    /// Reads what the log of a province has more, as far as it gives it.
    async fn read_on(&self, from: ProvinceCode, offer: &CheckpointOffer) -> Result<(), Status> {
        let channel = self.peers.channel(from);
        let channel = channel.ok_or_else(|| wire::status(Reason::NotFound))?;
        let mut client = wire::log_client(channel);
        let (slot, checkpoint) = (offer.keys.keys.slot, &offer.request.checkpoint);
        // What was read of a checkpoint that was not cosigned need not be what the log serves now.
        let refit = async |is_refused: bool| {
            let of = checkpoint.clone();
            let refit = move |node: &Arc<Node>| node.refit_mirror(slot, &of, is_refused);
            self.desk.ask(refit).await
        };
        let mut end = refit(false).await?;
        let mut is_refit = false;
        for _ in 0..PARTS_AT_ONCE {
            if end >= checkpoint.size() {
                break;
            }
            let request = pass_on(proto::GetLogPartRequest {
                slot: slot.get().into(),
                first: end,
                size: checkpoint.size(),
            });
            let answer = client.get_log_part(request).await?;
            let ReadPart(part) = answer.get_ref().try_into()?;
            let of = checkpoint.clone();
            let taken = self.desk.ask(move |node| node.mirror(slot, &part, &of));
            end = match taken.await {
                Ok(end) => end,
                Err(status)
                    if !is_refit && wire::reason_of(&status) == Some(Reason::CheckpointRefused) =>
                {
                    is_refit = true;
                    refit(true).await?
                }
                Err(status) => return Err(status),
            };
        }
        let of = checkpoint.clone();
        self.desk
            .ask(move |node| node.complete_mirror(slot, &of))
            .await
    }
}

#[tonic::async_trait]
impl LogService for LogDesk {
    async fn add_checkpoint(
        &self,
        request: Request<proto::AddCheckpointRequest>,
    ) -> Result<Response<proto::AddCheckpointResponse>, Status> {
        super::federation::check_member(&self.desk, &request)?;
        let from = Caller::peer_of(&request)?.province;
        let offer: CheckpointOffer = request.get_ref().try_into()?;
        let asked = offer.clone();
        let is_wanted = self
            .desk
            .ask(move |node| Ok(node.would_witness(from, &asked)))
            .await?;
        if is_wanted {
            // What is cosigned is held first, so that it can be given back to a node that lost it.
            let read = tokio::time::timeout(READING_TIME, self.read_on(from, &offer)).await;
            let code = match read {
                Ok(Ok(())) => None,
                Ok(Err(status)) => Some(status.code()),
                Err(_) => Some(tonic::Code::DeadlineExceeded),
            };
            if let Some(code) = code {
                tracing::warn!(
                    province = from.get(),
                    ?code,
                    "a log that is cosigned was not read to its end"
                );
            }
        }
        let answer = self.desk.ask(move |node| node.witness(from, &offer));
        Ok(Response::new((&answer.await?).into()))
    }

    async fn get_log_part(
        &self,
        request: Request<proto::GetLogPartRequest>,
    ) -> Result<Response<proto::GetLogPartResponse>, Status> {
        super::federation::check_member(&self.desk, &request)?;
        let proto::GetLogPartRequest { slot, first, size } = *request.get_ref();
        let slot = slot_of(slot)?;
        let part = self.desk.ask(move |node| node.log_part(slot, first, size));
        Ok(Response::new(wire::log_part_response(&part.await?)?))
    }

    async fn get_witnessed(
        &self,
        request: Request<proto::GetWitnessedRequest>,
    ) -> Result<Response<proto::GetWitnessedResponse>, Status> {
        super::federation::check_member(&self.desk, &request)?;
        let slot = slot_of(request.get_ref().slot)?;
        let witnessed = self.desk.ask(move |node| node.witnessed(slot)).await?;
        Ok(Response::new((&witnessed).into()))
    }
}

fn slot_of(number: u32) -> Result<Slot, Status> {
    let slot = u8::try_from(number).ok().and_then(Slot::new);
    slot.ok_or_else(|| wire::status(Reason::NotFound))
}
