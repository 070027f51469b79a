//! What differs between two JSON values: pointers (RFC 6901) to what is replaced. Nothing is added or removed by itself: where
//! two arrays differ in length, or two objects in their names, the whole of it is replaced.

use serde_json::Value;

use super::Fault;

/// Pointers with what stands there instead, in the order of the document.
pub(super) type Changes = Vec<(String, Value)>;

/// What to replace in `base` so that it becomes `other`.
pub(super) fn between(base: &Value, other: &Value) -> Changes {
    let mut changes = Vec::new();
    compare(base, other, &mut String::new(), &mut changes);
    changes
}

fn compare(base: &Value, other: &Value, at: &mut String, changes: &mut Changes) {
    let depth = at.len();
    let mut step = |name: &str, base: &Value, other: &Value| {
        // No name of a vector holds one of the two characters that a pointer escapes.
        at.push('/');
        at.push_str(name);
        compare(base, other, at, changes);
        at.truncate(depth);
    };
    match (base, other) {
        (Value::Object(a), Value::Object(b))
            if a.len() == b.len() && a.keys().all(|k| b.contains_key(k)) =>
        {
            for (name, value) in a {
                step(name, value, &b[name]);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                step(&i.to_string(), a, b);
            }
        }
        _ if base != other => changes.push((at.clone(), other.clone())),
        _ => {}
    }
}

/// `base` with its changes made.
///
/// # Errors
/// [`Fault::Pointer`] for a pointer that leads nowhere, [`Fault::NoChange`] for one that changes nothing.
pub(super) fn apply(mut base: Value, changes: &Changes) -> Result<Value, Fault> {
    for (pointer, value) in changes {
        let short = || pointer.chars().take(80).collect();
        let place = base
            .pointer_mut(pointer)
            .ok_or_else(|| Fault::Pointer(short()))?;
        if place == value {
            return Err(Fault::NoChange(short()));
        }
        place.clone_from(value);
    }
    Ok(base)
}
