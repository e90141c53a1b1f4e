//! Delivery from a real broker to a sink that answers as it is told to.

use bytes::Bytes;
use contract::event::{DEAD_LETTER_TOPIC, PHOTO_UPLOADS_TOPIC};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use localstack::{
    folders::DataFolder,
    process::{Process, Program},
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use testkit::{Record, World};
use tokio::net::TcpListener;

/// What the sink was sent: the key, the event's type and the body.
type Received = Arc<Mutex<Vec<(String, String, String)>>>;

struct Sink {
    url: String,
    received: Received,
}

impl Sink {
    /// Answers 204, but 422 to `never`, and 503 to the first two deliveries of `flaky`. It keeps the first delivery of a
    /// body that `hangs` waiting; the tests share a topic, so each sees the others' records too.
    async fn start(hangs: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let received = Received::default();
        let all = received.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let received = all.clone();
                let service = service_fn(move |request| answer(request, received.clone(), hangs));
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, received }
    }

    /// The bodies that came under `key`, in order, once there are `count`.
    async fn bodies(&self, key: &str, count: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let received = self.received.lock().expect("no panic").clone();
            let bodies: Vec<_> =
                received.into_iter().filter(|(k, ..)| k == key).map(|(.., body)| body).collect();
            if bodies.len() >= count {
                return bodies;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{bodies:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Received,
    hangs: Option<&str>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    };
    let (key, kind) = (header("ce-key"), header("ce-type"));
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let earlier = {
        let mut received = received.lock().expect("no panic");
        received.push((key, kind, body.clone()));
        received.iter().filter(|(.., other)| *other == body).count() - 1
    };
    if Some(body.as_str()) == hangs && earlier == 0 {
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
    let status = match body.as_str() {
        "never" => 422,
        "flaky" if earlier < 2 => 503,
        _ => 204,
    };
    let mut response =
        Response::new(Full::new(Bytes::from_static(if status == 422 { b"the reason" } else { b"" })));
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

/// The event source as a process; every test has a consumer group of its own.
fn start(world: &World, folder: &DataFolder, group: &str, sink: &Sink) -> Process {
    Program::new("event-source", env!("CARGO_BIN_EXE_event-source"), folder.log("event-source"))
        .env("KAFKA_BROKERS", world.variable("KAFKA_BROKERS"))
        .env("TOPICS", PHOTO_UPLOADS_TOPIC)
        .env("CONSUMER_GROUP", group)
        .env("DEAD_LETTER_TOPIC", DEAD_LETTER_TOPIC)
        .env("SINK_URL", &sink.url)
        .env("BACKOFF_DELAY_MS", "50")
        .start()
        .expect("it starts")
}

async fn publish(world: &World, key: &str, value: &str) {
    let headers = BTreeMap::from([
        ("ce_specversion".to_owned(), "1.0".to_owned()),
        ("ce_type".to_owned(), "t".to_owned()),
    ]);
    let record = Record { key: key.into(), headers, value: value.into() };
    world.publish(PHOTO_UPLOADS_TOPIC, &record).await;
}

#[tokio::test]
async fn records_are_delivered_in_order_tried_again_and_kept_when_they_cannot_succeed() {
    let world = World::new().await;
    let (folder, sink) = (DataFolder::create().expect("a folder"), Sink::start(None).await);
    // What came before the source did is delivered too.
    publish(&world, "order", "first").await;
    let mut source = start(&world, &folder, "delivery", &sink);
    for value in ["flaky", "third"] {
        publish(&world, "order", value).await;
    }
    assert_eq!(sink.bodies("order", 5).await, ["first", "flaky", "flaky", "flaky", "third"]);
    assert!(sink.received.lock().expect("no panic").iter().all(|(_, kind, _)| kind == "t"));

    for value in ["never", "behind it"] {
        publish(&world, "dead", value).await;
    }
    assert_eq!(
        sink.bodies("dead", 2).await,
        ["never", "behind it"],
        "what can never succeed is not tried again"
    );
    let letters = world.records(DEAD_LETTER_TOPIC, "dead", 1).await;
    assert_eq!(letters[0].value, "never");
    for (name, value) in [
        ("knativeerrordest", sink.url.as_str()),
        ("knativeerrorcode", "422"),
        ("knativeerrordata", "the reason"),
        ("ce_type", "t"),
    ] {
        assert_eq!(letters[0].headers.get(name).map(String::as_str), Some(value), "{name}");
    }

    let asked = Instant::now();
    source.stop().await;
    assert!(
        source.has_ended().is_some_and(|status| status.success()),
        "{}",
        source.failure("does not end in order")
    );
    assert!(asked.elapsed() < Duration::from_secs(10), "and is not killed");
}

#[tokio::test]
async fn a_record_under_way_when_the_source_is_killed_comes_again() {
    let world = World::new().await;
    let (folder, sink) = (DataFolder::create().expect("a folder"), Sink::start(Some("hang")).await);
    let mut source = start(&world, &folder, "killed", &sink);
    for value in ["done", "hang", "after"] {
        publish(&world, "killed", value).await;
    }
    assert_eq!(sink.bodies("killed", 2).await, ["done", "hang"]);
    source.kill().await;
    let _second = start(&world, &folder, "killed", &sink);
    // What was done may come again too; nothing is lost, and the order stays.
    let started = Instant::now();
    loop {
        let bodies = sink.bodies("killed", 4).await;
        if bodies.last().is_some_and(|body| body == "after") {
            let again = &bodies[bodies.len() - 2..];
            assert_eq!(again, ["hang", "after"]);
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{bodies:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
