//! `[connection.retention]`: how long what is kept of people stays.

use serde::Deserialize;

use super::ConfigError;

/// Less than the time in which a purchase is still asked about would erase what is needed to answer.
const LEAST_DAYS: u32 = 90;
const MOST_DAYS: u32 = 36_500;

/// How long what is kept of people stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSection {
    /// Days after the last change of a record that is over, after which what Brex sent, the plan and the details in the trail are
    /// erased; none = never.
    pub erase_after_days: Option<u32>,
}

impl RetentionSection {
    /// What is watched for changes is still needed.
    pub(super) fn check(&self, key: &dyn Fn(&str) -> String, watched_days: u32) -> Result<(), ConfigError> {
        match self.erase_after_days {
            Some(days) if days <= watched_days => {
                let text = format!("must be more than drift.days ({watched_days}): what is watched is still needed");
                Err(ConfigError::value(key("retention.erase_after_days"), text))
            }
            None | Some(LEAST_DAYS..=MOST_DAYS) => Ok(()),
            Some(_) => {
                let text =
                    format!("must be {LEAST_DAYS} to {MOST_DAYS}, or left out: then everything is kept for good");
                Err(ConfigError::value(key("retention.erase_after_days"), text))
            }
        }
    }
}
