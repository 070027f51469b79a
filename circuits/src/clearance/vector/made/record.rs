//! Attempts on what is committed: registry, head time, state tree, record, and its times.

use commitment::poseidon::Domain;
use commitment::record::EntryBits;
use commitment::{Fr, IdentityCommitment, Tree};
use rules::{Fact, FactKind, Minute, Record, TestAge};

use super::{
    Attempt, DAY, GREEN, HOUR, NOT_RED, Statement, honest, local, record, said_of_another, scene,
    stay, with,
};
use crate::clearance::scene::{Scene, ago, fact, place};
use crate::clearance::{Heading, Witness};

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [registry(), state(), left_out(), altered(), times(), forms()];
    all.into_iter().flatten().collect()
}

fn attempt(
    heading: Heading,
    name: &'static str,
    tries: &'static str,
    statement: Statement,
) -> Attempt {
    Attempt {
        heading,
        name,
        tries,
        statement,
    }
}

fn green() -> Statement {
    honest(&Scene::green())
}

fn later(minutes: u32) -> Minute {
    Minute::new(ago(0).get() + minutes).expect("small")
}

fn registry() -> Vec<Attempt> {
    let under =
        |name, tries, statement| attempt(Heading::RegistryMembership, name, tries, statement);
    let yesterdays = honest(&Scene {
        head_time: ago(DAY),
        ..Scene::green()
    });
    let head_at = |head_time| {
        honest(&Scene {
            head_time,
            ..Scene::green()
        })
    };
    let after = |name, tries, head| attempt(Heading::HeadTime, name, tries, head_at(head));
    vec![
        under(
            "registry-another-epochs-head",
            "The head of another epoch, which stands in that epoch's registry, under this epoch's root.",
            with(yesterdays, |public, _| {
                public.registry_root = green().0.registry_root;
            }),
        ),
        under(
            "registry-another-root",
            "A registry root that no registry has.",
            with(green(), |public, _| public.registry_root += Fr::from(1u64)),
        ),
        under(
            "registry-sibling-changed",
            "Another province's leaf changed beside the own one.",
            with(green(), |_, w| {
                w.registry_path.levels[0][1] += Fr::from(1u64);
            }),
        ),
        under(
            "registry-another-slot",
            "The leaf of slot 19 said to be that of slot 18, so that another province's rules would be the local ones.",
            with(green(), |_, w| w.registry_path.index ^= 1),
        ),
        under(
            "registry-head-time-rewritten",
            "The head said to be an hour younger than the registry's leaf says.",
            with(green(), |_, w| w.head_time -= HOUR),
        ),
        under(
            "registry-state-root-of-another",
            "A state tree of the prover's own making below the registry's true leaf.",
            with(
                said_of_another(&Record::default(), &Scene::green()),
                |public, w| {
                    // The other record's tree, with the leaf that is opened, and not the one in the registry.
                    let own = green();
                    public.registry_root =
                        honest(&Scene::not_red(Record::default())).0.registry_root;
                    (w.leaf, w.state_path, w.state_root) =
                        (own.1.leaf, own.1.state_path, own.1.state_root);
                },
            ),
        ),
        after(
            "head-a-minute-late",
            "A tree head signed one minute after the epoch's close.",
            later(1),
        ),
        after(
            "head-a-day-late",
            "A tree head of the day after.",
            later(DAY),
        ),
    ]
}

fn state() -> Vec<Attempt> {
    let under = |name, tries, change: fn(&mut Witness)| {
        let statement = with(green(), |_, w| change(w));
        attempt(Heading::StateMembership, name, tries, statement)
    };
    let mut of_another = green();
    let empty = honest(&Scene::not_red(Record::default())).1;
    of_another.0.claim = NOT_RED;
    let replaced = with(of_another, |_, w| {
        (w.record, w.leaf) = (empty.record, empty.leaf);
        (w.entries, w.slots, w.fresh_negative) = (empty.entries, empty.slots, 0);
    });
    vec![
        under(
            "state-sibling-changed",
            "A node beside the way up changed at the highest level.",
            |w| w.state_path.levels[8][0] += Fr::from(1u64),
        ),
        under(
            "state-another-position",
            "The record at the position beside its own, which holds another.",
            |w| w.state_path.index ^= 1,
        ),
        under(
            "state-row-skipped",
            "A position that differs from the true one at the highest level only.",
            |w| w.state_path.index ^= 1 << 24,
        ),
        attempt(
            Heading::StateMembership,
            "state-record-not-in-the-tree",
            "An empty record that hashes to its leaf, in a tree that does not hold it.",
            replaced,
        ),
    ]
}

fn case() -> Fact {
    local(FactKind::ConfirmedCase, 3 * DAY)
}

