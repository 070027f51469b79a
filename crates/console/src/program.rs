//! From a configuration to a console that serves: everything is read and checked before the store or a port is opened.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use federation::{Ended, FederationError};
use store::{DiskOptions, Entropy, KeyRing, StoreError, StoreIdentity, Vault, open_on_disk};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::Routes;

use crate::admission::Admission;
use crate::cases::Cases;
use crate::employ::Employment;
use crate::files::{read_private, replace_own};
use crate::offices::Offices;
use crate::overview::{Overview, operator};
use crate::page::{PageCertificate, serve};
use crate::passkeys::Passkeys;
use crate::proposals::Proposals;
use crate::public::{PublicDesk, Publications};
use crate::renewal::{Renewal, note_keys, seen_now};
use crate::sending::{Pace, Sending};
use crate::service::Desk;
use crate::sessions::Sessions;
use crate::staff::{Staff, StaffList};
use crate::{About, Clock, Config, ConsoleError, Head, Journal, What, walk};

/// Largest key ring.
const RING_LEN_MAX_BYTES: u64 = 16 * 1024;
/// Page cache of the store, bytes: a console's store is small.
const CACHE_BYTES: u64 = 16 << 20;

/// Why a console does not start, or ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration, or a file that it names, is wrong.
    #[error("configuration: {0}")]
    Config(String),
    /// The store cannot be opened, is somebody else's, or is in use.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// What the store holds does not fit together: a broken chain of acts among it.
    #[error("start: {0}")]
    Console(#[from] ConsoleError),
    /// The port cannot be opened, or the door failed.
    #[error("door: {0}")]
    Door(#[from] FederationError),
}

impl StartError {
    /// The process's exit code: 1 the chain of acts is broken, 2 configuration, 3 store, 4 start, 5 door.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Console(ConsoleError::BrokenChain(_)) => 1,
            Self::Config(_) => 2,
            Self::Store(_) | Self::Console(ConsoleError::Store(_)) => 3,
            Self::Console(_) => 4,
            Self::Door(_) => 5,
        }
    }
}

impl From<String> for StartError {
    fn from(message: String) -> Self {
        Self::Config(message)
    }
}

/// A console that can serve.
pub struct Program {
    config: Config,
    entropy: Arc<Entropy>,
    desk: Desk,
    employment: Arc<Employment>,
    certificate: Option<PageCertificate>,
    renewal: Renewal,
    publications: Option<Publications>,
}

