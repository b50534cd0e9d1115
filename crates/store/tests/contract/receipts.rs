//! The table `receipts`: one row per file, written under the lease.

use rstest::rstest;
use store::ReceiptRow;
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, ids};

pub(crate) fn receipt(record: &str, receipt_id: &str) -> ReceiptRow {
    ReceiptRow {
        record_id: ids(&[record])[0].clone(),
        receipt_id: receipt_id.to_owned(),
        file_name: format!("{receipt_id}.pdf"),
        bytes: 3_000_000_000,
        sha256: "ab".repeat(32),
        attachment_id: None,
        sent_ms: Some(NOW),
        attached_ms: None,
    }
}

#[rstest]
#[tokio::test]
async fn a_receipt_is_kept_once_and_found_with_its_record(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let receipts = world.store.receipts();
    for row in [receipt("b", "r3"), receipt("a", "r2"), receipt("a", "r1")] {
        receipts.put(&lease, &world.main, &row).await.unwrap();
    }
    let attached = ReceiptRow {
        attachment_id: Some(Uuid::from_u128(7)),
        sent_ms: None,
        attached_ms: Some(NOW + 1),
        ..receipt("a", "r1")
    };
    receipts.put(&lease, &world.main, &attached).await.unwrap();
    let found = receipts.find_many(&world.main, &ids(&["a", "c"])).await.unwrap();
    assert_eq!(found, [attached, receipt("a", "r2")]);
    assert!(receipts.find_many(&world.other, &ids(&["a"])).await.unwrap().is_empty());
}