/// A record with a part left out or added: the rest is planned as if it were true.
fn left_out() -> Vec<Attempt> {
    let said = |name, tries, committed: Record, said: Record, claim| {
        let statement = said_of_another(&committed, &scene(said, claim));
        attempt(Heading::RecordOpening, name, tries, statement)
    };
    let red = record(&[case()], &[], &[5 * HOUR], &[]);
    let none = record(&[], &[], &[5 * HOUR], &[]);
    let asked = rules::Claim {
        test_age: TestAge::Hours24,
        ..GREEN
    };
    let risky = record(&[], &[stay(1, 6 * DAY, Some(5 * DAY))], &[], &[]);
    let elsewhere = record(&[], &[stay(0, 6 * DAY, Some(5 * DAY))], &[], &[]);
    let symptoms =
        |runs: &[(u16, u16)]| record(&[local(FactKind::Symptoms, 9 * DAY)], &[], &[], runs);
    vec![
        said(
            "record-ground-left-out",
            "A confirmed case is committed and left out of the record that is opened.",
            red.clone(),
            none.clone(),
            GREEN,
        ),
        said(
            "record-not-red-for-a-red-one",
            "The same record, said not to be red.",
            red.clone(),
            none.clone(),
            NOT_RED,
        ),
        said(
            "record-stay-left-out",
            "A stay in a place of high risk is left out.",
            risky.clone(),
            Record::default(),
            NOT_RED,
        ),
        said(
            "record-stay-moved",
            "The same stay, said to have been in a place that is not listed.",
            risky.clone(),
            elsewhere,
            GREEN,
        ),
        said(
            "record-stay-shortened",
            "The same stay, said to have ended before the listing reached back to it.",
            risky,
            record(&[], &[stay(1, 20 * DAY, Some(15 * DAY))], &[], &[]),
            GREEN,
        ),
        said(
            "record-test-added",
            "A negative of last minute is added to a record without one.",
            Record::default(),
            record(&[], &[], &[1], &[]),
            asked,
        ),
        said(
            "record-test-younger",
            "A negative of three days ago is said to be of one day ago.",
            record(&[], &[], &[3 * DAY], &[]),
            record(&[], &[], &[DAY], &[]),
            asked,
        ),
        said(
            "record-run-invented",
            "Check-in days that nobody checked in.",
            symptoms(&[]),
            symptoms(&[(8, 1)]),
            GREEN,
        ),
        said(
            "record-run-stretched",
            "A run of six days stretched by the one that is lacking.",
            symptoms(&[(8, 3)]),
            symptoms(&[(8, 2)]),
            GREEN,
        ),
        said(
            "record-runs-joined",
            "The day between two runs filled, so that they are one.",
            symptoms(&[(8, 5), (3, 1)]),
            symptoms(&[(8, 1)]),
            GREEN,
        ),
    ]
}

/// A fact told otherwise than it was committed.
fn altered() -> Vec<Attempt> {
    let said = |name, tries, committed: Fact, told: Fact, claim| {
        let negatives = [5 * HOUR];
        let committed = record(&[committed], &[], &negatives, &[]);
        let told = scene(record(&[told], &[], &negatives, &[]), claim);
        let statement = said_of_another(&committed, &told);
        attempt(Heading::RecordOpening, name, tries, statement)
    };
    let changed = |name, tries, change: fn(&mut Witness)| {
        let statement = with(green(), |_, w| change(w));
        attempt(Heading::RecordOpening, name, tries, statement)
    };
    let contact = |days| local(FactKind::CloseContact, days * DAY);
    let moved = |fact: Fact, kind| Fact { kind, ..fact };
    vec![
        said(
            "record-ground-discharged",
            "An end is given to a case that has none.",
            case(),
            Fact {
                end: Some(ago(DAY)),
                ..case()
            },
            GREEN,
        ),
        said(
            "record-ground-of-another-kind",
            "A close contact is said to be a contact of a contact, which these rules do not colour.",
            contact(2),
            moved(contact(2), FactKind::SecondaryContact),
            GREEN,
        ),
        said(
            "record-ground-dated-back",
            "A contact of two days ago is dated back to twelve, and cleared.",
            contact(2),
            contact(12),
            GREEN,
        ),
        said(
            "record-ground-of-another-province",
            "An entry elsewhere on its ninth day, yellow, is said to be one at home, which these rules do not colour.",
            fact(FactKind::Entry, 35, 9 * DAY),
            local(FactKind::Entry, 9 * DAY),
            GREEN,
        ),
        changed(
            "record-another-blinding",
            "The record under another blinding than its leaf has.",
            |w| w.blinding.0 += Fr::from(1u64),
        ),
        changed(
            "record-of-another-person",
            "Another person's record under the own identity.",
            |w| w.identity = IdentityCommitment::from_element(Fr::from(7u64)),
        ),
    ]
}

