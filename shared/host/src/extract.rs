//! Reads requests.

use crate::Request;
use contract::{FieldError, Problem};
use garde::Validate;
use http::header;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The bytes of the body, whatever kind the host took them for.
pub fn body(request: &Request) -> &[u8] {
    request.body().as_ref()
}

/// The media type of the body without its parameters, in lower case; `None` when the header is missing.
///
/// # Errors
/// 400 when the header is not text.
pub fn content_type(request: &Request) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(None) };
    let text =
        value.to_str().map_err(|_| Problem::bad_request("The Content-Type header is not readable text."))?;
    Ok(Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()))
}

/// The body as a `T`. Fields that `T` does not know are ignored.
///
/// # Errors
/// 415 when it is said to be something else than JSON, 400 when it is not JSON, 422 when it is JSON of another shape.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    match content_type(request)?.as_deref() {
        None | Some("application/json") => {}
        Some(kind) if kind.starts_with("application/") && kind.ends_with("+json") => {}
        Some(_) => return Err(Problem::unsupported_media_type("Send the body as application/json.")),
    }
    let bytes = body(request);
    // A struct could also be read from an array of its fields in order, which nobody was promised.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Problem::unprocessable("The body must be a JSON object."),
            Err(_) => not_json(),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // Not every wrong type is told apart from wrong JSON: a number instead of a word is not.
        let is_json = error.inner().is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
        let field = error.path().to_string();
        match is_json {
            true => Problem::validation(vec![field_error(field, &error.inner().to_string())]),
            false => not_json(),
        }
    })?;
    deserializer.end().map_err(|_| not_json())?;
    Ok(value)
}

/// As [`json`], and every field keeps its rule.
///
/// # Errors
/// As [`json`], and 422 with an entry for each field that is not valid.
pub fn valid_json<T: DeserializeOwned + Validate<Context = ()>>(request: &Request) -> Result<T, Problem> {
    let value: T = json(request)?;
    value.validate().map_err(|report| {
        let entry = |(path, error): &(garde::Path, garde::Error)| FieldError {
            field: path.to_string(),
            message: format!("is not valid: {}", error.message()),
        };
        Problem::validation(report.iter().map(entry).collect())
    })?;
    Ok(value)
}

fn not_json() -> Problem {
    Problem::bad_request("The body is not valid JSON.")
}

/// What serde found wrong, without what the client sent: an answer does not repeat its input.
fn field_error(path: String, message: &str) -> FieldError {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    // These two name the field themselves, and it is one that we know.
    for (prefix, problem) in
        [("missing field `", "is required"), ("duplicate field `", "is given more than once")]
    {
        if let Some(field) = message.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('`')) {
            return FieldError { field: field.to_owned(), message: problem.into() };
        }
    }
    let message = match message.rsplit_once(", expected ") {
        Some((_, "i64" | "i32" | "u64" | "u32")) => "must be a whole number".to_owned(),
        Some((_, expected)) => format!("must be {expected}"),
        // Our own deserializers say what a value must be; anything else of serde's could repeat the input.
        None if message.starts_with("must be ") => message.to_owned(),
        None => "is not valid".to_owned(),
    };
    FieldError { field: path, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        In,
        Out,
    }

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[expect(dead_code, reason = "only its being read matters")]
        amount: i64,
        #[expect(dead_code, reason = "only its being read matters")]
        kind: Kind,
    }

    fn problem(body: &str) -> Problem {
        let request = http::Request::new(lambda_http::Body::from(body));
        json::<Sample>(&request).expect_err("not valid")
    }

    #[test]
    fn what_is_not_json_is_400() {
        for body in ["", "x", "{", r#"{"amount":1,"kind":"in"} x"#, r#"{"amount":1,}"#, "\u{feff}{}"] {
            assert_eq!(problem(body).status, 400, "{body}");
        }
    }

    #[test]
    fn json_of_another_shape_is_422_and_names_the_field_without_repeating_the_input() {
        for (body, field, message) in [
            (r#"{"kind":"in"}"#, "amount", "is required"),
            (r#"{"amount":"secret","kind":"in"}"#, "amount", "must be a whole number"),
            (r#"{"amount":1.5,"kind":"in"}"#, "amount", "must be a whole number"),
            (r#"{"amount":99999999999999999999,"kind":"in"}"#, "amount", "must be a whole number"),
            (r#"{"amount":1,"kind":"secret, expected x"}"#, "kind", "must be `in` or `out`"),
            (r#"{"amount":1,"kind":7}"#, "kind", "is not valid"),
            (r#"{"amount":1,"amount":2,"kind":"in"}"#, "amount", "is given more than once"),
        ] {
            let problem = problem(body);
            assert_eq!(problem.status, 422, "{body}");
            assert_eq!(
                problem.errors,
                [FieldError { field: field.into(), message: message.into() }],
                "{body}"
            );
        }
        for body in ["[1,\"in\"]", "null", "\"text\"", " 7 "] {
            assert_eq!(problem(body).status, 422, "{body}");
        }
    }
}
