use federation::{CallerKind, callers};

use super::*;
use crate::admission::needs;
use crate::overview::OverviewParts;
use crate::testing::{Device, House, from_page};

/// A desk of a console without offices, whose node is nowhere.
fn desk(house: &House) -> Desk {
    let federation = federation::FederationId::new("demo").unwrap();
    let province = ProvinceCode::new(33).unwrap();
    let offices = Offices::new(&federation, province, "localhost:1", Vec::new()).unwrap();
    let offices = Arc::new(offices);
    let proposals = Proposals::open(Arc::clone(&house.journal), Arc::clone(&offices), 30);
    let proposals = Arc::new(proposals.unwrap());
    Desk {
        federation: "demo".to_owned(),
        province,
        journal: Arc::clone(&house.journal),
        admission: house.admission(),
        passkeys: Arc::clone(&house.passkeys),
        offices,
        cases: Cases::new(Arc::clone(&proposals)),
        proposals,
        overview: Overview::new(OverviewParts {
            operator: None,
            anybody: None,
            root_keys: None,
            certificates: Box::new(Vec::new),
            clock: Arc::clone(&house.clock) as _,
        }),
        tells_published: false,
    }
}

fn reason(status: &Status) -> Reason {
    wire::reason_of(status).unwrap_or_else(|| panic!("{status}"))
}

/// Makes a call with nothing in it, and says why it was refused.
async fn call(desk: &Desk, method: Method, cookie: &str) -> Option<Reason> {
    macro_rules! made {
        ($($method:ident, $call:ident, $request:ident;)*) => {
            match method {
                $(Method::$method => {
                    let request = from_page(proto::$request::default(), cookie);
                    desk.$call(request).await.map(drop)
                })*
                _ => panic!("{method:?} is not called here"),
            }
        };
    }
    let made = made! {
        BeginEnrol, begin_enrol, BeginEnrolRequest;
        Enrol, enrol, EnrolRequest;
        BeginSignIn, begin_sign_in, BeginSignInRequest;
        SignIn, sign_in, SignInRequest;
        SignOut, sign_out, SignOutRequest;
        GetDesk, get_desk, GetDeskRequest;
        Propose, propose, ProposeRequest;
        ListProposals, list_proposals, ListProposalsRequest;
        ReadProposal, read_proposal, ReadProposalRequest;
        JudgeProposal, judge_proposal, JudgeProposalRequest;
        WithdrawProposal, withdraw_proposal, WithdrawProposalRequest;
        ListCases, list_cases, ListCasesRequest;
        ReadCase, read_case, ReadCaseRequest;
        GetConsoleOverview, get_overview, GetOverviewRequest;
        ListIntake, list_intake, ListIntakeRequest;
        ListActs, list_acts, ListActsRequest;
    };
    made.err().map(|status| reason(&status))
}

/// The calls of the console, as the door admits them; those of what is published are tried beside it.
fn methods() -> impl Iterator<Item = Method> {
    let all = Method::ALL.iter().copied();
    let admitted = all.filter(|method| callers(*method).contains(&CallerKind::Staff));
    admitted.filter(|method| !method.path().starts_with("/viridian.public."))
}

/// The table once more, from the other side: what each role reaches.
fn reaches(role: Role) -> &'static [Method] {
    match role {
        Role::Clerk => &[
            Method::Propose,
            Method::WithdrawProposal,
            Method::ListProposals,
            Method::ReadProposal,
        ],
        Role::Approver => &[
            Method::ListProposals,
            Method::ReadProposal,
            Method::JudgeProposal,
        ],
        Role::AppealsOfficer => &[
            Method::Propose,
            Method::WithdrawProposal,
            Method::ListProposals,
            Method::ReadProposal,
            Method::ListCases,
            Method::ReadCase,
        ],
        Role::Operator => &[Method::GetConsoleOverview, Method::ListIntake],
        Role::Auditor => &[
            Method::ListProposals,
            Method::GetConsoleOverview,
            Method::ListIntake,
            Method::ListActs,
        ],
    }
}

const ANYBODY: [Method; 5] = [
    Method::BeginEnrol,
    Method::Enrol,
    Method::BeginSignIn,
    Method::SignIn,
    Method::SignOut,
];

#[tokio::test]
async fn each_role_reaches_its_own_calls_and_no_other() {
    let house = House::new();
    let desk = desk(&house);
    assert_eq!(methods().count(), 16);
    for role in Role::ALL {
        let (id, _) = house.invite(role.word(), &[role]);
        for method in methods() {
            let cookie = house.sessions.begin(id);
            let refused = call(&desk, method, &cookie).await;
            let reached = reaches(role).contains(&method)
                || ANYBODY.contains(&method)
                || method == Method::GetDesk;
            assert_eq!(
                refused != Some(Reason::RoleRefused),
                reached,
                "{role:?} {method:?} {refused:?}"
            );
            assert_ne!(refused, Some(Reason::NotSignedIn), "{role:?} {method:?}");
        }
    }
}

