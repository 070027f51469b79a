//! The table of who may make which call, tried with every caller and every call at a running node's doors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use federation::{CallerKind, PeerId, Role, Timeouts, callers, connect};
use http::uri::PathAndQuery;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use rules::SourceKind;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use wire::{Method, Reason, reason_of};

use crate::clients::{at_peers, at_public};
use crate::world::{House, Wish, World, credentials, federation, province};

/// Every call, and who may make it: N a node, S a source, C a checkpoint, O an operator of the node's province, P anybody
/// at the public door, G somebody at a gate's own machine, A an auditor of any
/// province, T the staff of an institution at its console, which is no door of a node. Kept beside the table of the code, so that neither changes alone.
const TABLE: [(&str, &str); 77] = [
    ("/viridian.resident.v1.ResidentService/GetHome", "P"),
    ("/viridian.resident.v1.ResidentService/Register", "P"),
    ("/viridian.resident.v1.ResidentService/DeclareHealth", "P"),
    ("/viridian.resident.v1.ResidentService/DeclareTrip", "P"),
    ("/viridian.resident.v1.ResidentService/Query", "P"),
    ("/viridian.resident.v1.ResidentService/RequestUse", "P"),
    ("/viridian.resident.v1.ResidentService/MakeCode", "P"),
    ("/viridian.resident.v1.ResidentService/Correct", "P"),
    ("/viridian.resident.v1.ResidentService/RevokePasses", "P"),
    ("/viridian.resident.v1.ResidentService/Leave", "P"),
    ("/viridian.resident.v1.ResidentService/SetProxy", "P"),
    ("/viridian.source.v1.SourceService/SubmitEvent", "S"),
    ("/viridian.source.v1.SourceService/SubmitEvents", "S"),
    ("/viridian.source.v1.SourceService/StreamEvents", "S"),
    ("/viridian.source.v1.ForwardedService/GetForwarded", "S"),
    ("/viridian.source.v1.ForwardedService/ConfirmForwarded", "S"),
    ("/viridian.source.v1.OpeningService/OpenEvent", "S"),
    ("/viridian.source.v1.AppealService/ListAppeals", "S"),
    ("/viridian.source.v1.AppealService/ReadAppeal", "S"),
    ("/viridian.source.v1.AppealService/DecideAppeal", "S"),
    ("/viridian.source.v1.ProxyOfficeService/NameProxy", "S"),
    ("/viridian.federation.v1.ForwardService/GetSealingKey", "N"),
    ("/viridian.federation.v1.ForwardService/ForwardEvents", "N"),
    ("/viridian.trust.v1.TrustService/GetTrustList", "NSCOPA"),
    (
        "/viridian.trust.v1.TrustService/GetRevocationBatch",
        "NSCOPA",
    ),
    ("/viridian.federation.v1.FederationService/GetTreeHead", "N"),
    (
        "/viridian.federation.v1.FederationService/CosignRegistry",
        "N",
    ),
    ("/viridian.federation.v1.FederationService/GetRegistry", "N"),
    (
        "/viridian.federation.v1.FederationService/PublishRegistry",
        "N",
    ),
    (
        "/viridian.federation.v1.FederationService/CosignOnline",
        "N",
    ),
    (
        "/viridian.federation.v1.FederationService/PublishOnline",
        "N",
    ),
    ("/viridian.federation.v1.LogService/AddCheckpoint", "N"),
    ("/viridian.federation.v1.LogService/GetLogPart", "N"),
    ("/viridian.federation.v1.LogService/GetWitnessed", "N"),
    ("/viridian.federation.v1.FederationService/Contribute", "N"),
    ("/viridian.audit.v1.AuditService/OpenSample", "A"),
    ("/viridian.audit.v1.AuditService/OpenLeaf", "A"),
    (
        "/viridian.federation.v1.FederationService/GetSignedRegistry",
        "N",
    ),
    (
        "/viridian.federation.v1.FederationService/GetSignedOnline",
        "N",
    ),
    ("/viridian.operator.v1.OperatorService/CloseEpoch", "O"),
    (
        "/viridian.operator.v1.OperatorService/AssembleRegistry",
        "O",
    ),
    ("/viridian.operator.v1.OperatorService/GetStatus", "O"),
    ("/viridian.operator.v1.OperatorService/ListSources", "O"),
    ("/viridian.operator.v1.OperatorService/AdvanceClock", "O"),
    ("/viridian.operator.v1.OperatorService/Drain", "O"),
    ("/viridian.gate.v1.GateService/NewChallenge", "G"),
    ("/viridian.gate.v1.GateService/VerifyCode", "G"),
    ("/viridian.gate.v1.GateService/VerifyCodes", "G"),
    ("/viridian.gate.v1.GateService/GetStatus", "G"),
    ("/viridian.gate.v1.GateService/GetSetting", "G"),
    ("/viridian.console.v1.ConsoleService/BeginEnrol", "T"),
    ("/viridian.console.v1.ConsoleService/Enrol", "T"),
    ("/viridian.console.v1.ConsoleService/BeginSignIn", "T"),
    ("/viridian.console.v1.ConsoleService/SignIn", "T"),
    ("/viridian.console.v1.ConsoleService/SignOut", "T"),
    ("/viridian.console.v1.ConsoleService/GetDesk", "T"),
    ("/viridian.console.v1.ConsoleService/Propose", "T"),
    ("/viridian.console.v1.ConsoleService/ListProposals", "T"),
    ("/viridian.console.v1.ConsoleService/ReadProposal", "T"),
    ("/viridian.console.v1.ConsoleService/JudgeProposal", "T"),
    ("/viridian.console.v1.ConsoleService/WithdrawProposal", "T"),
    ("/viridian.console.v1.ConsoleService/ListCases", "T"),
    ("/viridian.console.v1.ConsoleService/ReadCase", "T"),
    ("/viridian.console.v1.ConsoleService/GetOverview", "T"),
    ("/viridian.console.v1.ConsoleService/ListIntake", "T"),
    ("/viridian.console.v1.ConsoleService/ListActs", "T"),
    ("/grpc.health.v1.Health/Check", "NOPG"),
    ("/grpc.health.v1.Health/Watch", "NOPG"),
    // Nobody's at any door: they are answered on a socket in the data directory, to whoever may open it.
    ("/viridian.maintenance.v1.MaintenanceService/Backup", ""),
    ("/viridian.maintenance.v1.MaintenanceService/Compact", ""),
    ("/viridian.maintenance.v1.MaintenanceService/RenewKeys", ""),
    // Nobody's either: an auditor's program answers them beside its page, from what it verified.
    ("/viridian.public.v1.PublicService/GetOverview", "T"),
    ("/viridian.public.v1.PublicService/GetRuleText", "T"),
    ("/viridian.public.v1.PublicService/GetCounts", "T"),
    ("/viridian.public.v1.PublicService/GetImpacts", "T"),
    // Nobody's: what is not in the table does not exist.
    ("/viridian.operator.v1.OperatorService/SetColour", ""),
    (
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "",
    ),
];

