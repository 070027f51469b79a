//! For tests: a console's people and store, and a device with passkeys.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rules::ProvinceCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{Entropy, KeyRing, MemoryStore, StoreIdentity, Vault};
use tonic::Request;

use crate::admission::Admission;
use crate::employ::Employment;
use crate::passkeys::Passkeys;
use crate::sessions::Sessions;
use crate::staff::{Roles, Staff, StaffList};
use crate::{Journal, Role, SetClock, StaffId};

/// Where the page of tests is.
pub(crate) const ORIGIN: &str = "http://localhost:7460";
/// When tests begin, seconds since the Unix epoch.
pub(crate) const NOW_S: u64 = 1_662_000_000;

/// Flags of an authenticator's data: somebody was there, and is who they are to the device; a credential is in it.
const PRESENT: u8 = 0x01;
pub(crate) const VERIFIED: u8 = 0x04;
const CREDENTIAL: u8 = 0x40;

/// A device that makes passkeys, as far as its answers go.
#[derive(Clone)]
pub(crate) struct Device {
    key: SigningKey,
    id: [u8; 16],
    /// What it tells of itself and of who uses it.
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) origin: &'static str,
    handle: String,
}

impl Device {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[number; 32]).unwrap(),
            id: [number; 16],
            flags: PRESENT | VERIFIED,
            counter: 1,
            origin: ORIGIN,
            handle: String::new(),
        }
    }

    /// `RegistrationResponseJSON`, as browsers write it: with more than the standard asks for.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        options["user"]["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.handle);
        let rp = options["rp"]["id"].as_str().unwrap();
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let cose = [
            &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..],
            &x[..],
            &[0x22, 0x58, 0x20],
            &y[..],
        ];
        let data = [
            &self.data(rp, CREDENTIAL)[..],
            &[0; 16],
            &[0, 16],
            &self.id,
            &cose.concat(),
        ]
        .concat();
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let object = [
            &b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"[..],
            &[u8::try_from(data.len()).unwrap()],
            &data,
        ]
        .concat();
        let client = self.client_data("webauthn.create", &options);
        self.answer(&json!({
            "clientDataJSON": BASE64URL.encode(client),
            "attestationObject": BASE64URL.encode(object),
            "authenticatorData": BASE64URL.encode(data),
            "publicKeyAlgorithm": -7,
            "transports": ["internal"],
        }))
    }

    /// `AuthenticationResponseJSON`, with the counter one on.
    pub(crate) fn get(&mut self, options: &str) -> String {
        self.counter += 1;
        self.get_uncounted(options)
    }

    /// The same with the counter as it is.
    pub(crate) fn get_uncounted(&self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let client = self.client_data("webauthn.get", &options);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        let signature: Signature = self.key.sign(&signed);
        self.answer(&json!({
            "clientDataJSON": BASE64URL.encode(client),
            "authenticatorData": BASE64URL.encode(data),
            "signature": BASE64URL.encode(signature.to_der().as_bytes()),
            "userHandle": self.handle,
        }))
    }

    fn data(&self, rp: &str, more: u8) -> Vec<u8> {
        let flags = [self.flags | more];
        [&Sha256::digest(rp)[..], &flags, &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn answer(&self, response: &Value) -> String {
        let id = BASE64URL.encode(self.id);
        json!({
            "id": id,
            "rawId": id,
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "type": "public-key",
        })
        .to_string()
    }
}

/// The frame of a console: people, store and journal.
pub(crate) struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) staff: Staff,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) passkeys: Arc<Passkeys>,
    pub(crate) employment: Employment,
    pub(crate) file: PathBuf,
    entropy: Entropy,
    dir: tempfile::TempDir,
}

