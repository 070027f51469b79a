//! Registry membership, head time, state membership; rule table opening; risk opening.

use ark_bn254::Fr;
use commitment::poseidon::Domain;
use commitment::rule_table::{self, HEAD_ELEMENTS, ROW_INDEX_BITS, encoded_province};
use commitment::{Tree, risk_tree};
use rules::{Grade, KEYS, MAX_PERIODS};

use super::{Clearance, DayTime, Public};
use crate::clearance::{Heading, OpenedInterval, Witness};
use crate::gadget::{bits, leaf, merkle, mux, poseidon};
use crate::rows::{Part, Wire};

/// From a leaf to the registry root; gives the leaf.
pub(super) fn membership(
    rows: &mut Clearance,
    public: &Public,
    w: &Witness,
    now: &DayTime,
) -> Wire {
    rows.under(Heading::RegistryMembership);
    let head = (w.head_time, w.state_root);
    let (head_time, state_root) =
        leaf::registered(rows, head, &w.registry_path, &public.registry_root);

    rows.under(Heading::HeadTime);
    let back = &now.minute - &head_time;
    bits::bits(rows, "back", &back, 26);

    rows.under(Heading::StateMembership);
    let leaf = rows.witness("leaf", w.leaf);
    let (root, _) = merkle::root(rows, Tree::State, &leaf, &w.state_path);
    rows.equal("root", &root, &state_root);
    leaf
}

/// Keys whose row indices share a word.
const KEYS_PER_WORD: usize = 4;

/// The rule table: each key's row index, the header, and the rows still packed.
pub(super) struct TableWires {
    /// Row indices, four to a word of 20 bits.
    words: Vec<Wire>,
    pub province: Wire,
    /// Hours by grade: low, medium, high.
    lookback_hours: [Wire; 3],
    rows: Vec<Wire>,
}

impl TableWires {
    /// The packed row of the key with these seven bits.
    pub(super) fn row(&self, rows: &mut Clearance, key: &[Wire]) -> Wire {
        let (within, word) = key.split_at(2);
        let word = mux::select(rows, "word", word, &self.words);
        let word = bits::bits(rows, "word", &word, KEYS_PER_WORD * ROW_INDEX_BITS);
        let indices: Vec<Wire> = word
            .chunks_exact(ROW_INDEX_BITS)
            .map(Wire::from_bits)
            .collect();
        let index = mux::select(rows, "index", within, &indices);
        let index = bits::bits(rows, "index", &index, ROW_INDEX_BITS);
        mux::select(rows, "row", &index, &self.rows)
    }
}

/// Opens the rule table, whole.
pub(super) fn rule_table(rows: &mut Clearance, public: &Public, w: &Witness) -> TableWires {
    rows.under(Heading::RuleTableOpening);
    let mut small = |part: Part, value: u64, width| {
        Wire::from_bits(&bits::free_bits(rows, part, Fr::from(value), width))
    };
    let indices = w.table.row_of_key().iter().enumerate();
    let indices: Vec<Wire> = indices
        .map(|(key, index)| {
            small(
                ("row of key", key).into(),
                u64::from(*index),
                ROW_INDEX_BITS,
            )
        })
        .collect();
    let province = small("province".into(), encoded_province(w.table.province()), 7);
    let lookback = w.table.lookback_hours();
    let lookback_hours = [
        ("look-back low", Grade::Low),
        ("look-back medium", Grade::Medium),
        ("look-back high", Grade::High),
    ]
    .map(|(name, grade)| small(name.into(), u64::from(lookback.of(grade)), 10));

    let per_element = KEYS / HEAD_ELEMENTS;
    let mut elements: Vec<Wire> = Vec::with_capacity(rule_table::TABLE_ELEMENTS);
    for (i, keys) in indices.chunks_exact(per_element).enumerate() {
        let mut fields: Vec<_> = keys.iter().map(|index| (index, ROW_INDEX_BITS)).collect();
        if i == 0 {
            fields.push((&province, 7));
            fields.extend(lookback_hours.iter().map(|hours| (hours, 10)));
        }
        elements.push(Wire::pack(&fields));
    }
    let packed = rule_table::elements(&w.table);
    let packed = packed[HEAD_ELEMENTS..].iter().enumerate();
    elements.extend(packed.map(|(i, row)| rows.witness(("row", i), *row)));

    let mut state = poseidon::hash(rows, ("link", 0), Domain::RuleTable, &elements[..8]);
    for (i, seven) in elements[8..].chunks_exact(7).enumerate() {
        let inputs: Vec<Wire> = std::iter::once(&state).chain(seven).cloned().collect();
        state = poseidon::hash(rows, ("link", i + 1), Domain::RuleTable, &inputs);
    }
    rows.equal("digest", &state, &public.rule_digest);
    let word =
        |four: &[Wire]| Wire::pack(&four.iter().map(|i| (i, ROW_INDEX_BITS)).collect::<Vec<_>>());
    TableWires {
        words: indices.chunks_exact(KEYS_PER_WORD).map(word).collect(),
        province,
        lookback_hours,
        rows: elements.split_off(HEAD_ELEMENTS),
    }
}

