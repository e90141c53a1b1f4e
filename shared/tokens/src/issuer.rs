//! Signs access tokens.

use crate::{AUDIENCE, Claims, ISSUER};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, ThumbprintHash},
};

/// How long an access token is good for when `TOKEN_TTL_SECONDS` says nothing, in seconds.
const TTL_S: u64 = 600;

/// For whom a token is issued.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub user_id: i64,
    pub name: &'a str,
    pub generation: i32,
}

pub struct Issuer {
    key: EncodingKey,
    header: Header,
    ttl_s: u64,
}

impl Issuer {
    /// The issuer with the private key `JWT_PRIVATE_KEY` (PKCS#8 PEM; Ed25519, P-256 or RSA), whose tokens are good
    /// for `TOKEN_TTL_SECONDS`.
    ///
    /// # Errors
    /// A variable is missing or cannot be read.
    pub fn from_env() -> Result<Self, settings::Error> {
        let pem = settings::required_text("JWT_PRIVATE_KEY")?;
        let ttl_s = settings::or_default("TOKEN_TTL_SECONDS", TTL_S)?;
        Self::new(&pem, ttl_s).map_err(|cause| settings::Error::new("JWT_PRIVATE_KEY", cause))
    }

    /// # Errors
    /// `private_pem` is not a private key in PKCS#8 PEM of a kind that is accepted.
    pub fn new(private_pem: &str, ttl_s: u64) -> Result<Self, &'static str> {
        let (key, algorithm) = private_key(private_pem)?;
        let jwk = public_jwk(&key, algorithm)?;
        let header = Header { kid: jwk.common.key_id, ..Header::new(algorithm) };
        Ok(Self { key, header, ttl_s })
    }

    /// Seconds from issue to expiry.
    pub fn ttl_s(&self) -> u64 {
        self.ttl_s
    }

    /// A signed access token for `subject`, good from now on.
    pub fn issue(&self, subject: Subject<'_>) -> String {
        let iat = jsonwebtoken::get_current_timestamp();
        let claims = Claims {
            sub: subject.user_id.to_string(),
            username: subject.name.to_owned(),
            iat,
            exp: iat.saturating_add(self.ttl_s),
            jti: uuid::Uuid::new_v4().to_string(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            generation: subject.generation,
        };
        encode(&self.header, &claims, &self.key).expect("the key was tried when it was read")
    }
}

/// The key with the algorithm that goes with its kind.
fn private_key(pem: &str) -> Result<(EncodingKey, Algorithm), &'static str> {
    let pem = pem.as_bytes();
    let kinds = [
        (EncodingKey::from_ed_pem(pem), Algorithm::EdDSA),
        (EncodingKey::from_ec_pem(pem), Algorithm::ES256),
        (EncodingKey::from_rsa_pem(pem), Algorithm::RS256),
    ];
    let accepted = kinds.into_iter().find_map(|(key, algorithm)| Some((key.ok()?, algorithm)));
    let (key, algorithm) = accepted
        .ok_or("is not a private key in PKCS#8 PEM (BEGIN PRIVATE KEY) of kind Ed25519, P-256 or RSA")?;
    // A curve other than P-256 is read and fails only when it signs.
    encode(&Header::new(algorithm), &(), &key).map_err(|_| "cannot sign: use Ed25519, P-256 or RSA")?;
    Ok((key, algorithm))
}

/// The public half, named by its RFC 7638 thumbprint: the same key has the same `kid` everywhere.
pub(crate) fn public_jwk(key: &EncodingKey, algorithm: Algorithm) -> Result<Jwk, &'static str> {
    let mut jwk =
        Jwk::from_encoding_key(key, algorithm).map_err(|_| "has no public half that can be read")?;
    let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| "has no thumbprint")?;
    jwk.common.key_id = Some(thumbprint);
    Ok(jwk)
}
