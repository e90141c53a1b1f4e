//! The same table of requests against every host: in process, HTTP/1.1, h2c, and the Lambda Runtime API.

#[path = "../../examples/echo/endpoint.rs"]
mod endpoint;
mod lambda;
mod servers;
mod table;

use lambda::Lambda;
use servers::{InProcess, OnPort};
use table::check_every_case;

#[tokio::test]
async fn in_process() {
    check_every_case(&InProcess::new()).await;
}

#[tokio::test]
async fn http_1_1() {
    check_every_case(&OnPort::http_1_1().await).await;
}

#[tokio::test]
async fn h2c() {
    check_every_case(&OnPort::h2c().await).await;
}

#[tokio::test]
async fn lambda_runtime_api() {
    check_every_case(&Lambda::start("echo").await).await;
}
