//! A host: a thread that stands where the host stands, and does everything that is done there.

use std::fmt;
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Who stands on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The node of a province.
    Node(u8),
    /// A gate, by number.
    Gate(u8),
}

impl Place {
    /// Last part of its address.
    pub(crate) const fn octet(self) -> u8 {
        match self {
            Self::Node(code) => code,
            Self::Gate(number) => 100 + number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(code) => write!(f, "node-{code}"),
            Self::Gate(number) => write!(f, "gate-{number}"),
        }
    }
}

/// A host. Its processes are children of its thread and end with it.
pub struct Host {
    /// Where others reach it.
    pub address: IpAddr,
    /// Where only it reaches itself.
    pub own: IpAddr,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Opens a host, in the network namespace that `space` names if there is one.
    pub(crate) fn open(address: IpAddr, own: IpAddr, space: Option<PathBuf>) -> Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (say, said) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = enter(space.as_ref()).and_then(|()| {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                Ok(runtime.enable_all().build()?)
            });
            match runtime {
                Ok(runtime) => {
                    let _ = say.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(stopped);
                    runtime.shutdown_background();
                }
                Err(error) => drop(say.send(Err(error))),
            }
        });
        let runtime = said.recv().map_err(|_| anyhow!("a host's thread died"))??;
        Ok(Self {
            address,
            own,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Does something there: what it connects, listens at or starts is the host's.
    ///
    /// # Errors
    /// If it panicked.
    pub async fn within<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        self.runtime.spawn(work).await.context("work on a host")
    }

    /// Begins something there that goes on.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Starts a process there.
    pub(crate) async fn start(&self, mut command: Command) -> Result<Child> {
        let name = command.get_program().to_owned();
        let started = self.within(async move { command.spawn() }).await?;
        started.with_context(|| name.to_string_lossy().into_owned())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn enter(space: Option<&PathBuf>) -> Result<()> {
    let Some(path) = space else {
        return Ok(());
    };
    let file = File::open(path).with_context(|| path.display().to_string())?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .with_context(|| format!("entering {}", path.display()))
}