#[tokio::test]
async fn without_a_session_only_what_leads_to_one_is_answered() {
    let house = House::new();
    let desk = desk(&house);
    let (id, _) = house.invite("王敏", &Role::ALL);
    for method in methods() {
        let cookie = house.sessions.begin(id);
        assert!(needs(method).is_some(), "{method:?}");
        let refused = call(&desk, method, "").await;
        let is_open = ANYBODY.contains(&method);
        assert_eq!(refused != Some(Reason::NotSignedIn), is_open, "{method:?}");
        // Nor by a session whose time is over, or that is somebody's who works here no more.
        house.clock.pass_s(crate::sessions::IDLE_MAX_S);
        let refused = call(&desk, method, &cookie).await;
        assert_eq!(refused != Some(Reason::NotSignedIn), is_open, "{method:?}");
    }
    let cookie = house.sessions.begin(id);
    assert_eq!(call(&desk, Method::GetDesk, &cookie).await, None);
    house.staff.swap(crate::StaffList::default());
    assert_eq!(
        call(&desk, Method::GetDesk, &cookie).await,
        Some(Reason::NotSignedIn)
    );
}

#[tokio::test]
async fn roles_that_are_taken_away_are_gone_with_the_next_call() {
    let house = House::new();
    let desk = desk(&house);
    let (id, _) = house.invite("王敏", &[Role::Auditor, Role::Clerk]);
    let cookie = house.sessions.begin(id);
    assert_eq!(call(&desk, Method::ListActs, &cookie).await, None);
    let text = std::fs::read_to_string(&house.file).unwrap();
    let text = text.replace(", \"auditor\"", "");
    crate::files::replace_own(&house.file, &text).unwrap();
    house.employment.look();
    assert_eq!(
        call(&desk, Method::ListActs, &cookie).await,
        Some(Reason::RoleRefused)
    );
    assert_eq!(call(&desk, Method::ListProposals, &cookie).await, None);
}

#[tokio::test]
async fn a_form_of_another_page_has_no_session() {
    let house = House::new();
    let desk = desk(&house);
    let (id, _) = house.invite("王敏", &[Role::Auditor]);
    let cookie = house.sessions.begin(id);
    for of_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "a/application/grpc",
    ] {
        let mut request = from_page(proto::ListActsRequest::default(), &cookie);
        let value = of_type.parse().unwrap();
        request.metadata_mut().insert("content-type", value);
        let refused = desk.list_acts(request).await.unwrap_err();
        assert_eq!(reason(&refused), Reason::NotSignedIn, "{of_type}");
    }
}

#[tokio::test]
async fn what_a_page_asks_by_itself_is_answered_and_makes_no_session_last() {
    let house = House::new();
    let desk = desk(&house);
    let roles = [Role::Auditor, Role::AppealsOfficer];
    let (id, _) = house.invite("王敏", &roles);
    let cookie = house.sessions.begin(id);
    let ends = async || {
        let asked = from_page(proto::GetDeskRequest {}, &cookie);
        let told = desk.get_desk(asked).await.unwrap();
        told.get_ref().ends_at_s
    };
    let begun = ends().await;
    house.clock.pass_s(20);
    // Of both kinds of each: by itself, and because somebody asked.
    macro_rules! lasts_by {
        ($($call:ident, $request:ident;)*) => {
            $(for is_by_itself in [true, false] {
                let before = ends().await;
                house.clock.pass_s(20);
                #[allow(clippy::needless_update)] // one of them has no other field
                let request = proto::$request { is_by_itself, ..Default::default() };
                let answered = desk.$call(from_page(request, &cookie)).await;
                if let Err(status) = answered {
                    // Not for want of a session or a role.
                    let refused = reason(&status);
                    assert!(matches!(refused, Reason::UnknownOffice | Reason::NodeSilent));
                }
                assert_eq!(ends().await > before, !is_by_itself, stringify!($call));
            })*
        };
    }
    lasts_by! {
        list_proposals, ListProposalsRequest;
        list_cases, ListCasesRequest;
        get_overview, GetOverviewRequest;
        list_intake, ListIntakeRequest;
        list_acts, ListActsRequest;
    }
    assert!(ends().await > begun);
}

