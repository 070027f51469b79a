//! Reports as one HTML page that stands alone: no script, nothing fetched, readable on a phone and on paper.
//!
//! Everything that is put in is escaped; characters that would steer a reader's screen are replaced. The page is
//! well-formed XML too, so that any strict parser can check or take it apart.

mod chart;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use chart::{Bar, Chart};
pub(crate) use text::{Cell, Status, Text, thousands};

use text::clean;

const STYLE: &str = include_str!("page/style.css");

/// The head's constant part. The policy tells the browser what the page promises: nothing but its own style.
const HEAD: &str = r#"<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>"#;

/// With fewer sections a list of them helps nobody.
const MIN_SECTIONS_LISTED: usize = 3;

/// A page that is being filled, from its top to its end.
pub(crate) struct Page {
    title: Text,
    intro: String,
    sections: Vec<Text>,
    charts: usize,
    body: Vec<Markup>,
}

impl Page {
    /// A page with a title and a paragraph of what it is. A [`Text`] is made of English, or of English and Chinese.
    pub(crate) fn new(title: impl Into<Text>, intro: &str) -> Self {
        Self {
            title: title.into(),
            intro: clean(intro),
            sections: Vec::new(),
            charts: 0,
            body: Vec::new(),
        }
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, heading: impl Into<Text>) -> &mut Self {
        let heading = heading.into();
        self.sections.push(heading.clone());
        let id = section_id(self.sections.len());
        self.push(html! { h2 id=(id) { (heading) } })
    }

    /// A paragraph of running text.
    pub(crate) fn paragraph(&mut self, text: &str) -> &mut Self {
        let text = clean(text);
        self.push(html! { p { (text) } })
    }

    /// A line that says how something turned out: a sign, a word, and what it is about.
    pub(crate) fn status(&mut self, status: Status, word: &str, about: &str) -> &mut Self {
        let about = clean(about);
        self.push(html! { p { (status.with(word)) " – " (about) } })
    }

