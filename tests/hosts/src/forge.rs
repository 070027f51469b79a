//! What somebody does who has keys that are not theirs, or uses their own for two histories.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use ed25519_dalek::SigningKey;
use federation::TlsIdentity;
use ledger::log::{
    AddCheckpoint, Evidence, Log, LogSigner, NoteKey, SIGNED_LOG_KEYS_LEN_BYTES, SignedCheckpoint,
    SignedLogKeys,
};
use ledger::{Epoch, RegistryStatement, SignedTreeHead};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tonic::Status;
use wire::federation::v1 as proto;
use wire::{CheckpointOffer, Proposal, Reason, reason_of};

use crate::desk::NAME;
use crate::host::Place;
use crate::site::{LOG, PEERS, Site, read_key};
use crate::watch::registry_at;

/// Epochs from now on that no node has come to.
const FAR: u32 = 1_000;
const READ_LIMIT: Duration = Duration::from_secs(10);
/// Tries to show another history: the honest one grows meanwhile.
const TRIES: usize = 20;

/// A head that a province has not signed in good faith.
#[derive(Clone, Copy)]
pub(crate) enum Forged<'a> {
    /// Of an epoch to come, under this key.
    Later(&'a SigningKey),
    /// A second one of the newest epoch with a registry, under this key.
    Second(&'a SigningKey),
}

/// Asks a node for a head as somebody with this certificate.
pub(crate) async fn ask_for_head(
    site: &Site,
    whose: Arc<TlsIdentity>,
    of: u8,
) -> Result<SignedTreeHead> {
    let registry = registry_at(site, of, newest(site, of).await?).await?;
    let channel = site.channel(of, PEERS, whose).await?;
    let mut client = wire::client::federation(channel);
    let epoch = registry.cosigned.statement().epoch().get();
    let asked = client.get_tree_head(proto::GetTreeHeadRequest { epoch });
    let answer = timeout(READ_LIMIT, asked).await??;
    Ok(SignedTreeHead::try_from(answer.get_ref())?)
}

async fn newest(site: &Site, code: u8) -> Result<u32> {
    let request = wire::operator::v1::GetStatusRequest {};
    let status = site.operator(code).await?.get_status(request).await?;
    Ok(status.get_ref().registry_epoch)
}

/// Has one node propose to another a registry with a forged head in this slot; gives the reason of the refusal, if it is one.
pub(crate) async fn propose(
    site: &Site,
    (from, to): (u8, u8),
    slot: u8,
    forged: Forged<'_>,
) -> Result<Option<Reason>> {
    let honest = registry_at(site, to, newest(site, to).await?).await?;
    let statement = honest.cosigned.statement();
    let epoch = Epoch::new(statement.epoch().get() + FAR);
    let mut heads = honest.heads.clone();
    let head = heads.iter_mut().find(|head| head.head.slot.get() == slot);
    let head = head.context("the slot has a head in the newest registry")?;
    // A tree that nobody has.
    let mut other = head.head;
    other.state_root = statement.registry_root();
    let (as_of, key) = match forged {
        Forged::Later(key) => {
            other.epoch = epoch;
            other.head_time = statement.as_of().saturating_add_signed(i64::from(FAR));
            (other.head_time, key)
        }
        // Nothing but the head is wrong with it.
        Forged::Second(key) => (site.now().saturating_add_signed(-1), key),
    };
    *head = other.sign(key);
    let statement = RegistryStatement::new(
        epoch,
        as_of,
        statement.risk_root(),
        statement.rule_sets(),
        &heads,
    )?;
    let channel = site.as_one_of((from, "node"), to).await?;
    let mut client = wire::client::federation(channel);
    let request = proto::CosignRegistryRequest::from(&Proposal { statement, heads });
    match client.cosign_registry(request).await {
        Ok(_) => bail!("node-{to} signs a forged registry"),
        Err(status) => Ok(reason_of(&status)),
    }
}

/// Shows a witness another history of a province's log than the one that it has cosigned; gives how many refused checkpoints
/// the witness keeps as evidence, each checked here again.
pub(crate) async fn other_history(site: &Site, code: u8, witness: u8) -> Result<u32> {
    let signer = read_key(&site.home(Place::Node(code)).join("log.key"))?;
    let signer = LogSigner::derive(&signer.to_bytes());
    for _ in 0..TRIES {
        let keys = read(site, code, "/keys").await?;
        let keys = keys.get(..SIGNED_LOG_KEYS_LEN_BYTES).context("log keys")?;
        let keys = SignedLogKeys::from_bytes(keys)?;
        let log_key = keys.keys.log_key(NAME)?;
        let honest = SignedCheckpoint::from_bytes(&read(site, code, "/checkpoint").await?)?;
        let size = honest.size();
        let mut other = Log::default();
        for index in 0..size {
            other.append(&[b"never written", &index.to_be_bytes()[..]].concat())?;
        }
        let checkpoint = signer.sign(size, other.root()?, &log_key)?;
        let request = AddCheckpoint {
            old_size: size,
            proof: Vec::new(),
            checkpoint,
        };
        let offer = CheckpointOffer { keys, request };
        let channel = site.as_one_of((code, "node"), witness).await?;
        let mut client = wire::log_client(channel);
        let offered = client.add_checkpoint(proto::AddCheckpointRequest::from(&offer));
        let refused: Status = match offered.await {
            Ok(answer) if answer.get_ref().cosignature.is_empty() => {
                sleep(Duration::from_millis(500)).await;
                continue; // it has cosigned another size by now
            }
            Ok(_) => bail!("node-{witness} cosigns a second history of {code}"),
            Err(status) => status,
        };
        let reason = reason_of(&refused);
        ensure!(
            reason == Some(Reason::CheckpointRefused),
            "node-{witness} refuses a second history of {code} with {reason:?}"
        );
        let kept = evidence(site, witness, &log_key).await?;
        if kept > 0 {
            return Ok(kept);
        }
        sleep(Duration::from_millis(500)).await;
    }
    bail!("node-{witness} keeps no evidence against {code}")
}

/// Evidence that a witness shows to anybody against a log, and that holds.
async fn evidence(site: &Site, witness: u8, log: &NoteKey) -> Result<u32> {
    let told = read(site, witness, "/evidence").await?;
    let told: serde_json::Value = serde_json::from_slice(&told)?;
    let told = told["evidence"].as_array().context("evidence")?;
    let mut holds = 0;
    for one in told {
        let text = |field: &str| one[field].as_str().context("a text");
        let note = |field: &str| {
            Ok::<_, anyhow::Error>(SignedCheckpoint::from_bytes(text(field)?.as_bytes())?)
        };
        let hash = |value: &serde_json::Value| {
            Ok::<_, anyhow::Error>(value.as_str().context("a hash")?.parse()?)
        };
        let proof = one["proof"].as_array().context("a proof")?;
        let evidence = Evidence {
            first: note("first")?,
            second: note("second")?,
            proof: proof.iter().map(hash).collect::<Result<_>>()?,
            prefix_root: hash(&one["prefix_root"])?,
        };
        if evidence.check(std::slice::from_ref(log)).is_ok() {
            ensure!(
                one["contradiction"] == true,
                "evidence that holds is not told as such"
            );
            holds += 1;
        }
    }
    Ok(holds)
}

/// What the listener of a province's log gives under a path.
async fn read(site: &Site, code: u8, path: &str) -> Result<Vec<u8>> {
    let host = site.network.host(Place::Node(code));
    let address = SocketAddr::new(host.address, LOG);
    let request = format!("GET {path} HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n");
    let asking = async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = host.within(timeout(READ_LIMIT, asking)).await???;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n");
    let end = end.context("a head")?;
    ensure!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path} of {code}: {}",
        String::from_utf8_lossy(&answer[..end])
    );
    Ok(answer[end + 4..].to_vec())
}
