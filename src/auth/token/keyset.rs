//! The keys that tokens are signed for, each with its one algorithm and the rules of its tokens.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};

use crate::{
    config::{self, Secret, Tokens},
    error::{Error, Result},
};

/// What holds of all tokens.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// The algorithm that keys must have, if one is configured.
    algorithm: Option<Algorithm>,
    /// The checks of claims.
    validation: Validation,
}

/// The keys that are believed.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

/// A key that tokens are signed for.
pub(super) struct Key {
    /// Its name, if it has one.
    id: Option<String>,
    pub(super) key: DecodingKey,
    /// The checks of its tokens, the algorithm among them.
    pub(super) validation: Validation,
}

impl Rules {
    /// The rules of the settings.
    pub(super) fn of(settings: &Tokens) -> Result<Self> {
        let missing = |flag: &str, claim: &str| {
            Error::Startup(format!(
                "tokens need `{flag}`: without it, tokens that were made for another service would be believed; it must \
                 be what they have as `{claim}`"
            ))
        };
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let issuer = given(&settings.jwt_issuer).ok_or_else(|| missing("--jwt-issuer", "iss"))?;
        let audience = given(&settings.jwt_audience).ok_or_else(|| missing("--jwt-audience", "aud"))?;
        // The library's own defaults: `exp` required and checked, a leeway of a minute, `nbf` not looked at, `iss` and
        // `aud` not required, and any issuer.
        let mut validation = Validation::default();
        validation.algorithms.clear();
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.validate_nbf = true;
        validation.leeway = settings.jwt_leeway;
        Ok(Self { algorithm: settings.jwt_algorithm.map(named), validation })
    }

    fn key(&self, id: Option<String>, algorithm: Algorithm, key: DecodingKey) -> Key {
        Key { id, key, validation: Validation { algorithms: vec![algorithm], ..self.validation.clone() } }
    }

    /// The one algorithm of a key that can be used by those of `fitting`, and says that it is for `own`.
    fn pin(&self, fitting: &[Algorithm], own: Option<Algorithm>) -> Result<Algorithm, String> {
        let list = || fitting.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(", ");
        match (self.algorithm, own) {
            (Some(set), Some(own)) if set != own => Err(format!("it is for {own:?}, and `--jwt-algorithm` is {set:?}")),
            (Some(only), _) | (None, Some(only)) if fitting.contains(&only) => Ok(only),
            (Some(only), _) | (None, Some(only)) => {
                Err(format!("a key of this type is for {}, not for {only:?}", list()))
            }
            (None, None) if fitting.len() == 1 => Ok(fitting[0]),
            (None, None) => {
                Err(format!("it fits several algorithms: choose one with `--jwt-algorithm`, of {}", list()))
            }
        }
    }
}

impl KeySet {
    /// The one key that the issuer has too.
    pub(super) fn secret(secret: &Secret, rules: &Rules) -> Self {
        Self(vec![rules.key(None, Algorithm::HS256, DecodingKey::from_secret(secret.expose().as_bytes()))])
    }

    /// The keys of a PEM file or a JSON Web Key Set ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    pub(super) fn parse(text: &str, rules: &Rules) -> Result<Self, String> {
        if text.contains("PRIVATE KEY-----") {
            return Err("it holds a private key, which belongs to the issuer alone; give the public one".to_owned());
        }
        if text.trim_start().starts_with('{') { Self::set(text, rules) } else { Ok(Self(vec![pem(text, rules)?])) }
    }

    fn set(text: &str, rules: &Rules) -> Result<Self, String> {
        // Its message would quote the file.
        let set: JwkSet = serde_json::from_str(text)
            .map_err(|e| format!("it is no JSON Web Key Set: see line {}, column {}", e.line(), e.column()))?;
        let (mut keys, mut unfit) = (Vec::<Key>::new(), Vec::new());
        for (at, jwk) in set.keys.iter().enumerate() {
            match jwk_key(jwk, rules) {
                Ok(key) if key.id.is_some() && keys.iter().any(|other| other.id == key.id) => {
                    return Err(format!("`/keys/{at}` has the `kid` of a key before it"));
                }
                Ok(key) => keys.push(key),
                Err(why) => unfit.push(format!("`/keys/{at}`: {why}")),
            }
        }
        if keys.is_empty() {
            let unfit = if unfit.is_empty() { "there are no keys in it".to_owned() } else { unfit.join("; ") };
            return Err(format!("no key in it is for signatures of tokens: {unfit}"));
        }
        Ok(Self(keys))
    }

    /// The key that a token is signed for that names `id`.
    pub(super) fn choose(&self, id: Option<&str>) -> Result<&Key, &'static str> {
        match (id, self.0.as_slice()) {
            // A single key without a name is meant by all names.
            (None, [key]) | (Some(_), [key @ Key { id: None, .. }]) => Ok(key),
            (None, _) => Err("the token does not say which key it is signed with (`kid`)"),
            (Some(id), keys) => keys
                .iter()
                .find(|key| key.id.as_deref() == Some(id))
                .ok_or("the token is signed with a key that is not known here (`kid`)"),
        }
    }
}

