//! A gate that reads on from the list it has: increments and batches, from nodes and from mirrors over plain HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use checkpoint::{Config, Desk, Error, Taken, ask, take};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use verifier::trust::{InHand, Increment, Revocation, RevocationBatch, TrustList};

use crate::scene::{AS_OF, at, bundle_with, config_text, minute, pinned};

const ROOTS: [u8; 2] = [1, 2];
const QUORUM: [u8; 2] = [33, 42];

/// What lies under which path, and which paths were asked for.
#[derive(Clone, Default)]
struct Shelf {
    lies: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Shelf {
    fn put(&self, path: &str, bytes: Vec<u8>) {
        let path = format!("/trust/v1/{path}");
        self.lies.lock().unwrap().insert(path, bytes);
    }

    /// The paths asked for since this was asked last.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn answer(&self, request: &str) -> Vec<u8> {
        let path = request.split(' ').nth(1).unwrap().to_owned();
        let found = self.lies.lock().unwrap().get(&path).cloned();
        self.asked.lock().unwrap().push(path);
        match found {
            // An answer of its own making.
            Some(answer) if answer.starts_with(b"HTTP/1.1") => answer,
            Some(body) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                [head.into_bytes(), body].concat()
            }
            None => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        }
    }
}

/// A mirror of the shelf; its URL.
async fn mirror(shelf: &Shelf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let shelf = shelf.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shelf = shelf.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.unwrap());
                }
                let answer = shelf.answer(std::str::from_utf8(&request).unwrap());
                // Whoever had enough hangs up.
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    url
}

fn config(dir: &std::path::Path, url: &str) -> Config {
    let text = format!("{}\n[[mirror]]\nurl = \"{url}\"\n", config_text(10));
    Config::parse(&text, dir).unwrap()
}

fn batch(at: u32, of: u8) -> RevocationBatch {
    let revocations = (0..1_000u32).map(|n| {
        let mut secret = [of; 16];
        secret[..4].copy_from_slice(&n.to_be_bytes());
        Revocation(secret)
    });
    RevocationBatch::new(minute(at), revocations.collect()).unwrap()
}

/// The list of an online number with its batches, as a node has it.
fn list(online: u64, batches: &[RevocationBatch]) -> TrustList {
    let bundle = bundle_with((1, online), &ROOTS, &QUORUM, batches);
    let mut candidate = TrustList::consider(&bundle, None, &pinned(), at(10)).unwrap();
    for batch in batches {
        candidate.supply(&batch.to_bytes()).unwrap();
    }
    candidate.complete().unwrap()
}

/// Puts a list on the shelf as a node serves it, and what leads to it from `before`.
fn publish(
    shelf: &Shelf,
    list: &TrustList,
    before: Option<&TrustList>,
    batches: &[RevocationBatch],
) {
    shelf.put("list", list.to_bytes().to_vec());
    for batch in batches {
        let path = format!("batch/{}", hex::encode(batch.entry().digest.0));
        shelf.put(&path, batch.to_bytes());
    }
    if let Some(before) = before {
        let in_hand = InHand::of(before);
        let increment = Increment::of(list, &in_hand).unwrap().unwrap();
        shelf.put(&path_from(&in_hand), increment.to_bytes());
    }
}

fn path_from(in_hand: &InHand) -> String {
    format!(
        "increment/{}/{}/{}/{}",
        in_hand.root_sequence, in_hand.online_sequence, in_hand.epoch, in_hand.batch_minute
    )
}

/// Refreshes once from the one mirror, and says what became of it.
async fn refresh(desk: &mut Desk) -> Result<Taken, Error> {
    let answers = ask(desk.config(), desk.list(), at(10)).await?;
    let mut taken = take(desk, answers, at(10))?;
    Ok(taken.remove(0).1)
}

fn sequence(desk: &Desk) -> u64 {
    desk.list_age(at(10)).unwrap().online_sequence
}

