//! Fujian, August 2022. The anchor day is day 0: 20 August is day 0, 28 August day 8, 31 August day 11,
//! 4 September day 15.

#[allow(clippy::enum_glob_use)] // a story reads as the notice does
use rules::{Colour::*, FactKind::*, Grade};

use crate::story::Story;

const ANCHOR: &str = "2022-08-20 10:00";

pub(crate) fn stories() -> Vec<Story> {
    [
        cases(),
        contacts(),
        present(),
        left(),
        entries(),
        two_tests(),
        lists(),
        nothing(),
    ]
    .concat()
}

fn cases() -> Vec<Story> {
    let mut stories = Vec::new();
    for kind in [ConfirmedCase, AsymptomaticCase] {
        stories.push(
            Story::new("R1 red in hospital, yellow for seven full days")
                .fact(kind, 35, ANCHOR)
                .ended("2022-08-30 15:00")
                .from(ANCHOR, Red)
                .from("2022-08-30 15:00", Yellow)
                .from("2022-09-07 00:00", Green),
        );
    }
    stories.extend([
        Story::new("R1 in hospital for months")
            .fact(ConfirmedCase, 33, ANCHOR)
            .negatives(&["2022-09-01 10:00", "2022-09-02 10:00"])
            .check_ins("2022-08-21", "2022-12-01")
            .from(ANCHOR, Red)
            .probe("2022-12-01 10:00"),
        Story::new("R2 a screening result that is excluded")
            .fact(ScreenedPositive, 35, ANCHOR)
            .ended("2022-09-20 12:00")
            .from(ANCHOR, Red)
            .from("2022-09-20 12:00", Green),
        Story::new("R2 a suspicion that is excluded")
            .fact(SuspectedCase, 35, ANCHOR)
            .ended("2022-08-22 12:00")
            .from(ANCHOR, Red)
            .from("2022-08-22 12:00", Green),
        Story::new("R2 a suspicion lapses after 14 full days")
            .fact(SuspectedCase, 35, ANCHOR)
            .from(ANCHOR, Red)
            .from("2022-09-04 00:00", Green),
    ]);
    stories
}