impl House {
    /// With nobody in it.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("staff.toml");
        StaffList::default().write(&file).unwrap();
        Self::at(vault(), dir, file, [6; 32])
    }

    fn at(vault: Arc<Vault>, dir: tempfile::TempDir, file: PathBuf, seed: [u8; 32]) -> Self {
        let clock = Arc::new(SetClock::at_s(NOW_S));
        let journal = Journal::open(Arc::clone(&vault), Arc::clone(&clock) as _);
        let journal = Arc::new(journal.unwrap());
        let entropy = Arc::new(Entropy::from_seed([5; 32]));
        let sessions = Arc::new(Sessions::new(Arc::clone(&clock) as _, entropy));
        let staff = Staff::nobody();
        let passkeys = Passkeys::new(
            Arc::clone(&journal),
            staff.clone(),
            Arc::clone(&sessions),
            "localhost",
        );
        let passkeys = Arc::new(passkeys.unwrap());
        passkeys.serve_as(vec![ORIGIN.to_owned()]);
        let employment = Employment::begin(
            file.clone(),
            Arc::clone(&journal),
            staff.clone(),
            Arc::clone(&passkeys),
            Arc::clone(&sessions),
        );
        Self {
            vault,
            clock,
            journal,
            staff,
            sessions,
            passkeys,
            employment: employment.unwrap(),
            file,
            entropy: Entropy::from_seed(seed),
            dir,
        }
    }

    /// The same store and file, begun anew.
    pub(crate) fn again(self) -> Self {
        let seed = self.entropy.bytes();
        Self::at(self.vault, self.dir, self.file, seed)
    }

    /// Has the file be changed, and looked at.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut StaffList) -> T) -> T {
        let mut list = StaffList::read(&self.file).unwrap();
        let changed = change(&mut list);
        list.write(&self.file).unwrap();
        self.employment.look();
        changed
    }

    /// Invites somebody for a day.
    pub(crate) fn invite(&self, name: &str, roles: &[Role]) -> (StaffId, String) {
        let roles: Roles = roles.iter().copied().collect();
        self.change(|list| {
            let until_s = NOW_S + 24 * 3_600;
            list.invite(name, roles, until_s, &self.entropy).unwrap()
        })
    }

    /// Somebody with a passkey on a device of this number.
    pub(crate) fn enrolled(&self, name: &str, roles: &[Role], number: u8) -> (StaffId, Device) {
        let (id, code) = self.invite(name, roles);
        let mut device = Device::new(number);
        let options = self.passkeys.begin_enrol(&code, None).unwrap();
        self.passkeys
            .enrol(&code, &device.create(&options))
            .unwrap();
        (id, device)
    }

    /// Who may call.
    pub(crate) fn admission(&self) -> Admission {
        Admission {
            staff: self.staff.clone(),
            sessions: Arc::clone(&self.sessions),
        }
    }

    /// What was done, oldest first: words and names.
    pub(crate) fn acts(&self) -> Vec<(String, String)> {
        let mut acts = self.journal.list(0, 1_000).unwrap();
        acts.reverse();
        let told = acts.into_iter().map(|(_, act)| (act.what, act.who_name));
        told.collect()
    }
}

/// A call as the page makes it, with the cookie that a header has set.
pub(crate) fn from_page<T>(message: T, set_cookie: &str) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(
        "content-type",
        "application/grpc-web+proto".parse().unwrap(),
    );
    let cookie = set_cookie.split(';').next().unwrap();
    metadata.insert("cookie", cookie.parse().unwrap());
    request
}

/// An empty store.
pub(crate) fn vault() -> Arc<Vault> {
    vault_on(Arc::default())
}

/// An empty store that can be made to fail.
pub(crate) fn vault_on(store: Arc<MemoryStore>) -> Arc<Vault> {
    let entropy = Arc::new(Entropy::from_seed([4; 32]));
    let ring = KeyRing::generate(&entropy);
    let identity = StoreIdentity {
        federation: "demo".to_owned(),
        province: ProvinceCode::new(33).unwrap(),
    };
    Arc::new(Vault::open(store, &identity, ring, entropy).unwrap())
}
