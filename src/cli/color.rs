//! The colors of a plan on a terminal.

use std::{env, io::IsTerminal};

use clap::ValueEnum;

/// When to print colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// `plan` as it is to be printed on the standard output.
    pub(super) fn apply(self, plan: &str) -> String {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = || env::var_os("TERM").is_none_or(|term| term == "dumb");
        let painted = match self {
            Self::Always => true,
            Self::Never => false,
            // See https://no-color.org.
            Self::Auto => std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !dumb(),
        };
        if painted { paint(plan) } else { plan.to_owned() }
    }
}

/// What begins a line, and the color of such lines: green comes, red goes or is in the way, yellow becomes another,
/// what is left alone is dim. See [ECMA-48](https://ecma-international.org/publications-and-standards/standards/ecma-48/), 8.3.117.
const COLORS: [(&str, &str); 5] =
    [("+ ", "\x1b[32m"), ("- ", "\x1b[31m"), ("~ ", "\x1b[33m"), ("! ", "\x1b[1;31m"), ("? ", "\x1b[2m")];

const PLAIN: &str = "\x1b[0m";

fn paint(plan: &str) -> String {
    let line = |line: &str| {
        let sign = line.trim_start();
        let color = COLORS.iter().find(|(begin, _)| sign.starts_with(begin));
        color.map_or_else(|| line.to_owned(), |(_, color)| format!("{color}{line}{PLAIN}"))
    };
    plan.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_color_of_their_sign() {
        let painted = Color::Always.apply("~ validator books [safe]\n    + # required: \"a\" (added)\n    reads it");
        let expected = "\x1b[33m~ validator books [safe]\x1b[0m\n\
                        \x1b[32m    + # required: \"a\" (added)\x1b[0m\n    reads it";
        assert_eq!(painted, expected);
        assert_eq!(Color::Never.apply("+ a"), "+ a");
    }
}
