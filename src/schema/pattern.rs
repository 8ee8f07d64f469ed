//! Regular expressions: ECMA-262 (with the `u` flag), as collection files have them, to PCRE, as MongoDB runs them.
//!
//! The result means the same to both or is refused. Nothing is copied through: every construct is read by
//! ECMA-262's grammar and written anew, so no syntax that only PCRE knows can slip in.
//! See [ECMA-262, 22.2.1](https://tc39.es/ecma262/#sec-patterns) and [`$regex`](https://www.mongodb.com/docs/manual/reference/operator/query/regex/).

mod class;
mod escape;
mod group;
mod property;
mod quantifier;

use std::fmt;

use group::Groups;

/// What stands for "no character follows". PCRE's own `$` also matches before a last line feed.
const END: &str = r"(?![\s\S])";
/// The longest pattern that MongoDB takes, in bytes.
pub(super) const MAX_LENGTH: usize = 32_764;
/// How deep groups may nest; PCRE's own limit is 250.
const MAX_DEPTH: usize = 100;

/// Why a pattern cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Bytes from the start of the pattern.
    pub offset: usize,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {} of the pattern)", self.reason, self.offset)
    }
}

type Result<T> = std::result::Result<T, Refusal>;

/// The PCRE pattern that matches what the ECMA-262 pattern `pattern` matches (flag `u`, not anchored).
pub fn translate(pattern: &str) -> Result<String> {
    translate_after(pattern, 0).and_then(|(pcre, _)| bounded(pcre))
}

/// The same as a part of a longer pattern, of any length, where `groups` capturing groups stand before it; and how many
/// it has itself.
pub(super) fn translate_after(pattern: &str, groups: usize) -> Result<(String, usize)> {
    let groups = Groups::find(pattern, groups)?;
    let mut reader = Reader { text: pattern, at: 0, depth: 0, opened: 0, groups };
    let piece = reader.disjunction()?;
    if reader.peek() == Some(')') {
        return reader.refuse("`)` closes no group; write `\\)` for the character");
    }
    reader.groups.check_references()?;
    Ok((piece.text, reader.opened))
}

/// The PCRE pattern for names, those in `patternProperties`, that matches what the ECMA-262 pattern matches.
///
/// MongoDB matches names as bytes unless told that they are UTF-8.
pub fn of_names(pattern: &str) -> Result<String> {
    translate_after(pattern, 0).and_then(|(pcre, _)| bounded(format!("(*UTF){pcre}")))
}

/// The same, but for the name `except`.
pub fn of_names_but(except: &str, pattern: &str) -> Result<String> {
    let (pcre, _) = translate_after(pattern, 0)?;
    bounded(format!(r"(*UTF)^(?!{}{END})[\s\S]*?(?:{pcre})", literal(except)))
}

/// The PCRE pattern for names that matches `name` and nothing else.
pub fn quote(name: &str) -> String {
    format!("(*UTF)^{}{END}", literal(name))
}

/// The part of a PCRE pattern that matches `text`.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::new();
    text.chars().for_each(|c| push_char(&mut literal, c));
    literal
}

fn bounded(pcre: String) -> Result<String> {
    if pcre.len() <= MAX_LENGTH {
        return Ok(pcre);
    }
    Err(Refusal { offset: 0, reason: format!("the pattern is over MongoDB's limit of {MAX_LENGTH} bytes") })
}

/// Appends `c` as a literal, inside a class or outside.
fn push_char(out: &mut String, c: char) {
    match c {
        '_' | ' ' => out.push(c),
        c if c.is_alphanumeric() => out.push(c),
        c if c.is_ascii_punctuation() => out.extend(['\\', c]),
        c => out.extend(c.escape_unicode().map(|e| if e == 'u' { 'x' } else { e })),
    }
}

/// A translated part of a pattern.
struct Piece {
    text: String,
    /// How many characters it matches, if that is always the same: PCRE looks behind only so far.
    length: Option<usize>,
}

impl Piece {
    fn new(text: impl Into<String>, length: usize) -> Self {
        Self { text: text.into(), length: Some(length) }
    }

    fn literal(c: char) -> Self {
        let mut text = String::new();
        push_char(&mut text, c);
        Self::new(text, 1)
    }
}

/// The rest of a pattern.
struct Reader<'p> {
    text: &'p str,
    at: usize,
    depth: usize,
    /// Capturing groups opened so far.
    opened: usize,
    groups: Groups,
}

