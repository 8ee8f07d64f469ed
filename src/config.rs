//! Every setting once: its flag, its environment variable, its default and its help.

use std::{net::SocketAddr, num::NonZeroU64, path::PathBuf, time::Duration};

use clap::{Args, Command, ValueEnum, builder::BoolishValueParser};

use crate::error::{Error, Result};

mod origin;
mod secret;
mod tokens;

pub use origin::Origin;
pub use secret::Secret;
pub use tokens::{Algorithm, Attribute, Tokens};

/// Where the collection files are.
#[derive(Debug, Clone, Args)]
pub struct Schemas {
    /// Folder of the collection files, one `<collection>.json` each
    #[arg(long, env = "FOLIO_SCHEMAS", value_name = "DIR", default_value = "schemas")]
    pub schemas: PathBuf,
}

/// Which database, and how to reach it.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// Connection string of the MongoDB deployment, a replica set or mongos of version 5.0 or newer
    #[arg(long, env = "FOLIO_MONGODB", value_name = "URI", hide_env_values = true)]
    #[arg(default_value = "mongodb://127.0.0.1:27017/?replicaSet=rs0", conflicts_with = "mongodb_file")]
    pub mongodb: Secret,
    /// File that holds the connection string
    #[arg(long, env = "FOLIO_MONGODB_FILE", value_name = "FILE")]
    pub mongodb_file: Option<PathBuf>,
    /// Name of the database
    #[arg(long, env = "FOLIO_DATABASE", value_name = "NAME", default_value = "folio")]
    pub database: String,
    /// Accept a connection string that acknowledges writes before a majority has journaled them
    #[arg(long, env = "FOLIO_WEAK_WRITES", value_parser = BoolishValueParser::new())]
    pub weak_writes: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it as help")]
    pub pool: Pool,
}

/// The pool of connections that all requests share.
#[derive(Debug, Clone, Args)]
pub struct Pool {
    /// Most connections to the database at a time
    #[arg(long, env = "FOLIO_POOL_MAX", value_name = "N", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub pool_max: u32,
    /// Connections kept open when idle
    #[arg(long, env = "FOLIO_POOL_MIN", value_name = "N", default_value_t = 2)]
    pub pool_min: u32,
    /// Seconds after which an idle connection is closed; 0 keeps it
    #[arg(long, env = "FOLIO_POOL_IDLE", value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub pool_idle: Duration,
    /// Seconds to wait for a connection to be made
    #[arg(long, env = "FOLIO_CONNECT_TIMEOUT", value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// Seconds to wait for a server that can take the command, before 503
    #[arg(long, env = "FOLIO_SELECTION_TIMEOUT", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub selection_timeout: Duration,
}

/// How changes that the files ask for reach the database.
#[derive(Debug, Clone, Copy, Args)]
pub struct Changes {
    /// Which changes to the database are made at start; any that is left over stops the start
    #[arg(long, env = "FOLIO_APPLY", value_enum, default_value_t = Apply::Safe)]
    pub apply: Apply,
    /// Whether a start also goes back to files that were applied before and have been replaced since. No setting of the
    /// service: each restart of an instance with older files would undo what the newer ones changed.
    #[arg(skip)]
    pub rollback: bool,
}

/// Which changes a start may make by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Apply {
    /// None: the database must be as the files say
    None,
    /// Those that lose nothing and are quick
    #[default]
    Safe,
    /// All, also slow and destructive ones
    All,
}

/// How a validator goes in that stored documents break: softened, until none does any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Stage {
    /// Held against new documents and good ones; those that already break it may still be changed
    #[default]
    Moderate,
    /// Held against nothing: the server's log tells which writes break it
    Warn,
}

