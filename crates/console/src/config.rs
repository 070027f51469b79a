//! The configuration: read and checked as a whole before the store or a port is opened.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use federation::FederationId;
use published::{Looking, LookingFile};
use rules::{ProvinceCode, SourceId, SourceKind};
use serde::Deserialize;
use verifier::trust::RootKeys;

use crate::SimulatedTime;
use crate::files::read_text;

/// Longest configuration, bytes.
const CONFIG_LEN_MAX_BYTES: u64 = 64 * 1024;
/// Most institutions that one console signs for: what a desk shows at once.
const OFFICES_MAX: usize = 8;
/// Longest that the content of a proposal is kept after its end, days.
const KEEP_DAYS_MAX: u32 = 366;

/// The file. Paths are relative to its own directory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    federation: String,
    province: ProvinceCode,
    data_dir: PathBuf,
    store_key_file: PathBuf,
    staff_file: PathBuf,
    #[serde(default = "default_keep_days")]
    keep_days: u32,
    page: Page,
    node: NodeFile,
    #[serde(default, rename = "office")]
    offices: Vec<OfficeFile>,
    #[serde(default)]
    operator: Option<Certificate>,
    #[serde(default)]
    trust: Option<TrustFile>,
    #[serde(default)]
    public: Option<LookingFile>,
    #[serde(default)]
    clock: Option<SimulatedTime>,
}

/// A month: as long as a proposal may be asked about by whoever it concerned.
const fn default_keep_days() -> u32 {
    30
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    address: String,
    roots_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeFile {
    source: String,
    certificate_file: PathBuf,
    key_file: PathBuf,
    signing_key_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    root_keys: Vec<String>,
    root_threshold: u8,
}

/// Where browsers find the page, `[page]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Address that browsers connect to; loopback, unless there is a certificate.
    pub listen: SocketAddr,
    /// What a browser's address bar shows of it, `host` or `host:port`, all of one host: passkeys are bound to it. None for
    /// `localhost` with the port that is listened on.
    #[serde(default)]
    pub names: Vec<String>,
    /// Certificate chain for these names, of an authority that browsers know, PEM, own first.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// Its PKCS#8 key, PEM, mode 0600.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

/// A certificate of the federation and its key, both PEM files; the key mode 0600.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Certificate chain, own first.
    pub certificate_file: PathBuf,
    /// Its PKCS#8 key.
    pub key_file: PathBuf,
}

/// The node that is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAt {
    /// `host:port` of its peers' door.
    pub address: String,
    /// Roots of the federation, PEM.
    pub roots_file: PathBuf,
}

/// An institution that the console signs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// Which.
    pub source: SourceId,
    /// Its certificate, by which the node knows it.
    pub certificate: Certificate,
    /// Its Ed25519 seed: 64 hexadecimal digits, mode 0600.
    pub signing_key_file: PathBuf,
}

