//! What people show: the text of a code, the pass in it, its proof, and keys.

use commitment::layout::Reader;
use commitment::opening::{Answer, SOUGHT_LEN_BYTES, Sought, Stated};
use commitment::{CircuitShortId, CircuitUse, Epoch, Fr, Minute, Slot, fr_from_bytes, fr_to_bytes};
use verifier::opening::{Opening, RegisteredHead};
use verifier::{
    CHALLENGE_TEXT_CHARS, CardNumber, Code, GateChallenge, GateMemory, HolderKey,
    MAX_PASS_LEN_BYTES, MAX_QR_TEXT_CHARS, MAX_SHOWING_LEN_BYTES, PROOF_LEN_BYTES, Pass, PassProof,
    PreparedCircuit, QrText, Showing, UnixTime, Verdict, VerifyingKey, verify_proofs, verify_text,
};
use wire::DeviceKey;

use crate::bytes::{canonical, says};
use crate::fixture::{CARD, NOW, gate};
use crate::world::GATE;

/// The text of a code, as a checkpoint takes it, to the verdict.
pub(crate) fn qr_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match QrText::parse(&text) {
        Ok(parsed) => {
            assert_eq!(parsed.as_str(), text);
            assert!(text.len() <= MAX_QR_TEXT_CHARS);
            match parsed.showing() {
                Ok(showing) => assert_eq!(QrText::from_showing(&showing), parsed),
                Err(error) => says(&error),
            }
        }
        Err(error) => says(&error),
    }
    verdict(&text);
}

/// The verdict on a text: accepted is only what was made, and what is signed only once.
fn verdict(text: &str) {
    let read = QrText::parse(text).and_then(|text| text.showing());
    let challenged = read.is_ok_and(|s| s.moment().is_some_and(|m| m.challenge.is_some()));
    let challenge = challenged.then_some(GATE.challenge);
    let mut memory = GateMemory::starting_at(UnixTime::from_s(0));
    let mut ask = |card: Option<&CardNumber>| {
        verify_text(text, challenge, card, &GATE.list, &gate(), NOW, &mut memory)
    };
    let mut card = None;
    let mut verdict = ask(None);
    if verdict.code() == Code::CardNotPresented {
        card = Some(CardNumber::new(*CARD));
        verdict = ask(card.as_ref());
    }
    assert!(!verdict.code().officer().en.is_empty());
    if let Verdict::Accept(accepted) = verdict {
        let showing = QrText::parse(text).and_then(|text| text.showing());
        let showing = showing.expect("what is accepted can be read");
        assert!(GATE.made(showing.pass()), "a pass that nobody made");
        assert_eq!(accepted.claim, showing.pass().claim);
        if showing.moment().is_some() {
            assert!(showing.signature_fits());
            assert_eq!(ask(card.as_ref()).code(), Code::Replayed);
        }
    }
}

pub(crate) fn qr_text_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = (GATE.showings.iter())
        .map(|showing| QrText::from_showing(showing).to_string().into_bytes())
        .collect();
    seeds.extend(["VIR1:", "VIR1:U5", "VIR1:V5", "HC1:6BF", "VIR2:U5"].map(Vec::from));
    seeds
}

/// The text of a gate's challenge, as a wallet takes it.
pub(crate) fn challenge_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match GateChallenge::parse(&text) {
        Ok(challenge) => {
            assert_eq!(challenge.to_text(), text);
            assert_eq!(text.len(), CHALLENGE_TEXT_CHARS);
            // A name is for people: it has no character that could lead them astray.
            assert!(
                challenge
                    .gate
                    .to_string()
                    .bytes()
                    .all(|b| b.is_ascii_graphic())
            );
        }
        Err(error) => says(&error),
    }
}

pub(crate) fn challenge_text_seeds() -> Vec<Vec<u8>> {
    let good = GATE.challenge.to_text();
    let (lower, long) = (good.to_lowercase(), format!("{good}0"));
    let bare = good.replace("VG1:", "");
    [good, lower, long, bare, "VG1:".to_owned()]
        .map(String::into_bytes)
        .to_vec()
}

/// A pass.
pub(crate) fn pass(data: &[u8]) {
    let Some(pass) = canonical(data, Pass::from_bytes(data), Pass::to_bytes) else {
        return;
    };
    assert!(data.len() <= MAX_PASS_LEN_BYTES);
    let signed = GATE.moment().signing_bytes(&pass);
    let shown = Showing::of_card(pass.clone());
    assert_eq!(shown.is_ok(), pass.holder.key().is_none());
    // What a holder signs holds the whole pass.
    assert!(signed.windows(data.len()).any(|part| part == data));
    if let Ok(showing) = shown {
        assert!(showing.signature_fits() && showing.to_bytes() == data);
    }
}

