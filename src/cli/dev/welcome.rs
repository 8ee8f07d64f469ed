//! What `folio dev` says once it serves: commands to try, as they can be pasted.

use std::net::SocketAddr;

use super::{DATABASE, keys::variable};
use crate::{app::App, auth::key::Text, cli::say};

/// What each role of the sample has to see.
const SHOWN: [(&str, &str, &str); 3] = [
    ("anonymous", "Without a key, anybody reads books and authors", "books?sort=-year&limit=3&fields=title,year"),
    ("member", "A member sees her own loans", "loans?fields=book,dueAt"),
    ("librarian", "A librarian sees all loans", "loans?sort=-borrowedAt&limit=3&fields=book,member,dueAt"),
];

/// What is served where, and to whom: to everyone, or to those who show one of these `keys`.
pub(super) fn print(app: &App, (address, uri): (SocketAddr, &str), keys: Option<&[(String, Text)]>) {
    let shell = uri.replacen("/?", &format!("/{DATABASE}?"), 1);
    say(format_args!("\nFolio serves {} collections at http://{address}/v1\n", app.catalog().iter().count()));
    match keys {
        None => everything(app, address),
        Some(keys) => by_role(app, address, keys),
    }
    say(format_args!("\nLook at what is stored:\n  mongosh \"{shell}\"\n\nStop with Ctrl-C."));
}

fn everything(app: &App, address: SocketAddr) {
    let first = app.catalog().iter().next().map_or("", |schema| schema.name.as_str());
    say("Try it:");
    if app.catalog().get("books").is_some() {
        say(format_args!("  curl 'http://{address}/v1/books?sort=-year&limit=3&fields=title,year'"));
        say(format_args!("  curl -g 'http://{address}/v1/books?tags=poetry&year[gte]=1900&limit=5'"));
        say(format_args!(
            "  curl -X POST http://{address}/v1/books -H 'Content-Type: application/json' -d '{{\"price\":\"cheap\"}}'"
        ));
    } else {
        say(format_args!("  curl http://{address}/v1"));
        say(format_args!("  curl http://{address}/v1/{first}"));
        say(format_args!("  curl http://{address}/v1/{first}/_schema"));
    }
    say("\nEverybody may do everything here; `folio dev --secure` obeys the files' `x-access`.");
}

fn by_role(app: &App, address: SocketAddr, keys: &[(String, Text)]) {
    say("A key for each role, until the next start:");
    for (role, key) in keys {
        say(format_args!("  {}={}", variable(role), key.expose()));
    }
    let key_of = |role: &str| keys.iter().find(|(of, _)| of == role).map(|(_, key)| key);
    if app.catalog().get("loans").is_some() && key_of("member").is_some() && key_of("librarian").is_some() {
        for (role, what, path) in SHOWN {
            say(format_args!("\n{what}:"));
            curl(address, path, key_of(role));
        }
    } else {
        say("\nWhat each of them may see:");
        for (_, key) in keys {
            curl(address, "", Some(key));
        }
    }
}

fn curl(address: SocketAddr, path: &str, key: Option<&Text>) {
    let header = key.map(|key| format!(" -H 'Authorization: Bearer {}'", key.expose())).unwrap_or_default();
    let slash = if path.is_empty() { "" } else { "/" };
    say(format_args!("  curl 'http://{address}/v1{slash}{path}'{header}"));
}
