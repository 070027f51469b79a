//! Hangzhou, February 2020. The anchor day is day 0: 20 February is day 0, 21 February day 1, 6 March day 15
//! (2020 is a leap year, so 1 March is day 10).

#[allow(clippy::enum_glob_use)] // a story reads as the notice does
use rules::{Colour::*, FactKind::*, Grade};

use crate::story::Story;

pub(crate) fn stories() -> Vec<Story> {
    [cases(), contacts(), stays(), nothing()].concat()
}

fn cases() -> Vec<Story> {
    let case = |name| Story::new(name).fact(ConfirmedCase, 33, "2020-02-20 10:00");
    vec![
        case("H1 fourteen check-ins from the day after")
            .check_ins("2020-02-21", "2020-03-05")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-06 00:00", Green),
        case("H1 a later gap does not re-open")
            .check_ins("2020-02-21", "2020-03-05")
            .check_ins("2020-03-10", "2020-03-10")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-06 00:00", Green)
            .probe("2020-03-10 12:00")
            .probe("2020-12-31 12:00"),
        case("H1 check-ins that begin late clear with the fourteenth")
            .check_ins("2020-02-25", "2020-03-09")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-09 00:00", Green),
        case("H1 the check-in of the anchor day does not count")
            .check_ins("2020-02-20", "2020-03-04")
            .check_ins("2020-03-07", "2020-03-20")
            .from("2020-02-20 10:00", Red)
            .probe("2020-03-06 00:00")
            .from("2020-03-20 00:00", Green),
        case("H1 a gap begins the count anew")
            .check_ins("2020-02-21", "2020-02-28")
            .check_ins("2020-03-01", "2020-03-14")
            .from("2020-02-20 10:00", Red)
            .probe("2020-03-06 00:00")
            .from("2020-03-14 00:00", Green),
        case("H1 thirteen are too few however long ago")
            .check_ins("2020-02-21", "2020-03-04")
            .from("2020-02-20 10:00", Red)
            .probe("2020-03-06 00:00")
            .probe("2022-03-06 00:00"),
        case("H1 after a discharge the count begins with it")
            .ended("2020-03-10 09:00")
            .check_ins("2020-03-11", "2020-03-24")
            .from("2020-02-20 10:00", Red)
            .probe("2020-03-10 09:00")
            .from("2020-03-25 00:00", Green),
        Story::new("H1 a case found one minute before midnight")
            .fact(AsymptomaticCase, 42, "2020-02-20 23:59")
            .check_ins("2020-02-21", "2020-03-05")
            .from("2020-02-20 23:59", Red)
            .from("2020-03-06 00:00", Green),
        Story::new("H1 a case found at midnight")
            .fact(ScreenedPositive, 33, "2020-02-21 00:00")
            .check_ins("2020-02-21", "2020-03-06")
            .from("2020-02-21 00:00", Red)
            .from("2020-03-07 00:00", Green),
        Story::new("H1 a screening result that is excluded")
            .fact(ScreenedPositive, 33, "2020-02-20 10:00")
            .ended("2020-02-22 09:00")
            .from("2020-02-20 10:00", Red)
            .from("2020-02-22 09:00", Green),
        Story::new("H2 cleared by check-ins")
            .fact(SuspectedCase, 33, "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-03-05")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-06 00:00", Green),
        Story::new("H2 lapses after 28 full days")
            .fact(SuspectedCase, 33, "2020-02-20 10:00")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-20 00:00", Green),
    ]
}

fn contacts() -> Vec<Story> {
    vec![
        Story::new("H3 a close contact")
            .fact(CloseContact, 42, "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-03-05")
            .from("2020-02-20 10:00", Red)
            .from("2020-03-06 00:00", Green),
        Story::new("H3 negatives do not help")
            .fact(CloseContact, 33, "2020-02-20 10:00")
            .negatives(&["2020-02-25 10:00", "2020-03-01 10:00"])
            .from("2020-02-20 10:00", Red)
            .probe("2020-03-06 00:00"),
        Story::new("H5 a secondary contact")
            .fact(SecondaryContact, 33, "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-02-27")
            .from("2020-02-20 10:00", Yellow)
            .from("2020-02-28 00:00", Green),
        Story::new("H5 six check-ins and a gap")
            .fact(SecondaryContact, 33, "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-02-26")
            .check_ins("2020-02-28", "2020-03-05")
            .from("2020-02-20 10:00", Yellow)
            .probe("2020-02-28 00:00")
            .from("2020-03-05 00:00", Green),
        Story::new("H7 symptoms")
            .fact(Symptoms, 0, "2020-02-20 00:00")
            .check_ins("2020-02-21", "2020-02-27")
            .from("2020-02-20 00:00", Yellow)
            .from("2020-02-28 00:00", Green),
        Story::new("H5 with H3: the worst counts, and each clears for itself")
            .fact(CloseContact, 33, "2020-02-18 10:00")
            .fact(SecondaryContact, 33, "2020-02-28 10:00")
            .check_ins("2020-02-19", "2020-03-06")
            .from("2020-02-18 10:00", Red)
            .from("2020-03-04 00:00", Yellow)
            .from("2020-03-07 00:00", Green),
    ]
}

