use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

use store::write_backup;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use wire::maintenance::v1 as proto;
use wire::maintenance::v1::maintenance_service_server::MaintenanceService;

use super::Upkeep;
use crate::keys::seal_to;

/// Bytes of a backup in one message.
const CHUNK_LEN_BYTES: usize = 65_536;
/// Messages that may wait for whoever reads a backup.
const CHUNKS_WAITING: usize = 16;

pub(super) struct MaintenanceDesk(pub(super) Arc<Upkeep>);

/// Why an order to look after the store was not carried out, for the operator's own eyes.
fn failed(error: impl std::fmt::Display) -> Status {
    tracing::error!(%error, "looking after the store failed");
    Status::failed_precondition(error.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| failed("the work died"))?
}

#[tonic::async_trait]
impl MaintenanceService for MaintenanceDesk {
    type BackupStream =
        Pin<Box<dyn Stream<Item = Result<proto::BackupResponse, Status>> + Send + 'static>>;

    async fn backup(
        &self,
        _: Request<proto::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let upkeep = Arc::clone(&self.0);
        if upkeep.recipients.is_empty() {
            return Err(failed(
                "store.backup_recipients names nobody who could read a backup",
            ));
        }
        let (chunks, stream) = mpsc::channel(CHUNKS_WAITING);
        tokio::task::spawn_blocking(move || {
            let out = Chunks {
                chunks: chunks.clone(),
                bytes: Vec::with_capacity(CHUNK_LEN_BYTES),
            };
            if let Err(status) = back_up(&upkeep, out) {
                let _ = chunks.blocking_send(Err(status));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn compact(
        &self,
        _: Request<proto::CompactRequest>,
    ) -> Result<Response<proto::CompactResponse>, Status> {
        let upkeep = Arc::clone(&self.0);
        let done = blocking(move || {
            let before = upkeep.disk.usage().map_err(failed)?;
            let backend = upkeep.disk.backend();
            upkeep.disk.compact(backend, &mut |_| ()).map_err(failed)?;
            let after = upkeep.disk.usage().map_err(failed)?;
            tracing::info!(rows = after.rows, "the store is compacted");
            Ok(proto::CompactResponse {
                rows: after.rows,
                before_bytes: before.size_bytes,
                after_bytes: after.size_bytes,
            })
        });
        Ok(Response::new(done.await?))
    }

    async fn renew_keys(
        &self,
        _: Request<proto::RenewKeysRequest>,
    ) -> Result<Response<proto::RenewKeysResponse>, Status> {
        let upkeep = Arc::clone(&self.0);
        let done = blocking(move || {
            let ring = (upkeep.read_ring)().map_err(failed)?;
            let newest = ring.newest();
            upkeep.vault.take_ring(ring).map_err(failed)?;
            let rewrapped = upkeep.vault.rewrap(&mut |_| ()).map_err(failed)?;
            tracing::info!(newest, rewrapped, "data keys are wrapped anew");
            Ok(proto::RenewKeysResponse { rewrapped, newest })
        });
        Ok(Response::new(done.await?))
    }
}

fn back_up(upkeep: &Upkeep, out: Chunks) -> Result<(), Status> {
    let mut sealed = seal_to(&upkeep.recipients, out).map_err(failed)?;
    let tally = write_backup(&*upkeep.disk, &mut sealed, &mut |_| ()).map_err(failed)?;
    let mut out = sealed.finish().map_err(failed)?;
    out.flush().map_err(failed)?;
    tracing::info!(rows = tally.rows, "a backup is taken");
    Ok(())
}

/// Bytes that leave as messages.
struct Chunks {
    chunks: mpsc::Sender<Result<proto::BackupResponse, Status>>,
    bytes: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(CHUNK_LEN_BYTES - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        if self.bytes.len() == CHUNK_LEN_BYTES {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.bytes, Vec::with_capacity(CHUNK_LEN_BYTES));
        self.chunks
            .blocking_send(Ok(proto::BackupResponse { chunk }))
            .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
