//! Who comes through a door, and who does not.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::house::*;
use crate::raw;
use federation::pki::{DemoAuthority, Validity};
use federation::{
    Credentials, Door, FederationError, FederationId, Limits, PeerId, Role, TlsIdentity, serve,
};
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic::service::Routes;
use wire::{Reason, reason_of};

#[tokio::test]
async fn a_node_is_served_and_known_by_its_certificate() {
    let open = Open::for_peers(Limits::default()).await;
    let fujian = peer(35, Role::Node);
    let channel = open.channel(credentials(&fujian));
    assert_eq!(head(channel.clone(), 1).await.unwrap(), fujian.to_string());
    assert_eq!(trust(channel).await.unwrap(), "Node");
}

#[tokio::test]
async fn another_role_is_refused_where_its_row_is_empty() {
    let open = Open::for_peers(Limits::default()).await;
    for other in [
        laboratory(),
        peer(35, Role::Checkpoint),
        peer(33, Role::Operator),
    ] {
        let channel = open.channel(credentials(&other));
        let refused = head(channel.clone(), 1).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{other}");
        assert_eq!(reason_of(&refused), Some(Reason::RoleRefused), "{other}");
        assert!(trust(channel).await.is_ok(), "{other}");
    }
}

#[tokio::test]
async fn an_operator_of_another_province_is_refused() {
    let open = Open::for_peers(Limits::default()).await;
    let refused = trust(open.channel(credentials(&peer(35, Role::Operator))))
        .await
        .unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::RoleRefused));
}

#[tokio::test]
async fn a_call_that_is_not_in_the_table_is_refused() {
    let open = Open::for_peers(Limits::default()).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path =
        http::uri::PathAndQuery::from_static("/viridian.resident.v1.ResidentService/SetColour");
    let answer: Result<tonic::Response<wire::trust::v1::GetTrustListResponse>, _> = grpc
        .unary(
            tonic::Request::new(wire::trust::v1::GetTrustListRequest::default()),
            path,
            tonic_prost::ProstCodec::default(),
        )
        .await;
    assert_eq!(reason_of(&answer.unwrap_err()), Some(Reason::UnknownMethod));
}

#[tokio::test]
async fn anybody_comes_through_the_public_door_and_reaches_only_what_is_public() {
    let open = Open::new(
        Door::Public(Arc::new(credentials(&zhejiang()))),
        Limits::default(),
    )
    .await;
    let channel = open.channel(anonymous());
    assert_eq!(trust(channel.clone()).await.unwrap(), "Public");
    assert_eq!(
        reason_of(&head(channel, 1).await.unwrap_err()),
        Some(Reason::RoleRefused)
    );

    // A certificate makes nobody more than public there.
    let node = open.channel(credentials(&peer(35, Role::Node)));
    assert_eq!(
        reason_of(&head(node, 1).await.unwrap_err()),
        Some(Reason::RoleRefused)
    );
}

/// What certificate is shown, and what for.
async fn refused_at_peers(client: Arc<TlsIdentity>, why: &str) {
    let open = Open::for_peers(Limits::default()).await;
    let refused = trust(open.channel(client)).await.expect_err(why);
    // The transport failed, so no service answered.
    assert!(refused.source().is_some(), "{why}: {refused:?}");
    assert_eq!(reason_of(&refused), None, "{why}");
}

#[tokio::test]
async fn without_a_certificate_nobody_comes_through_the_door_of_peers() {
    refused_at_peers(anonymous(), "no certificate").await;
}

#[tokio::test]
async fn a_certificate_of_another_federation_is_refused() {
    let other = FederationId::new("other").unwrap();
    let stranger = PeerId {
        federation: other.clone(),
        province: province(35),
        role: Role::Node,
    };

    // The same root, another federation's name.
    refused_at_peers(credentials(&stranger), "another federation under our root").await;

    // Another root, our name.
    let foreign = DemoAuthority::generate_for_demo(&demo(), LONG).unwrap();
    let forged = foreign.issue_for_demo(&peer(35, Role::Node)).unwrap();
    refused_at_peers(material(&forged), "another root").await;
}

#[tokio::test]
async fn a_damaged_certificate_is_refused() {
    let uri = peer(35, Role::Node).to_string();
    let node = |uris: &[String], validity: Validity, usage| {
        AUTHORITY.issue(uris, vec![usage], validity).unwrap()
    };
    let past = Validity {
        from_s: LONG.from_s,
        until_s: LONG.from_s + 86_400,
    };
    let future = Validity {
        from_s: LONG.until_s - 86_400,
        until_s: LONG.until_s,
    };
    let one = [uri.clone()];
    refused_at_peers(material(&node(&one, past, ClientAuth)), "expired").await;
    refused_at_peers(material(&node(&one, future, ClientAuth)), "not yet valid").await;
    refused_at_peers(material(&node(&one, LONG, ServerAuth)), "not for clients").await;
}

