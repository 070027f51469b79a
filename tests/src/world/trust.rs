//! What the roots of the trust list and the provinces sign.

use commitment::Slot;
use ed25519_dalek::{Signer as _, SigningKey};
use rules::{Claim, RuleSet, TestAge, WorstColour};
use verifier::trust::{
    HeadKeys, OnlineDocument, Profile, ProvinceEntry, ProvinceSignature, RootDocument, RootKeys,
    RootSignature, RuleSetEntry, Sequence, SignedOnline, SignedRoot,
};
use verifier::{AcceptanceRule, BinderKinds, UnixTime};

use super::{FUJIAN_TOML, NATION_TOML, PROVINCES, World, ZHEJIANG_TOML, head_key, province};
use crate::circuit;

impl World {
    /// The keys of the trust list's root.
    pub fn pinned(&self) -> RootKeys {
        let keys = self.root_keys.iter().map(SigningKey::verifying_key);
        RootKeys::new(keys.collect(), 2).expect("sound keys")
    }

    /// The root document.
    pub fn root_document(&self) -> RootDocument {
        let sets = [NATION_TOML, ZHEJIANG_TOML, FUJIAN_TOML];
        let sets = sets.map(|text| RuleSet::from_toml(&self.dated(text)).expect("a shipped set"));
        let mut rule_sets: Vec<_> = sets.iter().map(RuleSetEntry::of).collect();
        rule_sets.sort_by_key(|entry| entry.short_id);
        let later = self.plan.start.saturating_add_signed(60 * 1440);
        RootDocument {
            sequence: Sequence::new(1),
            expires_at: UnixTime::from_s(u64::from(later.get()) * 60),
            root_keys: self.pinned(),
            grace_min: 1440,
            provinces: (1..)
                .zip(PROVINCES)
                .map(|(slot, code)| ProvinceEntry {
                    province: province(code),
                    slot: Slot::new(slot).expect("a slot"),
                    head_keys: HeadKeys::single(head_key(code).verifying_key()),
                })
                .collect(),
            circuits: vec![circuit()],
            openings: Vec::new(),
            rule_sets,
            profiles: vec![
                profile("green", WorstColour::Green),
                profile("not-red", WorstColour::Yellow),
            ],
        }
    }

    /// The root document, signed by two of three keys.
    pub fn signed_root(&self) -> SignedRoot {
        self.sign_root(self.root_document(), 2)
    }

    /// An online document signed by these provinces.
    ///
    /// # Panics
    /// For a province without a node, or a document that cannot be written.
    pub fn sign_online(&self, document: OnlineDocument, provinces: &[u8]) -> SignedOnline {
        let message = document.signing_bytes().expect("a sound document");
        let root = self.root_document();
        let sign = |code: &u8| {
            let of_province = |entry: &&ProvinceEntry| entry.province.get() == *code;
            let entry = root.provinces.iter().find(of_province).expect("a member");
            ProvinceSignature {
                slot: entry.slot,
                signature: head_key(*code).sign(&message).to_bytes(),
            }
        };
        SignedOnline::new(document, provinces.iter().map(sign).collect())
    }

    /// A root document signed by so many of the three keys.
    pub fn sign_root(&self, document: RootDocument, signers: usize) -> SignedRoot {
        let message = document.signing_bytes().expect("a sound document");
        let sign = |key: &SigningKey| RootSignature {
            key: key.verifying_key(),
            signature: key.sign(&message).to_bytes(),
        };
        let signatures = self.root_keys.iter().take(signers).map(sign).collect();
        SignedRoot::new(document, signatures)
    }
}

fn profile(name: &str, worst: WorstColour) -> Profile {
    let asked = Claim {
        worst,
        test_age: TestAge::NotAsked,
    };
    Profile {
        name: name.to_owned(),
        rule: AcceptanceRule {
            asked,
            pass_age_max_min: 1440,
            card_pass_age_max_min: 1440,
            binders: BinderKinds::ALL,
        },
    }
}
