//! Who is signed in: sessions, in memory only, so that a console which begins anew has signed out everybody.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use store::Entropy;

use crate::{Clock, StaffId};

/// Name of the cookie.
const COOKIE: &str = "viridian_session";
/// How long a session lasts without a call: as long as somebody reads a case, and not over a break.
pub(crate) const IDLE_MAX_S: u64 = 15 * 60;
/// How long it lasts in all, minutes: half a working day.
pub(crate) const AGE_MAX_MIN: u32 = 4 * 60;
const AGE_MAX_S: u64 = AGE_MAX_MIN as u64 * 60;
/// Most sessions at once; the one longest without a call gives way to a new one.
const SESSIONS_MAX: usize = 256;
/// Longest `Cookie` header that is looked into, bytes.
const COOKIES_LEN_MAX_BYTES: usize = 4_096;

#[derive(Clone, Copy)]
struct Session {
    who: StaffId,
    begun_s: u64,
    called_s: u64,
}

impl Session {
    fn ends_at_s(self) -> u64 {
        let idle = self.called_s.saturating_add(IDLE_MAX_S);
        idle.min(self.begun_s.saturating_add(AGE_MAX_S))
    }
}

/// The sessions.
pub(crate) struct Sessions {
    clock: Arc<dyn Clock>,
    entropy: Arc<Entropy>,
    /// By SHA-256 of what is in the cookie: a copy of this memory signs nobody in.
    open: Mutex<HashMap<[u8; 32], Session>>,
}

impl Sessions {
    /// None.
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<Entropy>) -> Self {
        Self {
            clock,
            entropy,
            open: Mutex::default(),
        }
    }

    /// Begins one, and gives the header that sets its cookie.
    pub(crate) fn begin(&self, who: StaffId) -> String {
        let secret: [u8; 32] = self.entropy.bytes();
        let now_s = self.clock.now_s();
        let mut open = self.open.lock();
        open.retain(|_, session| now_s < session.ends_at_s());
        if open.len() >= SESSIONS_MAX {
            let longest = open.iter().min_by_key(|(_, session)| session.called_s);
            let longest = longest.map(|(name, _)| *name);
            longest.and_then(|name| open.remove(&name));
        }
        let session = Session {
            who,
            begun_s: now_s,
            called_s: now_s,
        };
        open.insert(Sha256::digest(secret).into(), session);
        set_cookie(&hex::encode(secret), AGE_MAX_S)
    }

    /// Whose session the cookies of a call name, and until when it lasts; a call that `prolongs` it has it last longer.
    pub(crate) fn of<'a>(
        &self,
        cookies: impl Iterator<Item = &'a str>,
        prolongs: bool,
    ) -> Option<(StaffId, u64)> {
        let name = name_of(cookies)?;
        let now_s = self.clock.now_s();
        let mut open = self.open.lock();
        let session = open.get_mut(&name)?;
        if now_s >= session.ends_at_s() {
            open.remove(&name);
            return None;
        }
        if prolongs {
            session.called_s = now_s;
        }
        Some((session.who, session.ends_at_s()))
    }

    /// Ends the session that the cookies name, and tells whose it was.
    pub(crate) fn end<'a>(&self, cookies: impl Iterator<Item = &'a str>) -> Option<StaffId> {
        let session = self.open.lock().remove(&name_of(cookies)?)?;
        (self.clock.now_s() < session.ends_at_s()).then_some(session.who)
    }

    /// Ends all sessions of those whom `stays` does not hold.
    pub(crate) fn end_but(&self, stays: impl Fn(StaffId) -> bool) {
        self.open.lock().retain(|_, session| stays(session.who));
    }
}

/// The header that takes the cookie away.
pub(crate) fn no_cookie() -> String {
    set_cookie("", 0)
}

/// `Secure` also on `localhost`, which browsers trust as they do TLS.
fn set_cookie(value: &str, max_age_s: u64) -> String {
    format!("{COOKIE}={value}; Max-Age={max_age_s}; Path=/; HttpOnly; SameSite=Strict; Secure")
}

