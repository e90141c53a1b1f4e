//! `verify`'s rows of the contract.

use contract::{
    event::{FACES_TOPIC, PHOTO_UPLOADS_TOPIC},
    routes::VERIFY,
    verification::PHOTO_MAX_BYTES,
};
use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Answer, FunctionProcess, TestUser, World, refuses_bad_credentials};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-verify");

/// The first bytes of a JPEG: what `verify` looks at. Whether it can be decoded, `verify_photo` finds out.
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 and so on";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR and so on";
const WEBP: &[u8] = b"RIFF\x10\x00\x00\x00WEBPVP8 and so on";

fn form(photo: &[u8]) -> Form {
    Form::new().part("user_photo", Part::bytes(photo.to_vec()).file_name("me.jpg"))
}

fn upload(function: &FunctionProcess, user: &TestUser, form: Form) -> RequestBuilder {
    function.post().bearer_auth(&user.token).multipart(form)
}

async fn verifications(world: &World) -> i64 {
    world.database().query_one("SELECT count(*) FROM verification", &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn a_photo_is_kept_and_announced() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&VERIFY, BINARY).await;
    Answer::of(function.get().bearer_auth(&ada.token)).await.problem(404);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = Answer::of(upload(&function, &ada, form(JPEG)).header("traceparent", traceparent)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    let id = body["verification_id"].as_str().expect("an id").to_owned();
    let path = format!("photos/{}/{id}", ada.id);
    let expected = json!({
        "message": "File saved successfully", "verification_id": id, "user_id": ada.id, "status": "pending", "reason": null,
        "path": path,
    });
    assert_eq!(body, expected);
    let latest = Answer::of(function.get().bearer_auth(&ada.token)).await;
    assert_eq!((latest.status, latest.json()), (200, expected));
    assert_eq!(
        world.bucket().get(&path, PHOTO_MAX_BYTES).await.expect("the store answers").as_deref(),
        Some(JPEG)
    );

    let records = world.records(FACES_TOPIC, &ada.id.to_string(), 1).await;
    let header = |name: &str| records[0].headers.get(name).map(String::as_str);
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_type", "photo.uploaded.v1"),
        ("ce_id", &id),
        ("content-type", "application/json"),
    ] {
        assert_eq!(header(name), Some(value), "{name}");
    }
    assert!(header("ce_source").is_some() && header("ce_time").is_some());
    assert!(header("ce_traceparent").is_some_and(|trace| trace.contains("4bf92f3577b34da6a3ce929d0e0e4736")));
    let data: Value = serde_json::from_str(&records[0].value).expect("JSON");
    assert_eq!(data, json!({"verification_id": id, "user_id": ada.id, "bucket": "photos", "path": path}));
    // The object store announces it too, in its own words.
    let records = world.records(PHOTO_UPLOADS_TOPIC, &format!("photos/{path}"), 1).await;
    let notification: Value = serde_json::from_str(&records[0].value).expect("JSON");
    assert_eq!(notification["Records"][0]["s3"]["object"]["key"], path.replace('/', "%2F"));
    assert!(records[0].headers.is_empty());
}

