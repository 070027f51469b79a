//! Every limit is admitted, and one more is not.

use commitment::layout::LayoutError;
use commitment::{CircuitUse, Epoch, Slot};
use ed25519_dalek::{SigningKey, VerifyingKey as Ed25519Key};
use verifier::trust::{
    BatchDigest, BatchEntry, Bundle, CircuitEntry, HeadKeys, MAX_BUNDLE_LEN_BYTES,
    MAX_ROOT_LEN_BYTES, OnlineDocument, OpeningEntry, Profile, ProvinceEntry, RegistryEntry,
    RootDocument, RootKeys, RuleSetEntry, Sequence, SignedRoot, root_key_from_digits,
};
use verifier::{AcceptanceRule, Error, RuleSetShortId};

use crate::fixture::*;

fn keys(count: u8) -> Vec<Ed25519Key> {
    (1..=count).map(|s| root_key(s).verifying_key()).collect()
}

fn name(number: usize) -> String {
    format!("{number:032}")
}

/// The most head keys that a slot can have.
fn three_keys(place: u8) -> HeadKeys {
    let key = |n: u8| {
        let mut seed = [200; 32];
        seed[..2].copy_from_slice(&[place, n]);
        SigningKey::from_bytes(&seed).verifying_key()
    };
    HeadKeys::new((0..3).map(|n| (minute(n.into()), key(n))).collect()).unwrap()
}

fn provinces(count: u8) -> Vec<ProvinceEntry> {
    let codes = rules::ProvinceCode::ALL;
    (0..count)
        .map(|place| ProvinceEntry {
            province: province(codes[usize::from(place / 2)]),
            slot: Slot::new(place).unwrap(),
            head_keys: three_keys(place),
        })
        .collect()
}

fn circuits(world: &World, count: u8) -> Vec<CircuitEntry> {
    let mut circuits: Vec<CircuitEntry> = (0..count)
        .map(|number| CircuitEntry {
            matrix_digest: [number; 32],
            ..world.production.entry.clone()
        })
        .collect();
    circuits.sort_by_key(CircuitEntry::id);
    circuits
}

/// Under the key of tests, which none of the fullest document's circuits has.
fn openings(world: &World, count: u8) -> Vec<OpeningEntry> {
    let mut openings: Vec<OpeningEntry> = (0..count)
        .map(|number| OpeningEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: [100 + number; 32],
            key: world.test.entry.key.clone(),
        })
        .collect();
    openings.sort_by_key(OpeningEntry::id);
    openings
}

fn rule_sets(world: &World, count: u32) -> Vec<RuleSetEntry> {
    (0..count)
        .map(|number| RuleSetEntry {
            short_id: RuleSetShortId(number.to_be_bytes()),
            name: name(number as usize),
            valid_from: close(0),
            superseded_at: Some(minute(FIRST_CLOSE + 1)),
            ..world.root().rule_sets[0].clone()
        })
        .collect()
}

fn profiles(count: usize) -> Vec<Profile> {
    let rule = AcceptanceRule {
        pass_age_max_min: 20_160,
        card_pass_age_max_min: 20_160,
        ..rule()
    };
    (0..count)
        .map(|n| Profile {
            name: name(n),
            rule,
        })
        .collect()
}

/// A root document with as much of everything as there may be.
fn fullest_root(world: &World) -> RootDocument {
    RootDocument {
        root_keys: RootKeys::new(keys(16), 16).unwrap(),
        grace_min: 20_160,
        provinces: provinces(64),
        circuits: circuits(world, 16),
        openings: openings(world, 4),
        rule_sets: rule_sets(world, 256),
        profiles: profiles(32),
        ..world.root()
    }
}

#[test]
fn the_fullest_root_document_is_written_and_read() {
    let world = World::new();
    let fullest = fullest_root(&world);
    let bytes = fullest.to_bytes().unwrap();
    assert_eq!(bytes.len(), 38_098 + 4 * 489);
    assert!(bytes.len() <= MAX_ROOT_LEN_BYTES);
    assert_eq!(RootDocument::from_bytes(&bytes), Ok(fullest.clone()));
    assert_eq!(fullest.province_count(), 32);
    // In the chain it may carry the signatures of all former keys beside those of all its own.
    let all: Vec<u8> = (1..=32).collect();
    let signed = sign_root(fullest, &all);
    let read = SignedRoot::from_bytes(&signed.to_bytes().unwrap());
    assert_eq!(read, Ok(signed));
}

