//! A fresh PostgreSQL database for a test: a copy of one whose tables were made once for the whole server, since making them anew costs
//! more than most tests. It is never dropped: the server is a scratch one, and dropping waits for a checkpoint of everything in it.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use store::Store;

const TEMPLATE: &str = "with_tables";

/// Makes the database `name` on a server; gives its address.
pub(crate) async fn database(server: &str, name: &str) -> String {
    let (base, _) = server.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(server).await.unwrap();
    // Tests are processes of their own, so the first of them makes the template, and the others wait for it.
    admin.execute("SELECT pg_advisory_lock(4711)").await.unwrap();
    let known: Option<(String,)> = sqlx::query_as("SELECT CAST(datname AS TEXT) FROM pg_database WHERE datname = $1")
        .bind(TEMPLATE)
        .fetch_optional(&mut admin)
        .await
        .unwrap();
    if known.is_none() {
        // Under another name until it is whole: a test that is stopped here leaves no half of it.
        admin.execute("DROP DATABASE IF EXISTS half").await.unwrap();
        admin.execute("CREATE DATABASE half").await.unwrap();
        Store::open(&format!("{base}/half")).await.unwrap().close().await;
        let rename = format!("ALTER DATABASE half RENAME TO {TEMPLATE}");
        admin.execute(AssertSqlSafe(rename)).await.unwrap();
    }
    admin.execute("SELECT pg_advisory_unlock(4711)").await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))).await.unwrap();
    admin.close().await.unwrap();
    format!("{base}/{name}")
}