pub(crate) fn pass_seeds() -> Vec<Vec<u8>> {
    (GATE.showings.iter())
        .map(|showing| showing.pass().to_bytes())
        .collect()
}

/// A pass as shown.
pub(crate) fn showing(data: &[u8]) {
    let Some(showing) = canonical(data, Showing::from_bytes(data), Showing::to_bytes) else {
        return;
    };
    assert!(data.len() <= MAX_SHOWING_LEN_BYTES);
    assert_eq!(
        showing.moment().is_some(),
        showing.pass().holder.key().is_some()
    );
    if showing.moment().is_some() && showing.signature_fits() {
        assert!(GATE.showings.contains(&showing), "a showing nobody made");
    }
}

pub(crate) fn showing_seeds() -> Vec<Vec<u8>> {
    GATE.showings.iter().map(Showing::to_bytes).collect()
}

/// Proofs, openings and what they are asked, verifying keys, the keys of devices and holders, elements of the field.
pub(crate) fn proof_and_key(data: &[u8]) {
    if let Some(bytes) = data.first_chunk::<32>()
        && let Ok(element) = fr_from_bytes(bytes)
    {
        assert_eq!(fr_to_bytes(element), *bytes);
    }
    if let Some(bytes) = data.first_chunk::<33>() {
        canonical(bytes, HolderKey::from_bytes(bytes), |k| k.to_bytes().into());
    }
    canonical(data, DeviceKey::from_bytes(data), |k| k.to_bytes().into());
    if let Some(bytes) = data.first_chunk::<PROOF_LEN_BYTES>() {
        canonical(bytes, PassProof::from_bytes(bytes), |proof| {
            proof.to_bytes().into()
        });
    }
    let opening = canonical(data, Opening::from_bytes(data), Opening::to_bytes);
    // A way that anybody wrote leads somewhere only from its own head.
    if let Some(opening) = opening {
        let elsewhere = RegisteredHead {
            state_root: opening.head.state_root + commitment::Fr::from(1_u64),
            ..opening.head
        };
        assert_eq!(elsewhere.registry_root(), None);
    }
    if let Some(bytes) = data.first_chunk::<SOUGHT_LEN_BYTES>() {
        let mut reader = Reader::new(bytes, SOUGHT_LEN_BYTES).expect("within its limit");
        canonical(bytes, Sought::read(&mut reader), |s| s.to_bytes().into());
    }
    let key = canonical(data, VerifyingKey::from_bytes(data), VerifyingKey::to_bytes);
    if let Some(key) = key {
        circuit(&key, data == GATE.key);
    }
}

/// A key that was read makes a circuit with a name of its own, under which nothing of another circuit holds.
fn circuit(key: &VerifyingKey, is_known: bool) {
    let circuit = PreparedCircuit::new(CircuitUse::Production, &[7; 32], key);
    let id = circuit.id();
    assert_eq!(id, key.circuit_id(CircuitUse::Production, &[7; 32]));
    assert_ne!(id, key.circuit_id(CircuitUse::Test, &[7; 32]));
    assert_eq!(GATE.list.circuit(id.short()).is_some(), is_known);
    let proof = &GATE.showings[0].pass().proof;
    let seed = verifier::BatchSeed::from_random([5; 32]);
    let found = verify_proofs(
        &circuit,
        &[(proof, [commitment::Fr::from(1_u64); 6])],
        &seed,
    );
    assert_eq!(found, [false]);
}

pub(crate) fn proof_and_key_seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![GATE.key.to_vec(), [0; 32].to_vec()];
    for showing in &GATE.showings {
        let pass = showing.pass();
        seeds.push(pass.proof.to_bytes().to_vec());
        seeds.extend(pass.holder.key().map(|key| key.to_bytes().to_vec()));
        let head = RegisteredHead {
            epoch: Epoch::new(7),
            slot: Slot::new(19).expect("of the registry"),
            head_time: Minute::MAX,
            state_root: Fr::from(1_u64),
            way: [[Fr::from(2_u64); 8]; 2],
        };
        let opening = Opening {
            circuit: CircuitShortId([0x80, 1, 2, 3]),
            head,
            leaf: Fr::from(3_u64),
            answer: Answer::Covered,
            proof: pass.proof.clone(),
        };
        seeds.push(opening.to_bytes());
    }
    let sampled_at = Minute::MAX;
    let sought = Sought::new(Stated::NegativeTest { sampled_at }).expect("not at zero");
    seeds.push(sought.to_bytes().to_vec());
    seeds
}