fn contacts() -> Vec<Story> {
    let close = |name, when| Story::new(name).fact(CloseContact, 35, when);
    let secondary = |name| Story::new(name).fact(SecondaryContact, 35, ANCHOR);
    vec![
        close("R3 red on days 0 to 7, yellow on 8 to 10", ANCHOR)
            .negatives(&["2022-08-30 09:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .from("2022-08-31 00:00", Green),
        close("R3 yellow until a negative", ANCHOR)
            .negatives(&["2022-09-02 09:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .probe("2022-08-31 00:00")
            .from("2022-09-02 09:00", Green),
        close("R3 a negative before the contact does not count", ANCHOR)
            .negatives(&["2022-08-20 09:59", "2022-09-06 08:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .probe("2022-08-31 00:00")
            .from("2022-09-06 08:00", Green),
        close("R3 a negative in the minute of the contact counts", ANCHOR)
            .negatives(&[ANCHOR])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .from("2022-08-31 00:00", Green),
        close(
            "R3 a contact one minute before midnight",
            "2022-08-20 23:59",
        )
        .negatives(&["2022-08-25 10:00"])
        .from("2022-08-20 23:59", Red)
        .from("2022-08-28 00:00", Yellow)
        .from("2022-08-31 00:00", Green),
        close("R3 a contact at midnight", "2022-08-21 00:00")
            .negatives(&["2022-08-25 10:00"])
            .from("2022-08-21 00:00", Red)
            .from("2022-08-29 00:00", Yellow)
            .from("2022-09-01 00:00", Green),
        close("R3 excluded by its source", ANCHOR)
            .ended("2022-08-23 10:00")
            .from(ANCHOR, Red)
            .from("2022-08-23 10:00", Green),
        secondary("R4 seven full days and a negative")
            .negatives(&["2022-08-22 08:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Green),
        secondary("R4 red until a negative")
            .negatives(&["2022-08-29 12:00"])
            .from(ANCHOR, Red)
            .probe("2022-08-28 00:00")
            .from("2022-08-29 12:00", Green),
    ]
}

fn present() -> Vec<Story> {
    vec![
        Story::new("R5 red while high, yellow while medium, green when released")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-25 00:00")
            .listed(Grade::Medium, "2022-08-25 00:00", "2022-08-28 00:00")
            .stay(ANCHOR, "")
            .from(ANCHOR, Red)
            .from("2022-08-25 00:00", Yellow)
            .from("2022-08-28 00:00", Green),
        Story::new("R5 a low-risk period after it is green")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-25 00:00")
            .listed(Grade::Low, "2022-08-25 00:00", "2022-08-28 00:00")
            .stay(ANCHOR, "")
            .from(ANCHOR, Red)
            .from("2022-08-25 00:00", Green)
            .probe("2022-08-28 00:00"),
        Story::new("R5 released and listed again")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-22 00:00")
            .listed(Grade::High, "2022-08-26 00:00", "2022-08-29 00:00")
            .stay(ANCHOR, "")
            .from(ANCHOR, Red)
            .from("2022-08-22 00:00", Green)
            .from("2022-08-26 00:00", Red)
            .from("2022-08-29 00:00", Green),
        Story::new("R5 listed while there")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-25 00:00")
            .stay("2022-08-10 08:00", "")
            .from("2022-08-18 00:00", Red)
            .from("2022-08-25 00:00", Green),
        Story::new("R5 neither time nor tests end it")
            .listed(Grade::High, "2022-08-18 00:00", "2022-10-01 00:00")
            .stay(ANCHOR, "")
            .negatives(&["2022-09-01 10:00", "2022-09-02 10:00", "2022-09-03 10:00"])
            .from(ANCHOR, Red)
            .probe("2022-09-20 00:00")
            .from("2022-10-01 00:00", Green),
        Story::new("Y4 yellow while medium")
            .listed(Grade::Medium, "2022-08-18 00:00", "2022-08-25 00:00")
            .stay(ANCHOR, "")
            .from(ANCHOR, Yellow)
            .from("2022-08-25 00:00", Green),
        Story::new("Y4 upgraded to high it is R5")
            .listed(Grade::Medium, "2022-08-18 00:00", "2022-08-22 00:00")
            .listed(Grade::High, "2022-08-22 00:00", "2022-08-25 00:00")
            .stay(ANCHOR, "")
            .from(ANCHOR, Yellow)
            .from("2022-08-22 00:00", Red)
            .from("2022-08-25 00:00", Green),
    ]
}

fn left() -> Vec<Story> {
    let high = |name| Story::new(name).listed(Grade::High, "2022-08-18 00:00", "2022-08-30 00:00");
    vec![
        high("R6 seven full days after leaving, and a negative")
            .stay(ANCHOR, "2022-08-24 18:00")
            .negatives(&["2022-08-26 09:00"])
            .from(ANCHOR, Red)
            .probe("2022-08-24 18:00")
            .probe("2022-08-30 00:00")
            .from("2022-09-01 00:00", Green),
        high("R6 a negative before leaving does not count")
            .stay(ANCHOR, "2022-08-24 18:00")
            .negatives(&["2022-08-24 17:59", "2022-09-03 10:00"])
            .from(ANCHOR, Red)
            .probe("2022-09-01 00:00")
            .from("2022-09-03 10:00", Green),
        Story::new("R6 left when downgraded to medium: yellow turns red")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-22 00:00")
            .listed(Grade::Medium, "2022-08-22 00:00", "2022-08-30 00:00")
            .stay(ANCHOR, "2022-08-24 18:00")
            .negatives(&["2022-08-25 09:00"])
            .from(ANCHOR, Red)
            .from("2022-08-22 00:00", Yellow)
            .from("2022-08-24 18:00", Red)
            .from("2022-09-01 00:00", Green),
        Story::new("R6 left a medium-risk area")
            .listed(Grade::Medium, "2022-08-18 00:00", "2022-08-30 00:00")
            .stay(ANCHOR, "2022-08-24 18:00")
            .negatives(&["2022-08-25 09:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-24 18:00", Red)
            .from("2022-09-01 00:00", Green),
        Story::new("R6 left in the minute of the release is not left")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-24 18:00")
            .stay(ANCHOR, "2022-08-24 18:00")
            .from(ANCHOR, Red)
            .from("2022-08-24 18:00", Green),
        Story::new("R6 left in the minute before is")
            .listed(Grade::High, "2022-08-18 00:00", "2022-08-24 18:00")
            .stay(ANCHOR, "2022-08-24 17:59")
            .negatives(&["2022-08-25 09:00"])
            .from(ANCHOR, Red)
            .probe("2022-08-24 18:00")
            .from("2022-09-01 00:00", Green),
        high("R6 left in the first minute of the listing")
            .stay("2022-08-10 08:00", "2022-08-18 00:00")
            .negatives(&["2022-08-19 09:00"])
            .from("2022-08-18 00:00", Red)
            .from("2022-08-26 00:00", Green),
        high("R6 left in the minute before the listing")
            .stay("2022-08-10 08:00", "2022-08-17 23:59")
            .probe("2022-08-18 00:00")
            .probe("2022-08-20 00:00"),
        high("R6 two stays, each for itself")
            .stay(ANCHOR, "2022-08-20 12:00")
            .stay("2022-08-22 10:00", "2022-08-22 12:00")
            .negatives(&["2022-08-21 09:00", "2022-08-23 09:00"])
            .from(ANCHOR, Red)
            .probe("2022-08-28 00:00")
            .from("2022-08-30 00:00", Green),
    ]
}

fn entries() -> Vec<Story> {
    vec![
        Story::new("R7 through this province")
            .fact(Entry, 35, ANCHOR)
            .negatives(&["2022-08-30 09:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .from("2022-08-31 00:00", Green),
        Story::new("R7 through another: green until day 8")
            .fact(Entry, 33, ANCHOR)
            .negatives(&["2022-08-25 09:00"])
            .from(ANCHOR, Green)
            .from("2022-08-28 00:00", Yellow)
            .from("2022-08-31 00:00", Green),
        Story::new("R7 through another, yellow until a negative")
            .fact(Entry, 33, ANCHOR)
            .negatives(&["2022-09-05 09:00"])
            .from("2022-08-28 00:00", Yellow)
            .probe("2022-08-31 00:00")
            .from("2022-09-05 09:00", Green),
    ]
}

fn two_tests() -> Vec<Story> {
    let once = |name| Story::new(name).fact(ColdChainOnce, 35, ANCHOR);
    let visit = |name| Story::new(name).fact(FeverClinic, 35, ANCHOR);
    vec![
        once("Y1 two negatives 24 hours apart")
            .negatives(&["2022-08-20 12:00", "2022-08-21 12:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-21 12:00", Green),
        once("Y1 a minute less than 24 hours is not enough")
            .negatives(&["2022-08-20 12:00", "2022-08-21 11:59", "2022-08-22 11:59"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-21 12:00")
            .from("2022-08-22 11:59", Green),
        once("Y1 a test between the two does no harm")
            .negatives(&["2022-08-20 12:00", "2022-08-21 02:00", "2022-08-21 12:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-21 12:00", Green),
        once("Y1 72 hours are 3 days")
            .negatives(&["2022-08-20 12:00", "2022-08-23 12:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-23 12:00", Green),
        once("Y1 a minute more is too late, and the window opens again with every test")
            .negatives(&["2022-08-20 12:00", "2022-08-23 12:01", "2022-08-24 12:01"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-23 12:01")
            .from("2022-08-24 12:01", Green),
        once("Y1 a test before the goods does not count")
            .negatives(&["2022-08-20 09:59", "2022-08-21 10:00", "2022-08-22 10:00"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-21 10:00")
            .from("2022-08-22 10:00", Green),
        once("Y1 it does not end by itself")
            .from(ANCHOR, Yellow)
            .probe("2022-12-31 00:00"),
        Story::new("Y1 who touches them as work")
            .fact(ColdChainFrequent, 35, ANCHOR)
            .negatives(&["2022-08-21 10:00", "2022-08-22 10:00"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-22 10:00")
            .from("2022-08-28 00:00", Green),
        visit("Y2 the visit's test counts")
            .negatives(&["2022-08-20 09:30", "2022-08-21 09:30"])
            .from(ANCHOR, Yellow)
            .from("2022-08-21 09:30", Green),
        visit("Y2 four hours before the visit was recorded")
            .negatives(&["2022-08-20 06:00", "2022-08-21 06:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-21 06:00", Green),
        visit("Y2 a minute more is another test")
            .negatives(&["2022-08-20 05:59", "2022-08-21 05:59", "2022-08-22 05:59"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-21 05:59")
            .from("2022-08-22 05:59", Green),
    ]
}

fn lists() -> Vec<Story> {
    let mut stories = Vec::new();
    for (tested, lapses, kind) in [
        ("Y3 two negatives", "Y3 lapses", PossibleLink),
        ("Y5 two negatives", "Y5 lapses", AssistList),
        ("Y6 two negatives", "Y6 lapses", PotentialRisk),
    ] {
        stories.push(
            Story::new(tested)
                .fact(kind, 35, ANCHOR)
                .negatives(&["2022-08-20 12:00", "2022-08-21 12:00"])
                .from(ANCHOR, Yellow)
                .from("2022-08-21 12:00", Green),
        );
        stories.push(
            Story::new(lapses)
                .fact(kind, 33, ANCHOR)
                .from(ANCHOR, Yellow)
                .from("2022-09-04 00:00", Green),
        );
    }
    stories.extend([
        Story::new("Y6 seven full days and one negative")
            .fact(PotentialRisk, 35, ANCHOR)
            .negatives(&["2022-08-22 10:00"])
            .from(ANCHOR, Yellow)
            .from("2022-08-28 00:00", Green),
        Story::new("Y5 one negative is not enough")
            .fact(AssistList, 35, ANCHOR)
            .negatives(&["2022-08-22 10:00"])
            .from(ANCHOR, Yellow)
            .probe("2022-08-28 00:00")
            .from("2022-09-04 00:00", Green),
        Story::new("Y7 twelve hours")
            .fact(PooledTube, 35, ANCHOR)
            .from(ANCHOR, Yellow)
            .from("2022-08-20 22:00", Green),
        Story::new("Y7 over midnight")
            .fact(PooledTube, 35, "2022-08-20 20:00")
            .from("2022-08-20 20:00", Yellow)
            .from("2022-08-21 08:00", Green),
        Story::new("Y7 the tube is cleared")
            .fact(PooledTube, 35, ANCHOR)
            .ended("2022-08-20 15:00")
            .from(ANCHOR, Yellow)
            .from("2022-08-20 15:00", Green),
        Story::new("Y7 beside R3: the worst counts")
            .fact(CloseContact, 35, ANCHOR)
            .fact(PooledTube, 35, "2022-08-30 18:00")
            .negatives(&["2022-08-30 09:00"])
            .from(ANCHOR, Red)
            .from("2022-08-28 00:00", Yellow)
            .probe("2022-08-31 00:00")
            .from("2022-08-31 06:00", Green),
    ]);
    stories
}

fn nothing() -> Vec<Story> {
    vec![
        Story::new("no data at all is green").probe("2022-08-20 10:00"),
        Story::new("symptoms are not named")
            .fact(Symptoms, 0, "2022-08-20 00:00")
            .probe("2022-08-20 10:00"),
        Story::new("a stay in a low-risk area")
            .listed(Grade::Low, "2022-08-18 00:00", "2022-08-25 00:00")
            .stay(ANCHOR, "2022-08-21 10:00")
            .probe("2022-08-20 10:00")
            .probe("2022-08-21 10:00"),
    ]
}