impl Program {
    /// Reads what the configuration names, opens the store, and takes up what is in it.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(
        config: Config,
        entropy: Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let certificate = PageCertificate::read(&config.page)?;
        let seen = seen_now(&config);
        let offices = Arc::new(Offices::open(&config)?);
        let operator = operator(&config)?;
        let shown = certificate.as_ref().map(PageCertificate::current);
        let time = Arc::clone(&clock);
        let overview = Overview::open(&config, &offices, operator.as_ref(), shown, time)?;
        let publications = Publications::open(&config, Arc::clone(&clock))?;
        // Before the store is opened; read again once there is somebody to sign out.
        StaffList::read(&config.staff_file)?;
        let entropy = Arc::new(entropy);
        let vault = Arc::new(open_vault(&config, &entropy)?);
        let journal = Arc::new(Journal::open(vault, Arc::clone(&clock))?);
        let staff = Staff::nobody();
        let sessions = Arc::new(Sessions::new(clock, Arc::clone(&entropy)));
        // Of which origins it is told once the port is known.
        let passkeys = Arc::new(Passkeys::new(
            Arc::clone(&journal),
            staff.clone(),
            Arc::clone(&sessions),
            config.page.host(),
        )?);
        let proposals =
            Proposals::open(Arc::clone(&journal), Arc::clone(&offices), config.keep_days);
        let proposals = Arc::new(proposals?);
        let mut entry = journal.begin();
        entry.note(None, What::Started, About::Nothing, "");
        note_keys(&mut entry, journal.vault(), &offices)?;
        entry.commit()?;
        let employment = Employment::begin(
            config.staff_file.clone(),
            Arc::clone(&journal),
            staff.clone(),
            Arc::clone(&passkeys),
            Arc::clone(&sessions),
        )?;
        let renewal = Renewal::new(
            config.clone(),
            Arc::clone(&offices),
            operator,
            Arc::clone(&journal),
            seen,
        );
        let desk = Desk {
            federation: config.federation.as_str().to_owned(),
            province: config.province,
            journal,
            admission: Admission { staff, sessions },
            passkeys,
            offices,
            cases: Cases::new(Arc::clone(&proposals)),
            proposals,
            overview,
            tells_published: publications.is_some(),
        };
        Ok(Self {
            config,
            entropy,
            desk,
            employment: Arc::new(employment),
            certificate,
            renewal,
            publications,
        })
    }

    /// Serves until `shutdown` completes; `announce` is told the page's address once it is there.
    ///
    /// # Errors
    /// [`StartError::Door`]; what `announce` returns.
    pub async fn serve(
        self,
        announce: impl FnOnce(&str) -> std::io::Result<()>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<Ended, StartError> {
        let Self {
            config,
            entropy,
            desk,
            employment,
            certificate,
            renewal,
            publications,
        } = self;
        let page = &config.page;
        let listener = TcpListener::bind(page.listen).await;
        let listener = listener.map_err(FederationError::from)?;
        let port = listener.local_addr().map_err(FederationError::from)?.port();
        let (scheme, names) = (page.scheme(), page.hosts(port));
        let origins = names.iter().map(|name| format!("{scheme}://{name}"));
        desk.passkeys.serve_as(origins.collect());

        let (stop, stopped) = watch::channel(false);
        let until_stopped = || {
            let mut stopped = stopped.clone();
            async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            }
        };
        let mut background = JoinSet::new();
        let keeping_up = employment.keep_up(until_stopped());
        let shown = certificate.as_ref().map(PageCertificate::current);
        certificate.map(|certificate| background.spawn(certificate.keep_up()));
        let public = publications.map(
            |Publications {
                 watch,
                 every,
                 public,
             }| {
                background.spawn(async move { match watch.keep_looking(every).await {} });
                public
            },
        );
        let public = PublicDesk {
            admission: desk.admission.clone(),
            public,
        };
        let seed = u64::from_be_bytes(entropy.bytes());
        let sending = Sending::new(Arc::clone(&desk.proposals), Pace::default(), seed);
        let working = Box::pin(async {
            let renewing = renewal.keep_up(until_stopped());
            tokio::join!(sending.run(until_stopped()), keeping_up, renewing);
        });

        let first = names.first().map_or("localhost", String::as_str);
        announce(&format!("{scheme}://{first}/")).map_err(FederationError::from)?;
        let routes = Routes::new(wire::server::console(desk));
        let routes = routes.add_service(wire::server::public(public));
        let serving = async {
            let until = until_stopped();
            let serving = serve(listener, names, shown, config.province, routes, until);
            let ended = Box::pin(serving).await;
            // Also where it ended by itself: the rest ends with it, and the store is free then.
            stop.send_replace(true);
            ended
        };
        let stopping = async {
            shutdown.await;
            stop.send_replace(true);
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            (ended, ()) = async { tokio::join!(serving, working) } => Ok(ended?),
            never = stopping => match never {},
        }
    }
}

/// Opens the store of a console, which must be this console's.
fn open_vault(config: &Config, entropy: &Arc<Entropy>) -> Result<Vault, StartError> {
    let text = read_private(&config.store_key_file, RING_LEN_MAX_BYTES)?;
    let ring = KeyRing::parse(&text)
        .map_err(|error| format!("{}: {error}", config.store_key_file.display()))?;
    let options = DiskOptions {
        cache_bytes: CACHE_BYTES,
        ..DiskOptions::new(&config.data_dir)
    };
    let identity = StoreIdentity {
        // No node's: neither opens the other's store.
        federation: format!("console of {}", config.federation.as_str()),
        province: config.province,
    };
    let (_, vault) = open_on_disk(&options, &identity, ring, Arc::clone(entropy))?;
    Ok(vault)
}

/// Walks the chain of acts of a console that does not run, and tells its end.
///
/// # Errors
/// [`StartError`]; [`ConsoleError::BrokenChain`] in it where an act was changed, taken out or put in.
pub fn check(config: &Config, entropy: Entropy) -> Result<Head, StartError> {
    let vault = open_vault(config, &Arc::new(entropy))?;
    Ok(walk(&vault)?)
}

/// Writes a new key ring for a store into a file that must not be there.
///
/// # Errors
/// [`StartError::Config`] naming the file.
pub fn new_key(path: &Path, entropy: &Entropy) -> Result<(), StartError> {
    if path.exists() {
        return Err(StartError::Config(format!(
            "{}: is there already",
            path.display()
        )));
    }
    Ok(replace_own(path, &KeyRing::generate(entropy).to_text())?)
}

#[cfg(test)]
mod tests {
    use store::Table;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::testing::NOW_S;
    use crate::{ActRow, SetClock};