impl Reader<'_> {
    fn disjunction(&mut self) -> Result<Piece> {
        let alternatives = self.alternatives()?;
        let length = alternatives[0].length.filter(|l| alternatives.iter().all(|a| a.length == Some(*l)));
        Ok(Piece { text: join(&alternatives), length })
    }

    /// At least one.
    fn alternatives(&mut self) -> Result<Vec<Piece>> {
        let mut alternatives = vec![self.alternative()?];
        while self.eat("|") {
            alternatives.push(self.alternative()?);
        }
        Ok(alternatives)
    }

    fn alternative(&mut self) -> Result<Piece> {
        let mut whole = Piece::new("", 0);
        while self.peek().is_some_and(|c| c != '|' && c != ')') {
            let term = self.term()?;
            whole.text.push_str(&term.text);
            whole.length = whole.length.zip(term.length).and_then(|(a, b)| a.checked_add(b));
        }
        Ok(whole)
    }

    fn term(&mut self) -> Result<Piece> {
        if let Some(assertion) = self.assertion()? {
            return Ok(assertion);
        }
        let first = self.opened;
        let atom = self.atom()?;
        self.quantified(atom, first)
    }

    fn assertion(&mut self) -> Result<Option<Piece>> {
        for (ecma, pcre) in [("^", "^"), ("$", END), ("\\b", "\\b"), ("\\B", "\\B")] {
            if self.eat(ecma) {
                return Ok(Some(Piece::new(pcre, 0)));
            }
        }
        for (opening, behind) in [("(?=", false), ("(?!", false), ("(?<=", true), ("(?<!", true)] {
            let start = self.at;
            if self.eat(opening) {
                return self.look(opening, behind.then_some(start)).map(Some);
            }
        }
        Ok(None)
    }

    fn look(&mut self, opening: &str, behind: Option<usize>) -> Result<Piece> {
        let alternatives = self.nested(Self::alternatives)?;
        if let Some(offset) = behind.filter(|_| alternatives.iter().any(|a| a.length.is_none())) {
            let reason = "MongoDB can look behind only a fixed number of characters; \
                          give the lookbehind alternatives of fixed length or turn it into a lookahead";
            return Err(Refusal { offset, reason: reason.to_owned() });
        }
        Ok(Piece::new(format!("{opening}{})", join(&alternatives)), 0))
    }

    fn atom(&mut self) -> Result<Piece> {
        let Some(c) = self.peek() else { return self.refuse("a character was expected") };
        match c {
            '.' => {
                self.at += 1;
                Ok(Piece::new(r"[^\n\r\x{2028}\x{2029}]", 1))
            }
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escape(),
            '*' | '+' | '?' | '{' => self.refuse(&format!("`{c}` repeats nothing; write `\\{c}` for the character")),
            ']' | '}' => self.refuse(&format!("write `\\{c}` for the character `{c}`")),
            c => {
                self.at += c.len_utf8();
                Ok(Piece::literal(c))
            }
        }
    }

    fn group(&mut self) -> Result<Piece> {
        let opening = if self.eat("(?:") {
            "(?:"
        } else {
            self.open_capture()?;
            "("
        };
        let inner = self.nested(Self::disjunction)?;
        Ok(Piece { text: format!("{opening}{})", inner.text), length: inner.length })
    }

    /// Names are not written to the result, where groups go by their numbers.
    fn open_capture(&mut self) -> Result<()> {
        if self.eat("(?<") {
            self.at += self.rest().find('>').map_or(0, |end| end + 1);
        } else if self.text[self.at..].starts_with("(?") {
            return self
                .refuse("ECMA-262 has no such group; there are `(?:`, `(?=`, `(?!`, `(?<=`, `(?<!` and `(?<name>`");
        } else {
            self.at += 1;
        }
        self.opened += 1;
        Ok(())
    }

    fn nested<T>(&mut self, read: fn(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.refuse(&format!("groups are nested over {MAX_DEPTH} deep"));
        }
        let inner = read(self)?;
        self.depth -= 1;
        if self.eat(")") { Ok(inner) } else { self.refuse("a group is not closed; `)` was expected") }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn refuse<T>(&self, reason: &str) -> Result<T> {
        Err(Refusal { offset: self.at, reason: reason.to_owned() })
    }
}

fn join(alternatives: &[Piece]) -> String {
    alternatives.iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests;
