//! Character classes: `[a-z\d]`, `[^"]`, `[]`, `[^]`.

use super::{
    Piece, Reader, Result,
    escape::{Escape, ranges},
    push_char,
};

impl Reader<'_> {
    /// A class, its opening bracket not yet read.
    pub(super) fn class(&mut self) -> Result<Piece> {
        self.at += 1;
        let negated = self.eat("^");
        let mut set = String::new();
        while !self.eat("]") {
            set.push_str(&self.class_range()?);
        }
        Ok(match (negated, set.as_str()) {
            (false, "") => Piece { text: "(?!)".to_owned(), length: Some(1) },
            (true, "") => Piece::new(r"[\s\S]", 1),
            (false, set) => Piece::new(format!("[{set}]"), 1),
            (true, set) => Piece::new(format!("[^{set}]"), 1),
        })
    }

    fn class_range(&mut self) -> Result<String> {
        let start = self.at;
        let first = self.class_atom()?;
        if !self.rest().starts_with('-') || self.rest().starts_with("-]") {
            return Ok(text(first));
        }
        self.at += 1;
        match (first, self.class_atom()?) {
            (Escape::Char(first), Escape::Char(last)) if first <= last => Ok(ranges(&[(first, last)])),
            (Escape::Char(_), Escape::Char(_)) => {
                self.at = start;
                self.refuse("the range is out of order")
            }
            _ => {
                self.at = start;
                self.refuse("a range needs a character on both sides; write `\\-` for the character `-`")
            }
        }
    }

    fn class_atom(&mut self) -> Result<Escape> {
        for (escape, c) in [("\\b", '\u{8}'), ("\\-", '-')] {
            if self.eat(escape) {
                return Ok(Escape::Char(c));
            }
        }
        match self.peek() {
            None => self.refuse("a class is not closed; `]` was expected"),
            Some('\\') => self.character_or_set(),
            Some(c) => {
                self.at += c.len_utf8();
                Ok(Escape::Char(c))
            }
        }
    }
}

fn text(atom: Escape) -> String {
    match atom {
        Escape::Set(set) => set,
        Escape::Char(c) => {
            let mut text = String::new();
            push_char(&mut text, c);
            text
        }
    }
}
