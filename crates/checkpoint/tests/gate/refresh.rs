use std::fmt::Write as _;
use std::sync::Arc;

use checkpoint::{Config, Desk, Error, Taken, ask, take};
use federation::pki::{DemoAuthority, Validity};
use federation::{Door, FederationId, Limits, PeerId, TlsIdentity};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wire::trust::v1 as proto;
use wire::trust::v1::trust_service_server::TrustService;

use crate::scene::{at, bundle, config_text, good_bundle, province};

/// A node's public door that gives one fixed list.
struct Publisher(Vec<u8>);

#[tonic::async_trait]
impl TrustService for Publisher {
    async fn get_trust_list(
        &self,
        _: Request<proto::GetTrustListRequest>,
    ) -> Result<Response<proto::GetTrustListResponse>, Status> {
        Ok(Response::new(proto::GetTrustListResponse {
            bundle: self.0.clone(),
            increment: Vec::new(),
        }))
    }

    async fn get_revocation_batch(
        &self,
        _: Request<proto::GetRevocationBatchRequest>,
    ) -> Result<Response<proto::GetRevocationBatchResponse>, Status> {
        Err(wire::status(wire::Reason::NotFound))
    }
}

/// Publishers of Zhejiang, one for each list, and the configuration of a gate that asks them all.
async fn publish(dir: &std::path::Path, lists: Vec<Vec<u8>>) -> Config {
    let federation = FederationId::new("test").unwrap();
    let validity = Validity {
        from_s: 1_577_836_800,
        until_s: 4_102_444_800,
    };
    let authority = DemoAuthority::generate_for_demo(&federation, validity).unwrap();
    std::fs::write(dir.join("roots.pem"), authority.root_pem()).unwrap();
    let mut text = config_text(10).replace(
        "root_threshold = 2",
        "root_threshold = 2\nfederation = \"test\"\ncertificate_roots_file = \"roots.pem\"",
    );
    for list in lists {
        let node = PeerId::node(&federation, province(33));
        let own = authority.issue_for_demo(&node).unwrap();
        let own =
            TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &authority.root_pem()).unwrap();
        let door = Door::Public(Arc::new(Arc::new(own)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        writeln!(
            text,
            "[[publisher]]\nprovince = 33\naddress = \"{address}\""
        )
        .unwrap();
        let routes = Routes::new(wire::server::trust(Publisher(list)));
        tokio::spawn(federation::serve(
            listener,
            door,
            routes,
            Limits::default(),
            std::future::pending(),
        ));
    }
    Config::parse(&text, dir).unwrap()
}

#[tokio::test]
async fn the_newest_acceptable_list_of_several_publishers_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let lists = vec![
        bundle(1, 9, &[1], &[33, 35]), // too few root signatures
        good_bundle(),
        bundle(1, 3, &[1, 2], &[33, 35]),
        bundle(1, 2, &[1, 2], &[33, 35]), // one that fell behind
        Vec::new(),
    ];
    let config = publish(dir.path(), lists).await;
    let answers = ask(&config, None, at(10)).await.unwrap();
    let mut desk = Desk::open(config).unwrap();
    let taken = take(&mut desk, answers, at(10)).unwrap();
    let taken: Vec<&Taken> = taken.iter().map(|(_, taken)| taken).collect();
    assert!(matches!(
        taken[..],
        [
            Taken::Not(_),
            Taken::Newer,
            Taken::Newer,
            Taken::Not(_),
            Taken::Same
        ]
    ));
    assert_eq!(desk.list_age(at(10)).unwrap().online_sequence, 3);
}

#[tokio::test]
async fn an_outage_leaves_the_last_good_list_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let config = publish(dir.path(), vec![bundle(1, 9, &[1, 2], &[33])]).await;
    let mut desk = Desk::open(config.clone()).unwrap();
    desk.take_list(&good_bundle(), at(10)).unwrap();
    let answers = ask(&config, desk.list(), at(10)).await.unwrap();
    let refused = take(&mut desk, answers, at(10));
    assert!(matches!(refused, Err(Error::NotRefreshed(_))));

    let mut nobody = config;
    nobody.publishers[0].address = "127.0.0.1:1".to_owned();
    let answers = ask(&nobody, desk.list(), at(10)).await.unwrap();
    assert!(take(&mut desk, answers, at(10)).is_err());
    assert_eq!(desk.list_age(at(10)).unwrap().online_sequence, 1);
}
