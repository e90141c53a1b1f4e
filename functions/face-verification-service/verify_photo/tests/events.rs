//! The photo's way from its event to its verdict.

use contract::{
    routes::VERIFY_PHOTO,
    verification::{PHOTO_MAX_BYTES, photo_path},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::{fs, path::Path};
use testkit::{Answer, FunctionProcess, TestUser, World};
use tokio::task::JoinSet;
use uuid::Uuid;

const BINARY: &str = env!("CARGO_BIN_EXE_face-verification-service-verify-photo");

fn read(photo: &Path) -> Vec<u8> {
    fs::read(photo).expect("a photo")
}

/// A verification of `user` that is pending, with its photo in the store.
async fn pending(world: &World, user: &TestUser, photo: Vec<u8>) -> Uuid {
    let id = begun(world, user).await;
    world.bucket().put(&photo_path(user.id, id), photo.into(), "image/jpeg").await.expect("the store has it");
    id
}

async fn begun(world: &World, user: &TestUser) -> Uuid {
    let id = Uuid::now_v7();
    let insert = "INSERT INTO verification (id, user_id, uploaded_at) VALUES ($1, $2, now())";
    world.database().execute(insert, &[&id, &user.id]).await.expect("a verification");
    id
}

fn data(user_id: i64, id: Uuid) -> Value {
    json!({"verification_id": id, "user_id": user_id, "bucket": "photos", "path": photo_path(user_id, id)})
}

fn event(function: &FunctionProcess, kind: &str, body: String) -> RequestBuilder {
    let request =
        function.post().header("ce-specversion", "1.0").header("ce-id", "1").header("ce-source", "/test");
    request.header("ce-type", kind).header("content-type", "application/json").body(body)
}

fn uploaded(function: &FunctionProcess, user: &TestUser, id: Uuid) -> RequestBuilder {
    event(function, "photo.uploaded.v1", data(user.id, id).to_string())
}

/// As KafkaSource makes it of what MinIO writes.
fn notified(function: &FunctionProcess, event_name: &str, bucket: &str, keys: &[String]) -> RequestBuilder {
    let record = |key: &String| json!({"eventName": event_name, "s3": {"bucket": {"name": bucket}, "object": {"key": key.replace('/', "%2F"), "size": 1}}});
    let records: Vec<_> = keys.iter().map(record).collect();
    let notification = json!({"EventName": event_name, "Key": "photos/x", "Records": records});
    event(function, "dev.knative.kafka.event", notification.to_string())
}

async fn delivered(request: RequestBuilder) {
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

/// The status and the reason of a verification.
async fn verdict(world: &World, id: Uuid) -> (String, String) {
    let select = "SELECT status, coalesce(reason, '') FROM verification WHERE id = $1";
    let row = world.database().query_one(select, &[&id]).await.expect("a verification");
    (row.get(0), row.get(1))
}

/// Whether the user is verified, and the enrolled vector as text.
async fn enrolled(world: &World, user: &TestUser) -> (bool, Option<String>) {
    let select = "SELECT is_verified, verification_vector::text FROM users WHERE id = $1";
    let row = world.database().query_one(select, &[&user.id]).await.expect("a user");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn the_first_face_enrols_and_later_ones_must_match() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let [first, second, _] = photos.one_person().map(|photo| read(&photo));
    let decide = async |user: &TestUser, photo: Vec<u8>| {
        let id = pending(&world, user, photo).await;
        delivered(uploaded(&function, user, id)).await;
        verdict(&world, id).await
    };
    assert_eq!(decide(&ada, first).await, ("verified".into(), String::new()));
    let (is_verified, vector) = enrolled(&world, &ada).await;
    assert!(is_verified);
    assert_eq!(vector.as_deref().expect("a vector").split(',').count(), 128);

    assert_eq!(decide(&ada, second).await.0, "verified");
    let (status, reason) = decide(&ada, read(&photos.another_person())).await;
    assert_eq!(status, "rejected");
    assert!(reason.contains("same person"), "{reason}");
    assert_eq!(enrolled(&world, &ada).await, (true, vector), "the first face stays");

    assert_eq!(enrolled(&world, &bob).await, (false, None));
    assert_eq!(decide(&bob, read(&photos.third_person())).await.0, "verified");
}

#[tokio::test]
async fn no_face_is_a_verdict_and_not_an_error() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let ada = world.user("ada").await;
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let whole = read(&photos.one_person()[0]);
    for (photo, expected) in [
        (read(&photos.no_face()), "no face"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (b"text".to_vec(), "not a JPEG"),
    ] {
        let id = pending(&world, &ada, photo).await;
        delivered(uploaded(&function, &ada, id)).await;
        let (status, reason) = verdict(&world, id).await;
        assert_eq!(status, "rejected");
        assert!(reason.contains(expected), "{reason}");
    }
    // An upload that did not come through `verify` may be of any size.
    let id = pending(&world, &ada, vec![0xff; PHOTO_MAX_BYTES + 1]).await;
    delivered(uploaded(&function, &ada, id)).await;
    let (status, reason) = verdict(&world, id).await;
    assert!(status == "rejected" && reason.contains("too large"), "{status}: {reason}");
    // A photo that the store has lost is told, and not tried for ever.
    let id = begun(&world, &ada).await;
    delivered(uploaded(&function, &ada, id)).await;
    assert_eq!(verdict(&world, id).await.0, "rejected");
    assert_eq!(enrolled(&world, &ada).await, (false, None));
}

#[tokio::test]
async fn the_same_event_many_times_at_once_decides_once() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let ada = world.user("ada").await;
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let [first, second, third] = photos.one_person().map(|photo| read(&photo));
    let ids = [
        pending(&world, &ada, first).await,
        pending(&world, &ada, second).await,
        pending(&world, &ada, third).await,
    ];
    let decided_at = async |id: &Uuid| {
        let row = world
            .database()
            .query_one("SELECT decided_at::text FROM verification WHERE id = $1", &[id])
            .await;
        row.expect("a verification").get::<_, Option<String>>(0).expect("decided")
    };
    let mut all = JoinSet::new();
    for id in ids {
        let key = photo_path(ada.id, id);
        for request in [
            uploaded(&function, &ada, id),
            uploaded(&function, &ada, id),
            notified(&function, "s3:ObjectCreated:Put", "photos", &[key]),
        ] {
            all.spawn(delivered(request));
        }
    }
    all.join_all().await;
    let (before, vector) = (decided_at(&ids[0]).await, enrolled(&world, &ada).await);
    for id in ids {
        assert_eq!(verdict(&world, id).await.0, "verified");
        delivered(uploaded(&function, &ada, id)).await;
    }
    assert_eq!((decided_at(&ids[0]).await, enrolled(&world, &ada).await), (before, vector));
}

#[tokio::test]
async fn a_verdict_never_changes() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let ada = world.user("ada").await;
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let id = pending(&world, &ada, read(&photos.no_face())).await;
    delivered(uploaded(&function, &ada, id)).await;
    let rejected = verdict(&world, id).await;
    // Somebody puts another photo in its place.
    let photo = read(&photos.one_person()[0]);
    world.bucket().put(&photo_path(ada.id, id), photo.into(), "image/jpeg").await.expect("the store has it");
    delivered(notified(&function, "s3:ObjectCreated:Put", "photos", &[photo_path(ada.id, id)])).await;
    assert_eq!(verdict(&world, id).await, rejected);
    assert_eq!(enrolled(&world, &ada).await, (false, None));
}

