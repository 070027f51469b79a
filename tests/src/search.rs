//! Looks for values in bytes, in every form in which they may be written.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::AhoCorasick;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rules::{Event, Minute};

use crate::Person;

/// Fewer bytes, however they are written, come up by chance: they are looked for in small texts only.
const LONG_BYTES: usize = 7;
const SHORT_BYTES: usize = 4;
/// Largest text in which short forms are looked for. Of some dozens one comes up by chance once in ten thousand times.
const SMALL_BYTES: usize = 16 * 1024;
/// Fewer characters of an encoding say less than the bytes do.
const TEXT_BYTES: usize = 6;
/// What stands before the body of an event: version, name, subject, source and issue.
const EVENT_HEAD_BYTES: usize = 46;
/// Minutes by which the clock on the wall is ahead of UTC.
const WALL_MIN: i64 = 8 * 60;

/// Values that are to be looked for.
#[derive(Default)]
pub struct Sentinels(Vec<Form>);

/// One form of a value.
struct Form {
    name: String,
    bytes: Vec<u8>,
    is_long: bool,
}

impl Sentinels {
    /// A resident: number, its parts, name and date of birth.
    pub fn person(&mut self, person: &Person) {
        let number = person.number_text();
        self.text("identity number", &number);
        self.text("identity number, first 17", &number[..17]);
        self.text("date of birth", &number[6..14]);
        let (year, rest) = number[6..14].split_at(4);
        let (month, day) = rest.split_at(2);
        self.text("date of birth", &format!("{year}-{month}-{day}"));
        self.text("name", &person.name);
    }

    /// A device's key.
    pub fn device(&mut self, person: &Person) {
        let key = wire::DeviceKey::of(&person.device);
        self.bytes("device key", &key.to_bytes()[1..]);
        self.bytes("device key id", &key.id().0);
    }

    /// An event, as a whole and in its parts.
    pub fn event(&mut self, event: &Event) {
        let bytes = event.to_bytes();
        self.bytes("event", &bytes);
        self.bytes("event's name", &event.id.0);
        self.bytes("event's body", &bytes[EVENT_HEAD_BYTES..]);
    }

    /// A number: an area, a place, a count of minutes.
    pub fn number(&mut self, name: &str, number: u64) {
        self.text(&format!("{name}, decimal"), &number.to_string());
        self.bytes(&format!("{name}, 8 bytes"), &number.to_be_bytes());
        self.bytes(
            &format!("{name}, 8 bytes, little-endian"),
            &number.to_le_bytes(),
        );
        if let Ok(number) = u32::try_from(number) {
            self.bytes(&format!("{name}, 4 bytes"), &number.to_be_bytes());
            let little = number.to_le_bytes();
            self.bytes(&format!("{name}, 4 bytes, little-endian"), &little);
        }
        self.bytes(&format!("{name}, varint"), &varint(number));
    }

    /// A moment: minutes, seconds and milliseconds since 1970, and in words on the wall and in UTC.
    pub fn moment(&mut self, at: Minute) {
        let minutes = u64::from(at.get());
        self.number("minutes", minutes);
        self.number("seconds", minutes * 60);
        self.number("milliseconds", minutes * 60_000);
        let utc = at.saturating_add_signed(-WALL_MIN);
        for (zone, at) in [("on the wall", at), ("in UTC", utc)] {
            let words = at.to_string();
            let (day, clock) = words.split_once(' ').expect("a day and a clock");
            self.text(&format!("moment {zone}"), &words);
            self.text(&format!("moment {zone}"), &format!("{day}T{clock}"));
            let packed: String = words.chars().filter(char::is_ascii_digit).collect();
            self.text(&format!("moment {zone}, digits"), &packed);
        }
    }

