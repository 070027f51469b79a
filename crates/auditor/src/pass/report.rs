use std::fmt::Write as _;

use anatomy::{Anatomy, Field, NOT_IN_IT, Scope, Signature, is_specimen};
use serde::Serialize;

use super::pair::{Compared, Together};
use crate::lines::paragraph;

/// What `pass` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    one: Decoded<'a>,
    not_in_it: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Decoded<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    together: Option<&'a Together>,
}

#[derive(Serialize)]
struct Decoded<'a> {
    text_chars: usize,
    length: usize,
    specimen: bool,
    signature: Signature,
    /// Bytes that are the same for everybody, fresh for this pass, and of this showing.
    shared_bytes: usize,
    pass_bytes: usize,
    showing_bytes: usize,
    fields: &'a [Field],
}

impl<'a> Decoded<'a> {
    fn new(code: &'a Anatomy) -> Self {
        let bytes = |scope| {
            let of_scope = code.fields.iter().filter(|f| f.scope == scope);
            of_scope.map(|f| f.length).sum()
        };
        Self {
            text_chars: code.text.as_str().len(),
            length: code.bytes.len(),
            specimen: is_specimen(code.showing.pass().circuit),
            signature: code.signature,
            shared_bytes: bytes(Scope::Shared),
            pass_bytes: bytes(Scope::Pass),
            showing_bytes: bytes(Scope::Showing),
            fields: &code.fields,
        }
    }

    fn text(&self, out: &mut String) {
        let signature = match self.signature {
            Signature::Fits => "signed by its own key",
            Signature::DoesNotFit => "the signature DOES NOT FIT",
            Signature::None => "not signed: bound to a card alone",
        };
        let specimen = if self.specimen { "a specimen, " } else { "" };
        let _ = writeln!(
            out,
            "{} characters, {} bytes: {specimen}{signature}",
            self.text_chars, self.length
        );
        let _ = writeln!(
            out,
            "  {} bytes are the same for everybody who asks for the same in one epoch, {} are fresh for this pass, {} of this showing\n",
            self.shared_bytes, self.pass_bytes, self.showing_bytes
        );
        for field in self.fields {
            let _ = writeln!(
                out,
                "{:>4} +{:<3} {:<16} {}\n           {}",
                field.offset, field.length, field.words.title, field.value, field.hex
            );
            let words = field.words;
            for (title, said) in [
                ("is", words.meaning),
                ("reveals", words.reveals),
                ("to", words.to),
            ] {
                paragraph(out, &format!("           {title:<8}"), said);
            }
        }
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(
        one: &'a Anatomy,
        other: Option<&'a Anatomy>,
        together: Option<&'a Together>,
    ) -> Self {
        Self {
            one: Decoded::new(one),
            not_in_it: NOT_IN_IT,
            other: other.map(Decoded::new),
            together,
        }
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.one.text(&mut out);
        out.push('\n');
        paragraph(&mut out, "Not in it: ", self.not_in_it);
        if let Some(other) = &self.other {
            out.push_str("\nThe other code\n");
            other.text(&mut out);
        }
        if let Some(together) = self.together {
            out.push_str("\nTogether\n");
            for line in &together.fields {
                let mark = match line.compared {
                    Compared::Equal => "=",
                    Compared::Different => "≠",
                    Compared::OnlyInOne => "-",
                };
                let _ = writeln!(out, "  {mark} {:<16} {}", line.title, line.means);
            }
            let _ = writeln!(out, "  {}", together.conclusion);
        }
        out
    }
}
