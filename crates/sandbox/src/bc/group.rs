//! API groups: each route below `/api/` with its sets. `$metadata`, `$batch` and `subscriptions` exist in every group.

use super::sets::{self, EntitySet};

/// Publisher, group and version, and the sets that answer below them.
pub(crate) struct Group {
    /// `v2.0`, `microsoft/reportsFinance/beta`
    pub(crate) path: &'static str,
    /// The set of a name directly below the company.
    pub(crate) set: fn(&str) -> Option<&'static dyn EntitySet>,
}

/// API v2.0 itself.
pub(crate) static V2: Group = Group { path: "v2.0", set: sets::top_level };
/// Reports of finance, as API queries.
static REPORTS_FINANCE: Group = Group { path: "microsoft/reportsFinance/beta", set: sets::reports_finance };
/// What the platform says about itself.
static RUNTIME: Group = Group { path: "microsoft/runtime/beta", set: sets::runtime };
/// For setting up companies; it shows the companies and nothing else here.
static AUTOMATION: Group = Group { path: "microsoft/automation/v2.0", set: sets::nothing };

static GROUPS: [&Group; 4] = [&V2, &REPORTS_FINANCE, &RUNTIME, &AUTOMATION];

/// Splits what follows `/api/` into the group and the rest; none if there is no such group.
pub(crate) fn split(path: &str) -> Option<(&'static Group, &str)> {
    GROUPS.iter().find_map(|group| {
        let rest = path.strip_prefix(group.path)?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
        Some((*group, rest))
    })
}

impl std::fmt::Debug for Group {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_group_is_a_whole_prefix() {
        let parts = |path| split(path).map(|(group, rest)| (group.path, rest));
        assert_eq!(parts("v2.0/companies"), Some(("v2.0", "companies")));
        assert_eq!(parts("microsoft/runtime/beta"), Some(("microsoft/runtime/beta", "")));
        assert_eq!(parts("v2.01/companies"), None);
        assert_eq!(parts("contoso/runtime/beta/companies"), None);
    }
}
