//! The canonical form of a rule set, and its SHA-256.

use sha2::{Digest, Sha256};

use super::{Bound, RuleSet, Text};
use crate::{Clearing, Key, LookbackHours, Offset, Row};

/// What stands before the canonical form.
const DOMAIN: &[u8] = b"viridian/rule-set/v1\0";

pub(super) fn digest(set: &RuleSet) -> [u8; 32] {
    let mut out = Form(DOMAIN.to_vec());
    out.string(set.id.as_str());
    out.u32(set.version);
    out.u8(set.province().get());
    out.text(&set.title);
    out.text(&set.authority);
    out.string(&set.source);
    out.u32(set.validity.announced.get());
    out.u32(set.validity.from.get());
    out.u32(set.validity.until.get());
    out.u8(u8::from(set.validity.emergency));
    out.lookback(set.table.lookback_hours());
    out.u8(u8::try_from(set.rules.len()).unwrap_or(u8::MAX));
    for rule in &set.rules {
        out.string(&rule.id);
        out.text(&rule.text);
        out.string(&rule.source);
    }
    out.optional(set.otherwise.as_ref(), Form::text);
    for (code, rule) in (0..).zip(&set.rule_of_key) {
        out.u8(rule.map_or(0, |index| index + 1));
        if let Some(key) = Key::from_code(code) {
            out.row(set.table.row(key));
        }
    }
    out.optional(set.bounds.as_ref(), |out, bounds| {
        out.lookback(bounds.lookback_hours);
        for bound in &bounds.of_key {
            out.optional(*bound, Form::bound);
        }
    });
    Sha256::digest(&out.0).into()
}

/// The canonical form as it grows; integers are big-endian.
struct Form(Vec<u8>);

impl Form {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_be_bytes());
    }

    /// The length in bytes, then UTF-8. A file of 64 KiB holds no longer string.
    fn string(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend(text.as_bytes());
    }

    fn text(&mut self, text: &Text) {
        self.string(&text.zh);
        self.string(&text.en);
    }

    fn optional<T>(&mut self, value: Option<T>, put: impl Fn(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn lookback(&mut self, hours: LookbackHours) {
        self.u16(hours.low);
        self.u16(hours.medium);
        self.u16(hours.high);
    }

    /// 0 for hours, 1 for days, then the count.
    fn offset(&mut self, offset: Offset) {
        self.u8(u8::from(matches!(offset, Offset::Days(_))));
        self.u16(offset.count());
    }

    fn row(&mut self, row: &Row) {
        self.u8(row.first as u8);
        self.offset(row.switch);
        self.u8(row.then as u8);
        self.optional(row.lapse, Self::offset);
        for way in &row.clearing {
            self.optional(way.as_ref(), Self::clearing);
        }
    }

    fn clearing(&mut self, way: &Clearing) {
        self.offset(way.after);
        self.u8(way.negatives);
        self.u8(way.gap_hours);
        self.u16(way.span_hours);
        self.0.extend(way.neg_from_hours.to_be_bytes());
        self.u8(way.check_in_days);
    }

    fn bound(&mut self, bound: Bound) {
        self.u8(bound.at_most as u8);
        self.u8(bound.at_least as u8);
        self.optional(bound.longest, Self::offset);
    }
}
