//! The federation's folder, which holders of root keys and provinces share: a repository, a drive, a mailing.
//!
//! ```text
//! plan.toml               what the founders want
//! root.bin                the root document in force, signed
//! next.bin                the draft of the next, with the signatures so far
//! requests/*.pem          what provinces ask for; history/N/ once it was applied
//! authorities/SLOT.pem    certificates of the provinces' authorities
//! federation.pem          all of them: what nodes trust
//! changes.jsonl           what each root document changed
//! ```
//!
//! Nothing in it is secret, and nothing is believed because it lies there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use serde::Serialize;
use verifier::UnixTime;
use verifier::trust::{
    MAX_SIGNED_ROOT_LEN_BYTES, RootDocument, RootKeys, RootSignature, SignedRoot,
};
use zeroize::Zeroizing;

use crate::{
    Change, Draft, MAX_REQUEST_LEN_BYTES, MembershipError, Plan, Request, SignedRequest, changes,
};

/// The shared folder.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: PathBuf,
}

/// What a published root document came to.
#[derive(Clone, Debug, Serialize)]
pub struct Applied {
    /// Its number.
    pub root_sequence: u64,
    /// When it was published, seconds since the Unix epoch.
    pub at_s: u64,
    /// What it changed.
    pub changes: Vec<Change>,
}

impl Folder {
    /// The folder at `dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The plan.
    ///
    /// # Errors
    /// Those of [`Plan::read`].
    pub fn plan(&self) -> Result<Plan, MembershipError> {
        Plan::read(&self.dir.join("plan.toml"))
    }

    /// The root document in force, if the federation is founded: signed by the keys that it names.
    ///
    /// # Errors
    /// [`MembershipError::File`], [`MembershipError::Trust`].
    pub fn root(&self) -> Result<Option<SignedRoot>, MembershipError> {
        let Some(root) = self.signed("root.bin")? else {
            return Ok(None);
        };
        root.check_pinned(&root.document().root_keys.clone())?;
        Ok(Some(root))
    }

    /// The draft of the next root document, with the signatures so far.
    ///
    /// # Errors
    /// [`MembershipError::File`], [`MembershipError::Trust`].
    pub fn next(&self) -> Result<Option<SignedRoot>, MembershipError> {
        self.signed("next.bin")
    }

    fn signed(&self, name: &str) -> Result<Option<SignedRoot>, MembershipError> {
        let path = self.dir.join(name);
        match fs::exists(&path) {
            Ok(false) => Ok(None),
            _ => Ok(Some(SignedRoot::from_bytes(&read_bytes(
                &path,
                MAX_SIGNED_ROOT_LEN_BYTES as u64,
            )?)?)),
        }
    }

