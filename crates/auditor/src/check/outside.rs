//! What tools that others wrote say, as a search of `check`.

use anyhow::Result;

use super::report::{Finding, Search};
use super::{Args, SearchName};
use crate::outside::{Asked, ask_tools};

pub(super) fn search(args: &Args) -> Result<Search> {
    let mut search = Search::new(SearchName::Outside);
    match ask_tools(args.tools.as_deref(), args.seed, !args.full)? {
        Asked::Missing(what) => search.missing(&what),
        Asked::Answered {
            asked,
            versions,
            disagreements,
            not_asked,
        } => {
            search.figure("questions", asked);
            search.figure("answered otherwise than expected", disagreements.len());
            search.figure("tools", versions);
            for disagreement in disagreements {
                search.finding(Finding::fault("disagreement", disagreement));
            }
            for tool in not_asked {
                search.missing(&tool);
            }
        }
    }
    Ok(search)
}
