//! `auditor counts`, run as a user runs it.
#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::{Command, Output};

use commitment::{Epoch, Fr, ProvinceCode, Slot};
use ed25519_dalek::SigningKey;
use ledger::log::{
    AppealCounts, ColourCell, ColourCounts, CountedSet, Entry, ImpactCell, ImpactCount, Log,
    LogSigner, RetentionCounts, Rounded, RuleSetNotice, SourceCounts, bundle,
};
use ledger::{HeadHash, RuleSetsDigest, TreeHead};
use rules::Minute;
use tempfile::TempDir;

const DAY: u32 = 1_440;
/// 29 August 2022, 00:00 in UTC+8.
const START: u32 = 27_695_040;

fn minute(at: u32) -> Minute {
    Minute::new(at).unwrap()
}

fn province() -> ProvinceCode {
    ProvinceCode::new(33).unwrap()
}

fn head(at: u32) -> Entry {
    let head = TreeHead {
        province: province(),
        slot: Slot::new(1).unwrap(),
        epoch: Epoch::new(at),
        head_time: minute(at),
        state_root: Fr::from(1),
        leaf_count: 40,
        rule_sets: RuleSetsDigest::of(&[Fr::from(1)]),
        previous: HeadHash::NONE,
    };
    Entry::TreeHead(head.sign(&SigningKey::from_bytes(&[7; 32])))
}

fn notice(version: u8, from: u32) -> RuleSetNotice {
    RuleSetNotice {
        name: "zj-2022-09".to_owned(),
        version: version.into(),
        scope: province(),
        digest: Fr::from(u64::from(version)),
        text_sha256: [version; 32],
        announced: minute(START),
        from: minute(from),
        until: Minute::MAX,
        is_emergency: false,
    }
}

fn counted(version: u8) -> CountedSet {
    let notice = notice(version, START);
    CountedSet {
        name: notice.name,
        version: notice.version,
        scope: notice.scope,
        digest: notice.digest,
        text_sha256: notice.text_sha256,
    }
}

fn impact(version: u8, at: u32) -> Entry {
    Entry::Impact(ImpactCount {
        at: minute(at),
        residents: Rounded::of(40),
        set: counted(version),
        before: Some(counted(1)),
        cells: vec![ImpactCell {
            from: 0,
            to: 2,
            rule: "H5".to_owned(),
            people: Rounded::of(17),
        }],
    })
}

fn day(number: u16) -> Entry {
    Entry::Colours(ColourCounts {
        day: minute(START).day().get() + number,
        residents: Rounded::of(40),
        set: counted(1),
        cells: vec![ColourCell {
            colour: 2,
            rule: "H1".to_owned(),
            people: Rounded::of(3),
        }],
    })
}

fn sources(number: u16, part: u8, parts: u8) -> Entry {
    Entry::Sources(SourceCounts {
        day: minute(START).day().get() + number,
        part,
        parts,
        cells: Vec::new(),
    })
}

fn appeals(number: u16) -> Entry {
    Entry::Appeals(AppealCounts {
        day: minute(START).day().get() + number,
        came: Rounded::of(77),
        upheld: [12, 0, 0, 0, 0, 0].map(Rounded::of),
        dismissed: [0, 0, 0, 0, 31, 0].map(Rounded::of),
        waiting: Rounded::of(22),
        overdue: Rounded::of(3),
    })
}

fn retention(number: u16) -> Entry {
    Entry::Retention(RetentionCounts {
        day: minute(START).day().get() + number,
        horizon_days: 60,
        events: Rounded::of(123),
        erased: Rounded::of(2),
    })
}

/// A log with an old set, a new one that is told in time, and two days with a gap between them.
fn sound() -> Vec<Entry> {
    vec![
        Entry::RuleSet(notice(1, START - 900 * DAY)),
        head(START),
        Entry::RuleSet(notice(2, START + 3 * DAY)),
        impact(2, START + 10),
        day(0),
        head(START + 3 * DAY),
        day(2),
    ]
}

struct Case {
    dir: TempDir,
    files: Vec<String>,
}