#[tokio::test]
async fn a_notification_of_the_store_is_as_good_as_the_event() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let first = pending(&world, &ada, read(&photos.one_person()[0])).await;
    let second = pending(&world, &bob, read(&photos.no_face())).await;
    let keys = [photo_path(ada.id, first), photo_path(bob.id, second)];
    // What is not about a new photo of ours is passed over.
    delivered(notified(&function, "s3:ObjectRemoved:Delete", "photos", &keys)).await;
    delivered(notified(&function, "s3:ObjectCreated:Put", "others", &keys)).await;
    delivered(notified(&function, "s3:ObjectCreated:Put", "photos", &[])).await;
    assert_eq!(verdict(&world, first).await.0, "pending");
    delivered(notified(&function, "ObjectCreated:CompleteMultipartUpload", "photos", &keys)).await;
    assert_eq!(verdict(&world, first).await.0, "verified");
    assert_eq!(verdict(&world, second).await.0, "rejected");
}

#[tokio::test]
async fn events_are_not_trusted() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&VERIFY_PHOTO, BINARY).await;
    let id = pending(&world, &ada, read(&photos.one_person()[0])).await;
    let mut other_bucket = data(ada.id, id);
    other_bucket["bucket"] = "others".into();
    let mut other_user = data(ada.id, id);
    other_user["user_id"] = bob.id.into();
    for request in [
        uploaded(&function, &bob, id),
        uploaded(&function, &ada, Uuid::now_v7()),
        event(&function, "photo.uploaded.v1", other_bucket.to_string()),
        event(&function, "photo.uploaded.v1", other_user.to_string()),
        event(&function, "photo.uploaded.v1", "{}".into()),
        event(&function, "photo.uploaded.v1", "no JSON".into()),
        event(&function, "photo.deleted.v1", data(ada.id, id).to_string()),
        event(&function, "dev.knative.kafka.event", "{\"Records\": 7}".into()),
        notified(&function, "s3:ObjectCreated:Put", "photos", &["holiday.jpg".into()]),
        notified(&function, "s3:ObjectCreated:Put", "photos", &[photo_path(bob.id, id)]),
    ] {
        Answer::of(request).await.problem(422);
    }
    Answer::of(function.post().json(&data(ada.id, id))).await.problem(400);
    Answer::of(function.get()).await.problem(405);
    Answer::of(event(&function, "photo.uploaded.v1", "x".repeat(VERIFY_PHOTO.body_max_bytes + 1)))
        .await
        .problem(413);
    assert_eq!(verdict(&world, id).await.0, "pending");
    assert_eq!((enrolled(&world, &ada).await, enrolled(&world, &bob).await), ((false, None), (false, None)));
}

#[tokio::test]
async fn while_something_is_down_the_event_is_to_be_tried_again() {
    for (variable, value) in [
        ("S3_ENDPOINT", "http://127.0.0.1:1"),
        ("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage"),
    ] {
        let mut world = World::new().await;
        let photos = world.with_faces();
        let ada = world.user("ada").await;
        let id = pending(&world, &ada, read(&photos.one_person()[0])).await;
        let good = world.variable(variable).to_owned();
        world.set(variable, value);
        let function = world.start(&VERIFY_PHOTO, BINARY).await;
        Answer::of(uploaded(&function, &ada, id)).await.problem(503);
        assert_eq!(verdict(&world, id).await.0, "pending");
        world.set(variable, good);
        let function = world.start(&VERIFY_PHOTO, BINARY).await;
        delivered(uploaded(&function, &ada, id)).await;
        assert_eq!(verdict(&world, id).await.0, "verified");
    }
}
