//! Every message of every door, and what it is converted to.
//!
//! The first byte of an input chooses the message; the rest is the message.

mod appeals;
mod between_nodes;
mod forwarded;
mod held;
mod namings;
mod opened;
mod openings;
mod seen;

use std::fmt::Debug;
use std::sync::LazyLock;

use p256::ecdsa::SigningKey;
use prost::Message;
use rules::{Claim, Event, Minute, ProvinceCode};
use tonic::{Code, Status};
use wire::gate::v1 as gate;
use wire::maintenance::v1 as maintenance;
use wire::operator::v1 as operator;
use wire::pass::v1 as pass;
use wire::resident::v1 as resident;
use wire::source::v1 as source;
use wire::trust::v1 as trust;
use wire::{
    CheckIn, Contestation, DeviceKey, GateRequest, MAX_MESSAGE_BYTES, Nonce, Padded, PassRequest,
    ProxyWish, Question, Registration, RequestAuth, SignedCall, Trip, UnverifiedCall, UseId,
    WireError, gate_requests, reason_of, retry_after, sign_call, signed_event, stated_home, status,
};

use crate::bytes::{canonical, says};
use crate::codes;
use crate::event::samples;
use crate::world::GATE;

/// A message: what is checked of its bytes, and examples.
struct Row {
    check: fn(&[u8]),
    seeds: Vec<Vec<u8>>,
}

/// The order is part of the corpus: new rows at the end.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = signed_calls();
    rows.extend(bodies());
    rows.extend(of_sources());
    rows.extend(between_nodes::rows());
    rows.extend(of_gates());
    rows.extend(without_conversion());
    rows.extend(layouts());
    rows.push(streamed());
    rows.extend(forwarded::rows());
    rows.extend(opened::rows());
    rows.extend(held::rows());
    rows.extend(openings::rows());
    rows.extend(seen::rows());
    rows.extend(appeals::rows());
    rows.extend(namings::rows());
    rows
});

pub(crate) fn check(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    // Doors refuse what is longer before they read it.
    if let Some(row) = ROWS.get(usize::from(*choice))
        && bytes.len() <= MAX_MESSAGE_BYTES
    {
        (row.check)(bytes);
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let numbered = (0..=u8::MAX).zip(ROWS.iter());
    numbered
        .flat_map(|(choice, row)| {
            row.seeds
                .iter()
                .map(move |seed| [&[choice], &seed[..]].concat())
        })
        .collect()
}

fn row<M: Message>(check: fn(&[u8]), examples: &[M]) -> Row {
    let seeds = examples.iter().map(Message::encode_to_vec).collect();
    Row { check, seeds }
}

/// The message; what is written of it is read as the same.
fn read<M: Message + Default + PartialEq + Debug>(bytes: &[u8]) -> Option<M> {
    match M::decode(bytes) {
        Ok(message) => {
            let again = M::decode(&message.encode_to_vec()[..]);
            assert!(again.as_ref() == Ok(&message), "another message");
            Some(message)
        }
        Err(error) => {
            says(&error);
            None
        }
    }
}

/// As [`read`], of a message that prints nothing of what is in it.
fn silent<M: Message + Default + PartialEq + Debug>(bytes: &[u8]) -> Option<M> {
    let message: Option<M> = read(bytes);
    if let Some(message) = &message {
        let name = std::any::type_name::<M>().rsplit("::").next();
        let printed = format!("{message:?}");
        assert!(name.is_some_and(|name| printed.len() <= name.len() + 8));
    }
    message
}

/// [`read`], and no more.
fn plain<M: Message + Default + PartialEq + Debug>(bytes: &[u8]) {
    let _: Option<M> = read(bytes);
}

/// [`silent`], and no more.
fn hidden<M: Message + Default + PartialEq + Debug>(bytes: &[u8]) {
    let _: Option<M> = silent(bytes);
}

/// A refusal says which field is wrong, and travels under a reason.
fn refused(error: WireError) {
    says(&error);
    let reason = error.reason();
    assert_eq!(reason_of(&status(reason)), Some(reason));
}

fn converted<T>(converted: Result<T, WireError>) -> Option<T> {
    converted.map_err(refused).ok()
}

const HOME: u8 = 33;
const AT: u32 = 27_690_000;

fn device() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).expect("a scalar")
}

fn province() -> ProvinceCode {
    ProvinceCode::new(HOME).expect("a province")
}

fn minute() -> Minute {
    Minute::new(AT).expect("a minute")
}

