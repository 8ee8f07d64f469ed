//! The command line: one clap enum, one short file for each command.

use std::{panic::resume_unwind, path::Path, process::ExitCode, thread};

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};

mod apply;
mod check;
mod color;
mod dev;
mod docs;
mod infer;
mod keys;
mod plan;
mod progress;
mod serve;
mod supervise;

/// JSON Schema files in, a safe JSON API over MongoDB out
#[derive(Debug, Parser)]
#[command(name = "folio", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the sample library, or your own files, on a private MongoDB server
    Dev(Box<dev::Args>),
    /// Bring the database in step with the collection files and serve the API
    Serve(Box<serve::Args>),
    /// Check the collection files; no database is needed, but to try their examples
    Check(Box<check::Args>),
    /// Show what would change in the database, and which stored documents stand in the way; exit code 0 when nothing
    /// would change, 2 when something would, 3 when it cannot, 1 on an error
    Plan(plan::Args),
    /// Make the database as the collection files say, after showing what that changes; exit codes as of `folio plan`
    Apply(apply::Args),
    /// Write a first collection file for a collection that exists
    Infer(Box<infer::Args>),
    /// Write pages that describe the collections, with a diagram of all
    Docs(docs::Args),
    /// Make, list and revoke API keys
    Keys(Box<keys::Args>),
    /// Own a private MongoDB server until the standard input ends
    #[command(hide = true)]
    SuperviseMongod(supervise::Args),
}

/// Runs the command line and gives the process's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return answer(&usage),
    };
    start_logging(match cli.command {
        Command::Serve(_) => "info,folio::access=warn",
        // What becomes of the scratch database is of no interest.
        Command::Check(_) => "warn",
        _ => "info",
    });
    match on_deep_stack(|| run(cli.command)) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints the help that was asked for, or what is wrong with the command line. That ends with 1 like every error: of
/// `folio plan`, 2 says that changes are pending.
fn answer(usage: &clap::Error) -> ExitCode {
    let printed = usage.print();
    if printed.is_err() || usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|e| Error::Startup(format!("cannot start a thread: {e}")))?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Docs(args) => docs::run(&args),
        Command::SuperviseMongod(args) => runtime(1)?.block_on(supervise::run(&args)),
        Command::Dev(args) => runtime(1)?.block_on(dev::run(&args)),
        Command::Serve(args) => runtime(args.threads())?.block_on(serve::run(&args)),
        Command::Check(args) => runtime(1)?.block_on(check::run(&args)),
        Command::Plan(args) => runtime(1)?.block_on(plan::run(&args)),
        Command::Apply(args) => runtime(1)?.block_on(apply::run(&args)),
        Command::Infer(args) => runtime(1)?.block_on(infer::run(&args)),
        Command::Keys(args) => runtime(1)?.block_on(keys::run(&args)),
    }
}

/// What a document's verdict is read with: the driver recurses through explanations of values that may be nested
/// a hundred deep, and would overflow the two megabytes that threads have by default.
const STACK: usize = 16 << 20;

/// A runtime on as many threads. With one, nothing is ever handed from thread to thread, which is a good part of what a
/// small request costs.
fn runtime(threads: usize) -> Result<Runtime> {
    let mut runtime = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(threads).enable_all().thread_stack_size(STACK).build();
    runtime.map_err(|e| Error::Startup(format!("cannot start the runtime: {e}")))
}

/// Logs go to the standard error, as text for people or, with `FOLIO_LOG_FORMAT=json`, as JSON for machines;
/// `FOLIO_LOG` filters them (`info`, `folio=debug`, …), in place of `default`.
fn start_logging(default: &str) {
    let filter = EnvFilter::try_from_env("FOLIO_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("FOLIO_LOG_FORMAT").is_ok_and(|format| format == "json") {
        logging.json().init();
    } else {
        logging.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
}

/// Refuses a file whose folder is not there, before long work is done for it.
fn need_folder_of(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let folder = folder.display();
            Err(Error::Startup(format!("there is no folder `{folder}`: make it, or name another with `--out`")))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::print_stderr, reason = "the command line speaks to people here")]
fn complain(error: &Error) {
    eprintln!("{error}");
}

/// Prints a warning, to be seen beside what was asked for.
#[expect(clippy::print_stderr, reason = "the command line speaks to people here")]
fn warn(line: impl std::fmt::Display) {
    eprintln!("warning: {line}");
}

/// Prints a line that was asked for.
#[expect(clippy::print_stdout, reason = "the command line speaks to people here")]
fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
