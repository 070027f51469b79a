//! Files of the institution: read under a limit, with messages that name the file.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Largest file with certificates or a key, bytes.
pub(crate) const PEM_LEN_MAX_BYTES: u64 = 1 << 20;

/// The bytes of a file of at most `limit_bytes`.
pub(crate) fn read_bytes(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, String> {
    let read = || {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(limit_bytes + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error: std::io::Error| of(path, &error))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(of(path, &format!("longer than {limit_bytes} bytes")));
    }
    Ok(bytes)
}

/// The text of such a file.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> Result<String, String> {
    String::from_utf8(read_bytes(path, limit_bytes)?).map_err(|_| of(path, &"not UTF-8"))
}

/// The text of a file that only its owner may read.
pub(crate) fn read_private(path: &Path, limit_bytes: u64) -> Result<Zeroizing<String>, String> {
    if others_may(path, 0o077)? {
        let what = "must be readable by its owner only (mode 0600)";
        return Err(of(path, &what));
    }
    Ok(Zeroizing::new(read_text(path, limit_bytes)?))
}

/// The text of a file that only its owner may change.
pub(crate) fn read_own(path: &Path, limit_bytes: u64) -> Result<String, String> {
    if others_may(path, 0o022)? {
        let what = "must be writable by its owner only: it says who may do what";
        return Err(of(path, &what));
    }
    read_text(path, limit_bytes)
}

/// A secret of 32 bytes, 64 hexadecimal digits in a file that only its owner may read.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let text = read_private(path, 128)?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), &mut secret[..])
        .map_err(|_| of(path, &"must hold 64 hexadecimal digits"))?;
    Ok(secret)
}

/// A digest of several texts, by which it is seen that one of them changed.
pub(crate) fn digest_of(texts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

/// Writes a file that only its owner may read and change, whole or not at all, in place of what may be there.
pub(crate) fn replace_own(path: &Path, text: &str) -> Result<(), String> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let write = || {
        // What a former try left over may be somebody else's to read.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        std::fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| of(path, &error))
}

fn others_may(path: &Path, mode: u32) -> Result<bool, String> {
    let meta = std::fs::metadata(path).map_err(|error| of(path, &error))?;
    Ok(meta.permissions().mode() & mode != 0)
}

fn of(path: &Path, what: &dyn std::fmt::Display) -> String {
    format!("{}: {what}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_read_under_its_limit_and_as_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_own(&path, &"7".repeat(64)).unwrap();
        assert_eq!(read_bytes(&path, 64).unwrap().len(), 64);
        assert!(
            read_bytes(&path, 63)
                .unwrap_err()
                .contains("longer than 63")
        );
        assert_eq!(*read_secret(&path).unwrap(), [0x77; 32]);
        mode(&path, 0o644);
        assert!(read_secret(&path).unwrap_err().contains("0600"));
        assert!(read_own(&path, 64).is_ok());
        mode(&path, 0o664);
        assert!(read_own(&path, 64).unwrap_err().contains("writable"));
        replace_own(&path, "x").unwrap();
        assert_eq!(read_own(&path, 64).unwrap(), "x");
        assert!(read_secret(&path).unwrap_err().contains("64 hexadecimal"));
        assert!(read_text(&dir.path().join("b"), 1).is_err());
    }
}
