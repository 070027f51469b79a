//! A body temperature, as it is read at a gate beside a code: judged, and forgotten.

use serde_json::{Value, json};
use verifier::Outcome;

/// What people are told who are too warm, and what is to be done.
const TOO_WARM: [(&str, &str); 4] = [
    ("text_zh", "体温过高，请到旁边休息后复测。"),
    (
        "text_en",
        "Temperature too high. Rest beside the gate, then be measured again.",
    ),
    (
        "officer_zh",
        "请到一旁复测;仍过高则不放行，按发热流程处置。",
    ),
    (
        "officer_en",
        "Measure again aside. Still too high: no passage, follow the procedure for fever.",
    ),
];

/// Not a temperature that a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a temperature has two digits and at most one place, from 30.0 to 45.0 °C")]
pub struct NoTemperature;

/// A body temperature, tenths of a degree Celsius, from 30.0 to 45.0 °C.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Temperature(u16);

impl Temperature {
    /// Reads what was typed: `36`, `36.5` or `36,5`.
    ///
    /// # Errors
    /// [`NoTemperature`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NoTemperature> {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
        let read =
            |tens, ones, tenths| Some(digit(tens)? * 100 + digit(ones)? * 10 + digit(tenths)?);
        let tenth_c = match *text.as_bytes() {
            [tens, ones] => read(tens, ones, b'0'),
            [tens, ones, b'.' | b',', tenths] => read(tens, ones, tenths),
            _ => None,
        };
        match tenth_c {
            Some(tenth_c @ 300..=450) => Ok(Self(tenth_c)),
            _ => Err(NoTemperature),
        }
    }
}

/// The highest temperature that is let pass, tenths of a degree Celsius, from 35.0 to 42.0 °C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemperatureLimit(u16);

impl TemperatureLimit {
    /// Lowest limit: below it healthy people are refused.
    pub const LEAST_TENTH_C: u16 = 350;
    /// Highest limit: above it nobody is.
    pub const MOST_TENTH_C: u16 = 420;

    /// The limit, if it is in range.
    pub const fn new(tenth_c: u16) -> Option<Self> {
        if tenth_c >= Self::LEAST_TENTH_C && tenth_c <= Self::MOST_TENTH_C {
            Some(Self(tenth_c))
        } else {
            None
        }
    }

    /// Reads what a supervisor typed, in degrees.
    ///
    /// # Errors
    /// [`NoTemperature`].
    pub fn parse(text: &str) -> Result<Self, NoTemperature> {
        Self::new(Temperature::parse(text)?.0).ok_or(NoTemperature)
    }

    /// Tenths of a degree Celsius.
    pub const fn tenth_c(self) -> u16 {
        self.0
    }

    /// Whether somebody of this temperature is let pass.
    pub fn admits(self, temperature: Temperature) -> bool {
        temperature.0 <= self.0
    }

    /// What is said of somebody who is not, in the fields of a report; the temperature itself is not among them.
    pub fn refusal_json(self) -> Value {
        let (word_zh, word_en) = Outcome::Reject.word();
        let mut said = json!({
            "outcome": "reject",
            "word_zh": word_zh,
            "word_en": word_en,
            "code": "TEMPERATURE_TOO_HIGH",
            "detail": format!("above {}.{} °C", self.0 / 10, self.0 % 10),
            "accepted": Value::Null,
        });
        for (field, text) in TOO_WARM {
            said[field] = text.into();
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_is_read_to_the_tenth_and_nothing_else_is() {
        for (text, tenth_c) in [
            ("36", 360),
            ("36.5", 365),
            ("36,5", 365),
            ("30.0", 300),
            ("45", 450),
        ] {
            assert!(
                Temperature::parse(text) == Ok(Temperature(tenth_c)),
                "{text}"
            );
        }
        for bad in [
            "", "3", "365", "36.", "36.55", "+36.5", "-36.5", "36.5 ", "36:5", "29.9", "45.1",
            "99", "３６.5", "VIR1:6BF",
        ] {
            assert!(Temperature::parse(bad) == Err(NoTemperature), "{bad}");
        }
    }

    #[test]
    fn the_limit_itself_is_let_pass_and_a_tenth_above_is_not() {
        let limit = TemperatureLimit::parse("37.3").unwrap();
        assert_eq!(limit.tenth_c(), 373);
        assert!(limit.admits(Temperature::parse("37.3").unwrap()));
        assert!(!limit.admits(Temperature::parse("37.4").unwrap()));
        for bad in [0, 349, 421] {
            assert_eq!(TemperatureLimit::new(bad), None);
        }
        assert!(TemperatureLimit::parse("34.9").is_err());
    }

    #[test]
    fn what_is_said_of_the_too_warm_is_a_no_with_words_of_its_own_and_without_the_temperature() {
        let limit = TemperatureLimit::new(373).unwrap();
        let said = limit.refusal_json();
        assert_eq!(
            (&said["outcome"], &said["word_en"]),
            (&"reject".into(), &"NO".into())
        );
        assert!(said["text_zh"].as_str().unwrap().contains("体温过高"));
        assert!(
            said["text_en"]
                .as_str()
                .unwrap()
                .contains("Temperature too high")
        );
        assert_eq!(said["detail"], "above 37.3 °C");
    }
}
