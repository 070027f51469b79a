//! Fetching the trust list: from the public doors of nodes, or by plain HTTP from mirrors. The channel is not trusted, only the
//! signatures are.

mod mirror;
mod node;

use std::sync::Arc;
use std::time::Duration;

use federation::{Dial, Tcp};
use verifier::trust::{BatchEntry, Increment, RevocationBatch, RootKeys};
use verifier::{TrustList, UnixTime};

use crate::config::Place;
use crate::{Config, Desk, Error};
use mirror::MirrorReader;
pub(crate) use mirror::check_url;
use node::Nodes;

/// Time for one node or mirror, with all batches that a day off line leaves to be fetched: one that is slow holds the others
/// up no longer.
const PLACE_WITHIN: Duration = Duration::from_mins(1);

/// What one node or mirror said.
#[derive(Debug)]
pub struct Answer {
    /// Who.
    pub place: Place,
    /// A bundle that is newer than the list in hand, nothing if there is none, or why there is no answer.
    pub bundle: Result<Option<Offered>, String>,
}

/// A list as a publisher offers it.
#[derive(Debug)]
pub struct Offered {
    /// The bundle.
    pub bundle: Vec<u8>,
    /// The batches of revocations that it names and the list in hand does not.
    pub batches: Vec<RevocationBatch>,
}

/// What became of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Its list is the one in use now.
    Newer,
    /// It has nothing newer than the list in hand.
    Same,
    /// It did not answer, or its list was not accepted; the text says why.
    Not(String),
}

/// Offers every answer to the desk, and says what became of each.
///
/// # Errors
/// [`Error::NotRefreshed`] with what the last one said if none had an acceptable list; the last good one stays in use.
pub fn take(
    desk: &mut Desk,
    answers: Vec<Answer>,
    now: UnixTime,
) -> Result<Vec<(Place, Taken)>, Error> {
    let mut all = Vec::with_capacity(answers.len());
    for answer in answers {
        let taken = match answer.bundle {
            Err(why) => Taken::Not(why),
            Ok(None) => Taken::Same,
            Ok(Some(offered)) => {
                match desk.take_list_with(&offered.bundle, &offered.batches, now) {
                    Ok(true) => Taken::Newer,
                    Ok(false) => Taken::Same,
                    Err(error) => Taken::Not(error.to_string()),
                }
            }
        };
        all.push((answer.place, taken));
    }
    let failed = all.iter().all(|(_, taken)| matches!(taken, Taken::Not(_)));
    match all.last() {
        Some((_, Taken::Not(why))) if failed => Err(Error::NotRefreshed(why.clone())),
        _ => Ok(all),
    }
}

/// Asks every node and every mirror of the configuration for what is newer than the list in hand. The answers are not
/// believed: [`take`] checks them.
///
/// # Errors
/// [`Error::Config`] without anybody to ask, [`Error::File`], or [`Error::Federation`] for unusable certificate roots.
pub async fn ask(
    config: &Config,
    in_hand: Option<&TrustList>,
    now: UnixTime,
) -> Result<Vec<Answer>, Error> {
    ask_through(&(Arc::new(Tcp) as _), config, in_hand, now).await
}

/// As [`ask`], nodes over connections that `dial` makes.
///
/// # Errors
/// As [`ask`].
pub async fn ask_through(
    dial: &Arc<dyn Dial>,
    config: &Config,
    in_hand: Option<&TrustList>,
    now: UnixTime,
) -> Result<Vec<Answer>, Error> {
    if config.publishers.is_empty() && config.mirrors.is_empty() {
        return Err(Error::Config("no publisher to ask".to_owned()));
    }
    let pinned = config.trust.pinned()?;
    let mut judge = Judge {
        in_hand: in_hand.cloned(),
        pinned: &pinned,
        now,
    };
    let mut answers = Vec::new();
    // Mirrors first: of what is had there a node is asked only whether there is anything newer. It is asked all the same, since
    // a mirror may keep what is new to itself.
    for mirror in &config.mirrors {
        let reader = MirrorReader::new(&mirror.url)?;
        answers.push(Answer {
            place: Place::Mirror(mirror.clone()),
            bundle: judge.read(reader).await,
        });
    }
    if !config.publishers.is_empty() {
        let nodes = Nodes::new(config, dial)?;
        for publisher in &config.publishers {
            let bundle = match nodes.reader(publisher) {
                Ok(reader) => judge.read(reader).await,
                Err(why) => Err(why),
            };
            answers.push(Answer {
                place: Place::Node(publisher.clone()),
                bundle,
            });
        }
    }
    Ok(answers)
}

/// What a list is judged by before its batches are fetched: nobody has to fetch for whoever has no signatures to show.
struct Judge<'a> {
    /// The list in hand, or the newest that somebody has given since.
    in_hand: Option<TrustList>,
    pinned: &'a RootKeys,
    now: UnixTime,
}

/// What a place says of a list.
#[derive(Default)]
struct Said {
    /// The whole list; empty if there is nothing newer, or an increment.
    bundle: Vec<u8>,
    /// What leads from the list in hand to it; empty if there is none.
    increment: Vec<u8>,
}

/// A place that gives trust lists and batches of revocations, over some channel.
trait Reader {
    /// What leads on from a list in hand; the whole list for none.
    async fn list(&mut self, in_hand: Option<&TrustList>) -> Result<Said, String>;
    /// A batch in its canonical bytes.
    async fn batch(&mut self, entry: &BatchEntry) -> Result<Vec<u8>, String>;
}

impl Judge<'_> {
    /// What a place has that is newer, with the batches that are not in hand.
    async fn read(&mut self, reader: impl Reader) -> Result<Option<Offered>, String> {
        let read = tokio::time::timeout(PLACE_WITHIN, self.read_slowly(reader)).await;
        read.unwrap_or_else(|_| Err(format!("not done within {} s", PLACE_WITHIN.as_secs())))
    }

    async fn read_slowly(&mut self, mut reader: impl Reader) -> Result<Option<Offered>, String> {
        let in_hand = self.in_hand.as_ref();
        let Said {
            mut bundle,
            increment,
        } = reader.list(in_hand).await?;
        if let (Some(list), false) = (in_hand, increment.is_empty()) {
            let increment = Increment::from_bytes(&increment);
            bundle = if let Ok(bundle) = increment.and_then(|increment| increment.apply(list)) {
                bundle
            } else {
                // It does not lead from this list to that one: the whole does.
                reader.list(None).await?.bundle
            };
        }
        if bundle.is_empty() {
            return Ok(None);
        }
        let refused = |error: verifier::Error| error.to_string();
        let candidate = TrustList::consider(&bundle, in_hand, self.pinned, self.now);
        let mut candidate = candidate.map_err(refused)?;
        let mut batches = Vec::with_capacity(candidate.missing().len());
        for entry in candidate.missing().to_vec() {
            let bytes = reader.batch(&entry).await?;
            candidate.supply(&bytes).map_err(refused)?;
            batches.push(RevocationBatch::from_bytes(&bytes).map_err(refused)?);
        }
        self.in_hand = Some(candidate.complete().map_err(refused)?);
        Ok(Some(Offered { bundle, batches }))
    }
}
