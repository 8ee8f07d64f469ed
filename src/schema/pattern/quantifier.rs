//! Quantifiers: `*`, `+`, `?`, `{2,5}`, each greedy or lazy.

use super::{Piece, Reader, Result};

/// The most that PCRE counts to.
const MAX_REPEAT: u32 = 65_535;

impl Reader<'_> {
    /// `atom` with the quantifier that follows; the groups in it are those opened after `first`.
    pub(super) fn quantified(&mut self, atom: Piece, first: usize) -> Result<Piece> {
        let start = self.at;
        let Some((min, max)) = self.quantifier()? else { return Ok(atom) };
        let mut text = atom.text + &self.text[start..self.at];
        if self.eat("?") {
            text.push('?');
        }
        if max.is_none_or(|m| m > 1) {
            self.groups.repeat(first..self.opened);
        }
        let length = atom.length.filter(|_| max == Some(min)).and_then(|l| l.checked_mul(min as usize));
        Ok(Piece { text, length })
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>> {
        for (sign, bounds) in [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))] {
            if self.eat(sign) {
                return Ok(Some(bounds));
            }
        }
        if !self.eat("{") {
            return Ok(None);
        }
        let min = self.count()?;
        let max = match (self.eat(","), self.peek()) {
            (false, _) => Some(min),
            (true, Some('}')) => None,
            (true, _) => Some(self.count()?),
        };
        if !self.eat("}") {
            return self.refuse("`}` was expected; write `\\{` for the character `{`");
        }
        if max.is_some_and(|m| m < min) {
            return self.refuse("the quantifier's numbers are out of order");
        }
        Ok(Some((min, max)))
    }

    fn count(&mut self) -> Result<u32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return self.refuse("a number was expected; write `\\{` for the character `{`");
        }
        match self.rest()[..digits].parse() {
            Ok(n) if n <= MAX_REPEAT => {
                self.at += digits;
                Ok(n)
            }
            _ => self.refuse(&format!("MongoDB repeats at most {MAX_REPEAT} times")),
        }
    }
}
