//! Provinces with certificate authorities of their own: each vouches for its own province only.

use std::error::Error as _;
use std::sync::Arc;

use crate::house::*;
use federation::pki::{IssuedCertificate, ProvinceAuthority};
use federation::{
    Authority, Door, FederationError, FederationId, Limits, PeerId, Role, TlsIdentity,
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};

fn authority_of(code: u8) -> ProvinceAuthority {
    let authority = Authority {
        federation: demo(),
        province: province(code),
    };
    ProvinceAuthority::generate(authority, LONG).unwrap()
}

fn holding(own: &IssuedCertificate, roots: &str) -> Arc<TlsIdentity> {
    Arc::new(TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, roots).unwrap())
}

/// What an authority can make if it does not ask itself whether it should.
fn forged(by: &ProvinceAuthority, peer: &PeerId) -> IssuedCertificate {
    let key = KeyPair::from_pem(by.key_pem()).unwrap();
    let mut name = CertificateParams::default();
    name.distinguished_name = rcgen::DistinguishedName::new();
    name.distinguished_name
        .push(DnType::CommonName, by.authority().to_string());
    let mut params = CertificateParams::default();
    let uri = peer.to_string();
    params.subject_alt_names = vec![SanType::URI(uri.as_str().try_into().unwrap())];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let own = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&own, &Issuer::new(name, key)).unwrap();
    IssuedCertificate {
        chain_pem: certificate.pem(),
        key_pem: own.serialize_pem(),
    }
}

#[tokio::test]
async fn nodes_under_authorities_of_their_own_know_each_other() {
    let (zhejiang_s, fujian_s) = (authority_of(33), authority_of(35));
    let roots = [zhejiang_s.certificate_pem(), fujian_s.certificate_pem()].concat();
    let fujian = peer(35, Role::Node);
    let server = holding(&zhejiang_s.issue(&zhejiang(), LONG).unwrap(), &roots);
    let open = Open::new(Door::Peers(Arc::new(server)), Limits::default()).await;
    // Taken up again from its files, an authority issues as before.
    let again =
        ProvinceAuthority::from_pem(fujian_s.certificate_pem(), fujian_s.key_pem()).unwrap();
    assert_eq!(again.authority(), fujian_s.authority());
    for issuer in [&fujian_s, &again] {
        let client = holding(&issuer.issue(&fujian, LONG).unwrap(), &roots);
        client.check_own(federation::UnixTime::now()).unwrap();
        assert_eq!(
            head(open.channel(client), 1).await.unwrap(),
            fujian.to_string()
        );
    }
}

#[tokio::test]
async fn an_authority_vouches_for_no_other_province() {
    let (zhejiang_s, fujian_s) = (authority_of(33), authority_of(35));
    let roots = [zhejiang_s.certificate_pem(), fujian_s.certificate_pem()].concat();
    let fujian = peer(35, Role::Node);
    assert!(matches!(
        zhejiang_s.issue(&fujian, LONG),
        Err(FederationError::OtherIdentity)
    ));
    // As a client of another's node.
    let server = holding(&zhejiang_s.issue(&zhejiang(), LONG).unwrap(), &roots);
    let open = Open::new(Door::Peers(Arc::new(server)), Limits::default()).await;
    let false_fujian = holding(&forged(&zhejiang_s, &fujian), &roots);
    assert!(false_fujian.check_own(federation::UnixTime::now()).is_err());
    let refused = head(open.channel(false_fujian), 1).await.unwrap_err();
    assert!(refused.source().is_some(), "{refused:?}");
    // As a server that another's node looks for.
    let open = Open::new(
        Door::Public(Arc::new(holding(&forged(&zhejiang_s, &fujian), &roots))),
        Limits::default(),
    )
    .await;
    let seeking = Arc::new(TlsIdentity::anonymous(&demo(), &roots).unwrap());
    let refused = trust(open.channel_to(fujian.clone(), Arc::new(Arc::clone(&seeking)))).await;
    assert!(refused.unwrap_err().source().is_some());
    // The forger's certificates are sound otherwise: for its own province they serve.
    let open = Open::new(
        Door::Public(Arc::new(holding(&forged(&zhejiang_s, &zhejiang()), &roots))),
        Limits::default(),
    )
    .await;
    assert!(trust(open.channel(seeking)).await.is_ok());
}

#[tokio::test]
async fn a_root_without_a_name_vouches_for_every_province() {
    let fujian_s = authority_of(35);
    let roots = [&AUTHORITY.root_pem(), fujian_s.certificate_pem()].concat();
    let shared = |peer: &PeerId| holding(&AUTHORITY.issue_for_demo(peer).unwrap(), &roots);
    let open = Open::new(
        Door::Peers(Arc::new(shared(&zhejiang()))),
        Limits::default(),
    )
    .await;
    let fujian = peer(35, Role::Node);
    for client in [
        shared(&fujian),
        shared(&peer(42, Role::Node)),
        holding(&fujian_s.issue(&fujian, LONG).unwrap(), &roots),
    ] {
        assert!(head(open.channel(client), 1).await.is_ok());
    }
    // A province's own authority is none of another one's, whether that one has its own or not.
    let hubei = peer(42, Role::Node);
    let client = holding(&forged(&fujian_s, &hubei), &roots);
    assert!(head(open.channel(client), 1).await.is_err());
}

#[test]
fn an_authority_of_another_federation_is_no_root_of_this_one() {
    let other = Authority {
        federation: FederationId::new("other").unwrap(),
        province: province(33),
    };
    let other = ProvinceAuthority::generate(other, LONG).unwrap();
    assert!(matches!(
        TlsIdentity::anonymous(&demo(), other.certificate_pem()),
        Err(FederationError::Authority)
    ));
    assert!(matches!(
        ProvinceAuthority::from_pem(&AUTHORITY.root_pem(), other.key_pem()),
        Err(FederationError::Authority)
    ));
}