#[test]
fn one_more_of_anything_in_a_root_document_is_refused_and_so_is_none() {
    let world = World::new();
    let refused = |change: &dyn Fn(&mut RootDocument)| {
        let mut document = fullest_root(&world);
        change(&mut document);
        document.to_bytes().unwrap_err()
    };
    let content = Error::TrustContent;
    for (error, limit) in [
        (
            refused(&|d| d.circuits = circuits(&world, 17)),
            "1 to 16 circuits",
        ),
        (refused(&|d| d.circuits.clear()), "1 to 16 circuits"),
        (
            refused(&|d| d.openings = openings(&world, 5)),
            "at most 4 circuits of openings",
        ),
        (
            refused(&|d| d.rule_sets = rule_sets(&world, 257)),
            "1 to 256 rule sets",
        ),
        (refused(&|d| d.rule_sets.clear()), "1 to 256 rule sets"),
        (refused(&|d| d.profiles = profiles(33)), "1 to 32 profiles"),
        (refused(&|d| d.profiles.clear()), "1 to 32 profiles"),
        (refused(&|d| d.provinces.clear()), "at least one province"),
        (
            refused(&|d| d.grace_min = 20_161),
            "a grace time of at most 14 days",
        ),
        (
            refused(&|d| d.sequence = Sequence::new(0)),
            "sequences begin at 1",
        ),
        (
            refused(&|d| d.profiles[1].rule.pass_age_max_min = 20_161),
            "a pass age of at most 14 days",
        ),
        (
            refused(&|d| d.profiles[1].rule.card_pass_age_max_min = 20_161),
            "a pass age of at most 14 days",
        ),
        (
            refused(&|d| d.rule_sets[1].superseded_at = Some(close(0))),
            "something ends before it begins",
        ),
        (
            refused(&|d| d.rule_sets[1].name.push('0')),
            "names of 1 to 32 visible ASCII characters",
        ),
        (
            refused(&|d| d.rule_sets[1].name.clear()),
            "names of 1 to 32 visible ASCII characters",
        ),
        (
            refused(&|d| d.provinces[0].head_keys = HeadKeys::single(root_key(1).verifying_key())),
            "one key in two roles",
        ),
        (
            refused(&|d| d.provinces[2].head_keys = d.provinces[0].head_keys.clone()),
            "one key in two roles",
        ),
        (
            refused(&|d| d.provinces[0].province = province(0)),
            "the nation is no province",
        ),
    ] {
        assert_eq!(error, content(limit));
    }
    // The two slots of one province may have one key.
    let mut document = fullest_root(&world);
    document.provinces[1].head_keys = document.provinces[0].head_keys.clone();
    assert!(document.to_bytes().is_ok());
}

#[test]
fn a_set_of_root_keys_has_from_one_to_sixteen_strong_ones_and_a_threshold_among_them() {
    let content = |what| Err(Error::TrustContent(what));
    let threshold = "a threshold from 1 to the number of root keys";
    assert_eq!(RootKeys::new(vec![], 1), content("1 to 16 root keys"));
    assert_eq!(RootKeys::new(keys(17), 1), content("1 to 16 root keys"));
    assert_eq!(RootKeys::new(keys(3), 0), content(threshold));
    assert_eq!(RootKeys::new(keys(3), 4), content(threshold));
    let set = RootKeys::new(keys(3), 3).unwrap();
    assert_eq!((set.threshold(), set.keys().len()), (3, 3));
    assert!(set.keys().is_sorted_by_key(Ed25519Key::to_bytes));
    let twice = [keys(2), keys(1)].concat();
    let order = LayoutError::NotAscending("root keys");
    assert_eq!(RootKeys::new(twice, 1), Err(order.into()));
    let weak = Ed25519Key::from_bytes(&[0; 32]).unwrap();
    assert_eq!(RootKeys::new(vec![weak], 1), Err(Error::WeakKey));
    let digits = keys(3).into_iter().map(|key| hex::encode(key.as_bytes()));
    let mut digits: Vec<String> = digits.collect();
    assert_eq!(RootKeys::from_digits(&digits, 3), Ok(set));
    for wrong in [
        "",
        "00",
        &digits[0][..62],
        &format!("{}00", digits[0]),
        "g".repeat(64).as_str(),
    ] {
        assert_eq!(
            root_key_from_digits(wrong),
            Err(Error::KeyDigits),
            "{wrong}"
        );
    }
    let no_point = format!("02{}", "00".repeat(31));
    assert_eq!(root_key_from_digits(&no_point), Err(Error::KeyDigits));
    digits[1] = "00".repeat(32);
    assert_eq!(RootKeys::from_digits(&digits, 3), Err(Error::WeakKey));
    let mut document = World::new().root();
    document.provinces[0].head_keys = HeadKeys::single(weak);
    assert_eq!(document.to_bytes(), Err(Error::WeakKey));
}

fn registries(count: u32) -> Vec<RegistryEntry> {
    let first = FIRST_CLOSE - 2_000;
    (0..count)
        .map(|n| RegistryEntry {
            epoch: Epoch::new(n),
            as_of: minute(first + n),
            root: registry_root(n),
            risk_root: risk_root(MAP),
        })
        .collect()
}

