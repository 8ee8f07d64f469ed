//! A rule in words, and rules put together. What a keyword says is in `sentences`.

use super::block::{Line, Span, text};

/// Rules that are longer together, in characters, are listed one below the other.
const MAX_WIDTH: usize = 120;

/// A rule of which a value is the subject: `is` at least 0, `fulfills one of these:` with parts below.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) verb: Verb,
    pub(super) words: Line,
    /// What the words announce.
    pub(super) parts: Vec<Rule>,
}

/// What comes between the value and the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Is,
    Has,
    Matches,
    /// The words are of each item by itself.
    Each,
    /// The verb is among the words.
    Does,
    /// The words are a sentence by themselves.
    Sentence,
}

impl Rule {
    pub(super) fn new(verb: Verb, words: Line) -> Self {
        Self { verb, words, parts: Vec::new() }
    }

    fn with(verb: Verb, words: Line, parts: Vec<Self>) -> Self {
        Self { verb, words, parts }
    }

    /// Whether it fits into a line beside others.
    pub(super) fn is_short(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether another rule after it could be taken for a part of it.
    fn runs_on(&self) -> bool {
        self.has_any([" and ", " or ", ", which", ", or one that"])
    }

    /// Whether a rule before it could be taken for a part of it.
    fn is_choice(&self) -> bool {
        self.verb == Verb::Does && self.has_any([" or ", ", or "])
    }

    fn has_any<const N: usize>(&self, words: [&str; N]) -> bool {
        self.words.0.iter().any(|span| matches!(span, Span::Text(text) if words.contains(&&**text)))
    }

    /// The rule after its subject: `is at least 0`.
    pub(super) fn full(&self) -> Line {
        let verb = match self.verb {
            Verb::Is => "is ",
            Verb::Has => "has ",
            Verb::Matches => "matches ",
            Verb::Each => "has only items of which each ",
            Verb::Does | Verb::Sentence => return self.words.clone(),
        };
        text(verb).line(self.words.clone())
    }

    /// The rule by itself, in a cell: `at least 0`.
    pub(super) fn brief(&self) -> Line {
        match self.verb {
            Verb::Is | Verb::Has => self.words.clone(),
            Verb::Each => text("each item ").line(self.words.clone()),
            Verb::Matches | Verb::Does | Verb::Sentence => self.full(),
        }
    }

    /// The rule after `words`, which say of what it is one, as a rule with the verb `verb`.
    pub(super) fn after(self, verb: Verb, words: Line) -> Self {
        let words = if words.is_empty() { words } else { words.text(" ") };
        match self.verb {
            Verb::Sentence => Self::with(verb, words.text("fulfills this:"), vec![self]),
            _ => Self::with(verb, words.line(self.full()), self.parts),
        }
    }

    /// It must not be so.
    pub(super) fn not(self) -> Self {
        if !self.is_short() || self.verb == Verb::Sentence {
            return Self::with(Verb::Does, text("does not fulfill this:"), vec![self]);
        }
        match self.verb {
            Verb::Is => Self::new(Verb::Is, text("not ").line(self.words)),
            Verb::Matches => Self::new(Verb::Does, text("does not match ").line(self.words)),
            _ => Self::new(Verb::Does, text("does not fulfill: ").line(self.full())),
        }
    }
}

/// All of `rules` as one.
pub(super) fn all(mut rules: Vec<Rule>) -> Rule {
    match rules.len() {
        0 => Rule::new(Verb::Is, text("anything")),
        1 => rules.remove(0),
        count => {
            let clear = !rules[..count - 1].iter().any(Rule::runs_on) && !rules.iter().any(Rule::is_choice);
            if clear && fit(&rules) {
                return Rule::new(Verb::Does, Line::listed(rules.iter().map(Rule::full).collect(), "and"));
            }
            Rule::with(Verb::Does, text("fulfills all of these:"), rules)
        }
    }
}

/// At least one of `rules`, or exactly one of them.
pub(super) fn some(mut rules: Vec<Rule>, exactly_one: bool) -> Rule {
    let many = if exactly_one { "fulfills exactly one of these:" } else { "fulfills at least one of these:" };
    match rules.len() {
        1 => rules.remove(0),
        _ if !fit(&rules) => Rule::with(Verb::Does, text(many), rules),
        _ if exactly_one => {
            let rules = Line::joined(rules.iter().map(Rule::full), "; ");
            Rule::new(Verb::Does, text(many).text(" ").line(rules))
        }
        // `is a and b or c` would be read in two ways.
        _ if rules.iter().any(|rule| rule.verb == Verb::Does) => {
            Rule::new(Verb::Does, Line::joined(rules.iter().map(Rule::full), ", or "))
        }
        _ => Rule::new(Verb::Does, Line::listed(rules.iter().map(Rule::full).collect(), "or")),
    }
}

/// What `outcomes` say, each with its own words before it, hangs on `condition`.
pub(super) fn conditional(condition: Rule, outcomes: Vec<Rule>) -> Rule {
    let all: Vec<_> = std::iter::once(condition).chain(outcomes).collect();
    let width: usize = all.iter().map(|rule| rule.words.width()).sum();
    if all.iter().all(Rule::is_short) && width <= MAX_WIDTH {
        return Rule::new(Verb::Sentence, Line::joined(all.into_iter().map(|rule| rule.words), ", "));
    }
    Rule::with(Verb::Sentence, text("on a condition:"), all)
}

/// Whether `rules` can be said in one sentence.
fn fit(rules: &[Rule]) -> bool {
    let plain = |rule: &Rule| rule.is_short() && rule.verb != Verb::Sentence;
    rules.iter().all(plain) && rules.iter().map(|rule| rule.full().width()).sum::<usize>() <= MAX_WIDTH
}
