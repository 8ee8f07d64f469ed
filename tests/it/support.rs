//! What the tests share: the server, a database each, and the API on it.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

pub(crate) mod nodes;
pub(crate) mod process;
pub(crate) mod writers;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use folio::{
    App, Settings,
    auth::key::{self, Grant},
    config::{Database, Limits, Open, Pool, Serving, Tokens},
    http,
    mongod::{self, Mongod},
    schema::{Catalog, load},
    store::Keys,
};
use mongodb::bson::doc;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::{net::TcpListener, sync::oneshot};

/// Databases of the tests begin with this; those that an earlier run left behind are dropped.
const PREFIX: &str = "test_";

/// The one server of the run. It ends with the process: its keeper sees the pipe between them close.
static SERVER: LazyLock<String> = LazyLock::new(|| {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let uri = runtime.block_on(async {
            let mongod = Mongod::start(&options("shared")).await.unwrap();
            let uri = mongod.uri().to_owned();
            std::mem::forget(mongod);
            sweep(&uri).await;
            uri
        });
        std::mem::forget(runtime);
        uri
    })
    .join()
    .unwrap()
});

async fn sweep(uri: &str) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    for name in client.list_database_names().await.unwrap() {
        if name.starts_with(PREFIX) {
            client.database(&name).drop().await.unwrap();
        }
    }
}

/// A private server's options: its data below the build's folder for tests, kept by the binary under test.
pub(crate) fn options(name: &str) -> mongod::Options {
    mongod::Options { data: scratch().join(name), supervisor: PathBuf::from(env!("CARGO_BIN_EXE_folio")) }
}

pub(crate) fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Repeats of a long test: 1, or what `FOLIO_EFFORT` says.
pub(crate) fn effort() -> usize {
    std::env::var("FOLIO_EFFORT").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A database of the test's own.
pub(crate) struct TestDatabase {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) db: mongodb::Database,
}

pub(crate) async fn database() -> TestDatabase {
    let uri = tokio::task::spawn_blocking(|| SERVER.clone()).await.unwrap();
    let name = format!("{PREFIX}{}", mongodb::bson::oid::ObjectId::new());
    let db = mongodb::Client::with_uri_str(&uri).await.unwrap().database(&name);
    TestDatabase { uri, name, db }
}

impl TestDatabase {
    pub(crate) fn settings(&self) -> Settings {
        let database = Database {
            mongodb: self.uri.as_str().into(),
            database: self.name.clone(),
            pool: Pool { selection_timeout: Duration::from_secs(2), ..Pool::default() },
            ..Database::default()
        };
        Settings {
            database,
            serving: Serving { open: Some(Open::Loopback), ..Serving::default() },
            ..Settings::default()
        }
    }

    /// Settings of a service that is not open, and believes the tokens of [`token`].
    pub(crate) fn closed(&self) -> Settings {
        let mut settings = self.settings();
        settings.serving.open = None;
        settings.serving.tokens = tokens();
        settings
    }

    /// Makes an API key with these roles, and gives its text.
    pub(crate) async fn key(&self, roles: &[&str]) -> String {
        let grant = Grant { name: "a test".into(), roles: strings(roles), ..Grant::default() };
        self.key_with(grant).await
    }

    pub(crate) async fn key_with(&self, grant: Grant) -> String {
        let (key, text) = key::make(grant).unwrap();
        Keys::new(&self.db).add(&key).await.unwrap();
        text.expose().to_owned()
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What the tests' tokens are signed with, who signs them, and for whom.
pub(crate) const JWT_SECRET: &str = "a secret of the tests, of more than 32 bytes";
pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "folio";

/// The claims of [`token`] that become `$user.…`, under the same names.
const ATTRIBUTES: [&str; 10] =
    ["tenant", "tenants", "team", "teams", "branch", "branches", "member", "level", "region", "email"];

/// The settings by which the tokens of [`token`] are believed.
pub(crate) fn tokens() -> Tokens {
    Tokens {
        jwt_secret: Some(JWT_SECRET.into()),
        jwt_issuer: Some(ISSUER.to_owned()),
        jwt_audience: Some(AUDIENCE.to_owned()),
        jwt_attributes: ATTRIBUTES.map(|name| format!("{name}={name}").parse().unwrap()).to_vec(),
        ..Tokens::default()
    }
}

/// A token of someone with these roles; `attributes` become `$user.…`.
pub(crate) fn token(roles: &[&str], subject: &str, attributes: Value) -> String {
    let mut claims = claims(roles, subject);
    let Value::Object(attributes) = attributes else { panic!("attributes are an object, not {attributes}") };
    for (name, value) in attributes {
        assert!(ATTRIBUTES.contains(&name.as_str()), "`{name}` is none of the attributes of the tests: {ATTRIBUTES:?}");
        claims[name] = value;
    }
    sign(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, JWT_SECRET.as_bytes())
}

/// The claims of a good token.
pub(crate) fn claims(roles: &[&str], subject: &str) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, "roles": roles })
}

