//! Rule sets as the entries of a log announce them, and what it counts of each: whom it changes, and whether that was told in time.

use std::collections::BTreeMap;

use ledger::log::{Entry, ImpactCount, RuleSetNotice};
use rules::Minute;
use serde::Serialize;

/// Least minutes of notice.
const NOTICE_MIN: u32 = 2 * 1_440;

/// Whether it was told whom a rule set changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// It was there before the log told of an epoch.
    Founding,
    /// Its table was announced before, for the same province and from the same minute on, and has another end.
    Redated,
    /// It was withdrawn.
    Withdrawn,
    /// It was counted before it was in force, and before the log told of a time at which it was.
    InTime,
    /// It was counted after; whatever minute the count bears.
    Late,
    /// It was not counted, and is not in force at the log's last epoch.
    Due,
    /// It was not counted, and is.
    Missing,
}

/// The count of a rule set, and the latest time that the log had told of before it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// What was counted.
    pub count: ImpactCount,
    told: Option<Minute>,
}

impl Counted {
    /// Whether it was published before a minute. Which minute it bears is the node's own word; the times of tree heads and
    /// registries other provinces hold against their clocks.
    pub fn is_before(&self, from: Minute) -> bool {
        self.count.at < from && self.told.is_none_or(|told| told < from)
    }
}

/// A rule set as it was announced.
#[derive(Clone, Debug)]
pub struct Announced {
    /// What the log says of it.
    pub notice: RuleSetNotice,
    /// The latest time that the log told of before it, if any.
    after: Option<Minute>,
    is_known_table: bool,
    is_withdrawn: bool,
}

impl Announced {
    /// Whether it came with less than the notice it needs.
    pub fn is_short(&self) -> bool {
        let notice = &self.notice;
        let latest = notice.from.saturating_add_signed(-i64::from(NOTICE_MIN));
        let excused = notice.is_emergency || self.is_known_table;
        !excused && self.after.is_some_and(|after| after > latest)
    }
}

/// What the entries so far say of rule sets.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    announced: Vec<Announced>,
    /// By the SHA-256 of the text.
    counted: BTreeMap<[u8; 32], Counted>,
    /// The latest time that the log told of.
    told: Option<Minute>,
    /// Whether something was forgotten.
    is_cut: bool,
}

impl Sets {
    /// Takes the next entry. Says what must not be.
    pub fn take(&mut self, entry: &Entry) -> Option<String> {
        self.told = self.told.max(entry.told_time());
        match entry {
            Entry::RuleSet(notice) => self.announce(notice),
            Entry::RuleSetWithdrawn(gone) => {
                let mut same = self.announced.iter_mut().rev();
                if let Some(set) = same.find(|set| set.notice == *gone) {
                    set.is_withdrawn = true;
                }
            }
            Entry::Impact(count) => {
                // The first is what was told; a second is wrong, and tells nothing.
                if self.counted.contains_key(&count.set.text_sha256) {
                    return Some(format!("two counts of the rule set {}", count.set.name));
                }
                let (count, told) = (count.clone(), self.told);
                let text = count.set.text_sha256;
                self.counted.insert(text, Counted { count, told });
            }
            _ => {}
        }
        None
    }

    fn announce(&mut self, notice: &RuleSetNotice) {
        let key = |of: &RuleSetNotice| (of.scope, of.digest, of.from);
        let mut known = self.announced.iter();
        let is_known_table = known.any(|other| key(&other.notice) == key(notice));
        self.announced.push(Announced {
            notice: notice.clone(),
            after: self.told,
            is_known_table,
            is_withdrawn: false,
        });
    }

    /// Forgets the oldest announcements and counts beyond a number of each.
    pub fn keep_newest(&mut self, most: usize) {
        let surplus = self.announced.len().saturating_sub(most);
        self.announced.drain(..surplus);
        self.is_cut |= surplus > 0;
        while self.counted.len() > most {
            let oldest = self.counted.iter().min_by_key(|(_, of)| of.count.at);
            let Some(text) = oldest.map(|(text, _)| *text) else {
                return;
            };
            self.counted.remove(&text);
            self.is_cut = true;
        }
    }

    /// Whether something was forgotten: what is not found may have been there.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// All that was announced, in the order of the log.
    pub fn announced(&self) -> &[Announced] {
        &self.announced
    }

    /// What was counted of a rule set, by the SHA-256 of its text.
    pub fn count_of(&self, text_sha256: &[u8; 32]) -> Option<&Counted> {
        self.counted.get(text_sha256)
    }

    /// All that was counted.
    pub fn counted(&self) -> impl Iterator<Item = &Counted> {
        self.counted.values()
    }

    /// What came of an announcement by the latest time that the log tells of.
    pub fn told(&self, set: &Announced) -> Told {
        let notice = &set.notice;
        let is_founding = set.after.is_none();
        match self.count_of(&notice.text_sha256) {
            _ if set.is_withdrawn => Told::Withdrawn,
            Some(counted) if counted.is_before(notice.from) => Told::InTime,
            Some(_) => Told::Late,
            None if set.is_known_table => Told::Redated,
            None if is_founding && self.told.is_none_or(|last| notice.from <= last) => {
                Told::Founding
            }
            None if self.told.is_none_or(|last| last < notice.from) => Told::Due,
            None => Told::Missing,
        }
    }
}
