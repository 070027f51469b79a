//! Keys with dates: one after the other, each from its first minute to that of the next.

use rules::Minute;

/// Most keys of one holder that are named at once: one that is retired, the one in force, and the one announced.
pub const MAX_DATED_KEYS: usize = 3;
/// By how many minutes two clocks may differ about which of two keys is in force, where what is signed tells no minute of its
/// own. What does tell one is judged by that minute, without tolerance.
pub const KEY_SWITCH_TOLERANCE_MIN: u32 = 5;

/// Why keys with dates are refused; whoever names them is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatedKeysError {
    /// None, or too many.
    #[error("{0} keys with dates, 1 to {MAX_DATED_KEYS}")]
    Count(usize),
    /// A key that does not begin after the one before it.
    #[error("the dates of keys do not ascend")]
    NotAscending,
    /// A key that comes back.
    #[error("one key with two dates")]
    Twice,
}

/// 1 to [`MAX_DATED_KEYS`] different keys of one holder, each in force from its minute on until the next one's. The first minute
/// of a key is the retirement of the one before it. Before the first minute of all no key is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedKeys<K>(Vec<(Minute, K)>);

impl<K: PartialEq> DatedKeys<K> {
    /// One key, in force at all times.
    pub fn single(key: K) -> Self {
        Self(vec![(Minute::ZERO, key)])
    }

    /// Keys with their first minutes, ascending.
    ///
    /// # Errors
    /// [`DatedKeysError`].
    pub fn new(keys: Vec<(Minute, K)>) -> Result<Self, DatedKeysError> {
        if keys.is_empty() || keys.len() > MAX_DATED_KEYS {
            return Err(DatedKeysError::Count(keys.len()));
        }
        if !keys.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Err(DatedKeysError::NotAscending);
        }
        let is_twice = |i: usize| keys[..i].iter().any(|(_, key)| *key == keys[i].1);
        if (0..keys.len()).any(is_twice) {
            return Err(DatedKeysError::Twice);
        }
        Ok(Self(keys))
    }

    /// The keys with their first minutes, ascending.
    pub fn entries(&self) -> &[(Minute, K)] {
        &self.0
    }

    /// The keys, in the order of their dates.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(_, key)| key)
    }

    /// The key in force at a minute: the last that began by then.
    pub fn at(&self, minute: Minute) -> Option<&K> {
        let begun = self.0.iter().rev().find(|(from, _)| *from <= minute);
        begun.map(|(_, key)| key)
    }

    /// The keys that are not retired at a minute: the one in force and the one announced.
    pub fn not_retired(&self, minute: Minute) -> &[(Minute, K)] {
        let begun = self.0.iter().rposition(|(from, _)| *from <= minute);
        &self.0[begun.unwrap_or(0)..]
    }

    /// Whether a key is among them, in force or not.
    pub fn contains(&self, key: &K) -> bool {
        self.keys().any(|known| known == key)
    }

    /// The keys in force at `minute` by a clock that may differ by [`KEY_SWITCH_TOLERANCE_MIN`]: one, or two around a switch.
    pub fn around(&self, minute: Minute) -> impl Iterator<Item = &K> {
        let tolerance = i64::from(KEY_SWITCH_TOLERANCE_MIN);
        let first = self.at(minute.saturating_add_signed(-tolerance));
        let last = self.at(minute.saturating_add_signed(tolerance));
        let other = last.filter(|last| first != Some(*last));
        first.into_iter().chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u32) -> Minute {
        Minute::new(number).unwrap()
    }

    fn keys(dates: &[(u32, u8)]) -> Result<DatedKeys<u8>, DatedKeysError> {
        DatedKeys::new(dates.iter().map(|(at, key)| (minute(*at), *key)).collect())
    }

    #[test]
    fn a_key_is_in_force_from_its_minute_to_the_one_before_the_next() {
        let keys = keys(&[(10, 1), (20, 2), (40, 3)]).unwrap();
        let at = |number| keys.at(minute(number)).copied();
        assert_eq!((at(9), at(10), at(19)), (None, Some(1), Some(1)));
        assert_eq!((at(20), at(39), at(40)), (Some(2), Some(2), Some(3)));
        assert_eq!(keys.at(Minute::MAX), Some(&3));
        let left = |number| keys.not_retired(minute(number)).len();
        assert_eq!((left(0), left(19), left(20), left(40)), (3, 3, 2, 1));
        assert!(keys.contains(&2) && !keys.contains(&4));
        assert_eq!(DatedKeys::single(7).at(Minute::ZERO), Some(&7));
    }

    #[test]
    fn around_a_switch_two_keys_are_in_force_and_elsewhere_one() {
        let keys = keys(&[(0, 1), (100, 2)]).unwrap();
        let around = |number| keys.around(minute(number)).copied().collect::<Vec<_>>();
        assert_eq!((around(94), around(95)), (vec![1], vec![1, 2]));
        assert_eq!((around(104), around(105)), (vec![1, 2], vec![2]));
    }

    #[test]
    fn dates_that_contradict_each_other_are_refused() {
        assert_eq!(keys(&[]), Err(DatedKeysError::Count(0)));
        let four = [(0, 1), (1, 2), (2, 3), (3, 4)];
        assert_eq!(keys(&four), Err(DatedKeysError::Count(4)));
        assert!(keys(&four[..3]).is_ok());
        for dates in [[(5, 1), (5, 2)], [(6, 1), (5, 2)]] {
            assert_eq!(keys(&dates), Err(DatedKeysError::NotAscending));
        }
        let back = [(0, 1), (5, 2), (9, 1)];
        assert_eq!(keys(&back), Err(DatedKeysError::Twice));
    }
}
