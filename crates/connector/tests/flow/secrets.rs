//! A secret that was replaced where it comes from is used without a restart.

use sandbox::Options;
use secrecy::SecretString;

use crate::app::TestApp;
use crate::database::Db;

#[tokio::test]
async fn a_token_and_a_client_secret_that_were_rotated_in_the_vault_are_taken_up_without_a_restart() {
    let Some(mut app) = TestApp::start_with(Db::Sqlite, Options { records: 20, ..Options::default() }, "").await else {
        return;
    };
    app.run_until_idle().await;
    let before = app.agreement().invoices;
    app.take_secrets_from_the_vault().await;
    app.run_until_idle().await;
    let world = app.world();
    world.brex.revoke_token();
    let (token, secret) = (world.brex.issue_token(), world.entra.rotate_secret());
    world.entra.revoke_tokens();
    app.request("full_poll").await;
    app.tick().await;
    app.tick().await;
    let problem = app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem;
    assert_eq!(problem.unwrap().code, "brex_unauthorized");
    let connection = &app.app.connections[0];
    for (slot, secret) in [
        (connector::secrets::brex_slot(&connection.settings), token),
        (connector::secrets::entra_slot(&connection.settings), secret),
    ] {
        app.app.vault().seal(&connection.id, &slot, &SecretString::from(secret), None, app.app.now_ms()).await.unwrap();
    }
    app.request("full_poll").await;
    app.run_until_idle().await;
    let problem = app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem;
    assert_eq!(problem, None);
    assert_eq!(app.agreement().invoices, before);
    app.assert_sound().await;
}
