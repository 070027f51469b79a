//! What the commands do, and what they print.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use ed25519_dalek::SigningKey;
use federation::pki::{IssuedCertificate, ProvinceAuthority};
use federation::{PeerId, Role};
use membership::{
    Change, Folder, HEAD_KEY_NOTICE_MIN, Invitation, Joining, Known, MembershipError, Plan,
    Request, SignedInvitation, changes, check_head_key_date, head_keys, issue, read_bytes,
    read_signing_key, read_text, replace, replace_private, write_private,
};
use rand::TryRngCore as _;
use rules::{Minute, ProvinceCode, SourceKind};
use serde_json::{Value, json};
use verifier::trust::{MAX_SIGNED_ROOT_LEN_BYTES, SignedRoot};
use verifier::{Slot, UnixTime};
use zeroize::Zeroizing;

/// What is done, and how it is told.
pub(crate) struct Desk {
    /// Write nothing.
    pub(crate) dry_run: bool,
    /// One JSON object instead of text.
    pub(crate) json: bool,
}

/// Who is invited, by whom.
pub(crate) struct Invited {
    pub(crate) key: PathBuf,
    pub(crate) plan: PathBuf,
    pub(crate) province: u8,
    pub(crate) slot: u8,
    pub(crate) days: u32,
}

/// What an invited province says.
pub(crate) struct Joined {
    pub(crate) invitation: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) peers_address: String,
}

/// A key that is renewed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RotatedKey {
    /// Signs tree heads and cosignatures; takes a request, and the next root document, which says from when
    Head,
    /// The node's certificate and its key; the node takes it up by itself
    Tls,
    /// The keys of the node's log and of what it cosigns as a witness; announced by the node at its next start
    Log,
}

/// Whose key, and which.
pub(crate) struct Rotated {
    pub(crate) dir: PathBuf,
    pub(crate) key: RotatedKey,
    pub(crate) root: Option<PathBuf>,
    pub(crate) at: Option<u32>,
    pub(crate) is_compromised: bool,
}

/// For whom a certificate is issued.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IssuedRole {
    /// A source of events
    Source,
    /// A checkpoint
    Checkpoint,
    /// Somebody who operates the node
    Operator,
    /// Somebody who holds nodes' records against what sources signed
    Auditor,
}

/// A certificate to be issued.
pub(crate) struct Issued {
    pub(crate) dir: PathBuf,
    pub(crate) role: IssuedRole,
    pub(crate) kind: Option<SourceKind>,
    pub(crate) number: u32,
}

impl Desk {
    pub(crate) fn new_key(&self, file: &Path) -> Result<()> {
        let key = new_signing_key()?;
        if !self.dry_run {
            write_private(file, hex::encode(key.to_bytes()).as_bytes())?;
        }
        let public = hex::encode(key.verifying_key().as_bytes());
        let value = json!({"file": file, "public_key": public, "written": !self.dry_run});
        self.tell(&value, &public)
    }

    pub(crate) fn invite(&self, invited: &Invited) -> Result<()> {
        let plan = Plan::read(&invited.plan)?;
        let key = read_signing_key(&invited.key)?;
        let mut nonce = [0; 16];
        fill(&mut nonce)?;
        let expires_at = UnixTime::from_s(now()?.get_s() + u64::from(invited.days) * 86_400);
        let invitation = Invitation {
            federation: plan.federation,
            province: province(invited.province)?,
            slot: Slot::new(invited.slot).context("slots are 0 to 63")?,
            expires_at,
            nonce,
            root_keys: plan.root_keys,
        };
        let pem = invitation.sign(&key)?.to_pem();
        let value = json!({
            "province": invited.province,
            "slot": invited.slot,
            "expires_at_s": expires_at.get_s(),
            "invitation": pem,
        });
        self.tell(&value, pem.trim_end())
    }

