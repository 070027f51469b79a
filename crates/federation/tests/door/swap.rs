//! Certificates and trust that are swapped while doors are open and channels stand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::house::*;
use federation::pki::{DemoAuthority, Validity};
use federation::{
    Credentials, Door, FederationError, FederationId, Limits, PeerId, Role, Swappable, TlsIdentity,
    UnixTime,
};
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use tonic::transport::Channel;

/// Time within which a swap takes hold.
const WITHIN: Duration = Duration::from_secs(1);

fn authority() -> DemoAuthority {
    DemoAuthority::generate_for_demo(&demo(), LONG).unwrap()
}

fn identity(peer: &PeerId, issuer: &DemoAuthority, trusted: &[&DemoAuthority]) -> TlsIdentity {
    let own = issuer.issue_for_demo(peer).unwrap();
    let roots: String = trusted.iter().map(|a| a.root_pem()).collect();
    TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &roots).unwrap()
}

fn swappable(first: TlsIdentity) -> Arc<Swappable> {
    Arc::new(Swappable::new(Arc::new(first)))
}

fn of(swappable: &Arc<Swappable>) -> Arc<dyn Credentials> {
    Arc::new(Arc::clone(swappable))
}

/// Whether a channel's calls fail from some moment soon.
async fn is_cut(channel: &Channel) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < WITHIN {
        if trust(channel.clone()).await.is_err() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn an_old_authority_is_refused_and_its_connections_end_when_its_root_is_taken_away() {
    let (old, new) = (authority(), authority());
    let door = swappable(identity(&zhejiang(), &old, &[&old]));
    let open = Open::new(Door::Peers(of(&door)), Limits::default()).await;
    let fujian = peer(35, Role::Node);
    let both = |issuer| Arc::new(identity(&fujian, issuer, &[&old, &new]));
    let connect = |issuer| open.channel(both(issuer));

    let standing = connect(&old);
    trust(standing.clone()).await.unwrap();
    assert!(trust(connect(&new)).await.is_err(), "not trusted yet");

    // A new certificate, and trust in both: nobody loses anything.
    let next = identity(&zhejiang(), &new, &[&old, &new]);
    door.swap(next, UnixTime::now()).unwrap();
    let newer = connect(&new);
    trust(newer.clone()).await.unwrap();
    trust(connect(&old)).await.unwrap();
    assert!(!is_cut(&standing).await, "a standing connection goes on");

    // The old root is taken away.
    let next = identity(&zhejiang(), &new, &[&new]);
    door.swap(next, UnixTime::now()).unwrap();
    assert!(
        is_cut(&standing).await,
        "the old authority's connection ends"
    );
    assert!(trust(connect(&old)).await.is_err());
    trust(newer).await.unwrap();
    trust(connect(&new)).await.unwrap();
}

#[tokio::test]
async fn a_channel_leaves_a_server_that_swapped_trust_does_not_admit_and_comes_back_with_new_material()
 {
    let (old, new) = (authority(), authority());
    let server = swappable(identity(&zhejiang(), &old, &[&old, &new]));
    let open = Open::new(Door::Peers(of(&server)), Limits::default()).await;
    let fujian = peer(35, Role::Node);
    let client = swappable(identity(&fujian, &old, &[&old]));
    let channel = open.channel_to(zhejiang(), of(&client));
    trust(channel.clone()).await.unwrap();

    let next = identity(&fujian, &new, &[&new]);
    client.swap(next, UnixTime::now()).unwrap();
    assert!(is_cut(&channel).await);
    assert!(trust(channel.clone()).await.is_err(), "and not spoken to");

    let next = identity(&zhejiang(), &new, &[&new]);
    server.swap(next, UnixTime::now()).unwrap();
    trust(channel).await.unwrap();
}

#[tokio::test]
async fn material_that_is_not_whole_is_not_swapped_in() {
    let (old, new) = (authority(), authority());
    let door = swappable(identity(&zhejiang(), &old, &[&old]));
    let now = UnixTime::now();
    for other in [
        peer(35, Role::Node),
        peer(33, Role::Operator),
        PeerId {
            federation: FederationId::new("other").unwrap(),
            ..zhejiang()
        },
    ] {
        let refused = door.swap(identity(&other, &old, &[&old]), now);
        assert!(matches!(refused, Err(FederationError::OtherIdentity)));
    }
    let anonymous = TlsIdentity::anonymous(&demo(), &old.root_pem()).unwrap();
    let refused = door.swap(anonymous, now);
    assert!(matches!(refused, Err(FederationError::OtherIdentity)));

    let day = 86_400;
    let past = Validity {
        until_s: LONG.from_s + day,
        ..LONG
    };
    let future = Validity {
        from_s: LONG.until_s - day,
        ..LONG
    };
    let both = vec![ClientAuth, ServerAuth];
    for (why, validity, usages) in [
        ("expired", past, both.clone()),
        ("not yet valid", future, both),
        ("for clients only", LONG, vec![ClientAuth]),
    ] {
        let uris = [zhejiang().to_string()];
        let own = old.issue(&uris, usages, validity).unwrap();
        let next = TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &old.root_pem()).unwrap();
        let refused = door.swap(next, now);
        assert!(
            matches!(refused, Err(FederationError::OwnChain(_))),
            "{why}"
        );
    }
    // Its own authority is not among its roots.
    let refused = door.swap(identity(&zhejiang(), &new, &[&old]), now);
    assert!(matches!(refused, Err(FederationError::OwnChain(_))));

    let open = Open::new(Door::Peers(of(&door)), Limits::default()).await;
    let client = identity(&peer(35, Role::Node), &old, &[&old]);
    trust(open.channel(Arc::new(client))).await.unwrap();
}
