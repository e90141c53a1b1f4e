//! `GET /api/auth-service/check_token/`: whose token this is. The gateway asks the same at [`routes::CHECK_TOKEN`]'s
//! `gateway_check_path` before it lets a request through.

use contract::{Function, Problem, credentials::TokenCheck, routes};
use host::{Endpoint, Request, Response};
use http::{HeaderValue, StatusCode};
use identity::Identity;
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);

pub struct CheckToken {
    pub identity: Identity,
}

impl Endpoint for CheckToken {
    const FUNCTION: &'static Function = &routes::CHECK_TOKEN;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let user = self.identity.user(request.headers()).await?;
        let check = TokenCheck {
            user_id: user.id,
            name: user.name,
            is_verified: user.is_verified,
            expires_at: user.expires_at,
        };
        // Envoy lets a request through on 200 only.
        let mut response = host::json_response(StatusCode::OK, &check);
        response.headers_mut().insert("x-user-id", HeaderValue::from(user.id));
        Ok(response)
    }
}
