//! The job as it is run, and the rules that the tables keep by themselves.

use postgres::tokio_postgres::{Client, NoTls};
use testkit::World;

const BINARY: &str = env!("CARGO_BIN_EXE_jobs-migrate");

/// A world whose database is empty.
async fn world_without_tables() -> World {
    let mut world = World::new().await;
    let name = format!("empty_{}", world.user("somebody").await.id);
    world.database().batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let (server, _) = world.variable("DATABASE_URL").rsplit_once('/').expect("a URL with a database");
    let url = format!("{server}/{name}");
    world.set("DATABASE_URL", url);
    world
}

async fn connect(world: &World) -> Client {
    let connected = postgres::tokio_postgres::connect(world.variable("DATABASE_URL"), NoTls).await;
    let (client, connection) = connected.expect("PostgreSQL is there");
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn running_it_again_or_twice_at_once_changes_nothing() {
    let world = world_without_tables().await;
    let both = tokio::join!(world.run_job(BINARY), world.run_job(BINARY));
    for output in [both.0, both.1, world.run_job(BINARY).await] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let database = connect(&world).await;
    let versions: i64 = database
        .query_one("SELECT count(*) FROM refinery_schema_history", &[])
        .await
        .expect("a history")
        .get(0);
    let files =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the folder").count();
    assert_eq!(versions, i64::try_from(files).expect("a few"));
    let types = database.query("SELECT name FROM transaction_type ORDER BY id", &[]).await.expect("rows");
    assert_eq!(types.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["deposit", "withdrawal"]);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_without_the_password() {
    let mut world = World::new().await;
    for (url, code) in
        [("postgres://visage:secret@127.0.0.1:1/visage", 1), ("http://visage:secret@127.0.0.1:1/visage", 64)]
    {
        world.set("DATABASE_URL", url);
        let output = world.run_job(BINARY).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(!errors.is_empty() && !errors.contains("secret"), "{errors}");
    }
}

#[tokio::test]
async fn the_tables_keep_their_rules_whatever_a_function_does() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let database = world.database();
    for broken in [
        // The limits of the ledger.
        "UPDATE users SET balance = -1",
        "UPDATE users SET credit_limit = -1",
        // A verified user has a face of 128 numbers.
        "UPDATE users SET is_verified = true",
        "UPDATE users SET verification_vector = ARRAY[1, 2, 3]",
        "INSERT INTO users (name, password, credit_limit) VALUES ('ada', '', 0)",
        "INSERT INTO user_transaction (user_id, amount, transaction_type_id, date, balance)
         SELECT id, 0, 1, now(), 0 FROM users",
        "INSERT INTO user_transaction (user_id, amount, transaction_type_id, date, balance)
         SELECT id, 1, 3, now(), 0 FROM users",
        "INSERT INTO user_transaction (user_id, amount, transaction_type_id, date, balance) VALUES (-1, 1, 1, now(), 0)",
        // A verdict is one of two, and a rejection has a reason.
        "INSERT INTO verification (id, user_id, status) SELECT gen_random_uuid(), id, 'maybe' FROM users",
        "INSERT INTO verification (id, user_id, status, decided_at) SELECT gen_random_uuid(), id, 'rejected', now() FROM users",
        "INSERT INTO verification (id, user_id, status) SELECT gen_random_uuid(), id, 'verified' FROM users",
        "INSERT INTO report (user_id, date_start, date_end, last_transaction_id)
         SELECT id, now(), now() - interval '1 second', 0 FROM users",
    ] {
        assert!(database.batch_execute(broken).await.is_err(), "{broken}");
    }
    let verified = "UPDATE users SET is_verified = true, verification_vector = array_fill(0, ARRAY[128])";
    database.batch_execute(verified).await.expect("a face");
    let to_the_limit = format!("UPDATE users SET balance = -{}", testkit::CREDIT_LIMIT);
    database.batch_execute(&to_the_limit).await.expect("credit");
    database.batch_execute("UPDATE users SET balance = balance - 1").await.expect_err("over the limit");
    let user =
        database.query_one("SELECT balance FROM users WHERE id = $1", &[&ada.id]).await.expect("a user");
    assert_eq!(user.get::<_, i64>(0), -testkit::CREDIT_LIMIT);
}
