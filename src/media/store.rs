//! Object stores: what lies under a name, links to it, and uploads. The only file that names the library beneath.
//!
//! Who asks is said by each store's own environment variables, as for its own tools: `AWS_ACCESS_KEY_ID` and the like
//! (or a role of the machine), `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_KEY`. They are never taken from a
//! manifest, and a store's address neither: `AWS_ENDPOINT_URL_S3` is for who runs the program to say.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Key;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{
    Attribute, Attributes, ClientOptions, Error, GetOptions, ObjectStore, PutMultipartOptions, PutPayload, RetryConfig,
};
use reqwest::redirect;

use crate::face::{Link, ObjectName, Revision, Store};
use crate::http::{ClientError, Roots};
use crate::text::clean;

/// How long a connection may take. Also bounds the question after a machine's role where there is none.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take: a part of an upload has 8 MiB, which 60 kB a second carry in this time.
const REQUEST: Duration = Duration::from_secs(150);
/// How long one question, with its repetitions, may take.
const QUESTION: Duration = Duration::from_secs(40);

/// The stores that a run talks to. Clients are made when they are needed.
pub(super) struct Stores {
    http: reqwest::Client,
    /// Variables of the environment that say who asks, and whom.
    variables: Vec<(String, String)>,
    buckets: Mutex<HashMap<Place, Arc<Bucket>>>,
}

/// Store, account and bucket.
type Place = (Store, Option<String>, String);

/// What lies under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lying {
    /// How many bytes it has.
    pub(super) length: u64,
    /// Which version it is.
    pub(super) revision: Revision,
}

/// Why a store did not do what was asked. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StoreError {
    /// No such object, or no such bucket.
    #[error("there is no such object{0}")]
    NotFound(&'static str),
    /// The store knows who asks, and refuses.
    #[error("the store refuses it ({0})")]
    Refused(String),
    /// Nobody is named who asks, or not as it has to be.
    #[error("the store cannot be asked: {0}")]
    Unusable(String),
    /// No usable answer came.
    #[error("the store gave no usable answer ({0})")]
    NoAnswer(String),
    /// The store's own address is none that Tavus could fetch from.
    #[error("the link that was signed cannot be used: {0}")]
    Link(String),
}

enum Bucket {
    S3(AmazonS3),
    Google(GoogleCloudStorage),
    Azure(MicrosoftAzure),
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

impl Stores {
    /// Makes none yet.
    ///
    /// # Errors
    /// When the CA file cannot be used or TLS cannot be set up.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::of(ca_file, std::env::vars_os().filter_map(text).filter(|(_, value)| !value.is_empty()).collect())
    }

    fn of(ca_file: Option<&Path>, variables: Vec<(String, String)>) -> Result<Self, ClientError> {
        let builder = || {
            let client = reqwest::Client::builder().user_agent(concat!("facectl/", env!("CARGO_PKG_VERSION")));
            // A signature is for one address.
            client.connect_timeout(CONNECT).timeout(REQUEST).redirect(redirect::Policy::none())
        };
        let (_, http) = Roots::find(ca_file, builder)?;
        Ok(Self { http, variables, buckets: Mutex::default() })
    }

    /// Returns what lies under a name; asks for nothing of its content.
    pub(super) async fn look(&self, object: &ObjectName) -> Result<Lying, StoreError> {
        let bucket = self.bucket(object).await?;
        let options = GetOptions { head: true, version: object.version.clone(), ..GetOptions::default() };
        let key = key_of(object)?;
        let found = in_time(bucket.store().get_opts(&key, options)).await?;
        let meta = found.meta;
        let revision = Revision { version: meta.version, etag: meta.e_tag };
        Ok(Lying { length: meta.size, revision })
    }

    /// Returns a link that brings the object, for so long.
    pub(super) async fn sign(&self, object: &ObjectName, lifetime: Duration) -> Result<Link, StoreError> {
        let bucket = self.bucket(object).await?;
        let key = key_of(object)?;
        let mut options = SignedUrlOptions::default();
        if let Some(version) = &object.version {
            let name = if object.store == Store::Google { "generation" } else { "versionId" };
            options = options.with_query([(name, version.as_str())]);
        }
        let url = in_time(bucket.signer().signed_url_opts(http::Method::GET, &key, lifetime, &options)).await?;
        Link::parse(url.as_str()).map_err(|error| StoreError::Link(error.to_string()))
    }

