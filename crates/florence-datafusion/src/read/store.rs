//! Objects of S3, Google Cloud Storage and web servers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::{Position, Url};

use super::ReadError;

/// Whether this error says that there is no such object.
pub(crate) fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}

/// Reads an object of at most `limit` bytes.
pub(super) async fn read(url: &Url, limit: u64) -> Result<Vec<u8>, ReadError> {
    if url.query().is_some() {
        return Err(ReadError::Refused(
            "expected a URL without a query: what follows the question mark would be lost"
                .to_owned(),
        ));
    }
    let failed = |error: object_store::Error| ReadError::of_store(&error, url);
    let path = path(url)?;
    let opened = opened(url, Retries::None)?;
    opened.credentials.check().await?;
    let found = opened.store.get(&path).await.map_err(failed)?;
    if found.meta.size > limit {
        return Err(ReadError::too_large(found.meta.size, limit));
    }
    let mut bytes = Vec::new();
    let mut stream = found.into_stream();
    while let Some(chunk) = stream.try_next().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            return Err(ReadError::too_large(bytes.len() as u64, limit));
        }
    }
    Ok(bytes)
}

/// Who tries again what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Retries {
    /// The store, as often as it thinks right.
    Store,
    /// The caller, as often as the settings say.
    None,
}

/// The store of a URL, for listing and for DataFusion's own tables, and the path in it.
pub(crate) fn store(url: &Url) -> Result<(Arc<dyn ObjectStore>, Path), ReadError> {
    Ok((opened(url, Retries::Store)?.store, path(url)?))
}

fn path(url: &Url) -> Result<Path, ReadError> {
    let path = Path::from_url_path(url.path());
    path.map_err(|error| ReadError::Refused(error.to_string()))
}

/// A bucket or a server.
#[derive(Debug, Clone)]
struct Opened {
    store: Arc<dyn ObjectStore>,
    credentials: Credentials,
}

/// One store for each bucket or server.
fn opened(url: &Url, retries: Retries) -> Result<Opened, ReadError> {
    static STORES: Mutex<Option<HashMap<(String, Retries), Opened>>> = Mutex::new(None);
    let origin = url[..Position::BeforePath].to_owned();
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let stores = stores.get_or_insert_default();
    Ok(match stores.get(&(origin.clone(), retries)) {
        Some(opened) => opened.clone(),
        None => {
            let opened = open(url, &origin, retries)?;
            stores.insert((origin, retries), opened.clone());
            opened
        }
    })
}

/// Where a store has its credentials from.
#[derive(Debug, Clone)]
enum Credentials {
    #[cfg_attr(
        not(any(feature = "http", feature = "s3", feature = "gcs")),
        expect(dead_code)
    )]
    None,
    #[cfg(feature = "s3")]
    S3(object_store::aws::AwsCredentialProvider),
    #[cfg(feature = "gcs")]
    Gcs(object_store::gcp::GcpCredentialProvider),
}

impl Credentials {
    /// Asks for them before an object is, unless the store still has some: the error of an object does not tell
    /// whose fault it is.
    async fn check(&self) -> Result<(), ReadError> {
        match self {
            Self::None => Ok(()),
            #[cfg(feature = "s3")]
            Self::S3(provider) => provider.get_credential().await.map(|_| ()),
            #[cfg(feature = "gcs")]
            Self::Gcs(provider) => provider.get_credential().await.map(|_| ()),
        }
        .map_err(|error| ReadError::failed(&error))
    }
}

#[cfg(any(feature = "http", feature = "s3", feature = "gcs"))]
impl Retries {
    fn config(self) -> object_store::RetryConfig {
        let config = object_store::RetryConfig::default();
        match self {
            Self::Store => config,
            Self::None => object_store::RetryConfig {
                max_retries: 0,
                ..config
            },
        }
    }
}

/// Credentials come from the environment, as for other programs of that cloud.
#[cfg_attr(
    not(any(feature = "http", feature = "s3", feature = "gcs")),
    expect(unused_variables)
)]
fn open(url: &Url, origin: &str, retries: Retries) -> Result<Opened, ReadError> {
    let failed = |error: object_store::Error| ReadError::failed(&error);
    match url.scheme() {
        #[cfg(feature = "http")]
        "http" | "https" => {
            let client = object_store::ClientOptions::new().with_allow_http(true);
            let builder = object_store::http::HttpBuilder::new().with_url(origin);
            let builder = builder.with_client_options(client);
            let store = builder.with_retry(retries.config()).build();
            Ok(Opened {
                store: Arc::new(store.map_err(failed)?),
                credentials: Credentials::None,
            })
        }
        #[cfg(feature = "s3")]
        "s3" | "s3a" => {
            use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
            let builder = AmazonS3Builder::from_env().with_url(origin);
            let is_public = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature);
            let store = builder.with_retry(retries.config()).build();
            let store = store.map_err(failed)?;
            let credentials = match is_public.as_deref() {
                Some("true") => Credentials::None,
                _ => Credentials::S3(store.credentials().clone()),
            };
            Ok(Opened {
                store: Arc::new(store),
                credentials,
            })
        }
        #[cfg(feature = "gcs")]
        "gs" => {
            use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
            let builder = GoogleCloudStorageBuilder::from_env().with_url(origin);
            let is_public = builder.get_config_value(&GoogleConfigKey::SkipSignature);
            let store = builder.with_retry(retries.config()).build();
            let store = store.map_err(failed)?;
            let credentials = match is_public.as_deref() {
                Some("true") => Credentials::None,
                _ => Credentials::Gcs(store.credentials().clone()),
            };
            Ok(Opened {
                store: Arc::new(store),
                credentials,
            })
        }
        scheme => {
            let feature = match scheme {
                "http" | "https" => "http",
                "gs" => "gcs",
                _ => "s3",
            };
            let reason = format!(
                "this program was built without {origin}: it needs the feature `{feature}` of florence-datafusion"
            );
            Err(ReadError::Failed(std::io::Error::other(reason)))
        }
    }
}
