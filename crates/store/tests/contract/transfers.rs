//! The tables of the transfers: what Brex says, what a comparison keeps, what people decide, and what nobody overwrites.

use domain::audit::{Actor, Note};
use domain::money::Currency;
use domain::transfer::{Confidence, Facts, Match, Part, Payable, PayableKind, Reason, Settled, Standing, Verdict, Why};
use rstest::rstest;
use serde_json::json;
use store::{DecisionRow, DocumentRow, DocumentVerdict, MatchRow, Reconciled, SaidChange, TransferRow, TransferSaid};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

fn row(id: &str, status: &str) -> TransferRow {
    TransferRow {
        id: id.to_owned(),
        facts: Facts {
            status: status.to_owned(),
            payment_type: "ACH".to_owned(),
            amount: 500,
            currency: Currency::new("USD").unwrap(),
            brex_vendor: Some("pdcont_1".to_owned()),
            name: Some("Zelkova\u{0}".to_owned()),
            instrument: None,
            memo: Some("INV-7001".to_owned()),
            description: None,
            account: None,
            process_date: Some("2026-06-20".parse().unwrap()),
            created: None,
            cancellation: None,
        },
        history: vec![(NOW, status.to_owned())],
        settled: None,
        returned_by: None,
        standing: None,
        suggestion: None,
        first_ms: NOW,
        updated_ms: NOW,
    }
}

fn found(id: &str) -> Match {
    Match {
        transfer: id.to_owned(),
        parts: vec![Part { payable: "p".to_owned(), amount: 500 }],
        confidence: Confidence::High,
        why: vec![Why::NumberNamed],
        fee: 0,
    }
}

fn standing(id: &str, left: i64) -> Standing {
    let verdict = if left == 0 { Verdict::Matched } else { Verdict::Unmatched };
    Standing { id: id.to_owned(), verdict, reason: (left > 0).then_some(Reason::NoTransfer), left, booked_as: None }
}

fn document(left: i64) -> DocumentRow {
    let payable = Payable {
        id: "p".to_owned(),
        kind: PayableKind::Invoice,
        vendor: Uuid::from_u128(7),
        numbers: vec!["INV-7001".to_owned()],
        total: 500,
        remaining: 500,
        is_certain: true,
        currency: Currency::new("USD").unwrap(),
        date: "2026-06-01".parse().unwrap(),
        due: "2026-07-01".parse().unwrap(),
    };
    DocumentRow { payable, standing: standing("p", left) }
}

fn note(action: &str) -> Note {
    Note { action: action.to_owned(), subject: "transfer t".to_owned(), before: None, after: None, detail: json!(null) }
}

fn kim() -> Actor {
    Actor::Person("kim".to_owned())
}

fn reconciled(rev: i64) -> Reconciled {
    Reconciled {
        rev,
        found: vec![found("t")],
        standings: vec![(standing("t", 0), Some(found("t")))],
        documents: vec![document(0)],
        notes: vec![note("transfer_matched")],
        ..Reconciled::default()
    }
}

