//! Issuers of tokens, one for each algorithm: what they sign with, and the public keys that they publish.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::support::unsigned;

/// An RSA key of the tests alone: making one takes long, and `ring` makes none.
const RSA: &[u8] = include_bytes!("rsa.der");
pub(crate) const RSA_PEM: &str = include_str!("rsa.pub.pem");

/// The algorithms that tokens are signed with by a key pair.
pub(crate) const ALGORITHMS: [&str; 7] = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];

/// Who signs by one algorithm.
pub(crate) struct Issuer {
    algorithm: &'static str,
    signer: Signer,
}

enum Signer {
    Rsa(Box<RsaKeyPair>, &'static dyn signature::RsaEncoding),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl Issuer {
    /// One with a new key, but for RSA, where all have the same.
    pub(crate) fn of(algorithm: &'static str) -> Self {
        let random = SystemRandom::new();
        let rsa = |encoding| Signer::Rsa(Box::new(RsaKeyPair::from_der(RSA).unwrap()), encoding);
        let curve = |scheme| {
            let pair = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
            Signer::Curve(EcdsaKeyPair::from_pkcs8(scheme, pair.as_ref(), &random).unwrap())
        };
        let signer = match algorithm {
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "ES256" => curve(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => curve(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            "EdDSA" => {
                let pair = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Signer::Edwards(Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap())
            }
            other => panic!("nobody signs by {other}"),
        };
        Self { algorithm, signer }
    }

    /// The algorithm that it signs by.
    pub(crate) fn name(&self) -> &'static str {
        self.algorithm
    }

    /// A token with these claims, that says so.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": self.algorithm }), claims)
    }

    /// A token with these claims, signed as this issuer does, whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.signer {
            Signer::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Signer::Curve(pair) => pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            Signer::Edwards(pair) => pair.sign(text.as_bytes()).as_ref().to_vec(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public key as PEM.
    pub(crate) fn pem(&self) -> String {
        // What stands before the point in a `SubjectPublicKeyInfo` (RFC 5480, RFC 8410).
        let (head, point) = match &self.signer {
            Signer::Rsa(..) => return RSA_PEM.to_owned(),
            Signer::Curve(pair) if self.algorithm == "ES256" => {
                ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", &pair.public_key().as_ref()[1..])
            }
            Signer::Curve(pair) => ("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE", &pair.public_key().as_ref()[1..]),
            Signer::Edwards(pair) => ("MCowBQYDK2VwAyEA", pair.public_key().as_ref()),
        };
        format!("-----BEGIN PUBLIC KEY-----\n{head}{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(point))
    }

    /// The public key as a JSON Web Key, with `more` members.
    pub(crate) fn jwk(&self, more: Value) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.signer {
            Signer::Rsa(pair, _) => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Signer::Curve(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Signer::Edwards(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
        };
        let Value::Object(more) = more else { panic!("members are an object") };
        key.as_object_mut().unwrap().extend(more);
        key
    }
}
