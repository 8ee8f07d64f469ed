//! What the supervisor tells the process that started it: one line of text per report.

use std::fmt;
use std::io::{self, Write as _};

/// One line from the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Report {
    /// Something the user should know, though the start goes on.
    Note(String),
    /// The server accepts connections on this port.
    Ready(u16),
    /// There is no server (any more), and why.
    Failed(String),
}

impl Report {
    /// Reads one line; `None` when it is no report.
    pub(super) fn parse(line: &str) -> Option<Self> {
        match line.split_once(' ')? {
            ("note", text) => Some(Self::Note(text.to_owned())),
            ("ready", port) => port.parse().ok().map(Self::Ready),
            ("failed", reason) => Some(Self::Failed(reason.to_owned())),
            _ => None,
        }
    }

    /// Writes the line to standard output.
    pub(super) fn send(&self) {
        // It fails only when the parent is gone, which the lifeline tells as well.
        let _ = writeln!(io::stdout(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(text) => write!(f, "note {}", one_line(text)),
            Self::Ready(port) => write!(f, "ready {port}"),
            Self::Failed(reason) => write!(f, "failed {}", one_line(reason)),
        }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_line() {
        for report in [Report::Note("recovers".into()), Report::Ready(27_017), Report::Failed("in use: stop it".into())]
        {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
    }

    #[test]
    fn a_reason_of_several_lines_is_one_line() {
        assert_eq!(Report::Failed("first\n\n  second\r\n".into()).to_string(), "failed first; second");
    }

    #[test]
    fn other_lines_are_no_reports() {
        for line in ["", "ready", "ready soon", "ready 70000", "Ready 1", "hello world"] {
            assert_eq!(Report::parse(line), None, "{line}");
        }
    }
}
