//! Makes the keys that a new installation starts with.

use crate::issuer::public_jwk;
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{JwkSet, PublicKeyUse},
};

/// A private key and the key set with its public half.
pub struct KeyPair {
    /// PKCS#8 PEM: the value of `JWT_PRIVATE_KEY`.
    pub private_pem: String,
    /// A JSON Web Key Set: the value of `JWT_KEYS`.
    pub jwks_json: String,
}

/// A new Ed25519 key pair.
///
/// # Errors
/// The system has no randomness.
pub fn generate_key_pair() -> Result<KeyPair, getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    // Without the public half, as openssl writes it: jsonwebtoken reads no other form.
    let key = KeypairBytes { secret_key: secret, public_key: None };
    let private_pem = key.to_pkcs8_pem(LineEnding::LF).expect("32 bytes are a key");
    let key = EncodingKey::from_ed_pem(private_pem.as_bytes()).expect("it was just written");
    let mut jwk = public_jwk(&key, Algorithm::EdDSA).expect("an Ed25519 key has a public half");
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let jwks_json = serde_json::to_string(&JwkSet { keys: vec![jwk] }).expect("a key set is JSON");
    Ok(KeyPair { private_pem: private_pem.to_string(), jwks_json })
}
