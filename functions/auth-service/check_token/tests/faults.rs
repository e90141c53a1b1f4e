//! `check_token` while Redis is gone. It is a program of its own because all worlds of one share a Redis.

use contract::routes::CHECK_TOKEN;
use testkit::{Answer, World};

const BINARY: &str = env!("CARGO_BIN_EXE_auth-service-check-token");

#[tokio::test]
async fn redis_only_saves_work() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&CHECK_TOKEN, BINARY).await;
    let status = async |token: &str| Answer::of(function.get().bearer_auth(token)).await.status;
    assert_eq!(status(&ada.token).await, 200);

    world.kill_redis().await;
    for token in [&ada.token, &bob.token, &ada.token] {
        assert_eq!(status(token).await, 200);
    }
    assert_eq!(status("x").await, 401);
    // Without a cache a revocation is seen at once.
    world
        .database()
        .execute("UPDATE users SET token_generation = 1 WHERE name = 'ada'", &[])
        .await
        .expect("revoked");
    assert_eq!(status(&ada.token).await, 401);

    world.restart_redis().await;
    assert_eq!((status(&ada.token).await, status(&bob.token).await), (401, 200));
}