#[tokio::test]
async fn the_latest_verification_is_told_with_its_verdict() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&VERIFY, BINARY).await;
    for photo in [JPEG, PNG, WEBP] {
        assert_eq!(Answer::of(upload(&function, &ada, form(photo))).await.status, 201);
    }
    let latest = async || Answer::of(function.get().bearer_auth(&ada.token)).await.json();
    let update = "UPDATE verification SET status = 'rejected', reason = 'No face.', decided_at = now() WHERE id::text = $1";
    let id = latest().await["verification_id"].as_str().expect("an id").to_owned();
    world.database().execute(update, &[&id]).await.expect("rejected");
    let body = latest().await;
    assert_eq!((&body["status"], &body["reason"]), (&json!("rejected"), &json!("No face.")));
    Answer::of(function.get().bearer_auth(&bob.token)).await.problem(404);
    Answer::of(function.get().bearer_auth(&bob.token).query(&[("user_id", ada.id)])).await.problem(403);
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_keeps_nothing() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&VERIFY, BINARY).await;
    let file = |name: &'static str| Form::new().part(name, Part::bytes(JPEG).file_name("me.jpg"));
    for (form, status) in [
        (Form::new(), 400),
        (Form::new().text("comment", "no photo"), 422),
        (file("photo"), 422),
        (form(b""), 422),
        (file("user_photo").part("user_photo", Part::bytes(JPEG).file_name("2.jpg")), 422),
        (form(JPEG).text("user_id", "me"), 422),
        (form(JPEG).text("user_id", bob.id.to_string()), 403),
        (form(b"GIF89a and so on"), 415),
        (form(b"%PDF-1.4"), 415),
        (form(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 415),
        (form(&[JPEG, &vec![0; PHOTO_MAX_BYTES]].concat()), 413),
        (form(&[JPEG, &vec![0; VERIFY.body_max_bytes]].concat()), 413),
    ] {
        Answer::of(upload(&function, &ada, form)).await.problem(status);
    }
    let raw = |kind: &'static str, body: &'static str| {
        function.post().bearer_auth(&ada.token).header("content-type", kind).body(body)
    };
    for request in [
        raw("image/jpeg", "x"),
        raw("multipart/form-data", "--b--"),
        raw(
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"user_photo\"\r\n\r\ncut",
        ),
        raw("multipart/form-data; boundary=b", "no multipart"),
    ] {
        Answer::of(request).await.problem(400);
    }
    Answer::of(upload(&function, &ada, form(JPEG)).query(&[("user_id", bob.id)])).await.problem(403);
    Answer::of(function.request(reqwest::Method::PUT).bearer_auth(&ada.token)).await.problem(405);
    refuses_bad_credentials(&world, || function.post().multipart(form(JPEG))).await;
    refuses_bad_credentials(&world, || function.get()).await;
    assert_eq!(verifications(&world).await, 0);
    assert_eq!(world.records_within(FACES_TOPIC, &ada.id.to_string(), Duration::from_secs(1)).await, []);

    let own = form(JPEG).text("user_id", ada.id.to_string()).text("comment", "unknown");
    assert_eq!(Answer::of(upload(&function, &ada, own)).await.status, 201);
    let largest = [JPEG, &vec![0; PHOTO_MAX_BYTES - JPEG.len()]].concat();
    assert_eq!(Answer::of(upload(&function, &ada, form(&largest))).await.status, 201);
}

#[tokio::test]
async fn without_kafka_the_photo_is_still_promised_a_verdict() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("KAFKA_BROKERS", "127.0.0.1:1");
    let function = world.start(&VERIFY, BINARY).await;
    assert_eq!(Answer::of(upload(&function, &ada, form(JPEG))).await.status, 201);
    // What the sweep job looks for.
    let row = "SELECT status, uploaded_at IS NOT NULL FROM verification";
    let row = world.database().query_one(row, &[]).await.expect("a verification");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, bool>(1)), ("pending", true));
}

#[tokio::test]
async fn without_the_object_store_the_answer_is_503_and_nothing_is_kept() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("S3_ENDPOINT", "http://127.0.0.1:1");
    let function = world.start(&VERIFY, BINARY).await;
    Answer::of(upload(&function, &ada, form(JPEG))).await.problem(503);
    assert_eq!(verifications(&world).await, 0);
    Answer::of(function.get().bearer_auth(&ada.token)).await.problem(404);
    assert_eq!(world.records_within(FACES_TOPIC, &ada.id.to_string(), Duration::from_secs(1)).await, []);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&VERIFY, BINARY).await;
    Answer::of(upload(&function, &ada, form(JPEG))).await.problem(503);
}
