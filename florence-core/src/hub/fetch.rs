//! Requests to the hub.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

use super::HubError;
use super::options::{DownloadProgress, HubOptions, ProgressFn};
use super::part::{Part, is_complete, is_index};
use crate::checkpoint::shard_names;

const ENDPOINT: &str = "https://huggingface.co";

/// The folder with all files of a part.
pub(super) fn folder(
    name: &str,
    revision: &str,
    part: Part,
    options: &HubOptions,
) -> Result<PathBuf, HubError> {
    let cache = cache(options)?;
    if let Some(folder) = cached(&cache, name, part, revision) {
        return Ok(folder);
    }
    if options.offline {
        return Err(HubError::Offline {
            name: name.to_owned(),
            revision: revision.to_owned(),
            cache: cache.path().clone(),
        });
    }
    let hub = Hub {
        name,
        revision,
        options,
        endpoint: options
            .endpoint
            .as_deref()
            .unwrap_or(ENDPOINT)
            .trim_end_matches('/')
            .to_owned(),
        cache,
    };
    hub.fetch(part)
}

/// The cache folder as an absolute path: links in it are relative.
fn cache(options: &HubOptions) -> Result<Cache, HubError> {
    let path = match &options.cache_dir {
        Some(path) => path.clone(),
        None => std::env::home_dir()
            .filter(|home| home.is_absolute())
            .ok_or_else(|| HubError::Cache {
                path: PathBuf::from("~"),
                error: std::io::Error::other("no home folder; set `HubOptions::cache_dir`"),
            })?
            .join(".cache/huggingface/hub"),
    };
    let path = std::path::absolute(&path).map_err(|error| HubError::Cache { path, error })?;
    Ok(Cache::new(path))
}

fn repo(name: &str, revision: &str) -> Repo {
    Repo::with_revision(name.to_owned(), RepoType::Model, revision.to_owned())
}

/// The folder of a revision that is complete in the cache. The Python library writes no reference
/// for a commit, so its folder is checked directly too.
fn cached(cache: &Cache, name: &str, part: Part, revision: &str) -> Option<PathBuf> {
    let entry = cache.repo(repo(name, revision));
    part.files()
        .filter_map(|file| Some(entry.get(file)?.parent()?.to_owned()))
        .chain([entry.pointer_path(revision)])
        .find(|folder| is_complete(folder, part))
}

struct Hub<'a> {
    name: &'a str,
    revision: &'a str,
    options: &'a HubOptions,
    endpoint: String,
    cache: Cache,
}