    pub(crate) fn join(&self, joined: Joined) -> Result<()> {
        let text = read_text(&joined.invitation, MAX_TEXT_LEN_BYTES)?;
        let invitation = SignedInvitation::from_pem(&text)?;
        let asked = invitation.invitation().clone();
        let head = new_signing_key()?;
        let joining = Joining::prepare(invitation, &head, joined.peers_address, now()?)?;
        let dir = &joined.dir;
        let keys: Vec<String> = (asked.root_keys.keys().iter())
            .map(|key| hex::encode(key.as_bytes()))
            .collect();
        if !self.dry_run {
            ensure!(!dir.exists(), "{} is there already", dir.display());
            fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
            let secret = |name: &str, text: &str| write_private(&dir.join(name), text.as_bytes());
            let public = |name: &str, text: &str| replace(&dir.join(name), text.as_bytes());
            secret("signing.key", &hex::encode(head.to_bytes()))?;
            secret("authority-key.pem", joining.authority.key_pem())?;
            public("authority.pem", joining.authority.certificate_pem())?;
            write_certificate(dir, "node", &joining.node)?;
            write_certificate(dir, "operator", &joining.operator)?;
            public("request.pem", &joining.request.to_pem())?;
            let root_threshold = asked.root_keys.threshold();
            public("node.toml", &node_config(&keys, root_threshold))?;
        }
        let value = json!({
            "federation": asked.federation.as_str(),
            "province": asked.province.get(),
            "slot": asked.slot.get(),
            "head_key": hex::encode(head.verifying_key().as_bytes()),
            "root_keys": keys,
            "root_threshold": asked.root_keys.threshold(),
            "dir": dir,
            "written": !self.dry_run,
        });
        let text = format!(
            "{what} for province {province} in {dir}. Now:
1. Compare the root keys with another holder's, by another way than the one that brought the invitation:
     {keys}
   {threshold} of them must sign. They are pinned in node.toml.
2. Send request.pem; it goes into the folder's requests/.
3. Take authority-key.pem off this machine: it issues your certificates, and is needed for nothing else.
4. When the root document that names you is published, put root.bin and federation.pem beside node.toml, and make the
   rest that node.toml names: node keys new node.key; node seal-register; sources.toml.",
            what = if self.dry_run { "would make everything" } else { "everything is made" },
            province = asked.province.get(),
            dir = dir.display(),
            keys = keys.join("\n     "),
            threshold = asked.root_keys.threshold(),
        );
        self.tell(&value, &text)
    }

    pub(crate) fn propose(&self, folder: &Path) -> Result<()> {
        let folder = Folder::new(folder);
        let draft = folder.derive(now()?)?;
        let root = folder.root()?;
        let found = changes(root.as_ref().map(SignedRoot::document), draft.document());
        if !self.dry_run {
            folder.write_draft(&draft)?;
        }
        self.tell_changes(draft.document().sequence.get(), &found, "proposed")
    }

    pub(crate) fn show(&self, folder: &Path) -> Result<()> {
        let folder = Folder::new(folder);
        let now = now()?;
        let root = folder.root()?;
        let in_force = root.as_ref().map(SignedRoot::document);
        let (document, found, state) = if let (Some(root), None) = (in_force, folder.next()?) {
            (root.clone(), Vec::new(), "in force; no draft".to_owned())
        } else {
            let (draft, signatures) = folder.checked_draft(now)?;
            let found = changes(in_force, draft.document());
            let state = format!("with {} signatures", signatures.len());
            (draft.document().clone(), found, state)
        };
        let keys = head_keys(&document, now.minute());
        let value = json!({
            "root_sequence": document.sequence.get(),
            "state": state,
            "changes": found,
            "head_keys": keys,
            "written": false,
        });
        let line = |line: &dyn std::fmt::Display| format!("\n  - {line}");
        let found: String = found.iter().map(|change| line(change)).collect();
        let keys: String = keys.iter().map(|key| line(key)).collect();
        let sequence = document.sequence.get();
        self.tell(
            &value,
            &format!("root document {sequence}, {state}:{found}\nhead keys:{keys}"),
        )
    }

