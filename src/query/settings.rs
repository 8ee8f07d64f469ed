//! The parameters of writes, beside those that select documents.

use super::params::{once, pairs};
use crate::error::{Error, Place, Result, invalid_query, nearest};

/// What parameters say of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `upsert`: a document that is not there is created.
    pub upsert: Option<bool>,
    /// `ordered`: all or nothing, where it is not `false`.
    pub ordered: Option<bool>,
    /// `all`: every document of the collection is meant.
    pub all: Option<bool>,
    /// `arrayFilters`, as text.
    pub array_filters: Option<String>,
}

impl Settings {
    /// Takes the parameters `names` out of a query string, without the `?`, and gives what is left of it.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] for a value that cannot be understood, and for a parameter that is given twice.
    pub fn take(text: &str, names: &[&str]) -> Result<(Self, String)> {
        let (mut settings, mut rest) = (Self::default(), Vec::new());
        for pair in pairs(text) {
            let (pair, name, value) = pair?;
            match &*name {
                name if !names.contains(&name) => rest.push(pair),
                "upsert" => once(&mut settings.upsert, &name, truth(&name, &value)?)?,
                "ordered" => once(&mut settings.ordered, &name, truth(&name, &value)?)?,
                "all" => once(&mut settings.all, &name, truth(&name, &value)?)?,
                _ => once(&mut settings.array_filters, &name, value.into_owned())?,
            }
        }
        Ok((settings, rest.join("&")))
    }

    /// Reads a query string, without the `?`, that may have no other parameters than `names`.
    ///
    /// # Errors
    /// As of [`take`](Self::take), and for any other parameter.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self> {
        let (settings, rest) = Self::take(text, names)?;
        match pairs(&rest).next().transpose()? {
            None => Ok(settings),
            Some((_, name, _)) => Err(unknown(&name, names)),
        }
    }
}

fn unknown(name: &str, names: &[&str]) -> Error {
    let taken: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let detail = match (&taken[..], nearest(name, names.iter().copied())) {
        ([], _) => "this path and method take no parameters".to_owned(),
        (_, Some(near)) => format!("there is no such parameter here, did you mean `{near}`?"),
        (taken, None) => format!("there is no such parameter here; this path and method take {}", taken.join(", ")),
    };
    Place::new(name, None).refuse(detail)
}

fn truth(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid_query(name, None, format!("expected `true` or `false`, found `{value}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_its_own_and_leaves_the_rest_as_it_was() {
        let (settings, rest) =
            Settings::take("a%3D=1&all=true&b[in]=x%2Cy&&arrayFilters=%5B%5D", &["all", "arrayFilters"]).unwrap();
        assert_eq!(settings, Settings { all: Some(true), array_filters: Some("[]".into()), ..Settings::default() });
        assert_eq!(rest, "a%3D=1&b[in]=x%2Cy");
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, detail) in [
            ("upsert=yes", "upsert: expected `true` or `false`, found `yes`"),
            ("upsert", "upsert: expected `true` or `false`, found ``"),
            ("upsert=true&upsert=true", "upsert: the parameter is given twice"),
            ("upserd=true", "upserd: there is no such parameter here, did you mean `upsert`?"),
            ("all=true", "all: there is no such parameter here; this path and method take `upsert`"),
            ("%ff=1", "%ff: the name is not UTF-8"),
        ] {
            assert_eq!(Settings::parse(text, &["upsert"]).unwrap_err().to_string(), detail);
        }
        let error = Settings::parse("a=1", &[]).unwrap_err();
        assert_eq!(error.to_string(), "a: this path and method take no parameters");
        assert_eq!(Settings::parse("&", &[]).unwrap(), Settings::default());
    }
}
