use commitment::Slot;
use proptest::prelude::*;

use super::super::keys::SealingSecret;
use super::*;

const NOW: u32 = 27_700_000;
const EXPIRY: u32 = NOW + 60;

fn minute(minute: u32) -> Minute {
    Minute::new(minute).unwrap()
}

fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

fn federation() -> FederationId {
    FederationId::new("test").unwrap()
}

/// The keys of a home: each by the byte of its secret and when it is in use.
fn keys_of(home: u8, secrets: &[(u8, u32, u32)]) -> SealingKeys {
    let secret = |(byte, from, until): &(u8, u32, u32)| SealingSecret {
        secret: Zeroizing::new([*byte; 32]),
        not_before: minute(*from),
        not_after: minute(*until),
    };
    let secrets: Vec<SealingSecret> = secrets.iter().map(secret).collect();
    SealingKeys::new(&secrets, province(home), Slot::new(0).unwrap())
}

fn home_keys() -> SealingKeys {
    keys_of(33, &[(7, NOW - 10, NOW + 1_000)])
}

fn content() -> Content {
    Content {
        sent_as: SentAs::Statement,
        event: vec![5; 53],
        signature: [6; 64],
    }
}

fn sealed(keys: &SealingKeys, content: &Content) -> Envelope {
    let entropy = Entropy::from_seed([3; 32]);
    let key = keys.told_at(minute(NOW)).unwrap();
    let header = Header::to(&key, province(35), [9; 16], minute(EXPIRY));
    Envelope::seal(header, content, &key, &federation(), &entropy).unwrap()
}

fn opened(envelope: &Envelope, keys: &SealingKeys, now: u32) -> Result<Content, EnvelopeError> {
    envelope.open(province(35), province(33), keys, &federation(), minute(now))
}

#[test]
fn an_envelope_opens_at_its_home_from_its_sender_before_its_expiry_and_nowhere_else() {
    let keys = home_keys();
    let envelope = sealed(&keys, &content());
    assert_eq!(opened(&envelope, &keys, EXPIRY - 1), Ok(content()));
    assert_eq!(
        opened(&envelope, &keys, EXPIRY),
        Err(EnvelopeError::Expired)
    );
    let open = |sender, home, federation: &str| {
        let federation = FederationId::new(federation).unwrap();
        envelope.open(
            province(sender),
            province(home),
            &keys,
            &federation,
            minute(NOW),
        )
    };
    assert_eq!(open(42, 33, "test"), Err(EnvelopeError::OtherSender));
    assert_eq!(open(35, 42, "test"), Err(EnvelopeError::OtherHome));
    assert_eq!(open(35, 33, "other"), Err(EnvelopeError::Seal));
    let others = keys_of(33, &[(8, NOW - 10, NOW + 1_000)]);
    assert_eq!(
        opened(&envelope, &others, NOW),
        Err(EnvelopeError::UnknownKey)
    );
}

#[test]
fn no_byte_of_an_envelope_can_be_changed_and_none_added_or_left_out() {
    let keys = home_keys();
    let bytes = sealed(&keys, &content()).to_bytes();
    assert_eq!(bytes.len(), ENVELOPE_BYTES);
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            let opened = Envelope::from_bytes(&changed).and_then(|e| opened(&e, &keys, NOW));
            assert!(opened.is_err(), "bit {bit} of byte {index}");
        }
        let cut = Envelope::from_bytes(&bytes[..index]);
        assert_eq!(cut, Err(EnvelopeError::Length(index)));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(
        Envelope::from_bytes(&longer),
        Err(EnvelopeError::Length(213))
    );
}

