//! The mistakes of all files: each under the path of the file that it stands in, once.

use std::collections::{BTreeMap, BTreeSet};

use super::library::Library;
use crate::error::Mistake;

/// The mistakes found so far.
pub(super) struct Settlement {
    mistakes: Vec<Mistake>,
    /// What is wrong with another file where a file refers to it, and the path of the first that does.
    elsewhere: BTreeMap<(String, String, String), String>,
}

impl Settlement {
    /// Begins with mistakes that are where they belong.
    pub(super) fn new(mistakes: Vec<Mistake>) -> Self {
        Self { mistakes, elsewhere: BTreeMap::new() }
    }

    /// Adds what was found when `file` was looked at.
    pub(super) fn add(&mut self, file: &str, mistakes: Vec<Mistake>) {
        for mistake in mistakes {
            match mistake.pointer.split_once('#').filter(|(other, _)| !other.starts_with('/')) {
                Some((other, pointer)) if other != file => {
                    let place = (other.to_owned(), pointer.to_owned(), mistake.detail);
                    self.elsewhere.entry(place).or_insert(mistake.path);
                }
                _ => self.mistakes.push(mistake),
            }
        }
    }

    /// All mistakes, in order. What is wrong with a file in itself stands for all that follows from it elsewhere.
    pub(super) fn finish(mut self, library: &Library) -> Vec<Mistake> {
        self.mistakes.extend(library.mistakes().cloned());
        let faulty: BTreeSet<_> = self.mistakes.iter().map(|mistake| mistake.path.clone()).collect();
        for ((file, pointer, detail), referrer) in self.elsewhere {
            let path = library.shown(&file);
            if !faulty.contains(&path) {
                let detail = format!("{detail} (where `{referrer}` refers to it)");
                self.mistakes.push(Mistake { path, pointer, detail });
            }
        }
        self.mistakes.sort();
        self.mistakes.dedup();
        self.mistakes
    }
}
