//! `check_token`'s row of the contract.

use contract::routes::CHECK_TOKEN;
use reqwest::{Client, Method};
use serde_json::json;
use testkit::{Answer, World, refuses_bad_credentials};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-check-token");

#[tokio::test]
async fn a_good_token_says_whose_it_is() {
    let world = World::new().await;
    let ada = world.user("ада").await;
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    let answer = Answer::of(function.get().bearer_auth(&ada.token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("x-user-id"), ada.id.to_string());
    let verifier = tokens::Verifier::new(world.variable("JWT_KEYS")).expect("a key set");
    let expires = verifier.verify(&ada.token).expect("a valid token").exp;
    let body = answer.json();
    assert_eq!(
        (&body["user_id"], &body["name"], &body["is_verified"]),
        (&json!(ada.id), &json!("ада"), &json!(false))
    );
    let expires_at: String = serde_json::from_value(body["expires_at"].clone()).expect("text");
    let row = "SELECT extract(epoch FROM $1::text::timestamptz)::bigint";
    let seconds: i64 = world.database().query_one(row, &[&expires_at]).await.expect("a time").get(0);
    assert_eq!(u64::try_from(seconds).expect("after 1970"), expires);
    // The scheme is not told apart by its case (RFC 9110).
    let lower = function.get().header("authorization", format!("bearer {}", ada.token));
    assert_eq!(Answer::of(lower).await.status, 200);
}

#[tokio::test]
async fn what_is_no_good_token_is_refused() {
    let world = World::new().await;
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    refuses_bad_credentials(&world, || function.get()).await;
    Answer::of(function.post()).await.problem(405);
}

#[tokio::test]
async fn the_gateway_may_ask_with_any_method() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    let url = format!("{}{}", function.base_url(), CHECK_TOKEN.gateway_check_path.expect("a path"));
    for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
        let request = Client::new().request(method.clone(), &url);
        let answer = Answer::of(request.bearer_auth(&ada.token)).await;
        assert_eq!((answer.status, answer.header("x-user-id")), (200, &*ada.id.to_string()), "{method}");
        Answer::of(Client::new().request(method, &url)).await.problem(401);
    }
}

#[tokio::test]
async fn a_revocation_is_noticed_within_seconds() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    let ask = async || Answer::of(function.get().bearer_auth(&ada.token)).await;
    assert_eq!(ask().await.status, 200);
    world.database().execute("UPDATE users SET token_generation = 1", &[]).await.expect("revoked");
    let revoked = std::time::Instant::now();
    while ask().await.status == 200 {
        assert!(revoked.elapsed().as_secs() < 10, "it is never noticed");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    ask().await.problem(401);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503_and_never_401() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    Answer::of(function.get().bearer_auth(&ada.token)).await.problem(503);
    // What needs no database is still told apart.
    Answer::of(function.get().bearer_auth("x")).await.problem(401);
}
