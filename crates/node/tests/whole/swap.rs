//! A running process whose certificate and roots are swapped in their files.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::pki::{DemoAuthority, Validity};
use federation::{PeerId, Role, Timeouts, TlsIdentity, connect};
use tonic::transport::Channel;
use wire::operator::v1::GetStatusRequest;
use wire::operator::v1::operator_service_client::OperatorServiceClient;

use crate::process::{run, write_house};
use crate::world::{federation, pem, province};

fn zhejiang() -> PeerId {
    PeerId::node(&federation(), province(33))
}

/// A channel of Zhejiang's operator under an authority's certificate; it trusts both.
fn operator(address: &str, own: (&str, &str), roots: &str) -> Channel {
    let who = TlsIdentity::from_pem(own.0, own.1, roots).unwrap();
    let timeouts = Timeouts {
        connect: Duration::from_secs(2),
        call: Duration::from_secs(5),
    };
    connect(address, zhejiang(), Arc::new(Arc::new(who)), timeouts).unwrap()
}

/// A client of Zhejiang's operator, as the demonstration's authority vouches for it.
pub(crate) fn operator_of(address: &str) -> OperatorServiceClient<Channel> {
    let role = Role::Operator;
    let [chain, key, roots] = pem(&PeerId { role, ..zhejiang() });
    wire::client::operator(operator(address, (&chain, &key), &roots))
}

async fn status(channel: &Channel) -> bool {
    let mut client = wire::client::operator(channel.clone());
    client.get_status(GetStatusRequest {}).await.is_ok()
}

/// Whether a channel comes to be served, or not to be, within a time.
async fn becomes(channel: &Channel, served: bool, within: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if status(channel).await == served {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

fn hang_up(child: &Child) {
    let pid = child.id().to_string();
    let told = Command::new("kill").args(["-HUP", &pid]).status();
    assert!(told.unwrap().success());
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_takes_new_certificates_and_roots_at_a_signal_and_by_itself() {
    const SECOND: Duration = Duration::from_secs(1);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_house(dir, false);
    let config = std::fs::read_to_string(dir.join("node.toml")).unwrap();
    let quick = config.replace("[trust]", "reload_poll_s = 1\n[trust]");
    write(dir, "node.toml", &quick);
    let (mut child, address) = run(dir);

    let new = DemoAuthority::generate_for_demo(
        &federation(),
        Validity {
            from_s: 1_577_836_800,
            until_s: 4_102_444_800,
        },
    )
    .unwrap();
    let role = Role::Operator;
    let who = PeerId { role, ..zhejiang() };
    let [chain, key, old_root] = pem(&who);
    let both = format!("{old_root}{}", new.root_pem());
    let next = new.issue_for_demo(&who).unwrap();
    let of_old = operator(&address, (&chain, &key), &both);
    let of_new = operator(&address, (&next.chain_pem, &next.key_pem), &both);
    assert!(status(&of_old).await && !status(&of_new).await);

    // Found by itself.
    write(dir, "federation.pem", &both);
    assert!(becomes(&of_new, true, SECOND * 3).await);
    assert!(status(&of_old).await);

    // At a signal: a new certificate, and only the new root.
    let own = new.issue_for_demo(&zhejiang()).unwrap();
    write(dir, "federation.pem", "no certificate\n");
    hang_up(&child);
    assert!(
        !becomes(&of_old, false, SECOND).await,
        "what is wrong is not used"
    );
    write(dir, "node.pem", &own.chain_pem);
    write(dir, "node-key.pem", &own.key_pem);
    write(dir, "federation.pem", &new.root_pem());
    hang_up(&child);
    assert!(
        becomes(&of_old, false, SECOND).await,
        "the standing channel ends"
    );
    let again = operator(&address, (&chain, &key), &both);
    assert!(!status(&again).await, "and no new one is made");
    assert!(becomes(&of_new, true, SECOND).await);
    child.kill().unwrap();
    child.wait().unwrap();
}
