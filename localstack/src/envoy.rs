//! Envoy's configuration, made from the table of routes, and Envoy itself.

use crate::{
    Context, Error,
    folders::DataFolder,
    packages,
    process::{Process, Program, free_port},
    ready::until_ready,
};
use contract::{Access, FUNCTIONS, Function, routes::CHECK_TOKEN};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, net::Ipv4Addr, time::Duration};
use tokio::net::TcpStream;

const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// What is added to a function's own timeout, so that its answer arrives before Envoy gives it up, in milliseconds.
const TIMEOUT_MARGIN_MS: u64 = 2_000;
/// How long the gateway waits for `check_token`, in seconds.
const CHECK_TIMEOUT: &str = "3s";
const CONNECT_TIMEOUT: &str = "0.25s";

/// What a client may not say about itself, because functions behind a gateway could be tempted to believe it.
const IDENTITY_HEADERS: [&str; 4] = ["x-user-id", "x-user-name", "x-user", "x-forwarded-user"];

/// The port of each function, by name.
pub type Ports = BTreeMap<String, u16>;

/// Starts Envoy on `port` of 127.0.0.1, in front of the functions.
///
/// # Errors
/// It cannot be fetched, the port is taken, or it does not start.
pub async fn start(folder: &DataFolder, port: u16, functions: &Ports) -> Result<Process, Error> {
    let path = folder.path().join("envoy.json");
    let config =
        serde_json::to_string_pretty(&config(port, free_port()?, functions)).context("writing JSON")?;
    fs::write(&path, config).context("writing Envoy's configuration")?;
    let program =
        Program::new("envoy", packages::ENVOY.modules()?.join("envoy/_bin/envoy"), folder.log("envoy"));
    let program = program.args(["--config-path".into(), path.into_os_string()]).args([
        "--concurrency",
        "2",
        "--log-level",
        "warning",
        "--disable-hot-restart",
    ]);
    let mut process = program.start()?;
    let connects = || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() };
    until_ready(&mut process, READY_TIMEOUT, connects).await?;
    Ok(process)
}

/// The whole configuration. JSON is YAML: Envoy reads both.
pub fn config(port: u16, admin_port: u16, functions: &Ports) -> Value {
    let clusters: Vec<_> = functions.iter().map(|(name, port)| cluster(name, *port)).collect();
    json!({
        "admin": { "address": address(admin_port) },
        "static_resources": {
            "listeners": [{
                "name": "gateway",
                "address": address(port),
                "per_connection_buffer_limit_bytes": 1_048_576,
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": connection_manager(),
                }] }],
            }],
            "clusters": clusters,
        },
    })
}

fn connection_manager() -> Value {
    let type_url = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let mutations: Vec<_> = IDENTITY_HEADERS.iter().map(|name| json!({ "remove": name })).collect();
    json!({
        "@type": at(type_url),
        "stat_prefix": "gateway",
        "codec_type": "AUTO",
        "server_header_transformation": "PASS_THROUGH",
        "use_remote_address": true,
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "generate_request_id": true,
        // Otherwise a request id that is no UUID would change whether the client's trace is sampled.
        "request_id_extension": { "typed_config": {
            "@type": at("envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"),
            "pack_trace_reason": false,
            "use_request_id_for_trace_sampling": false,
        } },
        "preserve_external_request_id": true,
        "always_set_request_id_in_response": true,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "60s",
        "common_http_protocol_options": { "idle_timeout": "300s", "headers_with_underscores_action": "REJECT_REQUEST" },
        // Before every filter and on every route: nobody outside may speak as a user.
        "early_header_mutation_extensions": [{
            "name": "envoy.http.early_header_mutation.header_mutation",
            "typed_config": {
                "@type": at("envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"),
                "mutations": mutations,
            },
        }],
        "access_log": [access_log()],
        "local_reply_config": local_replies(),
        "http_filters": [external_authorization(), body_limit(), {
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": at("envoy.extensions.filters.http.router.v3.Router"),
                "suppress_envoy_headers": true,
            },
        }],
        "route_config": {
            "name": "functions",
            "virtual_hosts": [{ "name": "api", "domains": ["*"], "routes": routes() }],
        },
    })
}

/// One route for each path of each function that is not internal, and at last one for everything else.
fn routes() -> Vec<Value> {
    let open = FUNCTIONS.iter().filter(|function| function.access != Access::Internal);
    let mut routes: Vec<_> =
        open.flat_map(|function| function.paths.iter().map(|path| route(function, path))).collect();
    routes.push(json!({
        "name": "not-found",
        "match": { "prefix": "/" },
        "direct_response": { "status": 404, "body": { "inline_string": problem(404, "not-found", "Not Found",
            "There is nothing at this path. The paths are listed at /docs/.").to_string() } },
        "response_headers_to_add": [{ "header": { "key": "content-type", "value": "application/problem+json" } }],
        "typed_per_filter_config": { "envoy.filters.http.ext_authz": unchecked() },
    }));
    routes
}