/// Under which name the session lies that a call's `Cookie` headers name; none where they name none, or several.
fn name_of<'a>(cookies: impl Iterator<Item = &'a str>) -> Option<[u8; 32]> {
    let mut found = cookies
        .filter(|header| header.len() <= COOKIES_LEN_MAX_BYTES)
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE);
    let (_, digits) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let mut secret = [0; 32];
    hex::decode_to_slice(digits, &mut secret).ok()?;
    Some(Sha256::digest(secret).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SetClock;

    const WHO: StaffId = StaffId([1; 8]);

    fn sessions() -> (Arc<SetClock>, Sessions) {
        let clock = Arc::new(SetClock::at_s(1_000));
        let entropy = Arc::new(Entropy::from_seed([3; 32]));
        let of = Sessions::new(Arc::clone(&clock) as _, entropy);
        (clock, of)
    }

    fn pair(header: &str) -> &str {
        header.split(';').next().unwrap()
    }

    fn who(sessions: &Sessions, header: &str) -> Option<StaffId> {
        let found = sessions.of([pair(header)].into_iter(), true);
        found.map(|(who, _)| who)
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_from_other_sites_and_from_plain_networks() {
        let (_, sessions) = sessions();
        let header = sessions.begin(WHO);
        let mut parts = header.split("; ");
        let value = parts.next().unwrap().strip_prefix("viridian_session=");
        assert_eq!(value.unwrap().len(), 64);
        let attributes: Vec<_> = parts.collect();
        assert_eq!(
            attributes,
            [
                "Max-Age=14400",
                "Path=/",
                "HttpOnly",
                "SameSite=Strict",
                "Secure"
            ]
        );
        assert!(no_cookie().starts_with("viridian_session=; Max-Age=0; Path=/;"));
        assert_ne!(sessions.begin(WHO), header);
    }

    #[test]
    fn a_session_ends_after_a_quarter_of_an_hour_without_a_call() {
        let (clock, sessions) = sessions();
        let header = sessions.begin(WHO);
        for _ in 0..3 {
            clock.pass_s(IDLE_MAX_S - 1);
            assert_eq!(who(&sessions, &header), Some(WHO));
        }
        clock.pass_s(IDLE_MAX_S - 1);
        // Being asked when it ends does not make it last.
        let (_, ends_at_s) = sessions.of([pair(&header)].into_iter(), false).unwrap();
        assert_eq!(ends_at_s, clock.now_s() + 1);
        clock.pass_s(1);
        assert_eq!(who(&sessions, &header), None);
    }

    #[test]
    fn a_session_ends_after_four_hours_however_many_calls() {
        let (clock, sessions) = sessions();
        let header = sessions.begin(WHO);
        for _ in 0..4 * 6 - 1 {
            clock.pass_s(600);
            assert_eq!(who(&sessions, &header), Some(WHO));
        }
        let ends_at_s = sessions.of([pair(&header)].into_iter(), true).unwrap().1;
        assert_eq!(ends_at_s, clock.now_s() + 600);
        clock.pass_s(600);
        assert_eq!(who(&sessions, &header), None);
    }

    #[test]
    fn a_session_that_is_ended_is_no_more_and_others_stay() {
        let (_, sessions) = sessions();
        let other = StaffId([2; 8]);
        let (first, second) = (sessions.begin(WHO), sessions.begin(WHO));
        let third = sessions.begin(other);
        assert_eq!(sessions.end([pair(&first)].into_iter()), Some(WHO));
        assert_eq!(sessions.end([pair(&first)].into_iter()), None);
        assert_eq!(who(&sessions, &first), None);
        assert_eq!(who(&sessions, &second), Some(WHO));
        sessions.end_but(|who| who != WHO);
        assert_eq!(who(&sessions, &second), None);
        assert_eq!(who(&sessions, &third), Some(other));
    }

    #[test]
    fn a_cookie_is_read_among_others_and_as_one_alone() {
        let (_, sessions) = sessions();
        let header = sessions.begin(WHO);
        let own = pair(&header);
        let of = |headers: &[&str]| sessions.of(headers.iter().copied(), true).is_some();
        assert!(of(&[&format!("a=b; {own}; c=d")]));
        // As HTTP/2 may send them.
        assert!(of(&["a=b", own]));
        assert!(!of(&[]) && !of(&[""]) && !of(&["viridian_session"]));
        assert!(!of(&[&format!("{own}; {own}")]));
        assert!(!of(&[&own.replace("viridian_session", "session")]));
        assert!(!of(&[&own[..own.len() - 1]]) && !of(&[&format!("{own}00")]));
        assert!(!of(&[&format!(
            "{own}; a={}",
            "b".repeat(COOKIES_LEN_MAX_BYTES)
        )]));
        let digest = hex::encode(Sha256::digest(&own["viridian_session=".len()..]));
        assert!(!of(&[&format!("viridian_session={digest}")]));
    }

    #[test]
    fn the_session_longest_without_a_call_gives_way() {
        let (clock, sessions) = sessions();
        let (first, second) = (sessions.begin(WHO), sessions.begin(WHO));
        clock.pass_s(1);
        assert!(who(&sessions, &first).is_some());
        for _ in 2..=SESSIONS_MAX {
            clock.pass_s(1);
            sessions.begin(WHO);
        }
        assert!(who(&sessions, &first).is_some());
        assert!(who(&sessions, &second).is_none());
    }
}