    /// A table; the first cell of a row is its heading. On a narrow screen it scrolls by itself.
    pub(crate) fn table<const N: usize, T: Into<Text>>(
        &mut self,
        columns: [T; N],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) -> &mut Self {
        let columns = columns.map(Into::into);
        let rows: Vec<[Cell; N]> = rows.into_iter().collect();
        let name = columns.iter().map(Text::english);
        let name = name.collect::<Vec<_>>().join(", ");
        let is_number = |column: usize| {
            let cell = rows.first().map(|row| &row[column]);
            cell.is_some_and(Cell::is_number)
        };
        let table = html! {
            div .scroll tabindex="0" role="region" aria-label=(name) {
                table {
                    thead {
                        tr {
                            @for (i, column) in columns.iter().enumerate() {
                                th scope="col" .number[is_number(i)] { (column) }
                            }
                        }
                    }
                    tbody {
                        @for row in &rows {
                            tr {
                                @for (i, cell) in row.iter().enumerate() {
                                    @if i == 0 {
                                        th scope="row" .number[cell.is_number()] { (cell) }
                                    } @else {
                                        td .number[cell.is_number()] { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        };
        self.push(table)
    }

    /// A chart of horizontal bars; a reader who cannot see it hears every label with its value.
    pub(crate) fn bars(&mut self, chart: &Chart) -> &mut Self {
        self.charts += 1;
        let svg = chart.inline(self.charts);
        self.push(html! { figure { (svg) } })
    }

    /// Text as it stands, line for line.
    pub(crate) fn verbatim(&mut self, text: &str) -> &mut Self {
        let text = clean(text);
        self.push(html! { pre .scroll tabindex="0" { (text) } })
    }

    /// What a reader opens on demand; on paper it is open.
    pub(crate) fn folded(
        &mut self,
        summary: impl Into<Text>,
        fill: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let summary = summary.into();
        let outer = std::mem::take(&mut self.body);
        fill(self);
        let inner = std::mem::replace(&mut self.body, outer);
        self.push(html! {
            details {
                summary { (summary) }
                @for block in inner { (block) }
            }
        })
    }

    /// The whole page.
    pub(crate) fn finish(&self) -> String {
        let sections = (1..).map(section_id).zip(&self.sections);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    (PreEscaped(HEAD))
                    title { (self.title.english()) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (self.title) }
                        p { (self.intro) }
                    }
                    @if self.sections.len() >= MIN_SECTIONS_LISTED {
                        nav aria-label="Sections" {
                            ol {
                                @for (id, heading) in sections {
                                    li { a href={ "#" (id) } { (heading) } }
                                }
                            }
                        }
                    }
                    main {
                        @for block in &self.body { (block) }
                    }
                }
            }
        };
        page.into_string() + "\n"
    }

    fn push(&mut self, block: Markup) -> &mut Self {
        self.body.push(block);
        self
    }
}

fn section_id(number: usize) -> String {
    format!("section-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::{Document, Node, ParsingOptions};

    const EVIL: &str =
        "<script>alert('x')</script> \" onload=\"x\" &lt; ]]> \u{0}\u{1b}[2J \u{202e}txt";

    fn parsed(html: &str) -> Document<'_> {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        Document::parse_with_options(html, options).expect("the page is well-formed")
    }

    fn elements<'a>(document: &'a Document<'_>, tag: &str) -> Vec<Node<'a, 'a>> {
        let all = document.descendants();
        all.filter(|node| node.has_tag_name(tag)).collect()
    }

    /// A page with `data` in every place that takes any.
    fn full(data: &str) -> String {
        let mut page = Page::new((data, data), data);
        page.section(data)
            .paragraph(data)
            .status(Status::Bad, data, data)
            .verbatim(data)
            .table(
                [data, "number", "status"],
                [[
                    Cell::code(data),
                    Cell::number(1_234_567),
                    Cell::status(Status::Good, data),
                ]],
            )
            .table([data], [[Cell::words(data)], [Cell::from((data, data))]])
            .bars(&Chart::new(data, data, [Bar::new(data, 3, data)]))
            .section((data, data))
            .folded(data, |inside| {
                inside.paragraph(data);
            })
            .section("last");
        page.finish()
    }

    #[test]
    fn nothing_that_is_put_in_becomes_markup() {
        let harmless = full("words");
        let evil = full(EVIL);
        let tags = |html: &str| {
            let document = parsed(html);
            let all = document.descendants().filter(Node::is_element);
            all.map(|node| {
                let attributes = node.attributes().map(|a| a.name().to_owned());
                (
                    node.tag_name().name().to_owned(),
                    attributes.collect::<Vec<_>>(),
                )
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(tags(&harmless), tags(&evil));
        assert_eq!(harmless.matches('<').count(), evil.matches('<').count());
        assert_eq!(harmless.matches('"').count(), evil.matches('"').count());
        assert!(evil.contains("&lt;script&gt;"));
        for steering in ['\u{0}', '\u{1b}', '\u{202e}'] {
            assert!(!evil.contains(steering), "{steering:?}");
        }
    }

    #[test]
    fn what_is_put_in_can_be_read_back() {
        let text = "a < b && \"c\" > 'd' – 甲";
        let page = full(text);
        let document = parsed(&page);
        let paragraph = elements(&document, "main")[0]
            .descendants()
            .find(|node| node.has_tag_name("p"));
        assert_eq!(paragraph.unwrap().text(), Some(text));
        assert_eq!(elements(&document, "pre")[0].text(), Some(text));
        assert_eq!(elements(&document, "code")[0].text(), Some(text));
        assert!(page.contains(">1,234,567<"));
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let page = full("words");
        let document = parsed(&page);
        for node in document.descendants().filter(Node::is_element) {
            let tag = node.tag_name().name();
            let banned = [
                "script", "link", "img", "iframe", "object", "embed", "form", "base",
            ];
            assert!(!banned.contains(&tag), "{tag}");
            for attribute in node.attributes() {
                let (name, value) = (attribute.name(), attribute.value());
                assert!(!name.starts_with("on") && name != "src", "{tag} {name}");
                assert!(name != "href" || value.starts_with('#'), "{tag} {value}");
            }
        }
        for word in ["http:", "https:", "url(", "@import", "@font-face"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn every_link_leads_to_a_section_and_no_name_is_given_twice() {
        let page = full("words");
        let document = parsed(&page);
        let all = document.descendants();
        let mut ids: Vec<&str> = all.filter_map(|node| node.attribute("id")).collect();
        for link in elements(&document, "a") {
            let target = link.attribute("href").unwrap();
            assert!(ids.contains(&&target[1..]), "{target}");
        }
        assert_eq!(elements(&document, "a").len(), 3);
        ids.sort_unstable();
        let names = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), names);
        let described = elements(&document, "svg")[0].attribute("aria-labelledby");
        for id in described.unwrap().split(' ') {
            assert!(ids.contains(&id), "{id}");
        }
    }

    #[test]
    fn a_status_is_told_by_sign_and_word_not_by_colour() {
        let mut page = Page::new("t", "i");
        page.status(Status::Good, "agrees", "a")
            .status(Status::Bad, "differs", "b")
            .status(Status::Open, "undecided", "c");
        let page = page.finish();
        for told in ["✓ agrees", "✗ differs", "? undecided"] {
            assert!(page.contains(told), "{told}");
        }
    }
}