/// A period of an opened interval.
#[derive(Clone)]
pub(super) struct PeriodWires {
    /// The grade's two bits, lowest first.
    pub grade: [Wire; 2],
    /// `since` moved back by the grade's look-back.
    pub reach: Wire,
    pub until: Wire,
}

/// An opened risk interval.
pub(super) struct IntervalWires {
    pub from: Wire,
    pub last: Wire,
    pub periods: [PeriodWires; MAX_PERIODS],
}

/// Opens the risk intervals in the public map.
pub(super) fn risk_intervals(
    rows: &mut Clearance,
    public: &Public,
    w: &Witness,
    table: &TableWires,
) -> Vec<IntervalWires> {
    rows.under(Heading::RiskOpening);
    let intervals = w.intervals.iter().enumerate();
    intervals
        .map(|(i, interval)| {
            rows.within(("interval", i), |rows| {
                risk_interval(rows, public, interval, table)
            })
        })
        .collect()
}

fn risk_interval(
    rows: &mut Clearance,
    public: &Public,
    i: &OpenedInterval,
    table: &TableWires,
) -> IntervalWires {
    let mut small = |part: Part, value: u64, width| {
        let bits: Vec<Wire> = bits::free_bits(rows, part, Fr::from(value), width);
        (Wire::from_bits(&bits), bits)
    };
    let (from, _) = small("from".into(), i.from, 47);
    let (last, _) = small("last".into(), i.last, 47);
    let raw = std::array::from_fn(|p| {
        let (grade, since, until) = i.periods[p];
        let (_, grade) = small(("grade", p).into(), u64::from(grade), 2);
        let (since, _) = small(("since", p).into(), u64::from(since), 26);
        let (until, _) = small(("until", p).into(), u64::from(until), 26);
        let grade: [Wire; 2] = grade.try_into().expect("two bits");
        (grade, since, until)
    });
    let mut fields = [vec![(&from, 47), (&last, 47)], Vec::new()];
    for (place, (grade, since, until)) in [0, 1, 1].into_iter().zip(&raw) {
        fields[place].extend([(&grade[0], 1), (&grade[1], 1), (since, 26), (until, 26)]);
    }
    let own = fields.map(|f| Wire::pack(&f));
    opens_to_root(rows, public, i, &own);
    let mut number = 0..MAX_PERIODS;
    let periods = raw.map(|(grade, since, until)| {
        let part = ("look-back", number.next().expect("as many as periods"));
        let back_min = rows.within(part, |rows| &lookback(rows, &grade, table) * 60);
        PeriodWires {
            reach: &since - &back_min,
            grade,
            until,
        }
    });
    IntervalWires {
        from,
        last,
        periods,
    }
}

/// The interval's two elements stand in one half of a pair of the public map.
fn opens_to_root(rows: &mut Clearance, public: &Public, i: &OpenedInterval, own: &[Wire; 2]) {
    let half = (i.opening.index % 2) as usize;
    let is_second = bits::bit(rows, "half", half == 1);
    let other = i.opening.pair[1 - half];
    let other: [Wire; 2] = std::array::from_fn(|e| rows.witness(("other", e), other[e]));
    let first: [Wire; 2] =
        std::array::from_fn(|e| mux::choose(rows, ("first", e), &is_second, &other[e], &own[e]));
    let second: [Wire; 2] = std::array::from_fn(|e| &(&own[e] + &other[e]) - &first[e]);
    let pair = [first, second].concat();
    let leaf = poseidon::hash(rows, "pair", Domain::RiskPair, &pair);
    let (root, _) = merkle::root(rows, Tree::Risk, &leaf, &i.opening.path);
    rows.equal("root", &root, &public.risk_root);
}

/// The look-back in hours of a grade given by its bits; zero for none.
fn lookback(rows: &mut Clearance, grade: &[Wire; 2], table: &TableWires) -> Wire {
    let [low, medium, high] = &table.lookback_hours;
    let [bit_0, bit_1] = grade;
    let if_upper = mux::choose(rows, "if upper", bit_0, high, medium);
    let if_lower = rows.product("if lower", bit_0, low);
    mux::choose(rows, "hours", bit_1, &if_upper, &if_lower)
}

const _: () =
    assert!(risk_tree::RISK_DEPTH == 5 && KEYS.is_multiple_of(HEAD_ELEMENTS * KEYS_PER_WORD));