    const CONFIG: &str = "federation = \"demo\"\nprovince = 33\ndata_dir = \"data\"\nstore_key_file = \"store.keys\"\n\
        staff_file = \"staff.toml\"\n[page]\nlisten = \"127.0.0.1:0\"\n[node]\naddress = \"127.0.0.1:1\"\nroots_file = \"r.pem\"\n";

    fn entropy() -> Entropy {
        Entropy::from_seed([2; 32])
    }

    fn config(dir: &Path) -> Config {
        Config::parse(CONFIG, dir).unwrap()
    }

    fn open(dir: &Path) -> Result<Program, StartError> {
        let clock = Arc::new(SetClock::at_s(NOW_S));
        Program::open(config(dir), entropy(), clock)
    }

    fn exit_code<T>(opened: Result<T, StartError>) -> u8 {
        opened.map(drop).unwrap_err().exit_code()
    }

    #[tokio::test]
    async fn a_console_serves_tells_where_ends_when_it_is_told_to_and_leaves_a_whole_chain() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        assert_eq!(exit_code(open(path)), 2, "no list of staff");
        StaffList::default()
            .write(&path.join("staff.toml"))
            .unwrap();
        assert_eq!(exit_code(open(path)), 2, "no key");
        new_key(&path.join("store.keys"), &entropy()).unwrap();
        assert_eq!(exit_code(new_key(&path.join("store.keys"), &entropy())), 2);
        let program = open(path).unwrap();
        assert_eq!(exit_code(open(path)), 3, "in use");
        assert_eq!(exit_code(check(&config(path), entropy())), 3, "in use");

        let mut announced = String::new();
        let announce = |page: &str| {
            page.clone_into(&mut announced);
            Ok(())
        };
        let ended = program.serve(announce, std::future::ready(())).await;
        assert_eq!(ended.unwrap(), Ended::Drained);
        let port = announced.strip_prefix("http://localhost:").unwrap();
        assert!(port.trim_end_matches('/').parse::<u16>().unwrap() > 0);

        let head = check(&config(path), entropy()).unwrap();
        assert_eq!(head.number, 1);
        drop(open(path).unwrap());
        assert_eq!(check(&config(path), entropy()).unwrap().number, 2);
    }

    /// Makes a call as a browser without a cookie does, and gives the answer with its trailers.
    async fn posted(at: &str, call: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
        let head = format!(
            "POST /{call} HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/grpc-web+proto\r\n\
             content-length: 5\r\nconnection: close\r\n\r\n"
        );
        let asked = [head.as_bytes(), &[0; 5]].concat();
        stream.write_all(&asked).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn both_services_of_the_page_are_there_and_nobody_is_told_anything_without_a_session() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        let list = StaffList::default();
        list.write(&path.join("staff.toml")).unwrap();
        new_key(&path.join("store.keys"), &entropy()).unwrap();
        let (announce, announced) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = open(path).unwrap().serve(
            |page| {
                let _ = announce.send(page.to_owned());
                Ok(())
            },
            async { drop(stopped.await) },
        );
        let asking = async {
            let page = announced.await.unwrap();
            let at = page.trim_start_matches("http://").trim_end_matches('/');
            for call in [
                "viridian.console.v1.ConsoleService/GetDesk",
                "viridian.public.v1.PublicService/GetOverview",
            ] {
                let answer = posted(at, call).await;
                assert!(answer.contains("nobody%20is%20signed%20in"), "{answer}");
            }
            let answer = posted(at, "viridian.trust.v1.TrustService/GetTrustList").await;
            assert!(!answer.contains("signed"), "no other: {answer}");
            drop(stop);
        };
        let (ended, ()) = tokio::join!(serving, asking);
        assert_eq!(ended.unwrap(), Ended::Drained);
    }

    #[test]
    fn a_console_does_not_start_on_a_broken_chain_or_on_another_store() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        StaffList::default()
            .write(&path.join("staff.toml"))
            .unwrap();
        new_key(&path.join("store.keys"), &entropy()).unwrap();
        (0..2).for_each(|_| drop(open(path).unwrap()));
        let first = 1_u64.to_be_bytes();
        {
            let vault = open_vault(&config(path), &Arc::new(entropy())).unwrap();
            let mut act: ActRow = vault.get(Table::Acts, &first).unwrap().unwrap();
            act.at_s += 1;
            let mut write = vault.write();
            write.put(Table::Acts, &first, &act);
            write.commit().unwrap();
        }
        assert_eq!(exit_code(open(path)), 1);
        assert_eq!(exit_code(check(&config(path), entropy())), 1);
        let other = CONFIG.replace("33", "35");
        let other = Config::parse(&other, path).unwrap();
        assert_eq!(exit_code(check(&other, entropy())), 3);
    }
}
