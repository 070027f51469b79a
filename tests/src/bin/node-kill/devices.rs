//! Residents' devices: they bind themselves, check in and request passes.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use rules::{Claim, Minute, TestAge, WorstColour};
use tests::{Device, Holder, Person, fresh_id};
use tonic::Status;
use wire::pass::v1 as words;
use wire::resident::v1 as res;

use crate::house::{COMMITTED, HOME, RESIDENTS};
use crate::offices::unless_gone;

/// Devices of one resident.
const DEVICES: u16 = 8;
/// Older calls that are asked for again after each kill.
const SAMPLE: usize = 8;
const CLAIM: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

/// Whose device, and which of theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Who {
    resident: u16,
    device: u16,
}

/// Something that a device has asked for.
#[derive(Clone)]
enum Act {
    Bind(Who),
    CheckIn(Who, [u8; 16]),
    Request(Who, [u8; 16], Holder),
}

/// All devices, with what they have asked for and what of it was acknowledged.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// How many of them were asked for after an earlier kill.
    seen: usize,
    /// Sent and not answered.
    open: Option<Act>,
    /// The last check-in that was acknowledged, as it was sent.
    last: Option<res::DeclareHealthRequest>,
}

/// An act that was acknowledged.
pub(crate) struct Acknowledged(Act);

impl Who {
    fn person(self) -> Person {
        let own = Person::of(HOME, self.resident);
        let key = Person::of(HOME, 100 * self.device + self.resident);
        Person {
            device: key.device,
            ..own
        }
    }

    /// This one's device, over the connection of another.
    fn of(self, device: &Device) -> Device {
        Device {
            person: self.person(),
            client: device.client.clone(),
        }
    }
}

fn request(id: [u8; 16], holder: &Holder) -> res::RequestUse {
    res::RequestUse {
        use_id: id.to_vec(),
        claim: Some(CLAIM.into()),
        rule_set_id: String::new(),
        binder_kind: words::BinderKind::Device.into(),
        holder_keys: vec![holder.public()],
    }
}

fn check_in(id: [u8; 16], now: Minute) -> res::DeclareHealth {
    res::DeclareHealth {
        event_id: id.to_vec(),
        day: now.day().get().into(),
        symptoms: res::Symptoms::None.into(),
    }
}

impl Act {
    /// Asks for it; true if the node says that it was there already.
    async fn ask(
        &self,
        device: &Device,
        now: Minute,
        last: &mut Option<res::DeclareHealthRequest>,
    ) -> Result<bool, Status> {
        match self {
            Self::Bind(who) => who.of(device).register(now).await.map(|_| false),
            Self::CheckIn(who, id) => {
                let mut device = who.of(device);
                let signed: res::DeclareHealthRequest = device.sign(&check_in(*id, now), now);
                let answer = device.client.declare_health(signed.clone()).await?;
                *last = Some(signed);
                Ok(answer.get_ref().duplicate)
            }
            Self::Request(who, id, holder) => {
                let mut device = who.of(device);
                let signed: res::RequestUseRequest = device.sign(&request(*id, holder), now);
                device.client.request_use(signed).await.map(|_| false)
            }
        }
    }
}

impl People {
    /// Acts until the node is gone; with what was wrong besides that.
    pub(crate) async fn act(
        mut self,
        device: Device,
        now: Minute,
        mut rng: ChaCha8Rng,
    ) -> (Self, Option<String>) {
        loop {
            let Some(act) = self.next(&mut rng) else {
                continue;
            };
            self.open = Some(act.clone());
            match act.ask(&device, now, &mut self.last).await {
                Ok(false) => {
                    self.open = None;
                    self.acknowledged.push(Acknowledged(act));
                }
                Ok(true) => return (self, Some("a new check-in was known already".to_owned())),
                Err(status) => return (self, unless_gone(&status).err()),
            }
        }
    }

    /// What is done next, if a device can do it.
    fn next(&self, rng: &mut ChaCha8Rng) -> Option<Act> {
        let who = Who {
            resident: rng.random_range(1..=RESIDENTS),
            device: rng.random_range(1..=DEVICES),
        };
        let is_bound = self.binding().any(|bound| bound == who);
        match (is_bound, rng.random_range(0..4)) {
            (false, _) => Some(Act::Bind(who)),
            (true, 0) if who.resident <= COMMITTED => {
                Some(Act::Request(who, fresh_id(), Holder::new()))
            }
            (true, 0) => None,
            (true, _) => Some(Act::CheckIn(who, fresh_id())),
        }
    }

    fn binding(&self) -> impl Iterator<Item = Who> {
        self.acknowledged.iter().filter_map(|done| match done.0 {
            Act::Bind(who) => Some(who),
            _ => None,
        })
    }

    /// Residents with a bound device, by number.
    pub(crate) fn bound(&self) -> impl Iterator<Item = u16> {
        self.binding().map(|who| who.resident)
    }

    /// Check-ins that were acknowledged.
    pub(crate) fn check_ins(&self) -> u64 {
        let is_one = |done: &&Acknowledged| matches!(done.0, Act::CheckIn(..));
        self.acknowledged.iter().filter(is_one).count() as u64
    }

    /// Asks again for what was not answered, which must be granted.
    pub(crate) async fn settle(&mut self, device: &mut Device, now: Minute) -> Result<(), String> {
        // A call that was acknowledged is not taken a second time, as it was sent.
        if let Some(last) = self.last.take() {
            let again = device.client.declare_health(last).await;
            let reason = again.as_ref().err().and_then(wire::reason_of);
            if reason.map(wire::Reason::code) != Some("REPLAYED") {
                return Err(format!("lost: a nonce is forgotten: {again:?}"));
            }
        }
        if let Some(act) = self.open.take() {
            let asked = act.ask(device, now, &mut self.last).await;
            asked.map_err(|status| format!("a call is refused when it is sent again: {status}"))?;
            self.acknowledged.push(Acknowledged(act));
        }
        Ok(())
    }

    /// Asks after what was acknowledged since the last check and a sample of the rest, or after all; gives how much.
    pub(crate) async fn check(
        &mut self,
        device: &mut Device,
        now: Minute,
        all: bool,
        rng: &mut ChaCha8Rng,
    ) -> Result<u64, String> {
        let (old, new) = self.acknowledged.split_at(if all { 0 } else { self.seen });
        let asked: Vec<&Acknowledged> = old.choose_multiple(rng, SAMPLE).chain(new).collect();
        for Acknowledged(act) in &asked {
            match act {
                Act::Bind(who) => {
                    let status = who.of(device).query("", now).await;
                    status.map_err(|status| format!("lost: a device is not bound: {status}"))?;
                }
                Act::CheckIn(..) => match act.ask(device, now, &mut self.last).await {
                    Ok(true) => {}
                    other => return Err(format!("lost: a check-in is answered {other:?}")),
                },
                // The same name for something else is refused, if it is there.
                Act::Request(who, id, _) => {
                    let other = Act::Request(*who, *id, Holder::new());
                    let answer = other.ask(device, now, &mut self.last).await;
                    let reason = answer.as_ref().err().and_then(wire::reason_of);
                    if reason.map(wire::Reason::code) != Some("ID_REUSED") {
                        return Err(format!("lost: a request for passes is answered {answer:?}"));
                    }
                }
            }
        }
        let count = asked.len() as u64;
        self.seen = self.acknowledged.len();
        Ok(count)
    }
}
