use super::*;
use crate::Role;
use crate::testing::{Device, House, NOW_S, VERIFIED};

fn reason<T: std::fmt::Debug>(done: Result<T, ConsoleError>) -> Reason {
    done.unwrap_err().reason()
}

/// Signs in by a device, or not.
fn sign_in(house: &House, device: &mut Device) -> Result<SignIn, ConsoleError> {
    let options = house.passkeys.begin_sign_in(None).unwrap();
    house.passkeys.sign_in(&device.get(&options))
}

#[test]
fn who_was_invited_binds_a_passkey_and_signs_in_by_it() {
    let house = House::new();
    let (id, mut device) = house.enrolled("王敏", &[Role::Clerk], 1);
    let Ok(SignIn::By(person, _)) = sign_in(&house, &mut device) else {
        panic!("not signed in");
    };
    assert_eq!((person.id, person.name.as_str()), (id, "王敏"));
    let by = |what: &str| (what.to_owned(), "王敏".to_owned());
    assert_eq!(house.acts()[1..], [by("enrolled"), by("signed-in")]);
    // A console that begins anew knows it.
    let house = house.again();
    assert!(sign_in(&house, &mut device).is_ok());
    // Whatever the name, there is one that a device can show.
    house.enrolled("Li \"Lei\" <img onerror>", &[Role::Clerk], 2);
}

#[test]
fn the_browser_is_asked_for_a_key_of_its_own_that_knows_who_uses_it() {
    let house = House::new();
    let (id, code) = house.invite("王敏", &[Role::Clerk]);
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    let options: serde_json::Value = serde_json::from_str(&options).unwrap();
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["user"]["displayName"], "王敏");
    let selection = &options["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(options["timeout"], 300_000);
    let extensions = &options["extensions"];
    assert_eq!(extensions["enforceCredentialProtectionPolicy"], false);
    let algorithms = options["pubKeyCredParams"].as_array().unwrap();
    assert!(algorithms.iter().any(|one| one["alg"] == -7));
    assert_ne!(options["user"]["id"].as_str().unwrap(), id.to_string());
    let options = house.passkeys.begin_sign_in(None).unwrap();
    let options: serde_json::Value = serde_json::from_str(&options).unwrap();
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["rpId"], "localhost");
}

#[test]
fn an_invitation_is_used_once_and_in_its_time_and_no_other_code_is_one() {
    let house = House::new();
    let (_, code) = house.invite("王敏", &[Role::Clerk]);
    let mut device = Device::new(1);
    // Begun twice, by whoever saw the code: the second to end is refused.
    let first = house.passkeys.begin_enrol(&code, None).unwrap();
    let second = house.passkeys.begin_enrol(&code, None).unwrap();
    house.passkeys.enrol(&code, &device.create(&first)).unwrap();
    let late = house.passkeys.enrol(&code, &Device::new(2).create(&second));
    assert_eq!(reason(late), Reason::InvitationRefused);
    assert_eq!(
        reason(house.passkeys.begin_enrol(&code, None)),
        Reason::InvitationRefused
    );
    assert!(sign_in(&house, &mut device).is_ok());
    let house = house.again();
    assert_eq!(
        reason(house.passkeys.begin_enrol(&code, None)),
        Reason::InvitationRefused
    );

    let (_, code) = house.invite("李雷", &[Role::Clerk]);
    for other in ["", "A", &code[1..], &code.to_lowercase(), &"A".repeat(26)] {
        assert_eq!(
            reason(house.passkeys.begin_enrol(other, None)),
            Reason::InvitationRefused
        );
    }
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    house.clock.pass_s(24 * 3_600);
    let late = house
        .passkeys
        .enrol(&code, &Device::new(3).create(&options));
    assert_eq!(reason(late), Reason::InvitationRefused);
}

