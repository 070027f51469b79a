//! Running text in the lines of a report.

use std::fmt::Write as _;

/// Widest line.
const WIDTH_CHARS: usize = 110;

/// Text behind a title, in lines of at most [`WIDTH_CHARS`], under each other.
pub(crate) fn paragraph(out: &mut String, title: &str, text: &str) {
    let indent = title.chars().count();
    let mut at = indent;
    out.push_str(title);
    for word in text.split(' ') {
        let len = word.chars().count();
        if at > indent && at + 1 + len > WIDTH_CHARS {
            let _ = write!(out, "\n{:indent$}", "");
            at = indent;
        } else if at > indent {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += len;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_text_keeps_its_words_within_the_width() {
        let words: Vec<String> = (0..99).map(|n| format!("word{n}")).collect();
        let text = words.join(" ");
        let mut out = String::new();
        paragraph(&mut out, "  title ", &text);
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH_CHARS));
        assert!(out.lines().count() > 5);
        let read: Vec<&str> = out.split_whitespace().skip(1).collect();
        assert_eq!(read, words);
    }
}
