//! Whose a purchase is, where one Brex account serves several companies. The record does not tell; its expense does (brex.md §5.2).
//! It is asked once per look at a record that has no vendor yet, and only where the connection names its legal entities.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clients::Kind;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::legal_entity::{Entities, LegalEntity, Whose};
use domain::record::{Record, Treatment};
use domain::stage::{Event, Stage};
use serde_json::json;
use store::{Problem, RecordRow};

use super::step::Step;
use super::{Lane, Records, Stop, recheck};
use crate::app::{App, Connection};
use crate::problem;

/// Sets aside what is booked elsewhere and holds what nobody books; the rows that are left are ours.
pub(super) async fn sort(
    lane: &Lane<'_>,
    rows: Vec<RecordRow>,
    records: &Records,
) -> Result<(Vec<RecordRow>, Vec<Step>), Stop> {
    let mut whose = decide(lane, &rows, records).await?;
    let (mut ours, mut steps) = (Vec::new(), Vec::new());
    for row in rows {
        match whose.remove(&row.id) {
            None | Some(Whose::Ours) => ours.push(row),
            Some(Whose::Elsewhere(why)) => steps.push(elsewhere(lane, Step::of(row), &why)),
            Some(Whose::Unknown(hold)) => steps.push(Step::of(row).hold(&hold, lane.now_ms())),
        }
    }
    Ok((ours, steps))
}

fn elsewhere(lane: &Lane<'_>, step: Step, why: &str) -> Step {
    step.on(Event::Elsewhere, lane.now_ms()).note("elsewhere", json!({ "why": why }))
}

/// Whether a record waits for somebody to say where its legal entity is booked.
pub(super) fn is_unknown(row: &RecordRow) -> bool {
    row.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::LegalEntityUnknown)
}

/// Decides anew about records that are held because of their legal entity; only a different outcome is a step.
pub(super) async fn recheck(lane: &Lane<'_>, rows: Vec<RecordRow>, records: &Records) -> Result<Vec<Step>, Stop> {
    let mut whose = decide(lane, &rows, records).await?;
    let anew = |row: RecordRow| match whose.remove(&row.id) {
        None | Some(Whose::Ours) => Some(recheck::release(lane, row)),
        Some(Whose::Elsewhere(why)) => Some(elsewhere(lane, Step::of(row).released(lane.now_ms()), &why)),
        Some(Whose::Unknown(hold)) if row.hold.as_ref() == Some(&hold) => None,
        Some(Whose::Unknown(hold)) => Some(Step::of(row).hold(&hold, lane.now_ms())),
    };
    Ok(rows.into_iter().filter_map(anew).collect())
}

/// Records that are ready in Brex and were another connection's when they were last looked at, and no longer are.
pub(super) async fn no_longer_elsewhere(
    lane: &Lane<'_>,
    known: impl Iterator<Item = &RecordRow>,
    read: impl Fn(&RecordId) -> Option<Record>,
) -> Result<HashSet<RecordId>, Stop> {
    let rows: Vec<RecordRow> = known.filter(|row| row.stage == Stage::Elsewhere).cloned().collect();
    let ready = |row: &RecordRow| {
        let record = read(&row.id).filter(|record| record.version == row.version && record.is_ready())?;
        Some((row.id.clone(), Arc::new(record)))
    };
    let records: Records = rows.iter().filter_map(ready).collect();
    if records.is_empty() {
        return Ok(HashSet::new());
    }
    let whose = decide(lane, &rows, &records).await?;
    let is_back = |id: &RecordId| !matches!(whose.get(id), Some(Whose::Elsewhere(_)));
    Ok(records.into_keys().filter(is_back).collect())
}

/// Whose these are; what is left out is ours. A token without the scope for expenses is a problem of the connection: nothing is
/// booked on a guess.
pub(super) async fn decide(
    lane: &Lane<'_>,
    rows: &[RecordRow],
    records: &Records,
) -> Result<HashMap<RecordId, Whose>, Stop> {
    check_shared(lane.app, lane.connection).map_err(Stop::Connection)?;
    let entities = entities(lane.app, lane.connection);
    if !entities.matter() {
        return Ok(HashMap::new());
    }
    let known: Vec<&Record> = rows.iter().filter_map(|row| records.get(&row.id).map(AsRef::as_ref)).collect();
    let asked = known.iter().map(|record| {
        let is_bill = record.treatment() == Treatment::Bill;
        whose(lane.connection, &entities, record.source_id.as_deref(), is_bill)
    });
    let whose = futures::future::try_join_all(asked).await?;
    Ok(known.iter().map(|record| record.id.clone()).zip(whose).collect())
}

