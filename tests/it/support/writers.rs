//! Clients that write without a pause while something happens to the service or the database, and keep a journal, by
//! which it is told afterwards whether what is stored is what they were told.
//!
//! Everything is done to groups of documents that have a tag in common: they are created by one request, get another tag
//! by one request, or are deleted by one. So a group is always whole, under one of the tags that it may have.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::Client;

/// The file of the collection that is written to.
pub(crate) fn file() -> Value {
    let tag = json!({ "type": "string" });
    json!({ "type": "object", "required": ["tag"], "properties": { "tag": tag }, "x-indexes": [{ "keys": { "tag": 1 } }] })
}

/// How a group is created, and how many documents it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// As a document, which is changed by its id.
    One,
    /// As an array of documents, which are changed by a filter.
    Array,
    /// As many writes in one request, which are changed by such.
    Bulk,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Array, Self::Bulk];

    fn size(self) -> usize {
        match self {
            Self::One => 1,
            Self::Array => 20,
            Self::Bulk => 10,
        }
    }

    /// The request that creates a group with this tag.
    pub(crate) fn create(self, tag: &str) -> Ask {
        let document = json!({ "tag": tag });
        match self {
            Self::One => Ask::post("/v1/things", document),
            Self::Array => Ask::post("/v1/things", vec![document; self.size()].into()),
            Self::Bulk => self.bulk(tag, |id| json!({ "insert": { "_id": id, "tag": tag } })),
        }
    }

    /// The request that gives a group the tag `next`, or deletes it. It was created with the tag `first`, and has the id
    /// `id` if it has but one document.
    pub(crate) fn change(self, (id, first, now): (&str, &str, &str), next: Option<&str>) -> Ask {
        let path = match self {
            Self::One => format!("/v1/things/{id}"),
            Self::Array => format!("/v1/things?tag={now}"),
            Self::Bulk => {
                return self.bulk(first, |id| match next {
                    Some(next) => json!({ "update": { "id": id, "patch": { "tag": next } } }),
                    None => json!({ "delete": { "id": id } }),
                });
            }
        };
        let media = "application/merge-patch+json";
        match next {
            Some(next) => Ask { method: Method::PATCH, path, media, body: Some(json!({ "tag": next })) },
            None => Ask { method: Method::DELETE, path, media, body: None },
        }
    }

    /// A write of each document of the group that was created with the tag `first`.
    fn bulk(self, first: &str, write: impl Fn(String) -> Value) -> Ask {
        let id = |n| format!("{}{n:02x}", &first[..22]);
        Ask::post("/v1/things/_bulk", (0..self.size()).map(|n| write(id(n))).collect())
    }
}

/// A request.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    media: &'static str,
    body: Option<Value>,
}

impl Ask {
    fn post(path: &str, body: Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), media: "application/json", body: Some(body) }
    }

    pub(crate) fn body(&self) -> String {
        self.body.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The request to this host as it is sent.
    pub(crate) fn text(&self, host: &str) -> String {
        let (Self { method, path, media, .. }, body) = (self, self.body());
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {media}\r\n");
        format!("{head}content-length: {length}\r\n\r\n{body}")
    }
}

/// What became of a request, as far as its client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    NotDone,
    Unknown,
}

/// A group as its client knows it.
#[derive(Debug)]
struct Group {
    kind: Kind,
    /// Every tag that it has been given.
    tags: Vec<String>,
    /// Those that it may have now; `None` where it is not there.
    possible: Vec<Option<String>>,
}

/// What the clients were told.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    groups: Vec<Group>,
    /// How often each thing was answered: a status, and what kind of problem.
    pub(crate) told: BTreeMap<String, usize>,
    /// When something was done.
    done: Vec<Instant>,
}

impl Journal {
    /// The longest time in which nothing was done.
    pub(crate) fn pause(&mut self) -> Duration {
        self.done.sort();
        self.done.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// How many requests did what they were to do.
    pub(crate) fn done(&self) -> usize {
        self.done.len()
    }

    /// Notes that a group was `before`, and may be what it is now or `after`.
    pub(crate) fn note(&mut self, kind: Kind, before: Option<String>, after: Option<String>) {
        let possible = vec![before, after];
        let tags = possible.iter().flatten().cloned().collect();
        self.groups.push(Group { kind, tags, possible });
    }

    /// Panics unless what is stored is what the clients were told.
    pub(crate) async fn check(&self, stored: &Collection<Document>) {
        let stored: Vec<_> = stored.find(doc! {}).await.unwrap().try_collect().await.unwrap();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for document in &stored {
            *counts.entry(document.get_str("tag").unwrap()).or_default() += 1;
        }
        for group in &self.groups {
            let found: Vec<_> = group.tags.iter().filter_map(|tag| Some((tag, counts.remove(tag.as_str())?))).collect();
            let now = match &found[..] {
                [] => None,
                [(tag, size)] if *size == group.kind.size() => Some((*tag).clone()),
                _ => panic!("a part of {group:?} is {found:?}"),
            };
            assert!(group.possible.contains(&now), "{group:?} is {now:?}");
        }
        assert!(counts.is_empty(), "nobody wrote {counts:?}");
    }

    fn merge(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.done.extend(other.done);
        for (told, times) in other.told {
            *self.told.entry(told).or_default() += times;
        }
    }
}

/// Clients that write until they are told to end.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Journal>>,
}