    pub(crate) fn approve(&self, folder: &Path, key_file: &Path) -> Result<()> {
        let folder = Folder::new(folder);
        let key = read_signing_key(key_file)?;
        let known = Known::beside(key_file)?;
        let root = folder.root()?;
        known.check(root.as_ref())?;
        let signed = folder.sign(&key, now()?)?;
        let in_force = root.as_ref().map(SignedRoot::document);
        let found = changes(in_force, signed.document());
        let state = match folder.is_complete(&signed) {
            Ok(()) => "signed by enough: `federation publish`".to_owned(),
            Err(MembershipError::Trust(verifier::Error::TooFewRootSignatures {
                of,
                have,
                need,
            })) => {
                format!("signed; of {of} keys {have} of {need} have signed")
            }
            Err(error) => return Err(error.into()),
        };
        if !self.dry_run {
            folder.write_next(&signed)?;
            if let Some(root) = &root {
                known.note(root)?;
            }
        }
        self.tell_changes(signed.document().sequence.get(), &found, &state)
    }

    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        let folder = Folder::new(folder);
        let now = now()?;
        if self.dry_run {
            let (draft, signatures) = folder.checked_draft(now)?;
            folder.is_complete(&SignedRoot::new(draft.document().clone(), signatures))?;
            let root = folder.root()?;
            let found = changes(root.as_ref().map(SignedRoot::document), draft.document());
            return self.tell_changes(draft.document().sequence.get(), &found, "ready");
        }
        let applied = folder.publish(now)?;
        self.tell_changes(applied.root_sequence, &applied.changes, "published")
    }

    pub(crate) fn rotate(&self, rotated: &Rotated) -> Result<()> {
        match (rotated.key, &rotated.root) {
            (RotatedKey::Tls, _) => self.rotate_tls(&rotated.dir),
            (RotatedKey::Log, _) => self.rotate_log(&rotated.dir),
            (RotatedKey::Head, Some(root)) => {
                let now = now()?.minute();
                let from = match (rotated.at, rotated.is_compromised) {
                    (_, true) => None,
                    (Some(at), false) => Some(Minute::new(at).context("--at")?),
                    (None, false) => Some(now.saturating_add_signed(HEAD_KEY_AHEAD_MIN)),
                };
                self.rotate_head(&rotated.dir, root, from, now)
            }
            (RotatedKey::Head, None) => bail!("--root is needed for the head key"),
        }
    }

    /// A new certificate in place of the old one. The key is written first: until the certificate follows, the two do not
    /// fit, and the node keeps what it has.
    fn rotate_tls(&self, dir: &Path) -> Result<()> {
        let authority = read_authority(dir)?;
        let issued = issue(&authority, Role::Node, now()?)?;
        if !self.dry_run {
            replace_private(&dir.join("node-key.pem"), issued.key_pem.as_bytes())?;
            replace(&dir.join("node.pem"), issued.chain_pem.as_bytes())?;
        }
        let value = json!({"key": "tls", "written": !self.dry_run});
        self.tell(&value, "a new certificate of the node; a running node takes it up by itself, or at once by SIGHUP")
    }

    /// A new secret of the keys of log and witness. Nobody has to agree to it: the node announces keys that it did not have
    /// before under its head key, with the next number, and logs them.
    fn rotate_log(&self, dir: &Path) -> Result<()> {
        // The directory must be a province's.
        read_signing_key(&dir.join("signing.key"))?;
        let next = dir.join("log.key.next");
        if !self.dry_run {
            let secret = Zeroizing::new(new_signing_key()?.to_bytes());
            write_private(&next, Zeroizing::new(hex::encode(*secret)).as_bytes())?;
        }
        let value = json!({"key": "log", "written": !self.dry_run});
        self.tell(
            &value,
            "a new secret in log.key.next. Put it in place of log.key, have `log_key_file = \"log.key\"` in node.toml, and start the node \
             again: it announces the new keys of log and witness under its head key, with the next number.",
        )
    }

    /// A new head key, and the request for it: from a minute on, or at once where others know the old one.
    fn rotate_head(
        &self,
        dir: &Path,
        root: &Path,
        from: Option<Minute>,
        now: Minute,
    ) -> Result<()> {
        let next = dir.join("signing.key.next");
        ensure!(
            !next.exists(),
            "{} is there already: put it in place of signing.key once it is in force, or take it away",
            next.display()
        );
        if let Some(from) = from {
            check_head_key_date(from, now)?;
        }
        let old = read_signing_key(&dir.join("signing.key"))?;
        let new = new_signing_key()?;
        let place = Place::find(dir, root, &old, now)?;
        let request = Request::Rotate {
            federation: place.peer.federation.clone(),
            province: place.peer.province,
            slot: place.slot,
            root_sequence: place.root_sequence,
            old: old.verifying_key(),
            new: new.verifying_key(),
            from,
        };
        let request = request.sign(&[&old, &new])?;
        if !self.dry_run {
            let secret = Zeroizing::new(hex::encode(new.to_bytes()));
            write_private(&next, secret.as_bytes())?;
            replace(&dir.join("request.pem"), request.to_pem().as_bytes())?;
        }
        let public = hex::encode(new.verifying_key().as_bytes());
        let value = json!({
            "key": "head",
            "new": public,
            "from_minute": from.map(Minute::get),
            "compromised": from.is_none(),
            "written": !self.dry_run,
        });
        let when = from.map_or("as soon as that is in force".to_owned(), |from| {
            format!("from minute {}, at least 24 hours after that", from.get())
        });
        let text = format!(
            "new head key {public} in signing.key.next. Send request.pem, and keep both keys beside the node, with
`signing_key_next_file = \"signing.key.next\"` in node.toml: when the root document that names the new key is published,
put root.bin in place. The node signs with the new key {when}, and is not restarted."
        );
        self.tell(&value, &text)
    }

    pub(crate) fn leave(&self, dir: &Path, root: &Path) -> Result<()> {
        let key = read_signing_key(&dir.join("signing.key"))?;
        let place = Place::find(dir, root, &key, now()?.minute())?;
        let request = Request::Leave {
            federation: place.peer.federation.clone(),
            province: place.peer.province,
            slot: place.slot,
            root_sequence: place.root_sequence,
            key: key.verifying_key(),
        };
        let request = request.sign(&[&key])?;
        if !self.dry_run {
            replace(&dir.join("request.pem"), request.to_pem().as_bytes())?;
        }
        let value = json!({
            "province": place.peer.province.get(),
            "slot": place.slot.get(),
            "written": !self.dry_run,
        });
        self.tell(
            &value,
            "asked to leave: send request.pem. Once it is published no new passes can be made here; those that residents have hold until \
             their age ends.",
        )
    }

    pub(crate) fn issue(&self, issued: &Issued) -> Result<()> {
        let authority = read_authority(&issued.dir)?;
        let (role, name) = match (issued.role, issued.kind) {
            (IssuedRole::Source, Some(SourceKind::Resident)) => {
                bail!("residents have no certificates")
            }
            (IssuedRole::Source, Some(kind)) => {
                let word = serde_json::to_value(kind)?;
                let word = word.as_str().context("a kind")?.to_owned();
                let name = format!("source-{word}-{}", issued.number);
                (Role::Source(kind, issued.number), name)
            }
            (IssuedRole::Source, None) => bail!("--kind is needed for a source"),
            (IssuedRole::Checkpoint, _) => (Role::Checkpoint, "checkpoint".to_owned()),
            (IssuedRole::Operator, _) => (Role::Operator, "operator".to_owned()),
            (IssuedRole::Auditor, _) => {
                let name = format!("auditor-{}", issued.number);
                (Role::Auditor(issued.number), name)
            }
        };
        let certificate = issue(&authority, role, now()?)?;
        if !self.dry_run {
            write_certificate(&issued.dir, &name, &certificate)?;
        }
        let value = json!({"name": name, "written": !self.dry_run});
        self.tell(&value, &format!("{name}.pem and {name}-key.pem"))
    }

    fn tell_changes(&self, sequence: u64, found: &[Change], state: &str) -> Result<()> {
        let value = json!({
            "root_sequence": sequence,
            "state": state,
            "changes": found,
            "written": !self.dry_run,
        });
        let lines: Vec<String> = found.iter().map(|c| format!("\n  - {c}")).collect();
        let lines = lines.concat();
        self.tell(
            &value,
            &format!("root document {sequence}, {state}:{lines}"),
        )
    }

    fn tell(&self, value: &Value, text: &str) -> Result<()> {
        use std::io::Write as _;
        let mut out = std::io::stdout();
        if self.json {
            writeln!(out, "{value}")?;
        } else {
            writeln!(out, "{text}")?;
        }
        Ok(())
    }
}

