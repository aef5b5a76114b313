//! Names of repositories and of their revisions.

use std::path::Path;

use crate::{Error, Result};

/// Whether a text is a name on the hub rather than a path: `owner/name`, or `owner/name@revision`.
///
/// # Example
///
/// ```
/// use florence_core::hub::is_repo_id;
///
/// assert!(is_repo_id("microsoft/Florence-2-base-ft"));
/// assert!(is_repo_id("microsoft/Florence-2-base-ft@refs/pr/6"));
/// assert!(!is_repo_id("./Florence-2-base-ft"));
/// ```
pub fn is_repo_id(text: &str) -> bool {
    let (name, revision) = split(text);
    name.contains('/') && check(name, revision.unwrap_or("main")).is_ok()
}

/// The [name on the hub](is_repo_id) that is meant by what may also be a path: a file or folder
/// that exists comes before a name.
///
/// # Example
///
/// ```
/// use florence_core::hub::repo_id;
///
/// assert_eq!(repo_id("someone/model@v2".as_ref()), Some("someone/model@v2"));
/// assert_eq!(repo_id("tests/goldens".as_ref()), None); // this folder exists
/// assert_eq!(repo_id("./model".as_ref()), None);
/// ```
pub fn repo_id(given: &Path) -> Option<&str> {
    given
        .to_str()
        .filter(|name| is_repo_id(name) && !given.exists())
}

/// The name and the revision of `name@revision`.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (text, None),
    }
}

/// Names become paths of the cache and of URLs: they must not lead out.
pub(super) fn check(name: &str, revision: &str) -> Result<()> {
    let expected = "a repository such as \"microsoft/Florence-2-base\"";
    check_parts("name", name, expected, 2)?;
    check_parts("revision", revision, "a branch, a tag or a commit", 9)
}

fn check_parts(argument: &'static str, text: &str, expected: &str, max_parts: usize) -> Result<()> {
    let is_plain = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
    };
    let parts = text.split('/');
    if text.len() <= 200 && parts.clone().all(is_plain) && parts.count() <= max_parts {
        Ok(())
    } else {
        Err(Error::argument(argument, format!("{text:?}"), expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_a_name_of_the_hub() {
        for name in [
            "microsoft/Florence-2-base-ft",
            "a/b",
            "a/b@refs/pr/6",
            "a/b@v1.0+x",
        ] {
            assert!(is_repo_id(name), "{name}");
        }
        for path in [
            "", "a", "a@b/c", "./a", "../a", "/a", "a/", "a/b/c", "a/b@", "a/b@../c", "a/.b",
            "a/b c", "a\\b",
        ] {
            assert!(!is_repo_id(path), "{path}");
        }
    }
}
