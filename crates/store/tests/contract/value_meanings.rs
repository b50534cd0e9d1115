//! The table `value_meanings`.

use domain::audit::Actor;
use domain::rules::Meaning;
use rstest::rstest;
use store::ValueMeaning;

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

fn said(field: &str, value: &str, target: &str) -> ValueMeaning {
    let [field, value, target] = [field, value, target].map(str::to_owned);
    let meaning = Meaning { field, value, target };
    ValueMeaning { meaning, reason: "so it is".to_owned(), said_by: "ann".to_owned(), said_ms: NOW }
}

#[rstest]
#[tokio::test]
async fn the_newest_word_about_a_value_counts_whatever_its_case_and_each_is_in_the_trail(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let (meanings, main) = (world.store.value_meanings(), &world.main);
    let ann = Actor::Person("ann".to_owned());
    let say = async |word: &ValueMeaning| meanings.say(main, word, "recheck", &ann).await.unwrap();
    assert!(say(&said("GL", "Lunch", "64100")).await);
    assert!(!say(&said("GL", "Lunch", "64100")).await, "it stands");
    assert!(say(&said("gl", " lunch", "64200")).await);
    assert!(say(&said("GL", "Dinner", "64300")).await);
    let listed = meanings.list(main).await.unwrap();
    assert_eq!(listed, [said("GL", "Dinner", "64300"), said("gl", " lunch", "64200")]);
    assert!(meanings.list(&world.other).await.unwrap().is_empty());

    let about = said("GL", "LUNCH", "").meaning;
    let take_back = async || meanings.take_back(main, &about, "a mistake", "recheck", NOW + 5, &ann).await.unwrap();
    assert!(take_back().await);
    assert!(!take_back().await);
    assert_eq!(meanings.list(main).await.unwrap(), [said("GL", "Dinner", "64300")]);
    let trail = world.store.audit().list(main, 0, 100).await.unwrap();
    let told: Vec<_> = trail.iter().map(|e| (&*e.action, e.before.as_deref(), e.after.as_deref())).collect();
    let said = "value_meaning_said";
    let expected = [
        (said, None, Some("64100")),
        (said, Some("64100"), Some("64200")),
        (said, None, Some("64300")),
        ("value_meaning_taken_back", Some("64200"), None),
    ];
    assert_eq!(told, expected);
    let job = world.store.jobs().list(main).await.unwrap().into_iter().find(|job| job.kind == "recheck").unwrap();
    assert_eq!(job.due_ms, Some(NOW), "the earliest word counts");
}