#[tokio::test]
async fn from_a_mirror_a_gate_takes_the_whole_list_once_and_then_what_is_new() {
    let (dir, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
    let mut desk = Desk::open(config(dir.path(), &mirror(&shelf).await)).unwrap();
    let (one, two) = (batch(AS_OF - 12, 1), batch(AS_OF + 4, 2));
    let first = list(1, std::slice::from_ref(&one));
    publish(&shelf, &first, None, std::slice::from_ref(&one));
    assert_eq!(refresh(&mut desk).await.unwrap(), Taken::Newer);
    let whole = ["/trust/v1/list".to_owned(), of(&one)];
    assert_eq!(shelf.asked(), whole);

    // Nothing new: the same list by name of another, which a gate does not take for news.
    assert_eq!(refresh(&mut desk).await.unwrap(), Taken::Same);
    shelf.asked();

    let both = [one.clone(), two.clone()];
    let second = list(2, &both);
    publish(&shelf, &second, Some(&first), &both);
    assert_eq!(refresh(&mut desk).await.unwrap(), Taken::Newer);
    let increment = format!("/trust/v1/{}", path_from(&InHand::of(&first)));
    assert_eq!(shelf.asked(), [increment, of(&two)]);
    assert_eq!(sequence(&desk), 2);

    // One that leads nowhere is no harm: the whole is had.
    let third = list(3, &both);
    publish(&shelf, &third, None, &both);
    shelf.put(&path_from(&InHand::of(&second)), vec![7; 300]);
    assert_eq!(refresh(&mut desk).await.unwrap(), Taken::Newer);
    assert_eq!(shelf.asked().last().unwrap(), "/trust/v1/list");
    assert_eq!(sequence(&desk), 3);
}

#[tokio::test]
async fn what_one_mirror_has_given_the_next_is_not_asked_for_again() {
    let (dir, first, second) = (
        tempfile::tempdir().unwrap(),
        Shelf::default(),
        Shelf::default(),
    );
    let urls = [mirror(&first).await, mirror(&second).await];
    let more = format!("\n[[mirror]]\nurl = \"{}\"\n", urls[1]);
    let text = format!(
        "{}\n[[mirror]]\nurl = \"{}\"\n{more}",
        config_text(10),
        urls[0]
    );
    let mut desk = Desk::open(Config::parse(&text, dir.path()).unwrap()).unwrap();
    let one = batch(AS_OF - 12, 1);
    let both = list(2, std::slice::from_ref(&one));
    for shelf in [&first, &second] {
        publish(shelf, &both, Some(&both), std::slice::from_ref(&one));
    }
    let answers = ask(desk.config(), None, at(10)).await.unwrap();
    let taken = take(&mut desk, answers, at(10)).unwrap();
    let taken: Vec<Taken> = taken.into_iter().map(|(_, taken)| taken).collect();
    assert_eq!(taken, [Taken::Newer, Taken::Same]);
    assert_eq!(first.asked(), ["/trust/v1/list".to_owned(), of(&one)]);
    let increment = format!("/trust/v1/{}", path_from(&InHand::of(&both)));
    assert_eq!(second.asked(), [increment]);
}

fn of(batch: &RevocationBatch) -> String {
    format!("/trust/v1/batch/{}", hex::encode(batch.entry().digest.0))
}

/// What is said of a mirror that does not give a list to be taken.
async fn refused(desk: &mut Desk) -> String {
    match refresh(desk).await {
        Err(Error::NotRefreshed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whatever_a_mirror_answers_the_last_good_list_stays() {
    let (dir, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
    let mut desk = Desk::open(config(dir.path(), &mirror(&shelf).await)).unwrap();
    assert!(refused(&mut desk).await.contains("no trust list there"));
    let (one, two) = (batch(AS_OF - 12, 1), batch(AS_OF + 4, 2));
    let both = [one.clone(), two.clone()];
    let second = list(2, std::slice::from_ref(&one));
    publish(&shelf, &second, None, std::slice::from_ref(&one));
    refresh(&mut desk).await.unwrap();

    // A list of before.
    shelf.put(
        "list",
        list(1, std::slice::from_ref(&one)).to_bytes().to_vec(),
    );
    refused(&mut desk).await;
    // One without its batch, with another in its place, with one cut short.
    let third = list(3, &both);
    shelf.put("list", third.to_bytes().to_vec());
    assert!(refused(&mut desk).await.contains("no such batch"));
    let name = format!("batch/{}", hex::encode(two.entry().digest.0));
    shelf.put(&name, one.to_bytes());
    refused(&mut desk).await;
    shelf.put(&name, two.to_bytes()[..9_000].to_vec());
    refused(&mut desk).await;
    // No list at all: nothing, garbage, too much, elsewhere, an error, and no HTTP.
    for (answer, why) in [
        (Vec::new(), ""),
        (vec![0xff; 500], ""),
        (vec![0; 300_000], "more than 245760 bytes"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
                .to_vec(),
            "302",
        ),
        (
            b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "500",
        ),
        (b"HTTP/1.1\r\n\r\n".to_vec(), ""),
    ] {
        let is_empty = answer.is_empty();
        shelf.put("list", answer);
        let before = sequence(&desk);
        match refresh(&mut desk).await {
            // An empty answer is nothing newer.
            Ok(Taken::Same) => assert!(is_empty),
            Err(Error::NotRefreshed(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(sequence(&desk), before);
    }
    assert_eq!(sequence(&desk), 2);
    // With the batch it is taken at last.
    shelf.put(&name, two.to_bytes());
    shelf.put("list", third.to_bytes().to_vec());
    assert_eq!(refresh(&mut desk).await.unwrap(), Taken::Newer);
}

#[test]
fn a_mirror_is_named_by_a_plain_url() {
    let dir = tempfile::tempdir().unwrap();
    for (url, why) in [
        ("https://mirror.example", "http://"),
        ("mirror.example", "http://"),
        ("http://", "URL"),
        ("http://mirror.example/?list", "query"),
        ("http://mirror.example:80800", ""),
        ("http://me:secret@mirror.example/", "user"),
    ] {
        let text = format!("{}\n[[mirror]]\nurl = \"{url}\"\n", config_text(10));
        let error = Config::parse(&text, dir.path()).unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
    config(dir.path(), "http://[::1]:8080/copies/viridian/");
}
