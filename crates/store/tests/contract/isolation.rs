//! Nothing of one connection can be read or written in place of another's: the key of every table begins with the connection.

use rstest::rstest;

use crate::world::{Engine, Postgres, Sqlite, World};

/// What belongs to the whole installation.
const SHARED: [&str; 8] =
    ["api_tokens", "connections", "invitations", "lanes", "left_for", "schema_version", "sessions", "users"];

#[rstest]
#[tokio::test]
async fn the_key_of_every_table_begins_with_the_connection(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let keys = world.texts(match on {
        Sqlite => {
            "SELECT t.name || ': ' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c ON c.pk = 1 \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
        }
        Postgres => {
            "SELECT k.table_name || ': ' || k.column_name FROM information_schema.key_column_usage k \
             JOIN information_schema.table_constraints c USING (constraint_schema, constraint_name) \
             WHERE c.constraint_type = 'PRIMARY KEY' AND k.ordinal_position = 1 AND k.table_schema = 'public'"
        }
    });
    let keys = keys.await;
    assert!(keys.len() > 25, "{keys:?}");
    for key in keys {
        let (table, column) = key.split_once(": ").unwrap();
        assert!(column == "connection" || SHARED.contains(&table), "{key}");
    }
}