    /// What provinces ask for, with the files that say it, by name.
    ///
    /// # Errors
    /// [`MembershipError::File`], and those of [`SignedRequest::from_pem`].
    pub fn requests(&self) -> Result<Vec<(PathBuf, SignedRequest)>, MembershipError> {
        let dir = self.dir.join("requests");
        if matches!(fs::exists(&dir), Ok(false)) {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(&dir).map_err(at(&dir))? {
            let path = entry.map_err(at(&dir))?.path();
            if path.extension().is_some_and(|ext| ext == "pem") {
                paths.push(path);
            }
        }
        paths.sort();
        let read = |path: PathBuf| {
            let text = read_text(&path, 2 * MAX_REQUEST_LEN_BYTES as u64)?;
            Ok((path, SignedRequest::from_pem(&text)?))
        };
        paths.into_iter().map(read).collect()
    }

    /// Derives the next root document from plan, root and requests.
    ///
    /// # Errors
    /// Those of its parts and of [`Draft::next`].
    pub fn derive(&self, now: UnixTime) -> Result<Draft, MembershipError> {
        let root = self.root()?;
        let requests = self.plain_requests()?;
        let in_force = root.as_ref().map(SignedRoot::document);
        Draft::next(&self.plan()?, in_force, &requests, now)
    }

    fn plain_requests(&self) -> Result<Vec<SignedRequest>, MembershipError> {
        Ok(self
            .requests()?
            .into_iter()
            .map(|(_, signed)| signed)
            .collect())
    }

    /// Puts a draft in place of any other one, with no signatures.
    ///
    /// # Errors
    /// [`MembershipError::File`].
    pub fn write_draft(&self, draft: &Draft) -> Result<(), MembershipError> {
        self.write_next(&SignedRoot::new(draft.document().clone(), Vec::new()))
    }

    /// Puts a draft with its signatures so far in place of any other one.
    ///
    /// # Errors
    /// [`MembershipError::File`].
    pub fn write_next(&self, next: &SignedRoot) -> Result<(), MembershipError> {
        self.replace("next.bin", &next.to_bytes()?)
    }

    /// The draft in the folder, after deriving it anew, and the signatures under it that fit.
    ///
    /// # Errors
    /// [`MembershipError::Draft`] if there is none, or if another one follows from what lies here.
    pub fn checked_draft(
        &self,
        now: UnixTime,
    ) -> Result<(Draft, Vec<RootSignature>), MembershipError> {
        let next = self
            .next()?
            .ok_or(MembershipError::Draft("there is none"))?;
        let root = self.root()?;
        let in_force = root.as_ref().map(SignedRoot::document);
        let requests = self.plain_requests()?;
        let draft = Draft::check(next.document(), &self.plan()?, in_force, &requests, now)?;
        Ok((draft, next.signatures().to_vec()))
    }

    /// The draft with a root key's signature beside those so far; nothing is written.
    ///
    /// # Errors
    /// Those of [`Folder::checked_draft`] and [`Draft::sign`].
    pub fn sign(&self, key: &SigningKey, now: UnixTime) -> Result<SignedRoot, MembershipError> {
        let (draft, so_far) = self.checked_draft(now)?;
        let root = self.root()?;
        let in_force = root.as_ref().map(SignedRoot::document);
        draft.sign(key, in_force, so_far)
    }

    /// Whether enough of the keys in force, and of its own, signed the draft.
    ///
    /// # Errors
    /// As [`SignedRoot::check_pinned`].
    pub fn is_complete(&self, signed: &SignedRoot) -> Result<(), MembershipError> {
        let root = self.root()?;
        let keys: RootKeys = match &root {
            Some(root) => root.document().root_keys.clone(),
            None => self.plan()?.root_keys,
        };
        Ok(signed.check_pinned(&keys)?)
    }

    /// Puts the draft in force: `root.bin`, the certificates in `federation.pem`, and a line in `changes.jsonl`. The
    /// former root document and the requests go to `history/`.
    ///
    /// # Errors
    /// [`MembershipError::Trust`] if too few have signed, and those of [`Folder::checked_draft`].
    pub fn publish(&self, now: UnixTime) -> Result<Applied, MembershipError> {
        let (draft, signatures) = self.checked_draft(now)?;
        let signed = SignedRoot::new(draft.document().clone(), signatures);
        self.is_complete(&signed)?;
        let root = self.root()?;
        let in_force = root.as_ref().map(SignedRoot::document);
        let applied = Applied {
            root_sequence: signed.document().sequence.get(),
            at_s: now.get_s(),
            changes: changes(in_force, signed.document()),
        };
        let requests = self.requests()?;
        self.write_authorities(signed.document(), &requests)?;
        let history = self
            .dir
            .join("history")
            .join(applied.root_sequence.to_string());
        fs::create_dir_all(&history).map_err(at(&history))?;
        if let Some(root) = &root {
            replace(&history.join("former-root.bin"), &root.to_bytes()?)?;
        }
        self.append("changes.jsonl", &applied)?;
        self.replace("root.bin", &signed.to_bytes()?)?;
        for (path, _) in requests {
            let name = path.file_name().unwrap_or_default();
            fs::rename(&path, history.join(name)).map_err(at(&path))?;
        }
        let next = self.dir.join("next.bin");
        fs::remove_file(&next).map_err(at(&next))?;
        Ok(applied)
    }

    /// Writes the certificates of those who join, and `federation.pem` from those of all who belong to the document.
    fn write_authorities(
        &self,
        root: &RootDocument,
        requests: &[(PathBuf, SignedRequest)],
    ) -> Result<(), MembershipError> {
        let dir = self.dir.join("authorities");
        fs::create_dir_all(&dir).map_err(at(&dir))?;
        for (_, signed) in requests {
            if let Request::Join(join) = signed.request() {
                let path = dir.join(format!("{:02}.pem", signed.request().slot().get()));
                replace(&path, join.authority_pem.as_bytes())?;
            }
        }
        let mut all = String::new();
        let mut seen = BTreeSet::new();
        for entry in &root.provinces {
            let path = dir.join(format!("{:02}.pem", entry.slot.get()));
            let pem = read_text(&path, crate::MAX_PLAN_LEN_BYTES)?;
            if seen.insert(pem.clone()) {
                all += &pem;
            }
        }
        self.replace("federation.pem", all.as_bytes())
    }

    fn append(&self, name: &str, line: &impl Serialize) -> Result<(), MembershipError> {
        let path = self.dir.join(name);
        let mut text = serde_json::to_string(line).expect("plain values");
        text.push('\n');
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(at(&path))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), MembershipError> {
        replace(&self.dir.join(name), bytes)
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> MembershipError {
    move |error| MembershipError::File {
        path: path.to_owned(),
        error,
    }
}

/// The bytes of a file of at most `limit_bytes`.
///
/// # Errors
/// [`MembershipError::File`], [`MembershipError::TooLong`].
pub fn read_bytes(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, MembershipError> {
    let file = fs::File::open(path).map_err(at(path))?;
    let mut bytes = Vec::new();
    let mut limited = file.take(limit_bytes + 1);
    limited.read_to_end(&mut bytes).map_err(at(path))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(MembershipError::TooLong {
            what: path.display().to_string(),
            limit_bytes,
        });
    }
    Ok(bytes)
}

/// The text of such a file.
///
/// # Errors
/// Those of [`read_bytes`].
pub fn read_text(path: &Path, limit_bytes: u64) -> Result<String, MembershipError> {
    let bytes = read_bytes(path, limit_bytes)?;
    String::from_utf8(bytes).map_err(|_| {
        at(path)(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "not UTF-8",
        ))
    })
}

/// Writes a file whole or not at all, in place of what may be there.
///
/// # Errors
/// [`MembershipError::File`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), MembershipError> {
    replace_with(path, bytes, 0o644)
}

/// Writes a file that only its owner may read, whole or not at all, in place of what may be there.
///
/// # Errors
/// [`MembershipError::File`].
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), MembershipError> {
    replace_with(path, bytes, 0o600)
}

fn replace_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), MembershipError> {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = parent.unwrap_or(Path::new("."));
    let written = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(dir)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            fs::File::open(dir)?.sync_all()
        });
    written.map_err(at(path))
}

/// Writes a file that only its owner may read, which must not be there.
///
/// # Errors
/// [`MembershipError::File`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), MembershipError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(at(path))
}

/// Reads a root key or a head key: 64 hexadecimal digits in a file that only its owner may read.
///
/// # Errors
/// [`MembershipError::File`], [`MembershipError::Secret`].
pub fn read_signing_key(path: &Path) -> Result<SigningKey, MembershipError> {
    use std::os::unix::fs::PermissionsExt as _;
    let secret = |what| MembershipError::Secret {
        path: path.to_owned(),
        what,
    };
    let meta = fs::metadata(path).map_err(at(path))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(secret("must be readable by its owner only (mode 0600)"));
    }
    let text = Zeroizing::new(read_bytes(path, 128)?);
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), &mut key[..])
        .map_err(|_| secret("must hold 64 hexadecimal digits"))?;
    Ok(SigningKey::from_bytes(&key))
}
