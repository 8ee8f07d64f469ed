//! What a token says of its holder.

use serde_json::{Map, Value};

use crate::{access::Caller, config, schema::access::User};

type Object = Map<String, Value>;

/// Which claims mean what.
#[derive(Debug)]
pub(super) struct Claims {
    issuer: Option<String>,
    roles: String,
    /// The names of attributes, and the claims that hold them.
    attributes: Vec<(String, String)>,
}

impl Claims {
    pub(super) fn of(settings: &config::Tokens) -> Self {
        let attributes = settings.jwt_attributes.iter().map(|a| (a.name.clone(), a.value.clone())).collect();
        Self { issuer: settings.jwt_issuer.clone(), roles: settings.jwt_roles_claim.clone(), attributes }
    }

    /// The caller that these claims name.
    pub(super) fn caller(&self, claims: &Object) -> Result<Caller, &'static str> {
        // The library also takes a list in which the issuer is one of several.
        if claims.get("iss").and_then(Value::as_str) != self.issuer.as_deref() {
            return Err("the token is from another issuer");
        }
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id = text("sub").ok_or("the token's `sub` is empty")?;
        let name = text("name").or_else(|| text("preferred_username")).unwrap_or(id);
        let known = |(name, claim): &(String, String)| Some((name.clone(), attribute(find(claims, claim)?)?));
        let attributes = self.attributes.iter().filter_map(known).collect();
        let user = User { id: id.to_owned(), name: name.to_owned(), attributes };
        Ok(Caller::known(user, find(claims, &self.roles).map(roles).unwrap_or_default()))
    }
}

/// The claim with a dotted name. A claim whose own name has dots, as those that are URLs, goes first.
fn find<'c>(claims: &'c Object, path: &str) -> Option<&'c Value> {
    if let Some(claim) = claims.get(path) {
        return Some(claim);
    }
    path.split('.').try_fold(None, |at: Option<&Value>, name| match at {
        None => claims.get(name).map(Some),
        Some(value) => value.get(name).map(Some),
    })?
}

/// The roles in a list, or in a text with spaces or commas between them.
fn roles(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => text.split([' ', ',']).filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// What a rule can compare with: a value without parts, or a list of such.
fn attribute(claim: &Value) -> Option<Value> {
    let is_scalar = |value: &Value| matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
    let is_fit = match claim {
        Value::Array(list) => list.iter().all(is_scalar),
        value => is_scalar(value),
    };
    is_fit.then(|| claim.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn caller(claims: &Value) -> Result<Caller, &'static str> {
        let attributes = ["tenant=org.id", "teams=teams", "flag=flag"].map(|text| text.parse().unwrap());
        let settings = config::Tokens {
            jwt_issuer: Some("me".into()),
            jwt_roles_claim: "realm.roles".into(),
            jwt_attributes: attributes.to_vec(),
            ..config::Tokens::default()
        };
        Claims::of(&settings).caller(claims.as_object().unwrap())
    }

    #[test]
    fn names_come_from_the_best_claim() {
        for (claims, name) in [
            (json!({ "iss": "me", "sub": "7" }), "7"),
            (json!({ "iss": "me", "sub": "7", "preferred_username": "ann" }), "ann"),
            (json!({ "iss": "me", "sub": "7", "preferred_username": "ann", "name": "Ann B" }), "Ann B"),
            (json!({ "iss": "me", "sub": "7", "name": "" }), "7"),
        ] {
            let user = caller(&claims).unwrap().user().cloned().unwrap();
            assert_eq!((user.id.as_str(), user.name.as_str()), ("7", name), "{claims}");
        }
        for claims in [json!({ "iss": "me", "sub": "" }), json!({ "sub": "7" }), json!({ "iss": ["me"], "sub": "7" })] {
            assert!(caller(&claims).is_err(), "{claims}");
        }
    }

    #[test]
    fn roles_are_a_list_or_a_text() {
        for (claim, expected) in [
            (json!(["a", "b"]), vec!["a", "b"]),
            (json!("a b"), vec!["a", "b"]),
            (json!(" a, b,"), vec!["a", "b"]),
            (json!(["a b", 7, null, ["c"]]), vec!["a b"]),
            (json!({ "a": true }), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(roles(&claim), expected, "{claim}");
        }
    }

    #[test]
    fn attributes_have_no_parts() {
        let claims = |more: Value| json!({ "iss": "me", "sub": "7", "org": { "id": more } });
        let tenant = |more: Value| caller(&claims(more)).unwrap().user().unwrap().attributes.get("tenant").cloned();
        for fit in [json!(7), json!("7"), json!(true), json!(["a", 7, false]), json!([])] {
            assert_eq!(tenant(fit.clone()), Some(fit));
        }
        for unfit in [json!(null), json!({ "$ne": 7 }), json!([["a"]]), json!([{}]), json!([null])] {
            assert_eq!(tenant(unfit.clone()), None, "{unfit}");
        }
    }

    #[test]
    fn claims_are_found_by_their_paths() {
        let claims = json!({ "a": { "b": { "c": 1 } }, "https://x.org/roles": 2, "a.b": 3 });
        let found = |path| find(claims.as_object().unwrap(), path).cloned();
        assert_eq!(found("a.b.c"), Some(json!(1)));
        assert_eq!(found("https://x.org/roles"), Some(json!(2)));
        assert_eq!(found("a.b"), Some(json!(3)));
        for path in ["", "b", "a.c", "a.b.c.d", "a.", ".a"] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
