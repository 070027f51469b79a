//! The node's certificate, key and roots: read from their files, and again whenever these change.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use federation::{Credentials, PeerId, Swappable, TlsIdentity, UnixTime};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::config::Doors;
use crate::files::read_text;
use crate::fresh::{Reloaded, Watched};

/// Largest PEM file.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// TLS material from the files that the configuration names.
pub struct FileCredentials {
    doors: Doors,
    swappable: Arc<Swappable>,
    /// Digest of what was last looked at, whether it was good or not.
    seen: Mutex<[u8; 32]>,
}

/// The text of the three files.
struct Texts {
    chain: String,
    key: Zeroizing<String>,
    roots: String,
}

impl Texts {
    fn read(doors: &Doors) -> Result<Self, String> {
        let pem = |path: &Path| read_text(path, MAX_PEM_BYTES);
        Ok(Self {
            chain: pem(&doors.certificate_file)?,
            key: Zeroizing::new(pem(&doors.key_file)?),
            roots: pem(&doors.roots_file)?,
        })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for text in [&self.chain, &*self.key, &self.roots] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }

    fn identity(&self) -> Result<TlsIdentity, String> {
        TlsIdentity::from_pem(&self.chain, &self.key, &self.roots)
            .map_err(|error| format!("doors: {error}"))
    }
}

impl FileCredentials {
    /// Reads the files and checks that they fit each other.
    ///
    /// # Errors
    /// A message saying what is wrong with them.
    pub fn read(doors: &Doors) -> Result<Self, String> {
        let texts = Texts::read(doors)?;
        let identity = texts.identity()?;
        // The same clock that every handshake is checked by.
        identity
            .check_own(UnixTime::now())
            .map_err(|error| format!("doors: {error}"))?;
        Ok(Self {
            doors: doors.clone(),
            swappable: Arc::new(Swappable::new(Arc::new(identity))),
            seen: Mutex::new(texts.digest()),
        })
    }

    /// What doors and channels are made with.
    pub fn swappable(&self) -> Arc<dyn Credentials> {
        Arc::new(Arc::clone(&self.swappable))
    }

    /// The own identity.
    pub fn peer(&self) -> Option<PeerId> {
        self.swappable().current().peer().cloned()
    }
}

impl Watched for FileCredentials {
    fn what(&self) -> &'static str {
        "certificate, key and roots"
    }

    /// What the files hold is used if it is good as a whole: a certificate of the same federation, province and role, its key,
    /// and roots that admit it now.
    fn reload(&self, is_asked_for: bool) -> Result<Reloaded, String> {
        let texts = Texts::read(&self.doors)?;
        let digest = texts.digest();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == digest && !is_asked_for {
            return Ok(Reloaded::Unchanged);
        }
        *seen = digest;
        self.swappable
            .swap(texts.identity()?, UnixTime::now())
            .map_err(|error| format!("doors: {error}"))?;
        Ok(Reloaded::Swapped)
    }
}

#[cfg(test)]
mod tests {
    use federation::pki::{DemoAuthority, Validity};
    use federation::{FederationId, Role};
    use rules::ProvinceCode;

    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;
    use crate::fresh::keep_fresh;

    const VALIDITY: Validity = Validity {
        from_s: 1_577_836_800,
        until_s: 4_102_444_800,
    };

    struct Files {
        dir: tempfile::TempDir,
        doors: Doors,
    }

    impl Files {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let address = "127.0.0.1:0".parse().unwrap();
            let doors = Doors {
                peers_listen: address,
                public_listen: address,
                metrics_listen: None,
                log_listen: None,
                certificate_file: dir.path().join("node.pem"),
                key_file: dir.path().join("node-key.pem"),
                roots_file: dir.path().join("federation.pem"),
                reload_poll_s: 1,
            };
            Self { dir, doors }
        }

        fn issue(&self, authority: &DemoAuthority, code: u8) {
            let peer = PeerId {
                federation: demo(),
                province: ProvinceCode::new(code).unwrap(),
                role: Role::Node,
            };
            let own = authority.issue_for_demo(&peer).unwrap();
            self.write("node.pem", &own.chain_pem);
            self.write("node-key.pem", &own.key_pem);
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.dir.path().join(name), text).unwrap();
        }
    }

    fn demo() -> FederationId {
        FederationId::new("demo").unwrap()
    }

    fn authority() -> DemoAuthority {
        DemoAuthority::generate_for_demo(&demo(), VALIDITY).unwrap()
    }

    #[test]
    fn files_that_change_are_used_only_as_a_whole() {
        let (files, old, new) = (Files::new(), authority(), authority());
        files.issue(&old, 33);
        files.write("federation.pem", &old.root_pem());
        let credentials = FileCredentials::read(&files.doors).unwrap();
        let first = credentials.swappable().current();
        assert_eq!(credentials.reload(false), Ok(Reloaded::Unchanged));

        // A certificate that the roots do not admit yet; looked at once, and again only when asked.
        files.issue(&new, 33);
        let error = credentials.reload(false).unwrap_err();
        assert!(
            error.contains("not admitted under the own roots"),
            "{error}"
        );
        assert_eq!(credentials.reload(false), Ok(Reloaded::Unchanged));
        assert!(credentials.reload(true).is_err());
        assert!(Arc::ptr_eq(&first, &credentials.swappable().current()));

        files.write("federation.pem", &(old.root_pem() + &new.root_pem()));
        assert_eq!(credentials.reload(false), Ok(Reloaded::Swapped));
        let second = credentials.swappable().current();
        assert!(!Arc::ptr_eq(&first, &second));

        // Another province's certificate, a key of another certificate, and nothing at all.
        files.issue(&new, 35);
        assert!(credentials.reload(false).unwrap_err().contains("province"));
        files.issue(&new, 33);
        files.write("node-key.pem", &other_key());
        assert!(credentials.reload(false).is_err());
        std::fs::remove_file(&files.doors.roots_file).unwrap();
        assert!(credentials.reload(false).is_err());
        assert!(Arc::ptr_eq(&second, &credentials.swappable().current()));
    }

    /// The key of another certificate.
    fn other_key() -> String {
        let peer = PeerId::node(&demo(), ProvinceCode::new(42).unwrap());
        authority().issue_for_demo(&peer).unwrap().key_pem
    }

    #[test]
    fn a_certificate_that_the_own_roots_do_not_admit_is_refused_at_the_start() {
        let (files, own, other) = (Files::new(), authority(), authority());
        files.issue(&own, 33);
        files.write("federation.pem", &other.root_pem());
        assert!(FileCredentials::read(&files.doors).is_err());
        files.write("federation.pem", &own.root_pem());
        assert!(FileCredentials::read(&files.doors).is_ok());
    }

    #[tokio::test]
    async fn who_asks_has_the_files_read_at_once() {
        let (files, authority) = (Files::new(), authority());
        files.issue(&authority, 33);
        files.write("federation.pem", &authority.root_pem());
        let credentials = Arc::new(FileCredentials::read(&files.doors).unwrap());
        let mut changes = credentials.swappable().changes().unwrap();
        let (ask, asked) = mpsc::channel(1);
        let hour = Duration::from_hours(1);
        let fresh = tokio::spawn(keep_fresh(vec![Arc::clone(&credentials) as _], hour, asked));
        tokio::time::sleep(Duration::from_millis(50)).await;
        files.issue(&authority, 33);
        ask.send(()).await.unwrap();
        let swapped = tokio::time::timeout(Duration::from_secs(1), changes.changed());
        swapped.await.unwrap().unwrap();
        fresh.abort();
    }
}
