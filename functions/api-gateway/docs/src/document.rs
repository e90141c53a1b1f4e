//! The OpenAPI document: what `operations` says, put together with the schemas of the contract's types.

use crate::operations::{BEARER, operations};
use contract::{
    FieldError, Problem,
    credentials::{Credentials, Refresh, TokenBody, TokenCheck},
    readiness::{Component, Components, Readiness},
    report::ReportRequest,
    transaction::{CreateRequest, TransactionBody, TransactionType},
    verification::{Status, VerificationBody},
};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

const DESCRIPTION: &str = "The backend of a credit card that a face unlocks: register, upload a photo, be verified, make \
     transactions, read a report. Every path answers with and without its trailing slash. Errors are \
     `application/problem+json` (RFC 9457).";

/// The document of every operation that can be called from outside.
pub fn document() -> OpenApi {
    let mut paths = Paths::new();
    for (path, method, operation) in operations() {
        paths.add_path_operation(path, vec![method], operation);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = ComponentsBuilder::new()
        .schema_from::<Component>()
        .schema_from::<Components>()
        .schema_from::<CreateRequest>()
        .schema_from::<Credentials>()
        .schema_from::<FieldError>()
        .schema_from::<Problem>()
        .schema_from::<Readiness>()
        .schema_from::<Refresh>()
        .schema_from::<ReportRequest>()
        .schema_from::<Status>()
        .schema_from::<TokenBody>()
        .schema_from::<TokenCheck>()
        .schema_from::<TransactionBody>()
        .schema_from::<TransactionType>()
        .schema_from::<VerificationBody>()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .build();
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Visage")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}
