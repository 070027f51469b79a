//! Looking at everybody all the time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use wire::PublishedRegistry;
use wire::federation::v1::GetRegistryRequest;
use wire::gate::v1 as gate;
use wire::operator::v1 as op;

use crate::book::{Book, Said};
use crate::host::Place;
use crate::realm::places;
use crate::site::Site;

/// How often; figures are no finer.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// The book that everybody writes into.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<Book>>);

impl Books {
    /// The book; it is given back soon.
    pub fn open(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at everybody until it is dropped.
pub struct Watch(Vec<JoinHandle<()>>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Watch {
    /// Begins to look.
    pub fn begin(site: &Arc<Site>, books: &Books) -> Self {
        let look = |place| {
            let (site, books) = (Arc::clone(site), books.clone());
            tokio::spawn(async move {
                loop {
                    if site.runs(place) {
                        // Who cannot be asked says nothing.
                        let _ = look_at(&site, place, &books).await;
                    }
                    sleep(LOOK_EVERY).await;
                }
            })
        };
        Self(places().into_iter().map(look).collect())
    }
}

/// Asks somebody again and again over one connection; ends with an error.
async fn look_at(site: &Site, place: Place, books: &Books) -> Result<()> {
    match place {
        Place::Node(code) => {
            let mut client = site.operator(code).await?;
            loop {
                let asked = client.get_status(op::GetStatusRequest {});
                let answer = timeout(LOOK_LIMIT, asked).await??.into_inner();
                let said = Said {
                    closed: answer.closed_epoch,
                    registry: answer.registry_epoch,
                    root: answer.root_sequence,
                    online: answer.online_sequence,
                };
                let before = books
                    .open()
                    .last
                    .get(&place)
                    .map_or(0, |said| said.registry);
                if said.registry > before {
                    let asked = registry_at(site, code, said.registry);
                    let registry = timeout(LOOK_LIMIT, asked).await??;
                    let at = site.elapsed();
                    books.open().note_registry(at, place, &registry);
                }
                books.open().note(site.elapsed(), place, said);
                sleep(LOOK_EVERY).await;
            }
        }
        Place::Gate(number) => {
            let mut client = wire::client::gate(site.gate(number).await?);
            loop {
                let asked = client.get_status(gate::GetStatusRequest {});
                let answer = timeout(LOOK_LIMIT, asked).await??.into_inner();
                let said = Said {
                    closed: 0,
                    registry: answer.epoch,
                    root: answer.root_sequence,
                    online: answer.online_sequence,
                };
                books.open().note(site.elapsed(), place, said);
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// The registry of an epoch, as a node has it.
pub(crate) async fn registry_at(site: &Site, code: u8, epoch: u32) -> Result<PublishedRegistry> {
    let channel = site.as_one_of((code, "node"), code).await?;
    let mut client = wire::client::federation(channel);
    let answer = client.get_registry(GetRegistryRequest { epoch }).await?;
    Ok(PublishedRegistry::try_from(
        answer.get_ref().registry.as_ref(),
    )?)
}

/// Looks at every registry that these nodes keep, those among them that were never the newest; gives how many.
pub(crate) async fn look_at_all(site: &Site, nodes: &[u8], books: &Books) -> Result<u64> {
    let (first, last) = {
        let book = books.open();
        let mut epochs = book.registries.keys();
        let first = epochs.next().copied().unwrap_or(1);
        (first, epochs.next_back().copied().unwrap_or(first))
    };
    let mut seen = 0;
    for code in nodes {
        let channel = site.as_one_of((*code, "node"), *code).await?;
        let mut client = wire::client::federation(channel);
        for epoch in first..=last {
            let Ok(answer) = client.get_registry(GetRegistryRequest { epoch }).await else {
                continue; // it was away
            };
            let registry = PublishedRegistry::try_from(answer.get_ref().registry.as_ref())?;
            let at = site.elapsed();
            books
                .open()
                .note_registry(at, Place::Node(*code), &registry);
            seen += 1;
        }
    }
    Ok(seen)
}

/// Waits until something is in the book.
pub(crate) async fn until(
    books: &Books,
    patience: Duration,
    what: &str,
    is: impl Fn(&Book) -> bool,
) -> Result<()> {
    let begun = Instant::now();
    while !is(&books.open()) {
        if begun.elapsed() > patience {
            bail!("not within {} s: {what}", patience.as_secs());
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
