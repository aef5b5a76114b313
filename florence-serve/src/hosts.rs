//! Which pages may use the server from a browser.
//!
//! Any page that a browser shows can send requests to a server on the same machine, under its own
//! name or, after a change in its DNS entry, under the server's address.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};

use crate::error::ApiError;

/// The names that the server goes by.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    /// On a loopback address, these and those of this machine; elsewhere, all.
    names: Option<Vec<String>>,
}

impl Hosts {
    pub(crate) fn new(address: SocketAddr, names: Vec<String>) -> Self {
        Self {
            names: address.ip().is_loopback().then_some(names),
        }
    }

    /// # Errors
    ///
    /// When the request is for another server, or from another server's page.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name| headers.get(name)?.to_str().ok();
        let host = text(header::HOST).unwrap_or_default();
        if let Some(names) = &self.names {
            let name = host.parse::<Authority>();
            let name = name.as_ref().map_or("", Authority::host);
            if !is_local(name) && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "foreign_host",
                    format!(
                        "this server does not go by the name {name:?}: it listens on this machine \
                         only, and has to be told other names"
                    ),
                ));
            }
        }
        let origin = text(header::ORIGIN).map(|origin| {
            origin
                .split_once("://")
                .map_or("", |(_, authority)| authority)
        });
        match origin {
            Some(origin) if origin != host => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "pages of other sites cannot use this server",
            )),
            _ => Ok(()),
        }
    }
}

fn is_local(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, host: &str, origin: Option<&str>) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let hosts = Hosts::new(address.parse().unwrap(), vec!["photos.example".to_owned()]);
        hosts.check(&headers).map_err(|error| error.code)
    }

    #[test]
    fn pages_of_others_are_turned_away() {
        let here = "127.0.0.1:8080";
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "[::1]:8080",
            "LOCALHOST",
            "photos.example",
        ] {
            assert_eq!(check(here, host, None), Ok(()), "{host}");
            assert_eq!(check(here, host, Some(&format!("http://{host}"))), Ok(()));
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:8080",
            "",
            "@",
            "10.0.0.1:8080",
        ] {
            assert_eq!(check(here, host, None), Err("foreign_host"), "{host}");
        }
        for origin in ["http://evil.example", "null", "http://localhost:9090", ""] {
            assert_eq!(
                check(here, "localhost:8080", Some(origin)),
                Err("foreign_origin"),
                "{origin}"
            );
        }
    }

    #[test]
    fn on_a_public_address_any_name_will_do() {
        assert_eq!(check("0.0.0.0:80", "photos.example", None), Ok(()));
        assert_eq!(
            check("0.0.0.0:80", "photos.example", Some("https://evil.example")),
            Err("foreign_origin")
        );
    }
}