/// Where a province stands in the root document.
struct Place {
    peer: PeerId,
    slot: Slot,
    root_sequence: u64,
}

impl Place {
    /// Where the root document names the province of a directory with this key as the one in force.
    fn find(dir: &Path, root: &Path, key: &SigningKey, now: Minute) -> Result<Self> {
        let pem = read_text(&dir.join("authority.pem"), MAX_TEXT_LEN_BYTES)?;
        let authority = federation::Authority::from_pem(&pem)?.context("authority.pem")?;
        let bytes = read_bytes(root, MAX_SIGNED_ROOT_LEN_BYTES as u64)?;
        let root = SignedRoot::from_bytes(&bytes)?;
        let own = key.verifying_key();
        let entries = &root.document().provinces;
        let entry = entries
            .iter()
            .find(|e| e.province == authority.province && e.head_keys.at(now) == Some(&own))
            .context("the root document does not name this province with this head key in force")?;
        Ok(Self {
            peer: PeerId::node(&authority.federation, authority.province),
            slot: entry.slot,
            root_sequence: root.document().sequence.get(),
        })
    }
}

fn read_authority(dir: &Path) -> Result<ProvinceAuthority> {
    let certificate = read_text(&dir.join("authority.pem"), MAX_TEXT_LEN_BYTES)?;
    let key = read_text(&dir.join("authority-key.pem"), MAX_TEXT_LEN_BYTES)
        .context("the authority's key is needed: bring it back for this command")?;
    Ok(ProvinceAuthority::from_pem(&certificate, &key)?)
}

