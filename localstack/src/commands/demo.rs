//! `cargo stack demo`: the whole story with real photos, each step shown and checked.

use clap::Args;
use localstack::{
    Error,
    faces::{self, Photos},
    stack::Running,
};
use reqwest::{
    Client, Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};

#[derive(Args)]
pub(crate) struct Options {
    /// Where the gateway is; that of the stack that runs, when it is left out.
    #[arg(long)]
    url: Option<String>,
}

/// How long a photo may take to its verdict.
const VERDICT_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) async fn run(options: &Options) -> Result<(), Error> {
    let running = || Running::find().map(|running| running.map(|running| running.url));
    let url = match &options.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            running()?.ok_or_else(|| Error("no stack is running: start one with `cargo stack up`".into()))?
        }
    };
    let demo = Demo { client: Client::new(), url };
    let photos = Photos::installed()?;
    let [first_photo, second_photo, _] = photos.one_person();

    heading("Two people register");
    let ada = demo.register("ada").await?;
    let bob = demo.register("bob").await?;

    heading("Without a verified face there is no credit");
    demo.transaction(&ada, 5_000, "deposit", 201).await?;
    demo.transaction(&ada, 8_000, "withdrawal", 409).await?;

    heading("A photo of a face verifies");
    let path = demo.upload(&ada, &first_photo, "verified").await?;
    demo.upload(&bob, &photos.another_person(), "verified").await?;
    demo.transaction(&ada, 8_000, "withdrawal", 201).await?;

    heading("A later photo must show the same face, and a face at all");
    demo.upload(&ada, &second_photo, "verified").await?;
    demo.upload(&ada, &photos.another_person(), "rejected").await?;
    demo.upload(&bob, &photos.no_face(), "rejected").await?;

    heading("A vector is its owner's alone");
    demo.vector(&ada, &path, 200).await?;
    demo.vector(&bob, &path, 403).await?;

    heading("The report");
    demo.report(&ada).await
}

fn heading(text: &str) {
    println!("\n{text}");
}

struct Person {
    name: String,
    token: String,
}

struct Demo {
    client: Client,
    url: String,
}

impl Demo {
    async fn register(&self, name: &str) -> Result<Person, Error> {
        let name = format!("{name}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let body = json!({"name": name, "password": "correct horse battery staple"});
        let request = self.request(Method::POST, "/api/auth-service/register/").json(&body);
        let answer = show(request, 201, &name, |answer| format!("user {}", answer["user_id"])).await?;
        let token = answer["token"].as_str().unwrap_or_default().to_owned();
        Ok(Person { name, token })
    }

    async fn transaction(
        &self,
        person: &Person,
        amount: i64,
        kind: &str,
        expected: u16,
    ) -> Result<(), Error> {
        let body = json!({"amount": amount, "transaction_type": kind});
        let request = self.request(Method::POST, "/api/transaction-service/create/").json(&body);
        let what = format!("{} {kind} {amount}", person.name);
        show(request.bearer_auth(&person.token), expected, &what, |answer| match expected {
            201 => format!("balance {}", answer["balance"]),
            _ => answer["detail"].as_str().unwrap_or_default().to_owned(),
        })
        .await?;
        Ok(())
    }

    /// Uploads a photo, waits for the verdict, and returns the photo's path.
    async fn upload(&self, person: &Person, photo: &Path, expected: &str) -> Result<String, Error> {
        let file = photo.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let form = Form::new().part("user_photo", Part::bytes(faces::read(photo)?).file_name(file.clone()));
        let path = "/api/auth-service/verify/";
        let request = self.request(Method::POST, path).bearer_auth(&person.token).multipart(form);
        let what = format!("{} {file}", person.name);
        let accepted = show(request, 201, &what, |answer| format!("{}", answer["status"])).await?;
        let started = Instant::now();
        loop {
            let state = send(self.request(Method::GET, path).bearer_auth(&person.token)).await?.1;
            if state["verification_id"] == accepted["verification_id"] && state["status"] != "pending" {
                let status = state["status"].as_str().unwrap_or_default();
                let reason = state["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
                println!("       after {:.2} s {status}{reason}", started.elapsed().as_secs_f32());
                return match status == expected {
                    true => Ok(accepted["path"].as_str().unwrap_or_default().to_owned()),
                    false => Err(Error(format!("{what} should be {expected}"))),
                };
            }
            if started.elapsed() > VERDICT_TIMEOUT {
                return Err(Error(format!("{what} had no verdict within {} s", VERDICT_TIMEOUT.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn vector(&self, person: &Person, path: &str, expected: u16) -> Result<(), Error> {
        let request =
            self.request(Method::GET, "/api/face-verification-service/get_vector/").query(&[("path", path)]);
        let what = format!("{} asks for ada's", person.name);
        show(request.bearer_auth(&person.token), expected, &what, |answer| match answer.as_array() {
            Some(numbers) => {
                format!("{} numbers: {}, {}, {}, …", numbers.len(), numbers[0], numbers[1], numbers[2])
            }
            None => answer["detail"].as_str().unwrap_or_default().to_owned(),
        })
        .await?;
        Ok(())
    }

    async fn report(&self, person: &Person) -> Result<(), Error> {
        let body = json!({"date_start": "2000-01-01T00:00:00Z", "date_end": "2100-01-01T00:00:00Z"});
        let request = self.request(Method::POST, "/api/transaction-service/report/").json(&body);
        let rows = show(request.bearer_auth(&person.token), 201, &person.name, |answer| {
            format!("{} transactions", answer.as_array().map_or(0, Vec::len))
        })
        .await?;
        for row in rows.as_array().into_iter().flatten() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            println!(
                "       {:>6}  {:<10} {:>8}  {}",
                row["id"],
                text("transaction_type"),
                row["amount"],
                text("date")
            );
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }
}

async fn send(request: RequestBuilder) -> Result<(u16, Value), Error> {
    let answer =
        request.send().await.map_err(|cause| Error(format!("the gateway does not answer: {cause}")))?;
    let status = answer.status().as_u16();
    let body =
        answer.json().await.map_err(|cause| Error(format!("an answer ({status}) is not JSON: {cause}")))?;
    Ok((status, body))
}

/// Sends a request, prints a line about it, and checks its status.
async fn show(
    request: RequestBuilder,
    expected: u16,
    what: &str,
    summary: impl Fn(&Value) -> String,
) -> Result<Value, Error> {
    let copy = request.try_clone().and_then(|request| request.build().ok());
    let line = copy.map_or_else(
        || "POST /api/auth-service/verify/".to_owned(),
        |request| format!("{} {}", request.method(), request.url().path()),
    );
    let (status, body) = send(request).await?;
    println!("  {status}  {line:<52} {what} → {}", summary(&body));
    match status == expected {
        true => Ok(body),
        false => Err(Error(format!("{line} for {what} answered {status} instead of {expected}: {body}"))),
    }
}