/// Of sources only offices of one kind: the service says so to the others.
const FOR_OFFICES: [(&str, &str); 2] = [
    ("/viridian.source.v1.AppealService/", "/appeals-office/"),
    (
        "/viridian.source.v1.ProxyOfficeService/",
        "/community-office/",
    ),
];

const KINDS: [(char, CallerKind); 8] = [
    ('A', CallerKind::Auditor),
    ('N', CallerKind::Node),
    ('S', CallerKind::Source),
    ('C', CallerKind::Checkpoint),
    ('O', CallerKind::Operator),
    ('P', CallerKind::Public),
    ('G', CallerKind::Gate),
    ('T', CallerKind::Staff),
];

#[test]
fn every_call_of_the_protocol_files_has_its_row_and_the_code_says_the_same() {
    let rows: BTreeMap<&str, &str> = TABLE.into_iter().collect();
    assert_eq!(rows.len(), TABLE.len(), "no row twice");
    let set = FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap();
    let mut declared = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let (package, service, method) = (file.package(), service.name(), method.name());
                declared.insert(format!("/{package}.{service}/{method}"));
            }
        }
    }
    assert!(declared.len() > 25);
    for path in &declared {
        assert!(rows.contains_key(path.as_str()), "{path} has no row");
    }
    for (path, letters) in rows {
        let Some(method) = Method::from_path(path) else {
            assert!(letters.is_empty() && !declared.contains(path), "{path}");
            continue;
        };
        for (letter, kind) in KINDS {
            let admitted = callers(method).contains(&kind);
            assert_eq!(letters.contains(letter), admitted, "{path} {letter}");
        }
    }
}

