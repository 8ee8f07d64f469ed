//! The mistakes of one file, as they are found.

use crate::{
    error::{Mistake, nearest},
    json::below,
};

/// The mistakes found so far in one file.
#[derive(Debug)]
pub(in crate::schema) struct Report {
    path: String,
    mistakes: Vec<Mistake>,
}

impl Report {
    /// No mistakes yet in the file that is shown as `path`.
    pub(in crate::schema) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), mistakes: Vec::new() }
    }

    /// Adds the mistake `detail` at `pointer`.
    pub(in crate::schema) fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        self.mistakes.push(Mistake { path: self.path.clone(), pointer: pointer.to_owned(), detail: detail.into() });
    }

    /// Adds the mistake `detail` at the member `token` of the value at `pointer`.
    pub(in crate::schema) fn add_below(&mut self, pointer: &str, token: &str, detail: impl Into<String>) {
        self.add(&below(pointer, token), detail);
    }

    /// Adds mistakes found elsewhere.
    pub(in crate::schema) fn extend(&mut self, mistakes: Vec<Mistake>) {
        self.mistakes.extend(mistakes);
    }

    /// Adds mistakes of the compiler, where nothing is known yet: what is not understood, it cannot compile either.
    pub(in crate::schema) fn add_new(&mut self, mut mistakes: Vec<Mistake>) {
        let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
        let related = |a: &str, b: &str| a == b || !a.is_empty() && inside(a, b) || inside(b, a);
        mistakes.retain(|new| !self.mistakes.iter().any(|known| related(&known.pointer, &new.pointer)));
        self.mistakes.extend(mistakes);
    }

    /// How many mistakes there are so far.
    pub(in crate::schema) fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// Every mistake once, in order.
    pub(in crate::schema) fn finish(mut self) -> Vec<Mistake> {
        self.mistakes.sort();
        self.mistakes.dedup();
        self.mistakes
    }
}

/// `, did you mean "…"?` with the name of `known` that is nearest, nothing if none is near.
pub(in crate::schema) fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(name, known).map(|near| format!(", did you mean \"{near}\"?")).unwrap_or_default()
}