#[test]
fn a_challenge_is_for_one_answer_and_for_the_invitation_that_it_was_made_for() {
    let house = House::new();
    let (_, code) = house.invite("王敏", &[Role::Clerk]);
    let (_, other) = house.invite("李雷", &[Role::Auditor]);
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    let credential = Device::new(1).create(&options);
    // With the code of somebody else, who may do something else.
    let swapped = house.passkeys.enrol(&other, &credential);
    assert_eq!(reason(swapped), Reason::PasskeyRefused);
    // It was answered.
    let again = house.passkeys.enrol(&code, &credential);
    assert_eq!(reason(again), Reason::PasskeyRefused);
    let (_, mut device) = house.enrolled("韩梅", &[Role::Clerk], 3);
    let options = house.passkeys.begin_sign_in(None).unwrap();
    let answer = device.get(&options);
    assert!(house.passkeys.sign_in(&answer).is_ok());
    assert_eq!(
        reason(house.passkeys.sign_in(&answer)),
        Reason::PasskeyRefused
    );
}

#[test]
fn what_a_device_answers_for_another_page_or_without_knowing_who_uses_it_is_refused() {
    let house = House::new();
    let (_, code) = house.invite("王敏", &[Role::Clerk]);
    let (_, device) = house.enrolled("李雷", &[Role::Clerk], 2);
    let changes: [fn(&mut Device); 4] = [
        |device| device.origin = "http://localhost:7461",
        |device| device.origin = "https://localhost:7460",
        |device| device.origin = "",
        |device| device.flags &= !VERIFIED,
    ];
    for change in changes {
        let mut made = Device::new(1);
        change(&mut made);
        let options = house.passkeys.begin_enrol(&code, None).unwrap();
        let refused = house.passkeys.enrol(&code, &made.create(&options));
        assert_eq!(reason(refused), Reason::PasskeyRefused);
        let mut device = device.clone();
        change(&mut device);
        assert_eq!(reason(sign_in(&house, &mut device)), Reason::PasskeyRefused);
    }
    // A key that nobody has bound, and one that says it is somebody else's.
    let options = house.passkeys.begin_sign_in(None).unwrap();
    let mut stranger = Device::new(9);
    stranger.create(&house.passkeys.begin_enrol(&code, None).unwrap());
    assert_eq!(
        reason(house.passkeys.sign_in(&stranger.get(&options))),
        Reason::PasskeyRefused
    );
    let mut liar = device.clone();
    liar.create(&house.passkeys.begin_enrol(&code, None).unwrap());
    assert_eq!(reason(sign_in(&house, &mut liar)), Reason::PasskeyRefused);
    for garbage in ["", "{}", "null", "[1]", "{\"id\":\"AA\"}"] {
        assert_eq!(
            reason(house.passkeys.sign_in(garbage)),
            Reason::PasskeyRefused
        );
        assert_eq!(
            reason(house.passkeys.enrol(&code, garbage)),
            Reason::PasskeyRefused
        );
    }
    let long = " ".repeat(CREDENTIAL_LEN_MAX_BYTES + 1);
    assert_eq!(reason(house.passkeys.sign_in(&long)), Reason::TooLarge);
    assert_eq!(reason(house.passkeys.enrol(&code, &long)), Reason::TooLarge);
    assert!(!house.acts().iter().any(|(what, _)| what == "signed-in"));
}

#[test]
fn a_counter_that_falls_back_ends_the_sign_in_and_the_passkey_and_is_an_act() {
    let house = House::new();
    let (id, mut device) = house.enrolled("王敏", &[Role::Clerk], 1);
    let mut copy = device.clone();
    assert!(matches!(sign_in(&house, &mut device), Ok(SignIn::By(..))));
    // The copy counts on its own.
    assert_eq!(sign_in(&house, &mut copy), Ok(SignIn::ByCopy(id)));
    let fell = ("counter-fell".to_owned(), "王敏".to_owned());
    assert_eq!(house.acts().last(), Some(&fell));
    // Which of them is the copy nobody knows.
    assert_eq!(reason(sign_in(&house, &mut device)), Reason::PasskeyRefused);
    assert_eq!(reason(sign_in(&house, &mut copy)), Reason::PasskeyRefused);
}

