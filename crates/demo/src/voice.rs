//! What the demonstration says: plain words and progress bars, or nothing where one JSON object is asked for.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Speaks, or keeps quiet.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    quiet: bool,
}

impl Voice {
    /// One that speaks unless `quiet`.
    pub const fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether it says nothing.
    pub const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// The title of a part.
    pub fn act(self, number: usize, title: &str) {
        if self.quiet {
            return;
        }
        if std::io::stdout().is_terminal() {
            println!("\n\x1b[1m{number}. {title}\x1b[0m");
        } else {
            println!("\n{number}. {title}");
        }
    }

    /// A line.
    pub fn say(self, line: impl AsRef<str>) {
        if !self.quiet {
            println!("   {}", line.as_ref());
        }
    }

    /// A bar over so many steps.
    pub fn bar(self, steps: usize, what: &'static str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("   {msg:<34} {bar:30} {pos}/{len} {elapsed}");
        let bar = ProgressBar::new(steps as u64).with_message(what);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }

    /// Something that takes a while.
    pub fn spinner(self, what: &'static str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.set_style(
            ProgressStyle::with_template("   {spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }
}
