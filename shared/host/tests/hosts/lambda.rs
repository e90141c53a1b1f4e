//! The same binaries behind the Lambda Runtime API, which cargo-lambda emulates.

use crate::{
    servers::{example, send, until_accepts},
    table::{Ask, Host, Reply},
};
use localstack::{
    folders::DataFolder,
    packages,
    process::{Process, Program, free_port},
};
use reqwest::Client;
use serde_json::{Value, json};
use std::fs;

pub(crate) struct Lambda {
    client: Client,
    emulator_url: String,
    name: &'static str,
    // Ended and removed with the test, in this order.
    _processes: [Process; 2],
    _folder: DataFolder,
}

const PACKAGE: &str =
    "[package]\nname = \"examples\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";

impl Lambda {
    /// The emulator, and the example `name` as its only function.
    pub(crate) async fn start(name: &'static str) -> Self {
        let folder = DataFolder::create().expect("a data folder");
        let port = free_port().expect("a free port");
        let binary = packages::LAMBDA.installed().expect("cargo-lambda").join("bin/cargo-lambda");
        let text = port.to_string();
        // The emulator invokes only what is a binary of some package.
        let manifest = folder.path().join("Cargo.toml");
        fs::write(folder.path().join("main.rs"), "fn main() {}").expect("a file");
        fs::write(&manifest, format!("{PACKAGE}[[bin]]\nname = \"{name}\"\npath = \"main.rs\"\n"))
            .expect("a file");
        let arguments = [
            "lambda",
            "watch",
            "--only-lambda-apis",
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
            &text,
        ];
        let emulator = Program::new("emulator", binary, folder.log("emulator")).args(arguments);
        let emulator = emulator.args(["--manifest-path".into(), manifest.into_os_string()]);
        let emulator = emulator.start().expect("cargo-lambda starts");
        let emulator_url = format!("http://127.0.0.1:{port}");
        until_accepts(port).await;
        let function = Program::new(name, example(name), folder.log(name))
            .env("ECHO_GREETING", "hello")
            .env("AWS_LAMBDA_RUNTIME_API", format!("{emulator_url}/.rt/{name}"))
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "log")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "log");
        let processes = [function.start().expect("the example starts"), emulator];
        Self { client: Client::new(), emulator_url, name, _processes: processes, _folder: folder }
    }

    /// Invokes the function with an event as it is. What it answers or fails with, as JSON.
    async fn invoke(&self, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.emulator_url, self.name);
        let answer = self.client.post(url).json(event).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }
}

impl Host for Lambda {
    async fn send(&self, ask: Ask) -> Reply {
        let base_url = format!("{}/lambda-url/{}", self.emulator_url, self.name);
        send(&self.client, &base_url, ask).await
    }
}

/// A batch as a Kafka event source mapping delivers it; the values are base64 of `"fine"`, `"later"` and `"never"`.
fn batch(values: &[&str], headers: &Value) -> Value {
    let record = |(offset, value): (usize, &&str)| {
        json!({
            "topic": "faces", "partition": 2, "offset": offset, "timestamp": 1_700_000_000_000_u64,
            "timestampType": "CREATE_TIME", "key": "MQ==", "value": value, "headers": headers,
        })
    };
    let records: Vec<_> = values.iter().enumerate().map(record).collect();
    json!({ "eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": { "faces-2": records } })
}

const FINE: &str = "ImZpbmUi";
const LATER: &str = "ImxhdGVyIg==";
const NEVER: &str = "Im5ldmVyIg==";

#[tokio::test]
async fn a_batch_of_kafka_records_is_handled_record_by_record() {
    let lambda = Lambda::start("echo_events").await;
    assert_eq!(lambda.invoke(&batch(&[FINE, FINE], &json!([]))).await, Value::Null);
    // What can never succeed must not hold up what comes behind it.
    assert_eq!(lambda.invoke(&batch(&[NEVER, FINE], &json!([]))).await, Value::Null);

    let failed = lambda.invoke(&batch(&[LATER, FINE], &json!([]))).await;
    let message = failed["errorMessage"].as_str().expect("an error");
    assert!(message.contains("partition:2/offset:0|faces|dev.knative.kafka.event|none|"), "{message}");

    // Bytes over 127 come signed or unsigned, depending on who wrote the batch.
    let bytes = |text: &str| text.bytes().collect::<Vec<u8>>();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = json!([
        {"ce_id": bytes("7")}, {"ce_source": bytes("/verify")}, {"ce_type": bytes("photo.uploaded.v1")},
        {"ce_subject": [-61, -92]}, {"ce_traceparent": bytes(traceparent)}, {"other": [255, 0]},
    ]);
    let failed = lambda.invoke(&batch(&[LATER], &headers)).await;
    let message = failed["errorMessage"].as_str().expect("an error");
    assert!(message.contains(&format!("7|/verify|photo.uploaded.v1|ä|{traceparent}|\"later\"")), "{message}");
}
