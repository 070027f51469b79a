//! Who lives in this home, and whether a person who asks to bind a device is who they say.

use std::collections::HashMap;
use std::path::Path;

use rules::IdentityNumber;

use crate::store::KeyRing;

/// Largest register file that is read; 100 bytes a person.
const MAX_FILE_LEN_BYTES: u64 = 1 << 30;

/// The civil register behind the real-name check.
pub trait CivilRegister: Send + Sync + 'static {
    /// Whether this home keeps the person's record.
    ///
    /// # Errors
    /// [`RegisterUnavailable`] where the register cannot be asked.
    fn lives_here(&self, person: &IdentityNumber) -> Result<bool, RegisterUnavailable>;

    /// Whether the person who asks is the one named; `evidence` is what the register's provider wants besides.
    ///
    /// # Errors
    /// [`RegisterUnavailable`] where the register cannot be asked.
    fn confirms(
        &self,
        person: &IdentityNumber,
        name: &str,
        evidence: &[u8],
    ) -> Result<bool, RegisterUnavailable>;
}

/// The register did not answer; the caller may ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the civil register does not answer")]
pub struct RegisterUnavailable;

/// A register in a file of keyed digests, made by `node seal-register` from a list of numbers and names. It takes no
/// evidence beyond the name, so it is for tests, demonstrations and small homes whose clerks check papers by eye.
pub struct FileRegister {
    names: HashMap<[u8; 32], [u8; 32]>,
    key: zeroize::Zeroizing<[u8; 32]>,
}

impl FileRegister {
    /// Reads the file.
    ///
    /// # Errors
    /// A message naming the file and the line that is wrong.
    pub fn read(path: &Path, key: &KeyRing) -> Result<Self, String> {
        let text = crate::files::read_text(path, MAX_FILE_LEN_BYTES)?;
        Self::parse(&text, key).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses the text of such a file: a line for each person, two digests of 64 hexadecimal digits.
    ///
    /// # Errors
    /// A message naming the line that is wrong.
    pub fn parse(text: &str, key: &KeyRing) -> Result<Self, String> {
        let mut names = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let digests = line.split_once(' ').and_then(|(person, name)| {
                let mut pair = ([0; 32], [0; 32]);
                hex::decode_to_slice(person, &mut pair.0).ok()?;
                hex::decode_to_slice(name, &mut pair.1).ok()?;
                Some(pair)
            });
            let (person, name) = digests.ok_or(format!("line {number} is not two digests"))?;
            if names.insert(person, name).is_some() {
                return Err(format!("line {number} repeats a person"));
            }
        }
        let key = key.derive("register");
        Ok(Self { names, key })
    }

    /// Makes the text of a register from lines of `number,name`.
    ///
    /// # Errors
    /// A message naming the line that is wrong, but nothing that stands in it.
    pub fn seal(list: &str, key: &KeyRing) -> Result<String, String> {
        let key = key.derive("register");
        let mut text = String::new();
        for (number, line) in (1..).zip(list.lines()) {
            let bad = || format!("line {number} is not an identity number, a comma and a name");
            let (person, name) = line.split_once(',').ok_or_else(bad)?;
            let person: IdentityNumber = person.trim().parse().map_err(|_| bad())?;
            let name = name.trim();
            if name.is_empty() {
                return Err(bad());
            }
            text += &hex::encode(person_digest(&key[..], &person));
            text.push(' ');
            text += &hex::encode(name_digest(&key[..], &person, name));
            text.push('\n');
        }
        Ok(text)
    }

    /// How many people it knows.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it knows nobody.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl CivilRegister for FileRegister {
    fn lives_here(&self, person: &IdentityNumber) -> Result<bool, RegisterUnavailable> {
        Ok(self
            .names
            .contains_key(&person_digest(&self.key[..], person)))
    }

    fn confirms(
        &self,
        person: &IdentityNumber,
        name: &str,
        _evidence: &[u8],
    ) -> Result<bool, RegisterUnavailable> {
        let known = self.names.get(&person_digest(&self.key[..], person));
        let given = name_digest(&self.key[..], person, name);
        Ok(known == Some(&given))
    }
}

fn person_digest(key: &[u8], person: &IdentityNumber) -> [u8; 32] {
    crate::store::mac(key, &[b"person\0", person.expose()])
}

fn name_digest(key: &[u8], person: &IdentityNumber, name: &str) -> [u8; 32] {
    crate::store::mac(key, &[b"name\0", person.expose(), name.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "11010519491231002X,王芳\n";

    #[test]
    fn the_register_confirms_its_people_by_name_and_nobody_else() {
        let key = KeyRing::from_secret([1; 32]);
        let text = FileRegister::seal(LIST, &key).unwrap();
        assert!(!text.contains("1101") && !text.contains('王'));
        let register = FileRegister::parse(&text, &key).unwrap();
        let person: IdentityNumber = "11010519491231002X".parse().unwrap();
        let other = IdentityNumber::assemble(330_102, (1990, 1, 1), 1).unwrap();
        assert_eq!(register.lives_here(&person), Ok(true));
        assert_eq!(register.confirms(&person, "王芳", b""), Ok(true));
        assert_eq!(register.confirms(&person, "王", b""), Ok(false));
        assert_eq!(register.lives_here(&other), Ok(false));
        assert_eq!(register.confirms(&other, "王芳", b""), Ok(false));
    }

    #[test]
    fn a_bad_line_is_named_without_what_stands_in_it() {
        let error = FileRegister::seal("110105194912310021,x", &KeyRing::from_secret([1; 32]));
        let message = error.unwrap_err();
        assert!(message.contains("line 1") && !message.contains("1101"));
    }
}
