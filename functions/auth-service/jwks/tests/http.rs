//! The key set's row of the contract.

use contract::routes::JWKS;
use testkit::{Answer, World};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-jwks");

#[tokio::test]
async fn the_public_keys_verify_tokens_and_hold_nothing_private() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&JWKS, BINARY).await;
    let answer = Answer::of(function.get()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert!(answer.header("cache-control").contains("max-age"));
    let verifier = tokens::Verifier::new(&answer.body).expect("a key set");
    assert_eq!(verifier.verify(&ada.token).expect("a valid token").user_id(), Some(ada.id));
    for key in answer.json()["keys"].as_array().expect("keys") {
        assert!(key.get("d").is_none() && key["kid"].is_string(), "{key}");
    }
    Answer::of(function.post()).await.problem(405);
}

#[tokio::test]
async fn a_private_half_that_was_configured_by_mistake_is_not_given_away() {
    let mut world = World::new().await;
    let mut keys: serde_json::Value = serde_json::from_str(world.variable("JWT_KEYS")).expect("JSON");
    keys["keys"][0]["d"] = "c2VjcmV0".into();
    world.set("JWT_KEYS", keys.to_string());
    let function = world.start(&JWKS, BINARY).await;
    assert!(!Answer::of(function.get()).await.body.contains("c2VjcmV0"));
}
