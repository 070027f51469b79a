//! snarkjs' command line, its answers as types.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::process::{self, Finished};
use super::tools::Tools;

/// snarkjs, which is started anew for each question.
pub(super) struct Snarkjs<'a>(pub(super) &'a Tools);

/// What snarkjs says of a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfWitness {
    Correct,
    /// The first row that it breaks.
    Breaks(usize),
}

impl fmt::Display for OfWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Correct => f.write_str("correct"),
            Self::Breaks(row) => write!(f, "breaks row {row}"),
        }
    }
}

/// What snarkjs says of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfProof {
    Accepted,
    /// The pairing equation does not hold.
    Invalid,
    /// A point is off its curve.
    BadPoint,
    /// A public input is not below the modulus.
    BadInput,
}

impl fmt::Display for OfProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Invalid => "refused: invalid",
            Self::BadPoint => "refused: a point",
            Self::BadInput => "refused: an input",
        })
    }
}

/// What snarkjs says of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) curve: String,
    pub(super) wires: usize,
    pub(super) constraints: usize,
    pub(super) private: usize,
    pub(super) public: usize,
    pub(super) labels: usize,
    pub(super) outputs: usize,
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} rows, {} wires, {} public, {} private, {} outputs, {} labels",
            self.curve,
            self.constraints,
            self.wires,
            self.public,
            self.private,
            self.outputs,
            self.labels
        )
    }
}

impl Snarkjs<'_> {
    /// `r1cs info`.
    pub(super) fn info(&self, r1cs: &Path) -> Result<(Info, Duration)> {
        let (done, said) = self.run(&["r1cs", "info"], &[r1cs])?;
        let no_answer = || strange("r1cs info", &done, &said);
        if done.code != Some(0) {
            return Err(no_answer());
        }
        let after = |label: &str| {
            let found = said.lines().find_map(|line| line.split_once(label));
            found.map(|(_, value)| value.trim()).ok_or_else(no_answer)
        };
        let count = |label: &str| after(label)?.parse().map_err(|_| no_answer());
        let info = Info {
            curve: after("Curve:")?.to_owned(),
            wires: count("# of Wires:")?,
            constraints: count("# of Constraints:")?,
            private: count("# of Private Inputs:")?,
            public: count("# of Public Inputs:")?,
            labels: count("# of Labels:")?,
            outputs: count("# of Outputs:")?,
        };
        Ok((info, done.elapsed))
    }

    /// `wtns check`.
    pub(super) fn check(&self, r1cs: &Path, witness: &Path) -> Result<(OfWitness, Duration)> {
        let (done, said) = self.run(&["wtns", "check"], &[r1cs, witness])?;
        let broken = said
            .lines()
            .find_map(|line| line.split_once("aborting checking process at constraint "))
            .and_then(|(_, row)| row.trim().parse().ok());
        let answer = match (done.code, broken) {
            (Some(0), None) if said.contains("WITNESS IS CORRECT") => OfWitness::Correct,
            (Some(1), Some(row)) if said.contains("WITNESS IS NOT CORRECT") => {
                OfWitness::Breaks(row)
            }
            _ => return Err(strange("wtns check", &done, &said)),
        };
        Ok((answer, done.elapsed))
    }

    /// `groth16 verify`.
    pub(super) fn verify(&self, [key, public, proof]: [&Path; 3]) -> Result<(OfProof, Duration)> {
        let (done, said) = self.run(&["groth16", "verify"], &[key, public, proof])?;
        let says = |text: &str| said.lines().any(|line| line.ends_with(text));
        let answer = match done.code {
            Some(0) if says(": OK!") => OfProof::Accepted,
            Some(1) if says(": Invalid proof") => OfProof::Invalid,
            Some(1) if says(": Proof commitments are not valid.") => OfProof::BadPoint,
            Some(1) if says(": Public inputs are not valid.") => OfProof::BadInput,
            _ => return Err(strange("groth16 verify", &done, &said)),
        };
        Ok((answer, done.elapsed))
    }

    /// What ended, and all it said without colours.
    fn run(&self, words: &[&str], files: &[&Path]) -> Result<(Finished, String)> {
        let mut command = self.0.snarkjs();
        command.args(words).args(files);
        let done = process::run(&mut command, b"", self.0.limit)?;
        let said = without_colours(&format!("{}\n{}", done.stdout, done.stderr));
        Ok((done, said))
    }
}

/// An answer that is neither yes nor no.
fn strange(what: &str, done: &Finished, said: &str) -> anyhow::Error {
    let said = said.trim();
    let end = said.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
    let said = said.get(end..).unwrap_or_default();
    let how = match done.code {
        Some(code) => format!("exit code {code}"),
        None => "a signal".to_owned(),
    };
    anyhow::anyhow!("snarkjs {what} ended with {how} and no answer that is known: {said}")
}

/// The text without terminal colours: escape, bracket, parameters, m.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out() {
        let said = "\x1b[32;22m[INFO]  \x1b[39;1msnarkJS\x1b[0m: OK!\nplain";
        assert_eq!(without_colours(said), "[INFO]  snarkJS: OK!\nplain");
    }
}
