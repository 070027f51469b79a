//! Who works here: the list of staff, with what each may do.
//!
//! It is a file, which an administrator of the console's machine writes; a call cannot change it. It is read again whenever it
//! changes, and who is not in it any more is signed out at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Entropy;

use crate::files::{read_own, replace_own};

/// Longest list of staff, bytes: the most people with the longest names and all roles.
const STAFF_LEN_MAX_BYTES: u64 = 128 * 1024;
/// Most people.
const PEOPLE_MAX: usize = 256;
/// Longest name, bytes: what a desk shows.
const NAME_LEN_MAX_BYTES: usize = 48;
/// Letters of an invitation's code: those of RFC 4648's base32, of which none looks like another.
const CODE_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Letters of a code: 16 random bytes.
const CODE_LEN: usize = 26;
/// What stands above the list whenever a program has written it.
const HEADING: &str = "# Who works here, and what each may do. `viridian-console invite` writes this file anew; notes in it are lost then.\n\n";

/// A person's name in the store: 8 bytes, drawn when they were invited. It outlives a change of the name that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StaffId(pub [u8; 8]);

impl std::fmt::Display for StaffId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl StaffId {
    /// Reads 16 hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Self> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// What somebody may do. Nobody agrees with an own proposal, whatever roles they have.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Proposes events.
    Clerk,
    /// Agrees with proposals, or refuses them.
    Approver,
    /// Reads appeals and proposes how to decide them.
    AppealsOfficer,
    /// Sees what the node does.
    Operator,
    /// Sees what was done at the console, and by whom.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Clerk,
        Self::Approver,
        Self::AppealsOfficer,
        Self::Operator,
        Self::Auditor,
    ];

    /// Its word, as the list of staff has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Approver => "approver",
            Self::AppealsOfficer => "appeals-officer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

/// What one person may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether `role` is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Them all, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        Self(roles.into_iter().collect())
    }
}

impl std::fmt::Display for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<_> = self.iter().map(Role::word).collect();
        f.write_str(&words.join(", "))
    }
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: StaffId,
    /// The name that people read.
    pub name: String,
    /// What they may do.
    pub roles: Roles,
}

/// Digest of an invitation's code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeDigest(pub [u8; 32]);

impl CodeDigest {
    /// That of a code as somebody typed it; none for what cannot be one.
    pub fn of(code: &str) -> Option<Self> {
        let is_letter = |letter: &u8| CODE_LETTERS.contains(letter);
        let is_code = code.len() == CODE_LEN && code.as_bytes().iter().all(is_letter);
        is_code.then(|| Self(Sha256::digest(code).into()))
    }
}

impl std::fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeDigest(..)")
    }
}

/// An invitation to bind a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Digest of its code.
    pub code: CodeDigest,
    /// From when on it is over, seconds since the Unix epoch.
    pub until_s: u64,
}

/// The file.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaffFile {
    #[serde(default, rename = "person")]
    people: Vec<RawPerson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    id: String,
    name: String,
    roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invited_until: Option<u64>,
}

/// The list of staff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffList(BTreeMap<StaffId, (Person, Option<Invitation>)>);