fn signed<C: SignedCall + Message>(body: &C::Body) -> C {
    sign_call(body, &device(), province(), minute(), Nonce([9; 16]))
}

/// A signed call: whatever passes was signed by the device, over these very bytes.
fn call<C: SignedCall + Message + Default + PartialEq + Debug>(bytes: &[u8])
where
    C::Body: PartialEq + Debug,
{
    let Some(request) = silent::<C>(bytes) else {
        return;
    };
    silent::<C::Body>(request.body());
    let Some(unverified) = converted(UnverifiedCall::parse(&request)) else {
        return;
    };
    let key = DeviceKey::of(&device());
    if let Some(verified) = converted(unverified.verify(&key, province(), minute(), 5)) {
        let again: C = sign_call(
            &verified.body,
            &device(),
            verified.auth.home,
            verified.auth.at,
            verified.auth.nonce,
        );
        assert_eq!(again.body(), request.body(), "a body that nobody signed");
    }
}

fn register() -> resident::Register {
    resident::Register {
        device_key: DeviceKey::of(&device()).to_bytes().to_vec(),
        identity_number: "11010519491231002X".to_owned(),
        name: "王芳".to_owned(),
        real_name_evidence: vec![1, 2, 3],
        forget_other_devices: false,
    }
}

fn check_in() -> resident::DeclareHealth {
    resident::DeclareHealth {
        event_id: vec![1; 16],
        day: 19_229,
        symptoms: resident::Symptoms::Present.into(),
    }
}

fn trip() -> resident::DeclareTrip {
    resident::DeclareTrip {
        event_id: vec![2; 16],
        area_nine_digit: 330_102_001,
        site: 1,
        begin_minute: AT - 500,
        end_minute: Some(AT - 100),
    }
}

fn query() -> resident::Query {
    resident::Query {
        rule_set_id: "fj-2022-08".to_owned(),
        readings_from: vec![3; 20],
    }
}

fn request_use() -> resident::RequestUse {
    let keys = GATE.showings.iter();
    let keys = keys.filter_map(|showing| showing.pass().holder.key());
    resident::RequestUse {
        use_id: vec![3; 16],
        claim: Some(GATE.showings[0].pass().claim.into()),
        rule_set_id: String::new(),
        binder_kind: pass::BinderKind::Device.into(),
        holder_keys: keys.map(|key| key.to_bytes().to_vec()).collect(),
    }
}

fn make_code() -> resident::MakeCode {
    resident::MakeCode {
        use_id: vec![3; 16],
    }
}

fn correct() -> resident::Correct {
    resident::Correct {
        case_id: vec![4; 16],
        event_id: vec![1; 16],
        statement: "I was not there.".to_owned(),
    }
}

fn set_proxy() -> resident::SetProxy {
    resident::SetProxy {
        proxy_key: DeviceKey::of(&device()).to_bytes().to_vec(),
        label: "女儿".to_owned(),
        until_minute: 27_700_000,
    }
}

fn signed_calls() -> Vec<Row> {
    vec![
        row(
            call::<resident::RegisterRequest>,
            &[signed::<resident::RegisterRequest>(&register())],
        ),
        row(
            call::<resident::DeclareHealthRequest>,
            &[signed::<resident::DeclareHealthRequest>(&check_in())],
        ),
        row(
            call::<resident::DeclareTripRequest>,
            &[signed::<resident::DeclareTripRequest>(&trip())],
        ),
        row(
            call::<resident::QueryRequest>,
            &[signed::<resident::QueryRequest>(&query())],
        ),
        row(
            call::<resident::RequestUseRequest>,
            &[signed::<resident::RequestUseRequest>(&request_use())],
        ),
        row(
            call::<resident::MakeCodeRequest>,
            &[signed::<resident::MakeCodeRequest>(&make_code())],
        ),
        row(
            call::<resident::CorrectRequest>,
            &[signed::<resident::CorrectRequest>(&correct())],
        ),
        row(
            call::<resident::RevokePassesRequest>,
            &[signed::<resident::RevokePassesRequest>(
                &resident::RevokePasses {
                    use_id: vec![6; 16],
                    forget_other_devices: true,
                },
            )],
        ),
        row(
            call::<resident::LeaveRequest>,
            &[signed::<resident::LeaveRequest>(&resident::Leave {})],
        ),
        row(
            call::<resident::SetProxyRequest>,
            &[signed::<resident::SetProxyRequest>(&set_proxy())],
        ),
    ]
}

