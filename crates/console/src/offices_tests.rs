use federation::Role;
use rules::{SourceId, SourceKind};

use super::*;
use crate::node::fake::{FakeNode, demo, home, source};

fn parts(source: SourceId, identity: Arc<TlsIdentity>) -> OfficeParts {
    OfficeParts {
        source,
        signing_key: SigningKey::from_bytes(&[1; 32]),
        identity,
    }
}

#[tokio::test]
async fn an_office_speaks_with_its_own_certificate_or_not_at_all() {
    let node = FakeNode::start().await;
    let cdc = source(SourceKind::Cdc);
    let take = |source, role, address: &str| {
        let parts = vec![parts(source, node.identity(role))];
        Offices::new(&demo(), home(), address, parts)
    };
    let address = node.address.to_string();
    assert!(take(cdc, Role::Source(SourceKind::Cdc, 1), &address).is_ok());
    for role in [
        Role::Source(SourceKind::Cdc, 2),
        Role::Source(SourceKind::Hospital, 1),
        Role::Operator,
        Role::Node,
    ] {
        let refused = take(cdc, role, &address).err().unwrap();
        assert!(matches!(refused, OfficeError::OtherCertificate { .. }));
        assert!(refused.to_string().contains("33-cdc-1"), "{refused}");
    }
    let elsewhere = take(cdc, Role::Source(SourceKind::Cdc, 1), "nowhere");
    assert!(matches!(elsewhere.err(), Some(OfficeError::Node(_))));
    let other = FederationId::new("other").unwrap();
    let identity = node.identity(Role::Source(SourceKind::Cdc, 1));
    let foreign = Offices::new(&other, home(), &address, vec![parts(cdc, identity)]);
    assert!(foreign.is_err());
}

#[tokio::test]
async fn the_page_is_told_what_each_may_state_and_names_them_as_it_was_told() {
    let node = FakeNode::start().await;
    let offices = node.offices();
    let told = offices.told();
    assert_eq!(told.len(), 4);
    for office in &told {
        let named = offices.named(&office.source).ok().unwrap();
        assert_eq!(named.decides_appeals(), office.decides_appeals);
    }
    assert!(told[2].decides_appeals && told[2].kinds.is_empty());
    let namers: Vec<_> = told.iter().filter(|office| office.names_proxies).collect();
    assert_eq!(namers.len(), 1);
    assert_eq!(namers[0].source, "33-community-office-1");
    assert!(!told[0].decides_appeals && !told[0].exposures.is_empty());
    assert!(
        offices
            .certificate_ends()
            .all(|(_, ends)| ends > 4_000_000_000)
    );
    for other in ["33-cdc-01", "33-cdc-2", "35-cdc-1", "cdc/33-1", ""] {
        let refused = offices.named(other).err();
        assert_eq!(refused, Some(Reason::UnknownOffice.into()), "{other}");
    }
}
