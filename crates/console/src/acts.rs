//! What was done here, and by whom: a chain of acts, each with the digest of the one before it.
//!
//! An act is written in the commit of what it tells of, and an act about a reading before the reading is answered. No identity
//! number stands in one. Whoever keeps the newest digest elsewhere sees whether anything before it was changed; whoever has the
//! console's key file can write the whole chain anew, which only such a kept digest shows.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{StoreError, Table, Vault, WriteSet};

use crate::{Clock, ConsoleError, Person, StaffId};

/// Sets digests of acts apart from others.
const DOMAIN: &[u8] = b"viridian console act 1";
/// Longest words of an act, bytes: those of a judgement.
pub const ACT_WORDS_LEN_MAX_BYTES: usize = 500;

/// Defines [`What`] with the word of each.
macro_rules! whats {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {
        /// What was done. The words are stored and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum What {
            $($(#[$doc])* $name,)*
        }

        impl What {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word, as acts hold it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

whats! {
    /// The console began to serve.
    Started, "started";
    /// The certificate or the signing key of an office is another; whose it is stands in the words, and that
    /// it is the signing key.
    Renewed, "renewed";
    /// Somebody was put on the list of staff; who, and with which roles, stands in the words.
    StaffAdded, "staff-added";
    /// Somebody's name or roles are others; the new ones stand in the words.
    StaffChanged, "staff-changed";
    /// Somebody was taken off the list of staff.
    StaffRemoved, "staff-removed";
    /// Somebody was invited anew, to bind another passkey.
    Invited, "invited";
    /// Somebody used an invitation and bound a passkey.
    Enrolled, "enrolled";
    /// Somebody signed in.
    SignedIn, "signed-in";
    /// Somebody ended the own session.
    SignedOut, "signed-out";
    /// A passkey's counter fell back, as that of a copy does: it is nobody's from then on.
    CounterFell, "counter-fell";
    /// Proposed something.
    Proposed, "proposed";
    /// Opened a proposal and saw whom it is about.
    Read, "read";
    /// Agreed with a proposal.
    Agreed, "agreed";
    /// Refused a proposal.
    Refused, "refused";
    /// Took an own proposal back.
    Withdrawn, "withdrawn";
    /// A proposal lapsed.
    Lapsed, "lapsed";
    /// The node took what was agreed on.
    Taken, "taken";
    /// The node refused what was agreed on; its reason stands in the words.
    RefusedByNode, "refused-by-node";
    /// The node took what was agreed on, and sends it on to the home in another province.
    Forwarded, "forwarded";
    /// The home in another province contests it.
    Contested, "contested";
    /// Confirmed what the home contests.
    Confirmed, "confirmed";
    /// The node did not take the confirmation; its reason stands in the words.
    ConfirmationRefused, "confirm-refused";
    /// The home in another province took it.
    TakenByHome, "taken-by-home";
    /// The home in another province refused it; its reason stands in the words.
    RefusedByHome, "refused-by-home";
    /// It did not reach the home, or was not confirmed, in time.
    LapsedOnTheWay, "lapsed-under-way";
    /// The node no longer knows what became of it.
    LostSight, "lost-sight";
    /// The console signs for its office no more, and has neither handed it in nor asked what became of it for a day.
    OfficeGone, "office-gone";
    /// The content of a proposal was removed, its time being over.
    Forgotten, "forgotten";
    /// Opened an appeal.
    ReadAppeal, "read-appeal";
}

/// What an act was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing that has a name.
    Nothing,
    /// A proposal, by its id.
    Proposal([u8; 16]),
    /// An appeal, by its name at the node.
    Appeal([u8; 20]),
}

impl About {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Proposal(id) => id.to_vec(),
            Self::Appeal(name) => name.to_vec(),
        }
    }
}

/// An act as it is stored. Key: its number (8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRow {
    /// When, seconds since the Unix epoch.
    pub at_s: u64,
    /// Who; nobody where the console did it by itself.
    pub who: Option<StaffId>,
    /// What the list of staff called them then.
    pub who_name: String,
    /// What, as [`What::word`] has it.
    pub what: String,
    /// The proposal or appeal that it was about: 16 or 20 bytes, or none.
    pub about: Vec<u8>,
    /// What for, or why.
    pub words: String,
    /// Digest of the act before it; zeros in the first.
    pub former: [u8; 32],
}

