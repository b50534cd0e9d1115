//! Passwords: what one has to be, and Argon2id over it, away from the threads that answer.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::clock::Chance;

/// Fewest characters.
const SHORTEST: usize = 12;
/// Most bytes: what is longer only costs time.
const LONGEST: usize = 256;
/// Hashes at once: each takes 19 MiB.
static ROOM: Semaphore = Semaphore::const_new(2);
/// Compared with when there is no such user, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hashed("nobody has this password", [7; 16]));

/// Why a password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Too short.
    #[error("a password has at least 12 characters")]
    Short,
    /// Too long.
    #[error("a password has at most 256 bytes")]
    Long,
    /// The name, or one character over and over.
    #[error("a password is neither your name nor one character repeated")]
    Plain,
}

/// Whether this may be the user's password. Length is what counts, not which kinds of characters there are.
pub fn check(name: &str, password: &str) -> Result<(), PasswordProblem> {
    let first = password.chars().next();
    if password.chars().count() < SHORTEST {
        Err(PasswordProblem::Short)
    } else if password.len() > LONGEST {
        Err(PasswordProblem::Long)
    } else if password.eq_ignore_ascii_case(name) || password.chars().all(|c| Some(c) == first) {
        Err(PasswordProblem::Plain)
    } else {
        Ok(())
    }
}

/// The Argon2id text to keep.
pub(super) async fn hash(chance: &Chance, password: String) -> String {
    let mut salt = [0; 16];
    for half in salt.chunks_exact_mut(8) {
        half.copy_from_slice(&chance.next().to_le_bytes());
    }
    away(move || hashed(&password, salt)).await.unwrap_or_default()
}

/// Whether the password is the one that was kept. Takes as long if there is none.
pub(super) async fn matches(kept: Option<String>, password: String) -> bool {
    let compared = away(move || {
        let text = kept.as_deref().unwrap_or(&NOBODY);
        let is_it = PasswordHash::new(text)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        is_it && kept.is_some()
    });
    compared.await.unwrap_or(false)
}

/// Runs on a thread of its own when there is room; none if that thread was lost.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _room = ROOM.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

/// An empty text matches nothing; it comes only if Argon2 cannot have its memory.
fn hashed(password: &str, salt: [u8; 16]) -> String {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash: PasswordHash| hash.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{PasswordProblem, check, hash, matches};
    use crate::clock::Chance;

    #[tokio::test]
    async fn a_password_matches_its_own_text_and_nothing_else() {
        let kept = hash(&Chance::seeded(1), "correct horse battery".to_owned()).await;
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(matches(Some(kept.clone()), "correct horse battery".to_owned()).await);
        assert!(!matches(Some(kept), "correct horse batterz".to_owned()).await);
        assert!(!matches(None, "nobody has this password".to_owned()).await);
        assert!(!matches(Some(String::new()), String::new()).await);
    }

    #[test]
    fn short_long_and_plain_passwords_are_refused() {
        assert_eq!(check("ann", "käthe-und-max"), Ok(()));
        assert_eq!(check("ann", "elevenchars"), Err(PasswordProblem::Short));
        assert_eq!(check("ann", &"ab".repeat(129)), Err(PasswordProblem::Long));
        assert_eq!(check("ann.longname", "Ann.LongName"), Err(PasswordProblem::Plain));
        assert_eq!(check("ann", "aaaaaaaaaaaa"), Err(PasswordProblem::Plain));
    }
}
