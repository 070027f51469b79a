//! Who signs events, and the closed tables of who may sign and end what.

use serde::{Deserialize, Serialize};

use crate::{EventKind, ProvinceCode};

/// What kind of institution a source is. The numbers are part of the canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum SourceKind {
    /// A testing laboratory.
    Laboratory = 1,
    /// A centre for disease control.
    Cdc = 2,
    /// A border post.
    BorderPost = 3,
    /// A telecom operator.
    Telecom = 4,
    /// A community office; it also speaks for residents without a phone.
    CommunityOffice = 5,
    /// A hospital or fever clinic.
    Hospital = 6,
    /// The resident, or a family member who acts as proxy.
    Resident = 7,
    /// The office that decides appeals.
    AppealsOffice = 8,
}

impl SourceKind {
    /// All kinds, ascending by code.
    pub const ALL: [SourceKind; 8] = [
        Self::Laboratory,
        Self::Cdc,
        Self::BorderPost,
        Self::Telecom,
        Self::CommunityOffice,
        Self::Hospital,
        Self::Resident,
        Self::AppealsOffice,
    ];

    /// The code, 1 to 8.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A source: its province, its kind and its number among those.
///
/// Residents share the number 0 of their home province; whose phone it was is the home node's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceId {
    /// The province that answers for the source.
    pub province: ProvinceCode,
    /// What kind of institution it is.
    pub kind: SourceKind,
    /// Its number among that province's sources of that kind.
    pub number: u32,
}

impl SourceKind {
    /// Its word, as identifiers have it.
    const fn word(self) -> &'static str {
        match self {
            Self::Laboratory => "laboratory",
            Self::Cdc => "cdc",
            Self::BorderPost => "border-post",
            Self::Telecom => "telecom",
            Self::CommunityOffice => "community-office",
            Self::Hospital => "hospital",
            Self::Resident => "resident",
            Self::AppealsOffice => "appeals-office",
        }
    }
}

impl std::fmt::Display for SourceId {
    /// `33-laboratory-17`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (province, kind) = (self.province.get(), self.kind.word());
        write!(f, "{province:02}-{kind}-{}", self.number)
    }
}

impl SourceId {
    /// Reads what [`SourceId`] displays, `33-laboratory-17`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (province, rest) = text.split_once('-')?;
        let (kind, number) = rest.rsplit_once('-')?;
        let mut kinds = SourceKind::ALL.into_iter();
        let id = Self {
            province: ProvinceCode::new(province.parse().ok()?).ok()?,
            kind: kinds.find(|known| known.word() == kind)?,
            number: number.parse().ok()?,
        };
        // One writing for one source: no sign, no leading zero.
        (id.to_string() == text).then_some(id)
    }
}

/// Whether a source of this kind is entitled to sign events of this kind: the closed table.
///
/// For a release the kind of its target decides too: see [`may_end`].
pub const fn may_sign(source: SourceKind, event: EventKind) -> bool {
    use SourceKind as S;
    match event {
        EventKind::CheckIn => matches!(source, S::Resident | S::CommunityOffice),
        EventKind::Test => matches!(source, S::Laboratory | S::Hospital),
        EventKind::Stay => matches!(source, S::Telecom | S::CommunityOffice | S::Resident),
        EventKind::Contact | EventKind::List => matches!(source, S::Cdc),
        EventKind::Case => matches!(source, S::Cdc | S::Hospital),
        EventKind::Entry => matches!(source, S::BorderPost),
        EventKind::ColdChain => matches!(source, S::Cdc | S::CommunityOffice),
        EventKind::FeverClinic => matches!(source, S::Hospital),
        EventKind::PooledTube => matches!(source, S::Laboratory),
        EventKind::Release => !matches!(source, S::AppealsOffice),
        EventKind::Ruling => matches!(source, S::AppealsOffice),
    }
}

/// Whether a source of kind `by` may end (release) an event of kind `target` that a source of kind `signed_by` signed.
///
/// A stay is ended only by the kind of source that reported it, so a resident cannot end what an operator saw.
/// Releases and rulings cannot be ended; a ruling voids a release.
pub fn may_end(by: SourceKind, target: EventKind, signed_by: SourceKind) -> bool {
    use SourceKind as S;
    match target {
        EventKind::Stay => by == signed_by,
        EventKind::Test => matches!(by, S::Laboratory | S::Hospital | S::Cdc),
        EventKind::Case | EventKind::FeverClinic | EventKind::CheckIn => {
            matches!(by, S::Hospital | S::Cdc)
        }
        EventKind::Contact | EventKind::List => matches!(by, S::Cdc),
        EventKind::Entry => matches!(by, S::BorderPost | S::Cdc),
        EventKind::ColdChain => matches!(by, S::Cdc | S::CommunityOffice),
        EventKind::PooledTube => matches!(by, S::Laboratory | S::Cdc),
        EventKind::Release | EventKind::Ruling => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_has_a_source_and_every_source_a_kind() {
        for event in EventKind::ALL {
            assert!(SourceKind::ALL.into_iter().any(|s| may_sign(s, event)));
        }
        for source in SourceKind::ALL {
            assert!(EventKind::ALL.into_iter().any(|e| may_sign(source, e)));
            assert_eq!(SourceKind::from_code(source.code()), Some(source));
        }
        assert_eq!(SourceKind::from_code(0), None);
        assert_eq!(SourceKind::from_code(9), None);
    }

    #[test]
    fn a_source_is_read_as_it_is_written_and_in_no_other_way() {
        for kind in SourceKind::ALL {
            let id = SourceId {
                province: ProvinceCode::new(33).unwrap(),
                kind,
                number: 17,
            };
            assert_eq!(SourceId::parse(&id.to_string()), Some(id));
        }
        for other in [
            "",
            "33-cdc",
            "33-cdc-01",
            "33-cdc-+1",
            "+33-cdc-1",
            "033-cdc-1",
            "99-cdc-1",
            "33-CDC-1",
            "33-cdc-4294967296",
            "33-cdc-1 ",
            "33-colour-1",
        ] {
            assert_eq!(SourceId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_resident_signs_nothing_but_check_ins_stays_and_the_end_of_own_stays() {
        let signed: Vec<_> = EventKind::ALL
            .into_iter()
            .filter(|e| may_sign(SourceKind::Resident, *e))
            .collect();
        assert_eq!(
            signed,
            [EventKind::CheckIn, EventKind::Stay, EventKind::Release]
        );
        for target in EventKind::ALL {
            for signer in SourceKind::ALL {
                let own_stay = target == EventKind::Stay && signer == SourceKind::Resident;
                assert_eq!(may_end(SourceKind::Resident, target, signer), own_stay);
            }
        }
    }

    #[test]
    fn only_the_appeals_office_rules_and_it_signs_nothing_else() {
        for source in SourceKind::ALL {
            for event in EventKind::ALL {
                if source == SourceKind::AppealsOffice || event == EventKind::Ruling {
                    let both = source == SourceKind::AppealsOffice && event == EventKind::Ruling;
                    assert_eq!(may_sign(source, event), both);
                }
            }
        }
    }
}
