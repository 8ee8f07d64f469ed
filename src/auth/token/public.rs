//! Public keys as PEM and as JSON Web Keys: which algorithms one can be for, checked when it is read.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, EllipticCurveKeyParameters, Jwk, PublicKeyUse, RSAKeyParameters},
};

const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256];
const P256: &[Algorithm] = &[Algorithm::ES256];
const P384: &[Algorithm] = &[Algorithm::ES384];
const ED25519: &[Algorithm] = &[Algorithm::EdDSA];

/// The least bytes of an RSA key's modulus: 2048 bits.
const RSA_LEAST: usize = 256;

/// A public key.
pub(super) struct Public {
    pub(super) key: DecodingKey,
    /// The algorithms that a key of its type can be for.
    pub(super) fitting: &'static [Algorithm],
}

/// The key in a PEM text.
pub(super) fn pem(text: &str) -> Result<Public, String> {
    if text.matches("-----BEGIN ").count() != 1 || !text.contains("PUBLIC KEY-----") {
        return Err("expected one public key as PEM (`-----BEGIN PUBLIC KEY-----`), or a JSON Web Key Set".to_owned());
    }
    let bytes = text.as_bytes();
    if let Ok(key) = DecodingKey::from_rsa_pem(bytes) {
        return Ok(Public { key, fitting: RSA });
    }
    if let Ok(key) = DecodingKey::from_ed_pem(bytes) {
        return Ok(Public { key, fitting: ED25519 });
    }
    let key = DecodingKey::from_ec_pem(bytes)
        .map_err(|_| "the PEM holds no RSA, EC or Ed25519 public key that can be read".to_owned())?;
    // An uncompressed point is as long as its curve says.
    match key.try_get_as_bytes().unwrap_or_default().len() {
        65 => Ok(Public { key, fitting: P256 }),
        97 => Ok(Public { key, fitting: P384 }),
        _ => Err("the key is on another curve than P-256 and P-384, or compressed".to_owned()),
    }
}

/// The key in an entry of a set, and the algorithm that the entry says it is for.
pub(super) fn jwk(jwk: &Jwk) -> Result<(Public, Option<Algorithm>), String> {
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err("it is not for signatures (`use`)".to_owned());
    }
    let own = jwk.common.key_algorithm.map(Algorithm::try_from).transpose();
    let own = own.map_err(|_| "its `alg` is none that is known here".to_owned())?;
    let public = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => rsa(key)?,
        AlgorithmParameters::EllipticCurve(key) => point(key)?,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => edwards(&key.x)?,
        _ => return Err("it is no RSA, EC or Ed25519 public key".to_owned()),
    };
    Ok((public, own))
}

fn rsa(key: &RSAKeyParameters) -> Result<Public, String> {
    // Some write a zero in front, which the checks of signatures refuse.
    let number = |text| Ok::<_, String>(bytes(text)?.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>());
    let (n, e) = (number(&key.n)?, number(&key.e)?);
    if n.len() < RSA_LEAST {
        return Err("an RSA key of less than 2048 bits is not safe".to_owned());
    }
    Ok(Public { key: DecodingKey::from_rsa_raw_components(&n, &e), fitting: RSA })
}

fn point(key: &EllipticCurveKeyParameters) -> Result<Public, String> {
    let (fitting, size) = match key.curve {
        EllipticCurve::P256 => (P256, 32),
        EllipticCurve::P384 => (P384, 48),
        _ => return Err("it is on another curve than P-256 and P-384".to_owned()),
    };
    let (x, y) = (bytes(&key.x)?, bytes(&key.y)?);
    if x.len() != size || y.len() != size {
        return Err("its coordinates are not as long as its curve says".to_owned());
    }
    Ok(Public { key: DecodingKey::from_ec_der(&[&[4], x.as_slice(), &y].concat()), fitting })
}

fn edwards(x: &str) -> Result<Public, String> {
    match bytes(x)? {
        x if x.len() == 32 => Ok(Public { key: DecodingKey::from_ed_der(&x), fitting: ED25519 }),
        _ => Err("an Ed25519 key has 32 bytes".to_owned()),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "it is not in base64url".to_owned())
}