fn route(function: &Function, path: &str) -> Value {
    let path_match = match path.strip_suffix('*') {
        Some(prefix) => json!({ "prefix": prefix }),
        None => json!({ "safe_regex": { "regex": format!("{}/?", escaped(path.trim_end_matches('/'))) } }),
    };
    let mut filters = json!({ "envoy.filters.http.buffer": {
        "@type": at("envoy.extensions.filters.http.buffer.v3.BufferPerRoute"),
        "buffer": { "max_request_bytes": function.body_max_bytes },
    } });
    if function.access == Access::Public {
        filters["envoy.filters.http.ext_authz"] = unchecked();
    }
    json!({
        "name": function.name(),
        "match": path_match,
        "route": { "cluster": function.name(), "timeout": seconds(function.timeout_ms + TIMEOUT_MARGIN_MS) },
        "typed_per_filter_config": filters,
    })
}

fn unchecked() -> Value {
    json!({ "@type": at("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"), "disabled": true })
}

/// The gateway asks `check_token` before it lets a request through; when that cannot be asked, nobody passes.
fn external_authorization() -> Value {
    let exact = |names: &[&str]| {
        let patterns: Vec<_> = names.iter().map(|name| json!({ "exact": name })).collect();
        json!({ "patterns": patterns })
    };
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": at("envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"),
            "transport_api_version": "V3",
            "failure_mode_allow": false,
            "status_on_error": { "code": "ServiceUnavailable" },
            "clear_route_cache": false,
            "allowed_headers": exact(&["authorization", "x-request-id", "traceparent", "tracestate"]),
            "http_service": {
                "server_uri": {
                    "uri": format!("http://{}", CHECK_TOKEN.name()),
                    "cluster": CHECK_TOKEN.name(),
                    "timeout": CHECK_TIMEOUT,
                },
                "path_override": CHECK_TOKEN.gateway_check_path,
                "authorization_response": {
                    "allowed_upstream_headers": exact(&["x-user-id"]),
                    "allowed_client_headers": exact(&["content-type", "www-authenticate", "retry-after"]),
                },
            },
        },
    })
}

fn body_limit() -> Value {
    let largest = FUNCTIONS.iter().map(|function| function.body_max_bytes).max();
    json!({
        "name": "envoy.filters.http.buffer",
        "typed_config": {
            "@type": at("envoy.extensions.filters.http.buffer.v3.Buffer"),
            "max_request_bytes": largest,
        },
    })
}

/// What Envoy answers itself has the shape of every other error. A refusal of `check_token` (401) passes unchanged.
fn local_replies() -> Value {
    let replies = [
        (400, "bad-request", "Bad Request", "The request is not valid HTTP for this gateway."),
        (413, "too-large", "Content Too Large", "The request body is larger than is accepted here."),
        (431, "headers-too-large", "Request Header Fields Too Large", "The request headers are too large."),
        (
            503,
            "unavailable",
            "Service Unavailable",
            "A function cannot be reached at the moment. Nothing was changed; try again shortly.",
        ),
        (
            504,
            "timed-out",
            "Gateway Timeout",
            "The request took too long and was given up. Ask for the state before you try again.",
        ),
    ];
    let mapper = |(status, slug, title, detail): (u16, &str, &str, &str)| {
        let mut headers = Vec::new();
        if status == 503 {
            headers.push(json!({ "header": { "key": "retry-after", "value": "5" },
                                 "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }));
        }
        json!({
            "filter": { "status_code_filter": { "comparison": {
                "op": "EQ",
                "value": { "default_value": status, "runtime_key": format!("local_reply_{status}") },
            } } },
            "headers_to_add": headers,
            "body_format_override": {
                "json_format": problem(status, slug, title, detail),
                "content_type": "application/problem+json",
            },
        })
    };
    json!({ "mappers": replies.map(mapper) })
}

fn problem(status: u16, slug: &str, title: &str, detail: &str) -> Value {
    json!({ "type": format!("/problems/{slug}"), "title": title, "status": status, "detail": detail })
}

fn access_log() -> Value {
    json!({
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": at("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"),
            "log_format": { "json_format": {
                "time": "%START_TIME%",
                "method": "%REQ(:METHOD)%",
                "route": "%ROUTE_NAME%",
                "status": "%RESPONSE_CODE%",
                "flags": "%RESPONSE_FLAGS%",
                "details": "%RESPONSE_CODE_DETAILS%",
                "bytes_in": "%BYTES_RECEIVED%",
                "bytes_out": "%BYTES_SENT%",
                "duration_ms": "%DURATION%",
                "upstream": "%UPSTREAM_HOST%",
                "request_id": "%REQ(X-REQUEST-ID)%",
                "traceparent": "%REQ(TRACEPARENT)%",
                "user_id": "%REQ(X-USER-ID)%",
            } },
        },
    })
}

fn cluster(name: &str, port: u16) -> Value {
    let limits = json!({ "max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024 });
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": CONNECT_TIMEOUT,
        "circuit_breakers": { "thresholds": [limits] },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(port) } }] }],
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn at(type_name: &str) -> String {
    format!("type.googleapis.com/{type_name}")
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}s", milliseconds / 1000, milliseconds % 1000)
}

/// A path as a regular expression that matches it alone.
fn escaped(path: &str) -> String {
    path.replace('.', "\\.")
}
