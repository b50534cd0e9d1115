//! Attachments: paper-clip files (`documentAttachments`) and incoming documents (`attachments`), with their contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::table::{Row, Table, Tables};
use super::upload::Upload;

/// What an attachment may hang below.
pub(crate) const PARENT_TYPES: &[&str] = &[
    "Job",
    "Sales_x0020_Order",
    "Sales_x0020_Quote",
    "Sales_x0020_Credit_x0020_Memo",
    "Sales_x0020_Invoice",
    "Customer_x0020_Statement",
    "Blanket_x0020_Sales_x0020_Order",
    "Sales_x0020_Return_x0020_Order",
    "Sales_x0020_Shipment",
    "Return_x0020_Receipt",
    "Sales_x0020_Archive_x0020_Quote",
    "Sales_x0020_Archive_x0020_Order",
    "Sales_x0020_Archive_x0020_Return",
    "Sales_x0020_Archive_x0020_Blanket_x0020_Order",
    "Purchase_x0020_Invoice",
    "Purchase_x0020_Order",
    "Purchase_x0020_Quote",
    "Purchase_x0020_Credit_x0020_Memo",
    "Blanket_x0020_Purchase_x0020_Order",
    "Purchase_x0020_Receipt",
    "Purchase_x0020_Return_x0020_Order",
    "Purch_x002E__x0020_Return_x0020_Shipment",
    "Purchase_x0020_Archive_x0020_Quote",
    "Purchase_x0020_Archive_x0020_Order",
    "Purchase_x0020_Archive_x0020_Return",
    "Purchase_x0020_Archive_x0020_Blanket_x0020_Order",
    "_x0020_",
    "Journal",
    "Employee",
    "Item",
    "Customer",
    "Vendor",
    "Assembly_x0020_Order",
    "Posted_x0020_Assembly_x0020_Order",
    "Transfer_x0020_Order",
    "Transfer_x0020_Shipment",
    "Transfer_x0020_Receipt",
    "Phys_x002E__x0020_Inventory_x0020_Order",
    "Posted_x0020_Phys_x002E__x0020_Inventory_x0020_Order",
    "Phys_x002E__x0020_Inventory_x0020_Recording",
    "Posted_x0020_Phys_x002E__x0020_Inventory_x0020_Recording",
    "Inventory_x0020_Shipment",
    "Inventory_x0020_Receipt",
    "Posted_x0020_Inventory_x0020_Shipment",
    "Posted_x0020_Inventory_x0020_Receipt",
    "Posted_x0020_Direct_x0020_Transfer",
];

/// An attachment with what is known of its contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    /// An incoming document, not a paper-clip file.
    pub(crate) incoming: bool,
    pub(crate) file_name: String,
    /// One of [`PARENT_TYPES`].
    pub(crate) parent_type: String,
    pub(crate) parent: Uuid,
    pub(crate) line_number: i64,
    pub(crate) flow_sales: bool,
    pub(crate) flow_purchase: bool,
    pub(crate) content: Upload,
}

/// All attachments.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Attachments {
    rows: Table<Attachment>,
    /// By parent; made again when a state is restored.
    #[serde(skip)]
    below: Arc<BTreeMap<Uuid, BTreeSet<Uuid>>>,
}

impl Attachments {
    pub(crate) fn reindex(&mut self) {
        let mut below: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for (id, row) in self.rows.iter() {
            below.entry(row.parent).or_default().insert(id);
        }
        self.below = Arc::new(below);
    }

    pub(crate) fn row(&self, id: Uuid) -> Option<&Row<Attachment>> {
        self.rows.row(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Uuid, &Attachment)> {
        self.rows.iter()
    }

    /// The attachments of a parent.
    pub(crate) fn below(&self, parent: Uuid) -> impl Iterator<Item = (Uuid, &Attachment)> {
        let ids = self.below.get(&parent).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.rows.get(*id)?)))
    }

    pub(crate) fn remove(&mut self, id: Uuid) {
        if let Some(parent) = self.rows.get(id).map(|row| row.parent) {
            self.rows.remove(id);
            if let Some(ids) = Arc::make_mut(&mut self.below).get_mut(&parent) {
                ids.remove(&id);
            }
        }
    }

    /// Removes what hangs below a row that is deleted.
    pub(crate) fn remove_below(&mut self, parent: Uuid) {
        let ids: Vec<Uuid> = self.below(parent).map(|(id, _)| id).collect();
        for id in ids {
            self.remove(id);
        }
    }
}

impl Tables {
    /// Stores a new or changed attachment; its parent never changes.
    pub(crate) fn put_attachment(&mut self, id: Uuid, row: Attachment, now: jiff::Timestamp) {
        Arc::make_mut(&mut self.attachments.below).entry(row.parent).or_default().insert(id);
        self.put(|tables| &mut tables.attachments.rows, id, row, now);
    }

    /// Moves the attachments of a journal line to the entry that it became.
    pub(crate) fn move_attachments(&mut self, from: Uuid, to: Uuid, now: jiff::Timestamp) {
        let rows: Vec<_> = self.attachments.below(from).map(|(id, row)| (id, row.clone())).collect();
        for (id, mut row) in rows {
            self.attachments.remove(id);
            row.parent = to;
            self.put_attachment(id, row, now);
        }
    }
}
