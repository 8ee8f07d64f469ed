//! Which tokens are believed, and what they say of their holders.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use super::{Secret, defaults};
use crate::error::Result;

/// The issuer of the tokens that are believed, and what in them means what.
///
/// See [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens (JWT)")]
pub struct Tokens {
    /// Secret that tokens are signed with (HS256), at least 32 bytes
    #[arg(long, env = "FOLIO_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    #[arg(conflicts_with_all = ["jwt_secret_file", "jwt_keys"])]
    pub jwt_secret: Option<Secret>,
    /// File that holds this secret
    #[arg(long, env = "FOLIO_JWT_SECRET_FILE", value_name = "FILE", conflicts_with = "jwt_keys")]
    pub jwt_secret_file: Option<PathBuf>,
    /// File of the public keys that tokens are signed for: one key as PEM, or a JSON Web Key Set; read again when it changes
    #[arg(long, env = "FOLIO_JWT_KEYS", value_name = "FILE")]
    pub jwt_keys: Option<PathBuf>,
    /// The only algorithm that is accepted; without it, the one that the key says or that alone fits it
    #[arg(long, env = "FOLIO_JWT_ALGORITHM", value_name = "ALGORITHM", value_enum)]
    pub jwt_algorithm: Option<Algorithm>,
    /// The `iss` of tokens, required where tokens are
    #[arg(long, env = "FOLIO_JWT_ISSUER", value_name = "TEXT")]
    pub jwt_issuer: Option<String>,
    /// The `aud` of tokens, or one of several, required where tokens are
    #[arg(long, env = "FOLIO_JWT_AUDIENCE", value_name = "TEXT")]
    pub jwt_audience: Option<String>,
    /// Seconds that other clocks may be off, for `exp` and `nbf`
    #[arg(long, env = "FOLIO_JWT_LEEWAY", value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(..=300))]
    pub jwt_leeway: u64,
    /// Claim that holds the roles, as a list or as text with spaces or commas; dots reach inside
    #[arg(long, env = "FOLIO_JWT_ROLES_CLAIM", value_name = "CLAIM", default_value = "roles")]
    pub jwt_roles_claim: String,
    /// What rules call `$user.NAME`, and the claim that holds it, such as `tenant=org.id`; may be repeated
    #[arg(long = "jwt-attribute", env = "FOLIO_JWT_ATTRIBUTE", value_name = "NAME=CLAIM", value_delimiter = ',')]
    pub jwt_attributes: Vec<Attribute>,
}

/// How tokens are signed.
///
/// See [RFC 7518, section 3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1), and
/// [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037#section-3.1) for `EdDSA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the standards' names say it, and clap would take them as help")]
pub enum Algorithm {
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "RS384")]
    Rs384,
    #[value(name = "RS512")]
    Rs512,
    #[value(name = "PS256")]
    Ps256,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "ES384")]
    Es384,
    #[value(name = "EdDSA")]
    EdDsa,
}

/// Something that is known of a caller: what rules call it, and what it is or where it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in rules, after `$user.`.
    pub name: String,
    /// A token's claim (dots reach inside), or an API key's value.
    pub value: String,
}

impl FromStr for Attribute {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            return Err("expected a name and a value, such as `tenant=7`".to_owned());
        };
        if ["id", "name"].contains(&name) {
            return Err(format!("`$user.{name}` is something else already, choose another name"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-:/".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(format!("`{name}` is no name: expected letters, digits, `_`, `-`, `:` and `/`"));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl Tokens {
    /// The secret that tokens are signed with, if there is one.
    pub fn secret(&self) -> Result<Option<Secret>> {
        Secret::choose(self.jwt_secret.as_ref(), self.jwt_secret_file.as_deref(), "the secret of tokens")
    }
}

impl Default for Tokens {
    fn default() -> Self {
        defaults()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_names_and_values() {
        let read = |text: &str| text.parse::<Attribute>().map(|a| (a.name, a.value));
        let of = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(read("tenant=7"), of("tenant", "7"));
        assert_eq!(read("org-id=a=b c"), of("org-id", "a=b c"));
        for text in ["", "tenant", "tenant=", "=7", "a.b=7", "$x=7", "a b=7", "id=7", "name=7"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
