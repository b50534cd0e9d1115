//! People are told what waits for them: by mail and by an address that takes messages.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use connector::config::{EmailSection, Form, NotificationsSection, SecretSource, Security, WebhookSection, When};
use connector::notify::{self, Notifier};
use domain::access::Role;
use sandbox::fault::{Fault, FaultKind};
use sandbox::meter::Side;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};
use crate::visitor::Visitor;

/// What came in.
type Received = Arc<Mutex<Vec<String>>>;

fn all(received: &Received) -> Vec<String> {
    received.lock().unwrap().clone()
}

/// An address that takes messages, once it was refused so many times.
async fn channel(refusals: u32) -> (String, Received) {
    let received = Received::default();
    let kept = Arc::clone(&received);
    let refusals = Arc::new(Mutex::new(refusals));
    let take = move |body: String| {
        let mut left = refusals.lock().unwrap();
        let status = if *left > 0 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        *left = left.saturating_sub(1);
        if status.is_success() {
            kept.lock().unwrap().push(body);
        }
        async move { status }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/services/T0/canary-of-the-channel", listener.local_addr().unwrap());
    let router = Router::new().route("/services/T0/canary-of-the-channel", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

/// A mail server that takes everything (RFC 5321).
async fn mail_server() -> (u16, Received) {
    let received = Received::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take_mail(stream, Arc::clone(&kept)));
        }
    });
    (port, received)
}

