//! What a notification says: that something changed, and where. It is only a hint; whatever it names is fetched before
//! anything is done with it, and never from an address that it gives.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/dynamics-subscriptions>

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::wire::{open_enum, or_default};

open_enum! {
    /// What happened to the row.
    #[derive(Deserialize)]
    #[serde(from = "String")]
    pub enum ChangeType {
        /// It is new.
        Created = "created",
        /// It was changed.
        Updated = "updated",
        /// It is gone.
        Deleted = "deleted",
        /// More changes than are told one by one.
        Collection = "collection",
    }
}

/// A row, or a whole set, of a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The company.
    pub company: Uuid,
    /// The entity set, such as `vendors`.
    pub set: String,
    /// The row; none if the whole set is meant.
    pub row: Option<Uuid>,
    /// Whether only a part of the set is meant. Business Central leaves the filter out when something was deleted.
    pub is_filtered: bool,
}

/// One notification. Nothing in it is to be trusted before its client state was compared.
#[derive(Clone, Debug)]
pub struct Notification {
    /// The subscription.
    pub subscription_id: String,
    /// The only thing that the sender and we alone know.
    pub client_state: SecretString,
    /// What changed, as it was sent.
    pub resource: String,
    /// What happened.
    pub change: ChangeType,
    /// When, as it was sent: part of what makes a notification the same one when it comes again.
    pub modified: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "or_default")]
    subscription_id: String,
    client_state: SecretString,
    resource: String,
    change_type: ChangeType,
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "or_default")]
    modified: String,
}

/// The payload cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the notification cannot be read")]
pub struct NotificationError(#[from] serde_json::Error);

impl Notification {
    /// Reads a payload; the second part is how many entries in it cannot be read. Versions before 19 sent a byte order mark.
    pub fn list(body: &[u8]) -> Result<(Vec<Self>, usize), NotificationError> {
        #[derive(Deserialize)]
        struct Payload<'a> {
            #[serde(borrow)]
            value: Vec<&'a RawValue>,
        }
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let Payload { value } = serde_json::from_slice(body)?;
        let read: Vec<Entry> = value.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect();
        let unreadable = value.len().saturating_sub(read.len());
        Ok((read.into_iter().map(Self::of).collect(), unreadable))
    }

    fn of(entry: Entry) -> Self {
        let Entry { subscription_id, client_state, resource, change_type, modified } = entry;
        Self { subscription_id, client_state, resource, change: change_type, modified }
    }
}

impl Resource {
    /// Reads `api/v2.0/companies(GUID)/set(GUID)`, with or without a slash in front, the row, or a filter behind. Anything
    /// else, an address on some host above all, is none.
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.strip_prefix('/').unwrap_or(text);
        let path = path.strip_prefix("api/v2.0/").unwrap_or(path);
        let (path, filter) = path.split_once('?').map_or((path, None), |(path, filter)| (path, Some(filter)));
        let (company, rest) = path.strip_prefix("companies(")?.split_once(")/")?;
        let (set, row) = match rest.split_once('(') {
            None => (rest, None),
            Some((set, row)) => (set, Some(Uuid::try_parse(row.strip_suffix(')')?).ok()?)),
        };
        let is_name = !set.is_empty() && set.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then_some(())?;
        Some(Self {
            company: Uuid::try_parse(company).ok()?,
            set: set.to_owned(),
            row,
            is_filtered: filter.is_some_and(|filter| !filter.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const COMPANY: &str = "f64eba74-dacd-4854-a584-1834f68cfc3a";
    const ROW: &str = "5d115c9c-44e3-ea11-bb43-000d3a2feca1";

    #[test]
    fn a_resource_is_read_with_and_without_the_slash_and_never_as_an_address() {
        for before in ["", "/", "api/v2.0/", "/api/v2.0/"] {
            let read = Resource::parse(&format!("{before}companies({COMPANY})/vendors({ROW})")).unwrap();
            assert_eq!((read.set.as_str(), read.row), ("vendors", ROW.parse().ok()));
        }
        for hostile in [
            format!("https://169.254.169.254/api/v2.0/companies({COMPANY})/vendors({ROW})"),
            format!("//evil.example/companies({COMPANY})/vendors({ROW})"),
            format!("companies({COMPANY})/vendors({ROW})/../../x"),
            format!("companies({COMPANY})/ven%2Fdors"),
            format!("companies({COMPANY})/"),
            format!("companies(x)/vendors({ROW})"),
        ] {
            assert_eq!(Resource::parse(&hostile), None, "{hostile}");
        }
    }

    #[test]
    fn a_collection_tells_by_its_filter_whether_something_was_deleted() {
        let set = format!("/api/v2.0/companies({COMPANY})/purchaseInvoices");
        let filtered = format!("{set}?$filter=lastModifiedDateTime%20gt%202026-03-02T10:24:00.12Z");
        let read = [set, filtered].map(|text| Resource::parse(&text).unwrap());
        assert_eq!(read.map(|resource| (resource.row, resource.is_filtered)), [(None, false), (None, true)]);
    }

    #[test]
    fn an_entry_that_cannot_be_read_does_not_take_the_others_with_it() {
        let good = format!(
            r#"{{"subscriptionId":"s","clientState":"c","resource":"companies({COMPANY})/vendors({ROW})","changeType":"merged","lastModifiedDateTime":null,"new":1}}"#
        );
        let (read, unreadable) =
            Notification::list(format!("\u{feff}{{\"value\":[{good},{{}},7]}}").as_bytes()).unwrap();
        assert_eq!((read.len(), unreadable), (1, 2));
        assert_eq!(read[0].change, ChangeType::Other("merged".to_owned()));
        assert!(Notification::list(b"{\"value\":[").is_err());
    }
}
