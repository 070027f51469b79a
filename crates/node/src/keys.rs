//! The node's key ring in its file: in plain for tests and demonstrations, or sealed with [age](https://age-encryption.org)
//! to identities that the operator keeps elsewhere than the store.

use std::io::{Read as _, Write as _};
use std::path::Path;

use store::KeyRing;
use zeroize::Zeroizing;

use crate::files::{read_private, replace_private};

/// Largest key file; a sealed one is a little longer than the ring.
const MAX_FILE_LEN_BYTES: u64 = 64 * 1024;
/// How an age file begins, in binary and in armour.
const AGE_MAGIC: [&[u8]; 2] = [
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// Whether a key file is sealed.
pub(crate) fn is_sealed(path: &Path) -> Result<bool, String> {
    let bytes = read_private(path, MAX_FILE_LEN_BYTES)?;
    Ok(AGE_MAGIC.iter().any(|magic| bytes.starts_with(magic)))
}

/// Reads a ring from its file, mode 0600; a sealed one with the identities in another file.
///
/// # Errors
/// A message naming the file and what is wrong with it, and nothing that stands in it.
pub fn read_ring(path: &Path, identity: Option<&Path>) -> Result<KeyRing, String> {
    let fail = |what: String| format!("{}: {what}", path.display());
    let bytes = read_private(path, MAX_FILE_LEN_BYTES)?;
    let text = if AGE_MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        let identity = identity.ok_or(fail(
            "it is sealed, and node_key_identity_file is not configured".to_owned(),
        ))?;
        unseal(&bytes, &read_identities(identity)?).map_err(fail)?
    } else {
        bytes
    };
    let text = std::str::from_utf8(&text).map_err(|_| fail("not UTF-8".to_owned()))?;
    KeyRing::parse(text).map_err(fail)
}

/// Writes a ring into a file that is new, or in place of the one that is there; sealed to `recipients` if there are any.
///
/// # Errors
/// A message naming the file; what was there is still there then.
pub fn write_ring(path: &Path, ring: &KeyRing, recipients: &[String]) -> Result<(), String> {
    let text = ring.to_text();
    if recipients.is_empty() {
        return replace_private(path, text.as_bytes());
    }
    let mut sealed = Vec::new();
    let mut writer = seal_to(recipients, &mut sealed)?;
    let written = writer
        .write_all(text.as_bytes())
        .and_then(|()| writer.finish().map(drop));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    replace_private(path, &sealed)
}

/// The age identities in a file, mode 0600.
///
/// # Errors
/// A message naming the file.
pub(crate) fn read_identities(path: &Path) -> Result<Vec<age::x25519::Identity>, String> {
    let bytes = read_private(path, MAX_FILE_LEN_BYTES)?;
    let fail = |what: &str| format!("{}: {what}", path.display());
    let text = std::str::from_utf8(&bytes).map_err(|_| fail("not UTF-8"))?;
    let lines = text.lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Result<Vec<_>, _> = keys.map(str::parse).collect();
    match identities {
        Ok(identities) if !identities.is_empty() => Ok(identities),
        _ => Err(fail(
            "must hold age identities, AGE-SECRET-KEY-1…, a line each",
        )),
    }
}

/// A writer whose bytes can be read by whoever has an identity of one of the recipients.
///
/// # Errors
/// A message naming the recipient that is none.
pub(crate) fn seal_to<W: std::io::Write>(
    recipients: &[String],
    out: W,
) -> Result<age::stream::StreamWriter<W>, String> {
    let parse = |text: &String| {
        text.parse::<age::x25519::Recipient>()
            .map_err(|error| format!("{text} is no age recipient (age1…): {error}"))
    };
    let recipients: Vec<_> = recipients.iter().map(parse).collect::<Result<_, _>>()?;
    let named = recipients.iter().map(|r| r as &dyn age::Recipient);
    age::Encryptor::with_recipients(named)
        .map_err(|error| error.to_string())?
        .wrap_output(out)
        .map_err(|error| error.to_string())
}

fn unseal(
    bytes: &[u8],
    identities: &[age::x25519::Identity],
) -> Result<Zeroizing<Vec<u8>>, String> {
    let armour = age::armor::ArmoredReader::new(bytes);
    let wrong = |error: age::DecryptError| error.to_string();
    let decryptor = age::Decryptor::new_buffered(armour).map_err(wrong)?;
    let named = identities.iter().map(|i| i as &dyn age::Identity);
    let reader = decryptor.decrypt(named).map_err(wrong)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader
        .take(MAX_FILE_LEN_BYTES)
        .read_to_end(&mut plain)
        .map_err(|error| error.to_string())?;
    Ok(plain)
}

/// A new age identity as its file's text, and its recipient.
pub fn new_identity() -> (Zeroizing<String>, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let text = identity.to_string();
    let recipient = identity.to_public().to_string();
    let file = format!("# recipient: {recipient}\n{}\n", text.expose_secret());
    (Zeroizing::new(file), recipient)
}

#[cfg(test)]
mod tests {
    use store::Entropy;

    use super::*;
    use crate::files::write_private;

    #[test]
    fn a_sealed_ring_opens_with_its_identity_and_with_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let ring = KeyRing::generate(&Entropy::from_seed([1; 32]));
        let (identity, recipient) = new_identity();
        write_private(&at("own"), identity.as_bytes()).unwrap();
        write_private(&at("other"), new_identity().0.as_bytes()).unwrap();
        write_ring(&at("keys"), &ring, &[recipient]).unwrap();
        assert_eq!(is_sealed(&at("keys")), Ok(true));
        let sealed = std::fs::read(at("keys")).unwrap();
        let text = ring.to_text();
        let secret = text.split_ascii_whitespace().last().unwrap();
        assert!(!sealed.windows(64).any(|w| w == secret.as_bytes()));
        let read = read_ring(&at("keys"), Some(&at("own"))).unwrap();
        assert_eq!(*read.to_text(), *text);
        assert!(read_ring(&at("keys"), Some(&at("other"))).is_err());
        assert!(
            read_ring(&at("keys"), None)
                .unwrap_err()
                .contains("node_key_identity_file")
        );
        // Damaged anywhere, it does not open.
        for position in (0..sealed.len()).step_by(7) {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            replace_private(&at("keys"), &damaged).unwrap();
            assert!(
                read_ring(&at("keys"), Some(&at("own"))).is_err(),
                "byte {position}"
            );
        }
        replace_private(&at("keys"), &sealed[..sealed.len() - 1]).unwrap();
        assert!(read_ring(&at("keys"), Some(&at("own"))).is_err());
    }

    #[test]
    fn a_plain_ring_is_read_and_one_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let ring = KeyRing::generate(&Entropy::from_seed([1; 32]));
        write_ring(&path, &ring, &[]).unwrap();
        assert_eq!(is_sealed(&path), Ok(false));
        assert_eq!(read_ring(&path, None).unwrap().numbers(), [1]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_ring(&path, None).unwrap_err().contains("0600"));
        assert!(write_ring(&path, &ring, &["age1wrong".to_owned()]).is_err());
    }
}
