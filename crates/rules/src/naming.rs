//! Namings: what an office says for somebody who has no phone, that a key acts for them until a date, with one canonical layout of
//! bytes.

use crate::{
    IDENTITY_NUMBER_LEN_BYTES, IdentityNumber, Minute, ProvinceCode, SourceId, SourceKind,
};

/// What stands before the canonical bytes when they are signed.
pub const NAMING_DOMAIN: &[u8] = b"viridian/proxy-naming/v1\0";
/// The first byte of the canonical bytes.
pub const NAMING_LAYOUT_VERSION: u8 = 1;
/// Length of a proxy's key in a naming: a compressed SEC1 P-256 point.
pub const PROXY_KEY_LEN_BYTES: usize = 33;
/// Version, request, person, key, end and source.
pub const NAMING_LEN_BYTES: usize =
    1 + 16 + IDENTITY_NUMBER_LEN_BYTES + PROXY_KEY_LEN_BYTES + 4 + 6;

/// Whether a source of this kind may be entitled to name proxies: the one that also speaks for residents without a phone.
pub const fn may_name_proxies(source: SourceKind) -> bool {
    matches!(source, SourceKind::CommunityOffice)
}

/// Why a naming cannot be read. Whoever sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamingError {
    /// Bytes that are no canonical naming of the version they name.
    #[error("not a naming: {0}")]
    Malformed(&'static str),
    /// Bytes of a version that this program does not read.
    #[error("namings of version {0} are not read here")]
    UnknownVersion(u8),
}

/// A key that acts for somebody until a date, as an office says it. Who signs is `source`; rules know no signatures, and no curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The office's name for it, random: the same one again is the same naming.
    pub request_id: [u8; 16],
    /// For whom.
    pub subject: IdentityNumber,
    /// The proxy's key: a compressed SEC1 P-256 point, which is not checked here.
    pub proxy_key: [u8; PROXY_KEY_LEN_BYTES],
    /// Minute from which it is a proxy no more.
    pub until: Minute,
    /// The office.
    pub source: SourceId,
}

/// Prints nothing of the person.
impl std::fmt::Debug for Naming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Naming(..)")
    }
}

impl Naming {
    /// The canonical bytes, one sequence for each naming: version 1 · request 16 · identity number 18 · key 33 · until 4 · source
    /// (province 1, kind 1, number 4). Numbers are big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(NAMING_LEN_BYTES);
        out.push(NAMING_LAYOUT_VERSION);
        out.extend(self.request_id);
        out.extend(self.subject.expose());
        out.extend(self.proxy_key);
        out.extend(self.until.get().to_be_bytes());
        out.extend([self.source.province.get(), self.source.kind.code()]);
        out.extend(self.source.number.to_be_bytes());
        out
    }

    /// What the office signs: [`NAMING_DOMAIN`] and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [NAMING_DOMAIN, &self.to_bytes()].concat()
    }

    /// Reads canonical bytes; whatever it accepts, [`Naming::to_bytes`] gives back unchanged.
    ///
    /// # Errors
    /// [`NamingError::UnknownVersion`] for another first byte, else [`NamingError::Malformed`] with the field: another length, or a
    /// value that the field cannot have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NamingError> {
        let malformed = NamingError::Malformed;
        match bytes.first() {
            Some(&NAMING_LAYOUT_VERSION) => {}
            Some(&other) => return Err(NamingError::UnknownVersion(other)),
            None => return Err(malformed("empty")),
        }
        let Ok(bytes) = <&[u8; NAMING_LEN_BYTES]>::try_from(bytes) else {
            return Err(malformed("not 78 bytes"));
        };
        let subject: [u8; IDENTITY_NUMBER_LEN_BYTES] = part(bytes, 17);
        let until = Minute::new(u32::from_be_bytes(part(bytes, 68)));
        let [province, kind] = part(bytes, 72);
        Ok(Self {
            request_id: part(bytes, 1),
            subject: IdentityNumber::from_bytes(&subject).map_err(|_| malformed("person"))?,
            proxy_key: part(bytes, 35),
            until: until.map_err(|_| malformed("a moment beyond 26 bits"))?,
            source: SourceId {
                province: ProvinceCode::new(province).map_err(|_| malformed("province"))?,
                kind: SourceKind::from_code(kind).ok_or(malformed("source"))?,
                number: u32::from_be_bytes(part(bytes, 74)),
            },
        })
    }
}

