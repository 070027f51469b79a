//! Reading files of the operator: bounded, and with messages that name the file.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

/// The bytes of a file of at most `limit_bytes`.
pub(crate) fn read_bytes(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, String> {
    let fail = |what: String| format!("{}: {what}", path.display());
    let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| fail(e.to_string()))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(fail(format!("longer than {limit_bytes} bytes")));
    }
    Ok(bytes)
}

/// The text of such a file.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> Result<String, String> {
    String::from_utf8(read_bytes(path, limit_bytes)?)
        .map_err(|_| format!("{}: not UTF-8", path.display()))
}

/// The bytes of a file that only its owner may read.
pub(crate) fn read_private(path: &Path, limit_bytes: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let fail = |what: &str| format!("{}: {what}", path.display());
    let meta = std::fs::metadata(path).map_err(|e| fail(&e.to_string()))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(fail("must be readable by its owner only (mode 0600)"));
    }
    Ok(Zeroizing::new(read_bytes(path, limit_bytes)?))
}

/// A secret of 32 bytes, 64 hexadecimal digits in a file that only its owner may read.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let text = read_private(path, 128)?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), &mut secret[..])
        .map_err(|_| format!("{}: must hold 64 hexadecimal digits", path.display()))?;
    Ok(secret)
}

/// Writes a file that only its owner may read; refuses to overwrite.
///
/// # Errors
/// A message naming the file.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let fail = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.sync_all().map_err(fail)
}

/// Writes a file that only its owner may read, whole or not at all, in place of what may be there.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    write_private(&new, bytes)?;
    std::fs::rename(&new, path).map_err(fail)?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let dir = std::fs::File::open(parent.unwrap_or(Path::new(".")));
    dir.and_then(|dir| dir.sync_all()).map_err(fail)
}

/// Writes a secret so that only its owner may read it; refuses to overwrite.
pub(crate) fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<(), String> {
    let mut text = Zeroizing::new(hex::encode(secret));
    text.push('\n');
    write_private(path, text.as_bytes())
}

/// Writes a new secret of 32 random bytes to a file that must not exist and that only its owner may read.
///
/// # Errors
/// A message naming the file.
pub fn write_new_secret(path: &Path, entropy: &crate::Entropy) -> Result<(), String> {
    write_secret(path, &Zeroizing::new(entropy.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_for_its_owner_only_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        write_secret(&path, &[7; 32]).unwrap();
        assert_eq!(*read_secret(&path).unwrap(), [7; 32]);
        assert!(write_secret(&path, &[8; 32]).is_err());
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        write_secret(&path, &[7; 32]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_secret(&path).unwrap_err().contains("0600"));
    }

    #[test]
    fn a_file_beyond_its_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long");
        std::fs::write(&path, vec![b'a'; 11]).unwrap();
        assert!(read_bytes(&path, 10).is_err());
        assert_eq!(read_bytes(&path, 11).unwrap().len(), 11);
    }
}
