//! What a writer has said, and whether the rows found afterwards agree with it.

use crate::load::{Model, Rows, made_as_told, rows_of};

/// A thread: its rows as far as they were acknowledged, and how many batches it had begun.
#[derive(Clone)]
struct Thread {
    acknowledged: Model,
    begun: u64,
    /// What its rows held when a killed writer's successor was started; certain once that has opened the store.
    found: u64,
}

/// All threads of a writer, and what else it said.
#[derive(Clone)]
pub(crate) struct Progress {
    seed: u64,
    threads: Vec<Thread>,
    /// Commits acknowledged since the beginning.
    pub(crate) acknowledged: u64,
    /// The last stage that the writer was in: opening, writing, closing; and whether it compacts.
    pub(crate) stage: Stage,
    /// Whether it compacts.
    pub(crate) compacting: bool,
    /// Compactions done.
    pub(crate) compactions: u64,
    /// Refusals, as errors say them.
    pub(crate) refusals: Vec<String>,
    /// What a right writer over a right store never says.
    pub(crate) wrong: Vec<String>,
}

/// Where a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not yet at the store.
    Starting,
    /// In [`store::DiskStore::open`].
    Opening,
    /// Committing.
    Writing,
    /// Giving the store back.
    Closing,
}

impl Progress {
    /// Threads that have made some batches already.
    pub(crate) fn new(seed: u64, from: &[u64]) -> Self {
        let thread = |(number, made): (u8, &u64)| Thread {
            acknowledged: Model::after(seed, number, *made),
            begun: *made,
            found: *made,
        };
        Self {
            seed,
            threads: (0..).zip(from).map(thread).collect(),
            acknowledged: 0,
            stage: Stage::Starting,
            compacting: false,
            compactions: 0,
            refusals: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Takes in a line of a writer.
    pub(crate) fn hear(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "opening" => self.stage = Stage::Opening,
            "opened" => {
                self.stage = Stage::Writing;
                // What a reader may have seen must not be gone later.
                for thread in &mut self.threads {
                    while thread.acknowledged.made < thread.found {
                        thread.acknowledged.advance();
                    }
                }
            }
            "closing" => self.stage = Stage::Closing,
            "closed" => self.stage = Stage::Starting,
            "compacting" => self.compacting = true,
            "compacted" => {
                self.compacting = false;
                self.compactions += 1;
            }
            "refusal" => {
                self.compacting &= !rest.starts_with("compaction");
                self.refusals.push(rest.to_owned());
            }
            "begun" | "acknowledged" | "conflict" => self.hear_of_batch(word, rest, line),
            _ => self.wrong.push(format!("the writer said {line:?}")),
        }
    }

    fn hear_of_batch(&mut self, word: &str, rest: &str, line: &str) {
        let numbers = rest.split_once(' ');
        let parsed = numbers.and_then(|(t, n)| Some((t.parse().ok()?, n.parse::<u64>().ok()?)));
        let thread = parsed.and_then(|(t, n): (usize, _)| Some((self.threads.get_mut(t)?, n)));
        let Some((thread, number)) = thread else {
            self.wrong.push(format!("the writer said {line:?}"));
            return;
        };
        if word == "begun" {
            // After a refusal the same batch may be begun again.
            thread.begun = number + 1;
            return;
        }
        if number != thread.acknowledged.made {
            self.wrong.push(format!("{line:?} out of turn"));
            return;
        }
        let took_effect = thread.acknowledged.advance();
        if took_effect != (word == "acknowledged") {
            self.wrong
                .push(format!("{line:?}, and the other answer was right"));
        }
        self.acknowledged += 1;
    }

    /// Whether rows are what was acknowledged, or one begun batch more for each thread: how many batches they hold, or
    /// what is wrong.
    pub(crate) fn check(&self, rows: &Rows) -> Result<Vec<u64>, String> {
        let threads = (0..).zip(&self.threads);
        let made = threads.map(|(number, thread)| self.check_thread(rows, number, thread));
        let made = made.collect::<Result<Vec<_>, _>>()?;
        let strays = rows
            .keys()
            .filter(|(_, key)| usize::from(key[0]) >= self.threads.len());
        match strays.count() {
            0 => Ok(made),
            strays => Err(format!("torn: {strays} rows that nobody wrote")),
        }
    }

    fn check_thread(&self, rows: &Rows, number: u8, thread: &Thread) -> Result<u64, String> {
        let found = rows_of(rows, number);
        let mut state = thread.acknowledged.clone();
        loop {
            if state.rows == found {
                return Ok(state.made);
            }
            if state.made >= thread.begun {
                break;
            }
            state.advance();
        }
        let told = made_as_told(&found, number);
        let acknowledged = thread.acknowledged.made;
        // Batches that were refused since say nothing, so those before are looked at, too.
        let before = (0..acknowledged).rev().take(8).chain([told]);
        let old = before
            .map(|made| Model::after(self.seed, number, made))
            .find(|model| model.rows == found);
        Err(match old {
            Some(old) => format!(
                "lost: thread {number} has its rows after {} batches and {acknowledged} were acknowledged",
                old.made
            ),
            None => format!(
                "torn: thread {number} has rows of no state between {acknowledged} and {} batches; the last is of {told}",
                thread.begun
            ),
        })
    }

    /// A new writer goes on from what the rows held: that counts as acknowledged now.
    pub(crate) fn begin_again(&mut self, made: &[u64]) {
        for (thread, made) in self.threads.iter_mut().zip(made) {
            while thread.acknowledged.made < *made {
                thread.acknowledged.advance();
            }
            thread.begun = *made;
            thread.found = *made;
        }
        self.acknowledged = 0;
        self.compactions = 0;
        self.refusals.clear();
        self.wrong.clear();
        self.killed();
    }

    /// The writer was killed, and another goes on from what was found.
    pub(crate) fn go_on(&mut self, found: &[u64]) {
        for (thread, found) in self.threads.iter_mut().zip(found) {
            thread.found = *found;
        }
        self.killed();
    }

    fn killed(&mut self) {
        self.compacting = false;
        self.stage = Stage::Starting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(progress: &mut Progress, until: u64) -> Rows {
        let mut model = Model::after(9, 0, 0);
        for number in 0..until {
            progress.hear(&format!("begun 0 {number}"));
            let word = if model.advance() {
                "acknowledged"
            } else {
                "conflict"
            };
            progress.hear(&format!("{word} 0 {number}"));
        }
        model.rows
    }

    #[test]
    fn rows_before_torn_and_ahead_are_told_apart() {
        let mut progress = Progress::new(9, &[0]);
        let rows = hear(&mut progress, 100);
        assert_eq!(progress.check(&rows), Ok(vec![100]));
        assert!(progress.wrong.is_empty());
        let mut next = Model::after(9, 0, 100);
        assert!(next.advance());
        assert!(progress.check(&next.rows).is_err(), "not begun");
        progress.hear("begun 0 100");
        assert_eq!(progress.check(&next.rows), Ok(vec![101]));
        let old = Model::after(9, 0, 90).rows;
        assert!(progress.check(&old).unwrap_err().starts_with("lost"));
        let mut torn = rows.clone();
        torn.pop_first();
        assert!(progress.check(&torn).unwrap_err().starts_with("torn"));
        assert!(
            progress
                .check(&Rows::new())
                .unwrap_err()
                .starts_with("lost")
        );
    }

    #[test]
    fn an_answer_that_is_not_due_is_noticed() {
        let mut progress = Progress::new(9, &[0]);
        hear(&mut progress, 10);
        progress.hear("acknowledged 0 12");
        progress.hear("acknowledged 7 1");
        progress.hear("nonsense");
        assert_eq!(progress.wrong.len(), 3);
    }
}