/// A body, converted: `T` of a message `M`.
fn body<T: for<'a> TryFrom<&'a M, Error = WireError>, M>(bytes: &[u8])
where
    M: Message + Default + PartialEq + Debug,
{
    if let Some(message) = silent::<M>(bytes) {
        converted(T::try_from(&message));
    }
}

fn bodies() -> Vec<Row> {
    let claim = pass::Claim::from(GATE.showings[0].pass().claim);
    let claims = |bytes: &[u8]| {
        if let Some(message) = read::<pass::Claim>(bytes)
            && let Some(claim) = converted(Claim::try_from(&message))
        {
            assert_eq!(pass::Claim::from(claim), message);
        }
    };
    vec![
        row(body::<Registration, resident::Register>, &[register()]),
        row(body::<CheckIn, resident::DeclareHealth>, &[check_in()]),
        row(body::<Trip, resident::DeclareTrip>, &[trip()]),
        row(body::<Question, resident::Query>, &[query()]),
        row(body::<PassRequest, resident::RequestUse>, &[request_use()]),
        row(body::<UseId, resident::MakeCode>, &[make_code()]),
        row(body::<Contestation, resident::Correct>, &[correct()]),
        row(body::<ProxyWish, resident::SetProxy>, &[set_proxy()]),
        row(claims, &[claim]),
    ]
}

fn event(message: &source::SignedEvent) {
    let Some((bytes, signature)) = converted(signed_event(message)) else {
        return;
    };
    let home_province = message.home_province;
    if let Some(home) = converted(stated_home(message)) {
        assert_eq!(home.map_or(0, |home| home.get().into()), home_province);
    }
    let event = canonical(bytes, Event::from_bytes(bytes), Event::to_bytes);
    if let Some(event) = event {
        let again = source::SignedEvent {
            home_province,
            ..source::SignedEvent::new(&event, signature)
        };
        assert!(again == *message);
    }
}

fn of_sources() -> Vec<Row> {
    let events: Vec<source::SignedEvent> = samples()
        .iter()
        .map(|event| source::SignedEvent::new(event, [6; 64]))
        .collect();
    let one = |bytes: &[u8]| {
        let message = silent::<source::SubmitEventRequest>(bytes);
        message.and_then(|m| m.event).iter().for_each(event);
    };
    let many = |bytes: &[u8]| {
        if let Some(message) = silent::<source::SubmitEventsRequest>(bytes) {
            message.events.iter().for_each(event);
        }
    };
    let single = source::SubmitEventRequest {
        event: events.first().cloned(),
    };
    vec![
        row(one, &[single]),
        row(many, &[source::SubmitEventsRequest { events }]),
    ]
}

fn streamed() -> Row {
    let check = |bytes: &[u8]| {
        if let Some(message) = silent::<source::StreamEventsRequest>(bytes) {
            message.events.iter().for_each(event);
        }
    };
    let sample = samples()[0];
    let batch = source::StreamEventsRequest {
        batch: 7,
        events: vec![source::SignedEvent::new(&sample, [6; 64])],
    };
    row(check, &[batch])
}

fn scanned(request: &GateRequest<'_>) {
    codes::qr_text(request.qr_text.as_bytes());
    assert!(request.profile != Some(""));
}

fn of_gates() -> Vec<Row> {
    let one = |bytes: &[u8]| {
        if let Some(message) = silent::<gate::VerifyCodeRequest>(bytes)
            && let Some(request) = converted(GateRequest::try_from(&message))
        {
            scanned(&request);
        }
    };
    let many = |bytes: &[u8]| {
        if let Some(message) = silent::<gate::VerifyCodesRequest>(bytes)
            && let Some(requests) = converted(gate_requests(&message))
        {
            // Their number is limited by the message; their texts have a target of their own.
            requests.first().into_iter().for_each(scanned);
        }
    };
    let codes: Vec<gate::VerifyCodeRequest> = codes::qr_text_seeds()
        .into_iter()
        .map(|text| gate::VerifyCodeRequest {
            qr_text: String::from_utf8_lossy(&text).into_owned(),
            profile_id: "gate".to_owned(),
            card_identity_number: "11010519491231002X".to_owned(),
            nonce: GATE.challenge.nonce.0.to_vec(),
        })
        .collect();
    vec![
        row(one, &codes[..1]),
        row(many, &[gate::VerifyCodesRequest { codes }]),
        row(
            hidden::<gate::NewChallengeResponse>,
            &[gate::NewChallengeResponse::from(GATE.challenge)],
        ),
        row(
            hidden::<gate::VerifyCodesResponse>,
            &[gate::VerifyCodesResponse::default()],
        ),
    ]
}

