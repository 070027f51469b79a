//! The list of staff as it changes: who came, went or may do something else is an act, and who went is signed out.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::Table;

use crate::passkeys::Passkeys;
use crate::sessions::Sessions;
use crate::staff::{CodeDigest, Roles, Staff, StaffList};
use crate::{About, ConsoleError, Journal, StaffId, What};

/// How often the file is looked at: who is taken out of it is signed out within so long.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Key in [`Table::Passkeys`] of the list that was in use last.
const KNOWN: &[u8] = b"s";

/// A person as acts last told of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    id: StaffId,
    name: String,
    roles: Roles,
    invitation: Option<CodeDigest>,
}

/// Keeps the list in use as its file is.
pub(crate) struct Employment {
    file: PathBuf,
    journal: Arc<Journal>,
    staff: Staff,
    passkeys: Arc<Passkeys>,
    sessions: Arc<Sessions>,
    /// What was wrong with the file when it was last looked at: told once.
    told: Mutex<Option<String>>,
}

impl Employment {
    /// Takes up the list of a file.
    ///
    /// # Errors
    /// A message saying what is wrong with it, or with the store.
    pub(crate) fn begin(
        file: PathBuf,
        journal: Arc<Journal>,
        staff: Staff,
        passkeys: Arc<Passkeys>,
        sessions: Arc<Sessions>,
    ) -> Result<Self, String> {
        let employment = Self {
            file,
            journal,
            staff,
            passkeys,
            sessions,
            told: Mutex::default(),
        };
        let list = StaffList::read(&employment.file)?;
        let used = employment.put_to_use(list);
        used.map_err(|error| format!("the list of staff: {error}"))?;
        Ok(employment)
    }

    /// Looks at the file again and again until `shutdown` completes.
    pub(crate) async fn keep_up(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = &mut shutdown => return,
            }
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || this.look()).await;
            if looked.is_err() {
                tracing::error!("the reader of the list of staff died");
            }
        }
    }

    /// Reads the file and uses it if it is another and right, or could not be used last time. One that is wrong changes nothing
    /// and is told once.
    pub(crate) fn look(&self) {
        let failed_before = self.told.lock().is_some();
        let used = StaffList::read(&self.file).and_then(|list| {
            if list == *self.staff.now() && !failed_before {
                return Ok(());
            }
            self.put_to_use(list).map_err(|error| error.to_string())
        });
        let mut told = self.told.lock();
        match used {
            Ok(()) => *told = None,
            Err(error) if told.as_ref() != Some(&error) => {
                tracing::error!(%error, "the list of staff stays as it was");
                *told = Some(error);
            }
            Err(_) => {}
        }
    }

    fn put_to_use(&self, list: StaffList) -> Result<(), ConsoleError> {
        let mut entry = self.journal.begin();
        let known: Option<Vec<Known>> = self.journal.vault().get(Table::Passkeys, KNOWN)?;
        let (known, now) = (known.unwrap_or_default(), known_of(&list));
        for gone in &known {
            if list.get(gone.id).is_none() {
                entry.note(None, What::StaffRemoved, About::Nothing, &described(gone));
            }
        }
        for person in &now {
            let before = known.iter().find(|before| before.id == person.id);
            let what = match before {
                None => What::StaffAdded,
                Some(before) if before.name != person.name || before.roles != person.roles => {
                    What::StaffChanged
                }
                Some(before) if before.invitation != person.invitation => What::Invited,
                Some(_) => continue,
            };
            entry.note(None, what, About::Nothing, &described(person));
        }
        self.passkeys.keep_only(&mut entry, &list)?;
        if now != known {
            entry.write.put(Table::Passkeys, KNOWN, &now);
        }
        // In use before it is durable: whoever was taken out is refused from here on, also where the disk is full.
        self.staff.swap(list);
        let staff = self.staff.now();
        self.sessions.end_but(|who| staff.get(who).is_some());
        entry.commit()
    }
}

fn known_of(list: &StaffList) -> Vec<Known> {
    let known = list.iter().map(|(person, invitation)| Known {
        id: person.id,
        name: person.name.clone(),
        roles: person.roles.clone(),
        invitation: invitation.map(|invitation| invitation.code),
    });
    known.collect()
}

