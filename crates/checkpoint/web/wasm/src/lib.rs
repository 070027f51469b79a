//! The gate's desk for a browser: the same desk and the same verifier as the checkpoint's program, behind the few calls
//! that its page makes.
//!
//! Knows no page, no network and no storage: bytes and the time are handed in, and what is to be kept is handed out.

use ed25519_dalek::VerifyingKey;
use gate::{Desk, Scanned, Setting, Temperature, TemperatureLimit};
use rules::ProvinceCode;
use verifier::trust::{BatchEntry, Candidate, InHand, Increment, RootKeys};
use verifier::{
    CardNumber, GateChallenge, GateId, GateMemory, GateNonce, Specimens, TrustList, UnixTime,
};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// A gate in a page.
#[wasm_bindgen]
pub struct Gate {
    desk: Desk,
    candidate: Option<Candidate>,
}

#[wasm_bindgen]
impl Gate {
    /// A gate that stands in `province`, whose 8 bytes of name are `gate_id`, and that believes `threshold` of the Ed25519
    /// keys in `root_keys` (32 bytes each, one after the other). `memory` is what an earlier one handed out; empty for none.
    ///
    /// # Errors
    /// What is out of range, or a memory that is none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        province: u8,
        gate_id: &[u8],
        root_keys: &[u8],
        threshold: u8,
        admit_specimens: bool,
        slot_skew: u8,
        memory: &[u8],
    ) -> Result<Gate, JsError> {
        let setting = Setting {
            place: ProvinceCode::new(province)?,
            gate_id: GateId(exactly(gate_id, "a gate's name has 8 bytes")?),
            pinned: RootKeys::new(keys(root_keys)?, threshold)?,
            profile: None,
            own_rule: None,
            specimens: if admit_specimens {
                Specimens::Admitted
            } else {
                Specimens::Refused
            },
            slot_skew: slot_skew.min(verifier::Gate::SLOT_SKEW_LIMIT),
        };
        let memory = if memory.is_empty() {
            GateMemory::default()
        } else {
            GateMemory::from_bytes(memory)?
        };
        Ok(Self {
            desk: Desk::new(setting, None, memory),
            candidate: None,
        })
    }

    /// Judges a bundle against the list in use, as [`TrustList::consider`]. Batches of revocations that it names and the list
    /// in use does not are [`Gate::missing`] until they are supplied; [`Gate::take`] uses it then.
    ///
    /// # Errors
    /// Why it is not to be believed; the list in use stays.
    pub fn consider(&mut self, bundle: &[u8], now_s: f64) -> Result<(), JsError> {
        self.candidate = None;
        self.candidate = Some(self.desk.consider(bundle, seconds(now_s))?);
        Ok(())
    }

    /// As [`Gate::consider`] of what an increment makes of the list in use.
    ///
    /// # Errors
    /// As there, and where there is no list in use or the increment does not lead on from it.
    pub fn consider_increment(&mut self, increment: &[u8], now_s: f64) -> Result<(), JsError> {
        let in_use = self.desk.list().ok_or_else(|| JsError::new("no list"))?;
        let bundle = Increment::from_bytes(increment)?.apply(in_use)?;
        self.consider(&bundle, now_s)
    }

    /// Considers a list that this gate accepted and kept, as [`TrustList::restore`]: it may have ended since, and verdicts say so.
    ///
    /// # Errors
    /// Why it is damaged.
    pub fn restore(&mut self, bundle: &[u8]) -> Result<(), JsError> {
        self.candidate = Some(TrustList::restore(bundle, &self.desk.setting().pinned)?);
        Ok(())
    }

    /// The batches that the considered list waits for: of each the minute (4 bytes, big-endian) and the digest (32).
    pub fn missing(&self) -> Vec<u8> {
        entries(self.candidate.iter().flat_map(Candidate::missing))
    }

    /// The batches that the list in use names, in the same form.
    pub fn batches(&self) -> Vec<u8> {
        entries(
            self.desk
                .list()
                .into_iter()
                .flat_map(|l| &l.online().batches),
        )
    }

    /// Gives the considered list a batch that it waits for.
    ///
    /// # Errors
    /// Bytes that are no batch, or not one of those.
    pub fn supply(&mut self, batch: &[u8]) -> Result<(), JsError> {
        let candidate = self.candidate.as_mut();
        candidate
            .ok_or_else(|| JsError::new("no list is considered"))?
            .supply(batch)?;
        Ok(())
    }

    /// Uses the considered list, and hands out the bytes to be kept of it.
    ///
    /// # Errors
    /// Where none is considered, or batches are missing.
    pub fn take(&mut self) -> Result<Vec<u8>, JsError> {
        let candidate = self.candidate.take();
        let list = candidate
            .ok_or_else(|| JsError::new("no list is considered"))?
            .complete()?;
        let bytes = list.to_bytes().to_vec();
        self.desk.use_list(list);
        Ok(bytes)
    }

    /// What the list in use is, as JSON: ages, sequences, the names of its profiles and what each of them asks for; `null`
    /// without one.
    pub fn list(&self, now_s: f64) -> String {
        let (Some(list), Some(age)) = (self.desk.list(), self.desk.list_age(seconds(now_s))) else {
            return "null".to_owned();
        };
        let profiles: Vec<&str> = (list.root().profiles.iter())
            .map(|profile| profile.name.as_str())
            .collect();
        let rules: serde_json::Map<_, _> = (list.root().profiles.iter())
            .map(|profile| (profile.name.clone(), gate::rule_json(&profile.rule)))
            .collect();
        let in_hand = InHand::of(list);
        serde_json::json!({
            "age_s": age.age_s,
            "stale": age.stale,
            "root_sequence": age.root_sequence,
            "online_sequence": age.online_sequence,
            "epoch": in_hand.epoch,
            "batch_minute": in_hand.batch_minute,
            "hard_stale_s": list.online().hard_stale_s,
            "profiles": profiles,
            "rules": rules,
        })
        .to_string()
    }

    /// Whether a profile admits no pass that another does not. False where the list has not both.
    pub fn asks_no_less(&self, profile: &str, than: &str) -> bool {
        let rule = |name| self.desk.list().and_then(|list| list.profile(name));
        let (Some(rule), Some(than)) = (rule(profile), rule(than)) else {
            return false;
        };
        rule.asks_no_less_than(than)
    }

    /// Whether from now on an identity card is asked for, as [`Desk::ask_for_card`].
    pub fn ask_for_card(&mut self, asks: bool) {
        self.desk.ask_for_card(asks);
    }

    /// The text of this gate's challenge with a fresh nonce of 16 bytes.
    ///
    /// # Errors
    /// A nonce of another length.
    pub fn challenge(&self, nonce: &[u8]) -> Result<String, JsError> {
        let nonce = GateNonce(exactly(nonce, "a nonce has 16 bytes")?);
        let gate = self.desk.setting().gate_id;
        Ok(GateChallenge { gate, nonce }.to_text())
    }

    /// The verdict on the text of a code, as the JSON of [`gate::Report::to_json`]. `nonce` has 16 bytes, or none; `card` the
    /// 18 characters of an identity number, or none.
    ///
    /// # Errors
    /// A profile that the list does not have, a nonce or a card of another length.
    pub fn decide(
        &mut self,
        text: &str,
        profile: &str,
        now_s: f64,
        nonce: &[u8],
        card: &[u8],
    ) -> Result<String, JsError> {
        let scanned = Scanned {
            text: text.to_owned(),
            nonce: optional(nonce, "a nonce has 16 bytes")?.map(GateNonce),
            card: optional(card, "an identity number has 18 characters")?.map(CardNumber::new),
        };
        let report = self.desk.decide(&scanned, Some(profile), seconds(now_s))?;
        Ok(report.to_json().to_string())
    }

    /// What the gate remembers, to be kept and handed to the next one.
    pub fn memory(&self) -> Vec<u8> {
        self.desk.memory().to_bytes()
    }
}

