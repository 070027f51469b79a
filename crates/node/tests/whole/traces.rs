//! Traces: what a collector gets from a node that was built to send them. `cargo test -p node --features otel`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use prost::Message;
use rules::{Event, EventBody, SourceKind, TestResult};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::clients::event;
use crate::process::{end, run, submit, write_house};
use crate::world::{START, minute, person, source};

/// The messages of OTLP, as far as they are looked at here. Spans are kept as they came, to be searched whole.
#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(bytes = "vec", repeated, tag = "1")]
    resource_spans: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(string, tag = "5")]
    name: String,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<Attribute>,
    /// Events in the span.
    #[prost(bytes = "vec", repeated, tag = "11")]
    events: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, Message)]
struct Exported {}

/// All spans that came.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Seen);

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl UnaryService<Export> for Collector {
    type Response = Exported;
    type Future = std::future::Ready<Result<Response<Exported>, Status>>;

    fn call(&mut self, request: Request<Export>) -> Self::Future {
        let mut seen = self.0.lock().unwrap();
        seen.extend(request.into_inner().resource_spans);
        std::future::ready(Ok(Response::new(Exported {})))
    }
}

impl tower::Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = tonic::codegen::BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let own = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<Exported, Export>::default();
            Ok(Grpc::new(codec).unary(own, request).await)
        })
    }
}

async fn open_collector() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = Collector::default();
    let seen = Arc::clone(&collector.0);
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder().add_service(collector);
    tokio::spawn(server.serve_with_incoming(incoming));
    (endpoint, seen)
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|a| a.key == key);
    let value = found.and_then(|a| a.value.clone());
    value.unwrap_or_default().text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_for_each_call_and_nothing_of_a_resident() {
    let (endpoint, seen) = open_collector().await;
    let dir = tempfile::tempdir().unwrap();
    write_house_with(dir.path(), &endpoint);
    let (child, address) = run(dir.path());
    let events: Vec<Event> = (0..5).map(test_of).collect();
    submit(&address, &events).await;
    // The rest is sent when the process ends.
    let ended = end(child).await;
    assert_eq!(ended.status.code(), Some(0));
    let began = Instant::now();
    while seen.lock().unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let seen = seen.lock().unwrap();
    let spans: Vec<Span> = seen
        .iter()
        .flat_map(|bytes| ResourceSpans::decode(&bytes[..]).unwrap().scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    assert_eq!(spans.len(), 1, "{spans:?}");
    let span = &spans[0];
    assert_eq!(span.name, "call");
    // Not how long it was worked on, which for a call about a record depends on the record.
    let mut keys: Vec<&str> = span.attributes.iter().map(|a| a.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["caller", "code", "method", "request"]);
    assert_eq!(attribute(span, "method"), "SourceService/SubmitEvents");
    assert_eq!(attribute(span, "caller"), "source");
    assert_eq!(attribute(span, "code"), "Ok");
    assert_eq!(attribute(span, "request").len(), 32);
    assert_eq!(span.events.len(), 1, "the end of the call and nothing else");
    for bytes in seen.iter() {
        assert!(holds(bytes, b"viridian-node") && holds(bytes, b"SubmitEvents"));
        for event in &events {
            assert!(!holds(bytes, event.subject.expose()));
            assert!(!holds(bytes, &event.id.0));
            assert!(!holds(bytes, &event.to_bytes()[46..]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    write_house_with(dir.path(), &endpoint);
    let (child, address) = run(dir.path());
    let began = Instant::now();
    submit(&address, &[test_of(1)]).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    let ended = end(child).await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

fn write_house_with(dir: &std::path::Path, endpoint: &str) {
    write_house(dir, false);
    let file = dir.join("node.toml");
    let mut config = std::fs::read_to_string(&file).unwrap();
    writeln!(config, "[observe]\notlp_endpoint = \"{endpoint}\"").unwrap();
    std::fs::write(&file, config).unwrap();
}

fn test_of(number: u16) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(START - 60),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(START - 60), body)
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