fn write_certificate(dir: &Path, name: &str, issued: &IssuedCertificate) -> Result<()> {
    write_private(
        &dir.join(format!("{name}-key.pem")),
        issued.key_pem.as_bytes(),
    )?;
    replace(
        &dir.join(format!("{name}.pem")),
        issued.chain_pem.as_bytes(),
    )?;
    Ok(())
}

/// The least configuration that a node needs, for a federation with these root keys.
fn node_config(root_keys: &[String], root_threshold: u8) -> String {
    format!(
        r#"# Every key there is, with its default, stands in deploy/node/advanced.toml. Paths are relative to this file.
production = false
data_dir = "data"
node_key_file = "node.key"
signing_key_file = "signing.key"
signing_key_next_file = "signing.key.next"
register_file = "register.sealed"
sources_file = "sources.toml"

[doors]
peers_listen = "127.0.0.1:7440"
public_listen = "127.0.0.1:7443"
certificate_file = "node.pem"
key_file = "node-key.pem"
roots_file = "federation.pem"

[trust]
root_document_file = "root.bin"
root_keys = {root_keys:?}
root_threshold = {root_threshold}

[rules]
home = "hz-2020-02"

[proving]
parameters = {{ test = {{ seed = "{seed}", cache_dir = "cache" }} }}
"#,
        seed = "0".repeat(63) + "1",
    )
}

/// Minutes from now to the first of a head key without `--at`: two days more than the least notice, in which holders of root
/// keys sign.
const HEAD_KEY_AHEAD_MIN: i64 = HEAD_KEY_NOTICE_MIN as i64 + 2 * 1_440;

/// Longest text that is read: PEM of keys, certificates and requests.
const MAX_TEXT_LEN_BYTES: u64 = 65_536;

fn province(code: u8) -> Result<ProvinceCode> {
    ProvinceCode::new(code)
        .ok()
        .filter(|code| *code != ProvinceCode::NATION)
        .with_context(|| format!("{code} is no province's code"))
}

fn new_signing_key() -> Result<SigningKey> {
    let mut secret = Zeroizing::new([0; 32]);
    fill(&mut secret[..])?;
    Ok(SigningKey::from_bytes(&secret))
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    rand::rngs::OsRng
        .try_fill_bytes(bytes)
        .context("no randomness from the system")
}

#[expect(clippy::disallowed_methods, reason = "the program's clock")]
fn now() -> Result<UnixTime> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.context("the clock stands before 1970")?;
    Ok(UnixTime::from_s(since.as_secs()))
}
