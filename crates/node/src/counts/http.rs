//! The counts by plain HTTP, as JSON: what stands in the log, for readers without its forms. A number is told by the least and
//! the most that it can stand for.

use ledger::log::{
    AppealCounts, Bounds, ColourCode, ColourCounts, CountedSet, Entry, ImpactCount, Rounded,
    SourceCounts, Wait,
};
use rules::{Day, FactKind, SourceId, SourceKind};
use serde_json::{Value, json};

use crate::{Node, NodeError};

const DAYS: &str = "/counts/v1/days";
/// Followed by a day, `2022-08-29`.
const DAY: &str = "/counts/v1/days/";
const RULE_SETS: &str = "/counts/v1/rule-sets";

/// Whether a path is one of these.
pub(crate) fn is_counts_path(path: &str) -> bool {
    path.starts_with("/counts/v1/")
}

/// What a path below `/counts/v1/` gives; none where there is nothing.
pub(crate) fn counts_json(node: &Node, path: &str) -> Result<Option<Value>, NodeError> {
    if path == DAYS {
        let days = node.counted_days()?;
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        return Ok(Some(json!({ "days": days })));
    }
    if path == RULE_SETS {
        return rule_sets(node).map(Some);
    }
    let day = path.strip_prefix(DAY).and_then(|text| text.parse().ok());
    match day {
        Some(day) => of_day(node, day),
        None => Ok(None),
    }
}

fn rule_sets(node: &Node) -> Result<Value, NodeError> {
    let mut counts = node.impact_counts()?;
    counts.sort_by_key(|count| (count.at, count.set.text_sha256));
    let counted: Vec<Value> = counts.iter().map(impact).collect();
    Ok(json!({ "counted": counted, "not_counted": node.counts_state().missing }))
}

fn of_day(node: &Node, day: Day) -> Result<Option<Value>, NodeError> {
    let mut answer = json!({ "day": day.to_string() });
    let mut sources: Vec<Value> = Vec::new();
    let entries = node.counts_of(day)?;
    for entry in &entries {
        match entry {
            Entry::Colours(counts) => answer["colours"] = colours(counts),
            Entry::Sources(counts) => sources.extend(source_cells(counts)),
            Entry::Appeals(counts) => answer["appeals"] = appeals(counts),
            Entry::Retention(counts) => {
                answer["retention"] = json!({
                    "horizon_days": counts.horizon_days,
                    "first_day": Day::new(counts.first_day()).to_string(),
                    "events": number(counts.events),
                    "erased": number(counts.erased),
                });
            }
            _ => {}
        }
    }
    answer["sources"] = sources.into();
    Ok((!entries.is_empty()).then_some(answer))
}

const fn word(colour: ColourCode) -> &'static str {
    match colour {
        0 => "green",
        1 => "yellow",
        _ => "red",
    }
}

fn number(rounded: Rounded) -> Value {
    json!({ "least": rounded.least(), "most": rounded.most() })
}

/// Of several cells together: nothing but what they say.
fn sum(cells: impl IntoIterator<Item = Rounded>) -> Value {
    bounds(Bounds::of(cells))
}

fn bounds(bounds: Bounds) -> Value {
    json!({ "least": bounds.least, "most": bounds.most })
}

fn set(set: &CountedSet) -> Value {
    json!({
        "name": set.name,
        "version": set.version,
        "scope": set.scope.get(),
        "text_sha256": hex::encode(set.text_sha256),
    })
}

fn colours(counts: &ColourCounts) -> Value {
    let of = |colour| {
        counts
            .cells
            .iter()
            .filter(move |cell| cell.colour == colour)
    };
    let by_rule = |colour| {
        let cells =
            of(colour).map(|cell| json!({ "rule": cell.rule, "people": number(cell.people) }));
        cells.collect::<Vec<_>>()
    };
    let told = |colour| {
        json!({
            "people": sum(of(colour).map(|cell| cell.people)),
            "by_rule": by_rule(colour),
        })
    };
    json!({
        "residents": number(counts.residents),
        "rule_set": set(&counts.set),
        "yellow": told(1),
        "red": told(2),
    })
}

fn appeals(counts: &AppealCounts) -> Value {
    let decided = |cells: &[Rounded]| {
        let by_wait = Wait::ALL.iter().zip(cells);
        let by_wait = by_wait.map(|(wait, cell)| (wait.word().to_owned(), number(*cell)));
        json!({
            "appeals": sum(cells.iter().copied()),
            "by_wait": by_wait.collect::<serde_json::Map<_, _>>(),
        })
    };
    json!({
        "came": number(counts.came),
        "upheld": decided(&counts.upheld),
        "dismissed": decided(&counts.dismissed),
        "late": bounds(counts.late()),
        "waiting": number(counts.waiting),
        "overdue": number(counts.overdue),
    })
}

fn impact(count: &ImpactCount) -> Value {
    let cells = count.cells.iter().map(|cell| {
        json!({
            "from": word(cell.from),
            "to": word(cell.to),
            "rule": cell.rule,
            "people": number(cell.people),
        })
    });
    json!({
        "at_minute": count.at.get(),
        "residents": number(count.residents),
        "rule_set": set(&count.set),
        "in_force": count.before.as_ref().map(set),
        "changes": cells.collect::<Vec<_>>(),
    })
}

fn source_cells(counts: &SourceCounts) -> impl Iterator<Item = Value> {
    let cells = counts.cells.iter().map(|cell| {
        let source = SourceKind::from_code(cell.kind).map(|kind| SourceId {
            province: cell.province,
            kind,
            number: cell.number,
        });
        let fact = FactKind::ALL.into_iter().find(|f| f.code() == cell.fact);
        json!({
            "source": source.map(|source| source.to_string()),
            "fact": fact.map(crate::forward::fact_word),
            "events": number(cell.events),
        })
    });
    cells.collect::<Vec<_>>().into_iter()
}
