//! `POST /api/transaction-service/create/`: money moves, once.

mod store;

use contract::{
    Function, Problem, routes,
    transaction::{CreateRequest, IDEMPOTENCY_KEY_MAX_CHARS, TransactionBody},
};
use host::{Endpoint, Request, Response};
use http::{HeaderMap, StatusCode};
use identity::{Identity, claimed_user_id};
use postgres::Pool;
use std::time::Duration;
use store::{Outcome, Transaction};

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Create {
    pub identity: Identity,
    pub pool: Pool,
}

impl Endpoint for Create {
    const FUNCTION: &'static Function = &routes::CREATE;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let user = self.identity.user(request.headers()).await?;
        user.must_be(claimed_user_id(request.uri().query())?)?;
        let body: CreateRequest = host::valid_json(&request)?;
        user.must_be(body.user_id)?;
        let transaction = Transaction {
            user_id: user.id,
            amount: body.amount,
            transaction_type: body.transaction_type,
            idempotency_key: idempotency_key(request.headers())?,
        };
        match store::create(&self.pool, &transaction).await? {
            Outcome::Done { id, date, balance } => {
                let body = TransactionBody {
                    id,
                    user_id: user.id,
                    amount: transaction.amount,
                    transaction_type: transaction.transaction_type,
                    transaction_type_id: transaction.transaction_type.id(),
                    date,
                    balance: Some(balance),
                };
                Ok(host::json_response(StatusCode::CREATED, &body))
            }
            Outcome::OverLimit => Err(Problem::insufficient_funds()),
            Outcome::BalanceTooLarge => {
                Err(Problem::invalid_field("amount", "would make the balance larger than can be kept"))
            }
            Outcome::KeyUsedOtherwise => Err(Problem::unprocessable(
                "This Idempotency-Key was used for another transaction. Use a new key for a new transaction.",
            )),
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=IDEMPOTENCY_KEY_MAX_CHARS).contains(&key.len()) => Ok(Some(key)),
        _ => Err(Problem::bad_request(format!(
            "The Idempotency-Key header must be 1 to {IDEMPOTENCY_KEY_MAX_CHARS} visible ASCII characters."
        ))),
    }
}
