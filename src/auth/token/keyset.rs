//! The keys that tokens are signed for, each with its one algorithm and the rules of its tokens.

use std::fmt;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, JwkSet},
};

use super::public::{self, Public};
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
    /// What signatures are checked with.
    pub(super) check: DecodingKey,
    /// The checks of its tokens, the algorithm among them.
    pub(super) rules: Validation,
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

    /// The key of that name, for tokens of one algorithm.
    fn trust(&self, id: Option<String>, public: Public, own: Option<Algorithm>) -> Result<Key, String> {
        let algorithm = self.pin(public.fitting, own)?;
        Ok(self.key(id, algorithm, public.key))
    }

    fn key(&self, id: Option<String>, algorithm: Algorithm, check: DecodingKey) -> Key {
        Key { id, check, rules: Validation { algorithms: vec![algorithm], ..self.validation.clone() } }
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
        if text.trim_start().starts_with('{') {
            Self::set(text, rules)
        } else {
            Ok(Self(vec![rules.trust(None, public::pem(text)?, None)?]))
        }
    }

    fn set(text: &str, rules: &Rules) -> Result<Self, String> {
        // Its message would quote the file.
        let set: JwkSet = serde_json::from_str(text)
            .map_err(|e| format!("it is no JSON Web Key Set: see line {}, column {}", e.line(), e.column()))?;
        let (mut keys, mut unfit) = (Vec::<Key>::new(), Vec::new());
        for (at, jwk) in set.keys.iter().enumerate() {
            match entry(jwk, rules) {
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

/// The key of an entry in a set.
fn entry(jwk: &Jwk, rules: &Rules) -> Result<Key, String> {
    let (public, own) = public::jwk(jwk)?;
    rules.trust(jwk.common.key_id.clone(), public, own)
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
        f.debug_struct("Key").field("algorithms", &self.rules.algorithms).finish_non_exhaustive()
    }
}
