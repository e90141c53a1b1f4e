//! What each operation takes and answers.

use contract::{
    Access, Function, Problem,
    credentials::{Credentials, Refresh, TokenBody, TokenCheck},
    problem,
    readiness::Readiness,
    report::ReportRequest,
    routes::{AUTH, CHECK_TOKEN, CREATE, DOCS, GET_VECTOR, JWKS, READY, REGISTER, REPORT, VERIFY},
    transaction::{CreateRequest, IDEMPOTENCY_KEY_MAX_CHARS, TransactionBody},
    verification::{PHOTO_CONTENT_TYPES, PHOTO_FIELD, VerificationBody},
};
use utoipa::{
    ToSchema,
    openapi::{
        ArrayBuilder, Content, ContentBuilder, HttpMethod, KnownFormat, ObjectBuilder, OneOfBuilder, Ref,
        RefOr, Required, ResponseBuilder, Schema, SchemaFormat, Type,
        encoding::EncodingBuilder,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        security::SecurityRequirement,
    },
};

/// The name of the security scheme of operations that need a token.
pub(crate) const BEARER: &str = "access_token";

const GET: HttpMethod = HttpMethod::Get;
const POST: HttpMethod = HttpMethod::Post;

/// Every operation with its path and method.
pub(crate) fn operations() -> Vec<(&'static str, HttpMethod, Operation)> {
    vec![
        (READY.paths[0], GET, ready()),
        (REGISTER.paths[0], POST, register()),
        (AUTH.paths[0], POST, auth()),
        (CHECK_TOKEN.paths[0], GET, check_token()),
        (VERIFY.paths[0], POST, verify()),
        (VERIFY.paths[0], GET, latest_verification()),
        (CREATE.paths[0], POST, create()),
        (REPORT.paths[0], POST, report()),
        (GET_VECTOR.paths[0], GET, get_vector()),
        (DOCS.paths[0], GET, page()),
        (DOCS.paths[2], GET, openapi()),
        (JWKS.paths[0], GET, jwks()),
    ]
}

fn ready() -> Operation {
    operation(&READY, "Whether everything that the API depends on answers")
        .response("200", json("It does. A cache that is down only makes answers slower.", of::<Readiness>()))
        .responses_of(&[405, 503])
        .build()
}

fn register() -> Operation {
    operation(&REGISTER, "Make a user, and log in")
        .request_body(Some(json_body(of::<Credentials>())))
        .response("201", json("The user was made; the token is good at once.", of::<TokenBody>()))
        .responses_of(&[400, 405, 409, 413, 415, 422, 503])
        .build()
}

fn auth() -> Operation {
    let either = OneOfBuilder::new().item(of::<Credentials>()).item(of::<Refresh>()).build();
    operation(&AUTH, "Get a token for a name and password, or refresh it")
        .description(Some(
            "A refresh token is good for one use. Using one twice revokes all tokens refreshed from it.",
        ))
        .request_body(Some(json_body(Schema::from(either).into())))
        .response("201", json("A new pair of tokens.", of::<TokenBody>()))
        .responses_of(&[400, 401, 403, 405, 413, 415, 422, 503])
        .build()
}

fn check_token() -> Operation {
    operation(&CHECK_TOKEN, "Whose token this is")
        .security(bearer())
        .response(
            "200",
            json("The token is good. The header `x-user-id` names the user too.", of::<TokenCheck>()),
        )
        .responses_of(&[401, 405, 503])
        .build()
}

fn verify() -> Operation {
    operation(&VERIFY, "Upload a photo to be verified by")
        .description(Some("The verdict comes later: ask with GET. The first photo of a face enrols it; later photos must show the same face."))
        .request_body(Some(photo_body()))
        .response("201", json("The photo is kept, and will be verified or rejected.", of::<VerificationBody>()))
        .responses_of(&[400, 401, 403, 405, 413, 415, 422, 503])
        .build()
}

fn latest_verification() -> Operation {
    operation(&VERIFY, "What became of the latest photo")
        .operation_id(Some("auth-service-verify-latest"))
        .parameter(user_id())
        .response("200", json("The latest verification.", of::<VerificationBody>()))
        .responses_of(&[401, 403, 404, 405, 422, 503])
        .build()
}

fn create() -> Operation {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The same key with the same body gives the first answer again; with another body, 422.",
        ))
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).max_length(Some(IDEMPOTENCY_KEY_MAX_CHARS)),
        ))
        .build();
    operation(&CREATE, "Move money")
        .description(Some("The words `Пополнение` and `Снятие` mean `deposit` and `withdrawal`."))
        .parameter(key)
        .request_body(Some(json_body(of::<CreateRequest>())))
        .response("201", json("The transaction, with the balance after it.", of::<TransactionBody>()))
        .responses_of(&[400, 401, 403, 405, 409, 413, 415, 422, 503])
        .build()
}

