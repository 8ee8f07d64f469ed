//! `folio keys`: who may use the API by a key.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use bson::DateTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::say;
use crate::{
    auth::key::{self, Grant},
    config::{Attribute, Database, Schemas},
    error::{Error, Result, nearest},
    schema::{
        Catalog,
        access::{ADMIN, ANONYMOUS},
    },
    store::{Keys, client, keys::Key},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key and print it, once, as the last line
    Add(Add),
    /// List the keys, also those that are not good any more
    List(List),
    /// Revoke a key; all instances refuse it within seconds
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Role that the key gives, of the collection files, or `admin`; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',')]
    roles: Vec<String>,
    /// What the key is for; rules know it as `$user.name`
    #[arg(long, value_name = "TEXT", value_parser = name)]
    name: String,
    /// When it ceases to be good: after a time (`30m`, `12h`, `90d`, `2w`) or at one (`2030-01-31T12:00:00Z`)
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<DateTime>,
    /// What rules know as `$user.NAME`, such as `tenant=7`; may be repeated
    #[arg(long = "attr", value_name = "NAME=VALUE")]
    attributes: Vec<Attribute>,
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The key's id, as `folio keys list` shows it, or the key itself
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Add(args) => add(args).await?,
        Command::List(args) => list(args).await?,
        Command::Revoke(args) => revoke(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(args: &Add) -> Result<()> {
    let grant = grant(args, &Catalog::load(&args.schemas.schemas)?)?;
    let (key, text) = key::make(grant)?;
    on(&args.database, async |keys| keys.add(&key).await).await?;
    let end = key.expires.map_or("does not expire".to_owned(), |end| format!("expires {}", date(end)));
    let (Key { id, name, roles, .. }, database) = (&key, &args.database.database);
    say(format_args!(
        "key `{id}` for {name} in the database `{database}`, with the roles {}; it {end}",
        roles.join(", ")
    ));
    say("It is shown only now. Send it as `Authorization: Bearer …` or `X-Api-Key: …`:");
    say(text.expose());
    Ok(())
}

async fn list(args: &List) -> Result<()> {
    let keys = on(&args.database, async |keys| keys.all().await).await?;
    if keys.is_empty() {
        let database = &args.database.database;
        say(format_args!(
            "there are no keys in the database `{database}`; `folio keys add` makes one, `--database` names another database"
        ));
        return Ok(());
    }
    let now = DateTime::now();
    let rows: Vec<_> = keys.iter().map(|key| row(key, now)).collect();
    for line in table(&rows) {
        say(line);
    }
    Ok(())
}

async fn revoke(args: &Revoke) -> Result<()> {
    let (id, database) = (key::id(&args.id), &args.database.database);
    let revoked = on(&args.database, async |keys| keys.revoke(id).await).await?;
    let key = revoked.ok_or_else(|| {
        let id = id.escape_default();
        Error::Startup(format!("there is no key `{id}` in the database `{database}`; `folio keys list` shows all"))
    })?;
    say(format_args!("key `{}` for {} is revoked; all instances refuse it within seconds", key.id, key.name));
    Ok(())
}

/// Does something with the keys of the database.
async fn on<T>(database: &Database, work: impl AsyncFnOnce(&Keys) -> Result<T>) -> Result<T> {
    let connection = client::connect(database).await?;
    let done = work(&Keys::new(&connection.database)).await;
    connection.database.client().clone().shutdown().await;
    done.map_err(|error| Error::Startup(format!("the keys cannot be read or changed: {}", error.cause())))
}

/// What the command line says of a new key, checked against the collection files.
fn grant(args: &Add, catalog: &Catalog) -> Result<Grant> {
    let roles: BTreeSet<_> = args.roles.iter().cloned().collect();
    if let Some(role) = roles.iter().find(|role| !is_known(role, catalog)) {
        return Err(unknown(role, catalog));
    }
    let mut attributes = BTreeMap::new();
    for Attribute { name, value } in &args.attributes {
        if attributes.insert(name.clone(), value.clone()).is_some() {
            return Err(Error::Startup(format!("`--attr {name}` is there twice, and an attribute has one value")));
        }
    }
    Ok(Grant { name: args.name.clone(), roles: roles.into_iter().collect(), attributes, expires: args.expires })
}

fn roles(catalog: &Catalog) -> BTreeSet<&str> {
    catalog.roles().into_iter().chain([ADMIN]).filter(|role| *role != ANONYMOUS).collect()
}

fn is_known(role: &str, catalog: &Catalog) -> bool {
    roles(catalog).contains(role)
}

fn unknown(role: &str, catalog: &Catalog) -> Error {
    if role == ANONYMOUS {
        return Error::Startup(format!("`{ANONYMOUS}` is the role of those without a key, and everyone has it"));
    }
    let roles = roles(catalog);
    let near = nearest(role, roles.iter().copied()).map(|near| format!(", did you mean `{near}`?"));
    let all = || format!("; there are `{}`", roles.iter().copied().collect::<Vec<_>>().join("`, `"));
    Error::Startup(format!("no collection file has the role `{}`{}", role.escape_debug(), near.unwrap_or_else(all)))
}

/// A key's name: something that can stand in a line.
fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("expected a few words, such as `loan desk`".to_owned()),
        1..=100 if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err("expected at most 100 characters, all of them printable".to_owned()),
    }
}