impl Load {
    pub(crate) fn start(client: &Client, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let write = |_| tokio::spawn(Writer::new(client.clone()).run(stop.clone()));
        let clients = (0..clients).map(write).collect();
        Self { stop, clients }
    }

    pub(crate) async fn end(self) -> Journal {
        self.stop.store(true, Ordering::Relaxed);
        let mut journal = Journal::default();
        for client in self.clients {
            journal.merge(client.await.unwrap());
        }
        journal
    }
}

struct Writer {
    client: Client,
    journal: Journal,
}

impl Writer {
    fn new(client: Client) -> Self {
        Self { client, journal: Journal::default() }
    }

    async fn run(mut self, stop: Arc<AtomicBool>) -> Journal {
        while !stop.load(Ordering::Relaxed) {
            let kind = fastrand::choice(Kind::ALL).unwrap();
            let group = self.live(kind, &stop).await;
            self.journal.groups.push(group);
        }
        self.journal
    }

    /// Creates a group and changes it some times; of some groups, deletes it in the end. What became of a request that is
    /// not known is not known, so it is the last one.
    async fn live(&mut self, kind: Kind, stop: &AtomicBool) -> Group {
        let tag = tag();
        let (outcome, answer) = self.ask(kind.create(&tag)).await;
        let possible = after(outcome, &[None], Some(tag.clone()));
        let mut group = Group { kind, tags: vec![tag], possible };
        let id = answer["_id"].as_str().unwrap_or_default().to_owned();
        while let [Some(now)] = &group.possible[..] {
            if stop.load(Ordering::Relaxed) || fastrand::u8(..4) == 0 {
                break;
            }
            let next = (fastrand::u8(..6) != 0).then(self::tag);
            let outcome = self.ask(kind.change((&id, &group.tags[0], now), next.as_deref())).await.0;
            group.possible = after(outcome, &group.possible, next.clone());
            group.tags.extend(next);
        }
        group
    }

    /// Sends a request, and tells what became of it and what was answered.
    async fn ask(&mut self, ask: Ask) -> (Outcome, Value) {
        let url = format!("{}{}", self.client.base, ask.path);
        let body = ask.body();
        let request = self.client.http.request(ask.method, url).header("content-type", ask.media).body(body);
        let answer = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                response.text().await.map(|text| (status, serde_json::from_str(&text).unwrap_or_default()))
            }
            Err(error) => Err(error),
        };
        let (outcome, told, answer): (_, _, Value) = match answer {
            Ok((status @ 200..=299, answer)) => (Outcome::Done, status.to_string(), answer),
            Ok((status, answer)) => {
                let slug = answer["type"].as_str().unwrap().trim_start_matches("/problems/");
                let is_unknown = ["unconfirmed", "deadline-exceeded"].contains(&slug);
                let outcome = if is_unknown { Outcome::Unknown } else { Outcome::NotDone };
                (outcome, format!("{status} {slug}"), answer)
            }
            Err(error) if error.is_connect() => (Outcome::NotDone, "no connection".to_owned(), Value::Null),
            Err(_) => (Outcome::Unknown, "no answer".to_owned(), Value::Null),
        };
        match outcome {
            Outcome::Done => self.journal.done.push(Instant::now()),
            _ => sleep(Duration::from_millis(5)).await,
        }
        *self.journal.told.entry(told).or_default() += 1;
        (outcome, answer)
    }
}

/// A tag that no other group has.
pub(crate) fn tag() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// What may be the case after something was to become `next`.
fn after(outcome: Outcome, before: &[Option<String>], next: Option<String>) -> Vec<Option<String>> {
    match outcome {
        Outcome::Done => vec![next],
        Outcome::NotDone => before.to_vec(),
        Outcome::Unknown => before.iter().cloned().chain([next]).collect(),
    }
}
