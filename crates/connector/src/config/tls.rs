//! `[tls]`: a certificate of our own, for a machine without a proxy in front of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{ConfigError, SecretSource};

/// The certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// The certificate and those between it and the root, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: SecretSource,
}

impl TlsSection {
    /// Reads both and checks that they belong together.
    pub fn acceptor(&self, folder: &Path) -> Result<TlsAcceptor, ConfigError> {
        let path = folder.join(&self.certificate);
        let unusable = |why: &str| ConfigError::value("tls.certificate", format!("{} {why}", path.display()));
        let pem = std::fs::read(&path).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|_| unusable("is not a PEM file of certificates"))?;
        if chain.is_empty() {
            return Err(unusable("holds no certificate"));
        }
        let key = self.key.read_outside("tls.key", folder)?;
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
            .map_err(|_| ConfigError::value("tls.key", "holds no private key in PEM form"))?;
        let chain = chain.into_iter().map(CertificateDer::into_owned).collect();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| ConfigError::value("tls", format!("cannot be used: {error}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
