//! The whole stack as `cargo stack up` runs it, from outside through the gateway.

use localstack::{
    faces::{self, Photos},
    process::{Process, Program, free_port},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{
    Client, Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Building the functions is part of it.
const READY_TIMEOUT: Duration = Duration::from_secs(1200);
const VERDICT_TIMEOUT: Duration = Duration::from_secs(60);
const VERIFY: &str = "/api/auth-service/verify/";
const CREATE: &str = "/api/transaction-service/create/";
const REPORT: &str = "/api/transaction-service/report/";
const GET_VECTOR: &str = "/api/face-verification-service/get_vector/";

struct Gateway {
    url: String,
    port: u16,
    client: Client,
    process: Process,
    /// Everything that the stack writes outside the caches.
    folder: TempDir,
}

struct Person {
    id: i64,
    token: String,
}

impl Gateway {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // PostgreSQL runs as another user when we are root, and passes through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("opened");
        let port = free_port().expect("a free port");
        let mut program =
            Program::new("stack", env!("CARGO_BIN_EXE_localstack"), folder.path().join("up.log"));
        program = program.args(["up", "--port", &port.to_string()]).env("TMPDIR", folder.path());
        for name in
            ["CARGO_TARGET_DIR", "CARGO_HOME", "RUSTUP_HOME", "RUSTC_WRAPPER", "RUSTFLAGS", "VISAGE_CACHE"]
        {
            if let Some(value) = env::var_os(name) {
                program = program.env(name, value);
            }
        }
        let process = program.start().expect("it starts");
        let url = format!("http://127.0.0.1:{port}");
        let mut gateway = Self { url, port, client: Client::new(), process, folder };
        gateway.wait_until_ready().await;
        gateway
    }

    async fn wait_until_ready(&mut self) {
        let started = Instant::now();
        let log = || fs::read_to_string(self.folder.path().join("up.log")).unwrap_or_default();
        while !log().contains("The first answer came") {
            if let Some(ended) = self.process.has_ended() {
                panic!("{}", self.process.failure(&format!("ended with {ended}")));
            }
            assert!(started.elapsed() < READY_TIMEOUT, "{}", self.process.failure("was not ready in time"));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    async fn register(&self, name: &str) -> Person {
        let body = json!({"name": name, "password": "correct horse battery"});
        let answer = ok(self.post("/api/auth-service/register/").json(&body), 201).await;
        Person {
            id: answer["user_id"].as_i64().expect("an id"),
            token: answer["token"].as_str().expect("a token").into(),
        }
    }

    /// Uploads a photo and waits for its verdict.
    async fn upload(&self, person: &Person, photo: &Path) -> Value {
        let form =
            Form::new().part("user_photo", Part::bytes(faces::read(photo).expect("a photo")).file_name("me"));
        let accepted = ok(self.post(VERIFY).bearer_auth(&person.token).multipart(form), 201).await;
        assert_eq!(accepted["status"], "pending");
        let started = Instant::now();
        loop {
            let latest = ok(self.get(VERIFY).bearer_auth(&person.token), 200).await;
            assert_eq!(latest["verification_id"], accepted["verification_id"]);
            if latest["status"] != "pending" {
                return latest;
            }
            assert!(started.elapsed() < VERDICT_TIMEOUT, "there is no verdict");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The process of this stack whose output goes to the log of `name`.
    fn process_of(&self, name: &str) -> Option<Pid> {
        self.processes()
            .into_iter()
            .find(|(_, log)| log.ends_with(&format!("/{name}.log")))
            .map(|(pid, _)| pid)
    }

    /// Every process of this stack, with its log.
    fn processes(&self) -> Vec<(Pid, String)> {
        let ours = self.folder.path().display().to_string();
        let entries = fs::read_dir("/proc").expect("Linux").flatten();
        let found = entries.filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let log = fs::read_link(entry.path().join("fd/1")).ok()?.display().to_string();
            log.starts_with(&ours).then_some((Pid::from_raw(pid), log))
        });
        found.collect()
    }
}

async fn answer(request: RequestBuilder) -> (u16, String, Value) {
    let answer = request.send().await.expect("an answer");
    let kind = answer
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    (answer.status().as_u16(), kind, answer.json().await.unwrap_or_default())
}

async fn ok(request: RequestBuilder, status: u16) -> Value {
    let (actual, _, body) = answer(request).await;
    assert_eq!(actual, status, "{body}");
    body
}

async fn problem(request: RequestBuilder, status: u16) {
    let (actual, kind, body) = answer(request).await;
    assert_eq!((actual, kind.as_str()), (status, "application/problem+json"), "{body}");
    assert_eq!(body["status"], status);
    assert!(["type", "title", "detail"].iter().all(|member| body[member].is_string()), "{body}");
}

/// One stack serves all parts of the story, which go from the friendly to the deadly.
#[tokio::test]
async fn the_story_through_the_gateway() {
    let mut gateway = Gateway::start().await;
    let photos = Photos::installed().expect("the photos");
    let (ada, bob) = (gateway.register("ada").await, gateway.register("bob").await);
    people_are_verified_by_their_faces(&gateway, &photos, &ada, &bob).await;
    nobody_speaks_as_somebody_else(&gateway, &ada, &bob).await;
    events_are_not_taken_from_outside(&gateway, &ada).await;
    refusals_have_one_shape(&gateway, &ada).await;
    a_function_that_is_killed_comes_back_and_the_others_do_not_notice(&gateway, &ada).await;
    nothing_is_left_when_the_stack_is_killed(&mut gateway).await;
}

async fn people_are_verified_by_their_faces(gateway: &Gateway, photos: &Photos, ada: &Person, bob: &Person) {
    let withdrawal = json!({"amount": 100, "transaction_type": "withdrawal"});
    problem(gateway.post(CREATE).bearer_auth(&ada.token).json(&withdrawal), 409).await;
    assert_eq!(gateway.upload(ada, &photos.one_person()[0]).await["status"], "verified");
    assert_eq!(gateway.upload(bob, &photos.another_person()).await["status"], "verified");
    let rejected = gateway.upload(bob, &photos.no_face()).await;
    assert_eq!(rejected["status"], "rejected");
    assert!(rejected["reason"].as_str().expect("a reason").contains("no face"));
    let made = ok(gateway.post(CREATE).bearer_auth(&ada.token).json(&withdrawal), 201).await;
    assert_eq!(made["balance"], -100);
    let ever = json!({"date_start": "2000-01-01T00:00:00Z", "date_end": "2100-01-01T00:00:00Z"});
    let report = ok(gateway.post(REPORT).bearer_auth(&ada.token).json(&ever), 201).await;
    assert_eq!(report.as_array().expect("rows").len(), 1);
}

async fn nobody_speaks_as_somebody_else(gateway: &Gateway, ada: &Person, bob: &Person) {
    for name in ["x-user-id", "X-User-Id", "x-user", "x-forwarded-user"] {
        problem(gateway.get(VERIFY).header(name, ada.id), 401).await;
        let deposit = json!({"amount": 1, "transaction_type": "deposit"});
        let request = gateway.post(CREATE).bearer_auth(&bob.token).header(name, ada.id).json(&deposit);
        assert_eq!(ok(request, 201).await["user_id"], bob.id, "{name}");
    }
    let photo = ok(gateway.get(VERIFY).bearer_auth(&ada.token), 200).await["path"].clone();
    let photo = photo.as_str().expect("a path");
    let vector =
        |person: &Person| gateway.get(GET_VECTOR).query(&[("path", photo)]).bearer_auth(&person.token);
    assert_eq!(ok(vector(ada), 200).await.as_array().expect("numbers").len(), 128);
    problem(vector(bob), 403).await;
    problem(gateway.get(GET_VECTOR).query(&[("path", photo)]), 401).await;
    problem(gateway.get(VERIFY).query(&[("user_id", ada.id)]).bearer_auth(&bob.token), 403).await;
}

async fn events_are_not_taken_from_outside(gateway: &Gateway, ada: &Person) {
    let verify_photo = "/api/face-verification-service/verify_photo/";
    for path in ["/", verify_photo, "/authorize", "/healthz", "/healthz/ready"] {
        let event =
            gateway.post(path).header("ce-specversion", "1.0").header("ce-id", "1").header("ce-source", "/x");
        let event = event.header("ce-type", "photo.uploaded.v1").bearer_auth(&ada.token).json(&json!({}));
        problem(event, 404).await;
    }
}

async fn refusals_have_one_shape(gateway: &Gateway, ada: &Person) {
    problem(gateway.get("/nothing/here"), 404).await;
    problem(gateway.request(Method::DELETE, "/api/auth-service/register/"), 405).await;
    problem(gateway.post("/api/auth-service/check_token/").bearer_auth(&ada.token), 405).await;
    let json = |body: String| {
        gateway.post("/api/auth-service/register/").header("content-type", "application/json").body(body)
    };
    problem(json("{".into()), 400).await;
    problem(json("x".repeat(100_000)), 413).await;
    problem(json("{}".into()), 422).await;
    let form = Form::new().part("user_photo", Part::bytes(vec![0; 11 * 1024 * 1024]).file_name("large"));
    problem(gateway.post(VERIFY).bearer_auth(&ada.token).multipart(form), 413).await;
    let form = Form::new().part("user_photo", Part::bytes(b"GIF89a".to_vec()).file_name("gif"));
    problem(gateway.post(VERIFY).bearer_auth(&ada.token).multipart(form), 415).await;
}

async fn a_function_that_is_killed_comes_back_and_the_others_do_not_notice(gateway: &Gateway, ada: &Person) {
    let report = "transaction-service-report";
    let before = gateway.process_of(report).expect("it runs");
    kill(before, Signal::SIGKILL).expect("killed");
    let killed = Instant::now();
    let back = || gateway.process_of(report).is_some_and(|pid| pid != before);
    while !back() || killed.elapsed() < Duration::from_millis(500) {
        assert!(killed.elapsed() < Duration::from_secs(30), "it does not come back");
        let check = gateway.get("/api/auth-service/check_token/").bearer_auth(&ada.token);
        ok(check, 200).await;
    }
    let log = fs::read_to_string(gateway.folder.path().join("up.log")).expect("a log");
    assert!(log.contains(&format!("{report} ended (signal: 9 (SIGKILL)); starting it again")), "{log}");
    let ever = json!({"date_start": "2000-01-01T00:00:00Z", "date_end": "2100-01-01T00:00:00Z"});
    let started = Instant::now();
    while answer(gateway.post(REPORT).bearer_auth(&ada.token).json(&ever)).await.0 != 201 {
        assert!(started.elapsed() < Duration::from_secs(10), "it does not answer again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn nothing_is_left_when_the_stack_is_killed(gateway: &mut Gateway) {
    // Every function, four parts without the object store, which is in the stack's own process, Envoy, and the event source.
    assert!(gateway.processes().len() > 14, "{:?}", gateway.processes());
    gateway.process.kill().await;
    let killed = Instant::now();
    while !gateway.processes().is_empty() {
        assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", gateway.processes());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::net::TcpListener::bind(("127.0.0.1", gateway.port)).expect("the port is free again");
}
