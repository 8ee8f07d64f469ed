//! Extended JSON wrappers: objects such as `{"$oid": "…"}` that stand for one BSON value.
//!
//! Canonical and relaxed forms of [Extended JSON v2](https://specifications.readthedocs.io/en/latest/extended-json/extended-json/),
//! to the letter: no other members, no legacy forms. Members may stand in any order.

use bson::{
    Binary, Bson, DateTime, RawBson, RawDocumentBuf, Regex, Timestamp,
    oid::ObjectId,
    raw::{CString, RawJavaScriptCodeWithScope, cstr},
    spec::ElementType,
};
use jiter::Peek;

use super::{
    Decoder,
    object::foreign,
    reader::{Place, Read},
};
use crate::{
    codec::{ejson, number, raw, text},
    schema::{Field, Kind, Kinds},
};

impl Decoder<'_> {
    /// Reads the wrapper that comes next and appends its value, if its type is one of the declared.
    pub(super) fn wrapper(&mut self, shape: &Field) -> Read<ElementType> {
        let (at, first) = self.first_name()?.unwrap_or_default();
        let Some(name) = ejson::named(&first) else {
            return Err(self.reader.error(at, foreign(&first, "begin with `$`")));
        };
        let value = self.wrapped(name)?;
        let kind = Kind::of(value.element_type());
        if !shape.kinds.contains(kind) {
            return Err(self.reader.error(at, misplaced(name, kind, shape.kinds)));
        }
        Ok(raw::value(&mut self.out, value.as_raw_bson_ref()))
    }

    /// Reads what follows the first key, `name`, of a wrapper.
    fn wrapped(&mut self, name: &'static str) -> Read<RawBson> {
        let value = match name {
            "$oid" => RawBson::ObjectId(self.object_id()?),
            "$date" => RawBson::DateTime(self.date()?),
            "$numberInt" => RawBson::Int32(self.parsed("a 32-bit integer as a string", number::whole)?),
            "$numberLong" => RawBson::Int64(self.long()?),
            "$numberDouble" => RawBson::Double(self.parsed("a double as a string", number::wrapped_double)?),
            "$numberDecimal" => {
                RawBson::Decimal128(self.parsed("a decimal of at most 34 digits as a string", number::decimal)?)
            }
            "$binary" => RawBson::Binary(self.binary()?),
            "$uuid" => RawBson::Binary(self.parsed("a UUID with hyphens", text::uuid)?),
            "$timestamp" => RawBson::Timestamp(self.timestamp()?),
            "$regularExpression" => RawBson::RegularExpression(self.regex()?),
            "$code" | "$scope" => return self.code(name),
            "$symbol" => RawBson::Symbol(self.owned()?),
            "$dbPointer" => self.pointer()?,
            "$undefined" => self.word("true", RawBson::Undefined)?,
            "$minKey" => self.word("1", RawBson::MinKey)?,
            _ => self.word("1", RawBson::MaxKey)?,
        };
        self.end(name)?;
        Ok(value)
    }

    fn object_id(&mut self) -> Read<ObjectId> {
        self.parsed("24 hex digits", |text| ObjectId::parse_str(text).ok())
    }

    fn long(&mut self) -> Read<i64> {
        self.parsed("a 64-bit integer as a string", number::whole)
    }

    fn date(&mut self) -> Read<DateTime> {
        const EXPECTED: &str = "a date and time of RFC 3339 in whole milliseconds, or `{\"$numberLong\": \"…\"}`";
        if self.reader.peek()? == Peek::String {
            return self.parsed(EXPECTED, text::date);
        }
        let mut millis = 0;
        self.members(["$numberLong"], |decoder, _| {
            millis = decoder.long()?;
            Ok(())
        })?;
        Ok(DateTime::from_millis(millis))
    }

    fn binary(&mut self) -> Read<Binary> {
        let (mut bytes, mut subtype) = (Vec::new(), 0);
        self.members(["base64", "subType"], |decoder, name| {
            match name {
                "base64" => bytes = decoder.parsed("base64 with padding", text::bytes)?,
                _ => subtype = decoder.parsed("one or two hex digits", subtype_code)?,
            }
            Ok(())
        })?;
        Ok(Binary { subtype: subtype.into(), bytes })
    }

    fn timestamp(&mut self) -> Read<Timestamp> {
        let mut stamp = Timestamp { time: 0, increment: 0 };
        self.members(["t", "i"], |decoder, name| {
            let part = decoder.bare("a whole number from 0 to 4294967295", |digits| digits.parse().ok())?;
            *if name == "t" { &mut stamp.time } else { &mut stamp.increment } = part;
            Ok(())
        })?;
        Ok(stamp)
    }

    fn regex(&mut self) -> Read<Regex> {
        let mut regex = Regex { pattern: cstr!("").into(), options: cstr!("").into() };
        self.members(["pattern", "options"], |decoder, name| {
            let part = decoder.parsed("a string without NUL characters", |text| CString::try_from(text).ok())?;
            *if name == "pattern" { &mut regex.pattern } else { &mut regex.options } = part;
            Ok(())
        })?;
        Ok(regex)
    }

    fn pointer(&mut self) -> Read<RawBson> {
        let (at, mut namespace, mut id) = (self.reader.at(), String::new(), ObjectId::from_bytes([0; 12]));
        self.members(["$ref", "$id"], |decoder, name| {
            match name {
                "$ref" => namespace = decoder.owned()?,
                _ => decoder.members(["$oid"], |decoder, _| decoder.object_id().map(|read| id = read))?,
            }
            Ok(())
        })?;
        // `bson` has no other way to make one.
        let wrapper = serde_json::json!({ "$dbPointer": { "$ref": namespace, "$id": { "$oid": id.to_hex() } } });
        match Bson::try_from(wrapper) {
            Ok(Bson::DbPointer(pointer)) => Ok(RawBson::DbPointer(pointer)),
            _ => Err(self.reader.error(at, "expected a namespace and an object id")),
        }
    }

    /// Reads JavaScript code, with a scope or without, whose first key, `name`, has been read.
    fn code(&mut self, name: &str) -> Read<RawBson> {
        let (mut code, mut scope) = (None, None);
        let mut next = Some((self.reader.at(), name.to_owned()));
        while let Some((at, key)) = next {
            match key.as_str() {
                "$code" if code.is_none() => code = Some(self.owned()?),
                "$scope" if scope.is_none() => scope = Some(self.detached()?),
                _ => return Err(self.reader.error(at, stray(&key, "$code"))),
            }
            next = self.next_name()?;
        }
        match (code, scope) {
            (Some(code), None) => Ok(RawBson::JavaScriptCode(code)),
            (Some(code), Some(scope)) => {
                Ok(RawBson::JavaScriptCodeWithScope(RawJavaScriptCodeWithScope { code, scope }))
            }
            (None, _) => Err(self.reader.error(self.reader.at() - 1, "`$scope` needs a `$code` beside it")),
        }
    }

    /// Reads an object into a document of its own.
    fn detached(&mut self) -> Read<RawDocumentBuf> {
        let at = self.reader.at();
        if self.reader.peek()? != Peek::Object {
            return Err(self.reader.error(self.reader.at(), "expected an object"));
        }
        let around = std::mem::take(&mut self.out);
        self.object(&Field::any())?;
        let bytes = std::mem::replace(&mut self.out, around);
        RawDocumentBuf::from_bytes(bytes).map_err(|_| super::too_large(self.reader.text, at))
    }

    /// Reads an object that has exactly the members `names`, each by `read`.
    fn members<const N: usize>(
        &mut self,
        names: [&'static str; N],
        mut read: impl FnMut(&mut Self, &'static str) -> Read<()>,
    ) -> Read<()> {
        let expected = || format!("expected an object of {}", listed(names));
        let peek = self.reader.peek()?;
        let at = self.reader.at();
        if peek != Peek::Object {
            return Err(self.reader.error(at, expected()));
        }
        let mut missing = names.to_vec();
        let mut next = self.first_name()?;
        while let Some((at, key)) = next {
            let Some(index) = missing.iter().position(|name| *name == key) else {
                return Err(self.reader.error(at, format!("`{}` is out of place: {}", key.escape_debug(), expected())));
            };
            read(self, missing.swap_remove(index))?;
            next = self.next_name()?;
        }
        if missing.is_empty() { Ok(()) } else { Err(self.reader.error(at, expected())) }
    }

    /// Reads a string and what it stands for.
    fn parsed<T>(&mut self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
        let parsed = match self.reader.peek()? {
            Peek::String => {
                let at = self.reader.at();
                let text = self.reader.string()?;
                parse(text).ok_or(at)
            }
            _ => Err(self.reader.at()),
        };
        parsed.map_err(|at| self.reader.error(at, format!("expected {expected}")))
    }

    fn owned(&mut self) -> Read<String> {
        self.parsed("a string", |text| Some(text.to_owned()))
    }

    /// Reads a number or a word and what it stands for.
    fn bare<T>(&mut self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
        let peek = self.reader.peek()?;
        let at = self.reader.at();
        let parsed = match peek {
            Peek::True | Peek::False => {
                let truth = self.reader.truth(peek)?;
                parse(if truth { "true" } else { "false" })
            }
            peek if peek.is_num() => parse(self.reader.digits(peek)?),
            _ => None,
        };
        parsed.ok_or_else(|| self.reader.error(at, format!("expected {expected}")))
    }

    /// Reads the one number or word that may stand in a wrapper for a type without values.
    fn word(&mut self, word: &str, value: RawBson) -> Read<RawBson> {
        self.bare(&format!("`{word}`"), |text| (text == word).then_some(value))
    }

    /// Reads the end of a wrapper that has one member.
    fn end(&mut self, name: &str) -> Read<()> {
        match self.next_name()? {
            Some((at, key)) => Err(self.reader.error(at, stray(&key, name))),
            None => Ok(()),
        }
    }

    /// Reads the name of the first member of the object that comes next, and where it stands.
    fn first_name(&mut self) -> Read<Option<(usize, String)>> {
        Ok(self.reader.name(Place::First)?.map(|(at, name)| (at, name.to_owned())))
    }

    fn next_name(&mut self) -> Read<Option<(usize, String)>> {
        Ok(self.reader.name(Place::Next)?.map(|(at, name)| (at, name.to_owned())))
    }
}

fn subtype_code(text: &str) -> Option<u8> {
    let hex = text.len() <= 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| u8::from_str_radix(text, 16).ok())?
}

fn stray(key: &str, name: &str) -> String {
    format!("`{}` is out of place: `{name}` takes no other members", key.escape_debug())
}

fn misplaced(name: &str, kind: Kind, declared: Kinds) -> String {
    let declared: Vec<_> = declared.iter().map(Kind::name).collect();
    format!("`{name}` gives {}, but {} is declared here", kind.name(), listed(declared))
}

fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}
