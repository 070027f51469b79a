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

#[cfg(test)]
mod tests {
    use super::*;

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
