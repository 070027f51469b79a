//! The canonical bytes of an event, version 1: fixed fields, big-endian, nothing optional, nothing trailing.

use super::{CaseKind, ContactDegree, Event, EventBody, EventId, ExposureList, TestResult};
use crate::{
    AreaCode, Day, EventError, IDENTITY_NUMBER_LEN_BYTES, IdentityNumber, Minute, ProvinceCode,
    SourceId, SourceKind,
};

/// What stands before the canonical bytes when they are signed.
pub const EVENT_DOMAIN: &[u8] = b"viridian/event/v1\0";
/// What stands before them when their source confirms an event that its home contests.
pub const CONFIRMATION_DOMAIN: &[u8] = b"viridian/confirmation/v1\0";
/// The first byte of the canonical bytes.
pub const EVENT_LAYOUT_VERSION: u8 = 1;
/// Version, id, subject, source, issue and the code of the body.
const HEAD_LEN_BYTES: usize = 1 + 16 + IDENTITY_NUMBER_LEN_BYTES + 6 + 4 + 1;
/// The shortest event: a check-in.
pub const MIN_EVENT_LEN_BYTES: usize = HEAD_LEN_BYTES + 3;
/// The longest event: a release or a ruling.
pub const MAX_EVENT_LEN_BYTES: usize = HEAD_LEN_BYTES + 20;

impl Event {
    /// The canonical bytes: 49 to 66 of them, one sequence for each event.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_EVENT_LEN_BYTES);
        out.push(EVENT_LAYOUT_VERSION);
        out.extend(self.id.0);
        out.extend(self.subject.expose());
        out.extend([self.source.province.get(), self.source.kind.code()]);
        out.extend(self.source.number.to_be_bytes());
        put_minute(&mut out, self.issued_at);
        put_body(&mut out, &self.body);
        out
    }

    /// What a source signs: [`EVENT_DOMAIN`] and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [EVENT_DOMAIN, &self.to_bytes()].concat()
    }

    /// What a source signs to confirm an event that its home contests: [`CONFIRMATION_DOMAIN`] and the canonical bytes.
    pub fn confirmation_bytes(&self) -> Vec<u8> {
        [CONFIRMATION_DOMAIN, &self.to_bytes()].concat()
    }

    /// Reads canonical bytes; whatever it accepts, [`Event::to_bytes`] gives back unchanged.
    ///
    /// # Errors
    /// [`EventError::UnknownVersion`] for another first byte, [`EventError::BadSubject`] for an invalid identity number,
    /// else [`EventError::Malformed`] with the field: too short, too long, or a value that the field cannot have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EventError> {
        if bytes.len() > MAX_EVENT_LEN_BYTES {
            return Err(EventError::Malformed("longer than 66 bytes"));
        }
        let mut input = Input(bytes);
        match input.u8()? {
            EVENT_LAYOUT_VERSION => {}
            other => return Err(EventError::UnknownVersion(other)),
        }
        let event = Event {
            id: EventId(input.take()?),
            subject: IdentityNumber::from_bytes(&input.take::<IDENTITY_NUMBER_LEN_BYTES>()?)?,
            source: SourceId {
                province: input.province()?,
                kind: SourceKind::from_code(input.u8()?).ok_or(EventError::Malformed("source"))?,
                number: u32::from_be_bytes(input.take()?),
            },
            issued_at: input.minute()?,
            body: input.body()?,
        };
        if input.0.is_empty() {
            Ok(event)
        } else {
            Err(EventError::Malformed("bytes after the event"))
        }
    }
}

fn put_minute(out: &mut Vec<u8>, minute: Minute) {
    out.extend(minute.get().to_be_bytes());
}

fn put_body(out: &mut Vec<u8>, body: &EventBody) {
    match *body {
        EventBody::CheckIn { day, symptoms } => {
            out.push(1);
            out.extend(day.get().to_be_bytes());
            out.push(u8::from(symptoms));
        }
        EventBody::Test { sampled_at, result } => {
            out.extend([2, result as u8]);
            put_minute(out, sampled_at);
        }
        EventBody::Stay { place, begin, end } => {
            out.push(3);
            out.extend(place.packed().to_be_bytes());
            put_minute(out, begin);
            out.push(u8::from(end.is_some()));
            put_minute(out, end.unwrap_or(Minute::ZERO));
        }
        EventBody::Contact {
            degree,
            last_contact_at,
            province,
        } => put_placed(out, 4, degree as u8, last_contact_at, province),
        EventBody::Case { kind, at, province } => put_placed(out, 5, kind as u8, at, province),
        EventBody::Entry { port, arrived_at } => {
            out.extend([6, port.get()]);
            put_minute(out, arrived_at);
        }
        EventBody::Exposure { list, at, province } => {
            put_placed(out, 7, list as u8, at, province);
        }
        EventBody::Release { target, at } => {
            out.push(8);
            out.extend(target.0);
            put_minute(out, at);
        }
        EventBody::Ruling { target, at } => {
            out.push(9);
            out.extend(target.0);
            put_minute(out, at);
        }
    }
}

