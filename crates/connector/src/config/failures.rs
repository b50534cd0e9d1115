//! `[connection.failures]`: whether Brex is told why a record cannot be booked.

use domain::failure::is_definite;
use domain::hold::HoldCode;
use serde::Deserialize;

use super::ConfigError;

/// Which holds Brex is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reported {
    /// None.
    #[default]
    Never,
    /// Those that only a person can clear, of records that certainly have no document.
    Definite,
}

/// Telling Brex. Off unless switched on, since a record that was told of has to be exported again by a person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailuresSection {
    /// Which holds are told.
    pub report: Reported,
    /// Only these; empty means all.
    pub codes: Vec<HoldCode>,
    /// How long a hold must stand before it is told.
    pub after_hours: u32,
}

impl FailuresSection {
    /// Whether Brex is told anything.
    pub fn is_on(&self) -> bool {
        self.report == Reported::Definite
    }

    /// Whether Brex is told of holds with this code.
    pub fn tells(&self, code: HoldCode) -> bool {
        self.is_on() && is_definite(code) && (self.codes.is_empty() || self.codes.contains(&code))
    }

    /// How long a hold must stand, in milliseconds.
    pub fn after_ms(&self) -> i64 {
        i64::from(self.after_hours) * 60 * 60 * 1_000
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(code) = self.codes.iter().find(|code| !is_definite(**code)) {
            let problem = format!("names {code}, which is never reported (docs/failures.md)");
            return Err(ConfigError::value(key("failures.codes"), problem));
        }
        match self.after_hours {
            0..=8_760 => Ok(()),
            _ => Err(ConfigError::value(key("failures.after_hours"), "must be 0 to 8760")),
        }
    }
}
