//! What a province that means ill gets by handing in envelopes, and by asking for whether somebody lives elsewhere.

use ed25519_dalek::SigningKey;
use node::Entropy;
use node::forward::{Content, Envelope, Header, SignedSealingKey};
use node::store::{SentAs, Store as _, Table};
use rules::{Event, EventBody, EventId, ExposureList, SourceKind, TestResult};
use tonic::Status;
use wire::federation::v1 as proto;
use wire::source::v1::ForwardedState;
use wire::{ForwardAnswer, Reason, reason_of};

use crate::clients::{Phone, at_peers, event, signed};
use crate::forward::{asked, hand_in, list, test, until};
use crate::world::{
    House, START, Wish, World, federation, head_key, minute, person, province, source,
};

/// The node of a province, with whatever it likes to say.
struct Sender {
    client: proto::forward_service_client::ForwardServiceClient<tonic::transport::Channel>,
    key: SignedSealingKey,
    entropy: Entropy,
    code: u8,
}

impl Sender {
    async fn of(code: u8, house: &House) -> Self {
        let who = ::federation::PeerId::node(&federation(), province(code));
        let mut client = wire::client::forward(at_peers(house, &who));
        let answer = client.get_sealing_key(proto::GetSealingKeyRequest {}).await;
        let key = answer.unwrap().into_inner().statement;
        Self {
            client,
            key: SignedSealingKey::from_bytes(&key).unwrap(),
            entropy: Entropy::from_seed([code; 32]),
            code,
        }
    }

    fn header(&self) -> Header {
        let (sender, until) = (province(self.code), minute(START + 60));
        Header::to(&self.key.statement, sender, self.entropy.bytes(), until)
    }

    fn seal_as(&self, header: Header, sent_as: SentAs, event: &Event) -> Vec<u8> {
        let content = Content {
            sent_as,
            event: event.to_bytes(),
            signature: signed(event).signature.try_into().unwrap(),
        };
        let (key, federation) = (&self.key.statement, federation());
        Envelope::seal(header, &content, key, &federation, &self.entropy)
            .unwrap()
            .to_bytes()
    }

    fn seal(&self, event: &Event) -> Vec<u8> {
        self.seal_as(self.header(), SentAs::Statement, event)
    }

    async fn hand_in(&mut self, envelopes: Vec<Vec<u8>>) -> Result<Vec<ForwardAnswer>, Status> {
        let count = envelopes.len();
        let request = proto::ForwardEventsRequest { envelopes };
        let answer = self.client.forward_events(request).await?;
        Ok(wire::forward_answers(answer.get_ref(), count).unwrap())
    }

    async fn one(&mut self, envelope: Vec<u8>) -> ForwardAnswer {
        self.hand_in(vec![envelope]).await.unwrap().remove(0)
    }
}

