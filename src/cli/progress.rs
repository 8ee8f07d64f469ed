//! What people see while stored documents are counted.
//!
//! Everything goes to the standard error: a line that is drawn again and again where that is a terminal, else a line in
//! the log now and then.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::termios::tcgetwinsize;

use crate::sync::{Progress, Reading};

/// What takes no longer than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line is drawn again.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line is logged.
const LOG: Duration = Duration::from_secs(10);

/// Where the terminal's width cannot be known.
const WIDTH: usize = 80;

/// The widest a bar gets, in columns.
const BAR: usize = 40;

/// Ends what is on the line, and goes back to its beginning.
const ERASE: &str = "\r\x1b[K";

/// Whether progress is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Show no progress while documents are counted
    #[arg(long)]
    no_progress: bool,
}

impl Options {
    /// A place to show progress in, where that is wanted.
    pub(super) fn display(&self) -> Display {
        Display((!self.no_progress).then(Arc::default))
    }
}

/// The progress as it is shown; erased when dropped.
#[derive(Debug)]
pub(super) struct Display(Option<Arc<Mutex<Shown>>>);

impl Display {
    /// What is told to it is shown as long as this display is kept.
    pub(super) fn progress(&self) -> Progress {
        let Some(shown) = self.0.clone() else { return Progress::default() };
        let is_terminal = stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Progress::to(move |reading| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            if is_terminal { shown.draw(reading) } else { shown.log(reading) }
        })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let is_drawn = |shown: &Arc<Mutex<Shown>>| shown.lock().unwrap_or_else(PoisonError::into_inner).is_drawn;
        if self.0.as_ref().is_some_and(is_drawn) {
            print(ERASE);
        }
    }
}

#[derive(Debug)]
struct Shown {
    /// When something was shown last, or the counting began.
    at: Instant,
    is_drawn: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { at: Instant::now(), is_drawn: false }
    }
}

impl Shown {
    fn draw(&mut self, reading: &Reading<'_>) {
        if self.is_due(if self.is_drawn { REDRAW } else { PATIENCE }) {
            self.is_drawn = true;
            let width = tcgetwinsize(stderr()).map_or(0, |size| usize::from(size.ws_col));
            print(&format!("{ERASE}{}", line(reading, if width == 0 { WIDTH } else { width })));
        }
    }

    fn log(&mut self, reading: &Reading<'_>) {
        if self.is_due(LOG) {
            tracing::info!("{}", line(reading, 0));
        }
    }

    fn is_due(&mut self, after: Duration) -> bool {
        let is_due = self.at.elapsed() >= after;
        if is_due {
            self.at = Instant::now();
        }
        is_due
    }
}

fn print(text: &str) {
    let mut out = stderr().lock();
    // Where nobody can see it, it matters to nobody.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// How far the reading is, in one line that leaves the last of `width` columns free: with a bar as far as there is room.
fn line(reading: &Reading<'_>, width: usize) -> String {
    let Reading { collection, index, done, of } = *reading;
    if let Some(index) = index {
        return cut(format!("looking for duplicates under `{collection}.{index}` in about {of} documents"), width);
    }
    let text = format!("counting in `{collection}`: {done} of about {of} documents");
    let room = width.saturating_sub(text.len() + 4).min(BAR);
    if room < BAR / 4 {
        return cut(text, width);
    }
    let full = usize::try_from(u128::from(done) * room as u128 / u128::from(of.max(1))).unwrap_or(room).min(room);
    format!("[{}{}] {text}", "#".repeat(full), "-".repeat(room - full))
}

/// The text as far as it fits; as it is where there is no width.
fn cut(text: String, width: usize) -> String {
    if width == 0 { text } else { text.chars().take(width - 1).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_their_terminal() {
        let reading = |done, index| Reading { collection: "books", index, done, of: 20_000 };
        let text = "counting in `books`: 5000 of about 20000 documents";
        let half = format!("[{}{}] {text}", "#".repeat(10), "-".repeat(30));
        assert_eq!(line(&reading(5000, None), 200), half);
        assert_eq!(line(&reading(5000, None), 0), text);
        assert_eq!(line(&reading(5000, None), 21), "counting in `books`:");
        assert_eq!(line(&reading(50_000, None), 200).matches('#').count(), 40);
        let duplicates = "looking for duplicates under `books.isbn_1` in about 20000 documents";
        assert_eq!(line(&reading(0, Some("isbn_1")), 0), duplicates);
        for width in 1..200 {
            let widest = [reading(5000, None), reading(0, Some("isbn_1"))].map(|reading| line(&reading, width).len());
            assert!(widest.iter().all(|length| *length < width), "{widest:?} in {width}");
        }
        assert_eq!(line(&Reading { of: 0, ..reading(0, None) }, 80).matches('#').count(), 0);
    }
}
