//! Who is at the console and the admin API: passwords, invitations, sessions and tokens. What a role may do is decided in
//! `domain::access`.

mod attempts;
mod microsoft;
mod password;
pub mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use domain::access::{Role, user_name};
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Session, SignedInWith, Store, User, UserChange, UserRefusal};

use crate::app::App;
use crate::clock::Chance;
use attempts::Attempts;
pub use microsoft::{BACK, Microsoft, Recognised, trip_token};
pub use password::{PasswordProblem, check as check_password};

/// A session ends so long after it was last used…
const IDLE_MS: i64 = 8 * 3_600_000;
/// …and so long after its person signed in.
const LONGEST_MS: i64 = 24 * 3_600_000;
/// The use of a session is noted no more often than this.
const NOTE_EVERY_MS: i64 = 60_000;
/// An invitation is good for so long.
const INVITATION_MS: i64 = 24 * 3_600_000;

/// Signs people in and knows who they are.
pub struct Access {
    app: Arc<App>,
    attempts: Mutex<Attempts>,
}

/// How an attempt to sign in ended. It cannot be printed, since it may hold a session.
pub enum SignIn {
    /// With this session.
    Granted(String),
    /// The name or the password is wrong, or the user is disabled: nobody is told which.
    Wrong,
    /// Too many failures under this name; minutes until the next try.
    Blocked(i64),
}

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is none to be used.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The invitation was used, replaced, or is too old.
    #[error(
        "this link was used already, was replaced by a newer one, or is older than a day: ask an admin for a new one"
    )]
    Gone,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Access {
    /// Access to this process.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, attempts: Mutex::default() }
    }

    /// Checks name and password and starts a session.
    pub async fn sign_in(&self, typed: &str, password: &str) -> Result<SignIn, store::Error> {
        let now_ms = self.app.now_ms();
        // What cannot be a name is nobody's.
        let name = user_name(typed).unwrap_or_default();
        if let Some(minutes) = self.lock().blocked_minutes(&name, now_ms) {
            return Ok(SignIn::Blocked(minutes));
        }
        let user = self.app.store.users().get(&name).await?;
        let hash = user.filter(|user| user.disabled_ms.is_none()).and_then(|user| user.password);
        if !password::matches(hash, password.to_owned()).await {
            let is_last = self.lock().failed(&name, now_ms);
            self.note_failure(&name, is_last).await?;
            return Ok(SignIn::Wrong);
        }
        let started = self.start_session(&name, SignedInWith::Password).await?;
        self.lock().succeeded(&name);
        Ok(started.map_or(SignIn::Wrong, SignIn::Granted))
    }

    /// Starts a session of a user, unless the user was disabled meanwhile: what the browser holds of it.
    async fn start_session(&self, name: &str, with: SignedInWith) -> Result<Option<String>, store::Error> {
        let (token, now_ms) = (token(&self.app.chance), self.app.now_ms());
        let sessions = self.app.store.sessions();
        let started = sessions.start(&hash_of(&token), name, with, now_ms, now_ms + IDLE_MS).await?;
        Ok(started.then_some(token))
    }

    /// Whose session this is, if it holds. It is put off its end only if it is used.
    pub async fn session(&self, token: &str, is_used: bool) -> Result<Option<Session>, store::Error> {
        let (now_ms, hash) = (self.app.now_ms(), hash_of(token));
        let sessions = self.app.store.sessions();
        let Some(session) = sessions.find(&hash, now_ms).await? else { return Ok(None) };
        let end_ms = session.created_ms.saturating_add(LONGEST_MS);
        if now_ms >= end_ms {
            return Ok(None);
        }
        if is_used && now_ms - session.seen_ms >= NOTE_EVERY_MS {
            sessions.touch(&hash, now_ms, end_ms.min(now_ms + IDLE_MS)).await?;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    pub async fn sign_out(&self, token: &str, user: &str) -> Result<(), store::Error> {
        self.app.store.sessions().end(&hash_of(token), user, self.app.now_ms()).await
    }

    /// Whose invitation this is.
    pub async fn invited(&self, token: &str) -> Result<Option<String>, store::Error> {
        self.app.store.users().invited(&hash_of(token), self.app.now_ms()).await
    }

    /// Sets the password of whoever was invited, and says who that is.
    pub async fn accept(&self, token: &str, password: &str) -> Result<String, AcceptError> {
        let name = self.invited(token).await?.ok_or(AcceptError::Gone)?;
        check_password(&name, password)?;
        let hashed = password::hash(&self.app.chance, password.to_owned()).await;
        let set = self.app.store.users().accept(&hash_of(token), &hashed, self.app.now_ms()).await?;
        set.ok_or(AcceptError::Gone)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that belongs to nobody is not written down: people type passwords there.
    async fn note_failure(&self, name: &str, is_last: bool) -> Result<(), store::Error> {
        let known = self.app.store.users().get(name).await?.is_some();
        let subject = if known { format!("user {name}") } else { "user (unknown)".to_owned() };
        let note = Note {
            action: "sign_in_failed".to_owned(),
            subject,
            before: None,
            after: None,
            detail: json!({ "blocked": is_last }),
        };
        let (app, here) = (&self.app, ConnectionId::installation());
        app.store.audit().append_unleased(&here, app.now_ms(), &app.actor(), &[note]).await
    }
}

/// Invites a user, who is added if need be, and returns the token that only this answer holds.
pub async fn invite(
    store: &Store,
    chance: &Chance,
    name: &str,
    role: Option<Role>,
    now_ms: i64,
    actor: &Actor,
) -> Result<Result<String, UserRefusal>, store::Error> {
    let users = store.users();
    if let Some(role) = role
        && let Err(refusal) = users.change(name, &UserChange::Add(role), now_ms, actor).await?
    {
        return Ok(Err(refusal));
    }
    let token = token(chance);
    let invitation = UserChange::Invite { token_hash: hash_of(&token), expires_ms: now_ms + INVITATION_MS };
    Ok(users.change(name, &invitation, now_ms, actor).await?.map(|()| token))
}

/// Whether somebody has a password or an account, and may use it.
pub async fn can_anybody_sign_in(app: &App) -> Result<bool, store::Error> {
    let users = app.store.users().list().await?;
    Ok(users.iter().any(|user| stands(user) == "may sign in"))
}

/// How a user stands, as people read it.
pub fn stands(user: &User) -> &'static str {
    match (user.disabled_ms, user.password.is_some() || user.microsoft.is_some()) {
        (Some(_), _) => "disabled",
        (None, true) => "may sign in",
        (None, false) => "invited",
    }
}

/// While nobody can sign in, the first admin is invited at each start: whoever sees the terminal may set the password.
pub async fn invite_first_admin(app: &App) -> Result<Option<String>, store::Error> {
    const FIRST: &str = "admin";
    if can_anybody_sign_in(app).await? {
        return Ok(None);
    }
    let users = app.store.users().list().await?;
    let role = users.iter().all(|user| user.name != FIRST).then_some(Role::Admin);
    let invited = invite(&app.store, &app.chance, FIRST, role, app.now_ms(), &app.actor()).await?;
    Ok(invited.ok())
}

/// What a form of this session has to carry: another site cannot know it.
pub fn form_token(session_token: &str) -> String {
    hash_of(&format!("form {session_token}"))
}

/// 256 random bits as text.
fn token(chance: &Chance) -> String {
    format!("{}{}", chance.token(), chance.token())
}

fn hash_of(token: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}
