//! Push subscriptions of an environment. Business Central shakes hands with the address while a subscription is made or
//! renewed, and forgets it three days later.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_subscriptions>

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::odata::{Filter, Literal, Query};
use super::{Client, Company, Pages, asked, failure};
use crate::call::Call;
use crate::error::Error;
use crate::kind::{Access, System};
use crate::wire::{instant_or_none, or_default};

/// How many there can be in an environment; operational limits of Business Central online.
pub const MAX_SUBSCRIPTIONS: usize = 200;

/// A subscription as the environment lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The id: a text, not a GUID.
    #[serde(rename = "subscriptionId")]
    pub id: String,
    /// Its version; a renewal has to name it.
    #[serde(default, rename = "@odata.etag", deserialize_with = "or_default")]
    pub etag: String,
    /// Where it delivers to.
    #[serde(default, deserialize_with = "or_default")]
    pub notification_url: String,
    /// What it tells about.
    #[serde(default, deserialize_with = "or_default")]
    pub resource: String,
    /// What its notifications carry; none if the environment does not show it.
    #[serde(default)]
    pub client_state: Option<SecretString>,
    /// After this it is gone.
    #[serde(default, rename = "expirationDateTime", deserialize_with = "instant_or_none")]
    pub expires: Option<Timestamp>,
}

/// A subscription to make, or what to renew one as.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Where to deliver to; https only.
    pub notification_url: Url,
    /// The entity set, such as `vendors`.
    pub set: &'static str,
    /// What notifications are to carry.
    pub client_state: SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    notification_url: &'a Url,
    resource: String,
    client_state: &'a str,
}

impl Client {
    /// All subscriptions that the app can see, those of other companies included.
    pub async fn list_subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        const OPERATION: &str = "list_subscriptions";
        let url = self.url(asked(OPERATION, Access::Read), &["subscriptions"])?;
        Pages::new(self.clone(), Call::get(System::BusinessCentral, OPERATION, url)).all().await
    }

    /// Ends a subscription. That it is already gone counts as ended.
    pub async fn delete_subscription(&self, id: &str, etag: &str) -> Result<(), Error> {
        let call = self.of_subscription("delete_subscription", Method::DELETE, id)?.header_text("if-match", etag)?;
        match self.send(call).await {
            Err(error) if !failure::is_absent(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn of_subscription(&self, operation: &'static str, method: Method, id: &str) -> Result<Call, Error> {
        let url =
            self.url(asked(operation, Access::Write), &[&format!("subscriptions('{}')", id.replace('\'', "''"))])?;
        Ok(Call::write(System::BusinessCentral, operation, method, url))
    }
}

impl Company {
    /// The resource of a set of this company, as subscriptions name it.
    pub fn resource(&self, set: &str) -> String {
        format!("/api/v2.0/companies({})/{set}", self.id)
    }

    /// The sets of API v2.0 that can be subscribed to in this company.
    pub async fn list_webhook_resources(&self) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "list_webhook_resources";
        #[derive(Deserialize)]
        struct Row {
            #[serde(default, deserialize_with = "or_default")]
            resource: String,
        }
        let company = format!("companies({})", self.id);
        let segments = ["api", "microsoft", "runtime", "beta", &company, "webhookSupportedResources"];
        let mut url = self.client.environment_url(asked(OPERATION, Access::Read), &segments)?;
        let filter = Filter::equals("resource", &Literal::Text("v2.0*".to_owned()));
        url.set_query(Some(Query::default().filter(Some(&filter)).as_str()));
        let rows: Vec<Row> =
            Pages::new(self.client.clone(), Call::get(System::BusinessCentral, OPERATION, url)).all().await?;
        Ok(rows.iter().filter_map(|row| row.resource.strip_prefix("v2.0/").map(str::to_owned)).collect())
    }

    /// Makes a subscription. There is no key that would make a repeat harmless: after an unclear answer, list.
    pub async fn create_subscription(&self, new: &NewSubscription) -> Result<Subscription, Error> {
        const OPERATION: &str = "create_subscription";
        let url = self.client.url(asked(OPERATION, Access::Write), &["subscriptions"])?;
        let call = Call::write(System::BusinessCentral, OPERATION, Method::POST, url).json(&self.body(new))?;
        self.client.send(call.hiding(new.client_state.clone())).await?.json()
    }

    /// Renews a subscription as `new` says: another address or client state takes effect with it. Nothing if it is gone.
    pub async fn renew_subscription(
        &self,
        id: &str,
        etag: &str,
        new: &NewSubscription,
    ) -> Result<Option<Subscription>, Error> {
        let call =
            self.client.of_subscription("renew_subscription", Method::PATCH, id)?.hiding(new.client_state.clone());
        self.find_row(call.header_text("if-match", etag)?.json(&self.body(new))?).await
    }

    fn body<'a>(&self, new: &'a NewSubscription) -> Body<'a> {
        Body {
            notification_url: &new.notification_url,
            resource: self.resource(new.set),
            client_state: new.client_state.expose_secret(),
        }
    }
}
