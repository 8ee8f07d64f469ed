//! The forms in which a patch is written, and how the one is told from the other.

use jiter::Jiter;

use super::{Change, JsonPatch, Operators};
use crate::{
    codec::decode,
    config::Limits,
    error::{Error, Result, invalid_query},
    json::{SyntaxError, quote_after},
    schema::Field,
};

/// The form in which a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A merge patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)).
    Merge,
    /// A JSON patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)).
    Json,
    /// MongoDB's [update operators](https://www.mongodb.com/docs/manual/reference/mql/update/).
    Operators,
}

const LIST: &str = "expected an object; a list of operations is a JSON patch: send it as `application/json-patch+json`";
const MIXTURE: &str =
    "names of operators, which begin with `$`, stand beside names of fields: put the fields into `$set`";

impl Form {
    /// The form of a patch of which nothing is said but that it is JSON: an object whose names all begin with `$` has
    /// operators, any other one is a merge patch.
    ///
    /// # Errors
    /// [`Error::MalformedBody`] for names of both kinds, and for a list.
    pub fn of(text: &[u8]) -> Result<Self> {
        let start = text.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or_default();
        if text.get(start) == Some(&b'[') {
            return Err(Error::MalformedBody(SyntaxError::at(text, start, LIST)));
        }
        let mut names = Names { jiter: Jiter::new(text), before: None };
        let mut first = None;
        loop {
            // What is no JSON object is for its reader to refuse.
            match (names.next().map(|name| name.starts_with('$')), first) {
                (Some(is_operator), None) => first = Some(is_operator),
                (Some(is_operator), Some(first)) if is_operator != first => {
                    let at = quote_after(text, names.before.unwrap_or_default());
                    return Err(Error::MalformedBody(SyntaxError::at(text, at, MIXTURE)));
                }
                (Some(_), Some(_)) => {}
                (None, first) => return Ok(if first == Some(true) { Self::Operators } else { Self::Merge }),
            }
        }
    }
}

/// The names of an object's members, as far as it can be read.
struct Names<'t> {
    jiter: Jiter<'t>,
    /// Where the value before the last name ends; `None` before the first value.
    before: Option<usize>,
}

impl Names<'_> {
    fn next(&mut self) -> Option<String> {
        if self.before.is_none() {
            self.before = Some(0);
            return self.jiter.next_object().ok()?.map(str::to_owned);
        }
        self.jiter.next_skip().ok()?;
        self.before = Some(self.jiter.current_index());
        self.jiter.next_key().ok()?.map(str::to_owned)
    }
}

impl Change {
    /// The change that the patch `text` makes of documents of the shape `shape`.
    ///
    /// # Errors
    /// For a patch that cannot be read, and for `array_filters` with anything but operators.
    pub fn patch(
        form: Form,
        text: &[u8],
        array_filters: Option<&str>,
        (shape, limits): (&Field, &Limits),
    ) -> Result<Self> {
        if array_filters.is_some() && form != Form::Operators {
            return Err(invalid_query("arrayFilters", None, "only a patch of update operators takes the parameter"));
        }
        match form {
            Form::Merge => Ok(Self::Merge(decode::document(text, shape)?)),
            Form::Json => JsonPatch::parse(text, shape).map(Self::Patch),
            Form::Operators => Operators::parse(text, array_filters, shape, limits).map(Self::Operate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_operators_from_members() {
        for (text, form) in [
            ("{}", Form::Merge),
            (r#"{"a":{"$set":1}}"#, Form::Merge),
            (r#" {"a":1,"b":[{"$inc":2}]} "#, Form::Merge),
            (r#"{"$set":{"a":1}}"#, Form::Operators),
            (r#" { "$set" : {} , "\u0024inc" : {"a":[1,{"b":2}]} }"#, Form::Operators),
            (r#"{"$set":{"a":1}"#, Form::Operators),
            ("", Form::Merge),
            ("7", Form::Merge),
        ] {
            assert_eq!(Form::of(text.as_bytes()).unwrap(), form, "{text}");
        }
    }

    #[test]
    fn refuses_a_mixture_where_it_begins() {
        for (text, column) in [(r#"{"$set":{},"a":1}"#, 12), (r#"{"a":"x", "b":"y",  "$set":{}}"#, 21)] {
            let Err(Error::MalformedBody(error)) = Form::of(text.as_bytes()) else { panic!("{text} is taken") };
            assert_eq!(error.column, column, "{text}");
            assert!(error.detail.ends_with("put the fields into `$set`"), "{}", error.detail);
        }
    }

    #[test]
    fn says_what_a_list_is() {
        let Err(Error::MalformedBody(error)) = Form::of(b"\n []") else { panic!("a list is taken") };
        assert_eq!((error.line, error.column, &*error.detail), (2, 2, LIST));
    }

    #[test]
    fn only_operators_take_array_filters() {
        let context = (&Field::any(), &Limits::default());
        for form in [Form::Merge, Form::Json] {
            let error = Change::patch(form, b"{}", Some("[]"), context).unwrap_err();
            assert!(matches!(error, Error::InvalidQuery { place, .. } if place.parameter == "arrayFilters"));
        }
    }
}
