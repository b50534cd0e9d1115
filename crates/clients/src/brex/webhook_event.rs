//! What a delivery says. It is only a hint: whatever it names is fetched before anything is done with it.

use serde::Deserialize;

/// An event of Brex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookEvent {
    /// Records are ready for export.
    RecordsReady {
        /// Their ids.
        record_ids: Vec<String>,
        /// The company.
        company_id: String,
    },
    /// A transfer, outgoing or incoming, was completed or failed.
    Transfer {
        /// Whether it was completed.
        processed: bool,
        /// Its id.
        transfer_id: String,
        /// Its kind, such as `ACH`; returns have kinds of their own.
        payment_type: Option<String>,
        /// The transfer that is returned.
        return_for_id: Option<String>,
        /// The company.
        company_id: String,
    },
    /// Something that this connector does not follow.
    Other {
        /// Its type.
        event_type: String,
        /// The company, if it is named.
        company_id: Option<String>,
    },
}

/// The body of a delivery cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the webhook delivery cannot be read")]
pub struct EventError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct EventType {
    #[serde(alias = "eventType")]
    event_type: String,
    #[serde(default, alias = "companyId")]
    company_id: Option<String>,
}

#[derive(Deserialize)]
struct RecordsReady {
    #[serde(alias = "accountingRecordIds")]
    accounting_record_ids: Vec<String>,
    #[serde(alias = "companyId")]
    company_id: String,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Transfer {
    #[serde(alias = "transferId")]
    transfer_id: String,
    #[serde(default, alias = "paymentType")]
    payment_type: Option<String>,
    #[serde(default, alias = "returnForId")]
    return_for_id: Option<String>,
    #[serde(alias = "companyId")]
    company_id: String,
}

impl WebhookEvent {
    /// Reads a verified body. Brex mixes snake case and camel case in one body; both are understood.
    pub fn from_json(body: &[u8]) -> Result<Self, EventError> {
        let EventType { event_type, company_id } = serde_json::from_slice(body)?;
        match event_type.as_str() {
            "ACCOUNTING_RECORD_READY_FOR_EXPORT" => {
                let RecordsReady { accounting_record_ids, company_id } = serde_json::from_slice(body)?;
                Ok(Self::RecordsReady { record_ids: accounting_record_ids, company_id })
            }
            "TRANSFER_PROCESSED" | "TRANSFER_FAILED" => {
                let Transfer { transfer_id, payment_type, return_for_id, company_id } = serde_json::from_slice(body)?;
                let processed = event_type == "TRANSFER_PROCESSED";
                Ok(Self::Transfer { processed, transfer_id, payment_type, return_for_id, company_id })
            }
            _ => Ok(Self::Other { event_type, company_id }),
        }
    }

    /// The company that the event is about, if it is named.
    pub fn company_id(&self) -> Option<&str> {
        match self {
            Self::RecordsReady { company_id, .. } | Self::Transfer { company_id, .. } => Some(company_id),
            Self::Other { company_id, .. } => company_id.as_deref(),
        }
    }
}
