//! By which name a request calls us: a page elsewhere can make a browser ask, but not by a name of ours.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// The name that a request calls us by; empty if it says none.
pub(crate) fn host_of(request: &Request) -> &str {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| request.uri().authority().map(Authority::as_str)).unwrap_or_default()
}

/// Whether this is an address of numbers, localhost, or the known name.
pub(crate) fn is_ours(host: &str, known: Option<&str>) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || Some(name) == known,
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_localhost_and_the_known_name_are_ours() {
        for host in ["127.0.0.1:8461", "[::1]:8461", "localhost", "LOCALHOST:1", "10.0.0.5"] {
            assert!(is_ours(host, None), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "console.example:8461"] {
            assert!(!is_ours(host, None), "{host}");
        }
        assert!(is_ours("console.example:8461", Some("console.example")));
        assert!(!is_ours("evil.example", Some("console.example")));
    }
}
