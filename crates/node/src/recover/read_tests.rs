//! Reading from holders of which one has another history.

use std::sync::Arc;

use commitment::Slot;
use ed25519_dalek::SigningKey;
use federation::FederationId;
use ledger::log::{LogSigner, bundle};
use ledger::{HeadKeys, Member, Roster};
use rules::{Minute, ProvinceCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::Entropy;
use crate::recover::Patience;
use crate::recover::http::HttpMirror;
use crate::store::{KeyRing, MemoryStore, StoreIdentity, Vault};

fn entries(seed: u8, range: std::ops::Range<u8>) -> Vec<Vec<u8>> {
    range.map(|number| vec![seed, number, 7]).collect()
}

fn log_of(entries: &[Vec<u8>]) -> Log {
    let mut log = Log::default();
    for entry in entries {
        log.append(entry).unwrap();
    }
    log
}

/// Serves these entries by plain HTTP, as many as a path asks for.
async fn serve(all: Vec<Vec<u8>>) -> HttpMirror {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1_024];
            let len = stream.read(&mut request).await.unwrap();
            let line = String::from_utf8_lossy(&request[..len]).into_owned();
            let path = line.split(' ').nth(1).unwrap();
            let width: usize = path.rsplit('/').next().unwrap().parse().unwrap();
            let body = bundle(all[..width].iter().map(Vec::as_slice)).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let answer = [head.as_bytes(), &body].concat();
            stream.write_all(&answer).await.unwrap();
        }
    });
    HttpMirror::new(&format!("http://{at}"), Patience::default()).unwrap()
}

#[tokio::test]
async fn what_a_holder_of_an_older_branch_gave_is_taken_back_where_the_newest_does_not_go_on_from_it()
 {
    let (home, slot) = (ProvinceCode::new(35).unwrap(), Slot::new(1).unwrap());
    let head_key = SigningKey::from_bytes(&[1; 32]);
    let member = Member {
        province: home,
        slot,
        head_keys: HeadKeys::single(head_key.verifying_key()),
    };
    let roster = Roster::new(vec![member]).unwrap();
    let federation = FederationId::new("test").unwrap();
    let signer = LogSigner::derive(&[3; 32]);
    let identity = StoreIdentity {
        federation: "test".to_owned(),
        province: home,
    };
    let entropy = Arc::new(Entropy::from_seed([1; 32]));
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::open(store, &identity, KeyRing::from_secret([2; 32]), entropy).unwrap();
    let me = Recovering {
        vault: &vault,
        federation: &federation,
        home,
        slot,
        roster: &roster,
        head_keys: &[head_key],
        log_signer: &signer,
        now: Minute::ZERO,
        skew_min: 5,
        patience: Patience::default(),
    };
    let name = signer.public(home, slot, 1).log_key("test").unwrap();
    let told = entries(1, 0..8);
    let branch = [entries(1, 0..2), entries(2, 2..7)].concat();
    let holder = async |name_of: &str, all: &[Vec<u8>], size: usize, first: u64| {
        let log = log_of(&all[..size]);
        let checkpoint = signer.sign(log.size(), log.root().unwrap(), &name);
        Holder {
            name: name_of.to_owned(),
            keys: None,
            witness: None,
            checkpoint: checkpoint.unwrap(),
            first,
            end: size as u64,
            way: Way::Http(serve(all.to_vec()).await),
        }
    };
    // The newest's holder has its oldest entries no more; of those who have them one is of another branch, and further.
    let holders = [
        holder("newest", &told, 8, 4).await,
        holder("older", &told, 6, 0).await,
        holder("branch", &branch, 7, 0).await,
    ];
    let own = log_of(&told[..2]);
    let (mut passed, newest) = (Vec::new(), &holders[0].checkpoint);
    let read = read_missing(&me, &own, newest, &holders, &mut passed, &mut |_| {}).await;
    assert_eq!(read, Ok(told[2..].to_vec()));
    assert_eq!(passed.len(), 1);
    assert_eq!(
        (passed[0].who.as_str(), &passed[0].why),
        ("branch", &WhyNot::OtherEntries)
    );
}
