//! A pass in the wallet's page: what stands in it, what its key signs when it is shown, and the code that gates read.
//!
//! Knows no key, no network, no storage and no clock, and verifies no proof: a wallet believes its home.

mod held;

use verifier::{GateChallenge, UnixTime};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use held::Held;

/// A pass that this wallet holds.
#[wasm_bindgen]
pub struct HeldPass(Held);

#[wasm_bindgen]
impl HeldPass {
    /// Reads the canonical bytes of a pass that is bound to a device.
    ///
    /// # Errors
    /// What is wrong with them, or that another binding has no key to sign with.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<HeldPass, JsError> {
        Ok(Self(Held::from_bytes(bytes)?))
    }

    /// The epoch that it was made from.
    pub fn epoch(&self) -> u32 {
        self.0.epoch()
    }

    /// What it claims of the colour: `green`, or `yellow` for "not red".
    pub fn worst(&self) -> String {
        self.0.worst().to_owned()
    }

    /// What it claims of the newest negative test, hours; 0 for nothing.
    pub fn test_age_hours(&self) -> u32 {
        self.0.test_age_hours()
    }

    /// The kind of its binding: `device` or `device-and-card`.
    pub fn binder(&self) -> String {
        self.0.binder().to_owned()
    }

    /// The key that it is shown with, compressed: 33 bytes.
    pub fn holder_key(&self) -> Vec<u8> {
        self.0.holder_key().to_vec()
    }

    /// What that key signs in a half minute ([`slot`]), by ECDSA over SHA-256; where a gate gave a challenge, over its text, too.
    ///
    /// # Errors
    /// For a challenge that is none.
    pub fn signing_bytes(&self, slot: u32, challenge: Option<String>) -> Result<Vec<u8>, JsError> {
        Ok(self.0.signing_bytes(slot, read(challenge)?))
    }

    /// The text of the code: pass, half minute, challenge and signature (r and s, 64 bytes).
    ///
    /// # Errors
    /// For a signature that no gate would take, and a challenge that is none.
    pub fn text(
        &self,
        slot: u32,
        challenge: Option<String>,
        signature: &[u8],
    ) -> Result<String, JsError> {
        Ok(self.0.text(slot, read(challenge)?, signature)?)
    }
}

fn read(challenge: Option<String>) -> Result<Option<GateChallenge>, verifier::Error> {
    challenge
        .map(|text| GateChallenge::parse(&text))
        .transpose()
}

/// What the gate is called that gave a challenge.
///
/// # Errors
/// For a text that is none.
#[wasm_bindgen]
pub fn challenger(challenge: &str) -> Result<String, JsError> {
    Ok(GateChallenge::parse(challenge)?.gate.to_string())
}

/// The text of the code of a pass that is bound to an identity card alone: as it is printed, it is shown.
///
/// # Errors
/// What is wrong with the bytes, or that another binding has a key to sign with.
#[wasm_bindgen]
pub fn card_text(bytes: &[u8]) -> Result<String, JsError> {
    Ok(held::card_text(bytes)?)
}

/// The half minute of a time, in seconds since the Unix epoch.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a cast of a float saturates
#[wasm_bindgen]
pub fn slot(now_s: f64) -> u32 {
    UnixTime::from_s(now_s as u64).slot().get()
}

/// A code as a picture: its width in modules, then one byte for each module, row by row, 1 for dark. Without a quiet zone.
///
/// # Errors
/// For a text that fits no code.
#[wasm_bindgen]
pub fn picture(text: &str) -> Result<Vec<u8>, JsError> {
    qr_modules::of(text).map_err(|why| JsError::new(&why.to_string()))
}