/// A token with this header and these claims, signed with HS256 whatever the header says.
pub(crate) fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let text = unsigned(header, claims);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, text.as_bytes())))
}

/// What is signed of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A catalog of files given as their names and texts.
pub(crate) fn catalog(files: &[(&str, Value)]) -> Catalog {
    let parse = |(name, file): &(&str, Value)| load::parse(&format!("schemas/{name}.json"), name, file.to_string());
    files.iter().map(|file| parse(file).unwrap()).collect()
}

/// The service on a database of its own, reached over HTTP.
pub(crate) struct Api {
    client: Client,
    pub(crate) database: TestDatabase,
    pub(crate) app: App,
    _stop: oneshot::Sender<()>,
}

/// Without credentials.
impl std::ops::Deref for Api {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Someone who uses the service over HTTP.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    credential: Option<String>,
}

impl Api {
    /// Serves the sample library's files.
    pub(crate) async fn library() -> Self {
        Self::start(Catalog::load(Path::new("schemas")).unwrap()).await
    }

    /// Serves one collection, `things`.
    pub(crate) async fn things(file: Value) -> Self {
        Self::start(catalog(&[("things", file)])).await
    }

    /// The same on a server of its own, called `name`, whose counters nobody else moves.
    pub(crate) async fn alone(name: &str, file: Value) -> Self {
        let mongod = Mongod::start(&options(name)).await.unwrap();
        let name = format!("test_{name}");
        let db = mongodb::Client::with_uri_str(mongod.uri()).await.unwrap().database(&name);
        db.drop().await.unwrap();
        let database = TestDatabase { uri: mongod.uri().to_owned(), name, db };
        let settings = database.settings();
        // It ends with the process.
        std::mem::forget(mongod);
        Self::start_with(catalog(&[("things", file)]), database, settings).await
    }

    pub(crate) async fn start(catalog: Catalog) -> Self {
        let database = database().await;
        let settings = database.settings();
        Self::start_with(catalog, database, settings).await
    }

    /// Serves callers with the credentials of [`token`] and [`TestDatabase::key`], as `x-access` of the files says.
    pub(crate) async fn closed(catalog: Catalog) -> Self {
        let database = database().await;
        let settings = database.closed();
        Self::start_with(catalog, database, settings).await
    }

    pub(crate) async fn with_limits(catalog: Catalog, limits: Limits) -> Self {
        let database = database().await;
        let mut settings = database.settings();
        settings.serving.limits = limits;
        Self::start_with(catalog, database, settings).await
    }

    pub(crate) async fn start_with(catalog: Catalog, database: TestDatabase, settings: Settings) -> Self {
        let app = App::start_with(catalog, &settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        tokio::spawn(http::serve(app.clone(), listener, shutdown, Duration::from_secs(1)));
        Self { client: Client::at(&base), database, app, _stop: stop }
    }

    /// Someone without credentials.
    pub(crate) fn nobody(&self) -> Client {
        self.client.clone()
    }

    /// Someone with the token of [`token`].
    pub(crate) fn caller(&self, roles: &[&str], subject: &str, attributes: Value) -> Client {
        self.with(token(roles, subject, attributes))
    }

    pub(crate) fn collection(&self, name: &str) -> mongodb::Collection<mongodb::bson::Document> {
        self.database.db.collection(name)
    }

    /// What the server tells of itself.
    pub(crate) async fn server_status(&self) -> mongodb::bson::Document {
        self.database.db.run_command(doc! { "serverStatus": 1 }).await.unwrap()
    }

    pub(crate) async fn count(&self, name: &str) -> u64 {
        self.collection(name).count_documents(doc! {}).await.unwrap()
    }
}

impl Client {
    /// Someone without credentials, at the service with this address.
    pub(crate) fn at(base: &str) -> Self {
        Self { base: base.to_owned(), http: reqwest::Client::new(), credential: None }
    }

    /// The same with this API key or token.
    pub(crate) fn with(&self, credential: impl Into<String>) -> Self {
        Self { credential: Some(credential.into()), ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl ToString) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: impl ToString) -> Answer {
        self.send(Method::PUT, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: impl ToString) -> Answer {
        self.send(Method::PATCH, path, &[("content-type", "application/merge-patch+json")], body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(credential) = &self.credential {
            request = request.bearer_auth(credential);
        }
        Answer::read(request.send().await.unwrap()).await
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no `{name}` in {self:?}")).to_str().unwrap()
    }

    /// The document of an answer that must have this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The problem document of an answer that must be one of this kind.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], self.header("x-request-id"));
        problem
    }
}
