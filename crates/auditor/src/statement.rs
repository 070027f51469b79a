//! `auditor statement`: what is proved, under which headings, and which rule costs what.

mod brief;
mod chart;
mod costs;
mod html;
mod report;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Result;
use circuits::clearance::Heading;
use clap::CommandFactory as _;

use crate::system::CircuitName;
use crate::{Cli, Outcome, files};
use costs::{By, Costs};
use report::{Report, Selection};

/// The statement as prose.
const STATEMENT: &str = include_str!("../../../circuits/src/clearance/STATEMENT.md");
/// Most pieces that the name of a row has, and some room.
const MAX_DEPTH: u8 = 8;
/// With one heading asked for: the heading, what it goes over, and which rule.
const DEPTH_WITHIN: u8 = 3;
/// Narrowest and widest lines with bars.
const WIDTHS: std::ops::RangeInclusive<i64> = 40..=400;
/// The drawing's width in a file of its own.
const DRAWING_PX: usize = 720;

/// What is proved: public inputs, headings with their rows, capacities, and which rule costs what.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor statement                                   public inputs, rows of each heading, capacities
  auditor statement --heading 'Entry key'             which rule under a heading costs what
  auditor statement --heading 'entry key' --depth 5   in finer parts
  auditor statement --by gadget                       hashes, bits, choices, and rows of a heading's own
  auditor statement --text | less                     the statement as prose; with --heading, that part of it
  auditor statement --html statement.html             one page with all of it, the prose beside the costs
  auditor statement --svg rows.svg --json
  auditor statement --circuit opening                 the opening: public inputs, rows of each heading; also --text, --json
  auditor statement --circuit pseudonym               the same of a pseudonym

Rows and wires are counted in the constraint system as built from source. Exit code 1 if the table in the prose has other
numbers of rows, or if the system does not fit into its domain.")]
pub(crate) struct Args {
    /// Which circuit; of others than that of passes there are public inputs and headings alone
    #[arg(long, value_enum, value_name = "NAME", default_value = "clearance")]
    circuit: CircuitName,
    /// Only this heading of STATEMENT.md
    #[arg(long, value_name = "NAME", value_parser = heading)]
    heading: Option<Heading>,
    /// How many pieces of the rows' names to tell apart: 1 is the heading
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_DEPTH)))]
    depth: Option<u8>,
    /// What to sort rows by: the parts of their names, or the gadget that made them
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "part",
        conflicts_with = "depth"
    )]
    by: ByArg,
    /// Print the statement as prose
    #[arg(long, conflicts_with_all = ["depth", "by", "json", "html", "svg", "width"])]
    text: bool,
    /// Write everything as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the bars that are printed as a drawing
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw bars in lines of so many characters, on a terminal or not
    #[arg(long, value_name = "CHARS", value_parser = clap::value_parser!(u16).range(WIDTHS))]
    width: Option<u16>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ByArg {
    /// By the pieces of their names, as many as --depth says
    Part,
    /// By the gadget that made them
    Gadget,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    if let Some(brief) = brief::Brief::of(args.circuit) {
        return run_brief(args, &brief);
    }
    if args.text {
        let text = args.heading.map_or(STATEMENT, prose);
        files::print(text)?;
        return Ok(Outcome::Agrees);
    }
    let costs = Costs::count();
    let by = match (args.by, args.depth) {
        (ByArg::Gadget, _) => By::Gadget,
        (ByArg::Part, Some(depth)) => By::Part(depth.into()),
        (ByArg::Part, None) if args.heading.is_some() => By::Part(DEPTH_WITHIN.into()),
        (ByArg::Part, None) => By::Part(1),
    };
    let report = Report::new(&costs, Selection::new(&costs, args.heading, by));
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text(
            args.width
                .map_or_else(chart::terminal_width, |w| Some(w.into())),
        )
    };
    let written = |path: &Path, text: &str| {
        files::write_whole(path, text.as_bytes())?;
        eprintln!(
            "auditor: {} bytes written to {}",
            text.len(),
            path.display()
        );
        anyhow::Ok(())
    };
    if let Some(path) = &args.html {
        written(path, &html::page(&costs, &report))?;
    }
    if let Some(path) = &args.svg {
        written(path, &report.selection().drawing().file(DRAWING_PX))?;
    }
    files::print(&text)?;
    let differences = report.differences();
    for difference in &differences {
        eprintln!("auditor: {difference}");
    }
    if differences.is_empty() {
        Ok(Outcome::Agrees)
    } else {
        Ok(Outcome::Differs)
    }
}

/// Another circuit, of which there is no more than public inputs, headings and prose.
fn run_brief(args: &Args, brief: &brief::Brief) -> Result<Outcome> {
    let more = args.heading.is_some()
        || args.depth.is_some()
        || args.html.is_some()
        || args.svg.is_some()
        || args.by == ByArg::Gadget;
    if more {
        let message = "of this circuit there are only --text and --json";
        let kind = clap::error::ErrorKind::ArgumentConflict;
        Cli::command().error(kind, message).exit();
    }
    if args.text {
        files::print(brief.prose)?;
        return Ok(Outcome::Agrees);
    }
    brief.run(args.json)
}

/// The heading with this name, large letters or small.
fn heading(name: &str) -> Result<Heading, String> {
    let found = Heading::ALL
        .into_iter()
        .find(|h| h.title().eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| {
        let all = Heading::ALL.map(Heading::title).join("\n  ");
        format!("no such heading; there are\n  {all}")
    })
}

/// The part of the prose under a heading, with its title.
fn prose(heading: Heading) -> &'static str {
    let title = format!("## {heading}\n");
    let Some(begin) = STATEMENT.find(&title) else {
        return "";
    };
    let rest = &STATEMENT[begin + title.len()..];
    let len = rest.find("\n## ").map_or(rest.len(), |at| at + 1);
    &STATEMENT[begin..begin + title.len() + len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_has_a_part_for_every_heading() {
        for heading in Heading::ALL {
            let text = prose(heading);
            assert!(text.starts_with(&format!("## {heading}\n")), "{heading}");
            assert_eq!(text.matches("\n## ").count(), 0, "{heading}");
            assert!(text.lines().count() > 1, "{heading}");
        }
    }
}
