//! Sign-in with a certificate in place of a client secret, and one certificate after the other.

use std::path::Path;

use connector::config::SecretSource;
use rstest::rstest;

use crate::app::TestApp;
use crate::database::Db;
use crate::identity::pem;

fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[rstest]
#[tokio::test]
async fn a_certificate_takes_the_place_of_the_client_secret_and_is_replaced_without_a_restart(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let Some(mut app) = TestApp::start(db, 10).await else { return };
    let world = app.world();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entra.pem");
    let first = pem();
    write(&path, &first);
    let old = world.entra.register_certificate(&first).unwrap();
    world.entra.rotate_secret();
    world.entra.revoke_tokens();
    app.reconfigure(|settings| settings.entra.certificate = Some(SecretSource::File(path.clone()))).await;
    app.run_until_idle().await;
    app.assert_sound().await;
    assert!(app.agreement().holds(), "{:?}", app.agreement());

    let second = pem();
    world.entra.register_certificate(&second).unwrap();
    assert!(world.entra.remove_certificate(&old));
    world.entra.revoke_tokens();
    app.poll_now().await;
    app.request("master_data").await;
    app.tick().await;
    let problem = app.app.store.connections().get(&app.connection()).await.unwrap().unwrap().problem.unwrap();
    assert_eq!(problem.code, "entra_refused");
    assert!(problem.sentence.contains("the certificate is not one of the application's"), "{}", problem.sentence);
    write(&path, &second);
    app.request("master_data").await;
    app.run_until_idle().await;
    let connections = app.app.store.connections();
    assert_eq!(connections.get(&app.connection()).await.unwrap().unwrap().problem, None);
    app.assert_sound().await;
}
