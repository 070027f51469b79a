//! Policies: whose cosignatures make a checkpoint good (c2sp.org/tlog-policy).

use std::collections::BTreeMap;

use super::{LogError, NoteKey, SignedCheckpoint};

/// Longest policy that is read.
pub const MAX_POLICY_LEN_BYTES: usize = 64 * 1024;
/// Most logs, witnesses and groups, each; the specification asks for at least 32.
const MAX_EACH: usize = 64;

/// Logs, witnesses, and which witnesses suffice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<NoteKey>,
    witnesses: Vec<NoteKey>,
    /// Each with how many of its members suffice; they name only what stands before them.
    groups: Vec<(usize, Vec<Member>)>,
    /// None where no cosignature is asked for.
    quorum: Option<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// What a quorum line says.
#[derive(Clone, Copy)]
enum Quorum {
    None,
    Of(Member),
}

/// A policy that is being read.
#[derive(Default)]
struct Reading<'a> {
    logs: Vec<NoteKey>,
    witnesses: Vec<NoteKey>,
    groups: Vec<(usize, Vec<Member>)>,
    names: BTreeMap<&'a [u8], Member>,
    /// What is a member of a group already.
    taken: Vec<Member>,
    quorum: Option<Quorum>,
}

impl WitnessPolicy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`LogError::TooLong`]; [`LogError::Policy`] with the line.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        if bytes.len() > MAX_POLICY_LEN_BYTES {
            return Err(LogError::TooLong {
                what: "a policy",
                len: bytes.len(),
                limit: MAX_POLICY_LEN_BYTES,
            });
        }
        let mut reading = Reading::default();
        let whole = |what| LogError::Policy { line: 0, what };
        let Some((b'\n', lines)) = bytes.split_last() else {
            return Err(whole("does not end with a newline"));
        };
        for (line, text) in (1..).zip(lines.split(|b| *b == b'\n')) {
            let is_admitted = |b: &u8| matches!(b, b'\t' | b' '..=b'~' | 0x80..);
            if !text.iter().all(is_admitted) {
                return Err(LogError::Policy {
                    line,
                    what: "a control character",
                });
            }
            let words = text.split(|b| matches!(b, b' ' | b'\t'));
            let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
            reading
                .line(&words)
                .map_err(|what| LogError::Policy { line, what })?;
        }
        Ok(Self {
            logs: reading.logs,
            witnesses: reading.witnesses,
            groups: reading.groups,
            quorum: match reading.quorum.ok_or(whole("no quorum line"))? {
                Quorum::None => None,
                Quorum::Of(member) => Some(member),
            },
        })
    }

    /// The logs that it names.
    pub fn logs(&self) -> &[NoteKey] {
        &self.logs
    }

    /// Checks that one of the logs signed a checkpoint, and a quorum of witnesses with it.
    ///
    /// # Errors
    /// [`LogError::UnknownOrigin`], [`LogError::BadSignature`], [`LogError::NoQuorum`].
    pub fn check(&self, checkpoint: &SignedCheckpoint) -> Result<(), LogError> {
        let of_origin = self.logs.iter().filter(|l| l.name() == checkpoint.origin());
        let mut found = Err(LogError::UnknownOrigin(checkpoint.origin().to_owned()));
        for log in of_origin {
            found = checkpoint.check_log(log);
            if found.is_ok() {
                break;
            }
        }
        found?;
        let cosigned = checkpoint.signers(&self.witnesses)?;
        let is_enough = self
            .quorum
            .is_none_or(|quorum| self.has_witnessed(quorum, &cosigned));
        is_enough.then_some(()).ok_or(LogError::NoQuorum)
    }

    fn has_witnessed(&self, member: Member, cosigned: &[usize]) -> bool {
        match member {
            Member::Witness(position) => cosigned.contains(&position),
            Member::Group(position) => {
                let (least, members) = &self.groups[position];
                let have = members.iter().filter(|m| self.has_witnessed(**m, cosigned));
                have.count() >= *least
            }
        }
    }
}

impl<'a> Reading<'a> {
    fn line(&mut self, words: &[&'a [u8]]) -> Result<(), &'static str> {
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", vkey] | [b"log", vkey, _] => self.log(vkey),
            [b"witness", name, vkey] | [b"witness", name, vkey, _] => self.witness(name, vkey),
            [b"group", name, least, members @ ..] => self.group(name, least, members),
            [b"quorum", name] => {
                let quorum = match *name {
                    b"none" => Quorum::None,
                    name => Quorum::Of(*self.names.get(name).ok_or("a name not defined before")?),
                };
                match self.quorum.replace(quorum) {
                    None => Ok(()),
                    Some(_) => Err("a second quorum line"),
                }
            }
            _ => Err("no line of a policy"),
        }
    }

    fn log(&mut self, vkey: &[u8]) -> Result<(), &'static str> {
        let key = read_key(vkey)?;
        if key.is_cosigner() {
            return Err("a cosigner's key for a log");
        }
        add_key(&mut self.logs, key)
    }

    fn witness(&mut self, name: &'a [u8], vkey: &[u8]) -> Result<(), &'static str> {
        let key = read_key(vkey)?;
        if !key.is_cosigner() {
            return Err("a key that is no cosigner's for a witness");
        }
        add_key(&mut self.witnesses, key)?;
        self.name(name, Member::Witness(self.witnesses.len() - 1))
    }

    fn group(
        &mut self,
        name: &'a [u8],
        least: &[u8],
        members: &[&'a [u8]],
    ) -> Result<(), &'static str> {
        let least = match least {
            b"any" => 1,
            b"all" => members.len(),
            digits => {
                let text = std::str::from_utf8(digits).map_err(|_| "a threshold")?;
                let is_decimal = text.bytes().all(|b| b.is_ascii_digit());
                let least: usize = text.parse().map_err(|_| "a threshold")?;
                is_decimal.then_some(least).ok_or("a threshold")?
            }
        };
        if least == 0 || least > members.len() || self.groups.len() == MAX_EACH {
            return Err("a threshold that is 0 or above its members, or too many groups");
        }
        let mut found = Vec::new();
        for member in members {
            let member = *self.names.get(member).ok_or("a name not defined before")?;
            if self.taken.contains(&member) {
                return Err("a name in two groups, or twice in one");
            }
            self.taken.push(member);
            found.push(member);
        }
        self.groups.push((least, found));
        self.name(name, Member::Group(self.groups.len() - 1))
    }

    fn name(&mut self, name: &'a [u8], member: Member) -> Result<(), &'static str> {
        if name == b"none" || self.names.insert(name, member).is_some() {
            return Err("a name that is taken");
        }
        Ok(())
    }
}

fn read_key(vkey: &[u8]) -> Result<NoteKey, &'static str> {
    let text = std::str::from_utf8(vkey).map_err(|_| "a verifier key")?;
    NoteKey::from_vkey(text).map_err(|_| "a verifier key")
}

fn add_key(keys: &mut Vec<NoteKey>, key: NoteKey) -> Result<(), &'static str> {
    if keys.iter().any(|known| known.key() == key.key()) {
        return Err("a key that stands twice");
    }
    if keys.len() == MAX_EACH {
        return Err("too many keys");
    }
    keys.push(key);
    Ok(())
}
