//! Words and cells of a page.

use maud::{Markup, Render, html};

/// Words in English, with the Chinese beside them where there is some.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    english: String,
    chinese: Option<String>,
}

impl Text {
    pub(crate) fn english(&self) -> &str {
        &self.english
    }
}

impl From<&str> for Text {
    fn from(english: &str) -> Self {
        Self {
            english: clean(english),
            chinese: None,
        }
    }
}

impl From<String> for Text {
    fn from(english: String) -> Self {
        Self::from(&*english)
    }
}

impl From<(&str, &str)> for Text {
    fn from((english, chinese): (&str, &str)) -> Self {
        Self {
            english: clean(english),
            chinese: Some(clean(chinese)),
        }
    }
}

impl Render for Text {
    fn render(&self) -> Markup {
        html! {
            (self.english)
            @if let Some(chinese) = &self.chinese {
                " " span .beside lang="zh-CN" { (chinese) }
            }
        }
    }
}

/// How something turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Not known.
    Open,
}

impl Status {
    /// The sign, by which it is told without colour.
    pub(crate) const fn sign(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Bad => '✗',
            Self::Open => '?',
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Open => "open",
        }
    }

    pub(super) fn with(self, word: &str) -> Markup {
        let word = clean(word);
        html! { strong .status .(self.class()) { (self.sign()) " " (word) } }
    }
}

/// From here on a name or digest is broken into lines rather than let run.
const LONG_CHARS: usize = 48;

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Words.
    Words(Text),
    /// A count, to the right, with its thousands apart.
    Number(usize),
    /// A figure that is written out already, to the right.
    Figure(String),
    /// A name or digest, in letters of one width.
    Code(String),
    /// How something turned out, with a word for it.
    Status(Status, String),
}

impl Cell {
    pub(crate) fn words(words: impl Into<Text>) -> Self {
        Self::Words(words.into())
    }

    pub(crate) const fn number(number: usize) -> Self {
        Self::Number(number)
    }

    pub(crate) fn figure(figure: &str) -> Self {
        Self::Figure(clean(figure))
    }

    pub(crate) fn code(code: &str) -> Self {
        Self::Code(clean(code))
    }

    pub(crate) fn status(status: Status, word: &str) -> Self {
        Self::Status(status, word.to_owned())
    }

    pub(super) const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Figure(_))
    }
}

impl From<&str> for Cell {
    fn from(words: &str) -> Self {
        Self::words(words)
    }
}

impl From<(&str, &str)> for Cell {
    fn from(words: (&str, &str)) -> Self {
        Self::words(words)
    }
}

impl Render for Cell {
    fn render(&self) -> Markup {
        match self {
            Self::Words(words) => words.render(),
            Self::Number(number) => html! { (thousands(*number)) },
            Self::Figure(figure) => html! { (figure) },
            Self::Code(code) => html! { code .long[code.chars().count() > LONG_CHARS] { (code) } },
            Self::Status(status, word) => status.with(word),
        }
    }
}

/// A number with its thousands apart.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The text with characters replaced that XML has no place for, or that turn what a reader sees: control characters but
/// for line ends and tabs, and those that change the direction of writing.
pub(super) fn clean(text: &str) -> String {
    let steers = |c: char| match c {
        '\n' | '\t' => false,
        '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
    };
    let shown = |c| if steers(c) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (32_768, "32,768"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}
