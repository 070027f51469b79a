//! How long the others are waited for.

use federation::TlsIdentity;
use federation::pki::{DemoAuthority, Validity};

use super::*;

/// Channels to so many others; nobody listens there.
fn peers(count: u8) -> Peers {
    let federation = FederationId::new("test").unwrap();
    let valid = Validity {
        from_s: 1_577_836_800,
        until_s: 4_102_444_800,
    };
    let authority = DemoAuthority::generate_for_demo(&federation, valid).unwrap();
    let identity = TlsIdentity::anonymous(&federation, &authority.root_pem()).unwrap();
    let credentials: Arc<dyn Credentials> = Arc::new(Arc::new(identity));
    let peer = |number| Peer {
        province: ProvinceCode::new(31 + number).unwrap(),
        address: format!("127.0.0.1:{}", 7000 + u16::from(number)),
    };
    let listed: Vec<Peer> = (0..count).map(peer).collect();
    Peers::new(&federation, &listed, &credentials).unwrap()
}

/// Has so many of the others answer at once, and the rest never.
async fn ask(peers: &Peers, answering: usize) -> usize {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let call = |_| {
        let number = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            if number >= answering {
                std::future::pending::<()>().await;
            }
            Ok(number)
        }
    };
    peers.ask_all("answer", call).await.len()
}

#[tokio::test]
async fn one_that_never_answers_is_not_waited_for_once_a_quorum_has() {
    let peers = peers(4);
    let begun = Instant::now();
    assert_eq!(ask(&peers, 4).await, 4);
    assert!(begun.elapsed() < STRAGGLERS_WITHIN);
    assert_eq!(ask(&peers, 3).await, 3);
    let took = begun.elapsed();
    assert!(
        took >= STRAGGLERS_WITHIN && took < STRAGGLERS_WITHIN * 3,
        "{took:?}"
    );
    // Without a quorum they have all the time of a call.
    let waiting = tokio::time::timeout(STRAGGLERS_WITHIN * 2, ask(&peers, 2));
    assert!(waiting.await.is_err());
}
