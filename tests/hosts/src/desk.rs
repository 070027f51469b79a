//! What holders of root keys and provinces do with `federation`, each in a directory of their own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::SigningKey;
use federation::FederationId;
use membership::{Folder, HEAD_KEY_NOTICE_MIN, Request, read_signing_key, write_private};
use rules::Minute;
use verifier::{Slot, UnixTime};

use crate::host::Place;
use crate::programs::Programs;

/// Holders of root keys; two of three must sign.
const HOLDERS: [&str; 3] = ["a", "b", "c"];
/// The federation's name.
pub(crate) const NAME: &str = "hosts";

/// The directory of it all.
pub(crate) struct Desk {
    pub(crate) dir: PathBuf,
    pub(crate) programs: Programs,
    /// Public halves of the root keys.
    pub(crate) root_keys: Vec<String>,
}

impl Desk {
    /// Makes the root keys and the plan.
    pub(crate) fn found(dir: PathBuf, programs: Programs, circuit: &str) -> Result<Self> {
        fs::create_dir_all(dir.join("holders"))?;
        fs::create_dir_all(dir.join("folder/requests"))?;
        let mut desk = Self {
            dir,
            programs,
            root_keys: Vec::new(),
        };
        for holder in HOLDERS {
            let key = desk.federation(&["new-key", &format!("holders/{holder}.key")])?;
            desk.root_keys.push(key.trim().to_owned());
        }
        fs::write(desk.dir.join("folder/circuit.json"), circuit)?;
        desk.write_plan(&[])?;
        Ok(desk)
    }

    /// Writes the plan, with these slots taken away.
    pub(crate) fn write_plan(&self, removed_slots: &[u8]) -> Result<()> {
        let text = format!(
            "name = {NAME:?}\nroot_keys = {:?}\nroot_threshold = 2\nexpires_in_days = 90\ngrace_min = 1_440\n\
             removed_slots = {removed_slots:?}\ncircuits = [\"circuit.json\"]\n\
             rule_sets = [\"hz-2020-02\", \"fj-2022-08\"]\n\
             [[profile]]\nname = \"not-red\"\nworst = \"yellow\"\npass_age_max_min = 1_440\n\
             card_pass_age_max_min = 10_080\nbinders = [\"device\", \"card\", \"device-and-card\"]\n",
            self.root_keys,
        );
        Ok(fs::write(self.dir.join("folder/plan.toml"), text)?)
    }

    /// A province follows an invitation into its slot, in a new directory; the request goes into the folder.
    pub(crate) fn join(&self, province: u8, dir: &str, address: &str) -> Result<()> {
        let (code, slot) = (province.to_string(), slot_of(province).to_string());
        let holder = ["--key", "holders/a.key", "--plan", "folder/plan.toml"];
        let whom = ["--province", &code, "--slot", &slot];
        let invitation = self.federation(&[&["invite"], &holder[..], &whom[..]].concat())?;
        let file = format!("{province}.invitation.pem");
        fs::write(self.dir.join(&file), invitation)?;
        self.federation(&[
            "join",
            "--invitation",
            &file,
            "--dir",
            dir,
            "--peers-address",
            address,
        ])?;
        self.hand_in(province, dir)
    }

    /// A province's request goes into the folder.
    pub(crate) fn hand_in(&self, province: u8, dir: &str) -> Result<()> {
        let request = self.dir.join(dir).join("request.pem");
        let place = format!("folder/requests/{province}.pem");
        fs::copy(request, self.dir.join(place))?;
        Ok(())
    }

    /// Two of three holders agree; gives the root document's number.
    pub(crate) fn agree(&self) -> Result<u64> {
        self.federation(&["propose", "folder"])?;
        for holder in ["a", "c"] {
            let key = format!("holders/{holder}.key");
            self.federation(&["approve", "folder", "--key", &key])?;
        }
        let told = self.federation(&["publish", "folder", "--json"])?;
        let told: serde_json::Value = serde_json::from_str(&told)?;
        told["root_sequence"]
            .as_u64()
            .context("the number of a root document")
    }

    /// A province asks for another head key from a minute on, and two of three holders agreed to it as long before as a key has
    /// to be announced. Clocks are not the world's here, so that this is not done by the program: it is the same in the
    /// library that the program is made of.
    pub(crate) fn rotate_head(&self, code: u8, new: &SigningKey, from: Minute) -> Result<u64> {
        let folder = Folder::new(&self.dir.join("folder"));
        let home = self.dir.join(Place::Node(code).to_string());
        let old = read_signing_key(&home.join("signing.key"))?;
        let root = folder.root()?.context("a root document")?;
        let request = Request::Rotate {
            federation: FederationId::new(NAME)?,
            province: tests::province(code),
            slot: Slot::new(slot_of(code)).context("a slot")?,
            root_sequence: root.document().sequence.get(),
            old: old.verifying_key(),
            new: new.verifying_key(),
            from: Some(from),
        };
        let request = request.sign(&[&old, new])?.to_pem();
        fs::write(
            self.dir.join(format!("folder/requests/{code}.pem")),
            request,
        )?;
        let next = home.join("signing.key.next");
        write_private(&next, hex::encode(new.to_bytes()).as_bytes())?;
        let then = from.saturating_add_signed(-i64::from(HEAD_KEY_NOTICE_MIN));
        let then = UnixTime::from_s(u64::from(then.get()) * 60);
        folder.write_draft(&folder.derive(then)?)?;
        for holder in ["a", "c"] {
            let key = read_signing_key(&self.dir.join(format!("holders/{holder}.key")))?;
            folder.write_next(&folder.sign(&key, then)?)?;
        }
        Ok(folder.publish(then)?.root_sequence)
    }

    /// Copies what was published beside a configuration, each file as a whole.
    pub(crate) fn hand_out(&self, to: &Path) -> Result<()> {
        for name in ["federation.pem", "root.bin"] {
            let new = to.join(format!("{name}.new"));
            fs::copy(self.dir.join("folder").join(name), &new)?;
            fs::rename(new, to.join(name))?;
        }
        Ok(())
    }

    /// Runs `federation`; gives what it says.
    pub(crate) fn federation(&self, arguments: &[&str]) -> Result<String> {
        run(&self.programs.federation, &self.dir, arguments, b"")
    }

    /// Runs `node`; gives what it says.
    pub(crate) fn node(&self, arguments: &[&str], input: &[u8]) -> Result<String> {
        run(&self.programs.node, &self.dir, arguments, input)
    }
}

/// A province's slot: its code's distance from the first.
pub(crate) fn slot_of(province: u8) -> u8 {
    province - 32
}

fn run(program: &Path, dir: &Path, arguments: &[&str], input: &[u8]) -> Result<String> {
    let what = || format!("{} {}", program.display(), arguments.join(" "));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(dir)
        .env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().with_context(what)?;
    let mut to = child.stdin.take().context("a pipe")?;
    to.write_all(input).with_context(what)?;
    drop(to);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", what());
    Ok(String::from_utf8(output.stdout)?)
}
