//! What a trust list is made of: bundle, root and online documents with and without signatures, a gate's memory.

use commitment::Slot;
use verifier::trust::{
    Bundle, HeadKeys, InHand, Increment, MAX_BUNDLE_LEN_BYTES, OnlineDocument, OpeningEntry,
    ProvinceSignature, RevocationBatch, RootDocument, SignedOnline, SignedRoot,
};
use verifier::{GateMemory, QrText, TrustList, UnixTime, verify_text};

use crate::bytes::{canonical, says};
use crate::fixture::{self, NOW, gate};
use crate::world::GATE;

pub(crate) fn check(data: &[u8]) {
    let written = "what was read can be written";
    canonical(data, RootDocument::from_bytes(data), |d| {
        d.to_bytes().expect(written)
    });
    canonical(data, OnlineDocument::from_bytes(data), |d| {
        d.to_bytes().expect(written)
    });
    canonical(data, SignedRoot::from_bytes(data), |d| {
        d.to_bytes().expect(written)
    });
    canonical(data, SignedOnline::from_bytes(data), |d| {
        d.to_bytes().expect(written)
    });
    canonical(data, ProvinceSignature::from_bytes(data), |d| {
        d.to_bytes().into()
    });
    canonical(data, GateMemory::from_bytes(data), GateMemory::to_bytes);
    canonical(
        data,
        RevocationBatch::from_bytes(data),
        RevocationBatch::to_bytes,
    );
    if let Some(increment) = canonical(data, Increment::from_bytes(data), Increment::to_bytes)
        && let Ok(bundle) = increment.apply(&GATE.list)
    {
        accepted(&bundle);
    }
    let bundle = canonical(data, Bundle::from_bytes(data), |d| {
        d.to_bytes().expect(written)
    });
    accepted(data);
    if let Some(bundle) = &bundle {
        assert!(data.len() <= MAX_BUNDLE_LEN_BYTES);
        signed_anew(bundle);
    }
}

/// Whatever is accepted was signed by those who may.
fn accepted(data: &[u8]) {
    for previous in [None, Some(&GATE.list)] {
        match TrustList::accept(data, previous, &GATE.pinned, NOW) {
            Ok(list) => {
                assert_eq!(list.to_bytes(), data);
                assert!(GATE.roots.iter().any(|d| d.document() == list.root()));
                let mut signed = GATE.online.iter().map(SignedOnline::document);
                assert!(list.online() == GATE.list.online() || signed.any(|d| d == list.online()));
                if previous.is_some() {
                    assert!(list.online().sequence >= GATE.list.online().sequence);
                    assert!(list.root().sequence >= GATE.list.root().sequence);
                }
            }
            Err(error) => says(&error),
        }
    }
}

/// The same documents, signed by those who may: what a list means is reached by other bytes than the seeds', too.
fn signed_anew(bundle: &Bundle) {
    let Ok(online) = sign_online(&bundle.online) else {
        return;
    };
    let roots: Vec<SignedRoot> = (bundle.roots.iter())
        .map(|root| fixture::sign_root(root.document().clone(), &[1, 2, 3]))
        .collect();
    let signed = Bundle { roots, online };
    let Ok(bytes) = signed.to_bytes() else {
        return;
    };
    match TrustList::accept(&bytes, None, &GATE.pinned, NOW) {
        Ok(list) => {
            let newest = signed.roots.last().map(SignedRoot::document);
            assert_eq!(newest, Some(list.root()));
            assert_eq!(signed.online.document(), list.online());
            let again = TrustList::restore(&bytes, &GATE.pinned).expect("what was accepted");
            assert_eq!(again.root(), list.root());
            let text = QrText::from_showing(&GATE.showings[0]);
            let mut memory = GateMemory::starting_at(UnixTime::from_s(0));
            let verdict = verify_text(text.as_str(), None, None, &list, &gate(), NOW, &mut memory);
            assert!(!verdict.code().as_str().is_empty());
        }
        Err(error) => says(&error),
    }
}

fn sign_online(online: &SignedOnline) -> Result<SignedOnline, verifier::Error> {
    let document = online.document().clone();
    document.signing_bytes()?;
    Ok(fixture::sign_online(document, &[1, 2, 3]))
}

/// A root document with as many dated head keys of a slot as there may be, and a circuit of openings.
fn dated_root() -> RootDocument {
    let mut root = GATE.roots[0].document().clone();
    let dates = [(0, 1), (27_000_000, 71), (27_100_000, 72)];
    let dates = dates.map(|(from, seed)| {
        let key = fixture::head_key(seed).verifying_key();
        (fixture::minute(from), key)
    });
    root.provinces[0].head_keys = HeadKeys::new(dates.to_vec()).expect("dates that ascend");
    let circuit = root.circuits.pop().expect("two circuits");
    root.openings = vec![OpeningEntry {
        circuit_use: circuit.circuit_use,
        matrix_digest: [9; 32],
        key: circuit.key,
    }];
    root
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let written = "the documents of the checks are within limits";
    let mut seeds = Vec::new();
    for root in &GATE.roots {
        seeds.push(root.to_bytes().expect(written));
        seeds.push(root.document().to_bytes().expect(written));
    }
    let dated = fixture::sign_root(dated_root(), &[1, 2, 3]);
    seeds.push(dated.document().to_bytes().expect(written));
    seeds.push(dated.to_bytes().expect(written));
    for online in &GATE.online {
        seeds.push(online.to_bytes().expect(written));
        seeds.push(online.document().to_bytes().expect(written));
    }
    let (roots, online) = (&GATE.roots, &GATE.online);
    for (roots, online) in [(&roots[..1], &online[0]), (&roots[..], &online[1])] {
        let bundle = Bundle {
            roots: roots.to_vec(),
            online: online.clone(),
        };
        seeds.push(bundle.to_bytes().expect(written));
    }
    let signature = ProvinceSignature {
        slot: Slot::new(1).expect("a slot"),
        signature: [3; 64],
    };
    seeds.push(signature.to_bytes().to_vec());
    seeds.push(memory().to_bytes());
    seeds.push(fixture::batch(fixture::close(12), &[fixture::REVOKED_SECRET]).to_bytes());
    let in_hand = InHand {
        epoch: 11,
        ..InHand::of(&GATE.list)
    };
    let increment = Increment::of(&GATE.list, &in_hand).expect(written);
    seeds.push(increment.expect("under the same root document").to_bytes());
    seeds
}

/// What a gate remembers after all showings.
fn memory() -> GateMemory {
    let mut memory = GateMemory::starting_at(UnixTime::from_s(0));
    for showing in &GATE.showings {
        let text = QrText::from_showing(showing);
        let text = text.as_str();
        verify_text(text, None, None, &GATE.list, &gate(), NOW, &mut memory);
    }
    assert!(!memory.is_empty());
    memory
}