async fn take_mail(mut stream: TcpStream, kept: Received) {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await.unwrap();
    let (mut mail, mut is_data) = (String::new(), false);
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match (is_data, line.as_str()) {
            (true, ".") => {
                is_data = false;
                kept.lock().unwrap().push(std::mem::take(&mut mail));
                "250 taken"
            }
            (true, _) => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            (false, "DATA") => {
                is_data = true;
                "354 go on"
            }
            (false, "QUIT") => "221 bye",
            (false, _) => {
                if line.starts_with("RCPT") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                "250 fine"
            }
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
}

/// The ways to these, by what is set otherwise.
fn section(folder: &TempDir, url: &str, form: Form) -> NotificationsSection {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.path().join("channel.url");
    std::fs::write(&file, url).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let webhook = Some(WebhookSection { url: SecretSource::File(file), form });
    NotificationsSection { webhook, ..NotificationsSection::default() }
}

fn notifier(app: &TestApp, section: &NotificationsSection) -> Notifier {
    let link = Some("https://console.example".to_owned());
    Notifier::open(Arc::clone(&app.app), section, std::path::Path::new("."), link).unwrap()
}

async fn with_a_hold() -> Option<TestApp> {
    let mut app = TestApp::start(Db::Sqlite, 1).await?;
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_held", &vendor, "no such account", 5.0));
    app.run_until_idle().await;
    Some(app)
}

#[tokio::test]
async fn a_hold_that_stands_is_told_once_by_every_way_with_who_can_fix_it_and_where() {
    let Some(mut app) = with_a_hold().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let ((url, channel), (port, mails)) = (channel(0).await, mail_server().await);
    let email = EmailSection {
        server: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        user: None,
        password: None,
        from: "ml-connector <connector@example.com>".to_owned(),
        to: vec!["ann@example.com".to_owned(), "Bob <bob@example.com>".to_owned()],
    };
    let section = NotificationsSection { email: Some(email), ..section(&folder, &url, Form::Slack) };
    let notifier = notifier(&app, &section);
    assert!(!notifier.turn().await.unwrap(), "it may clear by itself");
    app.advance(10 * 60);
    assert!(notifier.turn().await.unwrap());
    assert!(!notifier.turn().await.unwrap(), "once");
    let [text] = &*all(&channel) else { panic!("one message") };
    let text: Value = serde_json::from_str(text).unwrap();
    let text = text["text"].as_str().unwrap();
    assert!(text.starts_with("*ml-connector: main: 1 record waits: account_unknown*"), "{text}");
    assert!(text.contains("who can fix it: ") && text.contains("https://console.example/c/main/attention"), "{text}");
    let [mail] = &*all(&mails) else { panic!("one mail") };
    for expected in
        ["RCPT TO:<ann@example.com>", "RCPT TO:<bob@example.com>", "Subject: ml-connector: main: 1 record waits"]
    {
        assert!(mail.contains(expected), "{mail}");
    }

    // Another record of the same cause, within the hour and after it.
    let (_, vendor) = a_vendor(&app);
    app.insert(&card("accr_another", &vendor, "no such account", 6.0));
    app.poll_now().await;
    app.run_until_idle().await;
    app.advance(20 * 60);
    assert!(!notifier.turn().await.unwrap());
    app.advance(40 * 60);
    assert!(notifier.turn().await.unwrap());
    assert!(all(&channel)[1].contains("2 records wait"));
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_and_said_meanwhile_without_the_address() {
    let Some(app) = with_a_hold().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (url, channel) = channel(2).await;
    let notifier = notifier(&app, &section(&folder, &url, Form::Json));
    notifier.turn().await.unwrap();
    app.advance(10 * 60);
    for _ in 0..2 {
        assert!(!notifier.turn().await.unwrap());
    }
    let failing = notify::read(&app.app.store).await.unwrap().failing.unwrap();
    assert!(failing.contains("500") && !failing.contains("canary"), "{failing}");
    let viewer = Visitor::signed_in(&app, "ann", Role::Viewer).await;
    assert!(viewer.text("/connections").await.contains("Nobody could be notified of what waits"));
    assert!(notifier.turn().await.unwrap());
    assert_eq!(notify::read(&app.app.store).await.unwrap().failing, None);
    assert_eq!(all(&channel).len(), 1);
    let told: Value = serde_json::from_str(&all(&channel)[0]).unwrap();
    assert_eq!((&told["news"], &told["troubles"][0]["subject"]), (&1.into(), &"hold:account_unknown".into()));
    assert_eq!(told["troubles"][0]["is_new"], true);
    assert!(viewer.text("/connections").await.contains("People were last notified"));
}

#[tokio::test]
async fn what_fails_beside_the_records_silence_and_secrets_that_end_are_told_and_so_is_their_end() {
    let Some(mut app) = TestApp::start(Db::Sqlite, 1).await else { return };
    app.run_until_idle().await;
    app.reconfigure(|settings| settings.entra.secret_expires = Some(jiff::civil::date(2026, 7, 20))).await;
    let folder = tempfile::tempdir().unwrap();
    let (url, channel) = channel(0).await;
    let notifier = notifier(&app, &section(&folder, &url, Form::Json));
    let down = FaultKind::Status { status: 500, body: None, retry_after: None };
    app.world().faults.add(Fault::new(Side::Brex, down).times(100_000));
    let told = async |app: &mut TestApp, minutes: i64, turns: i64| {
        for _ in 0..turns {
            app.advance(minutes * 60 / turns);
            app.tick().await;
            notifier.turn().await.unwrap();
        }
        all(&channel).last().map(|last| serde_json::from_str::<Value>(last).unwrap())
    };
    let subjects = |told: &Value| {
        let troubles = told["troubles"].as_array().unwrap().iter();
        troubles.map(|trouble| trouble["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = told(&mut app, 40, 4).await.unwrap();
    assert!(subjects(&first).contains(&"secret:entra".to_owned()), "{first}");
    assert!(subjects(&first).iter().any(|subject| subject.starts_with("job:")), "{first}");
    app.world().faults.clear();
    app.run_until_idle().await;
    let before = all(&channel).len();
    let over = told(&mut app, 2 * 7 * 24 * 60, 2 * 7 * 4).await.unwrap();
    assert!(all(&channel).len() > before);
    assert!(
        over["troubles"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["what"].as_str().unwrap().contains("ends on 2026-07-20"))
    );
    let ended = all(&channel).split_off(before);
    assert!(ended.iter().any(|text| text.contains("\"over\":[\"main: ")), "{ended:?}");
}

#[tokio::test]
async fn a_digest_comes_once_a_day_at_its_time_and_only_if_something_stands() {
    let Some(app) = with_a_hold().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (url, channel) = channel(0).await;
    let daily = NotificationsSection { when: When::Daily, ..section(&folder, &url, Form::Json) };
    let notifier = notifier(&app, &daily);
    // Seven o'clock in New York.
    app.world().clock.set("2026-07-02T11:00:00Z".parse().unwrap());
    for hour in 0..=48_usize {
        notifier.turn().await.unwrap();
        assert_eq!(all(&channel).len(), hour.div_ceil(24), "after {hour} hours");
        app.advance(3_600);
    }
}

#[tokio::test]
async fn of_two_processes_one_tells() {
    let Some(app) = with_a_hold().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (url, channel) = channel(0).await;
    let section = section(&folder, &url, Form::Slack);
    let (one, other) = (notifier(&app, &section), notifier(&app, &section));
    one.turn().await.unwrap();
    app.advance(10 * 60);
    let (first, second) = tokio::join!(one.turn(), other.turn());
    assert_eq!([first.unwrap(), second.unwrap()].iter().filter(|sent| **sent).count(), 1);
    app.advance(10 * 60);
    assert!(!one.turn().await.unwrap() && !other.turn().await.unwrap());
    assert_eq!(all(&channel).len(), 1);
}

/// Found by reading: the way that worked got the same message every minute for as long as the other one failed.
#[tokio::test]
async fn while_one_way_fails_the_other_is_told_once_and_what_is_owed_follows_by_its_way() {
    let Some(app) = with_a_hold().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let ((url, channel), (port, mails)) = (channel(3).await, mail_server().await);
    let email = EmailSection {
        server: "localhost".to_owned(),
        port: Some(port),
        security: Security::None,
        user: None,
        password: None,
        from: "connector@example.com".to_owned(),
        to: vec!["ann@example.com".to_owned()],
    };
    let section = NotificationsSection { email: Some(email), ..section(&folder, &url, Form::Slack) };
    let notifier = notifier(&app, &section);
    notifier.turn().await.unwrap();
    app.advance(10 * 60);
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(notifier.turn().await.unwrap());
        app.advance(60);
    }
    assert_eq!(sent, [true, false, false, true, false]);
    assert_eq!((all(&mails).len(), all(&channel).len()), (1, 1));
    assert_eq!(notify::read(&app.app.store).await.unwrap().failing, None);
}

/// Found by reading: what stood in a connection that is gone stood in every message.
#[tokio::test]
async fn a_connection_that_is_no_longer_in_the_configuration_is_forgotten() {
    let Some(mut app) = with_a_hold().await else { return };
    app.add_neighbour(|settings| settings.name = "neighbour".to_owned()).await;
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = channel(0).await;
    let section = section(&folder, &url, Form::Json);
    let here = notify::read(&app.app.store).await.unwrap();
    assert!(here.connections.is_empty());
    notifier(&app, &section).turn().await.unwrap();
    let mut told = notify::read(&app.app.store).await.unwrap();
    assert!(told.connections.contains_key("main"));
    told.keep_only(&[domain::id::ConnectionId::installation()]);
    assert!(told.connections.is_empty());
}