fn put_placed(out: &mut Vec<u8>, body: u8, sub_kind: u8, at: Minute, province: ProvinceCode) {
    out.extend([body, sub_kind, province.get()]);
    put_minute(out, at);
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], EventError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(EventError::Malformed("ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, EventError> {
        Ok(self.take::<1>()?[0])
    }

    fn minute(&mut self) -> Result<Minute, EventError> {
        Minute::new(u32::from_be_bytes(self.take()?))
            .map_err(|_| EventError::Malformed("a moment beyond 26 bits"))
    }

    fn province(&mut self) -> Result<ProvinceCode, EventError> {
        ProvinceCode::new(self.u8()?).map_err(|_| EventError::Malformed("province"))
    }

    fn flag(&mut self) -> Result<bool, EventError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(EventError::Malformed("a flag that is neither 0 nor 1")),
        }
    }

    fn body(&mut self) -> Result<EventBody, EventError> {
        match self.u8()? {
            1 => Ok(EventBody::CheckIn {
                day: Day::new(u16::from_be_bytes(self.take()?)),
                symptoms: self.flag()?,
            }),
            2 => Ok(EventBody::Test {
                result: match self.u8()? {
                    1 => TestResult::Negative,
                    2 => TestResult::Positive,
                    _ => return Err(EventError::Malformed("test result")),
                },
                sampled_at: self.minute()?,
            }),
            3 => self.stay(),
            4 => Ok(EventBody::Contact {
                degree: match self.u8()? {
                    1 => ContactDegree::Close,
                    2 => ContactDegree::Secondary,
                    _ => return Err(EventError::Malformed("degree of contact")),
                },
                province: self.province()?,
                last_contact_at: self.minute()?,
            }),
            5 => Ok(EventBody::Case {
                kind: match self.u8()? {
                    1 => CaseKind::Confirmed,
                    2 => CaseKind::Asymptomatic,
                    3 => CaseKind::Suspected,
                    _ => return Err(EventError::Malformed("kind of case")),
                },
                province: self.province()?,
                at: self.minute()?,
            }),
            6 => Ok(EventBody::Entry {
                port: self.province()?,
                arrived_at: self.minute()?,
            }),
            7 => Ok(EventBody::Exposure {
                list: self.list()?,
                province: self.province()?,
                at: self.minute()?,
            }),
            8 => Ok(EventBody::Release {
                target: EventId(self.take()?),
                at: self.minute()?,
            }),
            9 => Ok(EventBody::Ruling {
                target: EventId(self.take()?),
                at: self.minute()?,
            }),
            _ => Err(EventError::Malformed("kind of event")),
        }
    }

    fn stay(&mut self) -> Result<EventBody, EventError> {
        let place = AreaCode::from_packed(u64::from_be_bytes(self.take()?))
            .map_err(|_| EventError::Malformed("a place beyond 47 bits"))?;
        if place.nine_digit() > 999_999_999 {
            return Err(EventError::Malformed("an area of more than nine digits"));
        }
        let begin = self.minute()?;
        let end = match (self.flag()?, self.minute()?) {
            (true, end) => Some(end),
            (false, Minute::ZERO) => None,
            (false, _) => return Err(EventError::Malformed("an end that is marked absent")),
        };
        Ok(EventBody::Stay { place, begin, end })
    }

    fn list(&mut self) -> Result<ExposureList, EventError> {
        match self.u8()? {
            1 => Ok(ExposureList::ColdChainOnce),
            2 => Ok(ExposureList::ColdChainFrequent),
            3 => Ok(ExposureList::FeverClinic),
            4 => Ok(ExposureList::PossibleLink),
            5 => Ok(ExposureList::AssistList),
            6 => Ok(ExposureList::PotentialRisk),
            7 => Ok(ExposureList::PooledTube),
            _ => Err(EventError::Malformed("exposure list")),
        }
    }
}
