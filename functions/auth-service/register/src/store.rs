//! The SQL of `register`.

use contract::credentials::TokenBody;
use postgres::{Client, Error};
use sessions::Sessions;
use tokens::Subject;

pub(crate) struct NewUser<'a> {
    pub(crate) name: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) credit_limit: i64,
}

/// Adds the user and the first session, both or neither. `None` when the name is taken.
pub(crate) async fn register(
    client: &mut Client,
    sessions: &Sessions,
    user: NewUser<'_>,
) -> Result<Option<TokenBody>, Error> {
    let transaction = client.transaction().await?;
    let insert = "INSERT INTO users (name, password, credit_limit) VALUES ($1, $2, $3)
                  ON CONFLICT (name) DO NOTHING RETURNING id, token_generation";
    let statement = transaction.prepare_cached(insert).await?;
    let row =
        transaction.query_opt(&statement, &[&user.name, &user.password_hash, &user.credit_limit]).await?;
    let Some(row) = row else { return Ok(None) };
    let subject = Subject { user_id: row.get(0), name: user.name, generation: row.get(1) };
    let tokens = sessions.open(&transaction, subject).await?;
    transaction.commit().await?;
    Ok(Some(tokens))
}