impl StaffList {
    /// Reads a list that only its owner may change.
    ///
    /// # Errors
    /// A message naming the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = read_own(path, STAFF_LEN_MAX_BYTES)?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses and checks the text of such a file.
    ///
    /// # Errors
    /// A message saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: StaffFile = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if file.people.len() > PEOPLE_MAX {
            return Err(format!(
                "{} people, at most {PEOPLE_MAX}",
                file.people.len()
            ));
        }
        let mut list = Self::default();
        for raw in file.people {
            let (person, invitation) = read_person(&raw)?;
            list.add(person, invitation)?;
        }
        Ok(list)
    }

    /// Takes in somebody who is not yet there.
    fn add(&mut self, person: Person, invitation: Option<Invitation>) -> Result<(), String> {
        for (other, invited) in self.0.values() {
            let what = if other.id == person.id {
                "its id"
            } else if other.name == person.name {
                // Acts name people: two of one name would be one.
                "its name"
            } else if invitation.is_some_and(|new| invited.is_some_and(|old| old.code == new.code))
            {
                "its invitation"
            } else {
                continue;
            };
            return Err(format!("{}: {what} stands there twice", person.id));
        }
        self.0.insert(person.id, (person, invitation));
        Ok(())
    }

    /// Who has this id.
    pub fn get(&self, id: StaffId) -> Option<&Person> {
        self.0.get(&id).map(|(person, _)| person)
    }

    /// All of them, with invitations that they had or have.
    pub fn iter(&self) -> impl Iterator<Item = &(Person, Option<Invitation>)> {
        self.0.values()
    }

    /// Who was invited by a code, if that is not over at `now_s`.
    pub fn invited(&self, code: CodeDigest, now_s: u64) -> Option<&Person> {
        let is_theirs = |invited: &Invitation| invited.code == code && now_s < invited.until_s;
        let mut people = self.0.values();
        let found = people.find(|(_, invited)| invited.as_ref().is_some_and(is_theirs));
        found.map(|(person, _)| person)
    }

    /// Invites somebody new.
    ///
    /// # Errors
    /// A message saying why not.
    pub fn invite(
        &mut self,
        name: &str,
        roles: Roles,
        until_s: u64,
        entropy: &Entropy,
    ) -> Result<(StaffId, String), String> {
        if self.0.len() >= PEOPLE_MAX {
            return Err(format!("the list holds {PEOPLE_MAX} people, and no more"));
        }
        let id = StaffId(entropy.bytes());
        let (code, invitation) = new_invitation(until_s, entropy);
        let name = check_name(name)?.to_owned();
        if roles == Roles::default() {
            return Err("a role is needed".to_owned());
        }
        self.add(Person { id, name, roles }, Some(invitation))?;
        Ok((id, code))
    }

    /// Invites somebody anew who is there: the passkey that they bind then takes the place of the one they had.
    ///
    /// # Errors
    /// A message saying that nobody has this id.
    pub fn invite_again(
        &mut self,
        id: StaffId,
        until_s: u64,
        entropy: &Entropy,
    ) -> Result<String, String> {
        let found = self.0.get_mut(&id);
        let (_, invited) = found.ok_or(format!("nobody has the id {id}"))?;
        let (code, invitation) = new_invitation(until_s, entropy);
        *invited = Some(invitation);
        Ok(code)
    }

    /// It without somebody.
    #[cfg(test)]
    pub(crate) fn without(&self, id: StaffId) -> Self {
        let mut list = self.clone();
        list.0.remove(&id);
        list
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// A message naming the file.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let people = self.0.values().map(|(person, invited)| RawPerson {
            id: person.id.to_string(),
            name: person.name.clone(),
            roles: person.roles.iter().collect(),
            invitation: invited.map(|invited| hex::encode(invited.code.0)),
            invited_until: invited.map(|invited| invited.until_s),
        });
        let people = people.collect();
        let text = toml::to_string(&StaffFile { people }).map_err(|error| error.to_string())?;
        replace_own(path, &format!("{HEADING}{text}"))
    }
}

fn read_person(raw: &RawPerson) -> Result<(Person, Option<Invitation>), String> {
    let id = StaffId::parse(&raw.id).ok_or(format!(
        "person.id: {:?}, 16 hexadecimal digits are needed",
        raw.id
    ))?;
    let name = check_name(&raw.name).map_err(|error| format!("{id}: {error}"))?;
    let roles: Roles = raw.roles.iter().copied().collect();
    if raw.roles.is_empty() || roles.iter().count() != raw.roles.len() {
        return Err(format!("{id}: roles: one at least, and each once"));
    }
    let invitation = match (&raw.invitation, raw.invited_until) {
        (None, None) => None,
        (Some(digits), Some(until_s)) => {
            let mut code = [0; 32];
            hex::decode_to_slice(digits, &mut code)
                .map_err(|_| format!("{id}: invitation: 64 hexadecimal digits are needed"))?;
            let code = CodeDigest(code);
            Some(Invitation { code, until_s })
        }
        _ => return Err(format!("{id}: invitation and invited_until go together")),
    };
    let name = name.to_owned();
    Ok((Person { id, name, roles }, invitation))
}

