//! `auth`'s row of the contract.

use contract::routes::AUTH;
use passwords::Passwords;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{Answer, FunctionProcess, TestUser, World};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-auth");
const PASSWORD: &str = "correct horse";

async fn ask(function: &FunctionProcess, body: &Value) -> Answer {
    Answer::of(function.post().json(body)).await
}

/// A user who can log in with [`PASSWORD`].
async fn user_with_password(world: &World) -> TestUser {
    let user = world.user("ada").await;
    let hash = Passwords::default().hash(PASSWORD.into()).await.expect("a hash");
    world.database().execute("UPDATE users SET password = $1", &[&hash]).await.expect("a password");
    user
}

async fn log_in(function: &FunctionProcess) -> Value {
    let answer = ask(function, &json!({"name": "ada", "password": PASSWORD})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_name_and_its_password_get_a_token() {
    let world = World::new().await;
    let user = user_with_password(&world).await;
    let function = world.start(&AUTH, BINARY).await;
    let body = log_in(&function).await;
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(body["user_id"], user.id);
    let verifier = tokens::Verifier::new(world.variable("JWT_KEYS")).expect("a key set");
    let claims = verifier.verify(body["token"].as_str().expect("a token")).expect("a valid token");
    assert_eq!((claims.user_id(), claims.username.as_str()), (Some(user.id), "ada"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_words() {
    let world = World::new().await;
    user_with_password(&world).await;
    let function = world.start(&AUTH, BINARY).await;
    let wrong = ask(&function, &json!({"name": "ada", "password": "wrong horse"})).await;
    let unknown = ask(&function, &json!({"name": "bob", "password": PASSWORD})).await;
    assert_eq!(wrong.problem(403), unknown.problem(403));
    // Names are told apart by their case.
    ask(&function, &json!({"name": "Ada", "password": PASSWORD})).await.problem(403);
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use_and_using_it_again_revokes_its_family() {
    let world = World::new().await;
    let user = user_with_password(&world).await;
    let function = world.start(&AUTH, BINARY).await;
    let refresh = async |token: &Value| ask(&function, &json!({"refresh_token": token})).await;

    let first = log_in(&function).await;
    let other_login = log_in(&function).await;
    let second = refresh(&first["refresh_token"]).await;
    assert_eq!(second.status, 201, "{}", second.body);
    let second = second.json();
    assert_eq!(second["user_id"], user.id);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let third = refresh(&second["refresh_token"]).await.json();

    // One of the two who hold the first token is a thief.
    refresh(&first["refresh_token"]).await.problem(401);
    refresh(&third["refresh_token"]).await.problem(401);
    assert_eq!(refresh(&other_login["refresh_token"]).await.status, 201);
}

#[tokio::test]
async fn of_parallel_uses_of_one_refresh_token_one_succeeds() {
    let world = World::new().await;
    user_with_password(&world).await;
    let function = world.start(&AUTH, BINARY).await;
    let body = json!({"refresh_token": log_in(&function).await["refresh_token"]});
    let all = tokio::join!(ask(&function, &body), ask(&function, &body), ask(&function, &body));
    let mut statuses = [all.0.status, all.1.status, all.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401, 401]);
}

#[tokio::test]
async fn a_refresh_token_expires_and_is_kept_hashed() {
    let world = World::new().await;
    user_with_password(&world).await;
    let function = world.start(&AUTH, BINARY).await;
    let token = log_in(&function).await["refresh_token"].as_str().expect("a token").to_owned();
    let kept = world.database().query("SELECT token_hash FROM refresh_token", &[]).await.expect("rows");
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0].get::<_, &[u8]>(0), token.as_bytes());
    world.database().execute("UPDATE refresh_token SET expires_at = now()", &[]).await.expect("expired");
    ask(&function, &json!({"refresh_token": token})).await.problem(401);
}

#[tokio::test]
async fn what_is_not_valid_is_refused() {
    let world = World::new().await;
    let function = world.start(&AUTH, BINARY).await;
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({"name": "ada"}), vec!["password"]),
        (json!({"name": "", "password": "short"}), vec!["name", "password"]),
        (json!({"refresh_token": 7}), vec!["refresh_token"]),
        (json!({"refresh_token": ""}), vec!["refresh_token"]),
        (json!({"refresh_token": "x".repeat(201)}), vec!["refresh_token"]),
    ] {
        let problem = ask(&function, &body).await.problem(422);
        let errors = problem["errors"].as_array().expect("errors");
        let named: BTreeSet<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        assert_eq!(named, fields.into_iter().collect(), "{body}");
    }
    ask(&function, &json!({"refresh_token": "unknown"})).await.problem(401);
    Answer::of(function.post().header("content-type", "application/json").body("[")).await.problem(400);
    Answer::of(function.post().header("content-type", "text/plain").body("{}")).await.problem(415);
    ask(&function, &json!({"name": "x".repeat(AUTH.body_max_bytes)})).await.problem(413);
    Answer::of(function.get()).await.problem(405);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let mut world = World::new().await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&AUTH, BINARY).await;
    for body in [json!({"name": "ada", "password": PASSWORD}), json!({"refresh_token": "x"})] {
        let answer = ask(&function, &body).await;
        answer.problem(503);
        assert!(!answer.body.contains("secret"));
    }
}
