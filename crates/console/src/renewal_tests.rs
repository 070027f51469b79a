use std::path::PathBuf;
use std::time::Duration;

use ed25519_dalek::Signer as _;
use federation::pki::{DemoAuthority, Validity};
use federation::{PeerId, Role, WebCertificate};
use rules::{ProvinceCode, SourceKind};
use store::MemoryStore;

use super::*;
use crate::files::replace_own;
use crate::node::fake::{demo, source};
use crate::overview::{Overview, operator};
use crate::testing::{NOW_S, vault_on};
use crate::{ActRow, SetClock};

const CONFIG: &str = "federation = \"demo\"\nprovince = 33\ndata_dir = \"data\"\nstore_key_file = \"store.keys\"\n\
    staff_file = \"staff.toml\"\n[page]\nlisten = \"127.0.0.1:0\"\n[node]\naddress = \"127.0.0.1:1\"\nroots_file = \"roots.pem\"\n\
    [operator]\ncertificate_file = \"operator.pem\"\nkey_file = \"operator.key\"\n\
    [[office]]\nsource = \"33-cdc-1\"\ncertificate_file = \"cdc.pem\"\nkey_file = \"cdc.key\"\nsigning_key_file = \"signing.key\"\n";
const CDC: Role = Role::Source(SourceKind::Cdc, 1);
/// Ends of certificates, seconds since the Unix epoch.
const FIRST: u64 = 4_102_444_800;
const SECOND: u64 = 4_000_000_000;
const LONG_AGO: u64 = 1_600_000_000;

/// A console with a CDC and an operator, and what stands in their files.
struct House {
    dir: tempfile::TempDir,
    store: Arc<MemoryStore>,
    renewal: Renewal,
    overview: Overview,
}

fn authority(until_s: u64) -> DemoAuthority {
    let from_s = 1_577_836_800;
    let until_s = until_s.try_into().unwrap();
    DemoAuthority::generate_for_demo(&demo(), Validity { from_s, until_s }).unwrap()
}

fn write(dir: &Path, file: &str, text: &str) {
    replace_own(&dir.join(file), text).unwrap();
}

/// Writes a certificate of somebody into the files of a holder.
fn certify(dir: &Path, holder: &str, authority: &DemoAuthority, role: Role) {
    let peer = PeerId {
        federation: demo(),
        province: ProvinceCode::new(33).unwrap(),
        role,
    };
    let issued = authority.issue_for_demo(&peer).unwrap();
    write(dir, &format!("{holder}.pem"), &issued.chain_pem);
    write(dir, &format!("{holder}.key"), &issued.key_pem);
}

/// Certificates of both, and the roots.
fn certify_all(dir: &Path, authority: &DemoAuthority) {
    write(dir, "roots.pem", &authority.root_pem());
    certify(dir, "cdc", authority, CDC);
    certify(dir, "operator", authority, Role::Operator);
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let first = authority(FIRST);
        certify_all(dir.path(), &first);
        certify(dir.path(), "page", &first, Role::Node);
        write(dir.path(), "signing.key", &hex::encode([1; 32]));
        let store = Arc::default();
        let vault = vault_on(Arc::clone(&store));
        Self::at(dir, store, vault)
    }

    /// Begins with what stands in the files and in the store.
    fn at(dir: tempfile::TempDir, store: Arc<MemoryStore>, vault: Arc<Vault>) -> Self {
        let config = Config::parse(CONFIG, dir.path()).unwrap();
        let clock = Arc::new(SetClock::at_s(NOW_S));
        let journal = Journal::open(vault, Arc::clone(&clock) as _).unwrap();
        let seen = seen_now(&config);
        let offices = Arc::new(Offices::open(&config).unwrap());
        let mut entry = journal.begin();
        note_keys(&mut entry, journal.vault(), &offices).unwrap();
        entry.commit().unwrap();
        let operator = operator(&config).unwrap();
        let page = |file| std::fs::read_to_string(dir.path().join(file)).unwrap();
        let page = WebCertificate::from_pem(&page("page.pem"), &page("page.key"));
        let page = Some(Arc::new(page.unwrap()));
        let overview = Overview::open(&config, &offices, operator.as_ref(), page, clock).unwrap();
        let renewal = Renewal::new(config, offices, operator, Arc::new(journal), seen);
        Self {
            dir,
            store,
            renewal,
            overview,
        }
    }

    /// Begins anew.
    fn again(self) -> Self {
        let vault = Arc::clone(self.renewal.journal.vault());
        Self::at(self.dir, self.store, vault)
    }

    fn look(&self) -> Vec<String> {
        self.renewal.look(UnixTime::now())
    }

    fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Whether the office signs by a key.
    fn signs_by(&self, seed: u8) -> bool {
        let office = self.renewal.offices.get(source(SourceKind::Cdc));
        let key = SigningKey::from_bytes(&[seed; 32]);
        office.ok().unwrap().sign(b"message") == key.sign(b"message").to_bytes()
    }

    /// Whose certificates the overview tells of, and their ends.
    async fn ends(&self) -> Vec<(String, u64)> {
        let told = self.overview.get().await.certificates.into_iter();
        told.map(|of| (of.holder, of.ends_at_s)).collect()
    }

    /// What was done, newest first.
    fn acts(&self) -> Vec<ActRow> {
        let acts = self.renewal.journal.list(0, 10).unwrap();
        acts.into_iter().map(|(_, act)| act).collect()
    }
}

