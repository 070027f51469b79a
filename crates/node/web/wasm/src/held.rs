//! A pass bound to a device, by the verifier's own types.

use rules::WorstColour;
use verifier::{
    BinderKind, Error, GateChallenge, HolderKey, Moment, Pass, QrText, Showing, ShowingSlot,
};

/// A pass with a key to show it by.
pub(crate) struct Held {
    pass: Pass,
    key: HolderKey,
}

impl Held {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`Error`] for bytes that are no pass, and [`Error::WrongBinding`] for one that is bound to a card alone.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let pass = Pass::from_bytes(bytes)?;
        let key = *pass
            .holder
            .key()
            .ok_or(Error::WrongBinding("a pass bound to a card is not signed"))?;
        Ok(Self { pass, key })
    }

    pub(crate) const fn epoch(&self) -> u32 {
        self.pass.epoch.get()
    }

    pub(crate) const fn worst(&self) -> &'static str {
        match self.pass.claim.worst {
            WorstColour::Green => "green",
            WorstColour::Yellow => "yellow",
        }
    }

    pub(crate) const fn test_age_hours(&self) -> u32 {
        self.pass.claim.test_age.hours()
    }

    pub(crate) const fn binder(&self) -> &'static str {
        match self.pass.holder.kind() {
            BinderKind::Device => "device",
            BinderKind::DeviceAndCard => "device-and-card",
            BinderKind::Card => "card",
        }
    }

    pub(crate) fn holder_key(&self) -> [u8; 33] {
        self.key.to_bytes()
    }

    const fn moment(slot: u32, challenge: Option<GateChallenge>) -> Moment {
        Moment {
            slot: ShowingSlot::new(slot),
            challenge,
        }
    }

    /// What the key signs in a half minute, to a gate's challenge if there is one.
    pub(crate) fn signing_bytes(&self, slot: u32, challenge: Option<GateChallenge>) -> Vec<u8> {
        Self::moment(slot, challenge).signing_bytes(&self.pass)
    }

    /// The text of the code with this signature.
    ///
    /// # Errors
    /// [`Error::BadSignatureEncoding`] for one that is not 64 bytes in range, or that the key did not make.
    pub(crate) fn text(
        &self,
        slot: u32,
        challenge: Option<GateChallenge>,
        signature: &[u8],
    ) -> Result<String, Error> {
        let moment = Self::moment(slot, challenge);
        let signature = signature
            .try_into()
            .map_err(|_| Error::BadSignatureEncoding)?;
        let showing = Showing::of_device(self.pass.clone(), moment, signature)?;
        if !showing.signature_fits() {
            return Err(Error::BadSignatureEncoding);
        }
        Ok(QrText::from_showing(&showing).to_string())
    }
}

