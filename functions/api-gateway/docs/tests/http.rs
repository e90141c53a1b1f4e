//! The documentation's rows of the contract, and that the document says what the table of routes says.

use api_gateway_docs::document;
use contract::{Access, FUNCTIONS, routes::DOCS};
use reqwest::Method;
use std::collections::BTreeSet;
use testkit::{Answer, FunctionProcess, World};

const BINARY: &str = env!("CARGO_BIN_EXE_api-gateway-docs");

async fn get(function: &FunctionProcess, path: &str) -> Answer {
    Answer::of(reqwest::Client::new().get(format!("{}{path}", function.base_url()))).await
}

#[test]
fn the_document_has_every_operation_of_the_table_of_routes_and_no_other() {
    let document = serde_json::to_value(document()).expect("JSON");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let needs_token = operation["security"].is_array();
            documented.insert((path.clone(), method.to_uppercase(), needs_token));
        }
    }
    let mut expected = BTreeSet::new();
    for function in FUNCTIONS.iter().filter(|function| function.access != Access::Internal) {
        for path in function.paths.iter().filter(|path| !path.ends_with('*')) {
            for method in function.methods {
                // The gateway lets everybody ask `check_token`, which itself wants the token it checks.
                let needs_token = function.access == Access::Bearer || function.gateway_check_path.is_some();
                expected.insert(((*path).to_owned(), method.as_str().to_owned(), needs_token));
            }
        }
    }
    assert_eq!(documented, expected);
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = serde_json::to_value(document()).expect("JSON");
    let text = document.to_string();
    let references: BTreeSet<_> =
        text.split(r##""$ref":"#"##).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 5, "{references:?}");
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_page_and_its_files_are_there() {
    let world = World::new().await;
    let function = world.start(&DOCS, BINARY).await;
    for path in ["/docs", "/docs/"] {
        let page = get(&function, path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        for file in page.body.split(['"']).filter(|text| text.ends_with(".js") || text.ends_with(".css")) {
            let answer =
                reqwest::get(format!("{}/docs/{file}", function.base_url())).await.expect("an answer");
            assert_eq!(answer.status(), 200, "{file}");
            assert!(!answer.bytes().await.expect("a whole body").is_empty(), "{file}");
        }
    }
    assert!(get(&function, "/docs/swagger-initializer.js").await.body.contains("/openapi.json"));
    get(&function, "/docs/../../etc/passwd").await.problem(404);
    get(&function, "/docs/nothing.js").await.problem(404);
}

#[tokio::test]
async fn the_document_is_served_as_json() {
    let world = World::new().await;
    let function = world.start(&DOCS, BINARY).await;
    let answer = get(&function, "/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json(), serde_json::to_value(document()).expect("JSON"));
    Answer::of(function.request(Method::POST)).await.problem(405);
}
