//! Checks the `Host` and `Origin` headers.
//!
//! Any web page can send requests to every server that its browser reaches: across origins, or as its
//! own origin through DNS rebinding.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};

use crate::error::ApiError;
use crate::truncate::Quoted;

/// The host names that are allowed: configured ones, `localhost` and IP addresses. DNS rebinding
/// cannot claim an IP address.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Whether only loopback addresses are allowed.
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
    /// When the host or the origin is not allowed.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let text = |name| headers.get(name)?.to_str().ok();
        let host = text(header::HOST).unwrap_or_default();
        let name = name_of(host);
        if !self.is_allowed(&name) && !self.is_own(&name) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "host_not_allowed",
                format_args!(
                    "host {} is not allowed: the server has to be started with it",
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
            // A proxy may replace `Host`, so that it differs from the page's origin.
            Some(origin) if origin != host && !self.is_allowed(&name_of(origin)) => {
                Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "origin_not_allowed",
                    "this origin is not allowed: the server has to be started with its host",
                ))
            }
            _ => Ok(()),
        }
    }

    fn is_allowed(&self, name: &str) -> bool {
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
    fn foreign_hosts_and_origins_are_refused() {
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
    fn on_a_public_address_names_have_to_be_configured() {
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
    fn a_proxy_may_rewrite_the_host_of_a_configured_name() {
        let here = "127.0.0.1:8080";
        let origin = Some("https://photos.example");
        assert_eq!(check(here, here, origin), Ok(()));
        let origin = Some("https://photos.example.evil.example");
        assert_eq!(check(here, here, origin), Err("origin_not_allowed"));
    }
}
