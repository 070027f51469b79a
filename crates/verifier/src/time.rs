//! The moment of checking, and the half minutes in which a showing is good.

use rules::Minute;

/// Seconds in a showing slot: a code on a screen is renewed this often.
pub const SLOT_LEN_S: u64 = 30;
/// Seconds by which a clock may run behind before a verdict is withheld.
pub const CLOCK_TOLERANCE_S: u64 = 60;

/// Seconds since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// A time from seconds since the Unix epoch.
    pub const fn from_s(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn get_s(self) -> u64 {
        self.0
    }

    /// The whole minute that this time lies in; the last one a record can name, if it lies beyond.
    pub fn minute(self) -> Minute {
        u32::try_from(self.0 / 60)
            .ok()
            .and_then(|m| Minute::new(m).ok())
            .unwrap_or(Minute::MAX)
    }

    /// Seconds from `earlier` to this time, zero if it is not earlier.
    pub const fn since_s(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The showing slot that this time lies in; the last there is, if it lies beyond.
    pub fn slot(self) -> ShowingSlot {
        ShowingSlot(u32::try_from(self.0 / SLOT_LEN_S).unwrap_or(u32::MAX))
    }
}

/// The number of a half minute: seconds since the Unix epoch divided by [`SLOT_LEN_S`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShowingSlot(u32);

impl ShowingSlot {
    /// The slot with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Slots between this one and another, whichever is earlier.
    pub const fn distance(self, other: Self) -> u32 {
        self.0.abs_diff(other.0)
    }

    /// This slot moved back by `slots`, held at zero.
    #[must_use]
    pub const fn back(self, slots: u32) -> Self {
        Self(self.0.saturating_sub(slots))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_beyond_the_last_minute_stay_there() {
        assert_eq!(UnixTime::from_s(119).minute().get(), 1);
        assert_eq!(UnixTime::from_s(u64::MAX).minute(), Minute::MAX);
        assert_eq!(UnixTime::from_s(u64::MAX).slot().get(), u32::MAX);
        assert_eq!(UnixTime::from_s(59).slot().get(), 1);
    }
}
