//! The SQL of `create`: one statement moves the money or does nothing.

use contract::transaction::TransactionType;
use jiff::Timestamp;
use postgres::{Error, Pool, Row, SqlState};

pub(crate) struct Transaction<'a> {
    pub(crate) user_id: i64,
    /// In minor units, greater than 0.
    pub(crate) amount: i64,
    pub(crate) transaction_type: TransactionType,
    pub(crate) idempotency_key: Option<&'a str>,
}

pub(crate) enum Outcome {
    /// Made now, or made before under the same key.
    Done {
        id: i64,
        date: Timestamp,
        balance: i64,
    },
    OverLimit,
    BalanceTooLarge,
    KeyUsedOtherwise,
}

/// Locks the user's row, checks the limit, moves the balance and adds the row, in one statement and so in one
/// transaction. The date is taken while the row is locked: a user's transactions have dates in the order of
/// their ids. A key that is already there makes the statement do nothing but find its transaction.
const CREATE: &str = "
    WITH earlier AS (
        SELECT id, date, balance, amount, transaction_type_id
        FROM user_transaction WHERE user_id = $1 AND idempotency_key = $5
    ), moved AS (
        UPDATE users SET balance = balance + $4
        WHERE id = $1
          AND balance + $4 >= CASE WHEN is_verified THEN -credit_limit ELSE 0 END
          AND NOT EXISTS (SELECT FROM earlier)
        RETURNING balance
    ), made AS (
        INSERT INTO user_transaction (user_id, amount, transaction_type_id, date, balance, idempotency_key)
        SELECT $1, $2, $3, clock_timestamp(), moved.balance, $5 FROM moved
        RETURNING id, date, balance, amount, transaction_type_id
    )
    SELECT * FROM made UNION ALL SELECT * FROM earlier";

pub(crate) async fn create(pool: &Pool, transaction: &Transaction<'_>) -> Result<Outcome, Error> {
    match once(pool, transaction).await {
        // Two requests with one key at once: the other was first, and is there to be found now.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => once(pool, transaction).await,
        // The other may also have left too little: what it made is seen only by a statement that begins after it.
        Ok(Outcome::OverLimit) if transaction.idempotency_key.is_some() => once(pool, transaction).await,
        Err(error) if error.code() == Some(&SqlState::NUMERIC_VALUE_OUT_OF_RANGE) => {
            Ok(Outcome::BalanceTooLarge)
        }
        outcome => outcome,
    }
}

async fn once(pool: &Pool, transaction: &Transaction<'_>) -> Result<Outcome, Error> {
    let Transaction { user_id, amount, transaction_type, idempotency_key } = transaction;
    let signed = match transaction_type {
        TransactionType::Deposit => *amount,
        TransactionType::Withdrawal => -amount,
    };
    let client = pool.client().await?;
    let statement = client.prepare_cached(CREATE).await?;
    let values: &[&(dyn postgres::types::ToSql + Sync)] =
        &[user_id, amount, &transaction_type.id(), &signed, idempotency_key];
    Ok(client
        .query_opt(&statement, values)
        .await?
        .map_or(Outcome::OverLimit, |row| outcome(&row, transaction)))
}

fn outcome(row: &Row, transaction: &Transaction<'_>) -> Outcome {
    let same = row.get::<_, i64>("amount") == transaction.amount
        && row.get::<_, i16>("transaction_type_id") == transaction.transaction_type.id();
    match same {
        true => Outcome::Done { id: row.get("id"), date: row.get("date"), balance: row.get("balance") },
        false => Outcome::KeyUsedOtherwise,
    }
}
