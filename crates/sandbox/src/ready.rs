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
    /// The same as lines of `NAME='value'` for a shell: `. ./sandbox.env`.
    pub fn environment(&self) -> String {
        let service = format!("{}/v2.0/{}/{}/api/v2.0", self.bc.base_url, self.entra.tenant_id, self.bc.environment);
        let values = [
            ("BREX_URL", self.brex.base_url.clone()),
            ("BREX_TOKEN", self.brex.token.clone()),
            ("BREX_COMPANY_ID", self.brex.company_id.clone()),
            ("BREX_WEBHOOK_SECRET", self.brex.webhook_secret.clone()),
            ("ENTRA_URL", self.entra.base_url.clone()),
            ("ENTRA_TENANT_ID", self.entra.tenant_id.to_string()),
            ("ENTRA_CLIENT_ID", self.entra.client_id.to_string()),
            ("ENTRA_CLIENT_SECRET", self.entra.client_secret.clone()),
            ("BC_URL", self.bc.base_url.clone()),
            ("BC_ENVIRONMENT", self.bc.environment.clone()),
            ("BC_COMPANY_ID", self.bc.company_id.to_string()),
            ("BC_COMPANY_NAME", self.bc.company_name.clone()),
            ("BC_API", service.clone()),
            ("BC_COMPANY", format!("{service}/companies({})", self.bc.company_id)),
            ("CONTROL_URL", self.control.base_url.clone()),
        ];
        let line = |(name, value): (&str, String)| format!("{name}='{}'\n", value.replace('\'', "'\\''"));
        values.into_iter().map(line).collect()
    }

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