fn ends(cdc: u64, operator: u64) -> Vec<(String, u64)> {
    let of = |holder: &str, ends| (holder.to_owned(), ends);
    vec![
        of("33-cdc-1", cdc),
        of("operator", operator),
        of("page", FIRST),
    ]
}

#[tokio::test]
async fn another_certificate_or_signing_key_is_used_as_it_comes_and_an_act_tells_whose_it_is() {
    let house = House::new();
    assert_eq!(house.look(), [""; 0]);
    assert!(house.acts().is_empty(), "nothing changed since the start");
    assert!(house.signs_by(1));
    assert_eq!(house.ends().await, ends(FIRST, FIRST));

    write(&house.path(), "signing.key", &hex::encode([2; 32]));
    assert!(house.signs_by(1), "not before it is looked at");
    assert_eq!(house.look(), [""; 0]);
    assert!(house.signs_by(2));
    let acts = house.acts();
    assert_eq!(acts.len(), 1);
    assert_eq!(
        (acts[0].what.as_str(), acts[0].words.as_str()),
        ("renewed", "33-cdc-1 signing key")
    );
    assert!(acts[0].who.is_none());

    certify_all(&house.path(), &authority(SECOND));
    assert_eq!(house.look(), [""; 0]);
    assert_eq!(house.ends().await, ends(SECOND, SECOND));
    assert_eq!(house.acts().len(), 3);
    assert_eq!(house.acts()[0].words, "operator");
    assert_eq!(house.acts()[1].words, "33-cdc-1");
    assert_eq!(house.look(), [""; 0]);
    assert_eq!(house.acts().len(), 3);
}

#[tokio::test]
async fn what_does_not_fit_is_told_once_and_all_of_the_former_stays() {
    let house = House::new();
    let dir = house.path();
    let told = |part: &str| {
        let wrong = house.look();
        assert!(wrong.len() == 1 && wrong[0].contains(part), "{wrong:?}");
        assert_eq!(house.look(), [""; 0], "told once");
        assert!(house.signs_by(1));
    };
    let next = authority(SECOND);
    // The signing key beside it is not taken either.
    write(&dir, "signing.key", &hex::encode([2; 32]));
    certify(&dir, "cdc", &next, CDC);
    told("33-cdc-1");
    write(&dir, "roots.pem", &next.root_pem());
    certify(&dir, "operator", &next, Role::Operator);
    certify(&dir, "cdc", &next, Role::Source(SourceKind::Cdc, 2));
    told("33-cdc-1");
    std::fs::remove_file(dir.join("cdc.key")).unwrap();
    told("cdc.key");
    certify(&dir, "cdc", &next, CDC);
    write(&dir, "signing.key", "short");
    told("signing.key");
    assert_eq!(house.ends().await, ends(FIRST, SECOND));
    write(&dir, "signing.key", &hex::encode([2; 32]));
    assert_eq!(house.look(), [""; 0]);
    assert!(house.signs_by(2));
    // One that has ended would be refused by the node.
    certify_all(&dir, &authority(LONG_AGO));
    assert_eq!(house.look().len(), 2);
    assert_eq!(house.ends().await, ends(SECOND, SECOND));
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_is_tried_again_and_told_of_once() {
    let house = House::new();
    certify_all(&house.path(), &authority(SECOND));
    write(&house.path(), "signing.key", &hex::encode([2; 32]));
    // Before the certificates begin.
    let early = |s: u64| UnixTime::since_unix_epoch(Duration::from_secs(1_577_836_000 + s));
    let wrong = house.renewal.look(early(0));
    assert!(
        wrong.len() == 2 && wrong[0].contains("33-cdc-1"),
        "{wrong:?}"
    );
    assert_eq!(house.renewal.look(early(60)), [""; 0], "told once");
    assert!(house.signs_by(1) && house.acts().is_empty());
    assert_eq!(house.look(), [""; 0]);
    assert!(house.signs_by(2));
    assert_eq!(house.ends().await, ends(SECOND, SECOND));
    assert_eq!(house.acts().len(), 2);
}

#[tokio::test]
async fn nothing_is_signed_by_another_key_before_the_act_is_stored() {
    let house = House::new();
    write(&house.path(), "signing.key", &hex::encode([2; 32]));
    house.store.set_full(true);
    assert_eq!(house.look().len(), 1);
    assert_eq!(house.look(), [""; 0], "told once");
    assert!(house.signs_by(1) && house.acts().is_empty());
    house.store.set_full(false);
    assert_eq!(house.look(), [""; 0]);
    assert!(house.signs_by(2));
    assert_eq!(house.acts().len(), 1);
}

#[tokio::test]
async fn a_signing_key_that_became_another_while_the_console_did_not_run_is_an_act_at_its_start() {
    let house = House::new().again();
    assert!(
        house.acts().is_empty(),
        "the same, and the first is no other"
    );
    write(&house.path(), "signing.key", &hex::encode([2; 32]));
    let house = house.again();
    let told = |house: &House| {
        house
            .acts()
            .into_iter()
            .map(|act| act.words)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&house), ["33-cdc-1 signing key"]);
    assert_eq!(house.look(), [""; 0]);
    assert_eq!(told(&house.again()).len(), 1);
}
