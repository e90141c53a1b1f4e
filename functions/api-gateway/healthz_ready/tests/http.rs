//! The readiness's row of the contract.

use contract::routes::READY;
use serde_json::json;
use testkit::{Answer, World};

const BINARY: &str = env!("CARGO_BIN_EXE_api-gateway-healthz-ready");
/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

#[tokio::test]
async fn when_everything_answers_it_is_ready() {
    let world = World::new().await;
    let function = world.start(&READY, BINARY).await;
    let answer = Answer::of(function.get()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let components = json!({"database": "up", "cache": "up", "photos": "up", "events": "up"});
    assert_eq!(answer.json(), json!({"status": "ready", "components": components}));
    Answer::of(function.post()).await.problem(405);
}

#[tokio::test]
async fn what_is_needed_and_away_is_named() {
    for (variable, value, named) in [
        ("DATABASE_URL", format!("postgres://visage:secret@{NOBODY}/visage"), "database"),
        ("S3_ENDPOINT", format!("http://{NOBODY}"), "photo store"),
        ("KAFKA_BROKERS", NOBODY.to_owned(), "event broker"),
    ] {
        let mut world = World::new().await;
        world.set(variable, value);
        let function = world.start(&READY, BINARY).await;
        let problem = Answer::of(function.get()).await.problem(503);
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(named) && !detail.contains("secret"), "{detail}");
    }
}

#[tokio::test]
async fn without_the_cache_it_is_ready_and_says_so() {
    let mut world = World::new().await;
    world.set("REDIS_URL", format!("redis://{NOBODY}"));
    let function = world.start(&READY, BINARY).await;
    let answer = Answer::of(function.get()).await;
    assert_eq!((answer.status, &answer.json()["components"]["cache"]), (200, &json!("down")));
}
