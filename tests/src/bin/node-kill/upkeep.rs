//! What an operator orders over the control socket while the node is under load.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::store::Entropy;
use node::{Opener, Sealing, control_channel, read_ring, write_ring};
use tonic::{Code, Status};
use wire::maintenance::v1 as proto;

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Compact,
    /// A new wrapping key, and all older ones retired when every data key is under it.
    RenewKeys,
    BackUp,
}

impl Work {
    pub(crate) const ALL: [Self; 3] = [Self::Compact, Self::RenewKeys, Self::BackUp];
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Nothing,
    Under(Work),
    After(Work),
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "killed under load alone",
            Self::Under(Work::Compact) => "killed while compacting",
            Self::Under(Work::RenewKeys) => "killed while renewing keys",
            Self::Under(Work::BackUp) => "killed while backing up",
            Self::After(Work::Compact) => "killed after compacting",
            Self::After(Work::RenewKeys) => "killed after renewing keys",
            Self::After(Work::BackUp) => "killed after backing up",
        })
    }
}

/// An order to a node.
pub(crate) struct Order {
    pub(crate) work: Work,
    pub(crate) data_dir: PathBuf,
    pub(crate) ring: PathBuf,
    pub(crate) entropy: Entropy,
}

impl Order {
    /// Carries it out after some time; an error is what was wrong besides that the node is gone.
    pub(crate) async fn carry_out(
        self,
        wait: Duration,
        stage: Arc<Mutex<Stage>>,
    ) -> Result<(), String> {
        let set = |now| *stage.lock().unwrap_or_else(PoisonError::into_inner) = now;
        tokio::time::sleep(wait).await;
        // A node that is gone already answers in several ways.
        let Ok(Some(channel)) = control_channel(&self.data_dir).await else {
            return Ok(());
        };
        let mut node = wire::client::maintenance(channel);
        if self.work == Work::RenewKeys {
            change(&self.ring, |ring| ring.rotate(&self.entropy).map(drop))?;
        }
        set(Stage::Under(self.work));
        let done = match self.work {
            Work::Compact => node.compact(proto::CompactRequest {}).await.map(drop),
            Work::RenewKeys => node.renew_keys(proto::RenewKeysRequest {}).await.map(drop),
            Work::BackUp => back_up(&mut node).await,
        };
        match done {
            Ok(()) => set(Stage::After(self.work)),
            Err(status) if status.code() == Code::FailedPrecondition => {
                return Err(format!("{:?} failed: {status}", self.work));
            }
            Err(_) => return Ok(()),
        }
        if self.work == Work::RenewKeys {
            // Whatever is under an older key from now on is lost.
            change(&self.ring, |ring| {
                let newest = ring.newest();
                let older = ring.numbers().into_iter().filter(|key| *key != newest);
                older.into_iter().try_for_each(|key| ring.retire(key))
            })?;
        }
        Ok(())
    }
}

fn change(
    file: &Path,
    change: impl FnOnce(&mut node::store::KeyRing) -> Result<(), String>,
) -> Result<(), String> {
    let opener = Opener {
        identity_file: None,
        token: None,
    };
    let mut ring = read_ring(file, opener)?;
    change(&mut ring)?;
    write_ring(file, &ring, Sealing::Plain)
}

/// Takes a backup and keeps none of it.
async fn back_up(
    node: &mut proto::maintenance_service_client::MaintenanceServiceClient<
        tonic::transport::Channel,
    >,
) -> Result<(), Status> {
    let mut chunks = node.backup(proto::BackupRequest {}).await?.into_inner();
    while chunks.message().await?.is_some() {}
    Ok(())
}
