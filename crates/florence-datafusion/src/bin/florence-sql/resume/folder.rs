//! The folder of answers: on this machine, or below a URL.

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::prelude::SessionContext;

/// A folder with Parquet files.
pub(super) struct Folder(ListingTableUrl);

impl Folder {
    /// Of a path, which is made if it does not exist, or of a URL such as `s3://bucket/answers`.
    pub(super) fn new(location: &str) -> Result<Self> {
        let fail = |reason: String| {
            DataFusionError::Configuration(format!("--resume {location}: {reason}"))
        };
        let url = if location.contains("://") {
            format!("{}/", location.trim_end_matches('/'))
        } else {
            std::fs::create_dir_all(location).map_err(|error| fail(error.to_string()))?;
            let folder =
                std::fs::canonicalize(location).map_err(|error| fail(error.to_string()))?;
            let url = url::Url::from_directory_path(folder);
            url.map_err(|()| fail("expected a folder".to_owned()))?
                .into()
        };
        let url = ListingTableUrl::parse(&url).map_err(|error| fail(error.to_string()))?;
        Ok(Self(url))
    }

    /// With a slash at its end.
    pub(super) fn url(&self) -> &str {
        self.0.as_str()
    }

    /// The URL of a Parquet file.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}{name}.parquet", self.url())
    }

    /// Whether something was written. A file that was interrupted is not there, or has another ending.
    pub(super) async fn has_parquet(&self, ctx: &SessionContext) -> Result<bool> {
        let store = ctx.runtime_env().object_store(self.0.object_store())?;
        let found = store.list_with_delimiter(Some(self.0.prefix())).await;
        let found = found.map_err(|error| DataFusionError::from(error).context(self.url()))?;
        let mut names = found.objects.iter().map(|object| &object.location);
        Ok(names.any(|name| name.extension() == Some("parquet")))
    }
}
