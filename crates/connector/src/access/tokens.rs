//! Tokens of the admin API: made by an admin, shown once, known by their hash. A token with a user counts as that user and
//! may never do more; one without is a service, which counts as nobody but itself and approves nothing.

use domain::access::{Role, user_name};
use domain::audit::Actor;
use domain::id::ConnectionId;
use store::{ApiToken, FoundToken, Store, TokenRefusal};
use subtle::ConstantTimeEq as _;

use super::{hash_of, token};
use crate::app::App;
use crate::clock::Chance;
use crate::clock::DAY_MS;

/// What each secret starts with, so that scanners of code and logs know one.
pub const PREFIX: &str = "mlc_";
/// Hex digits behind the prefix.
const DIGITS: usize = 64;
/// Days that a token is good for, unless told otherwise.
pub const DAYS: u16 = 90;
/// Most days.
pub const DAYS_MAX: u16 = 366;
/// What stands before the name of a service where the name of a person stands else. No user's name has a colon.
const SERVICE: &str = "service:";

/// A token as it is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the trail calls it; made up for a user's token if empty.
    pub name: String,
    /// The user that it counts as; empty for a service.
    pub user: String,
    /// What it may do at most.
    pub role: Role,
    /// The only connection that it may ask about.
    pub connection: Option<ConnectionId>,
    /// How many days it is good for.
    pub days: u16,
}

/// A token that was just made. It cannot be printed, since it holds the secret.
pub struct Made {
    /// The token.
    pub token: ApiToken,
    /// What its holder sends; nothing else ever shows it again.
    pub secret: String,
}

/// Why a token is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// Neither a name nor a user.
    #[error("say what the token is called, or whose it is")]
    Nameless,
    /// It cannot be a name.
    #[error("{0:?} cannot be a name: use 1 to 60 letters, digits, or any of . _ - @ +")]
    BadName(String),
    /// Too long, or not at all.
    #[error("a token is good for 1 to {DAYS_MAX} days")]
    Days,
    /// An approval is the word of a person.
    #[error("a service approves nothing: give it the role bookkeeper, or make it the token of a user")]
    ServiceApproves,
    /// It stands against what is stored.
    #[error("{0}")]
    Refused(#[from] TokenRefusal),
}

/// Makes a token, unless it must not be made.
pub async fn create(
    store: &Store,
    chance: &Chance,
    wanted: &Wanted,
    now_ms: i64,
    by: &str,
) -> Result<Result<Made, NotMade>, store::Error> {
    let token = match checked(wanted, chance, now_ms, by) {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
    };
    let secret = format!("{PREFIX}{}", self::token(chance));
    let created = store.api_tokens().create(&token, &hash_of(&secret), &Actor::Person(by.to_owned())).await?;
    Ok(created.map(|()| Made { token, secret }).map_err(NotMade::from))
}

fn checked(wanted: &Wanted, chance: &Chance, now_ms: i64, by: &str) -> Result<ApiToken, NotMade> {
    let name_of = |typed: &str| user_name(typed).ok_or_else(|| NotMade::BadName(typed.trim().to_owned()));
    let user = Some(wanted.user.as_str()).filter(|user| !user.trim().is_empty()).map(name_of).transpose()?;
    let name = match (&user, wanted.name.trim()) {
        (None, "") => return Err(NotMade::Nameless),
        (Some(user), "") => {
            // The end of a name is what tells two tokens of a user apart, so it is the start that gives way.
            let start: String = user.chars().take(50).collect();
            format!("{start}-{:06x}", chance.next() >> 40)
        }
        (_, typed) => name_of(typed)?,
    };
    if !(1..=DAYS_MAX).contains(&wanted.days) {
        return Err(NotMade::Days);
    }
    if user.is_none() && wanted.role == Role::Approver {
        return Err(NotMade::ServiceApproves);
    }
    Ok(ApiToken {
        name,
        user,
        role: wanted.role,
        connection: wanted.connection.clone(),
        created_by: by.to_owned(),
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(i64::from(wanted.days).saturating_mul(DAY_MS)),
        revoked_ms: None,
        used_day: None,
    })
}

/// Who holds a token that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The token's name.
    pub token: String,
    /// The user that it counts as; none for a service.
    pub user: Option<String>,
    /// What it may do now: no more than its user.
    pub role: Role,
    /// The only connection that it may ask about.
    pub connection: Option<ConnectionId>,
}

impl Holder {
    /// Who it counts as where two people are needed, and as whom it signs what it says: its user, or the service.
    pub fn person(&self) -> String {
        self.user.clone().unwrap_or_else(|| format!("{SERVICE}{}", self.token))
    }
}

