//! JSON text to BSON bytes, with no tree in between. Knows what the benchmark's requests have.

use super::encode::plain_until;

type Result<T> = std::result::Result<T, &'static str>;

/// The document, as BSON, which begins with the given `_id`.
pub fn document(text: &[u8], id: Option<[u8; 12]>) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() + 64);
    Parser::new(text)?.object(&mut out, id)?;
    Ok(out)
}

/// The documents of an array, each as BSON with a new `_id`.
pub fn documents(text: &[u8], mut new_id: impl FnMut() -> [u8; 12]) -> Result<Vec<Vec<u8>>> {
    let mut documents = Vec::with_capacity(128);
    Parser::new(text)?.list(b"[]", |parser| {
        let mut out = Vec::with_capacity(1024);
        parser.object(&mut out, Some(new_id()))?;
        documents.push(out);
        Ok(())
    })?;
    Ok(documents)
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8]) -> Result<Self> {
        simdutf8::basic::from_utf8(text).map_err(|_| "expected UTF-8")?;
        Ok(Self { text, at: 0 })
    }

    /// The next byte that is no white space; 0 at the end.
    #[inline(always)]
    fn peek(&mut self) -> u8 {
        while let Some(&byte) = self.text.get(self.at) {
            if byte > b' ' {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    #[inline(always)]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<()> {
        self.eat(byte).then_some(()).ok_or("expected other punctuation")
    }

    #[inline(always)]
    fn list(&mut self, [open, close]: &[u8; 2], mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.expect(*open)?;
        if self.eat(*close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.eat(b',') {
                return self.expect(*close);
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, id: Option<[u8; 12]>) -> Result<()> {
        sized(out, 0, |out| {
            if let Some(id) = id {
                out.extend_from_slice(b"\x07_id\0");
                out.extend_from_slice(&id);
            }
            self.list(b"{}", |parser| {
                let kind = out.len();
                out.push(0);
                parser.string(out)?;
                out.push(0);
                parser.expect(b':')?;
                out[kind] = parser.value(out)?;
                Ok(())
            })
        })
    }

    fn array(&mut self, out: &mut Vec<u8>) -> Result<()> {
        sized(out, 0, |out| {
            let mut index = 0_u32;
            self.list(b"[]", |parser| {
                let kind = out.len();
                out.push(0);
                out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
                out.push(0);
                out[kind] = parser.value(out)?;
                index += 1;
                Ok(())
            })
        })
    }

    /// Appends the value; returns its BSON type.
    fn value(&mut self, out: &mut Vec<u8>) -> Result<u8> {
        match self.peek() {
            b'"' => sized(out, 4, |out| self.string(out)).map(|()| 0x02),
            b'{' if self.text[self.at..].starts_with(b"{\"$date\"") => self.date(out).map(|()| 0x09),
            b'{' => self.object(out, None).map(|()| 0x03),
            b'[' => self.array(out).map(|()| 0x04),
            _ => self.number(out),
        }
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.expect(b'"')?;
        loop {
            let end = plain_until(self.text, self.at);
            out.extend_from_slice(&self.text[self.at..end]);
            self.at = end + 2;
            match (self.text.get(end), self.text.get(end + 1)) {
                (Some(b'"'), _) => {
                    self.at = end + 1;
                    return Ok(());
                }
                (Some(b'\\'), Some(b'n')) => out.push(b'\n'),
                (Some(b'\\'), Some(byte @ (b'"' | b'\\'))) => out.push(*byte),
                _ => return Err("no book has this in a string"),
            }
        }
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<u8> {
        let rest = &self.text[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
        let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let digits = std::str::from_utf8(&rest[..end]).map_err(|_| "expected a number")?;
        self.at += end;
        if let Ok(number) = digits.parse::<i32>() {
            out.extend_from_slice(&number.to_le_bytes());
            return Ok(0x10);
        }
        out.extend_from_slice(&digits.parse::<f64>().map_err(|_| "expected a number")?.to_le_bytes());
        Ok(0x01)
    }

    /// `{"$date":"2024-05-01T12:00:00Z"}`, by [the civil-to-days algorithm](https://howardhinnant.github.io/date_algorithms.html).
    fn date(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let mut text = Vec::with_capacity(24);
        self.list(b"{}", |parser| {
            parser.string(&mut Vec::with_capacity(8))?;
            parser.expect(b':')?;
            parser.string(&mut text)
        })?;
        let number = |from: usize, to: usize| -> Result<i64> {
            let digits = text.get(from..to).ok_or("expected a date")?.iter();
            Ok(digits.fold(0, |number: i64, digit| number * 10 + i64::from(digit.wrapping_sub(b'0'))))
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let time = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
        let days = era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
        out.extend_from_slice(&((days * 86_400 + time) * 1000).to_le_bytes());
        Ok(())
    }
}

/// Appends what `write` does and a NUL, with the length of it in front: of all, or of what follows the first `less` bytes.
#[inline(always)]
fn sized(out: &mut Vec<u8>, less: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    out.push(0);
    let length = i32::try_from(out.len() - at - less).map_err(|_| "too long")?;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}