/// The bytes of a field that begins at `at`, which lies within for every field of the layout.
fn part<const N: usize>(bytes: &[u8; NAMING_LEN_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Naming {
        Naming {
            request_id: [7; 16],
            subject: IdentityNumber::assemble(330_102, (1940, 1, 1), 5).unwrap(),
            proxy_key: [2; 33],
            until: Minute::new(27_679_200).unwrap(),
            source: SourceId {
                province: ProvinceCode::new(33).unwrap(),
                kind: SourceKind::CommunityOffice,
                number: 258,
            },
        }
    }

    proptest! {
        #[test]
        fn canonical_bytes_read_back_to_the_same_naming(
            request_id in any::<[u8; 16]>(),
            key in any::<[u8; 32]>(),
            until in 0..=Minute::MAX.get(),
            province in proptest::sample::select(&ProvinceCode::ALL[..]),
            kind in proptest::sample::select(&SourceKind::ALL[..]),
            number in any::<u32>(),
        ) {
            let mut proxy_key = [3; 33];
            proxy_key[1..].copy_from_slice(&key);
            let until = Minute::new(until).unwrap();
            let province = ProvinceCode::new(province).unwrap();
            let source = SourceId { province, kind, number };
            let naming = Naming { request_id, proxy_key, until, source, ..base() };
            prop_assert_eq!(Naming::from_bytes(&naming.to_bytes()), Ok(naming));
        }

        #[test]
        fn whatever_is_read_is_canonical(at in 0..NAMING_LEN_BYTES, bits in 1u8..=255) {
            let mut bytes = base().to_bytes();
            bytes[at] ^= bits;
            if let Ok(read) = Naming::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
                prop_assert_ne!(read, base());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Naming::from_bytes(&bytes);
        }
    }

    #[test]
    fn the_layout_is_pinned() {
        let bytes = base().to_bytes();
        let expected = [
            "01".to_owned(),                      // version
            "07".repeat(16),                      // request
            hex::encode(base().subject.expose()), // person
            "02".repeat(33),                      // key
            "01a659e0".to_owned(),                // until
            "210500000102".to_owned(),            // province 33, community office, 258
        ];
        assert_eq!(hex::encode(&bytes), expected.concat());
        let signed = base().signing_bytes();
        assert_eq!(&signed[..25], b"viridian/proxy-naming/v1\0");
        assert_eq!(&signed[25..], bytes);
    }

    #[test]
    fn each_damaged_field_is_refused_for_its_own_reason() {
        let malformed = NamingError::Malformed;
        for (at, value, error) in [
            (0, 2, NamingError::UnknownVersion(2)),
            (34, b'?', malformed("person")),
            (68, 4, malformed("a moment beyond 26 bits")),
            (72, 99, malformed("province")),
            (73, 0, malformed("source")),
            (73, 9, malformed("source")),
        ] {
            let mut bytes = base().to_bytes();
            bytes[at] = value;
            assert_eq!(Naming::from_bytes(&bytes), Err(error), "{at} {value}");
        }
        assert_eq!(Naming::from_bytes(&[]), Err(malformed("empty")));
        let mut longer = base().to_bytes();
        longer.push(0);
        for bytes in [&longer[..], &longer[..77]] {
            assert_eq!(Naming::from_bytes(bytes), Err(malformed("not 78 bytes")));
        }
    }

    #[test]
    fn one_kind_of_source_names_proxies_and_nothing_of_anybody_shows() {
        let kinds = SourceKind::ALL.into_iter();
        let named: Vec<_> = kinds.filter(|kind| may_name_proxies(*kind)).collect();
        assert_eq!(named, [SourceKind::CommunityOffice]);
        assert_eq!(format!("{:?}", base()), "Naming(..)");
    }
}
