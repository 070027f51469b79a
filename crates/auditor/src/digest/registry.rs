//! The registry of circuits: read strictly, and compared line by line with what was rebuilt.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::system::{CIRCUIT, Identity};

/// The registry that this program was built beside.
const SHIPPED: &str = include_str!("../../../../circuits/registry.toml");
/// A line takes about half a kilobyte.
const MAX_REGISTRY_BYTES: usize = 64 << 10;
/// Most lines; a circuit is superseded a few times in its life.
const MAX_LINES: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    circuit: Vec<Line>,
}

/// A circuit's line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) status: Status,
    /// Where the statement stands, from the registry's folder.
    #[expect(dead_code, reason = "a part of the form, for readers")]
    statement: String,
    pub(super) constraints: usize,
    pub(super) rows: usize,
    pub(super) witnesses: usize,
    pub(super) public_inputs: Vec<String>,
    #[serde(with = "hex::serde")]
    pub(super) matrix_sha256: [u8; 32],
}

/// Where a circuit stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Not audited yet; may still change.
    Candidate,
    /// In use.
    Current,
    /// Replaced by a later version.
    Superseded,
    /// Found wanting; must not be used.
    Broken,
}

/// A registry that was read.
pub(super) struct Registry {
    pub(super) from: String,
    pub(super) lines: Vec<Line>,
}

impl Registry {
    /// Reads a file, or takes the registry that this program was built beside.
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Self::parse(SHIPPED, "the registry in the source".to_owned());
        };
        let from = path.display().to_string();
        let bytes = files::read(path, MAX_REGISTRY_BYTES)?;
        let text = String::from_utf8(bytes).with_context(|| format!("{from} is not UTF-8"))?;
        Self::parse(&text, from)
    }

    fn parse(text: &str, from: String) -> Result<Self> {
        let file: File =
            toml::from_str(text).with_context(|| format!("{from} is no registry of circuits"))?;
        let lines = file.circuit;
        if lines.is_empty() || lines.len() > MAX_LINES {
            bail!("{from} has {} lines, 1 to {MAX_LINES}", lines.len());
        }
        for (i, line) in lines.iter().enumerate() {
            let same = |l: &Line| (&l.name, l.version) == (&line.name, line.version);
            if lines[..i].iter().any(same) {
                bail!("{from} has {} version {} twice", line.name, line.version);
            }
        }
        Ok(Self { from, lines })
    }

    /// The line of the circuit of passes that this program is built with.
    pub(super) fn own(&self) -> Option<&Line> {
        self.of(CIRCUIT)
    }

    /// The line of a circuit by its name and version.
    pub(super) fn of(&self, circuit: (&str, u32)) -> Option<&Line> {
        let own = |l: &&Line| (l.name.as_str(), l.version) == circuit;
        self.lines.iter().find(own)
    }

    /// The line with this matrix digest.
    pub(super) fn of_digest(&self, digest: &[u8; 32]) -> Option<&Line> {
        self.lines.iter().find(|l| l.matrix_sha256 == *digest)
    }
}

/// One quantity, rebuilt and as a line has it.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub(super) quantity: &'static str,
    pub(super) rebuilt: String,
    pub(super) registry: String,
    pub(super) agrees: bool,
}

/// Every quantity of a line against the rebuilt constraint system.
pub(super) fn compare(rebuilt: &Identity, line: &Line) -> Vec<Comparison> {
    let number = |quantity, rebuilt: usize, registry: usize| {
        text(quantity, rebuilt.to_string(), registry.to_string())
    };
    vec![
        number("constraints", rebuilt.constraints, line.constraints),
        number("rows", rebuilt.rows, line.rows),
        number("witnesses", rebuilt.witnesses, line.witnesses),
        number(
            "instance variables",
            rebuilt.instance,
            line.public_inputs.len() + 1,
        ),
        text(
            "public inputs",
            rebuilt.inputs.join(", "),
            line.public_inputs.join(", "),
        ),
        text(
            "matrix SHA-256",
            hex::encode(rebuilt.digest),
            hex::encode(line.matrix_sha256),
        ),
    ]
}

fn text(quantity: &'static str, rebuilt: String, registry: String) -> Comparison {
    Comparison {
        quantity,
        agrees: rebuilt == registry,
        rebuilt,
        registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_with_an_unknown_word_a_second_line_or_a_short_digest_is_refused() {
        let parse = |text: &str| Registry::parse(text, "it".to_owned());
        assert!(parse(SHIPPED).unwrap().own().is_some());
        let twice = format!("{SHIPPED}\n{}", &SHIPPED[SHIPPED.find("[[").unwrap()..]);
        for (bad, why) in [
            (String::new(), "missing"),
            ("circuit = []".to_owned(), "0 lines"),
            (twice, "twice"),
            (format!("{SHIPPED}\nnote = \"x\"\n"), "unknown field"),
            (
                SHIPPED.replace("status = \"", "status = \"x"),
                "unknown variant",
            ),
            (
                SHIPPED.replace("matrix_sha256 = \"", "matrix_sha256 = \"00"),
                "ength",
            ),
            (SHIPPED.replace("version = 1", "version = -1"), "invalid"),
        ] {
            let error = format!("{:#}", parse(&bad).err().expect(why));
            assert!(error.contains(why), "{why}: {error}");
        }
    }
}
