//! The residents' page, as a browser asks for it and for what it calls.

use std::net::SocketAddr;

use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::resident::v1 as r;

use crate::world::{House, Wish, World};

const RESIDENTS: &str = "/viridian.resident.v1.ResidentService";

/// Status, head in lower case, and body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

async fn send(at: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: answer[end + 4..].to_vec(),
    }
}

/// A call in gRPC-web, of an empty message, as a page of `origin` makes it.
async fn call(house: &House, path: &str, host: &str, origin: &str) -> Answer {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{origin}\r\nConnection: close\r\n\
         Content-Type: application/grpc-web+proto\r\nContent-Length: 5\r\n\r\n"
    )
    .into_bytes();
    request.extend([0; 5]);
    send(house.page_at, &request).await
}

async fn own_page(house: &House, path: &str) -> Answer {
    let host = house.page_at.to_string();
    call(house, path, &host, &host).await
}

/// The first message of an answer, whose chunks are one each here.
fn message(body: &[u8]) -> &[u8] {
    let line = body.windows(2).position(|w| w == b"\r\n").unwrap();
    let frame = &body[line + 2..];
    assert_eq!(frame[0], 0, "a message, not trailers");
    let len = u32::from_be_bytes(frame[1..5].try_into().unwrap()) as usize;
    &frame[5..5 + len]
}

#[tokio::test]
async fn the_page_calls_the_residents_service_and_nothing_else() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let answer = own_page(house, &format!("{RESIDENTS}/GetHome")).await;
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(
        answer
            .head
            .contains("content-type: application/grpc-web+proto")
    );
    assert!(
        answer
            .head
            .contains("content-security-policy: default-src 'none'")
    );
    let home = r::GetHomeResponse::decode(message(&answer.body)).unwrap();
    assert_eq!(
        (home.province, home.now_minute),
        (35, house.node.clock().now().get())
    );

    // What other doors have is not behind this one.
    for other in [
        "/viridian.operator.v1.OperatorService/Drain",
        "/viridian.source.v1.SourceService/SubmitEvents",
        "/viridian.federation.v1.FederationService/GetTreeHead",
    ] {
        let answer = own_page(house, other).await;
        assert!(
            matches!(answer.status, 404 | 405),
            "{other}: {}",
            answer.head
        );
    }
    let answer = own_page(house, &format!("{RESIDENTS}/SetColour")).await;
    assert!(answer.head.contains("grpc-status: 12"), "{}", answer.head);
}

#[tokio::test]
async fn another_name_and_another_pages_script_are_not_answered() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let own = house.page_at.to_string();
    let path = format!("{RESIDENTS}/GetHome");
    for (host, origin) in [
        ("evil.example", "evil.example"),
        (own.as_str(), "evil.example"),
        ("evil.example", own.as_str()),
    ] {
        let answer = call(house, &path, host, origin).await;
        assert_eq!(answer.status, 421, "{host} {origin}");
    }
}

#[tokio::test]
async fn calls_of_the_page_count_against_their_address_as_all_others_do() {
    let mut wish = Wish::default();
    wish.limits.quotas.address_calls_per_s = 1;
    wish.limits.quotas.address_calls_burst = 3;
    let world = World::new(wish).await;
    let house = &world.houses[1];
    let path = format!("{RESIDENTS}/GetHome");
    let mut refused = 0;
    for _ in 0..6 {
        let answer = own_page(house, &path).await;
        assert_eq!(answer.status, 200);
        // RESOURCE_EXHAUSTED, in the form that the page's client reads.
        if answer.head.contains("grpc-status: 8") {
            assert!(
                answer
                    .head
                    .contains("content-type: application/grpc-web+proto")
            );
            refused += 1;
        }
    }
    assert!(refused >= 2, "{refused} of 6 were refused");
}

#[tokio::test]
async fn what_is_longer_than_any_call_is_refused_before_it_is_read() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let request = format!(
        "POST {RESIDENTS}/Query HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/grpc-web+proto\r\nContent-Length: 500000000\r\n\r\n",
        house.page_at
    );
    let answer = send(house.page_at, request.as_bytes()).await;
    assert_eq!(answer.status, 413);
}
