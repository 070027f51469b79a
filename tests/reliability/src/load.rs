//! What is written: batches that follow from a seed, a thread and a number, and what rows they leave behind.
//! Each thread has keys of its own, so that its rows are right whatever the order among threads.

use std::collections::BTreeMap;

use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use store::{Batch, Change, MAX_KEY_LEN_BYTES, MAX_VALUE_LEN_BYTES, Store, StoreError, Table};

/// Tables that rows are spread over.
const TABLES: [Table; 3] = [Table::Events, Table::Uses, Table::Passes];
/// Small rows of a thread.
const KEYS: u16 = 40;
/// Rows of a thread whose values are up to the limit.
const BIG_KEYS: u16 = 4;

/// Rows by table number and key.
pub(crate) type Rows = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// One change of a batch.
enum Step {
    Put(Vec<u8>),
    /// Replaced if it is there, otherwise left alone.
    Renew(Vec<u8>),
    /// The whole batch is refused if it is there.
    PutNew(Vec<u8>),
    Delete,
}

/// The row that tells how many batches a thread has made; all that are not refused write it.
fn last_key(thread: u8) -> Vec<u8> {
    vec![thread]
}

fn key(thread: u8, index: u16) -> Vec<u8> {
    let mut key = vec![thread, 1];
    key.extend_from_slice(&index.to_be_bytes());
    // Some are as long as keys may be.
    key.resize((4 + usize::from(index) * 3).min(MAX_KEY_LEN_BYTES), 0x6b);
    key
}

fn value(rng: &mut ChaCha8Rng, number: u64, len: usize) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(len.max(8), 0);
    rng.fill_bytes(&mut value[8..]);
    value
}

/// The changes of a batch; no key twice.
fn steps(seed: u64, thread: u8, number: u64) -> BTreeMap<(Table, Vec<u8>), Step> {
    let mut whole = [0; 32];
    whole[..8].copy_from_slice(&seed.to_le_bytes());
    whole[8] = thread;
    whole[16..24].copy_from_slice(&number.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(whole);
    let mut steps = BTreeMap::new();
    for _ in 0..rng.random_range(1..=6) {
        let big = rng.random_ratio(1, 24);
        let (index, len) = if big {
            let index = KEYS + rng.random_range(0..BIG_KEYS);
            (index, rng.random_range(20_000..=MAX_VALUE_LEN_BYTES))
        } else {
            (rng.random_range(0..KEYS), rng.random_range(0..1_500))
        };
        let new = value(&mut rng, number, len);
        let step = match rng.random_range(0..100) {
            0..58 => Step::Put(new),
            58..76 => Step::Delete,
            76..94 => Step::Renew(new),
            _ => Step::PutNew(new),
        };
        let table = TABLES[usize::from(index) % TABLES.len()];
        steps.insert((table, key(thread, index)), step);
    }
    let last = Step::Put(number.to_be_bytes().to_vec());
    steps.insert((TABLES[0], last_key(thread)), last);
    steps
}

/// The batch as a store takes it, which depends on what the store holds.
pub(crate) fn batch(
    seed: u64,
    thread: u8,
    number: u64,
    store: &dyn Store,
) -> Result<Batch, StoreError> {
    let mut batch = Batch::default();
    for ((table, key), step) in steps(seed, thread, number) {
        let change = match step {
            Step::Put(new) => Change::Put(new),
            Step::PutNew(new) => Change::PutNew(new),
            Step::Delete => Change::Delete,
            Step::Renew(new) => match store.get(table, &key)? {
                Some(old) => Change::Replace(old, new),
                None => continue,
            },
        };
        batch.push(table, key, change);
    }
    Ok(batch)
}

/// A thread's rows after some number of its batches.
#[derive(Clone)]
pub(crate) struct Model {
    seed: u64,
    thread: u8,
    /// Batches made.
    pub(crate) made: u64,
    /// Rows left behind.
    pub(crate) rows: Rows,
}

impl Model {
    /// After the first `made` batches.
    pub(crate) fn after(seed: u64, thread: u8, made: u64) -> Self {
        let mut model = Self {
            seed,
            thread,
            made: 0,
            rows: Rows::new(),
        };
        while model.made < made {
            model.advance();
        }
        model
    }

    /// One batch more; whether it took effect, and was not refused.
    pub(crate) fn advance(&mut self) -> bool {
        let steps = steps(self.seed, self.thread, self.made);
        self.made += 1;
        let taken = |(table, key): &(Table, Vec<u8>), step: &Step| {
            matches!(step, Step::PutNew(_)) && self.rows.contains_key(&(table.code(), key.clone()))
        };
        if steps.iter().any(|(row, step)| taken(row, step)) {
            return false;
        }
        for ((table, key), step) in steps {
            let row = (table.code(), key);
            match step {
                Step::Put(new) | Step::PutNew(new) => {
                    self.rows.insert(row, new);
                }
                Step::Renew(new) => {
                    self.rows.entry(row).and_modify(|value| *value = new);
                }
                Step::Delete => {
                    self.rows.remove(&row);
                }
            }
        }
        true
    }
}

/// The rows of one thread among all.
pub(crate) fn rows_of(rows: &Rows, thread: u8) -> Rows {
    let own = rows.iter().filter(|((_, key), _)| key[0] == thread);
    own.map(|(row, value)| (row.clone(), value.clone()))
        .collect()
}

/// How many batches a thread had made when its rows were written, as they themselves say.
pub(crate) fn made_as_told(rows: &Rows, thread: u8) -> u64 {
    let last = rows.get(&(TABLES[0].code(), last_key(thread)));
    let number = last.and_then(|value| value[..].try_into().ok());
    number.map_or(0, |number| u64::from_be_bytes(number) + 1)
}

#[cfg(test)]
mod tests {
    use store::MemoryStore;

    use super::*;

    #[test]
    fn the_model_says_what_a_store_holds_and_refuses() {
        let store = MemoryStore::default();
        let mut model = Model::after(5, 3, 0);
        let mut refused = 0;
        for number in 0..2_000 {
            let batch = batch(5, 3, number, &store).unwrap();
            let committed = store.commit(batch);
            let conflict = matches!(committed, Err(StoreError::Conflict(_)));
            assert!(committed.is_ok() || conflict, "{committed:?}");
            assert_eq!(committed.is_ok(), model.advance(), "{committed:?}");
            refused += u32::from(committed.is_err());
        }
        assert!((50..1_000).contains(&refused), "{refused}");
        let mut rows = Rows::new();
        for table in TABLES {
            for (key, value) in store.scan(table, b"", None, usize::MAX).unwrap() {
                rows.insert((table.code(), key), value);
            }
        }
        assert_eq!(rows, model.rows);
        assert!(rows.values().any(|value| value.len() >= 20_000));
        assert_eq!(rows_of(&rows, 3), rows);
        assert!(made_as_told(&rows, 3) > 1_900);
    }
}
