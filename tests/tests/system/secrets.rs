//! Nothing secret is printed by accident: no type that holds a secret can be formatted for debugging, unless it says here
//! why that shows nothing.

use std::path::{Path, PathBuf};

use syn::{Attribute, Field, Fields, Item};

/// Types that are secrets, by name.
const SECRET_TYPES: [&str; 8] = [
    "SigningKey",
    "PrivateKeyDer",
    "KeyPair",
    "Zeroizing",
    "KeyRing",
    "Entropy",
    "ChaCha20Rng",
    "IssuedCertificate",
];
/// Parts of the names of fields that hold one.
const SECRET_NAMES: [&str; 5] = ["secret", "seed", "key_pem", "private", "password"];
/// Types that can be formatted all the same.
const EXCUSED: [(&str, &str); 1] = [(
    "Parameters",
    "the seed of test parameters stands in the configuration for everybody to read, and production refuses it",
)];
/// Rooms that hold secrets. The store's own types have their own test beside them.
const ROOMS: [&str; 3] = [
    "crates/node/src",
    "crates/federation/src",
    "crates/checkpoint/src",
];

/// A type that could print a secret, and where.
struct Leak {
    name: String,
    field: String,
}

fn derives_debug(attributes: &[Attribute]) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("derive")) {
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta
                .path
                .segments
                .last()
                .is_some_and(|s| s.ident == "Debug");
            Ok(())
        });
    }
    found
}

/// The name of a field, or its type, if it holds a secret.
fn secret_of(field: &Field) -> Option<String> {
    let name = field.ident.as_ref().map(ToString::to_string);
    let name = name.unwrap_or_default();
    let mut words = Vec::new();
    words_of(&field.ty, &mut words);
    let by_type = words
        .iter()
        .any(|word| SECRET_TYPES.contains(&word.as_str()));
    let by_name = SECRET_NAMES.iter().any(|part| name.contains(part));
    // Numbers of a kind, `seed_count` or so, tell nothing.
    let is_count = words
        .iter()
        .all(|w| ["u8", "u32", "u64", "usize", "bool"].contains(&w.as_str()));
    (by_type || by_name && !is_count).then(|| format!("{name}: {}", words.join(" ")))
}

/// All names in a type, from the outside in.
fn words_of(ty: &syn::Type, words: &mut Vec<String>) {
    match ty {
        syn::Type::Path(path) => {
            for segment in &path.path.segments {
                words.push(segment.ident.to_string());
                let syn::PathArguments::AngleBracketed(inner) = &segment.arguments else {
                    continue;
                };
                for argument in &inner.args {
                    if let syn::GenericArgument::Type(ty) = argument {
                        words_of(ty, words);
                    }
                }
            }
        }
        syn::Type::Reference(inner) => words_of(&inner.elem, words),
        syn::Type::Slice(inner) => words_of(&inner.elem, words),
        syn::Type::Array(inner) => {
            words.push("array".to_owned());
            words_of(&inner.elem, words);
        }
        syn::Type::Tuple(inner) => inner.elems.iter().for_each(|ty| words_of(ty, words)),
        _ => {}
    }
}

/// Looks at all types of some items; gives how many hold a secret, and which of those can be formatted.
fn look_at(items: &[Item], holders: &mut usize, leaks: &mut Vec<Leak>) {
    let mut see = |name: &syn::Ident, attributes: &[Attribute], fields: Vec<&Fields>| {
        let secret = fields.into_iter().flatten().find_map(secret_of);
        let Some(field) = secret else { return };
        *holders += 1;
        let by_hand = items.iter().any(|item| formats_by_hand(item, name));
        if derives_debug(attributes) || by_hand {
            let name = name.to_string();
            leaks.push(Leak { name, field });
        }
    };
    for item in items {
        match item {
            Item::Struct(found) => see(&found.ident, &found.attrs, vec![&found.fields]),
            Item::Enum(found) => {
                let fields = found.variants.iter().map(|v| &v.fields).collect();
                see(&found.ident, &found.attrs, fields);
            }
            _ => {}
        }
    }
    for item in items {
        if let Item::Mod(inner) = item
            && let Some((_, items)) = &inner.content
        {
            look_at(items, holders, leaks);
        }
    }
}

/// Whether an item is `impl Debug for` a type, written out.
fn formats_by_hand(item: &Item, name: &syn::Ident) -> bool {
    let Item::Impl(found) = item else {
        return false;
    };
    let Some((_, of, _)) = &found.trait_ else {
        return false;
    };
    let mut words = Vec::new();
    words_of(&found.self_ty, &mut words);
    let of = of.segments.last().map(|s| s.ident.to_string());
    let formats = of.is_some_and(|of| of == "Debug" || of == "Display");
    formats && words.first().is_some_and(|word| name == word)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("store") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_type_that_holds_a_secret_can_be_formatted_for_debugging() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&root.join(room), &mut files);
    }
    assert!(files.len() > 40, "{} files were read", files.len());
    let (mut holders, mut leaks) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        look_at(&parsed.items, &mut holders, &mut leaks);
    }
    assert!(holders >= 6, "{holders} types hold a secret");
    for (excused, _) in EXCUSED {
        assert!(
            leaks.iter().any(|l| l.name == excused),
            "{excused} needs no excuse"
        );
    }
    leaks.retain(|leak| EXCUSED.iter().all(|(name, _)| *name != leak.name));
    let told: Vec<_> = leaks
        .iter()
        .map(|l| format!("{} ({})", l.name, l.field))
        .collect();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn the_search_for_such_types_finds_what_is_planted() {
    let planted = "
        #[derive(Clone, Debug)] struct Derived { key: Option<Arc<ed25519_dalek::SigningKey>> }
        #[derive(Debug)] enum InVariant { Empty, Full { revocation_secret: [u8; 16] } }
        mod deep { struct ByHand(Zeroizing<[u8; 32]>); impl fmt::Debug for ByHand {} }
        #[derive(Debug)] struct Innocent { public: VerifyingKey, seed_count: u32 }
        struct Silent { key_pem: String }
    ";
    let parsed = syn::parse_file(planted).unwrap();
    let (mut holders, mut leaks) = (0, Vec::new());
    look_at(&parsed.items, &mut holders, &mut leaks);
    let names: Vec<_> = leaks.iter().map(|leak| leak.name.as_str()).collect();
    assert_eq!(names, ["Derived", "InVariant", "ByHand"]);
    assert_eq!(holders, 4);
}

/// What other libraries print of the keys that are held.
#[test]
fn keys_of_libraries_print_no_secret_part() {
    let seed = [0xa7; 32];
    let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
    let device = p256::ecdsa::SigningKey::from_slice(&seed).unwrap();
    for text in [
        format!("{signing:?}"),
        format!("{device:?}"),
        format!("{signing:#?}"),
    ] {
        let text = text.to_lowercase();
        for part in ["a7a7a7", "a7, a7, a7", "167, 167, 167", "0xa7"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}