fn refused(code: &str) -> ForwardAnswer {
    ForwardAnswer::refused(code)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_counts_once_however_often_and_in_whatever_envelope_it_comes() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let mut sender = Sender::of(35, home).await;
    let positive = test(33, 1, START - 60, TestResult::Positive);
    let envelope = sender.seal(&positive);
    // As if the first answer had been lost, and the event were sent again from the outbox.
    assert_eq!(sender.one(envelope.clone()).await, ForwardAnswer::Accepted);
    let again = sender.seal(&positive);
    let answers = sender.hand_in(vec![envelope, again.clone(), again]).await;
    assert_eq!(answers.unwrap(), vec![ForwardAnswer::Accepted; 3]);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    until(away, &positive, wire::source::v1::ForwardedState::Accepted).await;
    assert_eq!(home.node.events(), 1);
    let listed = list(1, START - 60);
    let waiting = vec![sender.seal(&listed); 2];
    let confirm_by = minute(START + 1_440);
    for answer in sender.hand_in(waiting).await.unwrap() {
        assert_eq!(answer, ForwardAnswer::Waiting { confirm_by });
    }
    let rows = home.store.scan(Table::Waiting, b"", None, 9).unwrap();
    assert_eq!((home.node.events(), rows.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_envelope_is_answered_by_its_own_code_and_nothing_is_kept() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let mut sender = Sender::of(35, home).await;
    let good = test(33, 2, START - 60, TestResult::Positive);
    let header = sender.header();
    let with = |sender: &Sender, header| sender.seal_as(header, SentAs::Statement, &good);

    let other = Header {
        sender: province(42),
        ..header
    };
    let envelope = with(&sender, other);
    assert_eq!(sender.one(envelope).await, refused("other-sender"));
    let other = Header {
        home: province(42),
        ..header
    };
    let envelope = with(&sender, other);
    assert_eq!(sender.one(envelope).await, refused("other-home"));
    let expired = Header {
        expires_at: minute(START),
        ..header
    };
    let envelope = with(&sender, expired);
    assert_eq!(sender.one(envelope).await, ForwardAnswer::Lapsed);
    for (byte, code) in [
        (0, "unknown-version"),
        (3, "unknown-key"),
        (30, "bad-seal"),
        (31, "bad-seal"),
        (211, "bad-seal"),
    ] {
        let mut envelope = sender.seal(&good);
        envelope[byte] ^= 2;
        assert_eq!(sender.one(envelope).await, refused(code), "{byte}");
    }
    let confirmation = sender.seal_as(header, SentAs::Confirmation, &good);
    assert_eq!(sender.one(confirmation).await, refused("bad-signature"));
    let of_home = Event {
        source: source(33, SourceKind::Laboratory),
        ..good
    };
    let envelope = sender.seal(&of_home);
    assert_eq!(sender.one(envelope).await, refused("other-sender"));
    let mut unknown = good;
    unknown.source.number = 2;
    let envelope = sender.seal(&unknown);
    assert_eq!(sender.one(envelope).await, refused("unknown-source"));
    let day = minute(START).day();
    let check_in = EventBody::CheckIn {
        day,
        symptoms: false,
    };
    let office = source(35, SourceKind::CommunityOffice);
    let check_in = event(good.subject, office, minute(START - 60), check_in);
    let envelope = sender.seal(&check_in);
    assert_eq!(sender.one(envelope).await, refused("not-forwardable"));
    for bytes in [vec![], vec![1; 211], vec![1; 213]] {
        let status = sender.hand_in(vec![bytes]).await.unwrap_err();
        assert_eq!(reason_of(&status), Some(Reason::Malformed));
    }
    let envelope = sender.seal(&good);
    for count in [0, 257] {
        let status = sender.hand_in(vec![envelope.clone(); count]).await;
        assert_eq!(reason_of(&status.unwrap_err()), Some(Reason::TooLarge));
    }
    // Handed in by another province than the one that sealed it.
    let mut other = Sender::of(42, home).await;
    assert_eq!(other.one(envelope).await, refused("other-sender"));
    assert_eq!((home.node.residents(), home.node.events()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_that_is_no_member_hears_not_even_the_key() {
    let world = World::new(Wish::default()).await;
    let who = ::federation::PeerId::node(&federation(), province(11));
    let mut client = wire::client::forward(at_peers(world.house(33), &who));
    let status = client.get_sealing_key(proto::GetSealingKeyRequest {}).await;
    assert_eq!(reason_of(&status.unwrap_err()), Some(Reason::RoleRefused));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lives_here_cannot_be_told_from_a_refusal() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let mut sender = Sender::of(35, home).await;
    let at = minute(START - 60);
    let cdc = source(35, SourceKind::Cdc);
    let mut answers = Vec::new();
    // Somebody with a record, somebody in the register without one, and somebody who lives elsewhere.
    let known = test(33, 1, START - 90, TestResult::Negative);
    let envelope = sender.seal(&known);
    assert_eq!(sender.one(envelope).await, ForwardAnswer::Accepted);
    for subject in [person(33, 1), person(33, 2), person(35, 1)] {
        let body = |body| event(subject, cdc, at, body);
        let target = EventId([7; 16]);
        let unknown_target = body(EventBody::Release { target, at });
        let late = Event {
            subject,
            ..test(33, 1, START - 721 * 60, TestResult::Negative)
        };
        let envelopes = vec![sender.seal(&unknown_target), sender.seal(&late)];
        answers.push(sender.hand_in(envelopes).await.unwrap());
    }
    let expected = vec![refused("not-taken"), refused("too-late")];
    assert_eq!(answers, vec![expected; 3]);
    assert_eq!(home.node.residents(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_who_lives_where_leaves_a_mark_with_each_hit_and_is_stopped_by_the_misses() {
    let mut wish = Wish::default();
    wish.forward.misses_per_source_per_day = 5;
    let world = World::new(wish).await;
    let home = world.house(33);
    let mut sender = Sender::of(35, home).await;
    let mut phone = Phone::registered(home, 3).await;
    let probe = |home, number| test(home, number, START - 60, TestResult::Negative);
    let hit = sender.seal(&probe(33, 3));
    assert_eq!(sender.one(hit).await, ForwardAnswer::Accepted);
    let seen = phone.query("").await.unwrap().foreign_events;
    assert_eq!(seen.len(), 1);
    let misses: Vec<_> = (0..6).map(|n| sender.seal(&probe(42, n))).collect();
    let answers = sender.hand_in(misses).await.unwrap();
    assert_eq!(answers[..5], vec![refused("not-taken"); 5]);
    assert_eq!(answers[5], refused("quota"));
    // From then on hits are not told either, but another source of that province goes on.
    let hit = sender.seal(&probe(33, 4));
    assert_eq!(sender.one(hit).await, refused("quota"));
    let body = EventBody::Exposure {
        list: ExposureList::FeverClinic,
        at: minute(START - 60),
        province: province(35),
    };
    let hospital = source(35, SourceKind::Hospital);
    let other = sender.seal(&event(person(33, 4), hospital, minute(START - 60), body));
    assert_eq!(sender.one(other).await, ForwardAnswer::Accepted);
    world.advance_to(START + 1_440);
    let hit = test(33, 4, START + 1_400, TestResult::Negative);
    let header = Header {
        expires_at: minute(START + 2_000),
        ..sender.header()
    };
    let hit = sender.seal_as(header, SentAs::Statement, &hit);
    assert_eq!(sender.one(hit).await, ForwardAnswer::Accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_ends_what_its_own_sources_stated_and_nothing_else() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let mut sender = Sender::of(35, home).await;
    let at = minute(START - 60);
    let case = |code| {
        let cdc = source(code, SourceKind::Cdc);
        let body = EventBody::Case {
            kind: rules::CaseKind::Confirmed,
            at,
            province: province(code),
        };
        event(person(33, 5), cdc, at, body)
    };
    let (of_home, of_sender) = (case(33), case(35));
    crate::clients::accepted(home, &of_home).await;
    let envelope = sender.seal(&of_sender);
    assert_eq!(sender.one(envelope).await, ForwardAnswer::Accepted);
    for (target, expected) in [
        (of_home.id, refused("not-taken")),
        (of_sender.id, ForwardAnswer::Accepted),
    ] {
        let body = EventBody::Release { target, at };
        let envelope = sender.seal(&event(of_home.subject, of_sender.source, at, body));
        assert_eq!(sender.one(envelope).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_cannot_fill_the_disk_with_what_waits_for_one_resident() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let mut sender = Sender::of(35, home).await;
    let waiting = |n: u32| list(6, START - 60 - n);
    let first: Vec<_> = (0..6).map(|n| sender.seal(&waiting(n))).collect();
    let more: Vec<_> = (6..12).map(|n| sender.seal(&waiting(n))).collect();
    let mut answers = sender.hand_in(first).await.unwrap();
    answers.extend(sender.hand_in(more).await.unwrap());
    let confirm_by = minute(START + 1_440);
    assert_eq!(answers[..8], vec![ForwardAnswer::Waiting { confirm_by }; 8]);
    assert_eq!(answers[8..], vec![refused("not-taken"); 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealing_key_is_believed_by_the_head_key_of_its_province_alone() {
    let world = World::new(Wish::default()).await;
    let told = world.house(33).node.sealing_key().unwrap();
    let circuit = Wish::default().circuit;
    let root = crate::world::root_document(circuit);
    let check = |key: &SignedSealingKey, code, at| {
        key.check(province(code), root.document(), minute(at))
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(&told, 33, START), Ok(()));
    let refusal = |key: &SignedSealingKey, code, at| check(key, code, at).unwrap_err();
    assert_eq!(refusal(&told, 35, START), "the key of another province");
    for at in [START - 100_001, START + 100_001] {
        assert!(refusal(&told, 33, at).starts_with("in use from minute"));
    }
    for signer in [head_key(35), SigningKey::from_bytes(&[9; 32])] {
        let forged = told.statement.sign(&signer);
        assert_eq!(
            refusal(&forged, 33, START),
            "not signed by the province's head key"
        );
    }
    let mut later = told;
    later.statement.not_after = minute(START + 100_002);
    assert_eq!(
        refusal(&later, 33, START),
        "not signed by the province's head key"
    );
    let mut slot = told.statement;
    slot.slot = commitment::Slot::new(1).unwrap();
    let slot = slot.sign(&head_key(33));
    assert!(refusal(&slot, 33, START).contains("that slot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_whose_clock_is_behind_gets_events_again_until_it_has_gone_on() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let ahead = START + 60;
    node::Clock::advance_to(&*away.clock, minute(ahead));
    let first = test(33, 1, ahead - 1, TestResult::Negative);
    assert_eq!(hand_in(away, &first, 33).await, "forwarded");
    // Tried, and not taken for good: it was never refused.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(asked(away, &first).await.state(), ForwardedState::Queued);
    assert_eq!(home.node.events(), 0);
    // What was stated by its clock comes through meanwhile.
    let second = test(33, 2, START - 10, TestResult::Negative);
    assert_eq!(hand_in(away, &second, 33).await, "forwarded");
    until(away, &second, ForwardedState::Accepted).await;
    assert_eq!(asked(away, &first).await.state(), ForwardedState::Queued);

    node::Clock::advance_to(&*home.clock, minute(ahead - 4));
    until(away, &first, ForwardedState::Accepted).await;
    assert_eq!(home.node.events(), 2);
}
