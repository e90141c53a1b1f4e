//! What only the HTTP host does: probes, drain, hostile clients; and configuration that is wrong.

use localstack::{
    folders::DataFolder,
    process::{Process, Program, free_port},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Client, StatusCode};
use std::{path::PathBuf, process::Output, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

struct Server {
    port: u16,
    process: Process,
    _folder: DataFolder,
}

impl Server {
    async fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let folder = DataFolder::create().expect("a data folder");
        let port = free_port().expect("a free port");
        let mut program = Program::new(name, example(name), folder.log(name));
        program =
            program.env("HOST", "127.0.0.1").env("PORT", port.to_string()).env("ECHO_GREETING", "hello");
        for (name, value) in variables {
            program = program.env(name, value);
        }
        let mut server =
            Self { port, process: program.start().expect("the example starts"), _folder: folder };
        while server.get("/healthz").await.is_none() {
            assert!(server.process.has_ended().is_none(), "it ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The status; `None` when nobody accepts.
    async fn get(&self, path: &str) -> Option<u16> {
        // A client of its own, because a connection that is kept does not show whether new ones are accepted.
        Client::new().get(self.url(path)).send().await.ok().map(|answer| answer.status().as_u16())
    }

    fn terminate(&self) {
        let id = i32::try_from(self.process.id().expect("it runs")).expect("a process id");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("a signal");
    }

    /// Everything the server says to these bytes before it closes the connection.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("a connection");
        stream.write_all(bytes).await.expect("written");
        stream.shutdown().await.expect("no more to say");
        let mut heard = Vec::new();
        // A connection that is reset says nothing more either.
        let _ = stream.read_to_end(&mut heard).await;
        String::from_utf8_lossy(&heard).into_owned()
    }
}

fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    test.ancestors().nth(2).expect("the folder of the profile").join("examples").join(name)
}

#[tokio::test]
async fn probes_answer_beside_the_function() {
    let server = Server::start("echo", &[]).await;
    assert_eq!(server.get("/healthz").await, Some(200));
    assert_eq!(server.get("/healthz/ready").await, Some(200));
}

#[tokio::test]
async fn a_drain_lets_requests_in_flight_finish() {
    let mut server = Server::start("echo", &[("DRAIN_DELAY_MS", "400")]).await;
    let in_flight = tokio::spawn(Client::new().get(server.url("/echo/?do=wait")).send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.terminate();
    // Not ready any more, and still there for whoever has not noticed yet.
    while server.get("/healthz/ready").await == Some(200) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.get("/healthz/ready").await, Some(503));
    assert_eq!(server.get("/healthz").await, Some(200));
    assert_eq!(server.get("/echo/").await, Some(201));

    let answer = in_flight.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let ended = tokio::time::timeout(Duration::from_secs(10), server.process.ended()).await;
    assert!(ended.expect("it ends").expect("a status").success());
    assert_eq!(server.get("/healthz").await, None);
}

#[tokio::test]
async fn hostile_clients_get_an_answer_or_nothing_and_harm_nobody() {
    let server = Server::start("echo", &[]).await;
    let head = "POST /echo/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let heard = server.say(format!("{head}content-length: 5000000000\r\n\r\n").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
    // In chunks nothing announces the size.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let heard = server
        .say(format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n").as_bytes())
        .await;
    assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
    let heard = server.say(b"POST /echo/ HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n").await;
    assert!(heard.starts_with("HTTP/1.1 400"), "{heard}");
    for nonsense in
        ["", "\0\0\0\0", "GET", "GET / HTTP/9.9\r\n\r\n", &format!("{head}content-length: 100\r\n\r\nshort")]
    {
        let heard = server.say(nonsense.as_bytes()).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{nonsense:?}: {heard}");
    }
    assert_eq!(server.get("/echo/").await, Some(201));
}

#[tokio::test]
async fn events_come_in_binary_and_in_structured_mode() {
    let server = Server::start("echo_events", &[]).await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let binary = |data: &'static str| {
        let request =
            Client::new().post(server.url("/")).header("ce-specversion", "1.0").header("ce-id", "7");
        let request = request.header("ce-source", "/verify").header("ce-type", "photo.uploaded.v1");
        request.header("ce-traceparent", traceparent).header("content-type", "application/json").body(data)
    };
    let structured = |members: &str| {
        let required = r#""specversion":"1.0","id":"7","source":"/verify","type":"photo.uploaded.v1""#;
        let body = format!(r#"{{{required},"traceparent":"{traceparent}"{members}}}"#);
        Client::new()
            .post(server.url("/"))
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .body(body)
    };
    let seen = format!("7|/verify|photo.uploaded.v1|none|{traceparent}|");
    for (request, status, detail) in [
        (binary("\"fine\""), 204, None),
        (binary("\"later\""), 503, None),
        (binary("\"never\""), 422, Some(format!("{seen}\"never\""))),
        (binary("\"never\"").header("ce-subject", "a"), 422, Some(seen.replace("none", "a") + "\"never\"")),
        // Bytes that are no UTF-8 are no reason to refuse a photo.
        (binary("\"fine\"").header("ce-other", &b"\xff\xfe"[..]), 204, None),
        (structured(r#","data":"fine""#), 204, None),
        (structured(r#","data":"never""#), 422, Some(format!("{seen}\"never\""))),
        (structured(r#","data":{"a": [1]}"#), 422, Some(format!("{seen}{{\"a\": [1]}}"))),
        (structured(r#","data_base64":"bmV2ZXI=""#), 422, Some(format!("{seen}never"))),
        (structured(""), 422, Some(seen.clone())),
        (structured(r#","data":1,"data_base64":"bmV2ZXI=""#), 400, None),
        (structured(r#","data_base64":"*""#), 400, None),
        (structured(",,"), 400, None),
        (Client::new().post(server.url("/")).body("{}"), 400, None),
        (Client::new().post(server.url("/")).header("ce-specversion", "1.0").header("ce-id", "7"), 400, None),
        (Client::new().post(server.url("/")).header("ce-specversion", "0.3").header("ce-id", "7"), 400, None),
        (
            Client::new().post(server.url("/")).header("content-type", "application/cloudevents-batch+json"),
            415,
            None,
        ),
        (Client::new().get(server.url("/")), 405, None),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{detail:?}");
        assert_eq!(answer.headers().contains_key("retry-after"), status == 503);
        if let Some(detail) = detail {
            let problem: serde_json::Value = answer.json().await.expect("JSON");
            assert_eq!(problem["detail"], detail);
        }
    }
}

async fn run(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(example("echo"));
    command.env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(10), command.output())
        .await
        .expect("it ends")
        .expect("it starts")
}

#[tokio::test]
async fn wrong_configuration_is_one_line_that_names_the_variable_and_exit_64() {
    for (variables, named) in [
        (vec![("PORT", "0")], "ECHO_GREETING"),
        (vec![("ECHO_GREETING", "hello")], "PORT"),
        (vec![("ECHO_GREETING", "hello"), ("PORT", "eighty")], "PORT"),
        (vec![("ECHO_GREETING", "hello"), ("PORT", "0"), ("HOST", "nowhere")], "HOST"),
        (vec![("ECHO_GREETING", "hello"), ("PORT", "0"), ("DRAIN_DELAY_MS", "-1")], "DRAIN_DELAY_MS"),
    ] {
        let output = run(&variables).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{variables:?}: {errors}");
        assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
        assert!(errors.contains(named), "{errors}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_says_so() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = run(&[("ECHO_GREETING", "hello"), ("HOST", "127.0.0.1"), ("PORT", &port)]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("in use"));
}