/// How requests are served.
#[derive(Debug, Clone, Args)]
pub struct Serving {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "FOLIO_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Let every caller do everything; beyond loopback only as `--open=anywhere`
    #[arg(long, env = "FOLIO_OPEN", value_enum, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "loopback", value_name = "WHERE")]
    pub open: Option<Open>,
    /// Secret that entity tags and cursors are keyed with, the same on all instances; without one, the database keeps one
    #[arg(long, env = "FOLIO_SECRET", value_name = "SECRET", hide_env_values = true, conflicts_with = "secret_file")]
    pub secret: Option<Secret>,
    /// File that holds the secret
    #[arg(long, env = "FOLIO_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Web origin whose pages may read answers in a browser, such as `https://app.example.org`; may be repeated, or be a
    /// list with commas
    #[arg(long, env = "FOLIO_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<Origin>,
    /// Seconds that running requests get to finish after SIGTERM or Ctrl-C
    #[arg(long, env = "FOLIO_GRACE", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub grace: Duration,
    /// Seconds between looks at how the database stands to the collection files, for `/readyz` and `/metrics`: whether
    /// newer files were applied, and how many stored documents break a validator that is not held against every write;
    /// 0 looks once
    #[arg(long, env = "FOLIO_RECOUNT", value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub recount: Duration,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it as help")]
    pub tokens: Tokens,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it as help")]
    pub limits: Limits,
}

/// What a start needs to know: which database, which changes may be made to it, how requests are served.
#[derive(Debug, Clone, Default, Args)]
#[expect(missing_docs, reason = "clap would take it as help")]
pub struct Settings {
    #[command(flatten)]
    pub database: Database,
    #[command(flatten)]
    pub changes: Changes,
    #[command(flatten)]
    pub serving: Serving,
}

/// From where an open service may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Open {
    /// From this machine only
    #[value(alias = "true", alias = "1")]
    Loopback,
    /// From wherever the address can be reached
    Anywhere,
}

/// What a client may ask for at most.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Bytes of a request body
    #[arg(long, env = "FOLIO_MAX_BODY", value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_body: usize,
    /// Bytes of a path with its query
    #[arg(long, env = "FOLIO_MAX_URL", value_name = "BYTES", default_value_t = 16 << 10)]
    pub max_url: usize,
    /// Documents of a page
    #[arg(long, env = "FOLIO_MAX_PAGE", value_name = "N", default_value_t = 1000)]
    pub max_page: u32,
    /// Bytes of a page's documents, as BSON
    #[arg(long, env = "FOLIO_MAX_PAGE_BYTES", value_name = "BYTES", default_value_t = 64 << 20)]
    pub max_page_bytes: usize,
    /// Documents that `skip` passes over
    #[arg(long, env = "FOLIO_MAX_SKIP", value_name = "N", default_value_t = 10_000)]
    pub max_skip: u32,
    /// Documents that a query may read without an index
    #[arg(long, env = "FOLIO_MAX_SCAN", value_name = "N", default_value_t = 100_000)]
    pub max_scan: u64,
    /// Documents that a query may sort without an index
    #[arg(long, env = "FOLIO_MAX_SORT", value_name = "N", default_value_t = 10_000)]
    pub max_sort: u64,
    /// Levels of a filter
    #[arg(long, env = "FOLIO_MAX_FILTER_DEPTH", value_name = "N", default_value_t = 16)]
    pub max_filter_depth: usize,
    /// Conditions and operators of a filter
    #[arg(long, env = "FOLIO_MAX_FILTER_NODES", value_name = "N", default_value_t = 256)]
    pub max_filter_nodes: usize,
    /// Values of one `$in`, `$nin` or `$all`, of `$pullAll` or `$addToSet`, positions of a geometry, words of a `$text`
    /// search
    #[arg(long, env = "FOLIO_MAX_IN", value_name = "N", default_value_t = 1000)]
    pub max_in: usize,
    /// Characters of a regular expression
    #[arg(long, env = "FOLIO_MAX_REGEX", value_name = "N", default_value_t = 256)]
    pub max_regex: usize,
    /// Writes of a `_bulk` request, documents of an array that is inserted
    #[arg(long, env = "FOLIO_MAX_BULK", value_name = "N", default_value_t = 10_000)]
    pub max_bulk: usize,
    /// Paths in an update by operators
    #[arg(long, env = "FOLIO_MAX_PATHS", value_name = "N", default_value_t = 1000)]
    pub max_paths: usize,
    /// Values in the updates by operators of a request, those in arrays and objects included
    #[arg(long, env = "FOLIO_MAX_VALUES", value_name = "N", default_value_t = 100_000)]
    pub max_values: usize,
    /// Seconds that a request may take
    #[arg(long, env = "FOLIO_DEADLINE", value_name = "SECONDS", default_value = "30", value_parser = some_seconds)]
    pub deadline: Duration,
}

