//! The one table of routes. Envoy's configuration, the OpenAPI document, `cargo lambda watch`'s router and the
//! Kubernetes routes are generated from it or tested equal to it.

/// One function: a folder below `functions/`, one binary, one row of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// The folder below `functions/`, for example `auth-service/check_token`.
    pub folder: &'static str,
    /// Every path the function answers, in the spelling with a trailing slash; the other spelling works too.
    /// A path that ends in `*` stands for everything below it.
    pub paths: &'static [&'static str],
    pub methods: &'static [Method],
    pub access: Access,
    /// A path that is answered whatever the method, and that the gateway never routes: where it asks itself.
    pub gateway_check_path: Option<&'static str>,
    /// The largest request body that is read, in bytes. A larger one is answered 413.
    pub body_max_bytes: usize,
    /// The longest a request may take inside the function, in milliseconds. An overrun is answered 504.
    pub timeout_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, through the gateway.
    Public,
    /// Whoever holds a valid access token: the gateway asks `check_token`, and the function checks again itself.
    Bearer,
    /// Only the event source inside the cluster; the gateway has no route to it.
    Internal,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Bodies that are a few short JSON fields.
const SMALL_BODY_MAX_BYTES: usize = 16 * KIB;

pub const READY: Function = Function {
    folder: "api-gateway/healthz_ready",
    paths: &["/api/api-gateway/healthz/ready/"],
    methods: &[Method::Get],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 5_000,
};

pub const DOCS: Function = Function {
    folder: "api-gateway/docs",
    paths: &["/docs/", "/docs/*", "/openapi.json"],
    methods: &[Method::Get],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 5_000,
};

pub const REGISTER: Function = Function {
    folder: "auth-service/register",
    paths: &["/api/auth-service/register/"],
    methods: &[Method::Post],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 10_000,
};

pub const AUTH: Function = Function {
    folder: "auth-service/auth",
    paths: &["/api/auth-service/auth/"],
    methods: &[Method::Post],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 10_000,
};

/// Public at the gateway because it is itself the check: otherwise it would be asked twice.
pub const CHECK_TOKEN: Function = Function {
    folder: "auth-service/check_token",
    paths: &["/api/auth-service/check_token/"],
    methods: &[Method::Get],
    access: Access::Public,
    // Envoy's external authorization asks with the method of the request that it holds back.
    gateway_check_path: Some("/authorize"),
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 5_000,
};

pub const JWKS: Function = Function {
    folder: "auth-service/jwks",
    paths: &["/.well-known/jwks.json"],
    methods: &[Method::Get],
    access: Access::Public,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 5_000,
};

pub const VERIFY: Function = Function {
    folder: "auth-service/verify",
    paths: &["/api/auth-service/verify/"],
    methods: &[Method::Get, Method::Post],
    access: Access::Bearer,
    gateway_check_path: None,
    // The photo itself plus the multipart frame and a few small fields around it.
    body_max_bytes: crate::verification::PHOTO_MAX_BYTES + 64 * KIB,
    timeout_ms: 30_000,
};

pub const CREATE: Function = Function {
    folder: "transaction-service/create",
    paths: &["/api/transaction-service/create/"],
    methods: &[Method::Post],
    access: Access::Bearer,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 10_000,
};

pub const REPORT: Function = Function {
    folder: "transaction-service/report",
    paths: &["/api/transaction-service/report/"],
    methods: &[Method::Post],
    access: Access::Bearer,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 30_000,
};

pub const GET_VECTOR: Function = Function {
    folder: "face-verification-service/get_vector",
    paths: &["/api/face-verification-service/get_vector/"],
    methods: &[Method::Get],
    access: Access::Bearer,
    gateway_check_path: None,
    body_max_bytes: SMALL_BODY_MAX_BYTES,
    timeout_ms: 30_000,
};

pub const VERIFY_PHOTO: Function = Function {
    folder: "face-verification-service/verify_photo",
    paths: &["/"],
    methods: &[Method::Post],
    access: Access::Internal,
    gateway_check_path: None,
    body_max_bytes: MIB,
    timeout_ms: 60_000,
};

/// Every function that answers requests or events, in the order of the API's documentation.
pub const FUNCTIONS: &[Function] =
    &[READY, REGISTER, AUTH, CHECK_TOKEN, VERIFY, CREATE, REPORT, GET_VECTOR, VERIFY_PHOTO, DOCS, JWKS];

impl Function {
    /// The name of its package, its binary, its Knative Service and its Lambda function: the folder with `-` for
    /// `/` and `_`, because a Kubernetes name has no underscore.
    pub fn name(&self) -> String {
        self.folder.replace(['/', '_'], "-")
    }

    /// Whether this function answers `path`, in either spelling of the trailing slash.
    pub fn answers(&self, path: &str) -> bool {
        self.paths.iter().any(|own| match own.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => own.trim_end_matches('/') == path.strip_suffix('/').unwrap_or(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_answered_and_nothing_else() {
        assert!(REGISTER.answers("/api/auth-service/register/"));
        assert!(REGISTER.answers("/api/auth-service/register"));
        assert!(!REGISTER.answers("/api/auth-service/register//"));
        assert!(!REGISTER.answers("/api/auth-service/registered"));
        assert!(VERIFY_PHOTO.answers("/"));
        assert!(!VERIFY_PHOTO.answers("/x"));
        assert!(DOCS.answers("/docs"));
        assert!(DOCS.answers("/docs/swagger-ui.css"));
        assert!(!DOCS.answers("/docsx"));
    }

    #[test]
    fn the_folder_is_the_route() {
        for function in FUNCTIONS.iter().filter(|f| f.paths[0].starts_with("/api/")) {
            let path = function.paths[0].trim_start_matches("/api/").trim_end_matches('/');
            let (service, endpoint) = path.split_once('/').expect("a service and an endpoint");
            assert_eq!(function.folder, format!("{service}/{}", endpoint.replace('/', "_")));
        }
    }

    #[test]
    fn names_are_kubernetes_names_and_unique() {
        let mut names: Vec<_> = FUNCTIONS.iter().map(Function::name).collect();
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), FUNCTIONS.len());
    }
}
