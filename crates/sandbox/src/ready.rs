//! The ready line: where everything listens and how to log in.

use serde::Serialize;
use uuid::Uuid;

use crate::bc::ENVIRONMENT;
use crate::world::World;

/// Serialises to the one JSON line that `ml-sandbox` prints when it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// Brex.
    pub brex: BrexReady,
    /// Entra ID.
    pub entra: EntraReady,
    /// Business Central.
    pub bc: BcReady,
    /// The control port.
    pub control: ControlReady,
}

/// How to reach Brex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrexReady {
    /// Stands for `https://api.brex.com`.
    pub base_url: String,
    /// A user token.
    pub token: String,
    /// The Brex company.
    pub company_id: String,
    /// The secret that webhooks are signed with.
    pub webhook_secret: String,
}

/// How to reach the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntraReady {
    /// Stands for `https://login.microsoftonline.com`.
    pub base_url: String,
    /// The directory.
    pub tenant_id: Uuid,
    /// The app registration.
    pub client_id: Uuid,
    /// Its secret.
    pub client_secret: String,
}

/// How to reach Business Central.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BcReady {
    /// Stands for `https://api.businesscentral.dynamics.com`.
    pub base_url: String,
    /// Name of the only environment.
    pub environment: String,
    /// The only company.
    pub company_id: Uuid,
    /// Its name.
    pub company_name: String,
}

/// How to reach the control port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlReady {
    /// Every path below it begins with `/_sandbox/`.
    pub base_url: String,
}

impl Ready {
    /// The ready line of a world that listens on these addresses: Brex, Entra, Business Central, control.
    pub(crate) fn of(world: &World, base_urls: [String; 4]) -> Self {
        let [brex, entra, bc, control] = base_urls;
        Self {
            brex: BrexReady {
                base_url: brex,
                token: world.brex.token(),
                company_id: world.brex.company_id(),
                webhook_secret: world.brex.webhook_secret(),
            },
            entra: EntraReady {
                base_url: entra,
                tenant_id: world.entra.tenant_id(),
                client_id: world.entra.client_id(),
                client_secret: world.entra.client_secret(),
            },
            bc: BcReady {
                base_url: bc,
                environment: ENVIRONMENT.to_owned(),
                company_id: world.company.id,
                company_name: world.company.name.clone(),
            },
            control: ControlReady { base_url: control },
        }
    }
}