#[test]
fn nobody_looks_anybody_up_by_identity_number_or_name() {
    let set = FileDescriptorSet::decode(wire::DESCRIPTORS).unwrap();
    let mut found = BTreeSet::new();
    for message in set.file.iter().flat_map(|file| &file.message_type) {
        for field in &message.field {
            let name = field.name();
            if name == "name" || name.contains("identity") || name.contains("subject") {
                found.insert(format!("{}.{name}", message.name()));
            }
        }
    }
    // Who registers says who it is, and is told nothing else; a gate compares a card with the pass shown beside it, on its
    // own machine. An auditor is told whose the drawn leaf is, and names nobody. At a console a clerk states a fact about
    // somebody, or proposes who acts for them, which is asked of nobody; the other name there is of who works there. The name of a source is an institution's.
    let expected = [
        "GetDeskResponse.name",
        "ProxyNaming.identity_number",
        "Register.identity_number",
        "Register.name",
        "Resident.identity_number",
        "SourceIntake.name",
        "Statement.identity_number",
        "VerifyCodeRequest.card_identity_number",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}

/// Makes a call with an empty message, however many are asked for, and takes the first answer.
async fn call(channel: &Channel, path: &'static str) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.expect("the door is open");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = PathAndQuery::from_static(path);
    let one = tokio_stream::once(());
    let answers = grpc.streaming(Request::new(one), path, codec).await?;
    answers.into_inner().message().await.map(|_| ())
}

fn peer(code: u8, role: Role) -> PeerId {
    PeerId {
        federation: federation(),
        province: province(code),
        role,
    }
}

async fn expect(who: &str, channel: &Channel, letter: Option<char>) {
    for (path, letters) in TABLE {
        let of_office = FOR_OFFICES.iter().find(|(at, _)| path.starts_with(at));
        let is_office = of_office.is_none_or(|(_, kind)| who.contains(kind));
        let admitted = is_office && letter.is_some_and(|letter| letters.contains(letter));
        let answer = tokio::time::timeout(Duration::from_secs(10), call(channel, path)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{who} {path}: no answer"));
        let reason = answer.as_ref().err().and_then(reason_of);
        if admitted {
            assert_ne!(reason, Some(Reason::RoleRefused), "{who} {path}");
            let code = answer.err().map_or(Code::Ok, |status| status.code());
            assert_ne!(code, Code::Unimplemented, "{who} {path}");
            assert_ne!(code, Code::Unavailable, "{who} {path}");
        } else if Method::from_path(path).is_none() {
            assert_eq!(reason, Some(Reason::UnknownMethod), "{who} {path}");
        } else {
            assert_eq!(reason, Some(Reason::RoleRefused), "{who} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_at_the_doors_what_the_table_says_for_every_call() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let laboratory = |code| peer(code, Role::Source(SourceKind::Laboratory, 1));
    for (code, role, letter) in [
        (35, Role::Node, Some('N')),
        (33, laboratory(33).role, Some('S')),
        (35, laboratory(35).role, Some('S')),
        (33, Role::Source(SourceKind::AppealsOffice, 1), Some('S')),
        (33, Role::Source(SourceKind::CommunityOffice, 1), Some('S')),
        (33, Role::Checkpoint, Some('C')),
        (42, Role::Checkpoint, Some('C')),
        (33, Role::Auditor(1), Some('A')),
        (35, Role::Auditor(7), Some('A')),
        (35, Role::Operator, None),
    ] {
        let who = peer(code, role);
        expect(&who.to_string(), &at_peers(house, &who), letter).await;
    }
    expect("anybody", &at_public(house), Some('P')).await;
    // A certificate makes nobody more than anybody at the public door.
    for role in [Role::Node, Role::Operator] {
        let who = peer(33, role);
        let channel = at_public_with(house, &who);
        expect(&format!("{who} at the public door"), &channel, Some('P')).await;
    }
    // Last, since an operator may end the node; its `Drain` is the last that is tried of those admitted.
    let who = peer(33, Role::Operator);
    let at_door = at_peers(house, &who);
    let (before, rest): (Vec<_>, Vec<_>) = TABLE
        .into_iter()
        .partition(|(path, _)| !path.ends_with("/Drain"));
    assert_eq!(rest.len(), 1);
    for (path, letters) in before {
        let reason = call(&at_door, path)
            .await
            .err()
            .as_ref()
            .and_then(reason_of);
        if Method::from_path(path).is_none() {
            assert_eq!(reason, Some(Reason::UnknownMethod), "{path}");
        } else {
            let refused = reason == Some(Reason::RoleRefused);
            assert_ne!(refused, letters.contains('O'), "{path}");
        }
    }
    call(&at_door, rest[0].0).await.unwrap();
    assert!(house.node.is_draining());
}

fn at_public_with(house: &House, who: &PeerId) -> Channel {
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.public_at.to_string();
    connect(
        &address,
        node,
        Arc::new(credentials(who)),
        Timeouts::default(),
    )
    .unwrap()
}