/// Something that is dated after the epoch's close, committed so and opened truly.
fn times() -> Vec<Attempt> {
    let under = |name, tries, made: Record, claim| {
        let after = Scene {
            as_of: later(2 * DAY),
            ..scene(made, claim)
        };
        let statement = with(honest(&after), |public, _| public.as_of = ago(0));
        attempt(Heading::RangesAndTimes, name, tries, statement)
    };
    let ahead = |minutes| Record::new(vec![], vec![], vec![later(minutes)], vec![]);
    let entry = Fact {
        begin: later(5),
        ..fact(FactKind::Entry, 35, 0)
    };
    let ends = rules::Stay {
        place: place(0),
        begin: ago(DAY),
        end: Some(later(1)),
    };
    let tomorrow = rules::CheckInRun {
        first: super::day(6),
        last: rules::Day::new(super::day(0).get() + 1),
    };
    let symptoms = local(FactKind::Symptoms, 8 * DAY);
    let asked = rules::Claim {
        test_age: TestAge::Hours24,
        ..GREEN
    };
    let run = Record::new(vec![], vec![symptoms], vec![], vec![tomorrow]);
    let moved = with(
        honest(&Scene {
            as_of: later(2 * DAY),
            ..scene(run.expect("one run"), GREEN)
        }),
        |public, _| public.as_of = ago(0),
    );
    vec![
        under(
            "time-test-in-the-future",
            "A negative that is sampled one minute after the epoch's close.",
            ahead(1).expect("one test"),
            rules::Claim {
                test_age: TestAge::Hours48,
                ..asked
            },
        ),
        under(
            "time-ground-in-the-future",
            "An entry from elsewhere dated ahead: green for eight days, it would colour nothing.",
            record(&[entry], &[], &[], &[]),
            GREEN,
        ),
        under(
            "time-stay-ends-in-the-future",
            "A stay in a place that is not listed, said to end a minute after the epoch's close.",
            record(&[], &[ends], &[], &[]),
            GREEN,
        ),
        attempt(
            Heading::RangesAndTimes,
            "time-run-until-tomorrow",
            "A run of check-in days whose seventh is tomorrow.",
            moved,
        ),
    ]
}

/// Numbers wider than their fields in the packed elements, and ways of another length: no prover could state them.
fn forms() -> Vec<Attempt> {
    let form = |heading, name, tries, change: fn(&mut Witness)| {
        attempt(heading, name, tries, with(green(), |_, w| change(w)))
    };
    vec![
        form(
            Heading::RegistryMembership,
            "form-registry-way-shortened",
            "A way of one level in the registry: an inner node taken for a leaf.",
            |w| w.registry_path.levels.truncate(1),
        ),
        form(
            Heading::StateMembership,
            "form-state-way-shortened",
            "A way of eight levels in the state tree: an inner node taken for a record.",
            |w| w.state_path.levels.truncate(8),
        ),
        form(
            Heading::StateMembership,
            "form-position-beyond-the-tree",
            "A position of 28 bits in a tree of 2^27.",
            |w| w.state_path.index |= 1 << 27,
        ),
        attempt(
            Heading::HeadTime,
            "form-head-time-too-wide",
            "A head time of 27 bits, in a registry that holds it.",
            with(green(), |public, w| {
                w.head_time |= 1 << 26;
                public.registry_root = registry_of(w);
            }),
        ),
        form(
            Heading::RecordOpening,
            "form-kind-runs-into-the-next-field",
            "A kind of 16, whose fifth bit is the next field of the packed element: ended.",
            |w| w.record.facts[0].kind += 16,
        ),
        form(
            Heading::RecordOpening,
            "form-province-runs-into-the-next-entry",
            "A province of 128 and more, whose eighth bit is the next entry's kind.",
            |w| w.record.facts[0].place |= 1 << 7,
        ),
        form(
            Heading::RecordOpening,
            "form-place-too-wide",
            "A place of 48 bits.",
            |w| w.record.entries[0].place |= 1 << 47,
        ),
        form(
            Heading::RecordOpening,
            "form-stay-among-facts",
            "A stay in a position that holds facts only, where it would be no ground.",
            |w| {
                w.record.facts[11] = EntryBits {
                    is_stay: true,
                    ..EntryBits::default()
                };
            },
        ),
        form(
            Heading::RangesAndTimes,
            "form-time-runs-into-its-guard",
            "A time of 27 bits: the highest bit is the guard that keeps a committed time from being read twice.",
            |w| w.record.negatives[0] |= 1 << 26,
        ),
    ]
}

/// Puts a witness's province into its registry, whatever its head says, and gives the root.
fn registry_of(w: &mut Witness) -> Fr {
    let slot = w.registry_path.index;
    let parts = [Fr::from(slot), Fr::from(w.head_time), w.state_root];
    let mut node = commitment::poseidon::hash3(Domain::RegistryLeaf, &parts);
    for (level, children) in w.registry_path.levels.iter_mut().enumerate() {
        children[(slot >> (3 * level)) as usize % 8] = node;
        node = commitment::node_hash(Tree::Registry, children);
    }
    node
}
