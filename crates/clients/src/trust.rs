//! How TLS is spoken, and to whom: made once for the whole process. What a machine trusts is about 150 certificates, which
//! every sender would read and keep for itself, and a connection has three of them.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What speaks TLS by what the machine trusted when this was first asked. A copy shares all that is large.
pub(crate) fn of_the_machine() -> Result<ClientConfig, rustls::Error> {
    static MADE: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    let mut tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(MADE.get_or_init(|| tls).clone())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_trusts_is_read_once() {
        let (one, other) = (of_the_machine().unwrap(), of_the_machine().unwrap());
        assert!(Arc::ptr_eq(one.crypto_provider(), other.crypto_provider()));
    }
}