/// Whether a client that shows any certificate at all comes through: `TlsIdentity` would refuse to load these.
async fn raw_handshake(
    open: &Open,
    chain_pem: &str,
    key_pem: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> bool {
    let stream = TcpStream::connect(open.address).await.unwrap();
    let Ok(mut stream) = raw::handshake(stream, chain_pem, key_pem, version).await else {
        return false;
    };
    // In TLS 1.3 a refused client learns of it with its first read; an admitted one gets HTTP/2 settings.
    let mut first = [0; 9];
    stream.read_exact(&mut first).await.is_ok()
}

#[tokio::test]
async fn a_certificate_without_exactly_one_identity_is_refused() {
    let open = Open::for_peers(Limits::default()).await;
    let uri = |text: &str| text.to_owned();
    let good = uri("spiffe://viridian/demo/35/node");
    let cases: [(&[String], bool); 5] = [
        (std::slice::from_ref(&good), true),
        (&[], false),
        (
            &[good.clone(), uri("spiffe://viridian/demo/33/node")],
            false,
        ),
        (&[uri("spiffe://viridian/demo/35/king")], false),
        (&[uri("spiffe://viridian/demo/35/source/resident/0")], false),
    ];
    for (uris, admitted) in cases {
        let certificate = AUTHORITY.issue(uris, vec![ClientAuth], LONG).unwrap();
        let got = raw_handshake(
            &open,
            &certificate.chain_pem,
            &certificate.key_pem,
            &rustls::version::TLS13,
        )
        .await;
        assert_eq!(got, admitted, "{uris:?}");
    }
}

#[tokio::test]
async fn an_older_tls_is_refused() {
    let open = Open::for_peers(Limits::default()).await;
    let node = AUTHORITY.issue_for_demo(&peer(35, Role::Node)).unwrap();
    assert!(
        !raw_handshake(
            &open,
            &node.chain_pem,
            &node.key_pem,
            &rustls::version::TLS12
        )
        .await
    );
    assert!(
        raw_handshake(
            &open,
            &node.chain_pem,
            &node.key_pem,
            &rustls::version::TLS13
        )
        .await
    );
}

#[tokio::test]
async fn a_server_with_another_identity_is_not_spoken_to() {
    let open = Open::for_peers(Limits::default()).await;
    let fujian = credentials(&peer(35, Role::Node));
    for expected in [peer(42, Role::Node), peer(33, Role::Operator)] {
        let refused = trust(open.channel_to(expected, Arc::new(fujian.clone())))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }
    // Neither is one whose certificate is not for servers.
    let other = Open::new(
        Door::Peers(Arc::new(credentials(&laboratory()))),
        Limits::default(),
    )
    .await;
    let refused = trust(other.channel_to(laboratory(), Arc::new(fujian)))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_server_under_another_root_is_not_spoken_to() {
    let foreign = DemoAuthority::generate_for_demo(&demo(), LONG).unwrap();
    let forged = foreign.issue_for_demo(&zhejiang()).unwrap();
    let open = Open::new(Door::Public(Arc::new(material(&forged))), Limits::default()).await;
    let refused = trust(open.channel(anonymous())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_door_does_not_open_without_a_certificate_and_the_gate_not_beyond_loopback() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = Door::Peers(Arc::new(anonymous()));
    let opened = serve(
        listener,
        door,
        Routes::default(),
        Limits::default(),
        async {},
    )
    .await;
    assert!(matches!(opened, Err(FederationError::NoCertificate)));

    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let opened = serve(
        listener,
        Door::Gate,
        Routes::default(),
        Limits::default(),
        async {},
    )
    .await;
    assert!(matches!(opened, Err(FederationError::NotLoopback(_))));
}

/// Credentials that can be swapped.
struct Swappable(Mutex<Arc<TlsIdentity>>);

impl Credentials for Swappable {
    fn current(&self) -> Arc<TlsIdentity> {
        Arc::clone(&self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn swapped_credentials_count_from_the_next_connection() {
    let swappable = Arc::new(Swappable(Mutex::new(credentials(&zhejiang()))));
    let open = Open::new(Door::Peers(swappable.clone()), Limits::default()).await;
    let client: Arc<dyn Credentials> = Arc::new(credentials(&peer(35, Role::Node)));
    let standing = open.channel_to(zhejiang(), client.clone());
    assert!(trust(standing.clone()).await.is_ok());

    *swappable.0.lock().unwrap() = credentials(&peer(42, Role::Node));
    assert!(
        trust(standing).await.is_ok(),
        "a standing connection goes on"
    );
    assert!(
        trust(open.channel_to(zhejiang(), client.clone()))
            .await
            .is_err()
    );
    assert!(
        trust(open.channel_to(peer(42, Role::Node), client))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_silent_connection_is_closed_when_its_handshake_takes_too_long() {
    let limits = Limits {
        handshake: Duration::from_millis(200),
        max_connections: 1,
        ..Limits::default()
    };
    let open = Open::for_peers(limits).await;
    let mut silent = TcpStream::connect(open.address).await.unwrap();
    // The only place is taken, so this caller has to wait until the silent one is put out.
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    assert!(trust(channel).await.is_ok());
    let read = silent.read(&mut [0; 1]).await;
    assert!(
        matches!(read, Ok(0))
            || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    );
}