/// Whoever can write the header anew has not what the content was sealed with.
#[test]
fn a_header_cannot_be_put_before_another_content() {
    let keys = home_keys();
    let mut envelope = sealed(&keys, &content());
    envelope.header.expires_at = minute(EXPIRY + 1);
    assert_eq!(opened(&envelope, &keys, NOW), Err(EnvelopeError::Seal));
    let mut envelope = sealed(&keys, &content());
    envelope.header.forwarding_id[0] ^= 1;
    assert_eq!(opened(&envelope, &keys, NOW), Err(EnvelopeError::Seal));
    let mut envelope = sealed(&keys, &content());
    envelope.header.sender = province(42);
    let opened = envelope.open(
        province(42),
        province(33),
        &keys,
        &federation(),
        minute(NOW),
    );
    assert_eq!(opened, Err(EnvelopeError::Seal));
}

#[test]
fn the_key_that_began_last_is_told_and_one_before_it_opens_until_its_end() {
    let old = (7, NOW - 500, NOW + 5);
    let keys = keys_of(33, &[(8, NOW, NOW + 500), old, (9, NOW + 100, NOW + 900)]);
    let envelope = sealed(&keys_of(33, &[old]), &content());
    let told = |at| keys.told_at(minute(at)).map(|key| key.not_before);
    assert_eq!(told(NOW - 501), None);
    assert_eq!(told(NOW - 1), Some(minute(NOW - 500)));
    assert_eq!(told(NOW), Some(minute(NOW)));
    assert_eq!(told(NOW + 100), Some(minute(NOW + 100)));
    assert_eq!(told(NOW + 901), None);
    assert_eq!(opened(&envelope, &keys, NOW + 5), Ok(content()));
    assert_eq!(
        opened(&envelope, &keys, NOW + 6),
        Err(EnvelopeError::UnknownKey)
    );
}

#[test]
fn a_content_is_read_in_its_one_form_only() {
    let good = content().to_bytes().unwrap();
    assert_eq!(Content::from_bytes(&good[..]), Some(content()));
    for (index, byte) in [(0, 2), (1, 0), (1, 3), (2, 0), (2, 52), (2, 67), (56, 1)] {
        let mut bad = good.clone();
        bad[index] = byte;
        assert_eq!(Content::from_bytes(&bad[..]), None, "{index} {byte}");
    }
    assert_eq!(Content::from_bytes(&good[1..]), None);
    for len in [0, 67, 300] {
        let event = vec![1; len];
        let content = Content { event, ..content() };
        assert!(content.to_bytes().is_none(), "{len}");
    }
}

#[test]
fn a_public_key_that_is_no_key_is_not_sealed_to() {
    let mut key = home_keys().told_at(minute(NOW)).unwrap();
    // A point of small order, with which everybody agrees on the same secret.
    key.public_key = [0; 32];
    let header = Header::to(&key, province(35), [9; 16], minute(EXPIRY));
    let entropy = Entropy::from_seed([3; 32]);
    let sealed = Envelope::seal(header, &content(), &key, &federation(), &entropy);
    assert_eq!(sealed, Err(EnvelopeError::Seal));
}

proptest! {
    #[test]
    fn whatever_is_sealed_is_opened_and_nothing_of_it_is_seen(
        event in proptest::collection::vec(any::<u8>(), 16..=MAX_EVENT_LEN_BYTES),
        signature in proptest::collection::vec(any::<u8>(), 64),
        confirms in any::<bool>(),
    ) {
        let keys = home_keys();
        let content = Content {
            sent_as: if confirms { SentAs::Confirmation } else { SentAs::Statement },
            event,
            signature: signature.try_into().unwrap(),
        };
        let bytes = sealed(&keys, &content).to_bytes();
        prop_assert_eq!(bytes.len(), ENVELOPE_BYTES);
        prop_assert!(!bytes.windows(16).any(|part| content.event.windows(16).any(|own| own == part)));
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        prop_assert_eq!(envelope.to_bytes(), bytes);
        prop_assert_eq!(opened(&envelope, &keys, NOW), Ok(content));
    }

    #[test]
    fn any_bytes_are_an_envelope_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(envelope) = Envelope::from_bytes(&bytes) {
            prop_assert_eq!(envelope.to_bytes(), bytes);
            prop_assert!(opened(&envelope, &home_keys(), NOW).is_err());
        }
    }
}
