//! The SQL of `auth`.

use contract::credentials::TokenBody;
use postgres::{Client, Error, Pool};
use sessions::{Refreshed, Sessions};
use tokens::Subject;

pub(crate) struct Account {
    pub(crate) user_id: i64,
    pub(crate) name: String,
    pub(crate) password_hash: String,
    pub(crate) generation: i32,
}

pub(crate) async fn account(pool: &Pool, name: &str) -> Result<Option<Account>, Error> {
    let client = pool.client().await?;
    let select = "SELECT id, name, password, token_generation FROM users WHERE name = $1";
    let statement = client.prepare_cached(select).await?;
    let row = client.query_opt(&statement, &[&name]).await?;
    Ok(row.map(|row| Account {
        user_id: row.get(0),
        name: row.get(1),
        password_hash: row.get(2),
        generation: row.get(3),
    }))
}

pub(crate) async fn open_session(
    client: &mut Client,
    sessions: &Sessions,
    account: &Account,
) -> Result<TokenBody, Error> {
    let subject = Subject { user_id: account.user_id, name: &account.name, generation: account.generation };
    let transaction = client.transaction().await?;
    let tokens = sessions.open(&transaction, subject).await?;
    transaction.commit().await?;
    Ok(tokens)
}

/// Commits whatever the outcome: a refusal may have revoked a family.
pub(crate) async fn refresh(
    client: &mut Client,
    sessions: &Sessions,
    token: &str,
) -> Result<Refreshed, Error> {
    let transaction = client.transaction().await?;
    let refreshed = sessions.refresh(&transaction, token).await?;
    transaction.commit().await?;
    Ok(refreshed)
}
