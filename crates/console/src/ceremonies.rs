//! Challenges that wait for their answer, in memory only.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use parking_lot::Mutex;
use webauthn_rp::request::TimedCeremony;
use webauthn_rp::response::SentChallenge;

/// Most of one kind at once: far more people than sign in within five minutes. Beyond them the oldest of the address that has most
/// gives way, so that who only begins keeps nobody else from ending. A cap for each address would keep out colleagues who share one.
const CEREMONIES_MAX: usize = 256;

/// Ceremonies of one kind with the address that each came from, the oldest first. How long each lasts is in it – five minutes – and is
/// asked of the system's own monotonic clock, as its challenge is drawn by the system's generator: `webauthn_rp` takes neither as an
/// argument.
pub(crate) struct Ceremonies<T>(Mutex<VecDeque<(Option<IpAddr>, T)>>);

impl<T> Default for Ceremonies<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: TimedCeremony> Ceremonies<T> {
    /// Keeps one, which an address began.
    pub(crate) fn keep(&self, from: Option<IpAddr>, ceremony: T) {
        let mut waiting = self.0.lock();
        waiting.push_back((from, ceremony));
        if waiting.len() > CEREMONIES_MAX {
            let gives_way = oldest_of_most(&waiting);
            gives_way.and_then(|place| waiting.remove(place));
        }
    }

    /// Takes the one whose challenge was answered: each is answered once.
    pub(crate) fn take(&self, challenge: SentChallenge) -> Option<T> {
        let mut waiting = self.0.lock();
        let place = waiting
            .iter()
            .position(|(_, ceremony)| ceremony.sent_challenge() == challenge)?;
        waiting.remove(place).map(|(_, ceremony)| ceremony)
    }
}

/// The place of the oldest one of the address that has most; of several such addresses, of the one that waits longest.
fn oldest_of_most<T>(waiting: &VecDeque<(Option<IpAddr>, T)>) -> Option<usize> {
    // How many each has, and its oldest one.
    let mut of: BTreeMap<Option<IpAddr>, (usize, Reverse<usize>)> = BTreeMap::new();
    for (place, (from, _)) in waiting.iter().enumerate() {
        of.entry(*from).or_insert((0, Reverse(place))).0 += 1;
    }
    let most = of.into_values().max();
    most.map(|(_, Reverse(oldest))| oldest)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    struct Numbered(u128);

    impl TimedCeremony for Numbered {
        fn expiration(&self) -> Instant {
            Instant::now()
        }

        fn sent_challenge(&self) -> SentChallenge {
            SentChallenge(self.0)
        }
    }

    fn address(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    #[test]
    fn a_challenge_is_answered_once_and_the_oldest_gives_way() {
        let ceremonies = Ceremonies::default();
        for number in 0..=256 {
            ceremonies.keep(None, Numbered(number));
        }
        assert!(ceremonies.take(SentChallenge(0)).is_none());
        assert!(ceremonies.take(SentChallenge(256)).is_some());
        assert!(ceremonies.take(SentChallenge(256)).is_none());
        assert!(ceremonies.take(SentChallenge(1)).is_some());
    }

    #[test]
    fn who_only_begins_keeps_nobody_at_another_address_from_ending() {
        let ceremonies = Ceremonies::default();
        for number in 0..3 {
            ceremonies.keep(Some(address(1)), Numbered(number));
        }
        ceremonies.keep(Some(address(2)), Numbered(3));
        for number in 1_000..2_000 {
            ceremonies.keep(Some(address(3)), Numbered(number));
        }
        for number in 0..4 {
            assert!(ceremonies.take(SentChallenge(number)).is_some());
        }
        assert!(ceremonies.take(SentChallenge(1_000)).is_none());
        assert!(ceremonies.take(SentChallenge(1_999)).is_some());
    }
}
