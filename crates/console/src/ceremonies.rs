//! Challenges that wait for their answer, in memory only.

use std::collections::VecDeque;

use parking_lot::Mutex;
use webauthn_rp::request::TimedCeremony;
use webauthn_rp::response::SentChallenge;

/// Most of one kind at once. Beyond them the oldest gives way, so that who only begins keeps nobody from ending for longer than
/// it takes to begin so many; the door's quota bounds how fast one address can.
const CEREMONIES_MAX: usize = 64;

/// Ceremonies of one kind, the oldest first. How long each lasts is in it – five minutes – and is asked of the system's own
/// monotonic clock, as its challenge is drawn by the system's generator: `webauthn_rp` takes neither as an argument.
pub(crate) struct Ceremonies<T>(Mutex<VecDeque<T>>);

impl<T> Default for Ceremonies<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: TimedCeremony> Ceremonies<T> {
    /// Keeps one.
    pub(crate) fn keep(&self, ceremony: T) {
        let mut waiting = self.0.lock();
        if waiting.len() >= CEREMONIES_MAX {
            waiting.pop_front();
        }
        waiting.push_back(ceremony);
    }

    /// Takes the one whose challenge was answered: each is answered once.
    pub(crate) fn take(&self, challenge: SentChallenge) -> Option<T> {
        let mut waiting = self.0.lock();
        let place = waiting
            .iter()
            .position(|ceremony| ceremony.sent_challenge() == challenge)?;
        waiting.remove(place)
    }
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

    #[test]
    fn a_challenge_is_answered_once_and_the_oldest_gives_way() {
        let ceremonies = Ceremonies::default();
        for number in 0..=64 {
            ceremonies.keep(Numbered(number));
        }
        assert!(ceremonies.take(SentChallenge(0)).is_none());
        assert!(ceremonies.take(SentChallenge(64)).is_some());
        assert!(ceremonies.take(SentChallenge(64)).is_none());
        assert!(ceremonies.take(SentChallenge(1)).is_some());
    }
}
