//! Hostile peers: each is cut or refused, an honest one is served meanwhile, and the door does not grow.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::house::*;
use crate::raw::{
    self, CONTINUATION, DATA, END_HEADERS, HEADERS, PING, PREFACE, SETTINGS, frame, headers,
};
use federation::{Limits, Quota, Role};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use wire::{MAX_MESSAGE_BYTES, Reason, reason_of, retry_after};

const TREE_HEAD: &str = "/viridian.federation.v1.FederationService/GetTreeHead";
const PUBLISH: &str = "/viridian.federation.v1.FederationService/PublishOnline";

/// Small, so that the tests are quick.
fn tight() -> Limits {
    Limits {
        deadline: Duration::from_millis(500),
        idle: Duration::from_millis(800),
        handshake: Duration::from_millis(500),
        keepalive: Duration::from_secs(5),
        max_calls: 64,
        ..Limits::default()
    }
}

/// Longest time after which a hostile peer is cut.
const SOON: Duration = Duration::from_secs(5);

/// An honest peer who calls on, and how much memory and how many tasks there were when it began.
struct Honest {
    calls: Arc<AtomicU32>,
    is_over: Arc<AtomicBool>,
    calling: JoinHandle<Duration>,
    tasks: usize,
    memory_bytes: u64,
}