fn described(person: &Known) -> String {
    let Known {
        id, name, roles, ..
    } = person;
    format!("{name} ({id}): {roles}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use store::Entropy;

    use crate::staff::Role;
    use crate::testing::{House, NOW_S};
    use crate::{ActRow, StaffList};

    fn of(house: &House, what: &str) -> Vec<ActRow> {
        let acts = house.journal.list(0, 100).unwrap();
        let mut acts: Vec<_> = acts.into_iter().map(|(_, act)| act).collect();
        acts.retain(|act| act.what == what);
        acts
    }

    fn is_signed_in(house: &House, header: &str) -> bool {
        let cookie = header.split(';').next().unwrap();
        house.sessions.of([cookie].into_iter(), true).is_some()
    }

    #[test]
    fn who_is_taken_off_the_list_is_signed_out_and_has_no_passkey_any_more() {
        let house = House::new();
        let (gone, mut device) = house.enrolled("王敏", &[Role::Clerk], 1);
        let (stays, mut other) = house.enrolled("李雷", &[Role::Auditor], 2);
        let (first, second) = (house.sessions.begin(gone), house.sessions.begin(stays));
        let text = std::fs::read_to_string(&house.file).unwrap();
        house.change(|list| *list = list.without(gone));
        assert!(!is_signed_in(&house, &first) && is_signed_in(&house, &second));
        assert!(house.staff.now().get(gone).is_none());
        let tries = |device: &mut crate::testing::Device| {
            let options = house.passkeys.begin_sign_in(None).unwrap();
            house.passkeys.sign_in(&device.get(&options)).is_ok()
        };
        assert!(!tries(&mut device) && tries(&mut other));
        let removed = of(&house, "staff-removed");
        assert_eq!(removed.len(), 1);
        assert_eq!(removed[0].words, format!("王敏 ({gone}): clerk"));
        // Nor does it come back with the name.
        crate::files::replace_own(&house.file, &text).unwrap();
        house.employment.look();
        assert!(house.staff.now().get(gone).is_some());
        assert!(!tries(&mut device) && tries(&mut other));
    }

    #[test]
    fn what_changes_is_an_act_also_where_the_console_did_not_run() {
        let house = House::new();
        let (id, _) = house.invite("王敏", &[Role::Clerk]);
        assert_eq!(of(&house, "staff-added").len(), 1);
        assert!(of(&house, "invited").is_empty());
        // Looked at, and the same.
        house.employment.look();
        let acts = house.acts().len();
        let house = house.again();
        assert_eq!(house.acts().len(), acts);

        let text = std::fs::read_to_string(&house.file).unwrap();
        let text = text.replace("\"clerk\"", "\"clerk\", \"approver\"");
        crate::files::replace_own(&house.file, &text).unwrap();
        let house = house.again();
        let changed = of(&house, "staff-changed");
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].words, format!("王敏 ({id}): clerk, approver"));
        assert_eq!((changed[0].who, changed[0].who_name.as_str()), (None, ""));
        house
            .change(|list| list.invite_again(id, NOW_S, &Entropy::from_seed([1; 32])))
            .unwrap();
        assert_eq!(of(&house, "invited").len(), 1);
    }

    #[test]
    fn a_list_that_is_wrong_changes_nothing_and_signs_nobody_out() {
        let house = House::new();
        let (id, _) = house.enrolled("王敏", &[Role::Clerk], 1);
        let header = house.sessions.begin(id);
        let acts = house.acts();
        for wrong in ["[[person]]", "]", &"#".repeat(1 << 20)] {
            crate::files::replace_own(&house.file, wrong).unwrap();
            house.employment.look();
            assert!(is_signed_in(&house, &header), "{wrong}");
        }
        std::fs::remove_file(&house.file).unwrap();
        house.employment.look();
        assert!(house.staff.now().get(id).is_some());
        assert_eq!(house.acts(), acts);
        // One that others may write could say anything.
        StaffList::default().write(&house.file).unwrap();
        let all = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&house.file, all).unwrap();
        house.employment.look();
        assert!(is_signed_in(&house, &header));
        StaffList::default().write(&house.file).unwrap();
        house.employment.look();
        assert!(!is_signed_in(&house, &header));
    }
}
