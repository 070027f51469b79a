//! Horizontal bars as SVG. Widths are shares of the drawing's own, so that letters keep their size on any screen.

use maud::{Markup, html};

use super::text::{clean, thousands};

/// Height of a bar with its label above it, pixels.
const STEP_PX: usize = 38;
/// Where the label's letters stand, from the top of its bar's room.
const BASELINE_PX: usize = 15;
/// Where the bar begins.
const BAR_TOP_PX: usize = 21;
const BAR_HEIGHT_PX: usize = 10;
const FONT_PX: usize = 14;
/// The width that can be seen, hundredths of a percent.
const MIN_SEEN_HUNDREDTHS: usize = 20;
/// Told from white and from black alike.
const BAR_COLOUR: &str = "#3b7dc4";
const TRACK_COLOUR: &str = "#8884";

/// A value with its label, and a note that is written behind the value.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: usize,
    pub(crate) note: String,
}

impl Bar {
    pub(crate) fn new(label: &str, value: usize, note: &str) -> Self {
        Self {
            label: clean(label),
            value,
            note: clean(note),
        }
    }

    fn value_text(&self) -> String {
        let value = thousands(self.value);
        if self.note.is_empty() {
            value
        } else {
            format!("{value} · {}", self.note)
        }
    }
}

/// Bars that are compared with each other: the longest is that of the greatest value, unless another end is set.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    title: String,
    unit: String,
    bars: Vec<Bar>,
}

impl Chart {
    /// A chart of what its title says, in this unit.
    pub(crate) fn new(title: &str, unit: &str, bars: impl IntoIterator<Item = Bar>) -> Self {
        Self {
            title: clean(title),
            unit: clean(unit),
            bars: bars.into_iter().collect(),
        }
    }

    /// The drawing within a page, as wide as there is room. `number` tells its names from those of other drawings.
    pub(super) fn inline(&self, number: usize) -> Markup {
        let [title, desc] = ["title", "desc"].map(|part| format!("chart-{number}-{part}"));
        html! {
            svg role="img" aria-labelledby={ (title) " " (desc) } width="100%" height=(self.height()) {
                title id=(title) { (self.title) }
                desc id=(desc) { (self.spoken()) }
                (self.drawing(0))
            }
        }
    }

    /// The drawing as a file of its own, black on white.
    pub(crate) fn file(&self, width_px: usize) -> String {
        let margin = STEP_PX / 2;
        let height = self.height() + STEP_PX + 2 * margin;
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc"
                width=(width_px + 2 * margin) height=(height) font-family="sans-serif" {
                title id="title" { (self.title) }
                desc id="desc" { (self.spoken()) }
                rect width="100%" height="100%" fill="#fff" {}
                svg x=(margin) y=(margin) width=(width_px) height=(height - 2 * margin) {
                    text y=(BASELINE_PX) font-size=(FONT_PX + 2) font-weight="bold" { (self.title) }
                    (self.drawing(STEP_PX))
                }
            }
        };
        svg.into_string() + "\n"
    }

    fn height(&self) -> usize {
        self.bars.len() * STEP_PX
    }

    fn drawing(&self, top_px: usize) -> Markup {
        let longest = self.bars.iter().map(|bar| bar.value).max().unwrap_or(0);
        let rows = self.bars.iter().enumerate();
        let rows = rows.map(|(i, bar)| (top_px + i * STEP_PX, bar));
        html! {
            g fill="currentColor" font-size=(FONT_PX) {
                @for (y, bar) in rows {
                    text y=(y + BASELINE_PX) { (bar.label) }
                    text x="100%" y=(y + BASELINE_PX) text-anchor="end" { (bar.value_text()) }
                    rect y=(y + BAR_TOP_PX) width="100%" height=(BAR_HEIGHT_PX) fill=(TRACK_COLOUR) {}
                    rect y=(y + BAR_TOP_PX) width=(percent(bar.value, longest))
                        height=(BAR_HEIGHT_PX) fill=(BAR_COLOUR) {}
                }
            }
        }
    }

    /// Every label with its value, for who cannot see the bars.
    fn spoken(&self) -> String {
        let said = |bar: &Bar| format!("{}: {}", bar.label, bar.value_text());
        let all: Vec<String> = self.bars.iter().map(said).collect();
        format!("In {}. {}.", self.unit, all.join("; "))
    }
}

/// A bar's width in percent with two decimals; what is not nothing is seen.
fn percent(part: usize, whole: usize) -> String {
    let hundredths = (part * 10_000).checked_div(whole).unwrap_or(0);
    let hundredths = hundredths.max(if part > 0 { MIN_SEEN_HUNDREDTHS } else { 0 });
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::Document;

    #[test]
    fn the_longest_bar_fills_the_drawing_and_the_others_their_share() {
        let bars = [
            Bar::new("a", 8, ""),
            Bar::new("b", 1, "an eighth"),
            Bar::new("c", 0, ""),
        ];
        let file = Chart::new("Some", "rows", bars).file(600);
        let document = Document::parse(&file).unwrap();
        let bars = document.descendants();
        let bars = bars.filter(|node| node.attribute("fill") == Some(BAR_COLOUR));
        let widths: Vec<_> = bars.filter_map(|node| node.attribute("width")).collect();
        assert_eq!(widths, ["100.00%", "12.50%", "0.00%"]);
        let desc = document.descendants().find(|n| n.has_tag_name("desc"));
        let said = desc.and_then(|n| n.text());
        assert_eq!(said, Some("In rows. a: 8; b: 1 · an eighth; c: 0."));
    }

    #[test]
    fn a_chart_of_nothing_is_drawn_too() {
        for bars in [vec![], vec![Bar::new("none", 0, "")]] {
            assert!(Document::parse(&Chart::new("t", "u", bars).file(300)).is_ok());
        }
    }
}
