//! `register`'s row of the contract.

use contract::routes::REGISTER;
use serde_json::json;
use testkit::{Answer, FunctionProcess, World};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-register");

async fn register(function: &FunctionProcess, body: &serde_json::Value) -> Answer {
    Answer::of(function.post().json(body)).await
}

#[tokio::test]
async fn a_new_user_gets_a_token_that_verifies() {
    let world = World::new().await;
    let function = world.start(&REGISTER, BINARY).await;
    let answer =
        register(&function, &json!({"name": "ada", "password": "correct horse", "unknown": 1})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert!(body["refresh_token"].as_str().is_some_and(|token| token.len() == 43));

    let verifier = tokens::Verifier::new(world.variable("JWT_KEYS")).expect("a key set");
    let claims = verifier.verify(body["token"].as_str().expect("a token")).expect("a valid token");
    assert_eq!((claims.user_id(), claims.username.as_str()), (body["user_id"].as_i64(), "ada"));

    let row = "SELECT password, balance, is_verified, credit_limit FROM users WHERE name = 'ada'";
    let row = world.database().query_one(row, &[]).await.expect("the user is there");
    assert!(row.get::<_, &str>(0).starts_with("$argon2id$"));
    assert_eq!((row.get::<_, i64>(1), row.get::<_, bool>(2)), (0, false));
    assert_eq!(row.get::<_, i64>(3), testkit::CREDIT_LIMIT);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let world = World::new().await;
    let function = world.start(&REGISTER, BINARY).await;
    let body = json!({"name": "ada", "password": "correct horse"});
    let both = tokio::join!(register(&function, &body), register(&function, &body));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let problem = register(&function, &body).await.problem(409);
    assert_eq!(problem["detail"], "Username already exists");
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let function = world.start(&REGISTER, BINARY).await;
    let (long_name, long_password) = ("n".repeat(101), "p".repeat(129));
    for (body, field) in [
        (json!({"password": "correct horse"}), "name"),
        (json!({"name": "", "password": "correct horse"}), "name"),
        (json!({"name": long_name, "password": "correct horse"}), "name"),
        (json!({"name": "a\u{0}b", "password": "correct horse"}), "name"),
        (json!({"name": 7, "password": "correct horse"}), "name"),
        (json!({"name": "ada"}), "password"),
        (json!({"name": "ada", "password": "1234567"}), "password"),
        (json!({"name": "ada", "password": long_password}), "password"),
        (json!({"name": "ada", "password": null}), "password"),
    ] {
        let problem = register(&function, &body).await.problem(422);
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    for body in ["", "{", "name=ada&password=correct"] {
        let request = function.post().header("content-type", "application/json").body(body);
        Answer::of(request).await.problem(400);
    }
    let request = function.post().header("content-type", "text/plain").body("{}");
    Answer::of(request).await.problem(415);
    let large = json!({"name": "ada", "password": "x".repeat(REGISTER.body_max_bytes)});
    register(&function, &large).await.problem(413);
    assert_eq!(Answer::of(function.get()).await.problem(405)["type"], "/problems/method-not-allowed");
    Answer::of(function.request(reqwest::Method::DELETE)).await.problem(405);

    let users: i64 =
        world.database().query_one("SELECT count(*) FROM users", &[]).await.expect("a count").get(0);
    assert_eq!(users, 0);
}

#[tokio::test]
async fn characters_count_not_bytes_and_both_spellings_of_the_path_answer() {
    let world = World::new().await;
    let function = world.start(&REGISTER, BINARY).await;
    let body = json!({"name": "ж".repeat(100), "password": "пароль-8"});
    assert_eq!(register(&function, &body).await.status, 201);
    let url = format!("{}{}", function.base_url(), REGISTER.paths[0].trim_end_matches('/'));
    let body = json!({"name": "bob", "password": "correct horse"});
    assert_eq!(Answer::of(reqwest::Client::new().post(url).json(&body)).await.status, 201);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let mut world = World::new().await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&REGISTER, BINARY).await;
    let answer = register(&function, &json!({"name": "ada", "password": "correct horse"})).await;
    answer.problem(503);
    assert!(!answer.body.contains("secret"));
}
