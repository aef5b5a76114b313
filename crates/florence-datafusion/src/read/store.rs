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
    let (store, path) = opened(url, Retries::None)?;
    let found = store.get(&path).await?;
    if found.meta.size > limit {
        return Err(ReadError::too_large(found.meta.size, limit));
    }
    let mut bytes = Vec::new();
    let mut stream = found.into_stream();
    while let Some(chunk) = stream.try_next().await? {
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
    opened(url, Retries::Store)
}

/// One store for each bucket or server.
fn opened(url: &Url, retries: Retries) -> Result<(Arc<dyn ObjectStore>, Path), ReadError> {
    type Stores = HashMap<(String, Retries), Arc<dyn ObjectStore>>;
    static STORES: Mutex<Option<Stores>> = Mutex::new(None);
    let path = Path::from_url_path(url.path());
    let path = path.map_err(|error| ReadError::Refused(error.to_string()))?;
    let origin = url[..Position::BeforePath].to_owned();
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let stores = stores.get_or_insert_default();
    let store = match stores.get(&(origin.clone(), retries)) {
        Some(store) => store.clone(),
        None => {
            let store = open(url, &origin, retries)?;
            stores.insert((origin, retries), store.clone());
            store
        }
    };
    Ok((store, path))
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
fn open(url: &Url, origin: &str, retries: Retries) -> Result<Arc<dyn ObjectStore>, ReadError> {
    match url.scheme() {
        #[cfg(feature = "http")]
        "http" | "https" => {
            let client = object_store::ClientOptions::new().with_allow_http(true);
            let builder = object_store::http::HttpBuilder::new().with_url(origin);
            let store = builder
                .with_client_options(client)
                .with_retry(retries.config())
                .build()?;
            Ok(Arc::new(store))
        }
        #[cfg(feature = "s3")]
        "s3" | "s3a" => {
            let builder = object_store::aws::AmazonS3Builder::from_env().with_url(origin);
            Ok(Arc::new(builder.with_retry(retries.config()).build()?))
        }
        #[cfg(feature = "gcs")]
        "gs" => {
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env().with_url(origin);
            Ok(Arc::new(builder.with_retry(retries.config()).build()?))
        }
        scheme => {
            let feature = match scheme {
                "http" | "https" => "http",
                "gs" => "gcs",
                _ => "s3",
            };
            Err(ReadError::Refused(format!(
                "this program was built without {origin}: it needs the feature `{feature}` of florence-datafusion"
            )))
        }
    }
}