/// As it came, brought to its length.
fn padded<M: Padded + Default + PartialEq + Debug>(bytes: &[u8]) {
    if let Some(mut message) = silent::<M>(bytes) {
        message.pad();
        assert_eq!(message.encoded_len() % M::STEP_BYTES, 0);
    }
}

fn query_response() -> resident::QueryResponse {
    let reason = resident::Reason {
        rule_id: "R3".to_owned(),
        text_zh: "密切接触者".to_owned(),
        text_en: "A close contact".to_owned(),
        event_ids: vec![vec![1; 16]],
        ways_out: vec![resident::WayOut {
            negatives_needed: 2,
            earliest_minute: Some(AT),
            ..Default::default()
        }],
        lapses_at_minute: Some(AT),
        ..Default::default()
    };
    resident::QueryResponse {
        at_minute: AT,
        reasons: vec![reason.clone(), reason],
        ..Default::default()
    }
}

fn made_code() -> resident::MakeCodeResponse {
    let passes = GATE.showings.iter().map(|showing| resident::IssuedPass {
        pass: showing.pass().to_bytes(),
        revocation_secret: vec![5; 16],
    });
    resident::MakeCodeResponse {
        passes: passes.collect(),
        refusal: Some(resident::Refusal {
            rule_ids: vec!["R3".to_owned()],
            test_too_old: true,
        }),
        ..Default::default()
    }
}

fn without_conversion() -> Vec<Row> {
    let home = resident::GetHomeResponse::default();
    let list = trust::GetTrustListRequest {
        root_sequence: 1,
        online_sequence: 40,
        epoch: 11,
        batch_minute: AT,
        accepts_increment: true,
    };
    let bundle = trust::GetTrustListResponse {
        bundle: GATE.list.to_bytes().to_vec(),
        increment: Vec::new(),
    };
    let close = operator::CloseEpochRequest {
        epoch: 9,
        as_of_minute: AT,
    };
    let clock = operator::AdvanceClockRequest { to_minute: AT };
    let trusted = |bytes: &[u8]| {
        if let Some(message) = read::<trust::GetTrustListResponse>(bytes) {
            crate::trust_bundle::check(&message.bundle);
            crate::trust_bundle::check(&message.increment);
        }
    };
    vec![
        row(padded::<resident::QueryResponse>, &[query_response()]),
        row(padded::<resident::MakeCodeResponse>, &[made_code()]),
        row(hidden::<resident::GetHomeResponse>, &[home]),
        row(plain::<trust::GetTrustListRequest>, &[list]),
        row(trusted, &[bundle]),
        row(plain::<operator::CloseEpochRequest>, &[close]),
        row(plain::<operator::AdvanceClockRequest>, &[clock]),
        row(
            plain::<operator::GetStatusResponse>,
            &[operator::GetStatusResponse::default()],
        ),
        row(
            plain::<maintenance::BackupResponse>,
            &[maintenance::BackupResponse::default()],
        ),
        row(
            plain::<maintenance::CompactResponse>,
            &[maintenance::CompactResponse::default()],
        ),
    ]
}

/// Bytes inside messages that are no messages, and what a status carries.
fn layouts() -> Vec<Row> {
    let auth = |bytes: &[u8]| {
        let read = RequestAuth::from_bytes(bytes);
        canonical(bytes, read, RequestAuth::to_bytes);
    };
    let key = |bytes: &[u8]| {
        canonical(bytes, DeviceKey::from_bytes(bytes), |k| k.to_bytes().into());
    };
    let details = |bytes: &[u8]| {
        let status = Status::with_details(Code::Unavailable, "", bytes.to_vec().into());
        if let Some(reason) = reason_of(&status) {
            assert!(!reason.code().is_empty());
        }
        retry_after(&status);
    };
    let request: resident::QueryRequest = signed(&query());
    let wait = std::time::Duration::from_millis(1_500);
    let shed = wire::status_retry_after(wire::Reason::ALL[0], wait);
    vec![
        Row {
            check: auth,
            seeds: request.auth.into_iter().map(|auth| auth.auth).collect(),
        },
        Row {
            check: key,
            seeds: vec![DeviceKey::of(&device()).to_bytes().to_vec()],
        },
        Row {
            check: details,
            seeds: vec![shed.details().to_vec()],
        },
    ]
}
