//! The head keys that a root document names, with their dates.

use rules::Minute;
use serde::Serialize;
use verifier::trust::{ProvinceEntry, RootDocument};

use super::nodes::moment;

/// A head key with its dates.
#[derive(Serialize)]
pub(super) struct HeadKeyReport {
    province: u8,
    slot: u8,
    key: String,
    /// Its first minute, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_minute: Option<u32>,
    /// The first minute of the one that follows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at_minute: Option<u32>,
    /// Where it stands when the list was issued.
    state: &'static str,
}

/// All head keys of a document, by slot and date, as they stand at a minute.
pub(super) fn report(root: &RootDocument, at: Minute) -> Vec<HeadKeyReport> {
    let of_slot = |entry: &ProvinceEntry| {
        let dates = entry.head_keys.entries();
        let ends = dates.iter().skip(1).map(|(from, _)| Some(*from));
        let keys = dates.iter().zip(ends.chain([None]));
        let keys = keys.map(|((from, key), end)| HeadKeyReport {
            province: entry.province.get(),
            slot: entry.slot.get(),
            key: hex::encode(key.as_bytes()),
            from_minute: (*from > Minute::ZERO).then_some(from.get()),
            retired_at_minute: end.map(Minute::get),
            state: match end {
                _ if *from > at => "announced",
                Some(end) if end <= at => "retired",
                _ => "in-force",
            },
        });
        keys.collect::<Vec<_>>()
    };
    root.provinces.iter().flat_map(of_slot).collect()
}

impl HeadKeyReport {
    /// A line, for keys that have a date on either side; the others are what every list has.
    pub(super) fn line(&self) -> Option<String> {
        let date = |minute: u32| Minute::new(minute).map_or(minute.to_string(), moment);
        let (province, slot, key) = (self.province, self.slot, &self.key);
        let from = self.from_minute.map(|at| format!(", from {}", date(at)));
        let end = self.retired_at_minute;
        let end = end.map(|at| format!(", until {}", date(at)));
        (from.is_some() || end.is_some()).then(|| {
            format!(
                "    head key of province {province}, slot {slot}: {key} {}{}{}",
                self.state,
                from.unwrap_or_default(),
                end.unwrap_or_default()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use verifier::trust::HeadKeys;

    #[test]
    fn a_switch_is_reported_with_its_date_and_a_key_without_one_has_no_line() {
        let minute = |number| Minute::new(number).unwrap();
        let key = |seed: u8| SigningKey::from_bytes(&[seed; 32]).verifying_key();
        let dates = vec![(Minute::ZERO, key(1)), (minute(27_000_000), key(2))];
        let entry = |keys| ProvinceEntry {
            province: commitment::ProvinceCode::new(33).unwrap(),
            slot: commitment::Slot::new(1).unwrap(),
            head_keys: keys,
        };
        let bare = RootDocument {
            sequence: verifier::trust::Sequence::new(1),
            expires_at: verifier::UnixTime::from_s(0),
            root_keys: verifier::trust::RootKeys::new(vec![key(9)], 1).unwrap(),
            grace_min: 0,
            provinces: vec![
                entry(HeadKeys::new(dates).unwrap()),
                entry(HeadKeys::single(key(3))),
            ],
            circuits: Vec::new(),
            openings: Vec::new(),
            rule_sets: Vec::new(),
            profiles: Vec::new(),
        };
        let states = |at| {
            let report = report(&bare, minute(at));
            report.iter().map(|key| key.state).collect::<Vec<_>>()
        };
        assert_eq!(states(26_999_999), ["in-force", "announced", "in-force"]);
        assert_eq!(states(27_000_000), ["retired", "in-force", "in-force"]);
        let lines: Vec<Option<String>> = report(&bare, minute(27_000_000))
            .iter()
            .map(HeadKeyReport::line)
            .collect();
        assert!(lines[0].as_ref().unwrap().contains("retired, until 20"));
        assert!(lines[1].as_ref().unwrap().contains("in-force, from 20"));
        assert_eq!(lines[2], None);
    }
}