#[test]
fn a_device_that_does_not_count_signs_in_again_and_again() {
    let house = House::new();
    let (_, code) = house.invite("王敏", &[Role::Clerk]);
    let mut device = Device::new(1);
    device.counter = 0;
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    house
        .passkeys
        .enrol(&code, &device.create(&options))
        .unwrap();
    for _ in 0..2 {
        let options = house.passkeys.begin_sign_in(None).unwrap();
        let answer = device.get_uncounted(&options);
        assert!(matches!(
            house.passkeys.sign_in(&answer),
            Ok(SignIn::By(..))
        ));
    }
}

#[test]
fn who_is_invited_anew_has_one_passkey_and_it_is_the_new_one() {
    let house = House::new();
    let (id, mut lost) = house.enrolled("王敏", &[Role::Clerk], 1);
    let (_, mut colleague) = house.enrolled("李雷", &[Role::Clerk], 2);
    let entropy = store::Entropy::from_seed([8; 32]);
    let code = house.change(|list| list.invite_again(id, NOW_S + 60, &entropy).unwrap());
    // Until then the former one is good.
    assert!(sign_in(&house, &mut lost).is_ok());
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    // A device of somebody else's that is bound already is not theirs.
    let taken = house
        .passkeys
        .enrol(&code, &colleague.clone().create(&options));
    assert_eq!(reason(taken), Reason::PasskeyRefused);
    assert!(sign_in(&house, &mut lost).is_ok());
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    let mut new = Device::new(3);
    house.passkeys.enrol(&code, &new.create(&options)).unwrap();
    assert_eq!(reason(sign_in(&house, &mut lost)), Reason::PasskeyRefused);
    assert!(sign_in(&house, &mut new).is_ok());
    assert!(sign_in(&house, &mut colleague).is_ok());
}

/// Tells the time, and whether the journal was held each time that it was asked.
#[derive(Default)]
struct Watching {
    journal: std::sync::OnceLock<Arc<Journal>>,
    was_held: parking_lot::Mutex<Vec<bool>>,
}

impl crate::Clock for Watching {
    fn now_s(&self) -> u64 {
        if let Some(journal) = self.journal.get() {
            self.was_held.lock().push(journal.is_held());
        }
        NOW_S
    }
}

#[test]
fn a_session_begins_while_nobody_else_changes_passkeys_or_the_list() {
    let house = House::new();
    let watching = Arc::new(Watching::default());
    watching.journal.set(Arc::clone(&house.journal)).ok();
    let entropy = Arc::new(store::Entropy::from_seed([7; 32]));
    let sessions = Arc::new(Sessions::new(Arc::clone(&watching) as _, entropy));
    let (journal, staff) = (Arc::clone(&house.journal), house.staff.clone());
    let passkeys = Passkeys::new(journal, staff, Arc::clone(&sessions), "localhost").unwrap();
    passkeys.serve_as(vec![crate::testing::ORIGIN.to_owned()]);
    let is_open = |header: &str| {
        let cookie = header.split(';').next().unwrap();
        sessions.of([cookie].into_iter(), false).is_some()
    };

    let (_, code) = house.invite("王敏", &[Role::Clerk]);
    let mut device = Device::new(1);
    let options = passkeys.begin_enrol(&code, None).unwrap();
    let first = passkeys.enrol(&code, &device.create(&options)).unwrap();
    let mut copy = device.clone();
    let options = passkeys.begin_sign_in(None).unwrap();
    let Ok(SignIn::By(_, second)) = passkeys.sign_in(&device.get(&options)) else {
        panic!("not signed in");
    };
    assert_eq!(*watching.was_held.lock(), [true, true]);
    assert!(is_open(&first) && is_open(&second));
    let options = passkeys.begin_sign_in(None).unwrap();
    let copied = passkeys.sign_in(&copy.get(&options));
    assert!(matches!(copied, Ok(SignIn::ByCopy(_))));
    assert!(!is_open(&first) && !is_open(&second));
}