impl ActRow {
    /// Its digest, as the `number`-th act.
    pub fn digest(&self, number: u64) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(DOMAIN);
        digest.update(self.former);
        digest.update(number.to_be_bytes());
        digest.update(self.at_s.to_be_bytes());
        let who = self.who.map(|id| id.0);
        for part in [
            who.as_ref().map_or(&[][..], |id| &id[..]),
            self.who_name.as_bytes(),
            self.what.as_bytes(),
            &self.about,
            self.words.as_bytes(),
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest act; 0 for none.
    pub number: u64,
    /// Its digest; zeros for none.
    pub digest: [u8; 32],
}

/// The chain of acts. Whoever changes the console's store does it through an [`Entry`].
pub struct Journal {
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    head: Mutex<Head>,
}

impl Journal {
    /// Takes up the chain of a store, after walking all of it.
    ///
    /// # Errors
    /// [`ConsoleError::BrokenChain`] where an act was changed, taken out or put in; [`ConsoleError::Store`].
    pub fn open(vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Result<Self, ConsoleError> {
        let head = Mutex::new(walk(&vault)?);
        Ok(Self { vault, clock, head })
    }

    /// The end of the chain.
    pub fn head(&self) -> Head {
        *self.head.lock()
    }

    /// At most `limit` acts with numbers below `before`, newest first; 0 for the newest.
    ///
    /// # Errors
    /// [`ConsoleError::Store`].
    pub fn list(&self, before: u64, limit: u64) -> Result<Vec<(u64, ActRow)>, ConsoleError> {
        let newest = self.head().number;
        let last = match before {
            0 => newest,
            before => newest.min(before - 1),
        };
        let first = last.saturating_sub(limit) + 1;
        let numbers = (first..=last).rev();
        let acts = numbers.map(|number| {
            let act = self.vault.get(Table::Acts, &number.to_be_bytes())?;
            let act = act.ok_or(StoreError::Damaged(Table::Acts))?;
            Ok((number, act))
        });
        acts.collect()
    }

    /// The store that the acts lie in.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Whether somebody changes something now.
    #[cfg(test)]
    pub(crate) fn is_held(&self) -> bool {
        self.head.is_locked()
    }

    /// The console's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Begins a change. It holds the journal's lock: nobody else changes anything until it is committed or dropped, so what is
    /// read after this is still so at the commit. Not to be held while anybody is waited for.
    pub fn begin(&self) -> Entry<'_> {
        let head = self.head.lock();
        Entry {
            write: self.vault.write(),
            next: *head,
            head,
            clock: &*self.clock,
        }
    }
}

/// Walks the whole chain of a store and tells its end.
///
/// # Errors
/// [`ConsoleError::BrokenChain`] with the number of the first act that does not follow; [`ConsoleError::Store`].
pub fn walk(vault: &Vault) -> Result<Head, ConsoleError> {
    let mut head = Head::default();
    vault.walk(Table::Acts, &[], |key, act: ActRow| {
        let number = head.number + 1;
        if key != number.to_be_bytes() || act.former != head.digest {
            return Err(ConsoleError::BrokenChain(number));
        }
        let digest = act.digest(number);
        head = Head { number, digest };
        Ok(())
    })?;
    Ok(head)
}

/// A change with the acts that tell of it: committed together or not at all.
pub struct Entry<'a> {
    /// The change.
    pub write: WriteSet<'a>,
    head: MutexGuard<'a, Head>,
    next: Head,
    clock: &'a dyn Clock,
}