/// The instant that a text says: so long from now, or this one.
fn expiry(text: &str) -> Result<DateTime, String> {
    let now = OffsetDateTime::now_utc();
    let end = match span(text) {
        Some(span) => now.checked_add(span.try_into().map_err(|_| TOO_LATE)?).ok_or(TOO_LATE)?,
        None => OffsetDateTime::parse(text, &Rfc3339).map_err(
            |_| "expected a time such as `30m`, `12h`, `90d` or `2w`, or one such as `2030-01-31T12:00:00Z`",
        )?,
    };
    if end <= now {
        return Err("that is not in the future".to_owned());
    }
    let millis = i64::try_from(end.unix_timestamp_nanos() / 1_000_000).map_err(|_| TOO_LATE)?;
    Ok(DateTime::from_millis(millis))
}

const TOO_LATE: &str = "that is too far in the future; leave `--expires` out for a key that does not expire";

/// A number with a unit.
fn span(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let count = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok())??;
    count.checked_mul(unit).map(Duration::from_secs)
}

const HEAD: [&str; 8] = ["ID", "NAME", "ROLES", "ATTRIBUTES", "CREATED", "EXPIRES", "LAST USED", "STATE"];

fn row(key: &Key, now: DateTime) -> [String; HEAD.len()] {
    let pairs = key.attributes.iter().map(|(name, value)| format!("{name}={}", value.escape_debug()));
    let state = match key {
        Key { revoked: Some(_), .. } => "revoked",
        Key { expires: Some(end), .. } if *end <= now => "expired",
        _ => "active",
    };
    [
        key.id.clone(),
        key.name.escape_debug().to_string(),
        key.roles.join(","),
        pairs.collect::<Vec<_>>().join(","),
        date(key.created),
        key.expires.map_or("never".to_owned(), date),
        key.used.map_or("never".to_owned(), date),
        state.to_owned(),
    ]
}

/// To the second, in UTC.
fn date(at: DateTime) -> String {
    let whole = DateTime::from_millis(at.timestamp_millis().div_euclid(1000) * 1000);
    whole.try_to_rfc3339_string().unwrap_or_else(|_| whole.to_string())
}

/// The rows below their heads, each column as wide as its widest cell.
fn table(rows: &[[String; HEAD.len()]]) -> Vec<String> {
    let rows: Vec<_> = std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().cloned()).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let cells = |row: &[String; HEAD.len()]| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_expire_in_the_future() {
        for (text, seconds) in [("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600), ("1m", 60)] {
            let end = expiry(text).unwrap().timestamp_millis() - DateTime::now().timestamp_millis();
            assert!((seconds * 1000 - 5000..=seconds * 1000).contains(&end), "{text}: {end}");
        }
        assert_eq!(expiry("2999-01-31T12:00:00+02:00").unwrap().to_string(), "2999-01-31 10:00:00.0 +00:00:00");
        for text in ["", "0d", "-1d", "+1d", "1", "d", "1.5h", "1y", "soon", "2001-01-01T00:00:00Z", "2999-01-01"] {
            assert!(expiry(text).is_err(), "{text}");
        }
        for text in ["99999999999w", "99999999999999999999w", "18446744073709551615m"] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }

    #[test]
    fn columns_are_aligned() {
        let row = |name: &str| ["1", name, "c", "d", "e", "f", "g", "active"].map(str::to_owned);
        let lines = table(&[row("é"), row("longer")]);
        let starts: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
        assert_eq!(starts[1], starts[2]);
        assert!(lines[0].starts_with("ID  NAME    ROLES"), "{}", lines[0]);
    }

    #[test]
    fn names_fit_in_a_line() {
        assert_eq!(name(" loan desk ").unwrap(), "loan desk");
        for text in ["", "  ", "a\nb", "a\u{1b}[31m", &"x".repeat(101)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }
}
