use ledger::log::{AppealCounts, RetentionCounts, Rounded};
use wire::public::v1::AppealWait;

use super::*;

fn told_of(day: u16) -> [Entry; 2] {
    let appeals = AppealCounts {
        day,
        came: Rounded::of(77),
        upheld: [12, 0, 0, 0, 0, 0].map(Rounded::of),
        dismissed: [0, 0, 0, 0, 31, 0].map(Rounded::of),
        waiting: Rounded::of(22),
        overdue: Rounded::of(3),
    };
    let retention = RetentionCounts {
        day,
        horizon_days: 60,
        events: Rounded::of(1_230),
        erased: Rounded::of(2),
    };
    [Entry::Appeals(appeals), Entry::Retention(retention)]
}

#[tokio::test]
async fn appeals_and_what_was_kept_no_longer_stand_beside_their_day_and_a_second_one_is_named() {
    let mut log = entries(1);
    let day = log.iter().rev().find_map(|entry| match entry {
        Entry::Colours(counts) => Some(counts.day),
        _ => None,
    });
    let first = told_of(day.unwrap());
    let mut second = first.clone();
    if let [Entry::Appeals(appeals), Entry::Retention(retention)] = &mut second {
        appeals.came = Rounded::FEW;
        retention.events = Rounded::FEW;
    }
    log.extend(first.into_iter().chain(second));
    let mirrors = Mirrors::start(vec![files(1, &log)]).await;
    let watch = watching(&mirrors.urls);
    let wrong = seen(&watch).await.slots[0].log.clone().unwrap().wrong;
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    let counts = counted::days(&watch.state(), 1);
    let [.., before, newest] = &counts.days[..] else {
        panic!("{counts:?}")
    };
    assert!(before.appeals.is_none() && before.retention.is_none());
    let appeals = newest.appeals.as_ref().unwrap();
    let came = appeals.came.as_ref().unwrap();
    assert_eq!((came.least, came.most), (75, 84));
    let late = appeals.decided.iter();
    let late: Vec<u32> = late
        .filter(|cell| !cell.is_upheld && cell.wait() == AppealWait::LateDay)
        .filter_map(|cell| Some(cell.appeals.as_ref()?.least))
        .collect();
    assert_eq!((appeals.decided.len(), late), (12, vec![25]));
    let left = newest.retention.as_ref().unwrap();
    assert_eq!((left.horizon_days, left.first_day + 60), (60, newest.day));
    assert_eq!(left.events.as_ref().map(|count| count.least), Some(1_225));
}
