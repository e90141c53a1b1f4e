//! The job as it is run.

use contract::{event::FACES_TOPIC, verification::photo_path};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{TestUser, World};
use uuid::Uuid;

const BINARY: &str = env!("CARGO_BIN_EXE_jobs-sweep");

async fn verification(world: &World, user: &TestUser, uploaded_s_ago: Option<f64>, status: &str) -> Uuid {
    let id = Uuid::now_v7();
    let insert = "INSERT INTO verification (id, user_id, uploaded_at, status, decided_at)
                  VALUES ($1, $2, now() - make_interval(secs => $3), $4, CASE $4 WHEN 'pending' THEN NULL ELSE now() END)";
    world
        .database()
        .execute(insert, &[&id, &user.id, &uploaded_s_ago, &status])
        .await
        .expect("a verification");
    id
}

#[tokio::test]
async fn what_is_undecided_for_too_long_is_published_again() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let stuck = verification(&world, &ada, Some(61.0), "pending").await;
    verification(&world, &ada, Some(50.0), "pending").await;
    verification(&world, &ada, Some(1000.0), "verified").await;
    // Never acknowledged: nobody waits for it.
    verification(&world, &ada, None, "pending").await;
    let output = world.run_job(BINARY).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let records = world.records_within(FACES_TOPIC, &ada.id.to_string(), Duration::from_secs(3)).await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].headers["ce_type"], "photo.uploaded.v1");
    assert_eq!(records[0].headers["ce_id"], stuck.to_string());
    let data: Value = serde_json::from_str(&records[0].value).expect("JSON");
    let path = photo_path(ada.id, stuck);
    assert_eq!(data, json!({"verification_id": stuck, "user_id": ada.id, "bucket": "photos", "path": path}));
}

#[tokio::test]
async fn what_is_down_is_an_error_and_what_is_wrong_is_named() {
    for (variable, value, code) in [
        ("KAFKA_BROKERS", "127.0.0.1:1", 1),
        ("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage", 1),
        ("SWEEP_PENDING_MAX_SECONDS", "soon", 64),
    ] {
        let mut world = World::new().await;
        let ada = world.user("ada").await;
        verification(&world, &ada, Some(61.0), "pending").await;
        world.set(variable, value);
        let output = world.run_job(BINARY).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(!errors.contains("secret"), "{errors}");
    }
}
