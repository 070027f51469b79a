//! A guard around a database that can panic: sled does where a sync fails while it is closed, and both may over damaged
//! files. A panic becomes an error, and the database is not asked any more. Closing has a limit of time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::batch::Rows;
use crate::error::{failed, stopped};
use crate::generation::{Engine, in_time};
use crate::{Entries, StoreError};

pub(crate) struct Guarded<E: Engine> {
    /// None only while it is dropped.
    engine: Option<E>,
    died: AtomicBool,
    /// Time that it has to close.
    limit: Duration,
}

impl<E: Engine> Guarded<E> {
    pub(crate) fn new(engine: E, limit: Duration) -> Self {
        Self {
            engine: Some(engine),
            died: AtomicBool::new(false),
            limit,
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&E) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let engine = self.engine.as_ref().filter(|_| !self.has_died());
        let engine = engine.ok_or_else(stopped)?;
        catch_unwind(AssertUnwindSafe(|| ask(engine))).unwrap_or_else(|_| {
            self.died.store(true, Ordering::SeqCst);
            Err(failed(
                "it died in a call, over damaged pages or a failing disk",
            ))
        })
    }
}

impl<E: Engine> Engine for Guarded<E> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|engine| engine.get(key))
    }

    fn range(&self, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Entries, StoreError> {
        self.ask(|engine| engine.range(from, end, limit))
    }

    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        self.ask(|engine| engine.write(rows))
    }

    fn has_died(&self) -> bool {
        self.died.load(Ordering::SeqCst)
    }
}

impl<E: Engine> Drop for Guarded<E> {
    fn drop(&mut self) {
        let engine = self.engine.take();
        let closed = in_time("close", self.limit, move || {
            drop(engine);
            Ok(())
        });
        if let Err(error) = closed {
            // What was acknowledged is durable since long before.
            tracing::error!(%error, "the database was not closed in order");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fragile;

    impl Engine for Fragile {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            assert!(key != b"bad", "a page that is damaged");
            Ok(Some(key.to_vec()))
        }

        fn range(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Entries, StoreError> {
            Ok(Entries::new())
        }

        fn write(&self, _: &Rows) -> Result<(), StoreError> {
            Ok(())
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("a sync that fails");
        }
    }

    #[test]
    fn a_database_that_dies_is_an_error_and_is_not_asked_again() {
        let guarded = Guarded::new(Fragile, Duration::from_secs(10));
        assert_eq!(guarded.get(b"good"), Ok(Some(b"good".to_vec())));
        assert!(!guarded.has_died());
        let died = guarded.get(b"bad").unwrap_err();
        assert!(died.to_string().contains("damaged pages"));
        assert!(guarded.has_died());
        assert_eq!(guarded.get(b"good"), Err(stopped()));
        assert_eq!(guarded.write(&Rows::new()), Err(stopped()));
        drop(guarded);
    }
}
