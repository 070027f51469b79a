//! A gate for tests, and the little words they share.

use rules::{Claim, TestAge, WorstColour};
use verifier::{
    Gate, GateChallenge, GateId, GateMemory, GateNonce, Presented, Showing, TrustList, UnixTime,
    Verdict, verify, verify_text,
};

use crate::fixture::*;

/// A world and its trust list, before a gate.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) list: TrustList,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let list = world.trust_list();
        Self { world, list }
    }

    pub(crate) fn verdict(&mut self, wish: &Wish) -> Verdict {
        let showing = self.world.showing(wish);
        self.of(&showing, &gate(), NOW)
    }

    pub(crate) fn of(&self, showing: &Showing, gate: &Gate, now: UnixTime) -> Verdict {
        let presented = Presented::plain(showing);
        verify(
            &presented,
            &self.list,
            gate,
            now,
            &mut GateMemory::default(),
        )
    }

    pub(crate) fn of_text(&self, text: &str) -> Verdict {
        let memory = &mut GateMemory::default();
        verify_text(text, None, None, &self.list, &gate(), NOW, memory)
    }
}

pub(crate) fn later(seconds: i64) -> UnixTime {
    UnixTime::from_s(NOW.get_s().checked_add_signed(seconds).unwrap())
}

pub(crate) fn claim(worst: WorstColour, test_age: TestAge) -> Claim {
    Claim { worst, test_age }
}

pub(crate) fn challenge(byte: u8) -> GateChallenge {
    GateChallenge {
        gate: GateId([byte; 8]),
        nonce: GateNonce([byte; 16]),
    }
}