fn report() -> Operation {
    let rows = ArrayBuilder::new().items(of::<TransactionBody>()).build();
    operation(&REPORT, "The transactions of a time, the newest last")
        .description(Some("Both ends are inclusive. A time without an offset is read as UTC."))
        .request_body(Some(json_body(of::<ReportRequest>())))
        .response("201", json("The transactions, without balances.", Schema::from(rows).into()))
        .responses_of(&[400, 401, 403, 405, 413, 415, 422, 503])
        .build()
}

fn get_vector() -> Operation {
    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Float)));
    let vector = ArrayBuilder::new().items(number).min_items(Some(128)).max_items(Some(128)).build();
    let path = ParameterBuilder::new()
        .name("path")
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some("The `path` of a verification."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    operation(&GET_VECTOR, "The vector of the face on one's own photo")
        .parameter(path)
        .parameter(user_id())
        .response("200", json("128 numbers of unit length in all.", Schema::from(vector).into()))
        .responses_of(&[401, 403, 404, 405, 422, 503])
        .build()
}

fn page() -> Operation {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let page =
        ResponseBuilder::new().description("A web page.").content("text/html", Content::new(Some(text)));
    operation(&DOCS, "This documentation as a page").response("200", page).responses_of(&[405]).build()
}

fn openapi() -> Operation {
    operation(&DOCS, "This documentation as an OpenAPI document")
        .operation_id(Some("api-gateway-docs-openapi"))
        .response("200", json("An OpenAPI document.", ObjectBuilder::new().into()))
        .responses_of(&[405])
        .build()
}

fn jwks() -> Operation {
    operation(&JWKS, "The public keys that verify access tokens")
        .response("200", json("A JSON Web Key Set (RFC 7517).", ObjectBuilder::new().into()))
        .responses_of(&[405])
        .build()
}

fn operation(function: &Function, summary: &str) -> OperationBuilder {
    let service = function.folder.split('/').next().unwrap_or_default();
    let builder =
        OperationBuilder::new().tag(service).operation_id(Some(function.name())).summary(Some(summary));
    if function.access == Access::Bearer { builder.security(bearer()) } else { builder }
}

fn bearer() -> SecurityRequirement {
    SecurityRequirement::new(BEARER, Vec::<String>::new())
}

fn of<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn json(description: &str, schema: RefOr<Schema>) -> ResponseBuilder {
    ResponseBuilder::new().description(description).content("application/json", Content::new(Some(schema)))
}

fn json_body(schema: RefOr<Schema>) -> RequestBody {
    let content = Content::new(Some(schema));
    RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
}

fn photo_body() -> RequestBody {
    let file = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    let form = ObjectBuilder::new().property(PHOTO_FIELD, file).required(PHOTO_FIELD);
    let encoding = EncodingBuilder::new().content_type(Some(PHOTO_CONTENT_TYPES.join(", ")));
    let content = ContentBuilder::new().schema(Some(form)).encoding(PHOTO_FIELD, encoding).build();
    RequestBodyBuilder::new().content("multipart/form-data", content).required(Some(Required::True)).build()
}

fn user_id() -> Parameter {
    ParameterBuilder::new()
        .name("user_id")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some("Accepted for older clients; it must be the token's own user."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
        .build()
}

trait Refusals {
    /// Adds the refusals with these statuses.
    fn responses_of(self, statuses: &[u16]) -> Self;
}

impl Refusals for OperationBuilder {
    fn responses_of(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |builder, status| {
            let content = Content::new(Some(of::<Problem>()));
            let response =
                ResponseBuilder::new().description(refusal(*status)).content(problem::CONTENT_TYPE, content);
            builder.response(status.to_string(), response)
        })
    }
}

/// When a status is answered, in the words of the contract.
fn refusal(status: u16) -> &'static str {
    match status {
        400 => "The body is not JSON or not multipart, or a header is malformed.",
        401 => "There is no token, or it is not valid, expired or revoked.",
        403 => "It is another user's, or the name or the password is wrong.",
        404 => "There is no such photo or verification.",
        405 => "The method is not one of those in the `Allow` header.",
        409 => "The name is taken, or the withdrawal is over the limit.",
        413 => "The body is too large.",
        415 => "The content type is not accepted, or the photo is not JPEG, PNG or WebP.",
        422 => "It is well-formed and not valid: see `errors` and `detail`.",
        _ => "Something that is needed is down. Nothing was changed; try again after `Retry-After` seconds.",
    }
}