/// The text of the code of a pass that a card alone binds.
///
/// # Errors
/// [`Error`] for bytes that are no pass, and [`Error::WrongBinding`] for one that is bound to a device.
pub(crate) fn card_text(bytes: &[u8]) -> Result<String, Error> {
    let showing = Showing::of_card(Pass::from_bytes(bytes)?)?;
    Ok(QrText::from_showing(&showing).to_string())
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{Signature, SigningKey};

    use super::*;

    /// A pass of the verifier's vectors, with the half minute and the signature that it is shown by there.
    fn shown() -> (Pass, u32, String) {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../verifier/vectors/showings.json"
        );
        let vectors = std::fs::read_to_string(path).unwrap();
        let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        let good = cases.iter().find(|c| c["name"] == "a good pass").unwrap();
        let text = good["text"].as_str().unwrap().to_owned();
        let showing = QrText::parse(&text).unwrap().showing().unwrap();
        let slot = showing.moment().unwrap().slot.get();
        (showing.pass().clone(), slot, text)
    }

    #[test]
    fn the_code_of_a_shown_pass_comes_out_again_and_its_facts_are_the_passs() {
        let (pass, slot, text) = shown();
        let held = Held::from_bytes(&pass.to_bytes()).unwrap();
        assert_eq!(held.epoch(), pass.epoch.get());
        assert_eq!((held.worst(), held.binder()), ("green", "device"));
        assert_eq!(held.test_age_hours(), pass.claim.test_age.hours());
        assert_eq!(held.holder_key(), pass.holder.key().unwrap().to_bytes());
        let bytes = QrText::parse(&text).unwrap().showing().unwrap().to_bytes();
        let signature = &bytes[bytes.len() - 64..];
        assert_eq!(held.text(slot, None, signature).unwrap(), text);
    }

    #[test]
    fn a_signature_of_another_key_or_another_half_minute_makes_no_code() {
        let (mut pass, slot, text) = shown();
        let bytes = QrText::parse(&text).unwrap().showing().unwrap().to_bytes();
        let signature = &bytes[bytes.len() - 64..];
        let held = Held::from_bytes(&pass.to_bytes()).unwrap();
        for refused in [
            held.text(slot + 1, None, signature),
            held.text(slot, None, &signature[1..]),
            held.text(slot, None, &[0; 64]),
        ] {
            assert_eq!(refused, Err(Error::BadSignatureEncoding));
        }
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let by_another: Signature = key.sign(&held.signing_bytes(slot, None));
        assert_eq!(
            held.text(slot, None, &by_another.to_bytes()),
            Err(Error::BadSignatureEncoding)
        );
        // With its own key it is a code, also with the larger s that browsers make.
        pass.holder = verifier::Holder::Device(HolderKey::from(*key.verifying_key()));
        let own = Held::from_bytes(&pass.to_bytes()).unwrap();
        let signature: Signature = key.sign(&own.signing_bytes(slot, None));
        let signature = signature.normalize_s();
        let (r, s) = signature.split_scalars();
        let larger = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let text = own.text(slot, None, &larger.to_bytes()).unwrap();
        assert_eq!(text, own.text(slot, None, &signature.to_bytes()).unwrap());
        assert!(
            QrText::parse(&text)
                .unwrap()
                .showing()
                .unwrap()
                .signature_fits()
        );
    }

    #[test]
    fn a_code_answers_the_challenge_that_its_signature_is_over_and_no_other() {
        let (mut pass, slot, _) = shown();
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        pass.holder = verifier::Holder::Device(HolderKey::from(*key.verifying_key()));
        let held = Held::from_bytes(&pass.to_bytes()).unwrap();
        let challenge = |nonce: u8| GateChallenge {
            gate: verifier::GateId([3; 8]),
            nonce: verifier::GateNonce([nonce; 16]),
        };
        let given = Some(challenge(1));
        let signature: Signature = key.sign(&held.signing_bytes(slot, given));
        let signature = signature.to_bytes();
        let text = held.text(slot, given, &signature).unwrap();
        let showing = QrText::parse(&text).unwrap().showing().unwrap();
        assert!(showing.signature_fits());
        assert_eq!(showing.moment().unwrap().challenge, given);
        for other in [None, Some(challenge(2))] {
            let refused = held.text(slot, other, &signature);
            assert_eq!(refused, Err(Error::BadSignatureEncoding));
        }
    }

    #[test]
    fn a_pass_of_a_card_and_bytes_that_are_none_are_not_held() {
        let (mut pass, ..) = shown();
        assert!(Held::from_bytes(&pass.to_bytes()[1..]).is_err());
        pass.holder = verifier::Holder::Card;
        let refused = Held::from_bytes(&pass.to_bytes()).map(|_| ());
        assert!(matches!(refused, Err(Error::WrongBinding(_))));
        // Printed, it is a code as it is; one of a device is none without a signature.
        let text = card_text(&pass.to_bytes()).unwrap();
        assert_eq!(
            QrText::parse(&text).unwrap().showing().unwrap().pass(),
            &pass
        );
        let refused = card_text(&shown().0.to_bytes());
        assert!(matches!(refused, Err(Error::WrongBinding(_))));
    }
}