/// The settings of an empty command line, without looking at the environment: each default stands once, above.
#[expect(clippy::expect_used, reason = "the defaults are constants, and a test reads them")]
fn defaults<A: Args>() -> A {
    let command = A::augment_args(Command::new("folio").no_binary_name(true)).mut_args(|arg| arg.env(None));
    let matches = command.try_get_matches_from([""; 0]).expect("every setting has a default or is optional");
    A::from_arg_matches(&matches).expect("what clap has read is what it asked for")
}

impl Default for Database {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Pool {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Changes {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Serving {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Limits {
    fn default() -> Self {
        defaults()
    }
}

impl Database {
    /// The connection string.
    pub fn uri(&self) -> Result<Secret> {
        match &self.mongodb_file {
            Some(file) => Secret::read(file, "the connection string"),
            None => Ok(self.mongodb.clone()),
        }
    }
}

impl Serving {
    /// Whether every caller may do everything, refused where the address would make that an accident.
    pub fn is_open(&self) -> Result<bool> {
        match self.open {
            None => Ok(false),
            Some(Open::Loopback) if !self.listen.ip().is_loopback() => Err(Error::Startup(format!(
                "`--open` lets every caller read and change everything, and {} can be reached from other machines: \
                 listen on 127.0.0.1, or say `--open=anywhere` if that is what you want",
                self.listen
            ))),
            Some(_) => Ok(true),
        }
    }

    /// The configured secret, if there is one.
    pub fn secret(&self) -> Result<Option<Secret>> {
        let secret = Secret::choose(self.secret.as_ref(), self.secret_file.as_deref(), "the secret")?;
        if secret.as_ref().is_some_and(|secret| secret.expose().len() < 16) {
            return Err(Error::Startup(
                "the secret is shorter than 16 characters: make one that cannot be guessed".into(),
            ));
        }
        Ok(secret)
    }
}

/// A number of things, of which there is to be one at least.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "expected a whole number of at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

fn some_seconds(text: &str) -> Result<Duration, String> {
    let more = "expected more than 0 seconds".to_owned();
    seconds(text).and_then(|seconds| if seconds.is_zero() { Err(more) } else { Ok(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_default() {
        assert_eq!(Limits::default().max_page, 1000);
        assert_eq!(Limits::default().deadline, Duration::from_secs(30));
        assert_eq!(Serving::default().listen.port(), 8080);
        assert_eq!((Serving::default().open, Changes::default().apply), (None, Apply::Safe));
        assert_eq!((Database::default().database.as_str(), Pool::default().pool_max), ("folio", 64));
    }

    #[test]
    fn a_deadline_gives_some_time() {
        assert_eq!(some_seconds("0.5").unwrap(), Duration::from_millis(500));
        for text in ["0", "-0.0", "-1", "NaN", "inf", "soon", ""] {
            assert!(some_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn is_not_open_to_others_by_accident() {
        let serving = |listen: &str, open| Serving { listen: listen.parse().unwrap(), open, ..Serving::default() };
        assert!(!serving("0.0.0.0:80", None).is_open().unwrap());
        assert!(serving("127.0.0.1:80", Some(Open::Loopback)).is_open().unwrap());
        assert!(serving("0.0.0.0:80", Some(Open::Anywhere)).is_open().unwrap());
        let refused = serving("0.0.0.0:80", Some(Open::Loopback)).is_open().unwrap_err().to_string();
        assert!(refused.contains("`--open=anywhere`"), "{refused}");
    }
}
