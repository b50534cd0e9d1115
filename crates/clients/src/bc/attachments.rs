//! Files on purchase documents, as users see them in the Attachments pane. A file is made in two steps: the entry, then
//! its bytes.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_documentattachment>

use std::path::Path;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::new_document::DocumentKind;
use super::odata::{Filter, Literal, Query};
use super::{Company, Pages};
use crate::call::CREATE_TIMEOUT;
use crate::error::Error;
use crate::wire::or_default;

/// A file on a document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// The id.
    pub id: Uuid,
    /// The name of the file.
    #[serde(default, deserialize_with = "or_default")]
    pub file_name: String,
    /// The size in bytes; zero until the bytes have been sent.
    #[serde(default, deserialize_with = "or_default")]
    pub byte_size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewAttachment<'a> {
    file_name: &'a str,
    parent_type: &'static str,
    parent_id: Uuid,
}

impl DocumentKind {
    const fn parent_type(self) -> &'static str {
        match self {
            Self::Invoice => "Purchase_x0020_Invoice",
            Self::CreditMemo => "Purchase_x0020_Credit_x0020_Memo",
        }
    }
}

impl Company {
    /// The files on a document.
    pub fn list_attachments(&self, kind: DocumentKind, document_id: Uuid) -> Result<Pages<Attachment>, Error> {
        let parent = Filter::equals("parentId", &Literal::Id(document_id));
        let parent_type = Filter::equals("parentType", &Literal::Text(kind.parent_type().to_owned()));
        let query = Query::default().filter(Some(&parent.and(&parent_type)));
        self.pages("list_attachments", &["documentAttachments"], &query)
    }

    /// Makes the entry of a file, still without bytes.
    pub async fn create_attachment(
        &self,
        kind: DocumentKind,
        document_id: Uuid,
        file_name: &str,
    ) -> Result<Attachment, Error> {
        let entry = NewAttachment { file_name, parent_type: kind.parent_type(), parent_id: document_id };
        let call = self.write("create_attachment", Method::POST, &["documentAttachments"])?.json(&entry)?;
        self.client.send(call).await?.json()
    }

    /// Sends a file of `bytes` bytes as the content, replacing what is there: sending the same again changes nothing.
    pub async fn set_attachment_content(&self, attachment_id: Uuid, file: &Path, bytes: u64) -> Result<(), Error> {
        let entry = format!("documentAttachments({attachment_id})");
        let call = self
            .write("set_attachment_content", Method::PATCH, &[&entry, "attachmentContent"])?
            .header("if-match", "*")
            .timeout(CREATE_TIMEOUT)
            .file(file, bytes);
        self.client.send(call).await?;
        Ok(())
    }
}