/// The key of a PEM file; its type says which algorithms it is for.
fn pem(text: &str, rules: &Rules) -> Result<Key, String> {
    const RSA: [Algorithm; 4] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256];
    let count = text.matches("-----BEGIN ").count();
    if count != 1 || !text.contains("PUBLIC KEY-----") {
        return Err("expected one public key as PEM (`-----BEGIN PUBLIC KEY-----`), or a JSON Web Key Set".to_owned());
    }
    let bytes = text.as_bytes();
    if let Ok(key) = DecodingKey::from_rsa_pem(bytes) {
        return Ok(rules.key(None, rules.pin(&RSA, None)?, key));
    }
    if let Ok(key) = DecodingKey::from_ed_pem(bytes) {
        return Ok(rules.key(None, rules.pin(&[Algorithm::EdDSA], None)?, key));
    }
    let key = DecodingKey::from_ec_pem(bytes)
        .map_err(|_| "the PEM holds no RSA, EC or Ed25519 public key that can be read".to_owned())?;
    let algorithm = curve(key.try_get_as_bytes().unwrap_or_default())?;
    Ok(rules.key(None, rules.pin(&[algorithm], None)?, key))
}

/// The algorithm of the curve that a point is on, which its length tells.
fn curve(point: &[u8]) -> Result<Algorithm, String> {
    match point.len() {
        65 => Ok(Algorithm::ES256),
        97 => Ok(Algorithm::ES384),
        _ => Err("it is on another curve than P-256 and P-384, or compressed".to_owned()),
    }
}

fn jwk_key(jwk: &Jwk, rules: &Rules) -> Result<Key, String> {
    const RSA: [Algorithm; 4] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256];
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err("it is not for signatures (`use`)".to_owned());
    }
    let own = match jwk.common.key_algorithm {
        None => None,
        Some(own) => Some(Algorithm::try_from(own).map_err(|_| "its `alg` is none that is known here".to_owned())?),
    };
    let id = jwk.common.key_id.clone();
    let readable = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "it is not in base64url".to_owned());
    match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            let (n, e) = (readable(&key.n)?, readable(&key.e)?);
            let strip = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
            let (n, e) = (strip(&n), strip(&e));
            if n.len() < 256 {
                return Err("an RSA key of less than 2048 bits is not safe".to_owned());
            }
            Ok(rules.key(id, rules.pin(&RSA, own)?, DecodingKey::from_rsa_raw_components(&n, &e)))
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let (algorithm, size) = match key.curve {
                EllipticCurve::P256 => (Algorithm::ES256, 32),
                EllipticCurve::P384 => (Algorithm::ES384, 48),
                _ => return Err("it is on another curve than P-256 and P-384".to_owned()),
            };
            let (x, y) = (readable(&key.x)?, readable(&key.y)?);
            if x.len() != size || y.len() != size {
                return Err("its coordinates are not as long as its curve says".to_owned());
            }
            Ok(rules.key(id, rules.pin(&[algorithm], own)?, DecodingKey::from_ec_der(&[&[4], &x[..], &y[..]].concat())))
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            let x = readable(&key.x)?;
            if x.len() != 32 {
                return Err("an Ed25519 key has 32 bytes".to_owned());
            }
            Ok(rules.key(id, rules.pin(&[Algorithm::EdDSA], own)?, DecodingKey::from_ed_der(&x)))
        }
        _ => Err("it is no RSA, EC or Ed25519 public key".to_owned()),
    }
}

fn named(algorithm: config::Algorithm) -> Algorithm {
    match algorithm {
        config::Algorithm::Hs256 => Algorithm::HS256,
        config::Algorithm::Rs256 => Algorithm::RS256,
        config::Algorithm::Rs384 => Algorithm::RS384,
        config::Algorithm::Rs512 => Algorithm::RS512,
        config::Algorithm::Ps256 => Algorithm::PS256,
        config::Algorithm::Es256 => Algorithm::ES256,
        config::Algorithm::Es384 => Algorithm::ES384,
        config::Algorithm::EdDsa => Algorithm::EdDSA,
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("algorithms", &self.validation.algorithms).finish_non_exhaustive()
    }
}
