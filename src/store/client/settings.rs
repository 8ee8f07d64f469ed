//! The connection string and our defaults, as the driver's settings.

use mongodb::{
    error::ErrorKind,
    options::{Acknowledgment, ClientOptions, ReadConcern, WriteConcern},
};

use crate::{
    config::Database,
    error::{Error, Result},
    store::failure,
};

/// Reads the URI and fills in what it leaves open. No message shows the URI's user name or password.
pub(super) async fn parse(database: &Database) -> Result<ClientOptions> {
    let uri = database.uri()?;
    let uri = uri.expose();
    if !uri.is_ascii() {
        // The driver slices percent escapes by bytes and would panic within a character.
        return Err(invalid("it must be ASCII, everything else percent-encoded"));
    }
    let mut settings = ClientOptions::parse(uri).await.map_err(|error| match error.kind.as_ref() {
        ErrorKind::DnsResolve { message, .. } => {
            invalid(&format!("its DNS records cannot be read: {}", discreet(uri, message)))
        }
        _ => invalid(discreet(uri, &failure::reason(&error))),
    })?;
    let pool = &database.pool;
    settings.write_concern = Some(write_concern(settings.write_concern, database.weak_writes)?);
    settings.read_concern.get_or_insert_with(ReadConcern::majority);
    settings.app_name.get_or_insert_with(|| "folio".to_owned());
    settings.max_pool_size.get_or_insert(pool.pool_max);
    settings.min_pool_size.get_or_insert(pool.pool_min);
    if !pool.pool_idle.is_zero() {
        settings.max_idle_time.get_or_insert(pool.pool_idle);
    }
    settings.connect_timeout.get_or_insert(pool.connect_timeout);
    settings.server_selection_timeout.get_or_insert(pool.selection_timeout);
    Ok(settings)
}

fn invalid(why: &str) -> Error {
    Error::Startup(format!("`--mongodb` is not a valid connection string: {why}"))
}

/// `message`, unless it repeats a piece of what the URI keeps secret: a password that is not percent-encoded is
/// read as a part of something else, and shown as such.
fn discreet<'m>(uri: &str, message: &'m str) -> &'m str {
    if secrets(uri).any(|secret| message.contains(secret)) {
        "it cannot be read; user name, password and option values must be percent-encoded"
    } else {
        message
    }
}

/// Everything between the first `:` and the last `@`, and the values of options that hold credentials.
fn secrets(uri: &str) -> impl Iterator<Item = &str> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let password =
        rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map_or("", |(_, password)| password);
    let pieces = password.split([':', '@', '/', '?', '&', '=', ',']);
    let options = rest.split_once('?').map_or("", |(_, options)| options).split('&');
    let values = options.filter_map(|option| option.split_once('=')).filter(|(name, _)| is_secret(name));
    pieces.chain(values.map(|(_, value)| value)).filter(|secret| !secret.is_empty())
}

fn is_secret(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    option.contains("password") || option == "authmechanismproperties"
}

fn write_concern(asked: Option<WriteConcern>, weak_writes: bool) -> Result<WriteConcern> {
    let mut concern = asked.unwrap_or_else(WriteConcern::majority);
    if concern.w == Some(Acknowledgment::Nodes(0)) {
        return Err(Error::Startup(
            "`w=0` in `--mongodb` asks for writes without an answer, and refusals could not be explained; remove it"
                .to_owned(),
        ));
    }
    let strong = matches!(concern.w, None | Some(Acknowledgment::Majority)) && concern.journal != Some(false);
    if !strong && !weak_writes {
        return Err(Error::Startup(
            "`--mongodb` asks for writes that a majority with its journal has not acknowledged; remove `w` and \
             `journal` from it, or accept lost writes with `--weak-writes`"
                .to_owned(),
        ));
    }
    if strong {
        concern.w = Some(Acknowledgment::Majority);
        concern.journal = Some(true);
    }
    Ok(concern)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(uri: &str, weak_writes: bool) -> Result<ClientOptions> {
        parse(&Database { mongodb: uri.into(), weak_writes, ..Database::default() }).await
    }

    #[tokio::test]
    async fn writes_are_majority_and_journaled_unless_said_otherwise() {
        let cases = [
            ("mongodb://h", false, Some((Acknowledgment::Majority, Some(true)))),
            ("mongodb://h/?w=majority", false, Some((Acknowledgment::Majority, Some(true)))),
            ("mongodb://h/?journal=true", false, Some((Acknowledgment::Majority, Some(true)))),
            ("mongodb://h/?w=1", false, None),
            ("mongodb://h/?w=2", false, None),
            ("mongodb://h/?w=tagged", false, None),
            ("mongodb://h/?journal=false", false, None),
            ("mongodb://h/?w=majority&journal=false", false, None),
            ("mongodb://h/?w=1", true, Some((Acknowledgment::Nodes(1), None))),
            ("mongodb://h/?w=0", true, None),
        ];
        for (uri, weak, expected) in cases {
            let concern = read(uri, weak).await.ok().and_then(|s| s.write_concern);
            assert_eq!(concern.map(|c| (c.w.unwrap(), c.journal)), expected, "{uri}");
        }
    }

    #[tokio::test]
    async fn the_uri_goes_before_the_defaults() {
        let settings = read("mongodb://h/?maxPoolSize=7&appName=shop", false).await.unwrap();
        assert_eq!((settings.max_pool_size, settings.app_name.as_deref()), (Some(7), Some("shop")));
        let settings = read("mongodb://h", false).await.unwrap();
        assert_eq!((settings.max_pool_size, settings.app_name.as_deref()), (Some(64), Some("folio")));
    }

    #[tokio::test]
    async fn a_bad_uri_is_explained_without_its_password() {
        let cases = [
            ("postgres://h/db", "scheme"),
            ("mongodb://h:99999", "port"),
            ("mongodb://h/?noSuchOption=1", "nosuchoption is an invalid option"),
            ("mongodb://user:h%nter2@h", "unescaped %"),
            ("mongodb://user:hunter2/x@h", "encoded"),
            ("mongodb://user:pa:hunter2@h", "encoded"),
            ("mongodb://user:%ahunter2é@h", "ASCII"),
            ("mongodb://user@x:hunter2@h:1", "encoded"),
        ];
        for (uri, expected) in cases {
            let message = read(uri, false).await.unwrap_err().to_string();
            assert!(message.contains(expected), "{uri}: {message}");
            assert!(!message.contains("nter2"), "{uri}: {message}");
        }
    }
}
