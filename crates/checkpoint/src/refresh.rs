//! Fetching the trust list from the public doors of nodes. The channel is not trusted, only the signatures are.

use std::sync::Arc;
use std::time::Duration;

use federation::{Credentials, PeerId, Timeouts, TlsIdentity, connect};
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
    pub bundle: Result<Option<Vec<u8>>, String>,
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
            Ok(Some(bundle)) => match desk.take_list(&bundle, now) {
                Ok(true) => Taken::Newer,
                Ok(false) => Taken::Same,
                Err(error) => Taken::Not(error.to_string()),
            },
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
pub async fn ask(config: &Config, in_hand: Option<&TrustList>) -> Result<Vec<Answer>, Error> {
    let file = config.trust.certificate_roots_file.as_ref();
    let (Some(file), false) = (file, config.publishers.is_empty()) else {
        return Err(Error::Config("no publisher to ask".to_owned()));
    };
    let federation = config.federation()?;
    let roots = String::from_utf8(read_file(file, MAX_ROOTS_LEN_BYTES)?)
        .map_err(|_| Error::Config("trust.certificate_roots_file is not PEM".to_owned()))?;
    let credentials: Arc<dyn Credentials> =
        Arc::new(Arc::new(TlsIdentity::anonymous(&federation, &roots)?));
    let mut answers = Vec::new();
    for publisher in &config.publishers {
        let node = PeerId::node(&federation, publisher.province);
        answers.push(Answer {
            publisher: publisher.clone(),
            bundle: ask_one(publisher, node, Arc::clone(&credentials), in_hand).await,
        });
    }
    Ok(answers)
}

async fn ask_one(
    publisher: &Publisher,
    node: PeerId,
    credentials: Arc<dyn Credentials>,
    in_hand: Option<&TrustList>,
) -> Result<Option<Vec<u8>>, String> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        call: Duration::from_secs(20),
    };
    let channel = connect(&publisher.address, node, credentials, timeouts)
        .map_err(|error| error.to_string())?;
    let request = proto::GetTrustListRequest {
        root_sequence: in_hand.map_or(0, |list| list.root().sequence.get()),
        online_sequence: in_hand.map_or(0, |list| list.online().sequence.get()),
    };
    let answer = wire::client::trust(channel)
        .get_trust_list(request)
        .await
        .map_err(|status| format!("{:?}: {}", status.code(), status.message()))?
        .into_inner();
    Ok(Some(answer.bundle).filter(|bundle| !bundle.is_empty()))
}
