//! A function's real binary as a process, and requests to it.

use crate::lasting;
use contract::Function;
use localstack::{
    folders::DataFolder,
    process::{Process, Program, free_port},
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use std::time::Duration;

/// How long a function may take until it is ready. Without optimisation and beside other tests it takes longer than
/// the few milliseconds it is built for.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

pub struct FunctionProcess {
    process: Process,
    function: &'static Function,
    base_url: String,
    client: Client,
}

impl FunctionProcess {
    pub(crate) async fn start(
        folder: &DataFolder,
        function: &'static Function,
        binary: &str,
        environment: Vec<(String, String)>,
    ) -> Self {
        let port = free_port().expect("a free port");
        let log = folder.log(&format!("{}-{port}", function.name()));
        let mut program = Program::new(&function.name(), binary, log).env("HOST", "127.0.0.1");
        program = program.env("PORT", port.to_string());
        for (name, value) in environment {
            program = program.env(&name, value);
        }
        let process = lasting(async move { program.start().unwrap_or_else(|error| panic!("{error}")) }).await;
        let base_url = format!("http://127.0.0.1:{port}");
        let mut started = Self { process, function, base_url, client: Client::new() };
        started.wait_until_ready().await;
        started
    }

    async fn wait_until_ready(&mut self) {
        let started = std::time::Instant::now();
        let url = format!("{}/healthz/ready", self.base_url);
        while !self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            if let Some(ended) = self.process.has_ended() {
                panic!("{}", self.process.failure(&format!("ended with {ended} before it was ready")));
            }
            assert!(started.elapsed() < READY_TIMEOUT, "{}", self.process.failure("was not ready in time"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The process, to stop or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A request to the function's own path.
    pub fn request(&self, method: Method) -> RequestBuilder {
        self.client.request(method, format!("{}{}", self.base_url, self.function.paths[0]))
    }

    pub fn get(&self) -> RequestBuilder {
        self.request(Method::GET)
    }

    pub fn post(&self) -> RequestBuilder {
        self.request(Method::POST)
    }
}

/// What a test looks at in an answer.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    /// Sends the request and reads the whole answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.expect("a whole body") }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} with a body that is not JSON: {}", self.status, self.body))
    }

    /// The problem details, after checking that they are of the contract's shape in full.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        let members: Vec<_> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
        let allowed = ["detail", "errors", "status", "title", "type"];
        assert!(members.iter().all(|member| allowed.contains(member)), "{members:?}");
        assert_eq!(problem["status"], status);
        for text in ["type", "title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{text} in {problem}");
        }
        match status {
            401 => assert!(self.header("www-authenticate").starts_with("Bearer")),
            405 => assert!(!self.header("allow").is_empty()),
            429 | 503 => assert!(self.header("retry-after").parse::<u32>().is_ok()),
            _ => {}
        }
        problem
    }
}