    /// Begins an upload in parts and returns what it is continued by.
    pub(super) async fn begin(&self, object: &ObjectName, media_type: &'static str) -> Result<String, StoreError> {
        let bucket = self.bucket(object).await?;
        let attributes = Attributes::from_iter([(Attribute::ContentType, media_type)]);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        in_time(bucket.parts().create_multipart_opts(&key_of(object)?, options)).await
    }

    /// Uploads one part, counted from 0, and returns what the store calls it.
    pub(super) async fn put(
        &self,
        object: &ObjectName,
        upload: &String,
        part: usize,
        bytes: Vec<u8>,
    ) -> Result<String, StoreError> {
        let bucket = self.bucket(object).await?;
        let key = key_of(object)?;
        // Not bounded as a question is: the line may be slow, and each request has its own bound.
        let put = bucket.parts().put_part(&key, upload, part, PutPayload::from(bytes)).await;
        put.map(|part| part.content_id).map_err(|error| told(&error))
    }

    /// Gives an upload up: what was sent of it is removed.
    pub(super) async fn give_up(&self, object: &ObjectName, upload: &String) -> Result<(), StoreError> {
        let bucket = self.bucket(object).await?;
        in_time(bucket.parts().abort_multipart(&key_of(object)?, upload)).await
    }

    /// Makes one object of all parts.
    pub(super) async fn complete(
        &self,
        object: &ObjectName,
        upload: &String,
        parts: &[String],
    ) -> Result<(), StoreError> {
        let bucket = self.bucket(object).await?;
        let parts = parts.iter().map(|part| PartId { content_id: part.clone() }).collect();
        // The store puts the parts together, which it may take its time for.
        bucket.parts().complete_multipart(&key_of(object)?, upload, parts).await.map(drop).map_err(|error| told(&error))
    }

    async fn bucket(&self, object: &ObjectName) -> Result<Arc<Bucket>, StoreError> {
        let place = (object.store, object.account.clone(), object.bucket.clone());
        let known = self.buckets.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(bucket) = known {
            return Ok(bucket);
        }
        let bucket = Arc::new(self.connect(object).await?);
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).insert(place, Arc::clone(&bucket));
        Ok(bucket)
    }

    /// Puts the variables of one store into what makes its client. What it does not know is for others.
    fn configured<B, K: FromStr>(&self, prefix: &str, builder: B, put: impl Fn(B, K, String) -> B) -> B {
        let known = self.variables.iter().filter(|(name, _)| name.starts_with(prefix));
        known.fold(builder, |builder, (name, value)| match name.to_ascii_lowercase().parse() {
            Ok(key) => put(builder, key, value.clone()),
            Err(_) => builder,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| known == name)
    }

    async fn connect(&self, object: &ObjectName) -> Result<Bucket, StoreError> {
        let connector = Connector(self.http.clone());
        let retry = RetryConfig { max_retries: 4, retry_timeout: QUESTION, ..RetryConfig::default() };
        let bucket = object.bucket.as_str();
        let unusable = |error: Error| StoreError::Unusable(text_of(&error));
        match object.store {
            Store::S3 => {
                let mut builder = self
                    .configured("AWS_", AmazonS3Builder::new(), AmazonS3Builder::with_config)
                    .with_bucket_name(bucket)
                    .with_http_connector(connector)
                    .with_retry(retry);
                let named = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
                let endpoint = named(AmazonS3ConfigKey::S3Endpoint).or_else(|| named(AmazonS3ConfigKey::Endpoint));
                let has_region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().any(|name| self.has(name));
                match endpoint {
                    // An open line to this machine is none that anybody listens on.
                    Some(endpoint) => builder = builder.with_allow_http(is_here(&endpoint)),
                    None if !has_region => {
                        let region = in_time(resolve_bucket_region(bucket, &ClientOptions::default())).await;
                        builder = builder.with_region(region.map_err(|_| StoreError::Unusable(NO_REGION.to_owned()))?);
                    }
                    None => {}
                }
                builder.build().map(Bucket::S3).map_err(unusable)
            }
            Store::Google => {
                let builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket);
                let builder = self.configured("GOOGLE_", builder, GoogleCloudStorageBuilder::with_config);
                let builder = builder.with_bucket_name(bucket).with_http_connector(connector).with_retry(retry);
                builder.build().map(Bucket::Google).map_err(unusable)
            }
            Store::Azure => {
                let account = object.account.as_deref().unwrap_or_default();
                let builder =
                    self.configured("AZURE_", MicrosoftAzureBuilder::new(), MicrosoftAzureBuilder::with_config);
                let builder = builder.with_account(account).with_container_name(bucket);
                let builder = builder.with_http_connector(connector).with_retry(retry);
                builder.build().map(Bucket::Azure).map_err(unusable)
            }
        }
    }
}