/// The configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The federation.
    pub federation: FederationId,
    /// The province of the console and of its node.
    pub province: ProvinceCode,
    /// Directory of the store.
    pub data_dir: PathBuf,
    /// Key ring of the store, mode 0600, made by `viridian-console new-key`.
    pub store_key_file: PathBuf,
    /// Who works here.
    pub staff_file: PathBuf,
    /// Days for which the content of a proposal is kept after its end.
    pub keep_days: u32,
    /// The page.
    pub page: Page,
    /// The node.
    pub node: NodeAt,
    /// The institutions.
    pub offices: Vec<Office>,
    /// An operator's certificate, for the overview; without one there is nothing of the node in it.
    pub operator: Option<Certificate>,
    /// What the trust list is believed by; without it there is none in the overview.
    pub root_keys: Option<RootKeys>,
    /// Whom to ask for what the federation publishes; without it that is not told here. Only beside `root_keys`.
    pub public: Option<Looking>,
    /// A clock that is not the world's.
    pub clock: Option<SimulatedTime>,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// A message naming the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = read_text(path, CONFIG_LEN_MAX_BYTES)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, dir).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses and checks the text of such a file that lies in `dir`.
    ///
    /// # Errors
    /// A message saying what is wrong.
    pub fn parse(text: &str, dir: &Path) -> Result<Self, String> {
        let file: ConfigFile = toml::from_str(text).map_err(|error| error.to_string())?;
        let federation =
            FederationId::new(&file.federation).map_err(|error| format!("federation: {error}"))?;
        if file.province == ProvinceCode::NATION {
            return Err("province: the nation has no node".to_owned());
        }
        if !(1..=KEEP_DAYS_MAX).contains(&file.keep_days) {
            return Err(format!("keep_days: from 1 to {KEEP_DAYS_MAX}"));
        }
        let mut page = file.page;
        page.check()?;
        page.certificate_file.iter_mut().for_each(within(dir));
        page.key_file.iter_mut().for_each(within(dir));
        let node = NodeAt {
            address: file.node.address,
            roots_file: dir.join(file.node.roots_file),
        };
        let public = file.public.map(|public| {
            if file.trust.is_none() {
                return Err("[public] needs trust.root_keys to verify it by".to_owned());
            }
            let looking = public.check(dir);
            looking.map_err(|error| format!("[public] {error}"))
        });
        Ok(Self {
            federation,
            province: file.province,
            data_dir: dir.join(file.data_dir),
            store_key_file: dir.join(file.store_key_file),
            staff_file: dir.join(file.staff_file),
            keep_days: file.keep_days,
            page,
            node,
            offices: offices(file.offices, file.province, dir)?,
            operator: file.operator.map(|certificate| certificate.within(dir)),
            public: public.transpose()?,
            root_keys: file.trust.map(|trust| root_keys(&trust)).transpose()?,
            clock: file.clock,
        })
    }
}

impl Certificate {
    fn within(mut self, dir: &Path) -> Self {
        [&mut self.certificate_file, &mut self.key_file]
            .into_iter()
            .for_each(within(dir));
        self
    }
}

impl Page {
    fn check(&self) -> Result<(), String> {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), Some(_)) if self.names.is_empty() => {
                return Err(
                    "page.names: a certificate is for names, and none stands there".to_owned(),
                );
            }
            (None, None) if !self.listen.ip().is_loopback() => {
                return Err(format!(
                    "page.listen: {} is not loopback; others than this machine need page.certificate_file and page.key_file",
                    self.listen
                ));
            }
            (Some(_), Some(_)) | (None, None) => {}
            _ => return Err("page: certificate_file and key_file go together".to_owned()),
        }
        let host = self.host();
        for name in &self.names {
            if host_of(name) != host {
                return Err(format!(
                    "page.names: {name} is of another host than {host}, and a passkey is bound to one"
                ));
            }
        }
        let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
        if is_address || host.is_empty() {
            return Err(format!(
                "page.names: {host:?} is an address; passkeys are bound to a name"
            ));
        }
        Ok(())
    }

    /// The host that passkeys are bound to.
    pub fn host(&self) -> &str {
        self.names.first().map_or("localhost", |name| host_of(name))
    }

    /// The names that browsers may ask for, where the page is listened for on `port`.
    pub fn hosts(&self, port: u16) -> Vec<String> {
        if self.names.is_empty() {
            vec![format!("localhost:{port}")]
        } else {
            self.names.clone()
        }
    }

    /// The scheme that browsers see. A page under another name than `localhost` is only ever asked for over TLS, be it that of
    /// a server which stands before this one: browsers have no passkeys without.
    pub fn scheme(&self) -> &'static str {
        if self.certificate_file.is_none() && self.host() == "localhost" {
            "http"
        } else {
            "https"
        }
    }
}

/// The host of `host` or `host:port`.
fn host_of(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => name,
    }
}

fn within(dir: &Path) -> impl Fn(&mut PathBuf) {
    |path| *path = dir.join(&*path)
}

fn offices(
    files: Vec<OfficeFile>,
    province: ProvinceCode,
    dir: &Path,
) -> Result<Vec<Office>, String> {
    if files.len() > OFFICES_MAX {
        return Err(format!("office: {}, at most {OFFICES_MAX}", files.len()));
    }
    let mut seen = BTreeSet::new();
    let offices = files.into_iter().map(|file| {
        let text = &file.source;
        let source = SourceId::parse(text).ok_or(format!(
            "office.source: {text:?} is none; one is written as in 33-cdc-1"
        ))?;
        if source.kind == SourceKind::Resident {
            return Err(format!(
                "office.source: {source}: residents have no console"
            ));
        }
        if source.province != province {
            return Err(format!(
                "office.source: {source} is of another province than the console"
            ));
        }
        if !seen.insert(source) {
            return Err(format!("office.source: {source} stands there twice"));
        }
        let certificate = Certificate {
            certificate_file: file.certificate_file,
            key_file: file.key_file,
        };
        Ok(Office {
            source,
            certificate: certificate.within(dir),
            signing_key_file: dir.join(file.signing_key_file),
        })
    });
    offices.collect()
}