impl Entry<'_> {
    /// Adds an act; `who` is nobody where the console acts by itself. `words` beyond 500 bytes are cut at a character.
    pub fn note(&mut self, who: Option<&Person>, what: What, about: About, words: &str) {
        let row = ActRow {
            at_s: self.clock.now_s(),
            who: who.map(|person| person.id),
            who_name: who.map(|person| person.name.clone()).unwrap_or_default(),
            what: what.word().to_owned(),
            about: about.to_bytes(),
            words: words[..words.floor_char_boundary(ACT_WORDS_LEN_MAX_BYTES)].to_owned(),
            former: self.next.digest,
        };
        let number = self.next.number + 1;
        self.write.put_new(Table::Acts, &number.to_be_bytes(), &row);
        self.next = Head {
            number,
            digest: row.digest(number),
        };
    }

    /// Commits; when it returns, all of it would survive a loss of power.
    ///
    /// # Errors
    /// [`ConsoleError::Store`]; nothing is changed then.
    pub fn commit(self) -> Result<(), ConsoleError> {
        self.commit_then(|| ())
    }

    /// Commits, and does something more before anybody else changes anything.
    ///
    /// # Errors
    /// As [`Entry::commit`]; then nothing is done.
    pub(crate) fn commit_then<T>(self, then: impl FnOnce() -> T) -> Result<T, ConsoleError> {
        let Self {
            write,
            mut head,
            next,
            ..
        } = self;
        write.commit()?;
        *head = next;
        Ok(then())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{NOW_S, vault};
    use crate::{Role, SetClock};

    fn begun(vault: &Arc<Vault>) -> Journal {
        let clock = Arc::new(SetClock::at_s(NOW_S));
        Journal::open(Arc::clone(vault), clock).unwrap()
    }

    fn noted(journal: &Journal, words: &str) {
        let person = Person {
            id: StaffId([1; 8]),
            name: "王敏".to_owned(),
            roles: [Role::Clerk].into_iter().collect(),
        };
        let mut entry = journal.begin();
        entry.note(
            Some(&person),
            What::Proposed,
            About::Proposal([2; 16]),
            words,
        );
        entry.note(None, What::Lapsed, About::Appeal([3; 20]), "");
        entry.commit().unwrap();
    }

    fn of(vault: &Vault, number: u64) -> ActRow {
        vault
            .get(Table::Acts, &number.to_be_bytes())
            .unwrap()
            .unwrap()
    }

    #[test]
    fn acts_are_written_with_what_they_tell_of_or_not_at_all() {
        let vault = vault();
        let journal = begun(&vault);
        let mut entry = journal.begin();
        entry.write.put(Table::Proposals, &[1], &7_u8);
        entry.note(None, What::Started, About::Nothing, "");
        drop(entry);
        assert_eq!(journal.head(), Head::default());
        assert_eq!(vault.get::<u8>(Table::Proposals, &[1]), Ok(None));

        let mut entry = journal.begin();
        entry.write.put_new(Table::Proposals, &[1], &7_u8);
        entry.note(None, What::Started, About::Nothing, "");
        entry.commit().unwrap();
        assert_eq!(vault.get::<u8>(Table::Proposals, &[1]), Ok(Some(7)));
        let head = journal.head();
        assert_eq!(head.number, 1);

        // A commit that is refused leaves the chain where it was, and the next act follows it.
        let mut entry = journal.begin();
        entry.write.put_new(Table::Proposals, &[1], &8_u8);
        entry.note(None, What::Started, About::Nothing, "");
        assert!(entry.commit().is_err());
        assert_eq!(journal.head(), head);
        noted(&journal, "a");
        assert_eq!(walk(&vault), Ok(journal.head()));
        assert_eq!(begun(&vault).head(), journal.head());
    }

    #[test]
    fn an_act_says_who_what_when_and_about_what() {
        let vault = vault();
        let journal = begun(&vault);
        noted(&journal, &"语".repeat(300));
        let act = of(&vault, 1);
        assert_eq!(
            (act.at_s, act.who, act.who_name.as_str()),
            (NOW_S, Some(StaffId([1; 8])), "王敏")
        );
        assert_eq!(
            (act.what.as_str(), &act.about[..]),
            ("proposed", &[2; 16][..])
        );
        // Cut, and at a character.
        assert_eq!(act.words, "语".repeat(166));
        assert_eq!(act.former, [0; 32]);
        let next = of(&vault, 2);
        assert_eq!(
            (next.former, &next.about[..]),
            (act.digest(1), &[3; 20][..])
        );
        assert_eq!((next.who, next.who_name.as_str()), (None, ""));
    }

    #[test]
    fn acts_are_listed_newest_first_in_pages() {
        let vault = vault();
        let journal = begun(&vault);
        assert_eq!(journal.list(0, 3), Ok(Vec::new()));
        (0..3).for_each(|_| noted(&journal, ""));
        let numbers = |before, limit| {
            let acts = journal.list(before, limit).unwrap();
            acts.into_iter()
                .map(|(number, _)| number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, 4), [6, 5, 4, 3]);
        assert_eq!(numbers(3, 4), [2, 1]);
        assert_eq!(numbers(1, 4), [0_u64; 0]);
        assert_eq!(numbers(99, 1), [6]);
    }

    #[test]
    fn a_chain_is_broken_by_any_byte_that_is_changed_and_by_an_act_that_is_taken_out_or_put_in() {
        let changes: [fn(&mut ActRow); 7] = [
            |act| act.at_s += 1,
            |act| act.who = None,
            |act| act.who_name.push('a'),
            |act| act.what.push('a'),
            |act| act.about[0] ^= 1,
            |act| act.words = "b".to_owned(),
            |act| act.former[31] ^= 1,
        ];
        for change in changes {
            let vault = vault();
            let journal = begun(&vault);
            (0..2).for_each(|_| noted(&journal, "a"));
            let mut act = of(&vault, 3);
            change(&mut act);
            let mut write = vault.write();
            write.put(Table::Acts, &3_u64.to_be_bytes(), &act);
            write.commit().unwrap();
            let broken = walk(&vault).unwrap_err();
            let is_found = matches!(broken, ConsoleError::BrokenChain(3 | 4));
            assert!(is_found, "{broken}");
            let clock = Arc::new(SetClock::at_s(NOW_S));
            assert!(Journal::open(Arc::clone(&vault), clock).is_err());
        }
        let vault = vault();
        let journal = begun(&vault);
        (0..2).for_each(|_| noted(&journal, "a"));
        let mut write = vault.write();
        let third: ActRow = of(&vault, 3);
        write.delete(Table::Acts, &3_u64.to_be_bytes());
        write.commit().unwrap();
        assert_eq!(walk(&vault), Err(ConsoleError::BrokenChain(3)));
        let mut write = vault.write();
        write.put(Table::Acts, &3_u64.to_be_bytes(), &third);
        // One more at the end, by somebody who does not reckon.
        write.put(Table::Acts, &5_u64.to_be_bytes(), &third);
        write.commit().unwrap();
        assert_eq!(walk(&vault), Err(ConsoleError::BrokenChain(5)));
    }

    /// The parts of an act cannot be shifted against each other.
    #[test]
    fn two_acts_have_two_digests() {
        let vault = vault();
        let journal = begun(&vault);
        noted(&journal, "a");
        let act = of(&vault, 1);
        let mut digests = BTreeSet::from([act.digest(1), act.digest(2)]);
        let mut other = act.clone();
        other.who_name = "王".to_owned();
        other.what = format!("敏{}", act.what);
        digests.insert(other.digest(1));
        let mut other = act.clone();
        other.what.push('a');
        other.words = String::new();
        digests.insert(other.digest(1));
        assert_eq!(digests.len(), 4);
    }

    #[test]
    fn words_of_acts_are_different_and_short() {
        let words: BTreeSet<_> = What::ALL.iter().map(|what| what.word()).collect();
        assert_eq!(words.len(), What::ALL.len());
        assert!(words.iter().all(|word| word.len() <= 16));
    }
}
