//! JSON for readers: what fits stands in one line. Names stand in alphabetical order, whatever order a map keeps.

use serde_json::Value;

/// Longest line that holds a whole value.
const LINE: usize = 116;

/// An object of these members, in this order.
pub(super) fn document(members: &[(&str, Value)]) -> String {
    let mut out = String::from("{\n");
    for (i, (name, value)) in members.iter().enumerate() {
        let end = if i + 1 == members.len() { "\n" } else { ",\n" };
        member(&mut out, name, value, 1);
        out.push_str(end);
    }
    out.push_str("}\n");
    out
}

fn member(out: &mut String, name: &str, value: &Value, depth: usize) {
    indent(out, depth);
    let name = quoted(name);
    out.push_str(&name);
    out.push_str(": ");
    write(out, value, depth, name.len() + 2);
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Writes a value that begins `before` columns after its line's indentation.
fn write(out: &mut String, value: &Value, depth: usize, before: usize) {
    let flat = flat(value);
    if 2 * depth + before + flat.len() <= LINE {
        out.push_str(&flat);
        return;
    }
    match value {
        Value::Array(items) => {
            out.push_str("[\n");
            for (i, item) in items.iter().enumerate() {
                indent(out, depth + 1);
                write(out, item, depth + 1, 0);
                out.push_str(if i + 1 == items.len() { "\n" } else { ",\n" });
            }
            indent(out, depth);
            out.push(']');
        }
        Value::Object(_) => {
            let members = sorted(value);
            out.push_str("{\n");
            for (i, (name, value)) in members.iter().enumerate() {
                member(out, name, value, depth + 1);
                out.push_str(if i + 1 == members.len() { "\n" } else { ",\n" });
            }
            indent(out, depth);
            out.push('}');
        }
        _ => out.push_str(&flat),
    }
}

fn sorted(value: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = value.as_object().into_iter().flatten().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

fn flat(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flat).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => {
            let member =
                |(name, value): &(&String, &Value)| format!("{}: {}", quoted(name), flat(value));
            let members: Vec<String> = sorted(value).iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}