fn batches(count: u32) -> Vec<BatchEntry> {
    let first = close(12).get() - 15 * count;
    (0..count)
        .map(|n| BatchEntry {
            at: minute(first + 15 * n),
            digest: BatchDigest([7; 32]),
        })
        .collect()
}

#[test]
fn one_more_of_anything_in_an_online_document_is_refused_and_so_is_none() {
    let world = World::new();
    let written = |change: &dyn Fn(&mut OnlineDocument)| {
        let mut document = world.online();
        change(&mut document);
        let bytes = document.to_bytes()?;
        assert_eq!(OnlineDocument::from_bytes(&bytes), Ok(document));
        Ok(())
    };
    let content = |what| Err(Error::TrustContent(what));
    let ages = "a soft age from 1 s to the hard age, and that to 7 days";
    let age = |soft, hard| {
        written(&move |d| {
            d.soft_stale_s = soft;
            d.hard_stale_s = hard;
        })
    };
    assert_eq!(age(1, 604_800), Ok(()));
    assert_eq!(age(604_800, 604_800), Ok(()));
    assert_eq!(age(0, 604_800), content(ages));
    assert_eq!(age(61, 60), content(ages));
    assert_eq!(age(60, 604_801), content(ages));
    let epochs = |count| written(&move |d| d.registries = registries(count));
    assert_eq!(epochs(1), Ok(()));
    assert_eq!(epochs(1_008), Ok(()));
    assert_eq!(epochs(0), content("1 to 1,008 registries"));
    assert_eq!(epochs(1_009), content("1 to 1,008 registries"));
    let of_passes = |count| written(&move |d| d.batches = batches(count));
    assert_eq!(of_passes(0), Ok(()));
    assert_eq!(of_passes(1_345), Ok(()));
    let limit = "at most 1,345 batches of revocations";
    assert_eq!(of_passes(1_346), content(limit));
    let first = |number| written(&move |d| d.sequence = Sequence::new(number));
    assert_eq!(first(1), Ok(()));
    assert_eq!(first(0), content("sequences begin at 1"));
}

#[test]
fn a_bundle_has_from_1_to_16_root_documents() {
    let world = World::new();
    let of = |count: u64| {
        let roots = (1..=count).map(|number| {
            let document = RootDocument {
                sequence: Sequence::new(number),
                ..world.root()
            };
            sign_root(document, &[1, 2])
        });
        Bundle {
            roots: roots.collect(),
            online: sign_online(world.online(), &[1, 2]),
        }
    };
    for count in [1, 16] {
        let bundle = of(count);
        assert_eq!(Bundle::from_bytes(&bundle.to_bytes().unwrap()), Ok(bundle));
    }
    for count in [0, 17] {
        let refused = Err(Error::TrustContent("1 to 16 root documents"));
        assert_eq!(of(count).to_bytes(), refused);
    }
    let mut none = of(1).to_bytes().unwrap();
    let root = of(1).roots[0].to_bytes().unwrap().len() + 4;
    none.drain(3..3 + root);
    none[2] = 0;
    let refused = Err(Error::TrustContent("1 to 16 root documents"));
    assert_eq!(Bundle::from_bytes(&none), refused);
}

#[test]
fn a_bundle_may_have_245_760_bytes() {
    let world = World::new();
    // Six full root documents, and of the online one and of names as much as fills it up.
    let of = |missing: usize| {
        let full = fullest_root(&world);
        let mut roots: Vec<RootDocument> = (1..=6)
            .map(|number| RootDocument {
                sequence: Sequence::new(number),
                ..full.clone()
            })
            .collect();
        for entry in roots[0].rule_sets.iter_mut().take(missing) {
            entry.name.remove(0);
        }
        roots
    };
    let bundle = |missing: usize, more: u32| Bundle {
        roots: of(missing)
            .into_iter()
            .map(|root| sign_root(root, &[1, 2]))
            .collect(),
        online: sign_online(
            OnlineDocument {
                batches: batches(more),
                ..world.online()
            },
            &[1, 2],
        ),
    };
    let least = bundle(0, 0).to_bytes().unwrap().len();
    let rest = MAX_BUNDLE_LEN_BYTES - least;
    let (more, missing) = (rest.div_ceil(36), 36 * rest.div_ceil(36) - rest);
    let longest = bundle(missing, u32::try_from(more).unwrap());
    let bytes = longest.to_bytes().unwrap();
    assert_eq!(bytes.len(), 245_760);
    assert_eq!(Bundle::from_bytes(&bytes), Ok(longest));
    if missing > 0 {
        let refused = bundle(missing - 1, u32::try_from(more).unwrap()).to_bytes();
        let limit = Error::TrustContent("a bundle of at most 245,760 bytes");
        assert_eq!(refused, Err(limit));
    }
}
