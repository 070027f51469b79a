//! Gates: a checkpoint's program with a configuration and a state directory of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use rules::{Minute, ProvinceCode};
use tonic::transport::{Channel, Endpoint};
use verifier::trust::BatchEntry;
use verifier::{GateChallenge, GateId, GateNonce, UnixTime};
use wire::gate::v1 as proto;
use wire::gate::v1::gate_service_client::GateServiceClient;

use crate::callers::said;
use crate::stage::{Stage, unix_time};

/// How a gate is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Its name, and that of its directory.
    pub name: &'static str,
    /// Where it stands.
    pub place: ProvinceCode,
    /// Profile that says what it asks for.
    pub profile: &'static str,
    /// Where its clock stands.
    pub now: Minute,
    /// Whether specimens count; a gate in earnest says no.
    pub admits_specimens: bool,
}

/// A gate's directory.
pub struct Gate {
    /// How it is set up.
    pub setup: Setup,
    dir: PathBuf,
    program: PathBuf,
}

impl Gate {
    /// Makes its directory and configuration.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn set(stage: &Stage, setup: Setup) -> Result<Self> {
        let dir = stage.dir.join(format!("gate-{}", setup.name));
        fs::create_dir_all(&dir)?;
        let mut id = *b"gate    ";
        for (to, from) in id[4..].iter_mut().zip(setup.name.bytes()) {
            *to = from;
        }
        let mut text = format!(
            r#"production = false
province = {}
gate_id = "{}"
state_dir = "state"
profile = "{}"
admit_specimens = {}
listen = "127.0.0.1:0"

[trust]
root_keys = {:?}
root_threshold = 2
federation = "{}"
certificate_roots_file = "../federation.pem"

[clock]
start_minute = {}
rate_min_per_s = 0
"#,
            setup.place.get(),
            hex::encode(id),
            setup.profile,
            setup.admits_specimens,
            stage.root_keys,
            stage.federation.as_str(),
            setup.now.get(),
        );
        for (home, doors) in &stage.doors {
            use std::fmt::Write as _;
            write!(
                text,
                "\n[[publisher]]\nprovince = {}\naddress = \"{}\"\n",
                home.get(),
                doors.public
            )?;
        }
        fs::write(dir.join("checkpoint.toml"), text)?;
        Ok(Self {
            setup,
            dir,
            program: stage.programs.checkpoint.clone(),
        })
    }

    /// Its time.
    pub fn now(&self) -> UnixTime {
        unix_time(self.setup.now)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.dir)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Fetches the trust list from the nodes; what the program says.
    ///
    /// # Errors
    /// If it ends with anything but success.
    pub fn refresh(&self) -> Result<String> {
        let output = self.command().arg("refresh").output()?;
        ensure!(
            output.status.success(),
            "checkpoint refresh: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Takes the trust list that another gate has, with the batches of revocations that it names, as a copy on a stick
    /// would bring them.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn copy_list(&self, from: &Self) -> Result<()> {
        let batches = "state/revocations";
        fs::create_dir_all(self.dir.join(batches))?;
        for entry in fs::read_dir(from.dir.join(batches))? {
            let name = entry?.file_name();
            let file = Path::new(batches).join(name);
            fs::copy(from.dir.join(&file), self.dir.join(&file))?;
        }
        let list = "state/trust-list.bin";
        fs::copy(from.dir.join(list), self.dir.join(list))?;
        Ok(())
    }

    /// The stored trust list.
    ///
    /// # Errors
    /// If there is none.
    pub fn list_bytes(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.dir.join("state/trust-list.bin"))?)
    }

    /// A batch of revocations that its trust list names.
    ///
    /// # Errors
    /// If it has none such.
    pub fn batch_bytes(&self, entry: &BatchEntry) -> Result<Vec<u8>> {
        let name = format!("state/revocations/{}.bin", hex::encode(entry.digest.0));
        Ok(fs::read(self.dir.join(name))?)
    }

    /// The stable code of the program's verdict on a text or a picture; its exit code must go with it.
    ///
    /// # Errors
    /// If there is no verdict.
    pub fn verify(&self, input: &str) -> Result<String> {
        let output = self.command().args(["verify", input, "--json"]).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let value: serde_json::Value =
            serde_json::from_slice(&output.stdout).with_context(|| said.into_owned())?;
        let expected = match value["outcome"].as_str() {
            Some("accept") => 0,
            Some("reject") => 1,
            _ => 2,
        };
        ensure!(
            output.status.code() == Some(expected),
            "exit code {:?} for {value}",
            output.status.code()
        );
        let code = value["code"].as_str().context("a code")?;
        Ok(code.to_owned())
    }

    /// The same as an officer reads it.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn verify_in_words(&self, input: &str) -> Result<String> {
        let output = self.command().args(["verify", input]).output()?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Opens its door.
    ///
    /// # Errors
    /// If the program ends.
    pub fn open(&self) -> Result<OpenGate> {
        let mut process = self
            .command()
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.dir.join("log.txt"))?)
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().context("a pipe")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let Some(address) = line.trim().strip_prefix("listening ") else {
            let _ = process.kill();
            bail!("the gate's door does not open: {line}");
        };
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
        Ok(OpenGate {
            client: wire::client::gate(channel),
            now: self.now(),
            process,
        })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// A gate whose door is open.
pub struct OpenGate {
    client: GateServiceClient<Channel>,
    /// Its time.
    pub now: UnixTime,
    process: Child,
}

/// What is held up to the gate.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The text of the code.
    pub text: String,
    /// Profile asked for; empty for the gate's own.
    pub profile: &'static str,
    /// Number on the identity card, if one is laid down.
    pub card: String,
    /// The challenge that was answered, if one was given.
    pub challenge: Option<GateChallenge>,
}

impl Shown {
    /// A code under a profile.
    pub fn under(profile: &'static str, text: String) -> Self {
        Self {
            text,
            profile,
            ..Self::default()
        }
    }
}

impl OpenGate {
    /// The stable code of the verdict.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn verify(&mut self, shown: Shown) -> Result<String> {
        let answer = self.client.verify_code(request(shown)).await;
        let verdict = answer.map_err(said)?.into_inner().verdict;
        Ok(verdict.context("a verdict")?.code)
    }

    /// A fresh challenge.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn challenge(&mut self) -> Result<GateChallenge> {
        let given = self
            .client
            .new_challenge(proto::NewChallengeRequest {})
            .await;
        let given = given.map_err(said)?.into_inner();
        Ok(GateChallenge {
            gate: GateId(given.gate_id[..].try_into()?),
            nonce: GateNonce(given.nonce[..].try_into()?),
        })
    }
}

fn request(shown: Shown) -> proto::VerifyCodeRequest {
    proto::VerifyCodeRequest {
        qr_text: shown.text,
        profile_id: shown.profile.to_owned(),
        card_identity_number: shown.card,
        nonce: (shown.challenge).map_or_else(Vec::new, |challenge| challenge.nonce.0.to_vec()),
    }
}

impl Drop for OpenGate {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
