//! The page of residents: its files, and the services that it calls, behind a door for browsers.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use federation::{
    CallObserver, Door, Ended, FederationError, GuardedRoutes, Limits, WebCertificate, serve_web,
};
use pages::Hosts;
use rules::ProvinceCode;
use rust_embed::RustEmbed;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tonic::service::Routes;
use zeroize::Zeroizing;

use crate::files::read_text;
use crate::fresh::{Reloaded, Watched};

/// What the page calls, as its paths name it.
const CALLED: [&str; 2] = [
    "viridian.resident.v1.ResidentService",
    "viridian.trust.v1.TrustService",
];
/// Largest PEM file.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// What `npm run pages` has left.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Where browsers find the page, `[page]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Address that browsers connect to; loopback, unless there is a certificate.
    pub listen: SocketAddr,
    /// What a browser's address bar shows of it, `host` or `host:port`; a request for any other name is refused. None for the
    /// address itself, where there is no certificate.
    #[serde(default)]
    pub names: Vec<String>,
    /// Certificate chain for these names, of an authority that browsers know, PEM, own first.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// Its PKCS#8 key, PEM.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

impl Page {
    pub(crate) fn check(&self) -> Result<(), String> {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), Some(_)) if self.names.is_empty() => {
                Err("page.names: a certificate is for names, and none stands there".to_owned())
            }
            (Some(_), Some(_)) => Ok(()),
            (None, None) if self.listen.ip().is_loopback() => Ok(()),
            (None, None) => Err(format!(
                "page.listen: {} is not loopback; others than this machine need page.certificate_file and page.key_file",
                self.listen
            )),
            _ => Err("page: certificate_file and key_file go together".to_owned()),
        }
    }

    pub(crate) fn for_each_path(&mut self, mut change: impl FnMut(&mut PathBuf)) {
        self.certificate_file.iter_mut().for_each(&mut change);
        self.key_file.iter_mut().for_each(&mut change);
    }
}

/// The page's certificate, read from its files, and again whenever they change.
pub struct PageFiles {
    chain_file: PathBuf,
    key_file: PathBuf,
    certificate: Arc<WebCertificate>,
    /// Digest of what was last looked at, whether it was good or not.
    seen: Mutex<[u8; 32]>,
}

impl PageFiles {
    /// Reads them; nothing where the page has no certificate.
    ///
    /// # Errors
    /// A message saying what is wrong with them.
    pub fn read(page: &Page) -> Result<Option<Self>, String> {
        let (Some(chain_file), Some(key_file)) = (&page.certificate_file, &page.key_file) else {
            return Ok(None);
        };
        let (chain, key) = texts(chain_file, key_file)?;
        let certificate = WebCertificate::from_pem(&chain, &key).map_err(of_page)?;
        Ok(Some(Self {
            chain_file: chain_file.clone(),
            key_file: key_file.clone(),
            certificate: Arc::new(certificate),
            seen: Mutex::new(digest(&chain, &key)),
        }))
    }

    /// What the door is made with.
    pub fn certificate(&self) -> Arc<WebCertificate> {
        Arc::clone(&self.certificate)
    }
}

impl Watched for PageFiles {
    fn what(&self) -> &'static str {
        "the page's certificate and key"
    }

    fn reload(&self, is_asked_for: bool) -> Result<Reloaded, String> {
        let (chain, key) = texts(&self.chain_file, &self.key_file)?;
        let digest = digest(&chain, &key);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == digest && !is_asked_for {
            return Ok(Reloaded::Unchanged);
        }
        *seen = digest;
        self.certificate.swap(&chain, &key).map_err(of_page)?;
        Ok(Reloaded::Swapped)
    }
}

fn texts(chain_file: &Path, key_file: &Path) -> Result<(String, Zeroizing<String>), String> {
    let key = Zeroizing::new(read_text(key_file, MAX_PEM_BYTES)?);
    Ok((read_text(chain_file, MAX_PEM_BYTES)?, key))
}

fn digest(chain: &str, key: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update((chain.len() as u64).to_be_bytes());
    digest.update(chain);
    digest.update(key);
    digest.finalize().into()
}

fn of_page(error: FederationError) -> String {
    format!("page: {error}")
}

/// The page's listener, and whom it answers.
pub struct PageListener {
    /// Where browsers connect.
    pub listener: TcpListener,
    /// The names that they ask for; none for the listener's address.
    pub names: Vec<String>,
    /// What they are shown; none on loopback.
    pub certificate: Option<Arc<WebCertificate>>,
}

impl PageListener {
    /// Serves the page and what it calls until `shutdown` completes.
    pub(crate) async fn serve(
        self,
        home: ProvinceCode,
        routes: Routes,
        limits: Limits,
        observer: Option<Arc<dyn CallObserver>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<Ended, FederationError> {
        let hosts = if self.names.is_empty() {
            Hosts::address(self.listener.local_addr()?)
        } else {
            Hosts::of(self.names)
        };
        let door = Door::Web {
            home,
            certificate: self.certificate,
        };
        let around = |guarded: GuardedRoutes| pages::around::<Files, _>(guarded, &CALLED, hosts);
        serve_web(
            self.listener,
            door,
            routes,
            around,
            limits,
            observer,
            shutdown,
        )
        .await
    }
}
