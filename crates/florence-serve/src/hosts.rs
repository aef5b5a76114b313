//! Which pages may use the server from a browser.
//!
//! Any page that a browser shows can send requests to every server that the browser reaches, under
//! its own name or, after a change in its DNS entry, under the page's.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};

use crate::brief::Quoted;
use crate::error::ApiError;

/// The names that the server goes by: those it was told, `localhost` and addresses. A page cannot
/// bring browsers to take an address for its own.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Whether only the addresses of this machine are the server's.
    loopback: bool,
}

impl Hosts {
    pub(crate) fn new(address: SocketAddr, names: Vec<String>) -> Self {
        Self {
            names,
            loopback: address.ip().is_loopback(),
        }
    }

    /// # Errors
    ///
    /// When the request is for another server, or from another server's page.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name| headers.get(name)?.to_str().ok();
        let host = text(header::HOST).unwrap_or_default();
        let name = name_of(host);
        if !self.is_told(&name) && !self.is_own(&name) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                format_args!(
                    "host {} is not allowed: name it when the server is started",
                    Quoted(&name)
                ),
            ));
        }
        let origin = text(header::ORIGIN).map(|origin| {
            origin
                .split_once("://")
                .map_or("", |(_, authority)| authority)
        });
        match origin {
            // Proxies may put a host of their own in place of the one that the page is from.
            Some(origin) if origin != host && !self.is_told(&name_of(origin)) => {
                Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "origin_not_allowed",
                    "pages of this origin are not allowed: name its host when the server is started",
                ))
            }
            _ => Ok(()),
        }
    }

    fn is_told(&self, name: &str) -> bool {
        self.names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn is_own(&self, name: &str) -> bool {
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|ip| !self.loopback || ip.is_loopback())
    }
}

/// A host without its port.
fn name_of(authority: &str) -> String {
    let authority = authority.parse::<Authority>();
    authority.map_or_else(|_| String::new(), |one| one.host().to_owned())
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
            assert_eq!(check(here, host, None), Err("host_not_allowed"), "{host}");
        }
        for origin in ["http://evil.example", "null", "http://localhost:9090", ""] {
            assert_eq!(
                check(here, "localhost:8080", Some(origin)),
                Err("origin_not_allowed"),
                "{origin}"
            );
        }
    }

    #[test]
    fn on_a_public_address_names_have_to_be_told() {
        let here = "0.0.0.0:80";
        for host in [
            "photos.example",
            "192.168.0.7:8080",
            "[2001:db8::1]",
            "localhost",
        ] {
            assert_eq!(check(here, host, None), Ok(()), "{host}");
            let own = format!("http://{host}");
            assert_eq!(check(here, host, Some(&own)), Ok(()), "{host}");
            assert_eq!(
                check(here, host, Some("https://evil.example")),
                Err("origin_not_allowed"),
                "{host}"
            );
        }
        for host in ["evil.example", "192.168.0.7.evil.example", ""] {
            let own = format!("http://{host}");
            assert_eq!(
                check(here, host, Some(&own)),
                Err("host_not_allowed"),
                "{host}"
            );
        }
    }

    #[test]
    fn a_proxy_may_rewrite_the_host_of_a_name_that_was_told() {
        let here = "127.0.0.1:8080";
        let origin = Some("https://photos.example");
        assert_eq!(check(here, here, origin), Ok(()));
        let origin = Some("https://photos.example.evil.example");
        assert_eq!(check(here, here, origin), Err("origin_not_allowed"));
    }
}
