//! README's tour and the examples of the API, command by command: what they say is printed is what is printed.
//!
//! In their `console` blocks, lines that begin with `$ ` are commands and the others what they print; `…` stands for
//! any text, alone on a line for any lines. The build under test takes the place of `cargo run --release --`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

const FOLIO: &str = env!("CARGO_BIN_EXE_folio");
const RUN: &str = "cargo run --release --";
const ADDRESS: &str = "127.0.0.1:8080";

/// A command of the tour and what it prints.
#[derive(Debug, Default)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// The steps of every `console` block, in order.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut continued = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
                (None, Some(step)) if continued => step.command = format!("{}\n{line}", step.command),
                (None, Some(step)) => step.output.push(line.to_owned()),
                (None, None) => panic!("output before any command: {line}"),
            }
            continued = steps.last().is_some_and(|step| step.output.is_empty() && step.command.ends_with('\\'));
        }
    }
    steps
}

/// Whether `line` is as `pattern` says, `…` standing for any text.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((before, after)) = pattern.split_once('…') else { return pattern == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))
}

fn all_fit(patterns: &[String], lines: &[&str]) -> bool {
    match patterns {
        [] => lines.is_empty(),
        [any, rest @ ..] if any.trim() == "…" => (0..=lines.len()).any(|at| all_fit(rest, &lines[at..])),
        [first, rest @ ..] => lines.first().is_some_and(|line| fits(first, line)) && all_fit(rest, &lines[1..]),
    }
}

/// A running `folio dev`, and what it printed until it was ready.
struct Dev {
    child: Child,
    printed: String,
    address: String,
}

impl Dev {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(FOLIO);
        command.args(["dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !printed.contains("Ctrl-C") {
            printed += &lines.next().expect("`folio dev` ended").unwrap();
            printed.push('\n');
        }
        let address = printed.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { child, printed, address }
    }

    /// Runs the commands in one shell, and gives what each printed.
    fn run(&self, commands: &[String], folder: &Path) -> Vec<String> {
        const END: &str = "<end of output>";
        let end = format!("\nprintf '\\n{END}'\n");
        let script = commands.join(&end) + &end;
        let mut shell = Command::new("bash");
        let (_, rest) = self.printed.split_once("mongosh \"").unwrap();
        let (database, _) = rest.split_once('"').unwrap();
        shell.env("FOLIO_MONGODB", database);
        shell.arg("-s").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        stdin.write_all(b"exec 2>&1\n").unwrap();
        stdin.write_all(script.replace(ADDRESS, &self.address).as_bytes()).unwrap();
        drop(stdin);
        let output = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
        output.replace(&self.address, ADDRESS).split(END).map(|part| part.trim_matches('\n').to_owned()).collect()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Runs the commands of a page on the sample library.
fn walk(page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(&folder.path().join("data"));
    let steps = steps(&fs::read_to_string(page).unwrap());
    let commands: Vec<_> = steps.iter().map(|step| step.command.clone()).collect();
    for (step, output) in steps.iter().zip(dev.run(&commands, folder.path())) {
        check(page, step, &output);
    }
}

#[test]
fn the_examples_of_the_api_are_as_it_says() {
    walk("docs/API.md");
}

#[test]
fn the_tour_is_as_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("schemas")).unwrap();
    for file in fs::read_dir("schemas").unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join("schemas").join(file.file_name())).unwrap();
    }
    let dev = Dev::start(&folder.path().join("data"));
    let steps = steps(&fs::read_to_string("README.md").unwrap());
    let (starts, tour): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.command == format!("{RUN} dev"));
    assert!(starts.len() == 1 && tour.len() >= 12, "{} starts, {} steps", starts.len(), tour.len());
    let printed = dev.printed.replace(&dev.address, ADDRESS);
    check("README.md", starts[0], printed.trim_matches('\n'));
    let commands: Vec<_> = tour.iter().map(|step| step.command.replace(RUN, FOLIO)).collect();
    for (step, output) in tour.into_iter().zip(dev.run(&commands, folder.path())) {
        check("README.md", step, &output);
    }
}

fn check(page: &str, step: &Step, output: &str) {
    let lines: Vec<_> = output.lines().map(str::trim_end).collect();
    let expected: Vec<_> = step.output.iter().map(|line| line.trim_end().to_owned()).collect();
    assert!(
        all_fit(&expected, &lines),
        "$ {}\n{page} says:\n{}\nprinted:\n{output}",
        step.command,
        expected.join("\n")
    );
}

#[test]
fn patterns_fit_what_they_should() {
    let patterns = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(all_fit(&patterns("a\n…\nb…c"), &["a", "x", "y", "b--c"]));
    assert!(!all_fit(&patterns("a\nb"), &["a", "b", "c"]));
    assert!(!all_fit(&patterns("a…z"), &["a-y"]));
}
