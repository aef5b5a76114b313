//! Lists the images of a folder or of a place in an object store.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use florence_core::image::has_image_extension;
use futures::{StreamExt, TryStreamExt};
use url::{Position, Url};
use walkdir::WalkDir;

use datafusion::common::{DataFusionError, Result};

use crate::read::{Place, ReadError, is_missing, store};

/// A file that is a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageFile {
    /// As the function reads it.
    pub(crate) path: String,
    /// In bytes.
    pub(crate) size: u64,
    /// In microseconds since 1970, UTC.
    pub(crate) modified: Option<i64>,
}

/// All images below a location, by name: a folder, a file, or a URL. Hidden files are skipped.
///
/// # Errors
///
/// A location that does not exist or cannot be listed; a name that is not UTF-8, which no column can
/// have.
pub(crate) async fn images(location: &str) -> Result<Vec<ImageFile>> {
    match Place::of(location)? {
        Place::Local(root) => {
            let listed = tokio::task::spawn_blocking(move || of_folder(&root)).await;
            listed.map_err(|error| DataFusionError::Execution(error.to_string()))?
        }
        Place::Store(url) => of_store(&url).await,
    }
}

fn of_folder(root: &Path) -> Result<Vec<ImageFile>> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    let walk = walk
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
    let mut images = Vec::new();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            // A link to nothing is an image that cannot be read.
            Err(error) if error.depth() > 0 => {
                if let Some(path) = error.path().filter(|path| has_image_extension(path)) {
                    images.push(image(path, None)?);
                }
                continue;
            }
            Err(error) => {
                let reason = format!("{}: {error}", root.display());
                return Err(DataFusionError::Execution(reason));
            }
        };
        let path = entry.path();
        if !entry.file_type().is_dir() && (has_image_extension(path) || entry.depth() == 0) {
            images.push(image(path, entry.metadata().ok().as_ref())?);
        }
    }
    Ok(images)
}

fn image(path: &Path, metadata: Option<&std::fs::Metadata>) -> Result<ImageFile> {
    let name = path.to_str().ok_or_else(|| {
        let path = path.display();
        DataFusionError::Execution(format!("{path}: this name is not UTF-8: rename the file"))
    })?;
    let modified = metadata.and_then(|metadata| metadata.modified().ok());
    Ok(ImageFile {
        path: name.to_owned(),
        size: metadata.map_or(0, std::fs::Metadata::len),
        modified: modified.and_then(microseconds),
    })
}

fn microseconds(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok()
}

async fn of_store(url: &Url) -> Result<Vec<ImageFile>> {
    let (store, prefix) = store(url)?;
    let origin = &url[..Position::BeforePath];
    let image = |meta: object_store::ObjectMeta| ImageFile {
        path: format!("{origin}/{}", encoded(meta.location.as_ref())),
        size: meta.size,
        modified: Some(meta.last_modified.timestamp_micros()),
    };
    let objects = store
        .list(Some(&prefix))
        .map_err(|error| match is_missing(&error) {
            true => DataFusionError::Execution(format!("{url}: no such location")),
            false => ReadError::of_store(&error, url).about(url.as_str()).into(),
        });
    let images = objects.try_filter(|meta| {
        let name = Path::new(meta.location.as_ref());
        futures::future::ready(has_image_extension(name) && !is_hidden(name))
    });
    let mut images: Vec<ImageFile> = images.map(|meta| meta.map(image)).try_collect().await?;
    images.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(images)
}

/// The path of a URL: what would end it, or be decoded, is encoded.
fn encoded(path: &str) -> String {
    let path = path.replace('%', "%25");
    path.replace('#', "%23").replace('?', "%3F")
}

/// Whether the name of a file or folder starts with a dot.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}