/// What a supervisor typed as the highest temperature, in tenths of a degree Celsius.
///
/// # Errors
/// For what is none.
#[wasm_bindgen]
pub fn temperature_limit(text: &str) -> Result<u16, JsError> {
    Ok(TemperatureLimit::parse(text)?.tenth_c())
}

/// Judges a temperature as it was typed: `null` where it is let pass, or what is said, as [`TemperatureLimit::refusal_json`].
///
/// # Errors
/// For what is no temperature, and for a limit that is none: nobody is let pass then.
#[wasm_bindgen]
pub fn too_warm(text: &str, limit_tenth_c: u16) -> Result<String, JsError> {
    let limit = TemperatureLimit::new(limit_tenth_c);
    let limit = limit.ok_or_else(|| JsError::new("no limit of a temperature"))?;
    if limit.admits(Temperature::parse(text)?) {
        return Ok("null".to_owned());
    }
    Ok(limit.refusal_json().to_string())
}

/// A code as a picture: its width in modules, then one byte for each module, row by row, 1 for dark. Without a quiet zone.
///
/// # Errors
/// For a text that fits no code.
#[wasm_bindgen]
pub fn picture(text: &str) -> Result<Vec<u8>, JsError> {
    qr_modules::of(text).map_err(|why| JsError::new(&why.to_string()))
}

fn entries<'a>(entries: impl Iterator<Item = &'a BatchEntry>) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        out.extend_from_slice(&entry.at.get().to_be_bytes());
        out.extend_from_slice(&entry.digest.0);
    }
    out
}

/// Seconds as JavaScript counts them; anything but a moment is the beginning of time, at which no list is good.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a cast of a float saturates
fn seconds(now_s: f64) -> UnixTime {
    UnixTime::from_s(now_s as u64)
}

fn keys(bytes: &[u8]) -> Result<Vec<VerifyingKey>, JsError> {
    let (keys, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(JsError::new("root keys have 32 bytes each"));
    }
    let keys: Result<_, _> = keys.iter().map(VerifyingKey::from_bytes).collect();
    keys.map_err(|_| JsError::new("not an Ed25519 key"))
}

fn exactly<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], JsError> {
    bytes.try_into().map_err(|_| JsError::new(what))
}

fn optional<const N: usize>(bytes: &[u8], what: &str) -> Result<Option<[u8; N]>, JsError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    exactly(bytes, what).map(Some)
}