    /// A text, in UTF-8 and UTF-16 and as JSON may have it.
    pub fn text(&mut self, name: &str, text: &str) {
        self.bytes(name, text.as_bytes());
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        self.add(format!("{name}, UTF-16, little-endian"), little);
        self.add(format!("{name}, UTF-16, big-endian"), big);
        if !text.is_ascii() {
            let lower = units().fold(String::new(), |s, unit| s + &format!("\\u{unit:04x}"));
            let upper = units().fold(String::new(), |s, unit| s + &format!("\\u{unit:04X}"));
            self.add(format!("{name}, in JSON"), lower.into_bytes());
            self.add(format!("{name}, in JSON, upper case"), upper.into_bytes());
        }
    }

    /// Bytes, as they are and as text has them.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.add(name.to_owned(), bytes.to_vec());
        if bytes.len() < SHORT_BYTES {
            return;
        }
        let is_long = bytes.len() >= LONG_BYTES;
        let mut text = |form: &str, text: String| {
            if text.as_bytes() != bytes && text.len() >= TEXT_BYTES {
                let (name, bytes) = (format!("{name}, {form}"), text.into_bytes());
                self.0.push(Form {
                    name,
                    bytes,
                    is_long,
                });
            }
        };
        text("hexadecimal", hex::encode(bytes));
        text("hexadecimal, upper case", hex::encode_upper(bytes));
        text("list", listed(bytes, ", "));
        text("list, close", listed(bytes, ","));
        text("escaped", bytes.escape_ascii().to_string());
        text("percent", percent(bytes, |s, b| write!(s, "%{b:02X}")));
        text(
            "percent, lower case",
            percent(bytes, |s, b| write!(s, "%{b:02x}")),
        );
        for before in 0..3 {
            text("base64", within_base64(&STANDARD_NO_PAD, bytes, before));
            text(
                "base64 of URLs",
                within_base64(&URL_SAFE_NO_PAD, bytes, before),
            );
        }
        // Pairs of bytes are three characters; what stands before may be odd.
        for part in [bytes, &bytes[1..]] {
            text("base45", base45::encode(&part[..part.len() & !1]));
        }
    }

    fn add(&mut self, name: String, bytes: Vec<u8>) {
        let is_long = bytes.len() >= LONG_BYTES;
        self.0.push(Form {
            name,
            bytes,
            is_long,
        });
    }

    /// What looks for all of them.
    ///
    /// # Panics
    /// If they are too many.
    pub fn search(mut self) -> Search {
        self.0.retain(|form| form.bytes.len() >= SHORT_BYTES);
        self.0.sort_by_key(|form| !form.is_long);
        let long = self.0.partition_point(|form| form.is_long);
        let build = |forms: &[Form]| {
            let forms = forms.iter().map(|form| &form.bytes);
            AhoCorasick::new(forms).expect("some thousand forms")
        };
        Search {
            long: build(&self.0[..long]),
            all: build(&self.0),
            names: self.0.into_iter().map(|form| form.name).collect(),
        }
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn listed(bytes: &[u8], between: &str) -> String {
    let numbers: Vec<_> = bytes.iter().map(ToString::to_string).collect();
    numbers.join(between)
}

fn percent(bytes: &[u8], each: fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for byte in bytes {
        each(&mut text, *byte).expect("strings can be written to");
    }
    text
}

/// The characters that bytes have within base64 whatever stands around them, `before` bytes after a whole group.
fn within_base64(engine: &impl base64::Engine, bytes: &[u8], before: usize) -> String {
    let text = engine.encode([&vec![0; before], bytes].concat());
    let from = (before * 8).div_ceil(6);
    let upto = (before + bytes.len()) * 8 / 6;
    text[from..upto].to_owned()
}

/// Looks for what [`Sentinels`] has.
pub struct Search {
    /// Names of the forms, those of more bytes first.
    names: Vec<String>,
    long: AhoCorasick,
    all: AhoCorasick,
}

impl Search {
    /// The names of the forms of enough bytes that stand in `hay`, however much it is.
    pub fn found_in(&self, hay: &[u8]) -> BTreeSet<&str> {
        self.named(&self.long, hay)
    }

    /// The names of the forms that stand in `hay`, short ones as well; by chance, if it is much.
    pub fn found_in_little(&self, hay: &[u8]) -> BTreeSet<&str> {
        self.named(&self.all, hay)
    }

    fn named(&self, forms: &AhoCorasick, hay: &[u8]) -> BTreeSet<&str> {
        let found = forms.find_overlapping_iter(hay);
        found
            .map(|found| self.names[found.pattern().as_usize()].as_str())
            .collect()
    }

    /// Nothing of it may stand in `hay`, which `what` names; no short form either, if it is little.
    ///
    /// # Panics
    /// If anything does, or nothing was given to look at.
    #[track_caller]
    pub fn must_find_nothing(&self, what: &str, hay: &[u8]) {
        assert!(!hay.is_empty(), "{what}: nothing was looked at");
        let found = if hay.len() <= SMALL_BYTES {
            self.found_in_little(hay)
        } else {
            self.found_in(hay)
        };
        assert_eq!(found, BTreeSet::new(), "{what}");
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::minute;

    /// Bytes with something around them that is not theirs.
    fn around(bytes: &[u8]) -> Vec<u8> {
        [b"\x00\xffsome ", bytes, b"\xfe thing"].concat()
    }

    #[track_caller]
    fn finds(search: &Search, form: &str, hay: &[u8]) {
        let found = search.found_in_little(&around(hay));
        assert!(found.contains(form), "{form} is not among {found:?}");
    }

    #[test]
    fn a_text_is_found_in_each_of_its_forms() {
        let mut sentinels = Sentinels::default();
        sentinels.text("name", "司马哨兵");
        let search = sentinels.search();
        assert_eq!(
            search.found_in_little(&around("司马哨乙".as_bytes())),
            BTreeSet::new()
        );
        finds(&search, "name", "司马哨兵".as_bytes());
        finds(&search, "name, in JSON", br"\u53f8\u9a6c\u54e8\u5175");
        finds(
            &search,
            "name, in JSON, upper case",
            br"\u53F8\u9A6C\u54E8\u5175",
        );
        finds(
            &search,
            "name, UTF-16, little-endian",
            b"\xf8\x53\x6c\x9a\xe8\x54\x75\x51",
        );
        finds(
            &search,
            "name, UTF-16, big-endian",
            b"\x53\xf8\x9a\x6c\x54\xe8\x51\x75",
        );
        let percent = b"%E5%8F%B8%E9%A9%AC%E5%93%A8%E5%85%B5";
        finds(&search, "name, percent", percent);
        finds(
            &search,
            "name, percent, lower case",
            &percent.to_ascii_lowercase(),
        );
        let text = format!("{:?}", "司马哨兵".as_bytes());
        finds(&search, "name, list", text.as_bytes());
        finds(
            &search,
            "name, list, close",
            text.replace(' ', "").as_bytes(),
        );
        finds(
            &search,
            "name, escaped",
            br"\xe5\x8f\xb8\xe9\xa9\xac\xe5\x93\xa8\xe5\x85\xb5",
        );
        finds(&search, "name, hexadecimal", b"e58fb8e9a9ace593a8e585b5");
        finds(
            &search,
            "name, hexadecimal, upper case",
            b"E58FB8E9A9ACE593A8E585B5",
        );
    }

    #[test]
    fn bytes_are_found_within_encodings_of_more_wherever_they_begin() {
        let sought = *b"\xfb\xef\xff330106198706057391";
        let mut sentinels = Sentinels::default();
        sentinels.bytes("number", &sought);
        let search = sentinels.search();
        for before in 0..7 {
            for after in 0..3 {
                let whole = [&vec![0x5a; before], &sought[..], &vec![0xa5; after]].concat();
                finds(
                    &search,
                    "number, base64",
                    STANDARD_NO_PAD.encode(&whole).as_bytes(),
                );
                let of_urls = URL_SAFE_NO_PAD.encode(&whole);
                finds(&search, "number, base64 of URLs", of_urls.as_bytes());
                finds(&search, "number, base45", base45::encode(&whole).as_bytes());
                finds(
                    &search,
                    "number, hexadecimal",
                    hex::encode(&whole).as_bytes(),
                );
            }
        }
    }

    #[test]
    fn a_moment_is_found_in_each_of_its_forms() {
        let at = minute("2022-08-23 19:37");
        let mut sentinels = Sentinels::default();
        sentinels.moment(at);
        let search = sentinels.search();
        let n = at.get();
        assert_eq!(n, 27_687_577);
        let later = format!("{} 2022-08-23 19:38 {}", n + 1, u64::from(n + 1) * 60);
        assert_eq!(search.found_in_little(later.as_bytes()), BTreeSet::new());
        finds(&search, "minutes, decimal", b"27687577");
        finds(&search, "seconds, decimal", b"1661254620");
        finds(&search, "milliseconds, decimal", b"1661254620000");
        finds(&search, "minutes, 4 bytes", &n.to_be_bytes());
        finds(&search, "minutes, 4 bytes, little-endian", &n.to_le_bytes());
        finds(&search, "minutes, 8 bytes", &u64::from(n).to_be_bytes());
        finds(
            &search,
            "seconds, 8 bytes, little-endian",
            &1_661_254_620u64.to_le_bytes(),
        );
        finds(&search, "minutes, varint", &[0x99, 0xf5, 0x99, 0x0d]);
        finds(&search, "moment on the wall", b"2022-08-23 19:37");
        finds(&search, "moment on the wall", b"2022-08-23T19:37:00+08:00");
        finds(&search, "moment in UTC", b"2022-08-23T11:37:00Z");
        finds(&search, "moment on the wall, digits", b"202208231937");
    }

    #[test]
    fn short_forms_are_looked_for_where_chance_brings_none_and_long_ones_everywhere() {
        let mut sentinels = Sentinels::default();
        sentinels.moment(minute("2022-08-23 19:37"));
        let search = sentinels.search();
        let n = minute("2022-08-23 19:37").get();
        let much = vec![b'.'; 2 * SMALL_BYTES];
        let short = [
            &much[..],
            &n.to_be_bytes(),
            hex::encode(n.to_be_bytes()).as_bytes(),
        ]
        .concat();
        assert_eq!(search.found_in(&short), BTreeSet::new());
        let long = [&much[..], n.to_string().as_bytes()].concat();
        assert_eq!(search.found_in(&long), BTreeSet::from(["minutes, decimal"]));
        assert_eq!(
            search.found_in_little(&n.to_be_bytes()),
            BTreeSet::from(["minutes, 4 bytes"])
        );
    }

    #[test]
    fn a_person_s_event_is_found_whole_and_in_parts() {
        let person = Person::of(33, 7);
        let event = Event {
            id: rules::EventId([0x3c; 16]),
            subject: person.number,
            source: crate::world::source_id(33, rules::SourceKind::Laboratory),
            issued_at: minute("2022-08-23 20:00"),
            body: rules::EventBody::Test {
                sampled_at: minute("2022-08-23 19:37"),
                result: rules::TestResult::Negative,
            },
        };
        let mut sentinels = Sentinels::default();
        sentinels.person(&person);
        sentinels.event(&event);
        sentinels.device(&person);
        let search = sentinels.search();
        let found = search.found_in_little(&event.to_bytes());
        for form in ["identity number", "event", "event's name", "event's body"] {
            assert!(found.contains(form), "{form}: {found:?}");
        }
        finds(&search, "date of birth", b"1947-08-08");
        let key = wire::DeviceKey::of(&person.device);
        finds(&search, "device key", &key.to_bytes());
        finds(
            &search,
            "device key id, hexadecimal",
            hex::encode(key.id().0).as_bytes(),
        );
    }
}