fn stays() -> Vec<Story> {
    vec![
        Story::new("H4 left a high-risk area")
            .listed(Grade::High, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-02-18 10:00", "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-03-05")
            .from("2020-02-18 10:00", Red)
            .from("2020-03-06 00:00", Green),
        Story::new("H4 released while there: the count begins with the release")
            .listed(Grade::High, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-02-18 10:00", "")
            .check_ins("2020-02-19", "2020-03-15")
            .from("2020-02-18 10:00", Red)
            .from("2020-03-16 00:00", Green),
        Story::new("H4 left fourteen days before the listing")
            .listed(Grade::High, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-01-30 10:00", "2020-02-01 00:00")
            .check_ins("2020-02-02", "2020-02-15")
            .from("2020-02-15 00:00", Red)
            .from("2020-02-16 00:00", Green),
        Story::new("H4 left a minute earlier than that")
            .listed(Grade::High, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-01-30 10:00", "2020-01-31 23:59")
            .probe("2020-02-15 00:00")
            .probe("2020-02-20 00:00"),
        Story::new("H4 came when it was released")
            .listed(Grade::High, "2020-02-15 00:00", "2020-02-20 00:00")
            .stay("2020-02-20 00:00", "")
            .probe("2020-02-20 00:00")
            .probe("2020-02-25 00:00"),
        Story::new("H4 came a minute before")
            .listed(Grade::High, "2020-02-15 00:00", "2020-02-20 00:00")
            .stay("2020-02-19 23:59", "")
            .check_ins("2020-02-20", "2020-03-05")
            .from("2020-02-19 23:59", Red)
            .from("2020-03-06 00:00", Green),
        Story::new("H4 downgraded to medium while there: red until the medium ends, and on")
            .listed(Grade::High, "2020-02-15 00:00", "2020-02-20 00:00")
            .listed(Grade::Medium, "2020-02-20 00:00", "2020-02-25 00:00")
            .stay("2020-02-18 10:00", "")
            .check_ins("2020-02-19", "2020-03-10")
            .from("2020-02-18 10:00", Red)
            .from("2020-03-11 00:00", Green),
        Story::new("H4 released and listed again while there")
            .listed(Grade::High, "2020-02-15 00:00", "2020-02-20 00:00")
            .listed(Grade::High, "2020-02-24 00:00", "2020-02-26 00:00")
            .stay("2020-02-18 10:00", "")
            .check_ins("2020-02-19", "2020-03-11")
            .from("2020-02-18 10:00", Red)
            .from("2020-03-12 00:00", Green),
        Story::new("H6 left a medium-risk area")
            .listed(Grade::Medium, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-02-18 10:00", "2020-02-20 10:00")
            .check_ins("2020-02-21", "2020-02-27")
            .from("2020-02-18 10:00", Yellow)
            .from("2020-02-28 00:00", Green),
        Story::new("H6 upgraded to high: red from the listing on")
            .listed(Grade::Medium, "2020-02-15 00:00", "2020-02-20 00:00")
            .listed(Grade::High, "2020-02-20 00:00", "2020-03-01 00:00")
            .stay("2020-02-18 10:00", "2020-02-21 10:00")
            .check_ins("2020-02-22", "2020-03-06")
            .from("2020-02-18 10:00", Yellow)
            .from("2020-02-20 00:00", Red)
            .from("2020-03-07 00:00", Green),
    ]
}

fn nothing() -> Vec<Story> {
    let mut stories = vec![
        Story::new("no data at all is green").probe("2020-02-20 10:00"),
        Story::new("a low-risk area is green")
            .listed(Grade::Low, "2020-02-15 00:00", "2020-03-01 00:00")
            .stay("2020-02-18 10:00", "")
            .probe("2020-02-20 10:00"),
    ];
    for kind in [
        Entry,
        ColdChainOnce,
        ColdChainFrequent,
        FeverClinic,
        PossibleLink,
        AssistList,
        PotentialRisk,
        PooledTube,
    ] {
        stories.push(
            Story::new("what the rule does not name is green")
                .fact(kind, 33, "2020-02-20 10:00")
                .probe("2020-02-20 10:00")
                .probe("2020-02-28 10:00"),
        );
    }
    stories
}
