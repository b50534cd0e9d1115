//! The table `intents`.

use domain::id::RecordId;
use rstest::rstest;
use store::{Applied, Attempts, Change, Error, Intent, IntentChange, Lease, Outcome, Purpose, Waiting};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, engine, ids, intent};

/// Changes the intent of the record `a`, creating the record if need be.
async fn write(world: &World, lease: &Lease, intent: IntentChange) -> Result<Vec<Applied>, Error> {
    let known = world.store.records().get(&world.main, &RecordId::new("a")).await.unwrap();
    let row = known.unwrap_or_else(|| world.row("a"));
    let change = Change { intent: Some(intent), ..change(row) };
    world.store.records().apply(lease, &world.main, NOW + 5, &engine(), &[change]).await
}

fn settled(attempt: i64, outcome: Outcome) -> IntentChange {
    let (document_id, detail) = (Some(Uuid::from_u128(3)), Some("said so".to_owned()));
    IntentChange::Settled { attempt, outcome, document_id, detail }
}

async fn all(world: &World) -> Vec<Intent> {
    world.store.intents().list_for(&world.main, &RecordId::new("a")).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn an_intent_is_opened_probed_and_settled(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let intents = world.store.intents();
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    assert_eq!(intents.list_open(&world.main, &ids(&["a", "b"])).await.unwrap(), [intent("a", 1)]);
    let vendor = intent("a", 1).vendor_number;
    let open = intents.list_open_of_vendors(&world.main, &["V9", &vendor]).await.unwrap();
    assert_eq!(open, [intent("a", 1)]);
    assert!(intents.list_open_of_vendors(&world.main, &["V9"]).await.unwrap().is_empty());
    assert!(intents.list_open_of_vendors(&world.other, &[&vendor]).await.unwrap().is_empty());
    let waiting = Waiting { number: 1, oldest_ms: Some(intent("a", 1).created_ms) };
    assert_eq!(intents.open(&world.main).await.unwrap(), waiting);
    assert_eq!(intents.open(&world.other).await.unwrap(), Waiting::default());
    write(&world, &lease, IntentChange::Probed { attempt: 1, probes: 4 }).await.unwrap();
    assert_eq!(all(&world).await, [Intent { probes: 4, ..intent("a", 1) }]);
    write(&world, &lease, settled(1, Outcome::Adopted)).await.unwrap();
    let done = Intent {
        probes: 4,
        outcome: Some(Outcome::Adopted),
        outcome_ms: Some(NOW + 5),
        document_id: Some(Uuid::from_u128(3)),
        detail: Some("said so".to_owned()),
        ..intent("a", 1)
    };
    assert_eq!(all(&world).await, [done]);
    assert!(intents.list_open(&world.main, &ids(&["a"])).await.unwrap().is_empty());
    assert_eq!(intents.count_open(&world.main).await.unwrap(), 0);
    assert_eq!(intents.open(&world.main).await.unwrap(), Waiting::default());
}

#[rstest]
#[tokio::test]
async fn a_second_intent_is_refused_while_one_is_open(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    let refused = write(&world, &lease, IntentChange::Open(intent("a", 2))).await;
    assert!(matches!(refused, Err(Error::IntentOpen { record }) if record == "a"));
    assert_eq!(all(&world).await.len(), 1);
    assert_eq!(world.record("a").await.rev, 1, "the refused change leaves no trace");

    write(&world, &lease, settled(1, Outcome::Absent)).await.unwrap();
    write(&world, &lease, IntentChange::Open(intent("a", 2))).await.unwrap();
    let last = world.store.intents().last_attempts(&world.main, &ids(&["a", "b"])).await.unwrap();
    assert_eq!((last.len(), last[&RecordId::new("a")]), (1, Attempts { last: 2, may_have_effect: true }));
    assert_eq!(world.store.intents().count_open(&world.main).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn the_database_itself_refuses_a_second_open_intent(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    let copy = "INSERT INTO intents (connection, record_id, attempt, epoch, document_kind, document_key, vendor_number, \
                payload_hash, created_ms, settle_until_ms, probes) SELECT connection, record_id, 2, epoch, document_kind, \
                document_key, vendor_number, payload_hash, created_ms, settle_until_ms, probes FROM intents";
    let refused = world.try_tamper(copy).await;
    assert!(refused.is_err());
}

#[rstest]
#[tokio::test]
async fn what_is_not_open_can_be_neither_probed_nor_settled(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let refused = write(&world, &lease, settled(1, Outcome::Created)).await;
    assert!(matches!(refused, Err(Error::NoOpenIntent { attempt: 1, .. })));
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    write(&world, &lease, settled(1, Outcome::Created)).await.unwrap();
    for late in [settled(1, Outcome::Absent), IntentChange::Probed { attempt: 1, probes: 9 }] {
        let refused = write(&world, &lease, late).await;
        assert!(matches!(refused, Err(Error::NoOpenIntent { attempt: 1, .. })));
    }
    assert_eq!(all(&world).await[0].outcome, Some(Outcome::Created));
}

#[rstest]
#[tokio::test]
async fn an_intent_of_another_record_is_refused(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let refused = write(&world, &lease, IntentChange::Open(intent("b", 1))).await;
    assert!(matches!(refused, Err(Error::ForeignRecord { record }) if record == "b"));
}

#[rstest]
#[tokio::test]
async fn every_outcome_reads_back_and_foreign_connections_see_none(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    for (attempt, outcome) in (1..).zip(Outcome::ALL) {
        write(&world, &lease, IntentChange::Open(intent("a", attempt))).await.unwrap();
        write(&world, &lease, settled(attempt, outcome)).await.unwrap();
    }
    let next = i64::try_from(Outcome::ALL.len()).unwrap() + 1;
    write(&world, &lease, IntentChange::Open(intent("a", next))).await.unwrap();
    let outcomes: Vec<Option<Outcome>> = all(&world).await.into_iter().map(|intent| intent.outcome).collect();
    let expected: Vec<Option<Outcome>> = Outcome::ALL.into_iter().map(Some).chain([None]).collect();
    assert_eq!(outcomes, expected);
    let (intents, other) = (world.store.intents(), &world.other);
    assert!(intents.list_for(other, &RecordId::new("a")).await.unwrap().is_empty());
    assert!(intents.list_open(other, &ids(&["a"])).await.unwrap().is_empty());
    assert!(intents.last_attempts(other, &ids(&["a"])).await.unwrap().is_empty());
    assert_eq!(intents.count_absent(&world.main, &ids(&["a", "b"])).await.unwrap(), [(RecordId::new("a"), 1)].into());
    assert!(intents.count_absent(other, &ids(&["a"])).await.unwrap().is_empty());
    assert_eq!(intents.count_open(other).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn an_unclear_intent_is_looked_for_from_now_on(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    write(&world, &lease, IntentChange::Probed { attempt: 1, probes: 4 }).await.unwrap();
    let unclear = IntentChange::Unclear { attempt: 1, epoch: 77, settle_until_ms: NOW + 99 };
    write(&world, &lease, unclear.clone()).await.unwrap();
    assert_eq!(all(&world).await, [Intent { epoch: 77, settle_until_ms: NOW + 99, probes: 0, ..intent("a", 1) }]);
    write(&world, &lease, settled(1, Outcome::Absent)).await.unwrap();
    assert!(write(&world, &lease, unclear).await.is_err(), "it has ended");
}

#[rstest]
#[tokio::test]
async fn an_intent_keeps_what_it_is_about_and_only_creates_are_counted(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let intents = world.store.intents();
    write(&world, &lease, IntentChange::Open(intent("a", 1))).await.unwrap();
    write(&world, &lease, settled(1, Outcome::Created)).await.unwrap();
    let revise = Intent { purpose: Purpose::Revise, target: Some("{\"total\":1}".to_owned()), ..intent("a", 2) };
    write(&world, &lease, IntentChange::Open(revise.clone())).await.unwrap();
    assert_eq!(intents.list_open(&world.main, &ids(&["a"])).await.unwrap(), [revise]);
    write(&world, &lease, settled(2, Outcome::Revised)).await.unwrap();
    let post = Intent { purpose: Purpose::Post, ..intent("a", 3) };
    write(&world, &lease, IntentChange::Open(post)).await.unwrap();
    write(&world, &lease, settled(3, Outcome::Posted)).await.unwrap();
    assert_eq!(intents.count_creates(&world.main, &ids(&["a", "b"])).await.unwrap(), [(RecordId::new("a"), 1)].into());
    assert_eq!(
        intents.last_attempts(&world.main, &ids(&["a"])).await.unwrap(),
        [(RecordId::new("a"), Attempts { last: 3, may_have_effect: true })].into()
    );
}

#[rstest]
#[tokio::test]
async fn what_was_surely_not_executed_has_no_effect(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let attempts = async || world.store.intents().last_attempts(&world.main, &ids(&["a"])).await.unwrap();
    for attempt in 1..=2 {
        write(&world, &lease, IntentChange::Open(intent("a", attempt))).await.unwrap();
        write(&world, &lease, settled(attempt, Outcome::NotExecuted)).await.unwrap();
        let expected = Attempts { last: attempt, may_have_effect: false };
        assert_eq!(attempts().await, [(RecordId::new("a"), expected)].into());
    }
    write(&world, &lease, IntentChange::Open(intent("a", 3))).await.unwrap();
    assert!(attempts().await[&RecordId::new("a")].may_have_effect, "an open one may have had an effect already");
}