/// Whose the purchase behind an expense is. An expense that Brex does not show says nothing, and nothing is booked on that; but a
/// bill may have none (brex.md §2.4).
pub(crate) async fn whose(
    connection: &Connection,
    entities: &Entities,
    expense: Option<&str>,
    is_bill: bool,
) -> Result<Whose, Stop> {
    let Some(id) = expense else { return Ok(entities.whose(None)) };
    let found = match connection.brex.get_expense(id).await {
        Err(error) if error.kind() == Kind::Refused => None,
        answer => answer?,
    };
    let Some(expense) = found else {
        let text = format!("Brex does not show the expense {id}, so nothing says in which company it is booked");
        return Ok(if is_bill {
            entities.whose(None)
        } else {
            Whose::Unknown(Hold::new(HoldCode::LegalEntityUnknown, text))
        });
    };
    let name = expense.spending_entity.as_ref().and_then(|entity| entity.display_name.clone());
    let id = expense.spending_entity_id.or(expense.spending_entity.map(|entity| entity.id));
    Ok(entities.whose(id.map(|id| LegalEntity { id, name }).as_ref()))
}

/// Which entities a connection books for, and where the others are booked.
pub(crate) fn entities(app: &App, connection: &Connection) -> Entities {
    let settings = &connection.settings.brex;
    let others = app.connections.iter().filter(|other| is_same_account(connection, other)).flat_map(|other| {
        let place = format!("by connection {}", other.id);
        other.settings.brex.legal_entities.iter().map(move |name| (name.clone(), place.clone()))
    });
    let outside = settings.other_legal_entities.iter().map(|name| (name.clone(), "outside this connector".to_owned()));
    Entities {
        ours: settings.legal_entities.clone(),
        others: others.chain(outside).collect(),
        takes_unnamed: settings.without_legal_entity,
    }
}

/// Two connections of one Brex account that both book everything, or the same entity, would book it twice: both stop.
pub(crate) fn check_shared(app: &App, connection: &Connection) -> Result<(), Problem> {
    let mut same = app.connections.iter().filter(|other| is_same_account(connection, other));
    let clash = same.find_map(|other| Some((other, clash(connection, other)?)));
    match clash {
        Some((other, why)) => Err(problem::shared_account(&connection.id, &other.id, &why)),
        None => Ok(()),
    }
}

/// Why two connections of one Brex account cannot both work.
fn clash(connection: &Connection, other: &Connection) -> Option<String> {
    let (ours, theirs) = (&connection.settings.brex, &other.settings.brex);
    if ours.legal_entities.is_empty() || theirs.legal_entities.is_empty() {
        let why = "each purchase would be booked twice: name the legal entities that each of them books in brex.legal_entities";
        return Some(why.to_owned());
    }
    let is_theirs = |name: &&String| theirs.legal_entities.iter().any(|their| their.trim() == name.trim());
    if let Some(both) = ours.legal_entities.iter().find(is_theirs) {
        return Some(format!(
            "both name {both:?} in brex.legal_entities, whose purchases would be booked twice: leave it in one of them"
        ));
    }
    if ours.without_legal_entity && theirs.without_legal_entity {
        let why =
            "both have brex.without_legal_entity, so that purchases without one would be booked twice: leave it in one";
        return Some(why.to_owned());
    }
    let company = |connection: &Connection| connection.identity().map(|identity| identity.bc_company);
    company(connection).is_some_and(|company_here| company(other) == Some(company_here)).then(|| {
        "both book in the same company: name all its legal entities in brex.legal_entities of one connection".to_owned()
    })
}

/// Whether both are of one Brex account, as far as is known: with the same token they are, also before anybody was asked.
fn is_same_account(one: &Connection, other: &Connection) -> bool {
    if one.id == other.id {
        return false;
    }
    match (one.identity(), other.identity()) {
        (Some(one), Some(other)) => one.brex_company == other.brex_company,
        _ => one.traffic.has_brex_account_of(&other.traffic),
    }
}