const NO_REGION: &str = "the bucket's region cannot be found out; set AWS_REGION";

impl Bucket {
    fn store(&self) -> &dyn ObjectStore {
        match self {
            Self::S3(store) => store,
            Self::Google(store) => store,
            Self::Azure(store) => store,
        }
    }

    fn signer(&self) -> &dyn Signer {
        match self {
            Self::S3(store) => store,
            Self::Google(store) => store,
            Self::Azure(store) => store,
        }
    }

    fn parts(&self) -> &dyn MultipartStore {
        match self {
            Self::S3(store) => store,
            Self::Google(store) => store,
            Self::Azure(store) => store,
        }
    }
}

/// Our own HTTP client, with the roots and the proxy that everything else has.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

async fn in_time<T>(work: impl Future<Output = object_store::Result<T>>) -> Result<T, StoreError> {
    match tokio::time::timeout(QUESTION, work).await {
        Ok(done) => done.map_err(|error| told(&error)),
        Err(_) => Err(StoreError::NoAnswer(format!("none within {} s", QUESTION.as_secs()))),
    }
}

fn key_of(object: &ObjectName) -> Result<Key, StoreError> {
    // Parsed, and not converted: that would encode what is encoded again on the way.
    Key::parse(&object.key).map_err(|error| StoreError::Unusable(error.to_string()))
}

fn is_here(endpoint: &str) -> bool {
    crate::http::Address::parse(endpoint).is_ok_and(|address| address.is_loopback())
}

fn told(error: &Error) -> StoreError {
    match error {
        Error::NotFound { .. } => StoreError::NotFound(""),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => StoreError::Refused(text_of(error)),
        Error::NotSupported { .. } | Error::UnknownConfigurationKey { .. } | Error::InvalidPath { .. } => {
            StoreError::Unusable(text_of(error))
        }
        _ if is_about_credentials(error) => StoreError::Unusable(NO_CREDENTIALS.to_owned()),
        _ => StoreError::NoAnswer(text_of(error)),
    }
}

const NO_CREDENTIALS: &str = "there are no credentials for it";

/// Where nothing names who asks, the library asks the machine for its role, at an address that most machines have not.
fn is_about_credentials(error: &Error) -> bool {
    let text = error.to_string();
    ["169.254.169.254", "metadata.google.internal", "MetadataRequest", "TokenRequest", "MissingCredentials"]
        .iter()
        .any(|word| text.contains(word))
        || chain(error).any(|text| text.contains("169.254.169.254") || text.contains("metadata.google.internal"))
}

fn chain(error: &Error) -> impl Iterator<Item = String> + '_ {
    let mut next = std::error::Error::source(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this.to_string())
    })
}

/// Returns the last cause, which says most, on one line and without what could be a secret.
fn text_of(error: &Error) -> String {
    /// Stores answer with XML of any length.
    const LIMIT: usize = 300;
    let text = chain(error).last().unwrap_or_else(|| error.to_string());
    let text = said_in_xml(&text).unwrap_or(text);
    // An answer without a body ends in the colon that would stand before it.
    clean(&text, LIMIT).trim_end_matches(':').to_owned()
}

