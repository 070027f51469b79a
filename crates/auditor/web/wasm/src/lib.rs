//! A code taken apart in the public page, and the gate's desk that says the verdict on it.
//!
//! Knows no page, no network and no storage, and gives nothing away: what is pasted is answered and forgotten.

use anatomy::{Anatomy, Field, NOT_IN_IT, NOT_IN_IT_ZH, Scope, Signature, is_specimen};
use serde_json::{Value, json};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

pub use gate_wasm::Gate;

/// The text of a code, taken apart, as JSON. `names` holds one rule set a line: its short name in passes as 8 hexadecimal
/// digits, a space, and what it is called.
///
/// # Errors
/// Why the text is no code.
#[wasm_bindgen]
pub fn take_apart(text: &str, names: &str) -> Result<String, JsError> {
    Ok(parts(text, names)?.to_string())
}

fn parts(text: &str, names: &str) -> Result<Value, anatomy::Error> {
    let called = |short: String| {
        let mut lines = names.lines().filter_map(|line| line.split_once(' '));
        lines
            .find(|(digits, _)| *digits == short)
            .map(|(_, name)| name.to_owned())
    };
    let anatomy = Anatomy::of(text, &|short| called(short.to_string()))?;
    let bytes = |scope| {
        let of_scope = anatomy.fields.iter().filter(|f| f.scope == scope);
        of_scope.map(|f| f.length).sum::<usize>()
    };
    Ok(json!({
        "chars": anatomy.text.as_str().len(),
        "length": anatomy.bytes.len(),
        "specimen": is_specimen(anatomy.showing.pass().circuit),
        "signature": match anatomy.signature {
            Signature::Fits => "fits",
            Signature::DoesNotFit => "does-not-fit",
            Signature::None => "none",
        },
        "shared_bytes": bytes(Scope::Shared),
        "pass_bytes": bytes(Scope::Pass),
        "showing_bytes": bytes(Scope::Showing),
        "fields": anatomy.fields.iter().map(field).collect::<Vec<_>>(),
        "not_in_it": { "zh": NOT_IN_IT_ZH, "en": NOT_IN_IT },
    }))
}

fn field(field: &Field) -> Value {
    let (en, zh) = (field.words, field.zh);
    json!({
        "offset": field.offset,
        "length": field.length,
        "hex": field.hex,
        "scope": match field.scope {
            Scope::Shared => "shared",
            Scope::Pass => "pass",
            Scope::Showing => "showing",
        },
        "title": { "zh": zh.title, "en": en.title },
        "value": { "zh": field.value_zh, "en": field.value },
        "meaning": { "zh": zh.meaning, "en": en.meaning },
        "reveals": { "zh": zh.reveals, "en": en.reveals },
        "to": { "zh": zh.to, "en": en.to },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_code_are_told_with_the_name_of_its_rule_set_and_a_text_that_is_none_is_refused()
     {
        let vectors = include_str!("../../../../verifier/vectors/showings.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let text = vectors["cases"][0]["text"].as_str().unwrap();
        let told = parts(text, "01000002 other\n01000001 zj <b>\n").unwrap();
        let fields = told["fields"].as_array().unwrap();
        let lengths: u64 = fields.iter().map(|f| f["length"].as_u64().unwrap()).sum();
        assert_eq!(Some(lengths), told["length"].as_u64());
        assert!(fields.iter().any(|f| f["value"]["zh"] == "zj <b>"));
        assert!(parts("HC1:6BFOXN", "").is_err());
    }
}
