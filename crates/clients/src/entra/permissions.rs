//! What a token permits, as far as it tells.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// The permission that the connector needs.
pub const NEEDED: &str = "API.ReadWrite.All";
/// A permission to administer environments, which the connector does not need.
pub const NOT_NEEDED: &str = "Automation.ReadWrite.All";

/// The application permissions of a token: its claim `roles`. None if it is no token that can be read. Its signature is not
/// checked: this is for words to people, nothing is decided by it.
/// <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>
pub fn permissions_of(token: &SecretString) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Claims {
        roles: Vec<String>,
    }
    let claims = token.expose_secret().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice(&claims).ok().map(|Claims { roles }| roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_read_and_what_is_no_token_says_nothing() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"roles":["API.ReadWrite.All"],"tid":"x"}"#);
        let token = SecretString::from(format!("header.{claims}.signature"));
        assert_eq!(permissions_of(&token), Some(vec![NEEDED.to_owned()]));
        for strange in ["", "opaque", "a.b.c", "a.e30.c"] {
            assert_eq!(permissions_of(&SecretString::from(strange)), None, "{strange}");
        }
    }
}
