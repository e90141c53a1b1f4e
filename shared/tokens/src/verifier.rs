//! Verifies access tokens with public keys only.

use crate::{AUDIENCE, Claims, ISSUER};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use std::collections::HashMap;

/// The public keys, as they are published. What is not part of a public key is not read into it, so that a private
/// key that was configured by mistake is not given away.
pub type PublicKeySet = JwkSet;

/// The key set `JWT_KEYS`, found good for verifying.
///
/// # Errors
/// As [`Verifier::from_env`].
pub fn public_key_set_from_env() -> Result<PublicKeySet, settings::Error> {
    let jwks = settings::required_text("JWT_KEYS")?;
    let wrong = |cause| settings::Error::new("JWT_KEYS", cause);
    Verifier::new(&jwks).map_err(wrong)?;
    parse(&jwks).map_err(wrong)
}

pub struct Verifier {
    keys: HashMap<String, (DecodingKey, Validation)>,
}

/// Why a token is not accepted. For the log: a client is told no more than that it is not valid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Rejected {
    #[error("it is not a JWT with a key id")]
    Malformed,
    #[error("its key is not in the key set")]
    UnknownKey,
    #[error("it has expired")]
    Expired,
    #[error("its signature or a claim is not valid")]
    Invalid,
}

impl Verifier {
    /// The verifier with the key set `JWT_KEYS` (a JSON Web Key Set).
    ///
    /// # Errors
    /// The variable is missing or is not a key set of public keys.
    pub fn from_env() -> Result<Self, settings::Error> {
        let jwks = settings::required_text("JWT_KEYS")?;
        Self::new(&jwks).map_err(|cause| settings::Error::new("JWT_KEYS", cause))
    }

    /// # Errors
    /// `jwks_json` is not a JSON Web Key Set, or holds a key that is symmetric, unnamed or of another kind than
    /// Ed25519, P-256 and RSA.
    pub fn new(jwks_json: &str) -> Result<Self, &'static str> {
        let set = parse(jwks_json)?;
        if set.keys.is_empty() {
            return Err("holds no key");
        }
        let keys: Result<_, _> = set.keys.iter().map(verification_key).collect();
        Ok(Self { keys: keys? })
    }

    /// What the token says, once its signature, issuer, audience and times are found right.
    ///
    /// # Errors
    /// It is not a token of ours, or no longer valid.
    pub fn verify(&self, token: &str) -> Result<Claims, Rejected> {
        let kid = decode_header(token).ok().and_then(|header| header.kid).ok_or(Rejected::Malformed)?;
        let (key, validation) = self.keys.get(&kid).ok_or(Rejected::UnknownKey)?;
        let expired = jsonwebtoken::errors::ErrorKind::ExpiredSignature;
        match decode::<Claims>(token, key, validation) {
            Ok(token) => Ok(token.claims),
            Err(cause) if *cause.kind() == expired => Err(Rejected::Expired),
            Err(_) => Err(Rejected::Invalid),
        }
    }
}

fn parse(jwks_json: &str) -> Result<JwkSet, &'static str> {
    serde_json::from_str(jwks_json).map_err(|_| "is not a JSON Web Key Set")
}

/// The key under its name, with the one algorithm it is for: a token does not get to choose.
fn verification_key(jwk: &Jwk) -> Result<(String, (DecodingKey, Validation)), &'static str> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return Err("holds a key that is not Ed25519, P-256 or RSA"),
    };
    let kid = jwk.common.key_id.clone().ok_or("holds a key without a kid")?;
    let key = DecodingKey::from_jwk(jwk).map_err(|_| "holds a key that cannot be read")?;
    let mut validation = Validation::new(algorithm);
    validation.leeway = 0;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok((kid, (key, validation)))
}
