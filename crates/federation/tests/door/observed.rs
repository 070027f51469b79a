//! What an observer sees of calls, and the ids that go with them.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use federation::{
    CallObserver, CallerKind, Door, EndedCall, Limits, RequestId, Role, serve_observed,
};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Code, Request};
use wire::federation::v1 as f;
use wire::{Method, Reason};

use crate::house::{House, anonymous, credentials, laboratory, peer, zhejiang};

#[derive(Default)]
struct Seen {
    next: AtomicU8,
    began: AtomicUsize,
    ended: Mutex<Vec<EndedCall>>,
}

impl CallObserver for Seen {
    fn new_id(&self) -> RequestId {
        RequestId::from_random([self.next.fetch_add(1, Ordering::SeqCst); 16])
    }

    fn began(&self) {
        self.began.fetch_add(1, Ordering::SeqCst);
    }

    fn ended(&self, call: &EndedCall) {
        self.ended.lock().unwrap().push(*call);
    }
}

impl Seen {
    /// The calls seen so far, once there are as many.
    async fn calls(&self, count: usize) -> Vec<EndedCall> {
        let began = Instant::now();
        loop {
            let ended = self.ended.lock().unwrap().clone();
            if ended.len() >= count {
                assert_eq!(ended.len(), count);
                assert_eq!(self.began.load(Ordering::SeqCst), count);
                return ended;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{ended:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An open door of the house with an observer; it stays open until the test ends.
async fn open(limits: Limits, public: bool) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Seen::default());
    let own = Arc::new(credentials(&zhejiang()));
    let door = if public {
        Door::Public(own)
    } else {
        Door::Peers(own)
    };
    let routes =
        Routes::new(wire::server::trust(House)).add_service(wire::server::federation(House));
    let observer: Arc<dyn CallObserver> = Arc::clone(&seen) as _;
    tokio::spawn(serve_observed(
        listener,
        door,
        routes,
        limits,
        Some(observer),
        std::future::pending(),
    ));
    (address, seen)
}

fn channel(
    address: &str,
    who: Arc<federation::TlsIdentity>,
) -> wire::federation::v1::federation_service_client::FederationServiceClient<
    tonic::transport::Channel,
> {
    let timeouts = federation::Timeouts {
        connect: Duration::from_secs(3),
        call: Duration::from_secs(10),
    };
    let channel = federation::connect(address, zhejiang(), Arc::new(who), timeouts).unwrap();
    wire::client::federation(channel)
}

fn with_id(epoch: u32, id: &str) -> Request<f::GetTreeHeadRequest> {
    let mut request = Request::new(f::GetTreeHeadRequest { epoch });
    let value = id.parse().unwrap();
    request.metadata_mut().insert("x-request-id", value);
    request
}

fn id_of(metadata: &tonic::metadata::MetadataMap) -> String {
    let id = metadata.get("x-request-id").unwrap().to_str().unwrap();
    id.to_owned()
}

#[tokio::test]
async fn each_call_is_seen_once_with_its_caller_its_code_and_its_reason() {
    let limits = Limits {
        deadline: Duration::from_millis(400),
        ..Limits::default()
    };
    let (address, seen) = open(limits, false).await;
    let mut node = channel(&address, credentials(&peer(35, Role::Node)));
    let mut lab = channel(&address, credentials(&laboratory()));
    let head = |epoch| f::GetTreeHeadRequest { epoch };
    node.get_tree_head(head(1)).await.unwrap();
    lab.get_tree_head(head(1)).await.unwrap_err();
    let late = node.get_tree_head(head(99)).await.unwrap_err();
    assert_eq!(wire::reason_of(&late), Some(Reason::Deadline));

    let calls = seen.calls(3).await;
    let method = Some(Method::GetTreeHead);
    let told = |call: &EndedCall| (call.method, call.caller, call.code, call.reason);
    let expected = [
        (method, Some(CallerKind::Node), Code::Ok, None),
        (
            method,
            Some(CallerKind::Source),
            Code::PermissionDenied,
            Some(Reason::RoleRefused),
        ),
        (
            method,
            Some(CallerKind::Node),
            Code::DeadlineExceeded,
            Some(Reason::Deadline),
        ),
    ];
    assert_eq!(calls.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(calls[0].took < Duration::from_millis(400));
    assert!(calls[2].took >= Duration::from_millis(400));
}

#[tokio::test]
async fn calls_that_are_shed_and_calls_that_are_given_up_are_seen_too() {
    let limits = Limits {
        max_calls: 1,
        ..Limits::default()
    };
    let (address, seen) = open(limits, false).await;
    let mut first = channel(&address, credentials(&peer(35, Role::Node)));
    let mut second = first.clone();
    let held = tokio::spawn(async move {
        let slow = f::GetTreeHeadRequest { epoch: 99 };
        first.get_tree_head(slow).await
    });
    while seen.began.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let shed = second
        .get_tree_head(f::GetTreeHeadRequest { epoch: 1 })
        .await;
    assert_eq!(
        wire::reason_of(&shed.unwrap_err()),
        Some(Reason::Overloaded)
    );
    // The caller goes away; what it asked for would have taken an hour.
    held.abort();
    let calls = seen.calls(2).await;
    assert_eq!(calls[0].reason, Some(Reason::Overloaded));
    assert_eq!(calls[0].code, Code::ResourceExhausted);
    assert_eq!(calls[1].code, Code::Cancelled);
}

#[tokio::test]
async fn an_id_goes_back_with_answers_and_refusals_and_only_a_peer_s_well_formed_one_is_kept() {
    let (address, seen) = open(Limits::default(), false).await;
    let mut node = channel(&address, credentials(&peer(35, Role::Node)));
    let mut lab = channel(&address, credentials(&laboratory()));
    let own = "0123456789abcdef0123456789abcdef";
    let answer = node.get_tree_head(with_id(1, own)).await.unwrap();
    assert_eq!(id_of(answer.metadata()), own);
    let refused = lab.get_tree_head(with_id(1, own)).await.unwrap_err();
    assert_eq!(id_of(refused.metadata()), own);
    for bad in ["330106198706057391", "0123456789ABCDEF0123456789ABCDEF", ""] {
        let answer = node.get_tree_head(with_id(1, bad)).await.unwrap();
        let id = id_of(answer.metadata());
        assert!(id != bad && RequestId::parse(id.as_bytes()).is_some());
    }
    assert_eq!(seen.next.load(Ordering::SeqCst), 3);

    // At the public door everybody's id is the server's own.
    let (address, seen) = open(Limits::default(), true).await;
    let mut device = channel(&address, anonymous());
    let refused = device.get_tree_head(with_id(1, own)).await.unwrap_err();
    assert_eq!(id_of(refused.metadata()), "00".repeat(16));
    assert_eq!(seen.calls(1).await[0].caller, Some(CallerKind::Public));
}

#[test]
fn the_end_of_a_certificate_is_known_before_it_comes() {
    assert_eq!(credentials(&zhejiang()).expires_at_s(), Some(4_102_444_800));
    assert_eq!(anonymous().expires_at_s(), None);
}
