//! What can be switched at Entra ID: policies of a directory, and what differs between its versions.

use serde::{Deserialize, Serialize};

/// The switches of Entra ID. The defaults are those of a new directory today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long tokens live, by a token lifetime policy: 10 minutes to a day. Without one, 60 to 90 minutes at random.
    pub lifetime_seconds: Option<u32>,
    /// Whether the app's secret has expired.
    pub secret_expired: bool,
    /// What stands between the sentence of an error and its ids.
    pub description: Description,
    /// `error` of AADSTS90002.
    pub unknown_tenant: UnknownTenant,
    /// What a request without secret and assertion is answered with.
    pub no_credential: NoCredential,
    /// What a scope without `/.default` is answered with.
    pub wrong_scope: WrongScope,
    /// Whether there is a second directory, and whether it knows the app.
    pub other_tenant: OtherTenant,
    /// The application permissions that an administrator consented to; tokens carry them as the claim `roles`.
    pub roles: Vec<String>,
    /// What is wrong with the id tokens of people who sign in.
    pub id_token: IdToken,
}

/// What is wrong with an id token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdToken {
    /// Nothing.
    Right,
    /// The key that signed it is not the one that it names.
    SignedByAnother,
    /// Nobody signed it (`alg` is `none`).
    Unsigned,
    /// It is for another app.
    ForOtherApp,
    /// Another authority issued it.
    OfOtherIssuer,
    /// The person is of another directory.
    OfOtherTenant,
    /// It answers another request.
    WithOtherNonce,
    /// Its time is over.
    Expired,
}

/// What stands between the sentence of an error and its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Description {
    /// Single spaces, since about 2024.
    Spaces,
    /// `\r\n`, before.
    Lines,
}

/// `error` of AADSTS90002.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTenant {
    /// Now.
    InvalidRequest,
    /// Before.
    InvalidTenant,
}

/// What a request without secret and assertion is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoCredential {
    /// AADSTS900144, as any other parameter that is missing.
    MissingParameter,
    /// AADSTS7000216, as reported by users of this grant.
    NotAuthenticated,
}

/// What a scope without `/.default` is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongScope {
    /// AADSTS70011
    NotValid,
    /// AADSTS1002012, as reported by users of this grant since about 2021.
    NotDefault,
}

/// The second directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherTenant {
    /// There is none.
    Absent,
    /// There is one, and the app was never consented to in it.
    WithoutApp,
    /// It gives the app tokens, which open nothing in the first.
    WithApp,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime_seconds: None,
            secret_expired: false,
            description: Description::Spaces,
            unknown_tenant: UnknownTenant::InvalidRequest,
            no_credential: NoCredential::MissingParameter,
            wrong_scope: WrongScope::NotValid,
            other_tenant: OtherTenant::Absent,
            roles: vec!["API.ReadWrite.All".to_owned()],
            id_token: IdToken::Right,
        }
    }
}
