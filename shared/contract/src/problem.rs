//! Problem details (RFC 9457): the one shape of every error answer.

use serde::{Deserialize, Serialize};

/// An error that a client sees. `detail` is a sentence a person can act on; causes go to the log, never in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem, for example `/problems/insufficient-funds`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(example = "/problems/validation"))]
    pub kind: String,
    #[cfg_attr(feature = "openapi", schema(example = "Unprocessable Entity"))]
    pub title: String,
    /// The HTTP status, repeated for clients that see only the body.
    #[cfg_attr(feature = "openapi", schema(example = 422))]
    pub status: u16,
    #[cfg_attr(feature = "openapi", schema(example = "Some fields are not valid: see errors."))]
    pub detail: String,
    /// One entry for each field that is not valid; absent when the problem is not about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// How long to wait before trying again, in seconds: becomes the `Retry-After` header.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub retry_after_s: Option<u32>,
    /// The methods that a 405 names in its `Allow` header.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub allow: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    #[cfg_attr(feature = "openapi", schema(example = "amount"))]
    pub field: String,
    #[cfg_attr(feature = "openapi", schema(example = "must be a whole number greater than 0"))]
    pub message: String,
}

/// The media type of a [`Problem`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What a 503 tells the client to wait before it tries again. Restarts of the dependencies take about this long.
const UNAVAILABLE_RETRY_AFTER_S: u32 = 5;

impl Problem {
    fn new(status: u16, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{slug}"),
            title: title.into(),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            allow: None,
        }
    }

    /// 400: the request cannot be read at all.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "Bad Request", detail)
    }

    /// 401: there is no valid access token.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthorized", "Unauthorized", detail)
    }

    /// 403: known, and not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Forbidden", detail)
    }

    /// 404: no such route, photo or verification.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "Not Found", detail)
    }

    /// 405: the path is right and the method is not. `allow` is the list of methods that are, as in the header.
    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("This path answers {allow} only.");
        Self { allow: Some(allow), ..Self::new(405, "method-not-allowed", "Method Not Allowed", detail) }
    }

    /// 409: the request contradicts what is stored.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "Conflict", detail)
    }

    /// 409: the withdrawal is over what the account may go to.
    pub fn insufficient_funds() -> Self {
        let detail = "The withdrawal is over the limit of this account. Withdraw less, deposit first, or get \
                      verified to go into credit.";
        Self::new(409, "insufficient-funds", "Insufficient Funds", detail)
    }

    /// 413: the body has more than `body_max_bytes` bytes.
    pub fn too_large(body_max_bytes: usize) -> Self {
        let detail =
            format!("The request body is larger than the {body_max_bytes} bytes that are accepted here.");
        Self::new(413, "too-large", "Content Too Large", detail)
    }

    /// 415: a content type or an image format that is not accepted.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(415, "unsupported-media-type", "Unsupported Media Type", detail)
    }

    /// 422: well-formed, and not valid for a reason that is no single field's.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(422, "unprocessable", "Unprocessable Entity", detail)
    }

    /// 422: fields are not valid.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields are not valid: see errors.";
        Self { errors, ..Self::new(422, "validation", "Unprocessable Entity", detail) }
    }

    /// 422: one field is not valid.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// 429: too many attempts; the next one may come in `retry_after_s` seconds.
    pub fn too_many_requests(retry_after_s: u32, detail: impl Into<String>) -> Self {
        let problem = Self::new(429, "too-many-requests", "Too Many Requests", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// 500: our fault, and not a dependency's.
    pub fn internal() -> Self {
        let detail = "Something went wrong on our side. It was logged; trying again may help.";
        Self::new(500, "internal", "Internal Server Error", detail)
    }

    /// 503: a dependency is down and nothing was changed.
    pub fn unavailable(what: &str) -> Self {
        let detail =
            format!("The {what} cannot be reached at the moment. Nothing was changed; try again shortly.");
        let problem = Self::new(503, "unavailable", "Service Unavailable", detail);
        Self { retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S), ..problem }
    }

    /// 504: the request took longer than the function may take.
    pub fn timed_out() -> Self {
        let detail = "The request took too long and was given up. Ask for the state before you try again.";
        Self::new(504, "timed-out", "Gateway Timeout", detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_rfc_9457_json_without_empty_members() {
        let json = serde_json::to_value(Problem::unavailable("database")).expect("a problem is JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "type": "/problems/unavailable", "title": "Service Unavailable", "status": 503,
                "detail": "The database cannot be reached at the moment. Nothing was changed; try again shortly."
            })
        );
        let json =
            serde_json::to_value(Problem::invalid_field("name", "is too long")).expect("a problem is JSON");
        assert_eq!(json["errors"], serde_json::json!([{"field": "name", "message": "is too long"}]));
    }
}
