//! The requests, and what every host must answer.

use crate::endpoint::{ECHO, every_byte};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

pub(crate) trait Host {
    fn send(&self, ask: Ask) -> impl Future<Output = Reply>;
}

const MULTIPART: &str = "multipart/form-data; boundary=b";

pub(crate) async fn check_every_case(host: &impl Host) {
    requests_look_the_same(host).await;
    answers_arrive_as_they_were_given(host).await;
    refusals_are_problems(host).await;
    failures_are_problems_and_the_function_lives(host).await;
}

async fn requests_look_the_same(host: &impl Host) {
    let multipart =
        [b"--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n", &*every_byte(), b"\r\n--b--\r\n"]
            .concat();
    for (path, query) in [
        ("/echo", json!([])),
        ("/echo/", json!([])),
        ("/echo/a%20b", json!([])),
        ("/echo/?a=1&b=%20x%26&c=", json!([["a", "1"], ["b", " x&"], ["c", ""]])),
        ("/echo/?a=1&a=2", json!([["a", "1"], ["a", "2"]])),
        ("/echo/?path=photos%2F1%2Fx+y", json!([["path", "photos/1/x y"]])),
    ] {
        let seen = echoed(host, Method::GET, path, vec![("x-custom", "kept")], b"").await;
        let mut pairs: Vec<_> = seen["query"].as_array().expect("pairs").clone();
        pairs.sort_by_key(Value::to_string);
        assert_eq!(Value::from(pairs), query, "{path}");
        assert_eq!(seen["path"], path.split('?').next().expect("a path"), "{path}");
        assert_eq!(
            (&seen["method"], &seen["headers"]),
            (&json!("GET"), &json!({"x-custom": "kept"})),
            "{path}"
        );
        assert_eq!((&seen["greeting"], &seen["body"]), (&json!("hello"), &json!("")));
    }
    let bodies: [(Option<&'static str>, &[u8]); 7] = [
        (Some("application/json"), r#"{"name":"Ада"}"#.as_bytes()),
        (Some("application/json; charset=utf-8"), b"{}"),
        (Some("text/plain"), b"plain"),
        (Some("application/octet-stream"), &every_byte()),
        (Some("image/jpeg"), b"\xff\xd8\xff"),
        (Some(MULTIPART), &multipart),
        (None, b"typeless"),
    ];
    for (kind, body) in bodies {
        let headers = kind
            .map(|kind| ("content-type", kind))
            .into_iter()
            .chain([("authorization", "Bearer x")])
            .collect();
        let seen = echoed(host, Method::POST, "/echo/", headers, body).await;
        assert_eq!(seen["body"], BASE64_STANDARD.encode(body), "{kind:?}");
        assert_eq!(seen["headers"]["authorization"], "Bearer x");
        if let Some(kind) = kind {
            assert_eq!(seen["headers"]["content-type"], kind);
        }
    }
}

async fn answers_arrive_as_they_were_given(host: &impl Host) {
    let reply = get(host, "/echo/").await;
    assert_eq!((reply.status, text(&reply.headers, "x-answer")), (201, "yes"));
    assert_eq!(text(&reply.headers, "x-content-type-options"), "nosniff");

    let reply = get(host, "/echo/?do=bytes").await;
    assert_eq!((reply.status, text(&reply.headers, "content-type")), (200, "application/octet-stream"));
    assert_eq!(reply.body, every_byte());

    let reply = get(host, "/echo/?do=stream").await;
    assert_eq!(reply.body, [[0; 1000], [1; 1000], [2; 1000]].concat());
}

async fn refusals_are_problems(host: &impl Host) {
    problem(&get(host, "/elsewhere").await, 404);
    problem(&get(host, "/echoes").await, 404);

    let reply =
        host.send(Ask { method: Method::DELETE, path: "/echo/", headers: vec![], body: vec![] }).await;
    problem(&reply, 405);
    assert_eq!(text(&reply.headers, "allow"), "GET, POST");

    let largest = vec![b' '; ECHO.body_max_bytes];
    let headers = || vec![("content-type", "application/octet-stream")];
    let seen = echoed(host, Method::POST, "/echo/", headers(), &largest).await;
    assert_eq!(seen["body"], BASE64_STANDARD.encode(&largest));
    let too_large = [largest, vec![b' ']].concat();
    problem(
        &host.send(Ask { method: Method::POST, path: "/echo/", headers: headers(), body: too_large }).await,
        413,
    );

    let refused = problem(&get(host, "/echo/?do=refuse").await, 422);
    assert_eq!(refused["errors"], json!([{"field": "amount", "message": "must be less"}]));
}

async fn failures_are_problems_and_the_function_lives(host: &impl Host) {
    problem(&get(host, "/echo/?do=panic").await, 500);
    problem(&get(host, "/echo/?do=overrun").await, 504);
    assert_eq!(get(host, "/echo/").await.status, 201);
}

async fn get(host: &impl Host, path: &'static str) -> Reply {
    host.send(Ask { method: Method::GET, path, headers: vec![], body: vec![] }).await
}

async fn echoed(
    host: &impl Host,
    method: Method,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: &[u8],
) -> Value {
    let reply = host.send(Ask { method, path, headers, body: body.to_vec() }).await;
    assert_eq!(reply.status, 201, "{path}: {}", String::from_utf8_lossy(&reply.body));
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn problem(reply: &Reply, status: u16) -> Value {
    let body = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, status, "{body}");
    assert_eq!(text(&reply.headers, "content-type"), "application/problem+json");
    let problem: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(problem["status"], status);
    problem
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
