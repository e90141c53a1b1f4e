//! `create`'s row of the contract.

use contract::routes::CREATE;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::{Answer, CREDIT_LIMIT, FunctionProcess, TestUser, World, refuses_bad_credentials};
use tokio::task::JoinSet;

const BINARY: &str = env!("CARGO_BIN_EXE_transaction-service-create");

fn request(function: &FunctionProcess, user: &TestUser, body: &Value) -> RequestBuilder {
    function.post().bearer_auth(&user.token).json(body)
}

async fn create(function: &FunctionProcess, user: &TestUser, kind: &str, amount: i64) -> Answer {
    Answer::of(request(function, user, &json!({"amount": amount, "transaction_type": kind}))).await
}

async fn with_key(function: &FunctionProcess, user: &TestUser, key: &str, kind: &str, amount: i64) -> Answer {
    let body = json!({"amount": amount, "transaction_type": kind});
    Answer::of(request(function, user, &body).header("idempotency-key", key)).await
}

/// The balance, after checking that it is the sum of the transactions and that each of them says the balance after it.
async fn balance(world: &World, user: &TestUser) -> i64 {
    let select = "SELECT balance, (SELECT coalesce(sum(CASE transaction_type_id WHEN 1 THEN amount ELSE -amount END), 0)::bigint
                                   FROM user_transaction WHERE user_id = $1) FROM users WHERE id = $1";
    let row = world.database().query_one(select, &[&user.id]).await.expect("a user");
    assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1), "the balance is the sum");
    let wrong = "SELECT count(*) FROM (
                     SELECT balance, sum(CASE transaction_type_id WHEN 1 THEN amount ELSE -amount END) OVER (ORDER BY id) AS sum
                     FROM user_transaction WHERE user_id = $1) AS t WHERE balance <> sum";
    let wrong: i64 = world.database().query_one(wrong, &[&user.id]).await.expect("a count").get(0);
    assert_eq!(wrong, 0, "balances that are not the sum so far");
    row.get(0)
}

async fn verify(world: &World, user: &TestUser) {
    let update =
        "UPDATE users SET is_verified = true, verification_vector = array_fill(0, ARRAY[128]) WHERE id = $1";
    world.database().execute(update, &[&user.id]).await.expect("verified");
}

#[tokio::test]
async fn money_goes_in_and_out() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CREATE, BINARY).await;
    let answer = create(&function, &ada, "deposit", 1500).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    let expected = json!({
        "id": body["id"], "user_id": ada.id, "amount": 1500, "transaction_type": "deposit", "transaction_type_id": 1,
        "date": body["date"], "balance": 1500,
    });
    assert!(body["id"].is_i64() && body["date"].as_str().is_some_and(|date| date.ends_with('Z')), "{body}");
    assert_eq!(body, expected);
    // The replaced system's words.
    assert_eq!(create(&function, &ada, "Пополнение", 1).await.json()["transaction_type"], "deposit");
    let answer = create(&function, &ada, "Снятие", 501).await.json();
    assert_eq!((&answer["transaction_type"], &answer["balance"]), (&json!("withdrawal"), &json!(1000)));
    assert_eq!(create(&function, &ada, "withdrawal", 1000).await.json()["balance"], 0);
    assert_eq!(balance(&world, &ada).await, 0);
}

#[tokio::test]
async fn credit_is_for_the_verified() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CREATE, BINARY).await;
    let refused = create(&function, &ada, "withdrawal", 1).await.problem(409);
    assert!(refused["type"].as_str().expect("a type").ends_with("insufficient-funds"));
    verify(&world, &ada).await;
    assert_eq!(create(&function, &ada, "withdrawal", CREDIT_LIMIT).await.json()["balance"], -CREDIT_LIMIT);
    create(&function, &ada, "withdrawal", 1).await.problem(409);
    assert_eq!(balance(&world, &ada).await, -CREDIT_LIMIT);
}