impl Honest {
    async fn begin(open: &Open) -> Self {
        let channel = open.channel(credentials(&peer(42, Role::Node)));
        trust(channel.clone()).await.unwrap();
        let calls = Arc::new(AtomicU32::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (counted, over) = (Arc::clone(&calls), Arc::clone(&is_over));
        let tasks = alive_tasks();
        let calling = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::SeqCst) {
                let begun = Instant::now();
                trust(channel.clone()).await.expect("the honest are served");
                longest = longest.max(begun.elapsed());
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            longest
        });
        Self {
            calls,
            is_over,
            calling,
            tasks,
            memory_bytes: memory_bytes(),
        }
    }

    /// That it was served all the time, and that nothing is left of those who were hostile.
    async fn was_served(self) {
        // Some attacks are over at once.
        while self.calls.load(Ordering::SeqCst) < 5 && !self.calling.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.is_over.store(true, Ordering::SeqCst);
        let longest = self.calling.await.expect("the honest are served");
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        let begun = Instant::now();
        while alive_tasks() > self.tasks && begun.elapsed() < SOON {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(alive_tasks() <= self.tasks, "{} tasks", alive_tasks());
        let grown = memory_bytes().saturating_sub(self.memory_bytes);
        assert!(grown < 32 << 20, "{grown} bytes more");
    }
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Resident memory of this process. Other tests run in it too, so the bound on it is wide.
fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// Sends bytes one by one until the other side has had enough; true if it has.
async fn dribble(mut stream: impl AsyncWrite + Unpin, bytes: &[u8]) -> bool {
    let begun = Instant::now();
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
            return true;
        }
        if begun.elapsed() > SOON {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// A connection that has said its preface and settings.
async fn begun(open: &Open, settings: &[u8]) -> TlsStream<TcpStream> {
    let mut stream = raw::tls(open).await;
    stream.write_all(PREFACE).await.unwrap();
    let settings = frame(SETTINGS, 0, 0, settings);
    stream.write_all(&settings).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_by_the_byte_is_put_out_and_so_is_whoever_speaks_no_tls() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let mut slow = Vec::new();
    for _ in 0..40 {
        let stream = TcpStream::connect(open.address).await.unwrap();
        slow.push(tokio::spawn(async move { dribble(stream, hello).await }));
    }
    for noise in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        PREFACE,
        &[0xff; 9_000],
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut stream = TcpStream::connect(open.address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        raw::ends(stream, SOON).await;
    }
    for slow in slow {
        assert!(slow.await.unwrap(), "it is put out");
    }
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_tls_a_wrong_certificate_and_none_are_refused_while_the_honest_are_served() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    let own = AUTHORITY.issue_for_demo(&peer(35, Role::Node)).unwrap();
    for _ in 0..20 {
        let stream = TcpStream::connect(open.address).await.unwrap();
        let old = &rustls::version::TLS12;
        assert!(
            raw::handshake(stream, &own.chain_pem, &own.key_pem, old)
                .await
                .is_err()
        );
        assert!(trust(open.channel(anonymous())).await.is_err());
        let channel = open.channel(credentials(&peer(35, Role::Checkpoint)));
        let refused = head(channel, 1).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(Reason::RoleRefused));
    }
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preface_and_headers_by_the_byte_are_cut_when_no_call_comes_of_them() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    let mut slow = Vec::new();
    for _ in 0..10 {
        let stream = raw::tls(&open).await;
        slow.push(tokio::spawn(
            async move { dribble(stream, &PREFACE[..4]).await },
        ));
        // Headers that are announced, and go on in pieces of one byte without an end.
        let mut stream = begun(&open, &[]).await;
        let block = headers(TREE_HEAD);
        stream
            .write_all(&frame(HEADERS, 0, 1, &block))
            .await
            .unwrap();
        let piece = frame(CONTINUATION, 0, 1, b"");
        slow.push(tokio::spawn(async move { dribble(stream, &piece).await }));
        // Connected, and silent.
        let stream = begun(&open, &[]).await;
        slow.push(tokio::spawn(async move {
            raw::ends(stream, SOON).await;
            true
        }));
    }
    for slow in slow {
        assert!(slow.await.unwrap(), "it is cut");
    }
    honest.was_served().await;
}

/// Calls, each over a connection of its own, whose bodies come by the byte; each says at its end whether it was cut.
async fn calls_by_the_byte(open: &Open, count: usize) -> Vec<tokio::task::JoinHandle<bool>> {
    let mut slow = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = begun(open, &[]).await;
        let block = frame(HEADERS, END_HEADERS, 1, &headers(TREE_HEAD));
        stream.write_all(&block).await.unwrap();
        let piece = frame(DATA, 0, 1, &[0]);
        slow.push(tokio::spawn(async move { dribble(stream, &piece).await }));
    }
    slow
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_by_the_byte_ends_at_the_deadline_and_gives_its_place_away() {
    let open = Open::for_peers(Limits {
        max_calls: 4,
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    let slow = calls_by_the_byte(&open, 4).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let full = head(channel, 1).await.unwrap_err();
    assert_eq!(reason_of(&full), Some(Reason::Overloaded));
    assert!(retry_after(&full).is_some());
    // The time is over for all four.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    head(channel, 1).await.unwrap();
    for slow in slow {
        assert!(slow.await.unwrap(), "it is cut");
    }
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_take_answers_is_cut_and_holds_no_place() {
    let open = Open::for_peers(Limits {
        max_calls: 8,
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    // A window of no bytes: no answer can be sent.
    let no_window = [0, 4, 0, 0, 0, 0];
    let mut stream = begun(&open, &no_window).await;
    for stream_id in (1..16).step_by(2) {
        let block = frame(HEADERS, END_HEADERS, stream_id, &headers(TREE_HEAD));
        let body = frame(DATA, 1, stream_id, &[0; 5]);
        stream.write_all(&[block, body].concat()).await.unwrap();
    }
    stream.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let full = head(channel, 1).await.unwrap_err();
    assert_eq!(reason_of(&full), Some(Reason::Overloaded));
    raw::ends(stream, SOON).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    head(channel, 1).await.unwrap();
    honest.was_served().await;
}

/// A client that keeps HTTP/2, and nothing else.
async fn client(open: &Open) -> (h2::client::SendRequest<Cursor<Vec<u8>>>, JoinHandle<()>) {
    let (client, connection) = h2::client::Builder::new()
        .handshake(raw::tls(open).await)
        .await
        .unwrap();
    let running = tokio::spawn(async move {
        let _ = connection.await;
    });
    (client, running)
}

fn call(path: &str) -> http::Request<()> {
    http::Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap()
}

/// The reason of an answer that is nothing but a status.
fn grpc_status(answer: &http::Response<h2::RecvStream>) -> Option<String> {
    let status = answer.headers().get("grpc-status")?;
    status.to_str().ok().map(ToOwned::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_an_end_is_refused_at_its_announcement_and_its_sender_cut() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    let (mut client, running) = client(&open).await;
    client = client.ready().await.unwrap();
    let (answer, mut body) = client.send_request(call(PUBLISH), false).unwrap();
    // Four gigabytes are announced.
    let announced = vec![0, 0xff, 0xff, 0xff, 0xff];
    body.send_data(Cursor::new(announced), false).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(grpc_status(&answer).as_deref(), Some("11"), "out of range");
    drop((answer, body, client));
    let _ = running.await;

    // Without end, as fast as the door reads, and without looking at answers.
    let mut stream = begun(&open, &[]).await;
    let block = frame(HEADERS, END_HEADERS, 1, &headers(PUBLISH));
    stream.write_all(&block).await.unwrap();
    let announced = [0, 0xff, 0xff, 0xff, 0xff];
    let _ = stream.write_all(&frame(DATA, 0, 1, &announced)).await;
    let piece = frame(DATA, 0, 1, &[0; 16_000]);
    let mut sent = 0;
    let sending = async {
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
    };
    let cut = tokio::time::timeout(SOON, sending).await;
    assert!(cut.is_ok(), "it is cut");
    assert!(sent < 8 << 20, "{sent} bytes");
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_within_messages_without_end_are_refused_and_cost_nothing() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    let (client, _running) = client(&open).await;
    // Groups of a number that is not known, which begin within each other; a field within a field within a field.
    let groups = vec![0x7b; MAX_MESSAGE_BYTES - 64];
    let mut fields = Vec::new();
    for _ in 0..20_000 {
        let mut outer = vec![0x0a];
        let mut len = fields.len();
        while len >= 0x80 {
            outer.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
            len >>= 7;
        }
        outer.push(u8::try_from(len).unwrap());
        if fields.len() + outer.len() > 40_000 {
            break;
        }
        outer.extend(&fields);
        fields = outer;
    }
    for (message, is_readable) in [(groups, false), (fields, true)] {
        for path in [
            TREE_HEAD,
            "/viridian.federation.v1.FederationService/CosignRegistry",
        ] {
            let len = u32::try_from(message.len()).unwrap().to_be_bytes();
            let framed = [&[0][..], &len, &message].concat();
            let mut client = client.clone().ready().await.unwrap();
            let (answer, mut body) = client.send_request(call(path), false).unwrap();
            body.send_data(Cursor::new(framed), true).unwrap();
            let answer = tokio::time::timeout(SOON, answer).await.unwrap();
            let status = grpc_status(&answer.unwrap());
            // Only what messages are made of is looked into; a field of bytes is never read as a message.
            assert!(is_readable || status.as_deref() == Some("13"), "{status:?}");
        }
    }
    drop(client);
    honest.was_served().await;
}

/// Makes calls and takes each back at once, until the door has had enough; how many that were.
async fn storm(mut stream: TlsStream<TcpStream>) -> u32 {
    const RESET: u8 = 3;
    let block = headers(TREE_HEAD);
    for made in 0..1_000_000 {
        let stream_id = 2 * made + 1;
        let begin = frame(HEADERS, END_HEADERS, stream_id, &block);
        let take_back = frame(RESET, 0, stream_id, &8_u32.to_be_bytes());
        let both = [begin, take_back].concat();
        if stream.write_all(&both).await.is_err() {
            return made;
        }
    }
    panic!("a million calls were taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_made_and_taken_back_at_once_are_cut() {
    let open = Open::for_peers(tight()).await;
    let honest = Honest::begin(&open).await;
    for _ in 0..20 {
        let storm = storm(begun(&open, &[]).await);
        let made = tokio::time::timeout(SOON, storm).await;
        let made = made.expect("it is cut");
        assert!(made < 20_000, "{made} calls");
    }
    honest.was_served().await;
}

/// Sends one kind of frame as fast as the door takes it, until that has had enough; how many bytes that were.
async fn flood(stream: TlsStream<TcpStream>, frames: Vec<u8>, is_reading: bool) -> usize {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move {
        let mut piece = [0; 8_192];
        while is_reading && matches!(reader.read(&mut piece).await, Ok(1..)) {}
        reader
    });
    let mut sent = 0;
    while writer.write_all(&frames).await.is_ok() {
        sent += frames.len();
    }
    let _ = reading.await;
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_settings_and_pings_are_cut_whether_their_answers_are_read_or_not() {
    for is_reading in [true, false] {
        // While the answers are read only the bytes tell; while they are not the door does not read on, and it is idle.
        let idle = if is_reading { SOON * 12 } else { tight().idle };
        let open = Open::for_peers(Limits { idle, ..tight() }).await;
        let honest = Honest::begin(&open).await;
        for (kind, payload) in [(SETTINGS, &[0, 4, 0, 0, 0xff, 0xff][..]), (PING, &[7; 8])] {
            for _ in 0..5 {
                let frames = frame(kind, 0, 0, payload).repeat(500);
                let stream = begun(&open, &[]).await;
                let flood = flood(stream, frames, is_reading);
                let sent = tokio::time::timeout(SOON, flood).await;
                let sent = sent.unwrap_or_else(|_| panic!("kind {kind}, reading: {is_reading}"));
                assert!(sent < 8 << 20, "{sent} bytes");
            }
        }
        honest.was_served().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_a_limited_number_of_connections() {
    let open = Open::for_peers(Limits {
        max_connections_per_address: 3,
        handshake: SOON * 12,
        idle: SOON * 12,
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(raw::tcp(&open, "127.0.0.2").await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..50 {
        let more = raw::tcp(&open, "127.0.0.2").await.unwrap();
        raw::ends(more, SOON).await;
    }
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut again = raw::tcp(&open, "127.0.0.2").await.unwrap();
    let mut first = [0; 1];
    let read = again.read(&mut first);
    let waits = tokio::time::timeout(Duration::from_millis(200), read).await;
    assert!(waits.is_err(), "there is a place again");
    drop(again);
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_caller_s_calls_by_the_byte_take_no_other_s_room() {
    let open = Open::for_peers(Limits {
        max_calls: 6,
        max_calls_per_caller: 4,
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    let slow = calls_by_the_byte(&open, 12).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let same = open.channel(credentials(&peer(35, Role::Node)));
    let refused = head(same, 1).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    assert!(retry_after(&refused).is_some());
    let other = open.channel(credentials(&peer(42, Role::Node)));
    head(other, 1).await.unwrap();
    for slow in slow {
        assert!(slow.await.unwrap(), "it is cut");
    }
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_connects_without_end_is_closed_out_before_its_handshakes() {
    let open = Open::for_peers(Limits {
        connection_quota: Some(Quota::per_second(1, 40)),
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    let (mut shaken, mut closed) = (0, 0);
    for _ in 0..120 {
        let own = AUTHORITY.issue_for_demo(&peer(35, Role::Node)).unwrap();
        let stream = raw::tcp(&open, "127.0.0.3").await.unwrap();
        let version = &rustls::version::TLS13;
        match raw::handshake(stream, &own.chain_pem, &own.key_pem, version).await {
            Ok(_) => shaken += 1,
            Err(_) => closed += 1,
        }
    }
    assert!(
        (40..60).contains(&shaken) && closed > 60,
        "{shaken} {closed}"
    );
    // Another address is not concerned.
    trust(open.channel(credentials(&peer(42, Role::Node))))
        .await
        .unwrap();
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_do_nothing_keep_nobody_out() {
    let open = Open::for_peers(Limits {
        max_connections: 10,
        idle: SOON * 12,
        handshake: SOON * 12,
        ..tight()
    })
    .await;
    let mut held = Vec::new();
    // Some have not even shaken hands.
    for _ in 0..9 {
        held.push(begun(&open, &[]).await);
    }
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(open.address).await.unwrap());
    }
    // Whoever had a call a moment ago is not the one to go.
    let honest = Honest::begin(&open).await;
    let busy = open.channel(credentials(&peer(35, Role::Node)));
    for _ in 0..30 {
        held.push(begun(&open, &[]).await);
        trust(busy.clone()).await.unwrap();
        // Another who comes for one call.
        let other = open.channel(credentials(&peer(35, Role::Node)));
        trust(other).await.unwrap();
    }
    drop((held, silent));
    honest.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_caller_s_flood_of_calls_is_refused_and_takes_nobody_else_s_quota() {
    let open = Open::for_peers(Limits {
        quota: Some(Quota::per_second(200, 300)),
        ..tight()
    })
    .await;
    let honest = Honest::begin(&open).await;
    let channel = open.channel(credentials(&peer(35, Role::Node)));
    let (mut served, mut refused) = (0, 0);
    for _ in 0..1_000 {
        match head(channel.clone(), 1).await {
            Ok(_) => served += 1,
            Err(status) => {
                assert_eq!(reason_of(&status), Some(Reason::Quota));
                assert!(retry_after(&status).is_some_and(|wait| !wait.is_zero()));
                refused += 1;
            }
        }
    }
    assert!(served >= 300 && refused > 100, "{served} {refused}");
    // The trust list has a quota of its own.
    trust(channel).await.unwrap();
    honest.was_served().await;
}
