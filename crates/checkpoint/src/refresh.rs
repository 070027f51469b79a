//! Fetching the trust list from the public doors of nodes. The channel is not trusted, only the signatures are.

use std::sync::Arc;
use std::time::Duration;

use federation::{Credentials, Dial, PeerId, Tcp, Timeouts, TlsIdentity, connect_through};
use tonic::{Response, Status};
use verifier::trust::{InHand, Increment, RevocationBatch, RootKeys};
use verifier::{TrustList, UnixTime};
use wire::trust::v1 as proto;

use crate::state::read_file;
use crate::{Config, Desk, Error, Publisher};

/// Longest file of certificate roots.
const MAX_ROOTS_LEN_BYTES: u64 = 256 * 1024;

/// What one publisher said.
#[derive(Debug)]
pub struct Answer {
    /// Which publisher.
    pub publisher: Publisher,
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

/// What became of one publisher's answer.
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
) -> Result<Vec<(Publisher, Taken)>, Error> {
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
        all.push((answer.publisher, taken));
    }
    let failed = all.iter().all(|(_, taken)| matches!(taken, Taken::Not(_)));
    match all.last() {
        Some((_, Taken::Not(why))) if failed => Err(Error::NotRefreshed(why.clone())),
        _ => Ok(all),
    }
}

/// Asks every publisher of the configuration for what is newer than the list in hand. The answers are not believed:
/// [`take`] checks them.
///
/// # Errors
/// [`Error::Config`] without publishers, [`Error::File`], or [`Error::Federation`] for unusable certificate roots.
pub async fn ask(
    config: &Config,
    in_hand: Option<&TrustList>,
    now: UnixTime,
) -> Result<Vec<Answer>, Error> {
    ask_through(&(Arc::new(Tcp) as _), config, in_hand, now).await
}

/// As [`ask`], over connections that `dial` makes.
///
/// # Errors
/// As [`ask`].
pub async fn ask_through(
    dial: &Arc<dyn Dial>,
    config: &Config,
    in_hand: Option<&TrustList>,
    now: UnixTime,
) -> Result<Vec<Answer>, Error> {
    let file = config.trust.certificate_roots_file.as_ref();
    let (Some(file), false) = (file, config.publishers.is_empty()) else {
        return Err(Error::Config("no publisher to ask".to_owned()));
    };
    let federation = config.federation()?;
    let roots = String::from_utf8(read_file(file, MAX_ROOTS_LEN_BYTES)?)
        .map_err(|_| Error::Config("trust.certificate_roots_file is not PEM".to_owned()))?;
    let credentials: Arc<dyn Credentials> =
        Arc::new(Arc::new(TlsIdentity::anonymous(&federation, &roots)?));
    let pinned = config.trust.pinned()?;
    let judge = Judge {
        dial,
        in_hand,
        pinned: &pinned,
        now,
    };
    let mut answers = Vec::new();
    for publisher in &config.publishers {
        let node = PeerId::node(&federation, publisher.province);
        answers.push(Answer {
            publisher: publisher.clone(),
            bundle: ask_one(publisher, node, Arc::clone(&credentials), &judge).await,
        });
    }
    Ok(answers)
}

/// How publishers are reached, and what a list is judged by before its batches are fetched: nobody has to fetch for whoever
/// has no signatures to show.
struct Judge<'a> {
    dial: &'a Arc<dyn Dial>,
    in_hand: Option<&'a TrustList>,
    pinned: &'a RootKeys,
    now: UnixTime,
}

async fn ask_one(
    publisher: &Publisher,
    node: PeerId,
    credentials: Arc<dyn Credentials>,
    judge: &Judge<'_>,
) -> Result<Option<Offered>, String> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        call: Duration::from_secs(20),
    };
    let dial = Arc::clone(judge.dial);
    let channel = connect_through(dial, &publisher.address, node, credentials, timeouts)
        .map_err(|error| error.to_string())?;
    let mut client = wire::client::trust(channel);
    let in_hand = judge.in_hand.map(InHand::of).unwrap_or_default();
    let request = proto::GetTrustListRequest::from(&in_hand);
    let answer = fetch(client.get_trust_list(request).await)?;
    let mut bundle = answer.bundle;
    if let (Some(list), false) = (judge.in_hand, answer.increment.is_empty()) {
        let increment = Increment::from_bytes(&answer.increment);
        bundle = if let Ok(bundle) = increment.and_then(|increment| increment.apply(list)) {
            bundle
        } else {
            // It does not lead from this list to that one: the whole does.
            let whole = proto::GetTrustListRequest::default();
            fetch(client.get_trust_list(whole).await)?.bundle
        };
    }
    if bundle.is_empty() {
        return Ok(None);
    }
    let candidate = TrustList::consider(&bundle, judge.in_hand, judge.pinned, judge.now)
        .map_err(|error| error.to_string())?;
    let mut batches = Vec::with_capacity(candidate.missing().len());
    for entry in candidate.missing() {
        let request = proto::GetRevocationBatchRequest {
            digest: entry.digest.0.to_vec(),
        };
        let answer = fetch(client.get_revocation_batch(request).await)?;
        let batch = RevocationBatch::from_bytes(&answer.batch);
        let batch = batch.map_err(|error| error.to_string())?;
        if batch.entry() != *entry {
            return Err(verifier::Error::UnknownBatch.to_string());
        }
        batches.push(batch);
    }
    Ok(Some(Offered { bundle, batches }))
}

fn fetch<T>(answer: Result<Response<T>, Status>) -> Result<T, String> {
    answer
        .map(Response::into_inner)
        .map_err(|status| format!("{:?}: {}", status.code(), status.message()))
}
