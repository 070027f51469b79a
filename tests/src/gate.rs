//! Holders and gates.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use rules::{Claim, Minute, TestAge, WorstColour};
use verifier::{
    AcceptanceRule, BinderKinds, Gate, HolderKey, Moment, Pass, QrText, Showing, Specimens,
    TrustList, UnixTime,
};

use crate::{Issued, World, fresh_id, province};

/// A key that passes are shown with.
#[derive(Clone)]
pub struct Holder(SigningKey);

impl Holder {
    /// A new one.
    #[expect(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        let mut scalar = [0x21; 32];
        scalar[..16].copy_from_slice(&fresh_id());
        scalar[0] = 0x21;
        Self(SigningKey::from_slice(&scalar).expect("a scalar below the order"))
    }

    /// Its public key, compressed.
    pub fn public(&self) -> Vec<u8> {
        HolderKey::from(*self.0.verifying_key()).to_bytes().to_vec()
    }
}

/// The text of a code, shown `after_s` seconds after a minute.
pub fn show(issued: &Issued, at: Minute, after_s: u64) -> QrText {
    let pass = Pass::from_bytes(&issued.pass).expect("a pass");
    let moment = Moment {
        slot: UnixTime::from_s(u64::from(at.get()) * 60 + after_s).slot(),
        challenge: None,
    };
    let signature: p256::ecdsa::Signature = issued.holder.0.sign(&moment.signing_bytes(&pass));
    let showing = Showing::of_device(pass, moment, &signature.to_bytes().into());
    QrText::from_showing(&showing.expect("a device's pass"))
}

/// What a gate asks for.
pub fn rule(worst: WorstColour, test_age: TestAge) -> AcceptanceRule {
    AcceptanceRule {
        asked: Claim { worst, test_age },
        pass_age_max_min: 1440,
        card_pass_age_max_min: 0,
        binders: BinderKinds::ALL,
    }
}

/// A gate of a province that admits specimens.
pub fn gate(code: u8, rule: AcceptanceRule) -> Gate {
    Gate {
        place: province(code),
        rule,
        specimens: Specimens::Admitted,
        slot_skew: 1,
    }
}

/// The trust list as a node's public door gives it: its bytes, and what they say once checked.
pub async fn trust_list(world: &World, from: u8) -> (Vec<u8>, TrustList) {
    let channel = crate::peer::public_channel(world, from);
    let request = wire::trust::v1::GetTrustListRequest::default();
    let mut client = wire::client::trust(channel);
    let answer = client.get_trust_list(request).await;
    let bytes = answer.expect("a trust list").into_inner().bundle;
    let now = UnixTime::from_s(u64::from(world.now().get()) * 60);
    let candidate = TrustList::consider(&bytes, None, &world.pinned(), now);
    let mut candidate = candidate.expect("a sound trust list");
    for entry in candidate.missing().to_vec() {
        let digest = entry.digest.0.to_vec();
        let request = wire::trust::v1::GetRevocationBatchRequest { digest };
        let batch = client.get_revocation_batch(request).await;
        let batch = batch.expect("a batch").into_inner().batch;
        candidate.supply(&batch).expect("the batch asked for");
    }
    (bytes, candidate.complete().expect("all batches"))
}

/// The checkpoint's program with its own directory.
pub struct GateFiles {
    program: &'static str,
    dir: PathBuf,
}

impl GateFiles {
    /// Configures a gate of Jiangxi, which has no node, that asks for `profile` and asks all nodes of a world for the
    /// trust list; its clock stands `after_min` minutes after the world's.
    pub fn new(program: &'static str, world: &World, profile: &str, after_min: u32) -> Self {
        let dir = world.dir().join("gate");
        std::fs::create_dir_all(&dir).expect("a directory");
        let gate = Self { program, dir };
        let mut text = gate.config(world, profile, after_min);
        for code in crate::PROVINCES {
            let address = world.node(code).public;
            let _ = write!(
                text,
                "[[publisher]]\nprovince = {code}\naddress = \"{address}\"\n"
            );
        }
        gate.write("checkpoint.toml", &text);
        gate
    }

    /// The text of a configuration without publishers.
    pub fn config(&self, world: &World, profile: &str, after_min: u32) -> String {
        let keys = world.pinned();
        let keys: Vec<String> = keys
            .keys()
            .iter()
            .map(|k| hex::encode(k.as_bytes()))
            .collect();
        let clock = if world.is_real_time() {
            String::new()
        } else {
            let start = world.now().get() + after_min;
            format!("clock = {{ start_minute = {start}, rate_min_per_s = 0 }}\n")
        };
        format!(
            "production = false\nprovince = 36\ngate_id = \"4a58303030303031\"\nstate_dir = \"state\"\n\
             profile = {profile:?}\nadmit_specimens = true\nlisten = \"127.0.0.1:0\"\n\
             {clock}[trust]\nroot_keys = {keys:?}\nroot_threshold = 2\nfederation = {:?}\n\
             certificate_roots_file = \"../federation.pem\"\n",
            world.federation.as_str(),
        )
    }

    /// Writes a file into the gate's directory.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).expect("the test's directory is writable");
    }

    /// Where it keeps its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.program);
        command.current_dir(&self.dir).args(args);
        command.output().expect("the program exists")
    }

    /// The exit code and stable code of the verdict on a text.
    pub fn verdict(&self, text: &QrText) -> (Option<i32>, String) {
        self.verdict_of(text.as_str())
    }

    /// The same for a text that need not be a code.
    pub fn verdict_of(&self, text: &str) -> (Option<i32>, String) {
        let output = self.run(&["verify", text, "--json"]);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (
            output.status.code(),
            value["code"].as_str().unwrap_or("").to_owned(),
        )
    }
}