/// Returns what a store's XML says to people: its code and its message. What else stands in it may be a part of what was
/// signed, and the id of the key it was signed with.
fn said_in_xml(text: &str) -> Option<String> {
    let inside = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside)
    };
    let code = inside("Code")?;
    Some(inside("Message").map_or_else(|| code.to_owned(), |message| format!("{code}: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stores_answer_only_code_and_message_are_told() {
        let xml = "Error performing GET https://s3.example.com/b/k in 4ms - Server returned non-2xx status code: 403: \
            <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match.</Message>\
            <AWSAccessKeyId>AKIAHUSH</AWSAccessKeyId><StringToSign>AWS4 hush</StringToSign></Error>";
        assert_eq!(said_in_xml(xml).unwrap(), "SignatureDoesNotMatch: The signature does not match.");
        assert_eq!(said_in_xml("<Error><Code>NoSuchKey</Code></Error>").unwrap(), "NoSuchKey");
        assert_eq!(said_in_xml("connection refused"), None);
    }

    #[test]
    fn an_open_line_is_for_this_machine_alone() {
        for (endpoint, is_open) in
            [("http://127.0.0.1:9000", true), ("http://localhost:9000", true), ("http://store.example.com", false)]
        {
            assert_eq!(is_here(endpoint), is_open, "{endpoint}");
        }
    }

    fn stores(variables: &[(&str, &str)]) -> Stores {
        Stores::of(None, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
            .unwrap()
    }

    fn object(text: &str) -> ObjectName {
        match crate::face::TrainingSource::parse(text) {
            Ok(crate::face::TrainingSource::Object(object)) => object,
            other => panic!("{other:?}"),
        }
    }

    /// Of nobody: made for this test.
    const KEY: &str = include_str!("store/nobodys-key.pem");

    #[tokio::test]
    async fn each_store_signs_for_as_long_as_is_asked_and_says_the_version() {
        let account = serde_json::json!({
            "private_key": KEY, "private_key_id": "1", "client_email": "faces@acme.iam.gserviceaccount.com", "disable_oauth": false,
        });
        let stores = stores(&[
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_REGION", "eu-central-1"),
            ("GOOGLE_SERVICE_ACCOUNT_KEY", &account.to_string()),
            ("AZURE_STORAGE_ACCOUNT_KEY", "aHVzaA=="),
            ("AWS_NO_SUCH_THING", "1"),
        ]);
        for (name, host, version) in [
            ("s3://acme-media/ana 1.mp4", "s3.eu-central-1.amazonaws.com", None),
            ("s3://acme-media/ü/ana.mp4?versionId=v7", "s3.eu-central-1.amazonaws.com", Some("versionId=v7")),
            ("gs://acme-media/ana.mp4?generation=17", "storage.googleapis.com", Some("generation=17")),
            ("az://acmemedia/faces/ana.mp4", "acmemedia.blob.core.windows.net", None),
        ] {
            let sign = async || stores.sign(&object(name), Duration::from_secs(48 * 3600)).await.unwrap();
            let (link, again) = (sign().await, sign().await);
            assert!(link.expose().contains(host), "{}", link.expose());
            assert!(version.is_none_or(|version| link.expose().contains(version)), "{}", link.expose());
            assert_eq!(link.identity(), again.identity(), "{name}");
            let crate::face::LinkEnd::At(end) = link.validity().ends else { panic!("{name}: no end") };
            let hours = end.duration_since(jiff::Timestamp::now()).as_hours();
            assert!((47..=48).contains(&hours), "{name}: {hours} hours");
            assert!(!link.expose().contains("hush") && !link.shown().contains("AKIAEXAMPLE"), "{}", link.shown());
        }
    }

    #[tokio::test]
    async fn a_session_shows_in_the_link_that_it_signs() {
        let session = [
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_SESSION_TOKEN", "t"),
            ("AWS_REGION", "r"),
        ];
        let link =
            stores(&session).sign(&object("s3://acme-media/ana.mp4"), Duration::from_secs(90_000)).await.unwrap();
        assert!(link.validity().has_temporary_credentials);
    }
}
