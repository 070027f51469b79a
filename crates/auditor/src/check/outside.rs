//! What tools that others wrote say, as a search of `check`.

use anyhow::Result;

use super::Args;
use super::report::{Finding, Search};
use crate::outside::{Asked, ask_tools};

pub(super) fn search(args: &Args) -> Result<Search> {
    let mut search = Search::new(
        "outside",
        "Do tools that others wrote accept our rows, witnesses, proofs and hashes, and refuse changed ones?",
    );
    match ask_tools(args.tools.as_deref(), args.seed, !args.full)? {
        Asked::Missing(what) => search.not_asked(&what),
        Asked::Answered {
            asked,
            versions,
            disagreements,
        } => {
            search.figure("questions", asked);
            search.figure("answered otherwise than expected", disagreements.len());
            search.figure("tools", versions);
            for disagreement in disagreements {
                search.finding(Finding::fault("disagreement", disagreement));
            }
        }
    }
    Ok(search)
}