impl Hub<'_> {
    fn fetch(&self, part: Part) -> Result<PathBuf, HubError> {
        let api = ApiBuilder::from_cache(self.cache.clone())
            .with_endpoint(self.endpoint.clone())
            .with_token(self.options.token.clone())
            .with_progress(false)
            .build()
            .map_err(|e| self.network(self.endpoint.clone(), &e))?;
        let (commit, files) = self.list(&api)?;
        let has = |file: &str| files.iter().any(|f| f == file);
        // Requested by commit from here on, so that a branch that moves meanwhile cannot mix two
        // versions.
        let remote = Remote {
            repo: api.repo(repo(self.name, &commit)),
            api: &api,
        };
        let folder = self
            .cache
            .repo(repo(self.name, &commit))
            .pointer_path(&commit);

        for need in part.needs() {
            for file in need.files(&has).map_err(|lacks| self.missing(&lacks))? {
                let path = self.take(&remote, &folder, file)?;
                if is_index(file) {
                    for shard in self.shards(file, &path)? {
                        if !has(&shard) {
                            return Err(self.missing(&shard));
                        }
                        self.take(&remote, &folder, &shard)?;
                    }
                }
            }
        }
        self.cache
            .repo(repo(self.name, self.revision))
            .create_ref(&commit)
            .map_err(|e| self.cache_error(e))?;
        Ok(folder)
    }

    /// The commit that the revision stands for, and the files in it.
    fn list(&self, api: &Api) -> Result<(String, Vec<String>), HubError> {
        let revision = self.revision;
        let remote = api.repo(repo(self.name, revision));
        let info = self.retry(|| remote.info());
        let info = info.map_err(|error| match status(&error) {
            Some(401 | 403 | 404) => HubError::UnknownRepo {
                name: self.name.to_owned(),
                revision: revision.to_owned(),
                endpoint: self.endpoint.clone(),
            },
            _ => self.network(
                format!(
                    "{}/api/models/{}/revision/{revision}",
                    self.endpoint, self.name
                ),
                &error,
            ),
        })?;
        let plain = |c: char| c.is_ascii_alphanumeric();
        if info.sha.is_empty() || info.sha.len() > 64 || !info.sha.chars().all(plain) {
            return Err(HubError::Network {
                url: self.endpoint.clone(),
                reason: format!(
                    "names the commit {:?}, expected hexadecimal digits",
                    info.sha
                ),
            });
        }
        let files = info.siblings.into_iter().map(|s| s.rfilename).collect();
        Ok((info.sha, files))
    }

    /// Downloads one file unless it is cached.
    fn take(&self, remote: &Remote<'_>, folder: &Path, file: &str) -> Result<PathBuf, HubError> {
        let path = folder.join(file);
        if path.is_file() {
            return Ok(path);
        }
        let url = remote.repo.url(file);
        let got = self.retry(|| self.download(remote, file));
        let got = got.map_err(|error| match (status(&error), &error) {
            (Some(404), _) => self.missing(file),
            (_, ApiError::IoError(e)) if is_local(e) => self.cache_error(e.kind().into()),
            _ => self.network(url.clone(), &error),
        })?;
        if got == path {
            Ok(path)
        } else {
            Err(HubError::Network {
                url,
                reason: format!("is of another commit than {}", folder.display()),
            })
        }
    }

    /// Tries again where that may help, after longer and longer pauses.
    fn retry<T>(&self, ask: impl Fn() -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut attempt = 0;
        loop {
            match ask() {
                Err(error) if attempt < self.options.retries && is_transient(&error) => {}
                done => return done,
            }
            std::thread::sleep(Duration::from_millis(200 << attempt.min(6)));
            attempt += 1;
        }
    }

    /// One attempt. An earlier partial download is resumed.
    fn download(&self, remote: &Remote<'_>, file: &str) -> Result<PathBuf, ApiError> {
        let total = Cell::new(0);
        let reporter = Reporter {
            report: self.options.progress.as_deref(),
            file,
            done: 0,
            total: &total,
        };
        let result = remote.repo.download_with_progress(file, reporter);
        if matches!(&result, Err(error) if cannot_resume(error)) {
            // A part that is complete or longer than the file: restart.
            let etag = remote
                .api
                .metadata(&remote.repo.url(file))?
                .etag()
                .to_owned();
            let blob = self
                .cache
                .repo(repo(self.name, self.revision))
                .blob_path(&etag);
            std::fs::remove_file(blob.with_extension("part"))?;
            return Err(std::io::Error::other("the part that was there does not fit").into());
        }
        let path = result?;
        let len = std::fs::metadata(&path)?.len();
        if len == total.get() {
            return Ok(path);
        }
        // A connection that ends early is not always an error to the client.
        if let Ok(blob) = path.canonicalize() {
            std::fs::remove_file(blob)?;
        }
        std::fs::remove_file(&path)?;
        let reason = format!("{len} bytes arrived, {} were announced", total.get());
        Err(std::io::Error::other(reason).into())
    }

    fn shards(&self, name: &str, index: &Path) -> Result<Vec<String>, HubError> {
        let bytes = std::fs::read(index).map_err(|e| self.cache_error(e))?;
        shard_names(name, &bytes).map_err(|error| HubError::Network {
            url: format!("{}/{}", self.endpoint, self.name),
            reason: error.to_string(),
        })
    }

    fn missing(&self, expected: &str) -> HubError {
        HubError::MissingFile {
            name: self.name.to_owned(),
            revision: self.revision.to_owned(),
            expected: expected.to_owned(),
        }
    }

    fn network(&self, url: String, error: &ApiError) -> HubError {
        let way_out = match status(error) {
            Some(429) => {
                " (too many requests: try again later; a token in HF_TOKEN may raise the limit)"
            }
            Some(500..) => " (the server has a problem: try again later)",
            _ => "",
        };
        HubError::Network {
            url,
            reason: format!("{error}{way_out}"),
        }
    }

    fn cache_error(&self, error: std::io::Error) -> HubError {
        HubError::Cache {
            path: self.cache.path().clone(),
            error,
        }
    }
}

/// The HTTP status of a refused request. The client's own error type is that
/// of a crate that this one does not depend on; its message is stable.
fn status(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::RequestError(error) => error
            .to_string()
            .strip_prefix("http status: ")?
            .parse()
            .ok(),
        ApiError::TooManyRetries(error) => status(error),
        _ => None,
    }
}

/// Whether trying again may help.
fn is_transient(error: &ApiError) -> bool {
    match error {
        ApiError::RequestError(_) => status(error).is_none_or(|s| s >= 500 || s == 429),
        ApiError::IoError(error) => !is_local(error),
        _ => false,
    }
}

/// Whether the cause is local and not the connection.
fn is_local(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull,
    };
    matches!(
        error.kind(),
        NotADirectory | NotFound | PermissionDenied | ReadOnlyFilesystem | StorageFull
    )
}

/// "Range not satisfiable", or the client's own error about a part.
fn cannot_resume(error: &ApiError) -> bool {
    status(error) == Some(416) || matches!(error, ApiError::InvalidResume)
}

/// A commit on the hub.
struct Remote<'a> {
    repo: ApiRepo,
    api: &'a Api,
}

/// Forwards the client's progress.
struct Reporter<'a> {
    report: Option<&'a ProgressFn>,
    file: &'a str,
    done: u64,
    total: &'a Cell<u64>,
}

impl Reporter<'_> {
    fn tell(&self) {
        if let Some(report) = self.report {
            report(DownloadProgress {
                file: self.file,
                done: self.done,
                total: self.total.get(),
            });
        }
    }
}

impl hf_hub::api::Progress for Reporter<'_> {
    fn init(&mut self, size: usize, _filename: &str) {
        self.done = 0;
        self.total.set(size as u64);
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.tell();
    }

    fn finish(&mut self) {
        self.tell();
    }
}
