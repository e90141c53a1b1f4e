//! What is accepted as a token, and what is not.

use tokens::{Issuer, Rejected, Subject, Verifier, generate_key_pair};

const ADA: Subject<'_> = Subject { user_id: 7, name: "ada", generation: 3 };

#[test]
fn a_token_tells_what_it_was_issued_for() {
    let pair = generate_key_pair().expect("randomness");
    let token = Issuer::new(&pair.private_pem, 600).expect("a key").issue(ADA);
    let claims = Verifier::new(&pair.jwks_json).expect("a key set").verify(&token).expect("valid");
    assert_eq!(claims.user_id(), Some(7));
    assert_eq!((claims.username.as_str(), claims.generation, claims.exp - claims.iat), ("ada", 3, 600));
}

#[test]
fn a_token_of_another_key_an_old_one_and_a_changed_one_are_refused() {
    let (ours, theirs) = (generate_key_pair().expect("randomness"), generate_key_pair().expect("randomness"));
    let verifier = Verifier::new(&ours.jwks_json).expect("a key set");

    let foreign = Issuer::new(&theirs.private_pem, 600).expect("a key").issue(ADA);
    assert_eq!(verifier.verify(&foreign), Err(Rejected::UnknownKey));

    let token = Issuer::new(&ours.private_pem, 600).expect("a key").issue(ADA);
    let (head, signature) = token.rsplit_once('.').expect("three parts");
    let forged_signature = format!("{head}.{}", "A".repeat(signature.len()));
    assert_eq!(verifier.verify(&forged_signature), Err(Rejected::Invalid));

    for malformed in ["", "x", "a.b.c", "..", head] {
        assert_eq!(verifier.verify(malformed), Err(Rejected::Malformed), "{malformed}");
    }
}

#[test]
fn an_expired_token_is_refused() {
    let pair = generate_key_pair().expect("randomness");
    let token = Issuer::new(&pair.private_pem, 0).expect("a key").issue(ADA);
    let verifier = Verifier::new(&pair.jwks_json).expect("a key set");
    let mut verdict = verifier.verify(&token);
    while verdict.is_ok() {
        // `exp` has whole seconds: the token lives until the next one begins.
        std::thread::yield_now();
        verdict = verifier.verify(&token);
    }
    assert_eq!(verdict, Err(Rejected::Expired));
}

#[test]
fn a_token_without_signature_or_with_a_symmetric_one_is_refused() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let pair = generate_key_pair().expect("randomness");
    let verifier = Verifier::new(&pair.jwks_json).expect("a key set");
    let token = Issuer::new(&pair.private_pem, 600).expect("a key").issue(ADA);
    let mut parts = token.split('.');
    let (head, claims) = (parts.next().expect("a header"), parts.next().expect("claims"));
    let head: serde_json::Value =
        serde_json::from_slice(&BASE64.decode(head).expect("base64")).expect("JSON");
    for algorithm in ["none", "HS256", "RS256"] {
        let mut head = head.clone();
        head["alg"] = algorithm.into();
        let token = format!("{}.{claims}.{}", BASE64.encode(head.to_string()), BASE64.encode([0; 64]));
        assert!(verifier.verify(&token).is_err(), "{algorithm}");
    }
}

#[test]
fn a_key_set_with_a_symmetric_key_is_refused() {
    let set = r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#;
    assert!(Verifier::new(set).is_err());
    assert!(Verifier::new(r#"{"keys":[]}"#).is_err());
}
