//! Who may do what in the console, the admin API and (by the person's own word) on the command line.

use serde::{Deserialize, Serialize};

/// What a person is to the connector. Each may do all that those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works: retries and skips records, answers about vendors, matches transfers.
    Bookkeeper,
    /// Approves what somebody else proposed.
    Approver,
    /// Looks after users, connections and keys.
    Admin,
}

/// What an action asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To look.
    Read,
    /// To decide about records, vendors and transfers.
    Work,
    /// To approve what another person proposed.
    Approve,
    /// To change who may do what, and how the systems are joined.
    Administer,
}

impl Role {
    /// Every role, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Bookkeeper, Self::Approver, Self::Admin];

    /// Stable name, as stored and as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Bookkeeper => "bookkeeper",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role may do what asks for `need`: the one place where this is decided.
    pub fn may(self, need: Need) -> bool {
        let least = match need {
            Need::Read => Self::Viewer,
            Need::Work => Self::Bookkeeper,
            Need::Approve => Self::Approver,
            Need::Administer => Self::Admin,
        };
        self >= least
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Longest name of a user.
const NAME_MAX: usize = 60;

/// A user's name as it is stored: lower case, without space around it. None if it cannot be a name: 1 to 60 letters, digits
/// and `. _ - @ +`, so that an address fits and nothing needs escaping in a trail or a log.
pub fn user_name(typed: &str) -> Option<String> {
    let name = typed.trim().to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    (!name.is_empty() && name.len() <= NAME_MAX && name.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Need, Role, user_name};

    #[test]
    fn each_role_may_what_those_before_it_may_and_one_thing_more() {
        let needs = [Need::Read, Need::Work, Need::Approve, Need::Administer];
        for (place, role) in Role::ALL.into_iter().enumerate() {
            let may: Vec<bool> = needs.into_iter().map(|need| role.may(need)).collect();
            assert_eq!(may, (0..4).map(|need| need <= place).collect::<Vec<_>>(), "{role}");
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }

    #[test]
    fn names_are_lower_case_and_hold_nothing_that_needs_escaping() {
        assert_eq!(user_name(" Kim@Example.COM "), Some("kim@example.com".to_owned()));
        for bad in ["", " ", "a b", "<b>", "käthe", "a\nb", &"x".repeat(61)] {
            assert_eq!(user_name(bad), None, "{bad:?}");
        }
    }
}
