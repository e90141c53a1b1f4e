//! `POST /api/transaction-service/report/`: the transactions of a time, streamed as they are read.

mod json_stream;
mod store;

use contract::{Function, Problem, report::ReportRequest, routes};
use host::{Endpoint, Request, Response};
use http::{HeaderValue, StatusCode, header};
use identity::{Identity, claimed_user_id};
use postgres::Pool;
use std::time::Duration;

/// A report may be long, and its reader slow.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Report {
    pub identity: Identity,
    pub pool: Pool,
}

impl Endpoint for Report {
    const FUNCTION: &'static Function = &routes::REPORT;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let user = self.identity.user(request.headers()).await?;
        user.must_be(claimed_user_id(request.uri().query())?)?;
        let body: ReportRequest = host::json(&request)?;
        user.must_be(body.user_id)?;
        if body.date_start > body.date_end {
            return Err(Problem::invalid_field("date_start", "must not be after date_end"));
        }
        let rows = store::report(&self.pool, user.id, body.date_start, body.date_end).await?;
        let mut response = http::Response::new(json_stream::body(user.id, rows));
        *response.status_mut() = StatusCode::CREATED;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}
