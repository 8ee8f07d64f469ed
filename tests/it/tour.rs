//! README's tour and the examples of the API, command by command: what they say is printed is what is printed.
//!
//! In their `console` blocks, lines that begin with `$ ` are commands and the others what they print; `…` stands for
//! any text, alone on a line for any lines. The build under test takes the place of `cargo run --release --`.
//! What follows `folio dev`, with whatever flags, is typed beside it, once the shell has the variables that it printed.

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
#[derive(Debug)]
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

/// A `folio dev`, as the page starts it if it does, and what is typed beside it until it is stopped.
#[derive(Default)]
struct Stage {
    start: Option<Step>,
    steps: Vec<Step>,
}

fn stages(steps: Vec<Step>) -> Vec<Stage> {
    let mut stages = Vec::new();
    for step in steps {
        if is_start(&step.command) {
            stages.push(Stage { start: Some(step), steps: Vec::new() });
            continue;
        }
        if stages.is_empty() {
            stages.push(Stage::default());
        }
        stages.last_mut().unwrap().steps.push(step);
    }
    stages
}

fn is_start(command: &str) -> bool {
    command.strip_prefix(RUN).is_some_and(|rest| rest.split_whitespace().next() == Some("dev"))
}

impl Stage {
    /// The flags with which `folio dev` is started.
    fn flags(&self) -> Vec<&str> {
        self.start.iter().flat_map(|step| step.command[RUN.len()..].split_whitespace().skip(1)).collect()
    }
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
    fn start(data: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(FOLIO);
        command.args(["dev", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
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

    /// What it printed to be copied into a shell.
    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase());
        self.printed.lines().filter_map(|line| line.trim().split_once('=')).filter(move |(name, _)| is_name(name))
    }

    /// Runs the commands in one shell, and gives what each printed.
    fn run(&self, commands: &[String], folder: &Path) -> Vec<String> {
        const END: &str = "<end of output>";
        let end = format!("\nprintf '\\n{END}'\n");
        let script = commands.join(&end) + &end;
        let mut shell = Command::new("bash");
        let (_, rest) = self.printed.split_once("mongosh \"").unwrap();
        let (database, _) = rest.split_once('"').unwrap();
        shell.env("FOLIO_MONGODB", database).envs(self.variables());
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

/// Runs the commands of a page on the sample library, in a folder of their own with a copy of its collection files, and
/// says how many there are beside each `folio dev`.
fn walk(page: &str) -> Vec<usize> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("schemas")).unwrap();
    for file in fs::read_dir("schemas").unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join("schemas").join(file.file_name())).unwrap();
    }
    let stages = stages(steps(&fs::read_to_string(page).unwrap()));
    for stage in &stages {
        let dev = Dev::start(&folder.path().join("data"), &stage.flags());
        if let Some(start) = &stage.start {
            check(page, start, dev.printed.replace(&dev.address, ADDRESS).trim_matches('\n'));
        }
        let commands: Vec<_> = stage.steps.iter().map(|step| step.command.replace(RUN, FOLIO)).collect();
        for (step, output) in stage.steps.iter().zip(dev.run(&commands, folder.path())) {
            check(page, step, &output);
        }
    }
    stages.iter().map(|stage| stage.steps.len()).collect()
}

#[test]
fn the_examples_of_the_api_are_as_it_says() {
    assert!(walk("docs/API.md").iter().sum::<usize>() >= 12);
}

#[test]
fn the_tour_is_as_readme_says() {
    let steps = walk("README.md");
    assert!(steps.len() == 2 && steps.iter().all(|count| *count >= 9), "{steps:?}");
}

#[test]
fn what_dev_prints_works_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // How many documents each line shows, in the order of the lines.
    for (flags, shown) in [(&[][..], [3, 5, 0]), (&["--secure"], [3, 2, 3])] {
        let dev = Dev::start(&data, flags);
        let lines = dev.printed.lines().map(str::trim).filter(|line| line.starts_with("curl "));
        let lines: Vec<_> = lines.map(|line| line.replacen("curl", "curl -s", 1)).collect();
        let answers = dev.run(&lines, folder.path());
        let counts = answers.iter().filter(|answer| !answer.is_empty());
        assert_eq!(counts.map(|answer| answer.matches("\"_id\"").count()).collect::<Vec<_>>(), shown, "{answers:?}");
    }
}

#[test]
fn dev_secure_keeps_one_key_for_each_role() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Dev::start(&folder.path().join("data"), &["--secure"]);
    let earlier: Vec<_> = start().variables().map(|(_, key)| key.to_owned()).collect();
    let dev = start();
    let ask = |key: &str| format!("curl -s -o /dev/null -w '%{{http_code}}' http://{ADDRESS}/v1 -H 'X-Api-Key: {key}'");
    let mut asked: Vec<_> = earlier.iter().map(|key| ask(key)).collect();
    asked.extend(dev.variables().map(|(_, key)| ask(key)));
    asked.push(format!("{FOLIO} keys list --database library | grep -c 'folio dev: .*active'"));
    assert_eq!(dev.run(&asked, folder.path())[..5], ["401", "401", "200", "200", "2"]);
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
