//! Receipts: files behind links that are good for 15 minutes to anybody who has them. They lie on another host than the
//! API, so no token is sent with them, and only hosts that the configuration names are asked.

use tokio::io::AsyncWrite;
use url::{Host, Url};

use super::{Client, asked, failure};
use crate::call::{Call, unsendable};
use crate::error::Error;
use crate::kind::{Access, System};

const OPERATION: &str = "download_receipt";

/// The hosts that receipts may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptHosts {
    /// Domains, by HTTPS only; what is below them counts too.
    pub domains: Vec<String>,
    /// Hosts by their exact name, also without TLS, such as a sandbox on `127.0.0.1`.
    pub plain: Vec<String>,
}

impl ReceiptHosts {
    /// Whether this address may be asked.
    pub fn allow(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let Some(host) = url.host_str() else { return false };
        if matches!(url.scheme(), "http" | "https") && self.plain.iter().any(|plain| plain.eq_ignore_ascii_case(host)) {
            return true;
        }
        let below = |domain: &String| {
            let rest = host.strip_suffix(domain.to_ascii_lowercase().as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        url.scheme() == "https" && url.port().is_none() && is_name && self.domains.iter().any(below)
    }
}

/// A receipt that was written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl Client {
    /// Writes the receipt behind `link` to `file`. Without an error the file is complete; over `limit_bytes` it is given up.
    pub async fn download_receipt(
        &self,
        link: &str,
        hosts: &ReceiptHosts,
        limit_bytes: u64,
        file: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Download, Error> {
        let refuse = |text: &'static str| unsendable(asked(OPERATION, Access::Read), text);
        let url = Url::parse(link).map_err(|_| refuse("the link of the receipt is no address"))?;
        if !hosts.allow(&url) {
            return Err(refuse("the host of the receipt is not among those of the configuration"));
        }
        let call = Call::get(System::Brex, OPERATION, url);
        let (answer, bytes, sha256) = self.shared.http.download(&call, limit_bytes, file).await?;
        failure::success(answer).map(|_| Download { bytes, sha256 })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_named_hosts_are_asked_and_only_over_tls() {
        let hosts = ReceiptHosts { domains: vec!["amazonaws.com".to_owned()], plain: vec!["127.0.0.1".to_owned()] };
        for (link, allowed) in [
            ("https://b.s3.us-west-2.amazonaws.com/r.pdf?X-Amz-Signature=1", true),
            ("https://amazonaws.com/r.pdf", true),
            ("http://127.0.0.1:8080/r.pdf", true),
            ("http://b.s3.amazonaws.com/r.pdf", false),
            ("https://b.s3.amazonaws.com:8443/r.pdf", false),
            ("https://evilamazonaws.com/r.pdf", false),
            ("https://amazonaws.com.evil.example/r.pdf", false),
            ("https://user@b.s3.amazonaws.com/r.pdf", false),
            ("https://169.254.169.254/latest", false),
            ("ftp://127.0.0.1/r.pdf", false),
            ("https://localhost/r.pdf", false),
        ] {
            assert_eq!(hosts.allow(&Url::parse(link).unwrap()), allowed, "{link}");
        }
    }
}