/// Why a token may not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGood {
    /// Nobody was given it.
    Unknown,
    /// This one was, and it is over: its time, by an admin, or with its user.
    Over(String),
}

/// Whether a text looks like a secret at all.
pub fn is_secret(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a secret is known by.
pub fn fingerprint(secret: &str) -> String {
    hash_of(secret)
}

/// Who holds the token of this secret. Its use is noted once a day.
pub async fn holder(app: &App, secret: &str) -> Result<Result<Holder, NotGood>, store::Error> {
    let (now_ms, hash) = (app.now_ms(), hash_of(secret));
    let tokens = app.store.api_tokens();
    let found =
        tokens.find(&hash).await?.filter(|found| bool::from(found.token_hash.as_bytes().ct_eq(hash.as_bytes())));
    let Some(FoundToken { token, user_role, .. }) = found else { return Ok(Err(NotGood::Unknown)) };
    let role = match &token.user {
        Some(_) => user_role.map(|role| role.min(token.role)),
        None => Some(token.role),
    };
    let is_over = token.revoked_ms.is_some() || now_ms >= token.expires_ms;
    let Some(role) = role.filter(|_| !is_over) else { return Ok(Err(NotGood::Over(token.name))) };
    let today = now_ms.div_euclid(DAY_MS);
    if token.used_day != Some(today) {
        tokens.note_use(&token.name, today).await?;
    }
    Ok(Ok(Holder { token: token.name, user: token.user, role, connection: token.connection }))
}

/// How a token stands, in a word.
pub fn stands(token: &ApiToken, now_ms: i64) -> &'static str {
    if token.revoked_ms.is_some() {
        "revoked"
    } else if now_ms >= token.expires_ms {
        "expired"
    } else {
        "good"
    }
}

/// The day on which a token was last used, such as 2026-06-30 (UTC).
pub fn last_used(token: &ApiToken) -> Option<String> {
    token.used_day.map(|day| day_of(day.saturating_mul(DAY_MS)))
}

/// The day of a time, such as 2026-06-30 (UTC).
pub fn day_of(ms: i64) -> String {
    crate::clock::timestamp(ms).strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Holder, NotMade, Wanted, checked, is_secret};
    use crate::clock::Chance;
    use domain::access::Role;

    fn wanted(name: &str, user: &str, role: Role, days: u16) -> Wanted {
        Wanted { name: name.to_owned(), user: user.to_owned(), role, connection: None, days }
    }

    #[test]
    fn a_token_has_a_name_an_end_and_a_service_approves_nothing() {
        let chance = Chance::seeded(1);
        let check = |wanted: &Wanted| checked(wanted, &chance, 0, "kim");
        let made = check(&wanted("", "Ann@Example.com", Role::Approver, 366)).unwrap();
        assert!(made.name.starts_with("ann@example.com-"), "{}", made.name);
        assert_eq!((made.user.as_deref(), made.expires_ms), (Some("ann@example.com"), 366 * 86_400_000));
        let longest = check(&wanted("", &"a".repeat(60), Role::Viewer, 1)).unwrap();
        assert!(longest.name.len() <= 60);
        for (wanted, why) in [
            (wanted("", " ", Role::Viewer, 1), NotMade::Nameless),
            (wanted("a b", "", Role::Viewer, 1), NotMade::BadName("a b".to_owned())),
            (wanted("a", "", Role::Viewer, 0), NotMade::Days),
            (wanted("a", "", Role::Viewer, 367), NotMade::Days),
            (wanted("a", "", Role::Approver, 1), NotMade::ServiceApproves),
        ] {
            assert_eq!(check(&wanted), Err(why));
        }
        assert_eq!(check(&wanted("robot", "", Role::Admin, 1)).unwrap().user, None);
    }

    #[test]
    fn a_service_counts_as_nobody_who_could_be_a_user() {
        let holder = |user: Option<&str>| Holder {
            token: "ann".to_owned(),
            user: user.map(str::to_owned),
            role: Role::Admin,
            connection: None,
        };
        assert_eq!(holder(Some("ann")).person(), "ann");
        assert_eq!(holder(None).person(), "service:ann");
        assert_eq!(domain::access::user_name("service:ann"), None);
    }

    #[test]
    fn only_what_looks_like_a_secret_is_looked_for() {
        assert!(is_secret(&format!("mlc_{}", "0f".repeat(32))));
        for text in
            ["", "mlc_", &"0f".repeat(32), &format!("mlc_{}", "0F".repeat(32)), &format!("mlc_{}", "0f".repeat(33))]
        {
            assert!(!is_secret(text), "{text}");
        }
    }
}
