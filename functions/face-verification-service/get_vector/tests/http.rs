//! `get_vector`'s row of the contract.

use contract::{routes::GET_VECTOR, verification::photo_path};
use objects::Bucket;
use std::{fs, path::Path};
use testkit::{Answer, FunctionProcess, TestUser, World, refuses_bad_credentials};
use uuid::Uuid;

const BINARY: &str = env!("CARGO_BIN_EXE_face-verification-service-get-vector");

/// Keeps a photo of `user` as an upload does, and returns its path.
async fn keep(world: &World, bucket: &Bucket, user: &TestUser, photo: impl Into<bytes::Bytes>) -> String {
    let id = Uuid::now_v7();
    let insert = "INSERT INTO verification (id, user_id, uploaded_at) VALUES ($1, $2, now())";
    world.database().execute(insert, &[&id, &user.id]).await.expect("a verification");
    let path = photo_path(user.id, id);
    bucket.put(&path, photo.into(), "image/jpeg").await.expect("the store has it");
    path
}

async fn vector(function: &FunctionProcess, user: &TestUser, path: &str) -> Answer {
    Answer::of(function.get().bearer_auth(&user.token).query(&[("path", path)])).await
}

fn read(photo: &Path) -> Vec<u8> {
    fs::read(photo).expect("a photo")
}

fn numbers(answer: &Answer) -> Vec<f64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_value(answer.json()).expect("numbers")
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn the_vector_is_that_of_the_face_on_the_photo() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bucket) = (world.user("ada").await, world.bucket());
    let function = world.start(&GET_VECTOR, BINARY).await;
    let mut vectors = Vec::new();
    for photo in [&photos.one_person()[0], &photos.one_person()[1], &photos.third_person()] {
        let path = keep(&world, &bucket, &ada, read(photo)).await;
        let vector = numbers(&vector(&function, &ada, &path).await);
        assert_eq!(vector.len(), 128);
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5, "it has length one");
        vectors.push(vector);
    }
    assert!(cosine(&vectors[0], &vectors[1]) > 0.43, "two photos of one person");
    assert!(cosine(&vectors[0], &vectors[2]) < 0.43, "two people");
}

#[tokio::test]
async fn nobody_reads_anothers_vector() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bob, bucket) = (world.user("ada").await, world.user("bob").await, world.bucket());
    let function = world.start(&GET_VECTOR, BINARY).await;
    let path = keep(&world, &bucket, &ada, read(&photos.one_person()[0])).await;
    vector(&function, &bob, &path).await.problem(403);
    let id = path.rsplit('/').next().expect("an id");
    // Under the own id there is no such photo, whatever the object store holds.
    let disguised = format!("photos/{}/{id}", bob.id);
    bucket
        .put(&disguised, read(&photos.one_person()[0]).into(), "image/jpeg")
        .await
        .expect("the store has it");
    vector(&function, &bob, &disguised).await.problem(404);
    for hostile in [
        format!("photos/{}/../{}/{id}", bob.id, ada.id),
        format!("photos/{}/%2e%2e/{}/{id}", bob.id, ada.id),
        format!("/{path}"),
        format!("photos/0{}/{id}", ada.id),
        "../../etc/passwd".to_owned(),
        String::new(),
        "photos".to_owned(),
        "\0".to_owned(),
        "x".repeat(4000),
    ] {
        vector(&function, &bob, &hostile).await.problem(404);
    }
    let request = function.get().bearer_auth(&ada.token).query(&[("path", &path)]);
    Answer::of(request.query(&[("user_id", bob.id)])).await.problem(403);
    let missing = Answer::of(function.get().bearer_auth(&ada.token)).await.problem(422);
    assert_eq!(missing["errors"][0]["field"], "path");
    Answer::of(function.post().bearer_auth(&ada.token)).await.problem(405);
    refuses_bad_credentials(&world, || function.get().query(&[("path", &path)])).await;
}

#[tokio::test]
async fn a_photo_without_a_face_that_counts_is_422_with_a_reason() {
    let mut world = World::new().await;
    let photos = world.with_faces();
    let (ada, bucket) = (world.user("ada").await, world.bucket());
    let function = world.start(&GET_VECTOR, BINARY).await;
    let whole = read(&photos.one_person()[0]);
    for (photo, reason) in [
        (read(&photos.no_face()), "no face"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (b"\xff\xd8\xff\xe0 no picture".to_vec(), "damaged"),
        (b"text".to_vec(), "not a JPEG"),
        (Vec::new(), "not a JPEG"),
    ] {
        let path = keep(&world, &bucket, &ada, photo).await;
        let problem = vector(&function, &ada, &path).await.problem(422);
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(reason), "{detail}");
    }
    let lost = keep(&world, &bucket, &ada, whole).await;
    bucket.delete(&lost).await.expect("the store answers");
    vector(&function, &ada, &lost).await.problem(404);
}

#[tokio::test]
async fn without_what_it_needs_the_answer_is_503() {
    for (variable, value) in [
        ("S3_ENDPOINT", "http://127.0.0.1:1"),
        ("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage"),
    ] {
        let mut world = World::new().await;
        world.with_faces();
        let ada = world.user("ada").await;
        let path = keep(&world, &world.bucket(), &ada, "photo").await;
        world.set(variable, value);
        let function = world.start(&GET_VECTOR, BINARY).await;
        vector(&function, &ada, &path).await.problem(503);
    }
}
