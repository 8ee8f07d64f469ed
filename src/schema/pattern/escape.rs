//! What a backslash begins.

use super::{Piece, Reader, Result, property, push_char};

/// The characters that a backslash may make literal.
const SYNTAX: &str = "^$\\.*+?()[]{}|/";
/// `\d`, `\w` and `\s` as ECMA-262 has them, in order.
pub(super) const DIGIT: &[(char, char)] = &[('0', '9')];
pub(super) const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
pub(super) const SPACE: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];

/// What an escape stands for, in a class or outside.
pub(super) enum Escape {
    /// One character.
    Char(char),
    /// A set of characters, as the inside of a PCRE class.
    Set(String),
}

impl Reader<'_> {
    /// An escape outside of classes.
    pub(super) fn escape(&mut self) -> Result<Piece> {
        let start = self.at;
        if self.eat("\\k") {
            return self.named_reference(start);
        }
        let digits = self.rest()[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && !self.rest().starts_with("\\0") {
            let number = self.rest()[1..=digits].parse().unwrap_or(usize::MAX);
            self.at += 1 + digits;
            return self.reference(number, start);
        }
        Ok(match self.character_or_set()? {
            Escape::Char(c) => Piece::literal(c),
            Escape::Set(set) => Piece::new(format!("[{set}]"), 1),
        })
    }

    fn named_reference(&mut self, start: usize) -> Result<Piece> {
        let name = self.rest().strip_prefix('<').and_then(|r| r.split_once('>')).map(|(name, _)| name.to_owned());
        match name.as_deref().and_then(|n| self.groups.named(n)) {
            Some(number) => {
                self.at += name.map_or(0, |n| n.len() + 2);
                self.reference(number, start)
            }
            None => self.refuse("`\\k` needs the name of a group of the pattern, `\\k<name>`"),
        }
    }

    /// An escape that may stand in a class too.
    pub(super) fn character_or_set(&mut self) -> Result<Escape> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.peek() else { return self.refuse("`\\` ends the pattern; write `\\\\` for the character") };
        self.at += c.len_utf8();
        Ok(match c {
            'd' => Escape::Set(ranges(DIGIT)),
            'D' => Escape::Set(ranges(&complement(DIGIT))),
            'w' => Escape::Set(ranges(WORD)),
            'W' => Escape::Set(ranges(&complement(WORD))),
            's' => Escape::Set(ranges(SPACE)),
            'S' => Escape::Set(ranges(&complement(SPACE))),
            'p' | 'P' => Escape::Set(self.property(c == 'P')?),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'f' => Escape::Char('\u{c}'),
            'v' => Escape::Char('\u{b}'),
            'c' => Escape::Char(self.control()?),
            'x' => Escape::Char(self.scalar(2)?),
            'u' => Escape::Char(self.unicode()?),
            '0' if !self.peek().is_some_and(|d| d.is_ascii_digit()) => Escape::Char('\0'),
            c if SYNTAX.contains(c) => Escape::Char(c),
            c => {
                self.at = start;
                return self
                    .refuse(&format!("ECMA-262 has no escape `\\{c}`; only `{SYNTAX}` are made literal by `\\`"));
            }
        })
    }

    fn property(&mut self, negated: bool) -> Result<String> {
        let name = self.rest().strip_prefix('{').and_then(|r| r.split_once('}')).map(|(name, _)| name.to_owned());
        let Some(name) = name else { return self.refuse("a property was expected, `\\p{Letter}`") };
        let Some(set) = property::translate(&name, negated) else {
            return self.refuse(&format!(
                "MongoDB does not know the property `{name}`; it knows general categories (`\\p{{Letter}}`, `\\p{{Lu}}`) and `\\p{{Script=Greek}}`"
            ));
        };
        self.at += name.len() + 2;
        Ok(set)
    }

    fn control(&mut self) -> Result<char> {
        match self.peek() {
            Some(c) if c.is_ascii_alphabetic() => {
                self.at += 1;
                Ok(char::from(c as u8 % 32))
            }
            _ => self.refuse("a letter was expected after `\\c`"),
        }
    }

    fn unicode(&mut self) -> Result<char> {
        if self.eat("{") {
            let digits = self.rest().bytes().take_while(u8::is_ascii_hexdigit).count();
            let c = self.scalar(digits)?;
            return if self.eat("}") { Ok(c) } else { self.refuse("`}` was expected after `\\u{` and hex digits") };
        }
        match self.hex(4)? {
            high @ 0xD800..0xDC00 if self.eat("\\u") => match self.hex(4)? {
                low @ 0xDC00..0xE000 => self.character(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)),
                _ => self.refuse("a surrogate stands alone; texts in MongoDB cannot hold one"),
            },
            code => self.character(code),
        }
    }

    fn scalar(&mut self, digits: usize) -> Result<char> {
        let code = self.hex(digits)?;
        self.character(code)
    }

    fn hex(&mut self, digits: usize) -> Result<u32> {
        let code = self.rest().get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(code) => {
                self.at += digits;
                Ok(code)
            }
            None => self.refuse("hex digits were expected: `\\x41`, `\\u0041` or `\\u{1f4d6}`"),
        }
    }

    fn character(&self, code: u32) -> Result<char> {
        char::from_u32(code).map_or_else(|| self.refuse("this is no character that a text in MongoDB can hold"), Ok)
    }
}

/// `set` as the inside of a PCRE class.
pub(super) fn ranges(set: &[(char, char)]) -> String {
    let mut out = String::new();
    for (first, last) in set {
        push_char(&mut out, *first);
        if first != last {
            out.push('-');
            push_char(&mut out, *last);
        }
    }
    out
}

/// All characters that are not in `set`, which is in order and without neighbors.
fn complement(set: &[(char, char)]) -> Vec<(char, char)> {
    let (mut rest, mut next) = (Vec::new(), '\0');
    for (first, last) in set {
        rest.extend(before(*first).filter(|end| *end >= next).map(|end| (next, end)));
        next = char::from_u32(*last as u32 + 1).unwrap_or(char::MAX);
    }
    rest.push((next, char::MAX));
    rest
}

fn before(c: char) -> Option<char> {
    (c as u32).checked_sub(1).and_then(char::from_u32)
}