impl Case {
    fn new(entries: &[Entry]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<Vec<u8>> = entries.iter().map(Entry::to_bytes).collect();
        let mut log = Log::default();
        for entry in &bytes {
            log.append(entry).unwrap();
        }
        let mut files = Vec::new();
        for (number, part) in bytes.chunks(4).enumerate() {
            let name = format!("{number:03}");
            let part = bundle(part.iter().map(Vec::as_slice)).unwrap();
            std::fs::write(dir.path().join(&name), part).unwrap();
            files.push(name);
        }
        let signer = LogSigner::derive(&[9; 32]);
        let keys = signer.public(province(), Slot::new(1).unwrap(), 1);
        let key = keys.log_key("test").unwrap();
        let signed = signer.sign(log.size(), log.root().unwrap(), &key).unwrap();
        std::fs::write(dir.path().join("checkpoint"), signed.to_bytes()).unwrap();
        let policy = format!("log {}\nquorum none\n", key.to_vkey());
        std::fs::write(dir.path().join("policy"), policy).unwrap();
        Self { dir, files }
    }

    fn run(&self, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_auditor"))
            .arg("counts")
            .args(&self.files)
            .args(more)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// Exit code, and what is said to be wrong.
fn judged(entries: &[Entry]) -> (Option<i32>, String) {
    let output = Case::new(entries).run(&[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_log_that_told_in_time_is_read_and_its_checkpoint_recomputed() {
    let case = Case::new(&sound());
    let output = case.run(&["--checkpoint", "checkpoint", "--policy", "policy", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let story: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(story["rule_sets"][0]["told"], "founding");
    assert_eq!(story["rule_sets"][1]["told"], "in-time");
    assert_eq!(story["rule_sets"][1]["changes"][0]["people"], "20");
    assert_eq!(story["days"][0]["cells"][0]["people"], "<10");
    assert_eq!(story["days_missing"], 1);
    let text = String::from_utf8(case.run(&[]).stdout).unwrap();
    assert!(
        text.contains("published before") && text.contains("green -> red by H5"),
        "{text}"
    );
    // Not all of the entries, others, or somebody else's signature.
    let mut short = Case::new(&sound());
    short.files.pop();
    assert_eq!(
        short.run(&["--checkpoint", "checkpoint"]).status.code(),
        Some(3)
    );
    let mut others = sound();
    others.swap(4, 6);
    let other = Case::new(&others);
    std::fs::copy(case.path("checkpoint"), other.path("checkpoint")).unwrap();
    assert_eq!(
        other.run(&["--checkpoint", "checkpoint"]).status.code(),
        Some(3)
    );
    let strange = LogSigner::derive(&[8; 32]).public(province(), Slot::new(1).unwrap(), 1);
    let vkey = strange.log_key("test").unwrap().to_vkey();
    std::fs::write(case.path("policy"), format!("log {vkey}\nquorum none\n")).unwrap();
    let output = case.run(&["--checkpoint", "checkpoint", "--policy", "policy"]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn what_was_told_late_or_not_or_twice_or_with_too_little_notice_is_found() {
    assert_eq!(judged(&sound()).0, Some(0));
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = sound();
        change(&mut entries);
        judged(&entries)
    };
    let (code, said) = with(&|e| drop(e.remove(3)));
    assert!(code == Some(1) && said.contains("not counted"), "{said}");
    let (code, said) = with(&|e| e[3] = impact(2, START + 3 * DAY));
    assert!(
        code == Some(1) && said.contains("counted when it was in force"),
        "{said}"
    );
    // Its own minute says nothing where the log has told of a later time before it.
    let (code, said) = with(&|e| {
        let count = e.remove(3);
        e.push(count);
    });
    assert!(
        code == Some(1) && said.contains("in time by its own minute"),
        "{said}"
    );
    let (code, said) = with(&|e| e.push(impact(2, START + 20)));
    assert!(
        code == Some(1) && said.contains("two counts of the rule set"),
        "{said}"
    );
    let (code, said) = with(&|e| e.push(day(2)));
    assert!(
        code == Some(1) && said.contains("two counts of one day"),
        "{said}"
    );
    let sudden = notice(2, START + DAY);
    let (code, said) = with(&|e| e[2] = Entry::RuleSet(sudden.clone()));
    assert!(code == Some(1) && said.contains("48 hours"), "{said}");
    // Flagged it may be sudden; withdrawn, or not in force yet, it need not be counted.
    let mut flagged = sudden.clone();
    flagged.is_emergency = true;
    let (code, said) = with(&|e| e[2] = Entry::RuleSet(flagged.clone()));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = with(&|e| e[3] = Entry::RuleSetWithdrawn(notice(2, START + 3 * DAY)));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = with(&|e| {
        e.remove(3);
        e.remove(4);
    });
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn parts_of_the_counts_by_source_that_are_there_twice_or_not_at_all_are_found() {
    let after_the_day = |parts: &[Entry]| {
        let mut entries = sound();
        entries.splice(5..5, parts.iter().cloned());
        judged(&entries)
    };
    assert_eq!(after_the_day(&[sources(0, 0, 1)]).0, Some(0));
    let both = [sources(0, 0, 2), sources(0, 1, 2)];
    assert_eq!(after_the_day(&both).0, Some(0));
    for (parts, what) in [
        (
            vec![sources(0, 0, 1), sources(0, 0, 1)],
            "part 0 of the counts by source twice",
        ),
        (vec![sources(0, 0, 2)], "1 of 2 parts"),
        (vec![sources(0, 0, 2), sources(0, 1, 3)], "of two lengths"),
    ] {
        let (code, said) = after_the_day(&parts);
        assert!(code == Some(1) && said.contains(what), "{said}");
    }
    // At the end of what was read more may follow.
    let mut cut = sound();
    cut.extend([day(3), sources(3, 0, 2)]);
    assert_eq!(judged(&cut).0, Some(0));
}

/// A log from before there were such counts, that goes on with two days of them.
fn with_appeals() -> Vec<Entry> {
    let mut entries = sound();
    entries.extend([day(3), appeals(3), retention(3)]);
    entries.extend([day(4), appeals(4), retention(4), head(START + 5 * DAY)]);
    entries
}

#[test]
fn appeals_and_what_was_kept_no_longer_are_told_with_what_each_number_can_stand_for() {
    let case = Case::new(&with_appeals());
    let output = case.run(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let story: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = &story["appeals"][0];
    assert_eq!(told["day"], "2022-09-01");
    assert_eq!(told["came"], "80");
    assert_eq!(told["upheld"]["by_wait"][0]["appeals"], "10");
    assert_eq!(told["upheld"]["appeals"], "10 to 59");
    assert_eq!(told["dismissed"]["by_wait"][4]["wait"], "late-24h");
    assert_eq!(told["late"], "25 to 61");
    assert_eq!(
        (&told["waiting"], &told["overdue"]),
        (&"20".into(), &"<10".into())
    );
    let left = &story["retention"][1];
    assert_eq!(
        (&left["events"], &left["erased"]),
        (&"120".into(), &"<10".into())
    );
    assert_eq!(
        (&left["day"], &left["first_day"]),
        (&"2022-09-02".into(), &"2022-07-04".into())
    );
    assert_eq!(
        story["retention_missing"],
        serde_json::json!([]),
        "before there were any"
    );
    let text = String::from_utf8(case.run(&[]).stdout).unwrap();
    for told in ["80 came", "60 days are kept, from 2022-07-04 on"] {
        assert!(text.contains(told), "{text}");
    }
    assert!(!text.contains("NOTHING LEFT"), "{text}");
}

#[test]
fn appeals_or_retention_that_are_missing_or_told_twice_are_found() {
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = with_appeals();
        change(&mut entries);
        entries
    };
    for (entries, what) in [
        (with(&|e| e.insert(9, appeals(3))), "two counts of appeals"),
        (
            with(&|e| e.push(retention(4))),
            "told twice what was kept no longer",
        ),
        (
            with(&|e| drop(e.remove(11))),
            "2022-09-02: counted, and no appeals",
        ),
    ] {
        let (code, said) = judged(&entries);
        assert!(code == Some(1) && said.contains(what), "{said}");
    }
    // Where the job did not run nothing is told twice or late: the day is named.
    let idle = Case::new(&with(&|e| drop(e.remove(12))));
    let output = idle.run(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("NOTHING LEFT ON 2022-09-02:"), "{text}");
    // At the end of what was read more may follow.
    let (code, said) = judged(&with(&|e| e.truncate(11)));
    assert_eq!(code, Some(0), "{said}");
}