#[rstest]
#[tokio::test]
async fn what_brex_says_is_kept_and_a_settled_amount_is_not_lost_by_a_later_reading(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let transfers = world.store.transfers();
    let settled = Settled { amount: 515, date: "2026-06-22".parse().unwrap() };
    let paid = TransferRow { settled: Some(settled), ..row("t", "PROCESSED") };
    transfers.put(&world.main, NOW, &kim(), &[row("t", "PROCESSING"), row("u", "FAILED")], &[]).await.unwrap();
    transfers.put(&world.main, NOW, &kim(), &[paid], &[note("transfer_status")]).await.unwrap();
    transfers.put(&world.main, NOW, &kim(), &[row("t", "PROCESSED")], &[]).await.unwrap();
    let rows = transfers.list(&world.main).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["t", "u"]);
    assert_eq!((rows[0].settled, rows[0].facts.status.as_str()), (Some(settled), "PROCESSED"));
    assert_eq!(rows[0].facts.name.as_deref(), Some("Zelkova\u{0}"));
    assert!(transfers.list(&world.other).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_return_is_noted_once_even_before_its_transfer_was_read(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let transfers = world.store.transfers();
    for by in ["back", "again"] {
        transfers.note_return(&world.main, NOW, &kim(), "t", by).await.unwrap();
    }
    transfers.put(&world.main, NOW, &kim(), &[row("t", "PROCESSED")], &[]).await.unwrap();
    assert_eq!(transfers.list(&world.main).await.unwrap()[0].returned_by.as_deref(), Some("back"));
    let entries = world.store.audit().list_for(&world.main, "transfer t", 10).await.unwrap();
    assert_eq!(entries.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_comparison_of_an_older_state_writes_nothing(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let transfers = world.store.transfers();
    transfers.put(&world.main, NOW, &kim(), &[row("t", "PROCESSED")], &[]).await.unwrap();
    assert!(transfers.keep(None, &world.main, NOW, &kim(), &reconciled(0)).await.unwrap());
    let said = transfers.said(&world.main).await.unwrap();
    assert_eq!((said.rev, said.reconciled_ms, said.matches.len()), (1, Some(NOW), 1));
    assert_eq!(transfers.documents(&world.main).await.unwrap(), [document(0)]);
    let stale =
        Reconciled { gone: vec!["t".to_owned()], documents_gone: vec!["p".to_owned()], ..Reconciled::default() };
    assert!(!transfers.keep(None, &world.main, NOW, &kim(), &stale).await.unwrap());
    assert_eq!(transfers.said(&world.main).await.unwrap().matches.len(), 1);
    let current = Reconciled { rev: 1, ..stale };
    assert!(transfers.keep(None, &world.main, NOW + 1, &kim(), &current).await.unwrap());
    assert!(transfers.said(&world.main).await.unwrap().matches.is_empty());
    assert!(transfers.documents(&world.main).await.unwrap().is_empty());
    let row = transfers.list(&world.main).await.unwrap().remove(0);
    assert_eq!((row.standing, row.suggestion), (Some(standing("t", 0)), Some(found("t"))));
}

#[rstest]
#[tokio::test]
async fn of_each_pair_the_last_word_counts_and_every_word_is_kept(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let transfers = world.store.transfers();
    let decide = |verdict: DocumentVerdict| {
        move |_: &TransferSaid| {
            let decision = DecisionRow {
                transfer: "t".to_owned(),
                document: "p".to_owned(),
                verdict,
                person: "kim".to_owned(),
                reason: "they called".to_owned(),
                decided_ms: NOW,
            };
            let is_together = verdict == DocumentVerdict::Together;
            let made = MatchRow {
                found: found("t"),
                person: Some("kim".to_owned()),
                reason: Some("they called".to_owned()),
                made_ms: NOW,
            };
            Ok::<_, ()>(SaidChange {
                made: is_together.then_some(made),
                taken_apart: (!is_together).then(|| "t".to_owned()),
                decisions: vec![decision],
                note: note("said"),
            })
        }
    };
    for verdict in [DocumentVerdict::Together, DocumentVerdict::Apart, DocumentVerdict::Together] {
        transfers.say(&world.main, NOW, &kim(), decide(verdict)).await.unwrap().unwrap();
        let said = transfers.said(&world.main).await.unwrap();
        let is_apart = verdict == DocumentVerdict::Apart;
        assert_eq!((said.matches.is_empty(), said.said().rejected.is_empty()), (is_apart, !is_apart));
    }
    let said = transfers.said(&world.main).await.unwrap();
    assert_eq!((said.rev, said.decisions.len(), said.matches[0].person.as_deref()), (3, 3, Some("kim")));
    let refused = transfers.say(&world.main, NOW, &kim(), |_| Err::<SaidChange, _>("no")).await.unwrap();
    assert_eq!(refused, Err("no"));
    assert_eq!(transfers.said(&world.main).await.unwrap().rev, 3);
}
