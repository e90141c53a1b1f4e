//! What every function that needs a token must refuse.

use crate::{Answer, World};
use reqwest::RequestBuilder;
use std::time::Duration;
use tokens::{Issuer, Subject};

/// Sends the request that `ask` makes, which has no credentials of its own, with every kind of credentials that are none,
/// and checks that each is answered 401.
pub async fn refuses_bad_credentials(world: &World, ask: impl Fn() -> RequestBuilder) {
    let user = world.user(&format!("mallory-{}", uuid::Uuid::new_v4())).await;
    let gone = world.token(i64::MAX, "nobody", 0);
    let revoked = world.token(user.id, &user.name, -1);
    let expired = expired_token(world, user.id).await;
    let foreign = tokens::generate_key_pair().expect("randomness");
    let foreign = Issuer::new(&foreign.private_pem, 600).expect("a key");
    let foreign = foreign.issue(Subject { user_id: user.id, name: &user.name, generation: 0 });
    let (head, _) = user.token.rsplit_once('.').expect("three parts");
    let unsigned = format!("{head}.");
    // {"alg":"none","typ":"JWT"} with the claims of a good token.
    let claims = user.token.split('.').nth(1).expect("three parts");
    let no_algorithm = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    Answer::of(ask()).await.problem(401);
    for token in [&gone, &revoked, &expired, &foreign, &unsigned, &no_algorithm, "", "x"] {
        Answer::of(ask().header("authorization", format!("Bearer {token}"))).await.problem(401);
    }
    for credentials in [format!("Basic {}", user.token), user.token.clone(), "Bearer".to_owned()] {
        Answer::of(ask().header("authorization", credentials)).await.problem(401);
    }
    // Being behind the gateway is not a credential.
    Answer::of(ask().header("x-user-id", user.id)).await.problem(401);
    let good = format!("Bearer {}", user.token);
    Answer::of(ask().header("authorization", &good).header("authorization", &good)).await.problem(401);
}

/// A token that was good a moment ago.
async fn expired_token(world: &World, user_id: i64) -> String {
    let issuer = Issuer::new(world.variable("JWT_PRIVATE_KEY"), 1).expect("a key");
    let token = issuer.issue(Subject { user_id, name: "mallory", generation: 0 });
    let verifier = tokens::Verifier::new(world.variable("JWT_KEYS")).expect("a key set");
    while verifier.verify(&token).is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    token
}
