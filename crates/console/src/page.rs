//! The page: its files, and the service that it calls, behind a door for browsers of staff.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use federation::{
    Door, Ended, FederationError, GuardedRoutes, Limits, Quota, WebCertificate, serve_web,
};
use pages::Hosts;
use parking_lot::Mutex;
use rules::ProvinceCode;
use rust_embed::RustEmbed;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::config::Page;
use crate::files::{PEM_LEN_MAX_BYTES, digest_of, read_private, read_text};

/// What the page calls, as its paths name it.
const CALLED: [&str; 2] = [
    "viridian.console.v1.ConsoleService",
    "viridian.public.v1.PublicService",
];
/// How often the certificate's files are looked at: those who renew it do so days before it ends.
pub(crate) const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What `npm run pages` has left.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// The page's certificate, read from its files, and again whenever they change.
pub(crate) struct PageCertificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: Arc<WebCertificate>,
    /// Digest of what was last looked at, whether it was good or not, or none where it could not be read.
    seen: Mutex<Option<[u8; 32]>>,
}

impl PageCertificate {
    /// Reads it; nothing where the page has none.
    ///
    /// # Errors
    /// A message saying what is wrong with the files.
    pub(crate) fn read(page: &Page) -> Result<Option<Self>, String> {
        let (Some(chain_file), Some(key_file)) = (&page.certificate_file, &page.key_file) else {
            return Ok(None);
        };
        let chain = read_text(chain_file, PEM_LEN_MAX_BYTES)?;
        let key = read_private(key_file, PEM_LEN_MAX_BYTES)?;
        let current = WebCertificate::from_pem(&chain, &key);
        let current = current.map_err(|error| format!("page: {error}"))?;
        Ok(Some(Self {
            chain_file: chain_file.clone(),
            key_file: key_file.clone(),
            current: Arc::new(current),
            seen: Mutex::new(Some(digest_of(&[chain.as_bytes(), key.as_bytes()]))),
        }))
    }

    /// What the door is made with.
    pub(crate) fn current(&self) -> Arc<WebCertificate> {
        Arc::clone(&self.current)
    }

    /// Looks at the files again and again until it is dropped. What is wrong with them is told once, and the former stays.
    pub(crate) async fn keep_up(self) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            if let Err(error) = self.look() {
                tracing::error!(%error, "the page's certificate stays as it was");
            }
        }
    }

    fn look(&self) -> Result<(), String> {
        let chain = read_text(&self.chain_file, PEM_LEN_MAX_BYTES);
        let read = chain.and_then(|chain| {
            let key = read_private(&self.key_file, PEM_LEN_MAX_BYTES)?;
            let digest = digest_of(&[chain.as_bytes(), key.as_bytes()]);
            Ok((digest, chain, key))
        });
        let now = read.as_ref().ok().map(|(digest, ..)| *digest);
        let before = std::mem::replace(&mut *self.seen.lock(), now);
        if now == before {
            return Ok(());
        }
        let (_, chain, key) = read?;
        let swapped = self.current.swap(&chain, &key);
        swapped.map_err(|error| format!("page: {error}"))
    }
}

/// Serves the page and what it calls until `shutdown` completes.
///
/// # Errors
/// [`FederationError`] if the door cannot be opened or fails.
pub(crate) async fn serve(
    listener: TcpListener,
    names: Vec<String>,
    certificate: Option<Arc<WebCertificate>>,
    home: ProvinceCode,
    routes: Routes,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let door = Door::Staff { home, certificate };
    let hosts = Hosts::of(names);
    let around = |guarded: GuardedRoutes| pages::around::<Files, _>(guarded, &CALLED, hosts);
    serve_web(listener, door, routes, around, limits(), None, shutdown).await
}

/// For an institution's own network: a page at work makes a call in a few seconds, and several may come from one address.
fn limits() -> Limits {
    Limits {
        max_connections: 512,
        max_connections_per_address: 128,
        max_calls: 128,
        max_calls_per_caller: 32,
        max_long_calls: 0,
        max_long_calls_per_caller: 0,
        quota: Some(Quota::per_second(20, 200)),
        connection_quota: Some(Quota::per_second(20, 200)),
        max_callers: 4_096,
        max_streams: 32,
        ..Limits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::replace_own;
    use federation::pki::{DemoAuthority, Validity};
    use federation::{FederationId, PeerId};

    #[test]
    fn a_certificate_that_changes_is_used_if_it_and_its_key_fit() {
        let dir = tempfile::tempdir().unwrap();
        let federation = FederationId::new("demo").unwrap();
        let validity = Validity {
            from_s: 1_577_836_800,
            until_s: 4_102_444_800,
        };
        let authority = DemoAuthority::generate_for_demo(&federation, validity).unwrap();
        let home = PeerId::node(&federation, ProvinceCode::new(33).unwrap());
        let issued = || authority.issue_for_demo(&home).unwrap();
        let (first, second) = (issued(), issued());
        let write = |chain: &str, key: &str| {
            replace_own(&dir.path().join("a.pem"), chain).unwrap();
            replace_own(&dir.path().join("a.key"), key).unwrap();
        };
        write(&first.chain_pem, &first.key_pem);
        let page = Page {
            listen: "127.0.0.1:0".parse().unwrap(),
            names: vec!["console.zj.example".to_owned()],
            certificate_file: Some(dir.path().join("a.pem")),
            key_file: Some(dir.path().join("a.key")),
        };
        let files = PageCertificate::read(&page).unwrap().unwrap();
        assert_eq!(files.look(), Ok(()));
        write(&second.chain_pem, &first.key_pem);
        assert!(files.look().unwrap_err().starts_with("page: "));
        assert_eq!(files.look(), Ok(()), "told once");
        write(&second.chain_pem, &second.key_pem);
        let before = files.current.clone();
        assert_eq!(files.look(), Ok(()));
        assert!(Arc::ptr_eq(&before, &files.current()));
        std::fs::remove_file(dir.path().join("a.key")).unwrap();
        assert!(files.look().is_err());
        assert_eq!(files.look(), Ok(()), "told once");
        write(&first.chain_pem, &first.key_pem);
        assert_eq!(files.look(), Ok(()));
    }
}
