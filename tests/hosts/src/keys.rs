//! Keys that are rotated, stolen, and misused.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::{Signature, SigningKey};
use federation::{PeerId, TlsIdentity};
use rand::Rng as _;
use tests::province;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use wire::Reason;

use crate::desk::slot_of;
use crate::forge::{self, Forged};
use crate::host::Place;
use crate::realm::places;
use crate::site::{PEERS, Site, read_key};
use crate::stage::{Figures, Stage};
use crate::watch::registry_at;

/// Time in which new connections get the new certificate.
const SWAP_LIMIT: Duration = Duration::from_secs(5);
/// What is replaced together with a head key that is not the owner's alone any more.
const OF_A_PROVINCE: [&str; 7] = [
    "signing.key",
    "authority.pem",
    "authority-key.pem",
    "node.pem",
    "node-key.pem",
    "operator.pem",
    "operator-key.pem",
];

impl Stage {
    pub(crate) async fn new_certificate(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let (site, place) = (Arc::clone(&self.realm.site), Place::Node(code));
        let before = presented(&site, code).await?;
        let dir = place.to_string();
        let desk = &self.realm.desk;
        desk.federation(&["rotate", "--dir", &dir, "--key", "tls"])?;
        let pem = fs::read(site.home(place).join("node.pem"))?;
        let new = CertificateDer::from_pem_slice(&pem)?;
        ensure!(new != before, "the certificate is the one of before");
        self.realm.tell_to_read(place)?;
        let begun = site.elapsed();
        while presented(&site, code).await? != new {
            let waited = site.since(begun);
            ensure!(
                waited < SWAP_LIMIT,
                "{place} goes on with its old certificate"
            );
            sleep(Duration::from_millis(20)).await;
        }
        let took = site.since(begun);
        figures.insert(
            "seconds to the new certificate".to_owned(),
            took.as_secs_f64(),
        );
        Ok(())
    }

    /// Announced a day ahead, by everybody's clock; the node holds both keys, and is not restarted.
    pub(crate) async fn new_head_key(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let (site, place) = (Arc::clone(&self.realm.site), Place::Node(code));
        let new = SigningKey::from_bytes(&self.rng.random());
        // Long enough that everybody has the document by then.
        let notice_min = i64::from(self.measures.jump_min);
        let from = site.now().saturating_add_signed(notice_min);
        let number = self.realm.desk.rotate_head(code, &new, from)?;
        let begun = site.elapsed();
        self.realm.hand_out(&places())?;
        self.until_root(number).await?;
        let took = site.since(begun);
        figures.insert("seconds to everybody".to_owned(), took.as_secs_f64());
        let at = site.at(from);
        let epoch = self.whole_registry(at, at).await?;
        let registry = registry_at(&site, code, epoch).await?;
        let mut heads = registry.heads.iter();
        let head = heads.find(|head| head.head.slot.get() == slot_of(code));
        let head = head.context("a head of the province")?;
        let signature = Signature::from_bytes(&head.signature);
        let checked = new
            .verifying_key()
            .verify_strict(&head.head.signing_bytes(), &signature);
        ensure!(
            checked.is_ok() && head.head.head_time >= from,
            "the head of {code} in epoch {epoch} is not signed with the new key"
        );
        // The old one is retired, and has gone when the node starts next.
        let home = site.home(place);
        fs::rename(home.join("signing.key.next"), home.join("signing.key"))?;
        Ok(())
    }

    pub(crate) async fn stolen_head_key(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let (site, place) = (Arc::clone(&self.realm.site), Place::Node(code));
        let home = site.home(place);
        let stolen = site.dir.join(format!("stolen-{code}-{}", self.acts.len()));
        fs::create_dir(&stolen)?;
        for name in OF_A_PROVINCE.iter().chain(&["federation.pem"]) {
            fs::copy(home.join(name), stolen.join(name))?;
        }
        let joined = format!("joined-{code}-{}", self.acts.len());
        let address = SocketAddr::new(site.network.host(place).address, PEERS);
        let desk = &self.realm.desk;
        desk.join(code, &joined, &address.to_string())?;
        let number = desk.agree()?;
        let begun = site.elapsed();
        self.realm.end(place).await?;
        for name in OF_A_PROVINCE {
            fs::copy(site.dir.join(&joined).join(name), home.join(name))?;
        }
        for name in ["source-laboratory-1.pem", "source-laboratory-1-key.pem"] {
            fs::remove_file(home.join(name))?;
        }
        self.realm.issue_laboratory(code)?;
        self.realm.hand_out(&places())?;
        self.realm.start(place, 0).await?;
        self.until_root(number).await?;
        let took = site.since(begun);
        figures.insert("seconds to everybody".to_owned(), took.as_secs_f64());
        self.thief_is_refused(code, &stolen).await
    }

