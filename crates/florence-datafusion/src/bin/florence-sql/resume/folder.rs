//! The folder of answers: on this machine, or below a URL.

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::prelude::SessionContext;
use object_store::ObjectStoreExt;

/// A folder with Parquet files.
pub(super) struct Folder(ListingTableUrl);

impl Folder {
    /// Of a path, which is made if it does not exist, or of a URL such as `s3://bucket/answers`.
    pub(super) fn new(location: &str) -> Result<Self> {
        let fail = |reason: String| {
            DataFusionError::Configuration(format!("--resume {location}: {reason}"))
        };
        let url = if location.contains("://") {
            if location.contains(['?', '#']) {
                return Err(fail(
                    "expected a URL without ? and #: write %3F and %23".to_owned(),
                ));
            }
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

    /// Whether a file is there.
    pub(super) async fn has(&self, ctx: &SessionContext, file: &str) -> Result<bool> {
        let store = ctx.runtime_env().object_store(self.0.object_store())?;
        match store.head(ListingTableUrl::parse(file)?.prefix()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(DataFusionError::from(error).context(file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn folders_have_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = SessionContext::new();
        for name in ["a b", "50%", "a%20b", "c#d?e", "[f]*", "é"] {
            let path = dir.path().join(name);
            let folder = Folder::new(path.to_str().unwrap()).unwrap();
            assert!(!folder.has_parquet(&ctx).await.unwrap(), "{name}");
            let file = folder.file("1");
            assert!(!folder.has(&ctx, &file).await.unwrap(), "{name}");
            std::fs::write(path.join("1.parquet"), b"").unwrap();
            assert!(folder.has_parquet(&ctx).await.unwrap(), "{name}");
            assert!(folder.has(&ctx, &file).await.unwrap(), "{name}");
        }
    }

    #[test]
    fn a_url_that_would_lose_its_end_is_refused() {
        let error = Folder::new("s3://bucket/run#2").err().unwrap().to_string();
        assert!(
            error.contains("--resume s3://bucket/run#2: expected a URL without"),
            "{error}"
        );
        assert_eq!(
            Folder::new("s3://bucket/run").unwrap().url(),
            "s3://bucket/run/"
        );
    }
}
