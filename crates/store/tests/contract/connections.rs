//! The table `connections`.

use rstest::rstest;
use store::{Error, Problem};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

fn problem(code: &str) -> Problem {
    Problem { code: code.to_owned(), sentence: format!("{code}: do something") }
}

#[rstest]
#[tokio::test]
async fn a_connection_is_created_once_and_keeps_what_it_learnt(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let connections = world.store.connections();
    assert_eq!(connections.get(&world.main).await.unwrap(), None);
    connections.ensure(&world.other, NOW).await.unwrap();
    connections.ensure(&world.main, NOW + 1).await.unwrap();
    connections.set_identity(&world.main, "cuacc_1", Uuid::from_u128(9), "CRONUS").await.unwrap();
    connections.ensure(&world.main, NOW + 2).await.unwrap();

    let row = connections.get(&world.main).await.unwrap().unwrap();
    assert_eq!(row.brex_company_id.as_deref(), Some("cuacc_1"));
    assert_eq!(row.bc_company_id, Some(Uuid::from_u128(9)));
    assert_eq!(row.bc_company_name.as_deref(), Some("CRONUS"));
    assert_eq!((row.created_ms, row.problem, row.problem_since_ms), (NOW + 1, None, None));
    let names: Vec<String> = connections.list().await.unwrap().iter().map(|row| row.id.to_string()).collect();
    assert_eq!(names, ["main", "other"]);
    let company = Uuid::from_u128(9);
    assert_eq!(connections.list_between("cuacc_1", company).await.unwrap(), std::slice::from_ref(&world.main));
    connections.set_identity(&world.other, "cuacc_1", company, "CRONUS").await.unwrap();
    let both = connections.list_between("cuacc_1", company).await.unwrap();
    assert_eq!(both, [world.main.clone(), world.other.clone()]);
    assert!(connections.list_between("cuacc_1", Uuid::from_u128(8)).await.unwrap().is_empty());
    assert!(connections.list_between("cuacc_2", company).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_problem_keeps_the_time_since_when_it_stands(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let connections = world.store.connections();
    connections.ensure(&world.main, NOW).await.unwrap();
    let steps = [
        (Some(problem("a")), NOW + 1, Some(NOW + 1)),
        (Some(problem("a")), NOW + 2, Some(NOW + 1)),
        (Some(problem("b")), NOW + 3, Some(NOW + 3)),
        (None, NOW + 4, None),
        (Some(problem("b")), NOW + 5, Some(NOW + 5)),
    ];
    for (problem, now_ms, since_ms) in steps {
        connections.set_problem(&world.main, problem.as_ref(), now_ms).await.unwrap();
        let row = connections.get(&world.main).await.unwrap().unwrap();
        assert_eq!((row.problem, row.problem_since_ms), (problem, since_ms));
    }
}

#[rstest]
#[tokio::test]
async fn a_connection_that_is_not_there_cannot_be_changed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let connections = world.store.connections();
    let error = connections.set_problem(&world.main, None, NOW).await.err().unwrap();
    assert!(matches!(error, Error::Moved { table: "connections" }), "{error:?}");
    let error = connections.set_identity(&world.main, "c", Uuid::nil(), "n").await.err().unwrap();
    assert!(matches!(error, Error::Moved { table: "connections" }), "{error:?}");
}

#[rstest]
#[tokio::test]
async fn a_broken_row_is_named_by_table_column_and_key(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.store.connections().ensure(&world.main, NOW).await.unwrap();
    world.tamper("UPDATE connections SET bc_company_id = 'not a uuid'").await;
    let error = world.store.connections().list().await.err().unwrap();
    let text = error.to_string();
    assert_eq!(text, "the column bc_company_id of the row main in the table connections cannot be read");
}