/// A name that can be shown beside others without being taken for something else.
fn check_name(name: &str) -> Result<&str, String> {
    let is_bad = |letter: char| {
        // Besides controls: what changes the direction of the text after it, or cannot be seen.
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.is_empty() || name.len() > NAME_LEN_MAX_BYTES {
        return Err(format!("a name has 1 to {NAME_LEN_MAX_BYTES} bytes"));
    }
    if name.trim() != name || name.contains(is_bad) {
        return Err("a name is without control characters, and without space about it".to_owned());
    }
    Ok(name)
}

fn new_invitation(until_s: u64, entropy: &Entropy) -> (String, Invitation) {
    let code = base32(entropy.bytes());
    let digest = CodeDigest(Sha256::digest(&code).into());
    let invitation = Invitation {
        code: digest,
        until_s,
    };
    (code, invitation)
}

/// 26 letters, five bits each, the highest first; the last has two bits of zero.
fn base32(bytes: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(bytes);
    let letter = |i: usize| {
        let five = match 123_usize.checked_sub(5 * i) {
            Some(shift) => bits >> shift,
            None => bits << 2,
        };
        char::from(CODE_LETTERS[(five & 31) as usize])
    };
    (0..CODE_LEN).map(letter).collect()
}

/// The list in use, for all who ask.
#[derive(Clone, Default)]
pub(crate) struct Staff(Arc<RwLock<Arc<StaffList>>>);

impl Staff {
    /// Begins with nobody.
    pub(crate) fn nobody() -> Self {
        Self::default()
    }

    /// The list as it is now.
    pub(crate) fn now(&self) -> Arc<StaffList> {
        Arc::clone(&self.0.read())
    }

    /// Puts another in its place.
    pub(crate) fn swap(&self, list: StaffList) {
        *self.0.write() = Arc::new(list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[person]]\nid = \"00000000000000a1\"\nname = \"王敏\"\nroles = [\"clerk\", \"approver\"]\n";

    fn entropy() -> Entropy {
        Entropy::from_seed([7; 32])
    }

    #[test]
    fn a_list_is_read_and_written_and_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("staff.toml");
        let mut list = StaffList::parse(ONE).unwrap();
        let roles = [Role::Auditor, Role::AppealsOfficer].into_iter().collect();
        let (id, code) = list
            .invite("Li \"Lei\" \\", roles, 500, &entropy())
            .unwrap();
        list.write(&path).unwrap();
        let read = StaffList::read(&path).unwrap();
        assert_eq!(read, list);
        let digest = CodeDigest::of(&code).unwrap();
        assert_eq!(read.invited(digest, 499).unwrap().id, id);
        assert_eq!(read.invited(digest, 500), None);
        let again = list.invite_again(id, 900, &entropy()).unwrap();
        assert!(list.invite_again(StaffId([9; 8]), 900, &entropy()).is_err());
        // The same generator from its beginning: 8 bytes of an id came first there.
        assert_ne!(code, again);
        assert_eq!(list.invited(digest, 0), None);
        assert_eq!(
            list.invited(CodeDigest::of(&again).unwrap(), 899)
                .unwrap()
                .id,
            id
        );
        // The code itself stands nowhere.
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&code));
    }

    #[test]
    fn a_list_is_refused_by_what_is_wrong_with_it() {
        assert!(StaffList::parse(ONE).is_ok() && StaffList::parse("").is_ok());
        let other = ONE.replace("a1", "a2").replace("王敏", "李雷");
        assert!(StaffList::parse(&format!("{ONE}{other}")).is_ok());
        let invited = |list: &str| {
            let digits = "0".repeat(64);
            format!("{list}invitation = \"{digits}\"\ninvited_until = 9\n")
        };
        assert!(StaffList::parse(&invited(ONE)).is_ok());
        for (text, why) in [
            (ONE.replace("\"clerk\"", "\"chief\""), "unknown variant"),
            (ONE.replace("\"clerk\"", "\"approver\""), "each once"),
            (ONE.replace("\"clerk\", \"approver\"", ""), "one at least"),
            (ONE.replace("a1", "g1"), "16 hexadecimal"),
            (ONE.replace("00a1", "a1"), "16 hexadecimal"),
            (ONE.replace("王敏", ""), "1 to 48"),
            (ONE.replace("王敏", &"王".repeat(17)), "1 to 48"),
            (ONE.replace("王敏", " 王敏"), "without space"),
            (ONE.replace("王敏", "王\u{202e}敏"), "control"),
            (ONE.replace("王敏", "王\\u0007敏"), "control"),
            (format!("{ONE}colour = \"green\"\n"), "unknown field"),
            (format!("{ONE}{ONE}"), "id stands there twice"),
            (
                format!("{ONE}{}", ONE.replace("a1", "a2")),
                "name stands there twice",
            ),
            (
                format!("{}{}", invited(ONE), invited(&other)),
                "invitation stands",
            ),
            (format!("{ONE}invited_until = 9\n"), "go together"),
            (
                format!("{ONE}invitation = \"00\"\ninvited_until = 9\n"),
                "64 hexadecimal",
            ),
        ] {
            let error = StaffList::parse(&text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let person = |n: usize| {
            ONE.replace("00a1", &format!("{n:04x}"))
                .replace("王敏", &n.to_string())
        };
        let many = |n: usize| (0..n).map(person).collect::<String>();
        assert!(StaffList::parse(&many(PEOPLE_MAX)).is_ok());
        assert!(
            StaffList::parse(&many(PEOPLE_MAX + 1))
                .unwrap_err()
                .contains("at most")
        );
    }

    #[test]
    fn a_code_has_all_bits_of_what_was_drawn_and_only_its_letters() {
        assert_eq!(base32([0; 16]), "A".repeat(26));
        assert_eq!(base32([255; 16]), format!("{}4", "7".repeat(25)));
        // RFC 4648: "foobar" and ten bytes of zero.
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(b"foobar");
        assert_eq!(base32(bytes), format!("MZXW6YTBOI{}", "A".repeat(16)));
        assert!(CodeDigest::of(&base32(bytes)).is_some());
        for other in [
            "",
            "MZXW6",
            &"a".repeat(26),
            &"A".repeat(27),
            &"1".repeat(26),
        ] {
            assert_eq!(CodeDigest::of(other), None, "{other}");
        }
    }
}
