//! Bars in lines of text.

use console::Term;

/// Eighths of a character, from one to a whole.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Bars that are shorter compare nothing.
const MIN_BAR_CHARS: usize = 8;

/// The characters in a line, if standard output is a terminal.
pub(super) fn terminal_width() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked()?;
    Some(columns.into())
}

/// A bar of `part` where `whole` would fill `chars`; what is not nothing is seen.
pub(super) fn bar(part: usize, whole: usize, chars: usize) -> String {
    let eighths = (part * chars * 8).checked_div(whole).unwrap_or(0);
    let eighths = eighths.max(usize::from(part > 0));
    let mut bar = "█".repeat(eighths / 8);
    if let Some(last) = (eighths % 8).checked_sub(1) {
        bar.push(EIGHTHS[last]);
    }
    bar
}

/// Each line with a bar behind it, as long as there is room; without a width, or where there is none, the lines alone.
pub(super) fn with_bars(lines: &[(String, usize)], whole: usize, width: Option<usize>) -> String {
    let longest = lines.iter().map(|(line, _)| line.chars().count());
    let longest = longest.max().unwrap_or(0);
    let room = width.and_then(|width| width.checked_sub(longest + 2));
    let room = room.filter(|room| *room >= MIN_BAR_CHARS);
    let mut out = String::new();
    for (line, value) in lines {
        out.push_str(line);
        if let Some(room) = room {
            out.extend(std::iter::repeat_n(' ', longest + 1 - line.chars().count()));
            out.push_str(&bar(*value, whole, room));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_its_share_of_the_width_in_eighths() {
        for (part, expected) in [
            (0, ""),
            (1, "▏"),
            (2, "▏"),
            (16, "█"),
            (24, "█▌"),
            (160, "██████████"),
        ] {
            assert_eq!(bar(part, 160, 10), expected, "{part}");
        }
        assert_eq!(bar(0, 0, 10), "");
    }

    #[test]
    fn no_line_is_wider_than_the_width() {
        let lines = [("one".to_owned(), 7), ("eleven".to_owned(), 7)];
        for width in 0..60 {
            let text = with_bars(&lines, 7, Some(width));
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.max(6)), "{width}: {text}");
            assert_eq!(
                text.contains('█'),
                width >= 6 + 2 + MIN_BAR_CHARS,
                "{width}"
            );
        }
        assert_eq!(with_bars(&lines, 7, None), "one\neleven\n");
    }
}