#[tokio::test]
async fn who_signs_in_has_a_cookie_a_desk_and_acts_and_loses_them_by_signing_out() {
    let house = House::new();
    let desk = desk(&house);
    let (_, code) = house.invite("王敏", &[Role::Auditor, Role::Clerk]);
    let mut device = Device::new(1);
    let begin = proto::BeginEnrolRequest { code: code.clone() };
    let begun = desk.begin_enrol(from_page(begin, "")).await.unwrap();
    let credential_json = device.create(&begun.get_ref().options_json);
    let enrol = proto::EnrolRequest {
        code,
        credential_json,
    };
    let enrolled = desk.enrol(from_page(enrol, "")).await.unwrap();
    let first = cookie_of(&enrolled);
    assert!(first.contains("HttpOnly") && first.contains("SameSite=Strict"));

    let begun = desk
        .begin_sign_in(from_page(proto::BeginSignInRequest {}, ""))
        .await
        .unwrap();
    let credential_json = device.get(&begun.get_ref().options_json);
    let sign_in = proto::SignInRequest { credential_json };
    let signed_in = desk.sign_in(from_page(sign_in, &first)).await.unwrap();
    let cookie = cookie_of(&signed_in);
    // One session takes the place of the other.
    assert_eq!(
        call(&desk, Method::GetDesk, &first).await,
        Some(Reason::NotSignedIn)
    );

    let told = desk
        .get_desk(from_page(proto::GetDeskRequest {}, &cookie))
        .await
        .unwrap();
    let told = told.into_inner();
    assert_eq!(
        (told.name.as_str(), told.federation.as_str(), told.province),
        ("王敏", "demo", 33)
    );
    let roles = [proto::StaffRole::Clerk, proto::StaffRole::Auditor].map(i32::from);
    assert_eq!(told.roles, roles);
    assert_eq!(told.ends_at_s, told.now_s + crate::sessions::IDLE_MAX_S);

    let list = proto::ListActsRequest::default();
    let acts = desk
        .list_acts(from_page(list, &cookie))
        .await
        .unwrap()
        .into_inner();
    let what: Vec<_> = acts.acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(what, ["signed-in", "enrolled", "staff-added"]);
    assert_eq!(
        (acts.next, acts.head),
        (0, house.journal.head().digest.to_vec())
    );

    let out = desk
        .sign_out(from_page(proto::SignOutRequest {}, &cookie))
        .await
        .unwrap();
    assert!(cookie_of(&out).starts_with("viridian_session=; Max-Age=0;"));
    assert_eq!(
        call(&desk, Method::GetDesk, &cookie).await,
        Some(Reason::NotSignedIn)
    );
    assert_eq!(house.acts().last().unwrap().0, "signed-out");
    // Who is signed out already does nothing by it.
    let acts = house.acts().len();
    assert_eq!(call(&desk, Method::SignOut, &cookie).await, None);
    assert_eq!(house.acts().len(), acts);
}

#[tokio::test]
async fn sessions_end_with_the_passkey_that_they_were_begun_by() {
    let house = House::new();
    let desk = desk(&house);
    let (id, device) = house.enrolled("王敏", &[Role::Clerk], 1);
    let (other, _) = house.enrolled("李雷", &[Role::Clerk], 2);
    let others = house.sessions.begin(other);
    let sign_in = async |mut device: Device| {
        let request = from_page(proto::BeginSignInRequest {}, "");
        let begun = desk.begin_sign_in(request).await.unwrap();
        let credential_json = device.get(&begun.get_ref().options_json);
        let sign_in = proto::SignInRequest { credential_json };
        desk.sign_in(from_page(sign_in, "")).await
    };
    let cookie = cookie_of(&sign_in(device.clone()).await.unwrap());
    assert_eq!(call(&desk, Method::GetDesk, &cookie).await, None);
    let refused = sign_in(device).await.unwrap_err();
    assert_eq!(reason(&refused), Reason::PasskeyRefused);
    assert_eq!(
        call(&desk, Method::GetDesk, &cookie).await,
        Some(Reason::NotSignedIn)
    );

    let cookie = house.sessions.begin(id);
    let entropy = store::Entropy::from_seed([8; 32]);
    let until_s = crate::testing::NOW_S + 60;
    let code = house.change(|list| list.invite_again(id, until_s, &entropy).unwrap());
    let options = house.passkeys.begin_enrol(&code, None).unwrap();
    let credential_json = Device::new(3).create(&options);
    let enrol = proto::EnrolRequest {
        code,
        credential_json,
    };
    let enrolled = desk.enrol(from_page(enrol, "")).await.unwrap();
    assert_eq!(
        call(&desk, Method::GetDesk, &cookie).await,
        Some(Reason::NotSignedIn)
    );
    assert_eq!(
        call(&desk, Method::GetDesk, &cookie_of(&enrolled)).await,
        None
    );
    assert_eq!(call(&desk, Method::GetDesk, &others).await, None);
}

fn cookie_of<T>(response: &Response<T>) -> String {
    let header = response.metadata().get("set-cookie").unwrap();
    header.to_str().unwrap().to_owned()
}
