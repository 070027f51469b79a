use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use ed25519_dalek::VerifyingKey;
use rules::naming::may_name_proxies;
use rules::{Minute, ProvinceCode, SourceGrant, SourceId, SourceKind};
use serde::Deserialize;

/// Largest file of sources that is read.
const MAX_FILE_LEN_BYTES: u64 = 16 << 20;

/// A source of events as this node knows it.
#[derive(Clone, Debug)]
pub struct Source {
    /// When it may sign.
    pub grant: SourceGrant,
    /// Its key.
    pub key: VerifyingKey,
    /// Its name, as residents read it.
    pub name: String,
    /// Whether it may name proxies for residents who have no phone.
    pub names_proxies: bool,
}

/// The sources that this node takes events from.
#[derive(Clone, Debug, Default)]
pub struct SourceBook(BTreeMap<SourceId, Source>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceFile {
    #[serde(default)]
    source: Vec<RawSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    province: ProvinceCode,
    kind: SourceKind,
    number: u32,
    name: String,
    /// Ed25519 public key, 64 hexadecimal digits.
    public_key: String,
    #[serde(default)]
    names_proxies: bool,
    #[serde(default)]
    since_minute: Option<Minute>,
    #[serde(default)]
    until_minute: Option<Minute>,
}

impl SourceBook {
    /// Reads a TOML file of `[[source]]` tables.
    ///
    /// # Errors
    /// A message naming the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = crate::files::read_text(path, MAX_FILE_LEN_BYTES)?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses the text of such a file.
    ///
    /// # Errors
    /// A message saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: SourceFile = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        let mut book = BTreeMap::new();
        for raw in file.source {
            let id = SourceId {
                province: raw.province,
                kind: raw.kind,
                number: raw.number,
            };
            if raw.kind == SourceKind::Resident {
                return Err(format!("{id}: residents are no registered source"));
            }
            if raw.name.is_empty() || raw.name.len() > 96 {
                return Err(format!("{id}: a name has 1 to 96 bytes"));
            }
            if raw.names_proxies && !may_name_proxies(raw.kind) {
                return Err(format!("{id}: only community offices name proxies"));
            }
            let source = Source {
                grant: SourceGrant {
                    source: id,
                    since: raw.since_minute.unwrap_or(Minute::ZERO),
                    until: raw.until_minute.unwrap_or(Minute::MAX),
                },
                key: parse_key(&raw.public_key).ok_or(format!("{id}: not an Ed25519 key"))?,
                name: raw.name,
                names_proxies: raw.names_proxies,
            };
            if book.insert(id, source).is_some() {
                return Err(format!("{id} stands twice"));
            }
        }
        Ok(Self(book))
    }

    /// The source of this name.
    pub fn get(&self, id: &SourceId) -> Option<&Source> {
        self.0.get(id)
    }

    /// Those within bounds, in order.
    pub(crate) fn range(
        &self,
        bounds: (Bound<SourceId>, Bound<SourceId>),
    ) -> impl Iterator<Item = (&SourceId, &Source)> {
        self.0.range(bounds)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SourceId, &Source)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn parse_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = hex::decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes)
        .ok()
        .filter(|key| !key.is_weak())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32, key: &str) -> String {
        format!(
            "[[source]]\nprovince = 33\nkind = \"cdc\"\nnumber = {number}\nname = \"Hangzhou\"\npublic_key = \"{key}\"\n"
        )
    }

    fn key() -> String {
        let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        hex::encode(key.verifying_key().as_bytes())
    }

    #[test]
    fn a_source_is_found_by_its_name_and_by_no_other() {
        let book = SourceBook::parse(&(entry(1, &key()) + &entry(2, &key()))).unwrap();
        let mut id = SourceId {
            province: ProvinceCode::new(33).unwrap(),
            kind: SourceKind::Cdc,
            number: 2,
        };
        assert_eq!(book.get(&id).unwrap().grant.until, Minute::MAX);
        id.number = 3;
        assert!(book.get(&id).is_none());
    }

    #[test]
    fn a_community_office_names_proxies_where_it_is_said_and_not_otherwise() {
        let office = entry(1, &key()).replace("cdc", "community-office");
        let names = |text: &str| {
            let book = SourceBook::parse(text).unwrap();
            book.iter().all(|(_, source)| source.names_proxies)
        };
        assert!(!names(&office));
        assert!(names(&(office + "names_proxies = true\n")));
    }

    #[test]
    fn a_weak_key_a_repetition_and_an_unknown_field_are_refused() {
        let zero = "0".repeat(64);
        for bad in [
            entry(1, &zero),
            entry(1, "abc"),
            entry(1, &key()) + &entry(1, &key()),
            entry(1, &key()) + "colour = \"red\"\n",
            entry(1, &key()) + "names_proxies = true\n",
            entry(1, &key()).replace("cdc", "resident"),
        ] {
            assert!(SourceBook::parse(&bad).is_err(), "{bad}");
        }
    }
}
