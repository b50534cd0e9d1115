//! People who sign in with their Microsoft accounts. Who may come in and what each may do is decided here, by the users that an admin
//! added; Microsoft only says who somebody is.

use std::path::Path;

use clients::entra::{Identity, PeopleSignIn, Trip};
use clients::{Http, Pace};
use domain::access::user_name;
use secrecy::SecretString;
use store::SignedInWith;
use url::Url;

use super::{Access, hash_of};
use crate::app::BuildError;
use crate::clock::Chance;
use crate::config::MicrosoftSection;

/// Where Microsoft sends browsers back to, below the address of the console.
pub const BACK: &str = "/sign-in/microsoft/back";

/// Many people come in the morning.
const PACE: Pace = Pace { max_concurrent: 8, requests_per_second: 40 };

/// The app that people sign in to, and where the console is for their browsers.
#[derive(Clone, Debug)]
pub struct Microsoft {
    people: PeopleSignIn,
    redirect: Url,
}

/// Whether somebody whom Microsoft knows is one of ours. It cannot be printed, since it may hold a session.
pub enum Recognised {
    /// A user, with this session.
    Granted(String),
    /// No user, or none who may sign in, as Microsoft calls the person.
    Stranger(String),
}

impl Microsoft {
    /// The app of the configuration in this folder, for a console at this address.
    pub fn open(section: &MicrosoftSection, folder: &Path, address: &Url) -> Result<Self, BuildError> {
        let secret = section.read_secret(folder)?;
        let people =
            PeopleSignIn::new(Http::new(PACE)?, section.base_url.clone(), section.tenant, section.client_id, secret);
        let mut redirect = address.clone();
        redirect.set_path(BACK);
        Ok(Self { people, redirect })
    }

    /// The sign-in itself.
    pub fn people(&self) -> &PeopleSignIn {
        &self.people
    }

    /// The trip that a browser makes which holds this token: everything about it follows from the token, so that nothing is kept here
    /// and any process can take the browser back.
    pub fn trip(&self, token: &str) -> Trip {
        let of = |what: &str| hash_of(&format!("microsoft {what} {token}"));
        Trip {
            redirect: self.redirect.clone(),
            state: of("state"),
            nonce: of("nonce"),
            verifier: SecretString::from(of("verifier")),
        }
    }
}

/// What a browser holds while it is on its way.
pub fn trip_token(chance: &Chance) -> String {
    super::token(chance)
}

impl Access {
    /// Starts a session for somebody whom Microsoft has told us of. The first time the account is found by its name, and bound; from
    /// then on it is known by its id, since names are given away again.
    pub async fn recognise(&self, identity: &Identity) -> Result<Recognised, store::Error> {
        let (users, now_ms) = (self.app.store.users(), self.app.now_ms());
        let object = identity.object.to_string();
        let called = identity.user_name.clone().unwrap_or_default();
        let name = match users.of_microsoft(&object).await? {
            Some(user) => Some(user.name),
            None => match user_name(&called) {
                Some(name) => users.bind_microsoft(&name, &object, now_ms).await?.then_some(name),
                None => None,
            },
        };
        if let Some(name) = name
            && let Some(session) = self.start_session(&name, SignedInWith::Microsoft).await?
        {
            return Ok(Recognised::Granted(session));
        }
        self.note_failure(&user_name(&called).unwrap_or_default(), false).await?;
        Ok(Recognised::Stranger(called))
    }
}