    /// Whoever has the old keys comes through no door, and nobody signs under a head of theirs.
    async fn thief_is_refused(&self, code: u8, stolen: &Path) -> Result<()> {
        let site = &self.realm.site;
        let (old, new) = (
            read_key(&stolen.join("signing.key"))?,
            read_key(&site.home(Place::Node(code)).join("signing.key"))?,
        );
        let read = |name: &str| fs::read_to_string(stolen.join(name));
        let chain = (read("node.pem")?, read("node-key.pem")?);
        // It may even know today's roots.
        let roots = fs::read_to_string(site.home(Place::Node(code)).join("federation.pem"))?;
        let thief = Arc::new(TlsIdentity::from_pem(&chain.0, &chain.1, &roots)?);
        for other in self.members.iter().filter(|other| **other != code) {
            let answer = forge::ask_for_head(site, Arc::clone(&thief), *other).await;
            ensure!(answer.is_err(), "node-{other} lets the thief of {code} in");
            let owner = site.identity(code, "node")?;
            let answer = forge::ask_for_head(site, owner, *other).await;
            ensure!(
                answer.is_ok(),
                "node-{other} refuses the owner of {code}: {answer:?}"
            );
            let accomplice = self.accomplice(code, *other)?;
            let refused = forge::propose(
                site,
                (accomplice, *other),
                slot_of(code),
                Forged::Later(&old),
            );
            let refused = refused.await?;
            ensure!(
                refused == Some(Reason::HeadRefused),
                "node-{other} answers a head under the stolen key of {code} with {refused:?}"
            );
            // What is wrong with the same head under the new key is its time alone.
            let refused = forge::propose(
                site,
                (accomplice, *other),
                slot_of(code),
                Forged::Later(&new),
            );
            let refused = refused.await?;
            ensure!(
                refused == Some(Reason::RegistryRefused),
                "node-{other} answers a head of a time to come with {refused:?}"
            );
        }
        Ok(())
    }

    /// A province that hands on what it is given.
    fn accomplice(&self, code: u8, asked: u8) -> Result<u8> {
        let mut members = self.members.iter().copied();
        let third = members.find(|member| *member != code && *member != asked);
        third.context("a third member")
    }

    pub(crate) async fn equivocation(&mut self, code: u8, figures: &mut Figures) -> Result<()> {
        let site = Arc::clone(&self.realm.site);
        let key = read_key(&site.home(Place::Node(code)).join("signing.key"))?;
        let others: Vec<u8> = self
            .members
            .iter()
            .copied()
            .filter(|m| *m != code)
            .collect();
        for other in &others {
            let kept = forge::other_history(&site, code, *other).await?;
            figures.insert(format!("refused checkpoints kept by {other}"), kept.into());
            let accomplice = self.accomplice(code, *other)?;
            let mut refused = None;
            for _ in 0..3 {
                let second = Forged::Second(&key);
                refused =
                    forge::propose(&site, (accomplice, *other), slot_of(code), second).await?;
                if refused == Some(Reason::HeadRefused) {
                    break;
                }
                sleep(Duration::from_secs(1)).await; // an epoch has just closed
            }
            ensure!(
                refused == Some(Reason::HeadRefused),
                "node-{other} answers a second head of {code} with {refused:?}"
            );
        }
        self.caught = Some(code);
        Ok(())
    }
}

/// The certificate that a node shows to a new connection.
async fn presented(site: &Site, code: u8) -> Result<CertificateDer<'static>> {
    let host = site.network.host(Place::Node(code));
    let address = SocketAddr::new(host.address, PEERS);
    let expected = PeerId::node(&Site::federation()?, province(code));
    let config = site.identity(code, "operator")?.client(expected)?;
    let name = ServerName::from(address.ip());
    let connecting = async move {
        let stream = TcpStream::connect(address).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let shown = shown.and_then(|chain| chain.first());
        Ok::<_, anyhow::Error>(shown.context("a certificate")?.clone().into_owned())
    };
    host.within(connecting).await?
}
