//! `[connection.receipts]`: the files of a record that go onto its document.

use clients::brex::ReceiptHosts;
use serde::Deserialize;

use super::ConfigError;

/// Receipts on documents. On unless switched off.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptsSection {
    /// Whether receipts are attached.
    pub enabled: bool,
    /// The largest file, in megabytes of a million bytes.
    pub max_megabytes: u32,
    /// Domains that Brex's links may lead to; what is below them counts too. Only HTTPS.
    pub hosts: Vec<String>,
}

impl Default for ReceiptsSection {
    fn default() -> Self {
        Self { enabled: true, max_megabytes: 50, hosts: vec!["amazonaws.com".to_owned()] }
    }
}

impl ReceiptsSection {
    /// The largest file, in bytes.
    pub fn max_bytes(&self) -> u64 {
        u64::from(self.max_megabytes).saturating_mul(1_000_000)
    }

    /// Where receipts may come from; `allow_hosts` are those of the whole configuration.
    pub fn allowed_hosts(&self, allow_hosts: &[String]) -> ReceiptHosts {
        ReceiptHosts { domains: self.hosts.clone(), plain: allow_hosts.to_vec() }
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        // Business Central takes 350 MB, Brex 50 MB (reference 5.8 and 5.2).
        if !(1..=350).contains(&self.max_megabytes) {
            return Err(ConfigError::value(key("receipts.max_megabytes"), "must be 1 to 350"));
        }
        let is_domain = |host: &String| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            host.contains('.') && host.chars().all(fits) && !host.starts_with('.') && !host.ends_with('.')
        };
        match self.hosts.iter().find(|host| !is_domain(host)) {
            Some(host) => {
                let text = format!("has {host:?}, which is no domain, such as amazonaws.com");
                Err(ConfigError::value(key("receipts.hosts"), text))
            }
            None => Ok(()),
        }
    }
}