#[tokio::test]
async fn parallel_withdrawals_never_go_over_the_limit() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = std::sync::Arc::new(world.start(&CREATE, BINARY).await);
    assert_eq!(create(&function, &ada, "deposit", 1000).await.status, 201);
    let mut all = JoinSet::new();
    for _ in 0..24 {
        let request = request(&function, &ada, &json!({"amount": 100, "transaction_type": "withdrawal"}));
        all.spawn(async { Answer::of(request).await.status });
    }
    let statuses = all.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 14, "{statuses:?}");
    assert_eq!(balance(&world, &ada).await, 0);
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer_again() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&CREATE, BINARY).await;
    let first = with_key(&function, &ada, "k", "deposit", 100).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(create(&function, &ada, "deposit", 1).await.status, 201);
    let again = with_key(&function, &ada, "k", "deposit", 100).await;
    assert_eq!((again.status, again.body), (201, first.body));
    with_key(&function, &ada, "k", "deposit", 101).await.problem(422);
    with_key(&function, &ada, "k", "withdrawal", 100).await.problem(422);
    // A key is its user's own.
    assert_eq!(with_key(&function, &bob, "k", "deposit", 7).await.json()["balance"], 7);
    assert_eq!(balance(&world, &ada).await, 101);
    let longest = "k".repeat(255);
    assert_eq!(with_key(&function, &ada, &longest, "deposit", 1).await.status, 201);
    for wrong in ["", &format!("{longest}k")] {
        with_key(&function, &ada, wrong, "deposit", 1).await.problem(400);
    }
    assert_eq!(balance(&world, &ada).await, 102);
}

#[tokio::test]
async fn parallel_requests_with_one_key_move_the_money_once() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CREATE, BINARY).await;
    for (key, kind, after) in [("in", "deposit", 500), ("out", "withdrawal", 0)] {
        let mut all = JoinSet::new();
        for _ in 0..8 {
            // The whole balance: whoever comes second finds too little, and the first one's answer.
            let body = json!({"amount": 500, "transaction_type": kind});
            let request = request(&function, &ada, &body).header("idempotency-key", key);
            all.spawn(async { Answer::of(request).await });
        }
        let answers = all.join_all().await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (201, &answers[0].body), "{key}");
        }
        assert_eq!(balance(&world, &ada).await, after);
    }
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&CREATE, BINARY).await;
    for (body, field) in [
        (json!({"transaction_type": "deposit"}), "amount"),
        (json!({"amount": 0, "transaction_type": "deposit"}), "amount"),
        (json!({"amount": -5, "transaction_type": "withdrawal"}), "amount"),
        (json!({"amount": 1.5, "transaction_type": "deposit"}), "amount"),
        (json!({"amount": "100", "transaction_type": "deposit"}), "amount"),
        (json!({"amount": 9_223_372_036_854_775_808_u64, "transaction_type": "deposit"}), "amount"),
        (json!({"amount": 1}), "transaction_type"),
        (json!({"amount": 1, "transaction_type": "transfer"}), "transaction_type"),
        (json!({"amount": 1, "transaction_type": 1}), "transaction_type"),
        (json!({"amount": 1, "transaction_type": "deposit", "user_id": "me"}), "user_id"),
    ] {
        let problem = Answer::of(request(&function, &ada, &body)).await.problem(422);
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let good = json!({"amount": 1, "transaction_type": "deposit"});
    let others = json!({"amount": 1, "transaction_type": "deposit", "user_id": bob.id});
    Answer::of(request(&function, &ada, &others)).await.problem(403);
    Answer::of(request(&function, &ada, &good).query(&[("user_id", bob.id)])).await.problem(403);
    Answer::of(request(&function, &ada, &good).query(&[("user_id", "me")])).await.problem(422);
    for body in ["", "{", "amount=1"] {
        let request =
            function.post().bearer_auth(&ada.token).header("content-type", "application/json").body(body);
        Answer::of(request).await.problem(400);
    }
    let large = json!({"amount": 1, "transaction_type": "x".repeat(CREATE.body_max_bytes)});
    Answer::of(request(&function, &ada, &large)).await.problem(413);
    let request_as_text = function.post().bearer_auth(&ada.token).header("content-type", "text/plain");
    Answer::of(request_as_text.body(good.to_string())).await.problem(415);
    Answer::of(function.get().bearer_auth(&ada.token)).await.problem(405);
    refuses_bad_credentials(&world, || function.post().json(&good)).await;
    assert_eq!((balance(&world, &ada).await, balance(&world, &bob).await), (0, 0));

    let own = json!({"amount": 1, "transaction_type": "deposit", "user_id": ada.id, "comment": "unknown"});
    assert_eq!(Answer::of(request(&function, &ada, &own)).await.status, 201);
}

#[tokio::test]
async fn a_balance_that_cannot_be_kept_is_refused() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let function = world.start(&CREATE, BINARY).await;
    assert_eq!(create(&function, &ada, "deposit", i64::MAX).await.json()["balance"], i64::MAX);
    let problem = create(&function, &ada, "deposit", 1).await.problem(422);
    assert_eq!(problem["errors"][0]["field"], "amount");
    assert_eq!(balance(&world, &ada).await, i64::MAX);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&CREATE, BINARY).await;
    create(&function, &ada, "deposit", 1).await.problem(503);
}
