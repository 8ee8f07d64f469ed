//! Tables of plain text that fit a screen.

/// How many characters fit on a line.
pub(super) const WIDTH: usize = 100;
const GAP: &str = "  ";

/// The table, its columns as wide as what stands in them, the widest ones wrapped where a line would be too long.
pub(super) fn lay_out<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut rows = rows.to_vec();
    rows.insert(0, head.map(str::to_owned));
    let widths = widths(&rows);
    rows.iter().flat_map(|row| lines(row, widths)).collect::<Vec<_>>().join("\n")
}

fn widths<const N: usize>(rows: &[[String; N]]) -> [usize; N] {
    let mut widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    while widths.iter().sum::<usize>() + GAP.len() * N.saturating_sub(1) > WIDTH {
        let Some(widest) = widths.iter_mut().max() else { break };
        *widest -= 1;
    }
    widths
}

/// The lines of one row.
fn lines<const N: usize>(row: &[String; N], widths: [usize; N]) -> Vec<String> {
    let cells: [Vec<String>; N] = std::array::from_fn(|column| wrap(&row[column], widths[column]));
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let parts = cells.iter().zip(widths).map(|(cell, width)| format!("{:width$}", cell.get(at).map_or("", |s| s)));
        parts.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// The text in lines of at most `width` characters, broken at spaces, and elsewhere only where a word does not fit.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<_> = word.chars().collect();
    letters.chunks(width.max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_spaces_where_it_can() {
        for (text, width, lines) in [
            ("", 5, &[][..]),
            ("a bb ccc", 8, &["a bb ccc"]),
            ("a bb ccc", 7, &["a bb", "ccc"]),
            ("a bb ccc", 2, &["a", "bb", "cc", "c"]),
            ("aaaaa b", 2, &["aa", "aa", "a", "b"]),
            ("äöü ß", 3, &["äöü", "ß"]),
            ("ab", 0, &["a", "b"]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text} in {width}");
        }
    }

    #[test]
    fn no_line_is_too_long() {
        let row = |text: &str, times| [text.repeat(times), "b".to_owned(), text.repeat(2 * times), "d e".to_owned()];
        for (text, times) in [("word ", 1), ("word ", 40), ("x", 300), ("", 1)] {
            let table = lay_out(["one", "two", "three", "four"], &[row(text, times), row("a", 1)]);
            assert!(table.lines().all(|line| line.chars().count() <= WIDTH && !line.ends_with(' ')), "{table}");
            assert!(table.lines().next().is_some_and(|line| line.starts_with("one")), "{table}");
        }
    }
}
