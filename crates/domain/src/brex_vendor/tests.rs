//! The decision, case by case, and that it comes to rest.

use proptest::prelude::*;

use super::*;

fn fields(name: &str, email: Option<&str>) -> Fields {
    Fields { name: name.to_owned(), email: email.map(str::to_owned), phone: None }
}

fn here<'a>(wanted: &'a Fields, written: Option<&'a Fields>, seen: Option<&'a Fields>) -> Facts<'a> {
    Facts { presence: Presence::Active, state: State::Here, ours: true, wanted, written, seen }
}

const BC_WINS: Policy = Policy { on_block: Leaving::Keep, on_delete: Leaving::Keep, edits: Edits::BcWins };

#[test]
fn a_vendor_is_looked_for_before_it_is_created_and_only_while_it_may_be_paid() {
    let wanted = fields("Acme", None);
    let facts = |state, presence| Facts { presence, state, ..here(&wanted, None, None) };
    let decided = |state, presence| decide(&facts(state, presence), Policy::default());
    assert_eq!(decided(State::New, Presence::Active), Action::Look);
    assert_eq!(decided(State::Absent, Presence::Active), Action::Create);
    assert_eq!(decided(State::Removed, Presence::Active), Action::Look);
    for presence in [Presence::Blocked, Presence::Gone, Presence::Outside] {
        assert_eq!(decided(State::New, presence), Action::Nothing);
        assert_eq!(decided(State::Absent, presence), Action::Nothing);
        assert_eq!(decided(State::Creating, presence), Action::Settle, "what may exist is always found out");
    }
}

#[test]
fn a_change_in_bc_is_written_and_a_change_by_a_person_is_kept_or_undone() {
    let (old, new, person) =
        (fields("Acme", Some("a@x.io")), fields("Acme Ltd", Some("b@x.io")), fields("ACME!", Some("a@x.io")));
    let update = |name: Option<&str>, email: Option<&str>| {
        Action::Update(Changes { name: name.map(str::to_owned), email: email.map(str::to_owned), phone: None })
    };
    let keep = Policy::default();
    assert_eq!(decide(&here(&new, Some(&old), Some(&old)), keep), update(Some("Acme Ltd"), Some("b@x.io")));
    assert_eq!(decide(&here(&new, Some(&old), Some(&person)), keep), update(None, Some("b@x.io")));
    assert_eq!(decide(&here(&new, Some(&old), Some(&person)), BC_WINS), update(Some("Acme Ltd"), Some("b@x.io")));
    assert_eq!(decide(&here(&old, Some(&old), Some(&person)), keep), Action::Nothing);
}

#[test]
fn a_linked_vendor_gets_what_it_lacks_and_loses_nothing() {
    let (wanted, bare, full) = (fields("Acme", Some("a@x.io")), fields("ACME", None), fields("ACME", Some("own@x.io")));
    let email = Changes { email: Some("a@x.io".to_owned()), ..Changes::default() };
    assert_eq!(decide(&here(&wanted, None, Some(&bare)), Policy::default()), Action::Update(email));
    assert_eq!(decide(&here(&wanted, None, Some(&full)), Policy::default()), Action::Nothing);
    assert_eq!(decide(&here(&bare, Some(&full), Some(&full)), BC_WINS), Action::Nothing, "a blank clears nothing");
}

#[test]
fn a_vendor_that_leaves_bc_is_kept_renamed_or_deleted_and_never_deleted_when_it_is_not_ours() {
    let (wanted, seen) = (fields("Acme (blocked in BC)", Some("new@x.io")), fields("Acme", None));
    for presence in [Presence::Blocked, Presence::Gone] {
        let facts = Facts { presence, ..here(&wanted, Some(&seen), Some(&seen)) };
        let policy = |leaving| Policy { on_block: leaving, on_delete: leaving, edits: Edits::Keep };
        assert_eq!(decide(&facts, policy(Leaving::Keep)), Action::Nothing);
        let renamed = Changes { name: Some(wanted.name.clone()), ..Changes::default() };
        assert_eq!(decide(&facts, policy(Leaving::Rename)), Action::Update(renamed));
        assert_eq!(decide(&facts, policy(Leaving::Delete)), Action::Delete);
        let linked = Facts { ours: false, ..facts };
        assert_eq!(decide(&linked, policy(Leaving::Delete)), Action::Hold(VendorHold::NotOurs));
    }
}

#[test]
fn a_vendor_that_a_person_deleted_in_brex_comes_back_only_if_bc_wins() {
    let wanted = fields("Acme", None);
    let facts = here(&wanted, Some(&wanted), None);
    assert_eq!(decide(&facts, Policy::default()), Action::Hold(VendorHold::DeletedInBrex));
    assert_eq!(decide(&facts, BC_WINS), Action::Look);
}

#[test]
fn a_key_belongs_to_one_creation_of_one_vendor_between_two_companies() {
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let key = create_key("cuacc_1", a, b, 1);
    assert_eq!(key, create_key("cuacc_1", a, b, 1));
    for other in [
        create_key("cuacc_2", a, b, 1),
        create_key("cuacc_1", b, b, 1),
        create_key("cuacc_1", a, a, 1),
        create_key("cuacc_1", a, b, 2),
    ] {
        assert_ne!(key, other);
    }
}

fn some_fields() -> impl Strategy<Value = Fields> {
    ("[ab]", prop::option::of("[cd]"), prop::option::of("[1-2]")).prop_map(|(name, email, phone)| Fields {
        name,
        email,
        phone,
    })
}

proptest! {
    #[test]
    fn after_an_update_is_done_nothing_is_left_to_do(
        wanted in some_fields(), written in prop::option::of(some_fields()), seen in some_fields(), bc_wins: bool,
    ) {
        let policy = if bc_wins { BC_WINS } else { Policy::default() };
        if let Action::Update(changes) = decide(&here(&wanted, written.as_ref(), Some(&seen)), policy) {
            let now_written = changes.written_over(written);
            let after = Fields {
                name: changes.name.unwrap_or(seen.name),
                email: changes.email.or(seen.email),
                phone: changes.phone.or(seen.phone),
            };
            prop_assert_eq!(decide(&here(&wanted, Some(&now_written), Some(&after)), policy), Action::Nothing);
        }
    }
}
