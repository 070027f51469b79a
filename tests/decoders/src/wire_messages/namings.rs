//! What an office says for somebody who has no phone.

use rules::naming::{NAMING_DOMAIN, Naming};
use rules::{SourceId, SourceKind};
use wire::source::v1 as source;
use wire::{DeviceKey, NamingRequest};

use super::{Row, converted, device, minute, row, silent};
use crate::bytes::canonical;
use crate::event::samples;

pub(super) fn rows() -> Vec<Row> {
    let key = DeviceKey::of(&device());
    let naming = Naming {
        request_id: [8; 16],
        subject: samples()[0].subject,
        proxy_key: key.to_bytes(),
        until: minute(),
        source: SourceId {
            province: rules::ProvinceCode::new(33).expect("a province"),
            kind: SourceKind::CommunityOffice,
            number: 1,
        },
    };
    let request = NamingRequest {
        naming,
        key,
        signature: [5; 64],
    };
    vec![row(name, &[source::NameProxyRequest::from(&request)])]
}

fn name(bytes: &[u8]) {
    let Some(message) = silent::<source::NameProxyRequest>(bytes) else {
        return;
    };
    let read = Naming::from_bytes(&message.naming);
    if let Some(naming) = canonical(&message.naming, read, Naming::to_bytes) {
        let signed = [NAMING_DOMAIN, &message.naming].concat();
        assert_eq!(naming.signing_bytes(), signed);
    }
    if let Some(read) = converted(NamingRequest::try_from(&message)) {
        assert_eq!(read.key.to_bytes()[..], read.naming.proxy_key[..]);
        assert!(source::NameProxyRequest::from(&read) == message);
    }
}
