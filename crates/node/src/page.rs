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
        let certificate =
            WebCertificate::from_pem(&chain, &key).map_err(|error| of_page(&error))?;
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
        self.certificate
            .swap(&chain, &key)
            .map_err(|error| of_page(&error))?;
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

fn of_page(error: &FederationError) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<Page, String> {
        let page: Page = toml::from_str(text).map_err(|error| error.to_string())?;
        page.check()?;
        Ok(page)
    }

    #[test]
    fn other_machines_are_served_with_a_certificate_and_names_only() {
        let files = "certificate_file = \"a.pem\"\nkey_file = \"a.key\"\n";
        let everywhere = "listen = \"0.0.0.0:443\"\n";
        assert!(page("listen = \"127.0.0.1:7446\"").is_ok());
        assert!(page("listen = \"[::1]:7446\"").is_ok());
        let error = page(everywhere).unwrap_err();
        assert!(error.contains("0.0.0.0:443 is not loopback"), "{error}");
        let error = page(&format!("{everywhere}{files}")).unwrap_err();
        assert!(error.contains("page.names"), "{error}");
        let named = format!("{everywhere}names = [\"wallet.fj.example\"]\n{files}");
        assert!(page(&named).is_ok());
        let half = named.replace("key_file = \"a.key\"", "");
        assert!(page(&half).unwrap_err().contains("go together"));
        assert!(page(&format!("{named}colour = 1")).is_err());
    }

    #[test]
    fn a_certificate_that_changes_is_used_if_it_and_its_key_fit() {
        let dir = tempfile::tempdir().unwrap();
        let authority = federation::pki::DemoAuthority::generate_for_demo(
            &federation::FederationId::new("demo").unwrap(),
            federation::pki::Validity {
                from_s: 1_577_836_800,
                until_s: 4_102_444_800,
            },
        );
        let authority = authority.unwrap();
        let home = federation::PeerId::node(
            &federation::FederationId::new("demo").unwrap(),
            ProvinceCode::new(35).unwrap(),
        );
        let write = |chain: &str, key: &str| {
            std::fs::write(dir.path().join("a.pem"), chain).unwrap();
            std::fs::write(dir.path().join("a.key"), key).unwrap();
        };
        let (first, second) = (
            authority.issue_for_demo(&home).unwrap(),
            authority.issue_for_demo(&home).unwrap(),
        );
        write(&first.chain_pem, &first.key_pem);
        let page = Page {
            listen: "127.0.0.1:0".parse().unwrap(),
            names: vec!["wallet.fj.example".to_owned()],
            certificate_file: Some(dir.path().join("a.pem")),
            key_file: Some(dir.path().join("a.key")),
        };
        let files = PageFiles::read(&page).unwrap().unwrap();
        assert_eq!(files.reload(false), Ok(Reloaded::Unchanged));
        write(&second.chain_pem, &first.key_pem);
        assert!(files.reload(false).unwrap_err().starts_with("page: "));
        // Told once; again when asked.
        assert_eq!(files.reload(false), Ok(Reloaded::Unchanged));
        assert!(files.reload(true).is_err());
        write(&second.chain_pem, &second.key_pem);
        assert_eq!(files.reload(false), Ok(Reloaded::Swapped));
        std::fs::remove_file(dir.path().join("a.key")).unwrap();
        assert!(files.reload(false).is_err());
    }
}
