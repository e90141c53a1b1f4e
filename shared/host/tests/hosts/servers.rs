//! The handler in this process, and in one of its own behind a port.

use crate::{
    endpoint::Echo,
    table::{Ask, Host, Reply},
};
use host::RequestExt;
use http_body_util::BodyExt;
use lambda_http::Body;
use localstack::{
    folders::DataFolder,
    process::{Process, Program, free_port},
};
use reqwest::Client;
use std::{path::PathBuf, time::Duration};
use tokio::net::TcpStream;

pub(crate) struct InProcess(Echo);

impl InProcess {
    pub(crate) fn new() -> Self {
        Self(Echo { greeting: "hello".into() })
    }
}

impl Host for InProcess {
    async fn send(&self, ask: Ask) -> Reply {
        let mut request = http::Request::builder().method(ask.method).uri(ask.path);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body)).expect("a request");
        let query = request.uri().query().unwrap_or_default().parse::<QueryMap>().expect("a query");
        let answer = host::answer(&self.0, request.with_query_string_parameters(query)).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

type QueryMap = lambda_http::aws_lambda_events::query_map::QueryMap;

pub(crate) struct OnPort {
    client: Client,
    base_url: String,
    // Ended and removed with the test, in this order.
    _process: Process,
    _folder: DataFolder,
}

impl OnPort {
    pub(crate) async fn http_1_1() -> Self {
        Self::start(Client::builder().http1_only()).await
    }

    pub(crate) async fn h2c() -> Self {
        Self::start(Client::builder().http2_prior_knowledge()).await
    }

    async fn start(client: reqwest::ClientBuilder) -> Self {
        let folder = DataFolder::create().expect("a data folder");
        let port = free_port().expect("a free port");
        let program = Program::new("echo", example("echo"), folder.log("echo"));
        let program =
            program.env("HOST", "127.0.0.1").env("PORT", port.to_string()).env("ECHO_GREETING", "hello");
        let process = program.start().expect("the example starts");
        let base_url = format!("http://127.0.0.1:{port}");
        until_accepts(port).await;
        Self { client: client.build().expect("a client"), base_url, _process: process, _folder: folder }
    }
}

impl Host for OnPort {
    async fn send(&self, ask: Ask) -> Reply {
        send(&self.client, &self.base_url, ask).await
    }
}

/// Sends `ask` below `base_url`.
pub(crate) async fn send(client: &Client, base_url: &str, ask: Ask) -> Reply {
    let mut request = client.request(ask.method, format!("{base_url}{}", ask.path)).body(ask.body);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Reply { status, headers, body: answer.bytes().await.expect("a whole body").to_vec() }
}

/// The binary of an example, which cargo builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("the folder of the profile");
    profile.join("examples").join(name)
}

pub(crate) async fn until_accepts(port: u16) {
    for _ in 0..1000 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody accepts on port {port}");
}
