//! Minutes since the Unix epoch at the edges, days of UTC+8 inside the rules.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Minutes a UTC+8 clock is ahead of UTC.
pub const UTC_PLUS_8_MIN: u32 = 480;
/// Minutes in a day.
pub const MINUTES_PER_DAY: u32 = 1440;

/// A moment: whole minutes since the Unix epoch (UTC), at most [`Minute::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Minute(u32);

impl Minute {
    /// The last moment that a record, a rule set or a risk map can name: 26 bits, in the year 2097.
    pub const MAX: Minute = Minute((1 << 26) - 1);
    /// The epoch itself; in records it stands for "no time here".
    pub const ZERO: Minute = Minute(0);

    /// Reads a moment from minutes since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::MinuteTooLarge`] above [`Minute::MAX`].
    pub const fn new(minutes_since_epoch: u32) -> Result<Self, Error> {
        if minutes_since_epoch > Self::MAX.0 {
            return Err(Error::MinuteTooLarge(minutes_since_epoch));
        }
        Ok(Self(minutes_since_epoch))
    }

    /// Minutes since the Unix epoch.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The UTC+8 calendar day that this moment lies in.
    #[allow(clippy::cast_possible_truncation)] // 26 bits / 1440 is below 2^16
    pub const fn day(self) -> Day {
        Day(((self.0 + UTC_PLUS_8_MIN) / MINUTES_PER_DAY) as u16)
    }

    /// Minutes since the last UTC+8 midnight, below 1440.
    pub const fn minute_of_day(self) -> u32 {
        (self.0 + UTC_PLUS_8_MIN) % MINUTES_PER_DAY
    }

    /// This moment moved by `minutes`, held within zero and [`Minute::MAX`].
    #[must_use]
    pub const fn saturating_add_signed(self, minutes: i64) -> Self {
        let moved = self.0 as i64 + minutes;
        if moved < 0 {
            Self(0)
        } else if moved > Self::MAX.0 as i64 {
            Self::MAX
        } else {
            #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
            Self(moved as u32)
        }
    }
}

impl std::str::FromStr for Minute {
    type Err = Error;
    /// Reads a moment of UTC+8 such as `2022-08-20 13:05`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadMomentText(text.chars().take(24).collect());
        let (day, clock) = text.split_once(' ').ok_or_else(bad)?;
        let day: Day = day.parse()?;
        let digits = clock
            .split_once(':')
            .filter(|(h, m)| h.len() == 2 && m.len() == 2 && two_digits(h) && two_digits(m));
        let (hour, minute) = digits.ok_or_else(bad)?;
        let hour: u32 = hour.parse().map_err(|_| bad())?;
        let minute: u32 = minute.parse().map_err(|_| bad())?;
        if hour > 23 || minute > 59 || day.get() == 0 {
            return Err(bad());
        }
        Self::new(day.first_minute().0 + 60 * hour + minute)
    }
}

impl std::fmt::Display for Minute {
    /// The moment in UTC+8: `2022-08-20 13:05`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hour, minute) = (self.minute_of_day() / 60, self.minute_of_day() % 60);
        write!(f, "{} {hour:02}:{minute:02}", self.day())
    }
}

fn two_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

impl TryFrom<u32> for Minute {
    type Error = Error;
    fn try_from(value: u32) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl From<Minute> for u32 {
    fn from(value: Minute) -> u32 {
        value.0
    }
}

/// A UTC+8 calendar day: days since 1970-01-01 in UTC+8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(u16);

impl Day {
    /// A day from its number; day 0 is 1970-01-01 in UTC+8.
    pub const fn new(days_since_epoch: u16) -> Self {
        Self(days_since_epoch)
    }

    /// Days since 1970-01-01 in UTC+8.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The first minute of this day (00:00 in UTC+8); day 0 begins before the epoch and gives zero.
    pub const fn first_minute(self) -> Minute {
        Minute::ZERO
            .saturating_add_signed(self.0 as i64 * MINUTES_PER_DAY as i64 - UTC_PLUS_8_MIN as i64)
    }
}

/// The Julian day number of 1970-01-01.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;

impl std::str::FromStr for Day {
    type Err = Error;
    /// Reads a calendar date such as `2022-08-20`, from 1970 to 2097.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadMomentText(text.chars().take(24).collect());
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes.iter().enumerate().all(|(i, b)| match i {
                4 | 7 => *b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shaped {
            return Err(bad());
        }
        let year = text[..4].parse().map_err(|_| bad())?;
        let month: u8 = text[5..7].parse().map_err(|_| bad())?;
        let month = time::Month::try_from(month).map_err(|_| bad())?;
        let day = text[8..].parse().map_err(|_| bad())?;
        let date = time::Date::from_calendar_date(year, month, day).map_err(|_| bad())?;
        let number = u16::try_from(date.to_julian_day() - EPOCH_JULIAN_DAY).map_err(|_| bad())?;
        if number > Minute::MAX.day().get() {
            return Err(bad());
        }
        Ok(Self(number))
    }
}

impl std::fmt::Display for Day {
    /// The calendar date: `2022-08-20`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A number of 16 bits lies before the year 2150, well within the calendar.
        match time::Date::from_julian_day(EPOCH_JULIAN_DAY + i32::from(self.0)) {
            Ok(date) => write!(
                f,
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            ),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_read_back_what_they_show() {
        let moment: Minute = "2022-08-18 00:00".parse().unwrap();
        assert_eq!(moment.get(), 27_679_200);
        assert_eq!(moment.to_string(), "2022-08-18 00:00");
        assert_eq!("2022-08-18".parse(), Ok(moment.day()));
        assert_eq!(Minute::MAX.to_string().parse(), Ok(Minute::MAX));
        assert_eq!(Day::new(u16::MAX).to_string(), "2149-06-06");
        for bad in [
            "",
            "2022-8-18",
            "2022-02-29",
            "1969-12-31",
            "2098-01-01",
            "2022-08-18 24:00",
            "2022-08-18 1:00",
            "2022-08-18 +1:00",
            "2022-08-18T01:00",
            "1970-01-01 00:00",
        ] {
            assert!(bad.parse::<Minute>().is_err(), "{bad}");
            if !bad.contains(':') {
                assert!(bad.parse::<Day>().is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn a_day_begins_at_sixteen_hundred_utc() {
        // 2022-08-18 00:00 UTC+8 is 2022-08-17 16:00 UTC.
        let midnight = Minute::new(27_679_680 - 480).unwrap();
        assert_eq!(midnight.minute_of_day(), 0);
        assert_eq!(midnight.day().first_minute(), midnight);
        let before = Minute::new(midnight.get() - 1).unwrap();
        assert_eq!(before.day().get() + 1, midnight.day().get());
        assert_eq!(before.minute_of_day(), 1439);
    }

    #[test]
    fn a_minute_beyond_twenty_six_bits_is_refused() {
        assert_eq!(Minute::new(1 << 26), Err(Error::MinuteTooLarge(1 << 26)));
        assert!(serde_json::from_str::<Minute>("67108864").is_err());
    }
}
