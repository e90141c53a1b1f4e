//! `report`'s row of the contract.

use contract::routes::REPORT;
use serde_json::{Value, json};
use testkit::{Answer, FunctionProcess, TestUser, World, refuses_bad_credentials};

const BINARY: &str = env!("CARGO_BIN_EXE_transaction-service-report");

async fn report(function: &FunctionProcess, user: &TestUser, body: &Value) -> Answer {
    Answer::of(function.post().bearer_auth(&user.token).json(body)).await
}

fn between(start: &str, end: &str) -> Value {
    json!({"date_start": start, "date_end": end})
}

fn ever() -> Value {
    between("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
}

/// Deposits of 1, 2, 3 … on the given days of January 2026, at noon.
async fn deposits(world: &World, user: &TestUser, days: &[i32]) {
    let insert = "INSERT INTO user_transaction (user_id, amount, transaction_type_id, date, balance)
                  SELECT $1, n, 1, make_timestamptz(2026, 1, day, 12, 0, 0, 'UTC'), 0
                  FROM unnest($2::int[]) WITH ORDINALITY AS days (day, n)";
    world.database().execute(insert, &[&user.id, &days]).await.expect("deposits");
}

fn amounts(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
        .json()
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| row["amount"].as_i64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn a_report_holds_the_transactions_of_its_time_newest_last() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    deposits(&world, &ada, &[1, 2, 3, 2]).await;
    deposits(&world, &bob, &[2]).await;
    let function = world.start(&REPORT, BINARY).await;
    let answer = report(&function, &ada, &ever()).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(amounts(&answer), [1, 2, 4, 3]);
    let first = &answer.json()[0];
    let expected = json!({
        "id": first["id"], "user_id": ada.id, "amount": 1, "transaction_type": "deposit", "transaction_type_id": 1,
        "date": "2026-01-01T12:00:00Z",
    });
    assert_eq!(*first, expected);

    for (start, end, expected) in [
        // Both ends belong to the report.
        ("2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", vec![1, 2, 4]),
        ("2026-01-01T12:00:00.000001Z", "2026-01-02T11:59:59.999999Z", vec![]),
        // A time without an offset is UTC; an offset counts.
        ("2026-01-02T12:00:00", "2026-01-02T12:00:00", vec![2, 4]),
        ("2026-01-02T15:00:00+03:00", "2026-01-02T15:00:00+03:00", vec![2, 4]),
        ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(
            amounts(&report(&function, &ada, &between(start, end)).await),
            expected,
            "{start} to {end}"
        );
    }
}

#[tokio::test]
async fn a_long_report_is_streamed_whole() {
    const ROWS: i32 = 20_000;
    let world = World::new().await;
    let ada = world.user("ada").await;
    deposits(&world, &ada, &vec![5; ROWS as usize]).await;
    let function = world.start(&REPORT, BINARY).await;
    let answer = report(&function, &ada, &ever()).await;
    assert_eq!(amounts(&answer), (1..=i64::from(ROWS)).collect::<Vec<_>>());
    assert_eq!(answer.header("content-length"), "", "it is not gathered before it is sent");
}

#[tokio::test]
async fn a_report_is_kept_with_the_set_it_showed() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    deposits(&world, &ada, &[1, 2]).await;
    let function = world.start(&REPORT, BINARY).await;
    let shown = report(&function, &ada, &ever()).await.json();
    deposits(&world, &ada, &[3]).await;
    assert_eq!(amounts(&report(&function, &ada, &ever()).await).len(), 3);

    let select = "SELECT user_transaction_id FROM report_transaction
                  WHERE report_id = (SELECT min(id) FROM report WHERE user_id = $1) ORDER BY 1";
    let rows = world.database().query(select, &[&ada.id]).await.expect("the set");
    let kept: Vec<Value> = rows.iter().map(|row| row.get::<_, i64>(0).into()).collect();
    let shown: Vec<Value> = shown.as_array().expect("an array").iter().map(|row| row["id"].clone()).collect();
    assert_eq!(kept, shown);
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_keeps_no_report() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let function = world.start(&REPORT, BINARY).await;
    for (body, field) in [
        (json!({"date_end": "2026-01-01T00:00:00Z"}), "date_start"),
        (json!({"date_start": "2026-01-01T00:00:00Z"}), "date_end"),
        (between("yesterday", "2026-01-01T00:00:00Z"), "date_start"),
        (between("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z"), "date_end"),
        (between("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "date_start"),
        (json!({"date_start": 0, "date_end": "2026-01-01T00:00:00Z"}), "date_start"),
    ] {
        let problem = report(&function, &ada, &body).await.problem(422);
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let mut others = ever();
    others["user_id"] = bob.id.into();
    report(&function, &ada, &others).await.problem(403);
    let request = function.post().bearer_auth(&ada.token).json(&ever()).query(&[("user_id", bob.id)]);
    Answer::of(request).await.problem(403);
    let request =
        function.post().bearer_auth(&ada.token).header("content-type", "application/json").body("{\"date");
    Answer::of(request).await.problem(400);
    Answer::of(function.get().bearer_auth(&ada.token)).await.problem(405);
    refuses_bad_credentials(&world, || function.post().json(&ever())).await;
    let reports: i64 =
        world.database().query_one("SELECT count(*) FROM report", &[]).await.expect("a count").get(0);
    assert_eq!(reports, 0);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let mut world = World::new().await;
    let ada = world.user("ada").await;
    world.set("DATABASE_URL", "postgres://visage:secret@127.0.0.1:1/visage");
    let function = world.start(&REPORT, BINARY).await;
    report(&function, &ada, &ever()).await.problem(503);
}