fn root_keys(file: &TrustFile) -> Result<RootKeys, String> {
    RootKeys::from_digits(&file.root_keys, file.root_threshold)
        .map_err(|error| format!("trust.root_keys: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../deploy/console/console.toml");

    fn parsed(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/viridian"))
    }

    #[test]
    fn the_sample_is_right_and_its_paths_are_of_its_own_directory() {
        let config = parsed(SAMPLE).unwrap();
        assert_eq!(config.data_dir, Path::new("/etc/viridian/console"));
        assert_eq!(config.offices.len(), 2);
        assert_eq!(config.offices[1].source.to_string(), "33-appeals-office-1");
        assert!(config.operator.is_some() && config.root_keys.is_some());
        let public = config.public.as_ref().unwrap();
        assert_eq!(public.nodes.len(), 2);
        assert_eq!(
            public.rule_files,
            [Path::new("/etc/viridian/zj-2022-09.toml")]
        );
        assert_eq!(config.page.host(), "console.zj.example");
        assert_eq!(config.page.scheme(), "https");
    }

    #[test]
    fn a_configuration_is_refused_by_what_is_wrong_with_it() {
        for (from, to, why) in [
            ("keep_days = 30", "keep_days = 0", "keep_days"),
            ("keep_days = 30", "keep_weeks = 4", "unknown field"),
            ("province = 33", "province = 0", "province"),
            ("33-cdc-1", "33-cdc-01", "office.source"),
            ("33-cdc-1", "35-cdc-1", "another province"),
            ("33-cdc-1", "33-appeals-office-1", "twice"),
            ("33-cdc-1", "33-resident-1", "residents"),
            (
                "0.0.0.0:443\"",
                "0.0.0.0:443\"\ncolour = 1",
                "unknown field",
            ),
            ("key_file = \"page.key\"", "", "go together"),
            (
                "\"console.zj.example\"",
                "\"a.example\", \"b.example\"",
                "another host",
            ),
            ("\"console.zj.example\"", "\"127.0.0.1:7460\"", "an address"),
            ("\"console.zj.example\"", "", "page.names"),
            ("root_threshold = 2", "root_threshold = 9", "trust"),
            ("slot = 2", "slot = 1", "[public] node.slot: 1"),
            (
                "refresh_every_s = 300",
                "refresh_every_s = 9",
                "[public] refresh_every_s",
            ),
            ("rule_files", "rules", "unknown field"),
        ] {
            let text = SAMPLE.replacen(from, to, 1);
            assert_ne!(text, SAMPLE, "{from}");
            let error = parsed(&text).unwrap_err();
            assert!(error.contains(why), "{to}: {error}");
        }
    }

    #[test]
    fn what_is_published_is_told_only_where_there_are_keys_to_verify_it_by() {
        let (without, _) = SAMPLE.split_once("[operator]").unwrap();
        assert!(parsed(without).unwrap().public.is_none());
        let error = parsed(&format!("{without}[public]\n")).unwrap_err();
        assert!(error.contains("trust.root_keys"), "{error}");
    }

    #[test]
    fn a_page_without_a_certificate_is_for_its_own_machine() {
        let page = |text: &str| {
            let page: Page = toml::from_str(text).unwrap();
            page.check().map(|()| page)
        };
        let own = page("listen = \"127.0.0.1:0\"").unwrap();
        assert_eq!(own.hosts(81), ["localhost:81"]);
        assert_eq!((own.host(), own.scheme()), ("localhost", "http"));
        // A server that browsers reach by TLS stands before it.
        let behind = page("listen = \"127.0.0.1:0\"\nnames = [\"a.example\"]").unwrap();
        assert_eq!(behind.scheme(), "https");
        assert!(
            page("listen = \"0.0.0.0:0\"")
                .unwrap_err()
                .contains("not loopback")
        );
    }
}
