//! Sizes, times and the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::house::*;
use federation::{
    Credentials, Dial, Dialling, Ended, Limits, Role, Tcp, Timeouts, connect_through,
};
use tonic::Code;
use wire::federation::v1 as f;
use wire::{MAX_MESSAGE_BYTES, Reason, reason_of, retry_after};

#[tokio::test]
async fn a_message_over_the_limit_is_refused_before_it_is_read() {
    let open = Open::for_peers(Limits::default()).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    // A client without the limit on its side.
    let mut client = f::federation_service_client::FederationServiceClient::new(channel);
    let fits = f::PublishOnlineRequest {
        online: vec![0; MAX_MESSAGE_BYTES - 16],
    };
    assert!(client.publish_online(fits).await.is_ok());
    let over = f::PublishOnlineRequest {
        online: vec![0; MAX_MESSAGE_BYTES + 1],
    };
    let refused = client.publish_online(over).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
}

#[tokio::test]
async fn calls_over_the_limit_are_shed_with_the_time_to_wait() {
    let open = Open::for_peers(Limits {
        max_calls: 1,
        ..Limits::default()
    })
    .await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let slow = tokio::spawn(head(channel.clone(), 98));
    tokio::time::sleep(Duration::from_millis(150)).await;
    let shed = head(channel.clone(), 1).await.unwrap_err();
    assert_eq!(reason_of(&shed), Some(Reason::Overloaded));
    assert!(retry_after(&shed).is_some());
    assert!(slow.await.unwrap().is_ok());
    assert!(head(channel, 1).await.is_ok(), "the place is free again");
}

#[tokio::test]
async fn a_call_over_its_deadline_is_ended() {
    let open = Open::for_peers(Limits {
        deadline: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let ended = head(channel.clone(), 99).await.unwrap_err();
    assert_eq!(reason_of(&ended), Some(Reason::Deadline), "{ended:?}");
    assert!(head(channel, 1).await.is_ok());
}

#[tokio::test]
async fn a_call_under_way_is_answered_before_the_end() {
    let open = Open::for_peers(Limits::default()).await;
    let (address, channel) = (
        open.address,
        open.channel(credentials(&peer(35, Role::Node))),
    );
    let slow = tokio::spawn(head(channel, 98));
    tokio::time::sleep(Duration::from_millis(150)).await;
    let ended = open.begin_to_shut();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "the port is closed at once"
    );
    assert!(slow.await.unwrap().is_ok());
    assert_eq!(ended.await.unwrap().unwrap(), Ended::Drained);
}

/// Found by half an hour of load: all calls under way were cut whenever a connection had its age. What is left is a call that its
/// client hands over as the connection goes: it was never sent, and is sent again.
#[tokio::test]
async fn a_connection_that_is_of_age_is_left_without_a_call_under_way_being_cut() {
    let limits = Limits {
        max_connection_age: Duration::from_millis(700),
        deadline: Duration::from_millis(400),
        ..Limits::default()
    };
    let open = Open::for_peers(limits).await;
    let dialled = Arc::new(Dialled::default());
    let dial = Arc::clone(&dialled) as Arc<dyn Dial>;
    let who: Arc<dyn Credentials> = Arc::new(credentials(&peer(35, Role::Node)));
    let (address, timeouts) = (open.address.to_string(), Timeouts::default());
    let channel = connect_through(dial, &address, zhejiang(), who, timeouts).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..8 {
        let channel = channel.clone();
        callers.spawn(async move {
            tokio::time::sleep(Duration::from_millis(37 * caller)).await;
            for _ in 0..10 {
                let began = Instant::now();
                let Err(status) = head(channel.clone(), 98).await else {
                    continue;
                };
                assert_eq!(status.code(), Code::Cancelled, "{status:?}");
                assert!(
                    began.elapsed() < Duration::from_millis(250),
                    "it was under way"
                );
                head(channel.clone(), 98).await.unwrap();
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    // Ten calls one after the other take three seconds at least: connections of 0.7 seconds have come of age under them.
    let connections = dialled.0.load(Ordering::SeqCst);
    assert!(connections > 3, "only {connections} connections");
}

/// TCP that counts its connections.
#[derive(Default)]
struct Dialled(AtomicUsize);

impl Dial for Dialled {
    fn dial(&self, host: String, port: u16) -> Dialling {
        self.0.fetch_add(1, Ordering::SeqCst);
        Tcp.dial(host, port)
    }
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_when_the_time_to_drain_is_over() {
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..Limits::default()
    };
    let open = Open::for_peers(limits).await;
    let stuck = tokio::spawn(head(open.channel(credentials(&peer(35, Role::Node))), 99));
    tokio::time::sleep(Duration::from_millis(150)).await;
    let begun = std::time::Instant::now();
    assert_eq!(open.shut().await, Ended::Cut);
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!(stuck.await.unwrap().is_err());
}
