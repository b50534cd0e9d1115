//! Whose a purchase is, where one Brex account serves several companies. The record does not tell; its expense does (brex.md §5.2).
//! It is asked once per look at a record that has no vendor yet, and only where the connection names its legal entities.

use std::collections::HashMap;

use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::legal_entity::{Entities, LegalEntity, Whose};
use domain::record::Record;
use domain::stage::Event;
use serde_json::json;
use store::{Problem, RecordRow};

use super::step::Step;
use super::{Lane, Stop, recheck};
use crate::app::{App, Connection};
use crate::problem;

/// Sets aside what is booked elsewhere and holds what nobody books; the rows that are left are ours.
pub(super) async fn sort(
    lane: &Lane<'_>,
    rows: Vec<RecordRow>,
    records: &HashMap<RecordId, Record>,
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
pub(super) async fn recheck(
    lane: &Lane<'_>,
    rows: Vec<RecordRow>,
    records: &HashMap<RecordId, Record>,
) -> Result<Vec<Step>, Stop> {
    let mut whose = decide(lane, &rows, records).await?;
    let anew = |row: RecordRow| match whose.remove(&row.id) {
        None | Some(Whose::Ours) => Some(recheck::release(lane, row)),
        Some(Whose::Elsewhere(why)) => Some(elsewhere(lane, Step::of(row).released(lane.now_ms()), &why)),
        Some(Whose::Unknown(hold)) if row.hold.as_ref() == Some(&hold) => None,
        Some(Whose::Unknown(hold)) => Some(Step::of(row).hold(&hold, lane.now_ms())),
    };
    Ok(rows.into_iter().filter_map(anew).collect())
}

/// Whose these are; what is left out is ours. A token without the scope for expenses is a problem of the connection: nothing is
/// booked on a guess.
pub(super) async fn decide(
    lane: &Lane<'_>,
    rows: &[RecordRow],
    records: &HashMap<RecordId, Record>,
) -> Result<HashMap<RecordId, Whose>, Stop> {
    let entities = entities(lane.app, lane.connection).map_err(Stop::Connection)?;
    if !entities.matter() {
        return Ok(HashMap::new());
    }
    let known: Vec<&Record> = rows.iter().filter_map(|row| records.get(&row.id)).collect();
    let reads = known.iter().map(|record| spender(lane.connection, record.source_id.as_deref()));
    let spenders = futures::future::try_join_all(reads).await?;
    let whose = known.iter().zip(spenders);
    Ok(whose.map(|(record, spender)| (record.id.clone(), entities.whose(spender.as_ref()))).collect())
}

/// The legal entity that spent, if Brex names one.
pub(crate) async fn spender(connection: &Connection, expense: Option<&str>) -> Result<Option<LegalEntity>, Stop> {
    let Some(expense) = expense else { return Ok(None) };
    let Some(expense) = connection.brex.get_expense(expense).await? else { return Ok(None) };
    let name = expense.spending_entity.as_ref().and_then(|entity| entity.display_name.clone());
    let id = expense.spending_entity_id.or(expense.spending_entity.map(|entity| entity.id));
    Ok(id.map(|id| LegalEntity { id, name }))
}

/// Which entities a connection books for, and where the others are booked. Two connections of one Brex account that both book
/// everything, or the same entity, would book it twice: the later one in the configuration stops.
pub(crate) fn entities(app: &App, connection: &Connection) -> Result<Entities, Problem> {
    let settings = &connection.settings.brex;
    let outside = settings.other_legal_entities.iter().map(|name| (name.clone(), "outside this connector".to_owned()));
    let mut others: Vec<(String, String)> = Vec::new();
    let mut is_earlier = true;
    for other in &app.connections {
        if other.id == connection.id {
            is_earlier = false;
            continue;
        }
        if !is_same_account(connection, other) {
            continue;
        }
        let theirs = &other.settings.brex.legal_entities;
        if is_earlier && let Some(why) = clash(connection, other) {
            return Err(problem::shared_account(&connection.id, &other.id, &why));
        }
        others.extend(theirs.iter().map(|name| (name.clone(), format!("by connection {}", other.id))));
    }
    others.extend(outside);
    Ok(Entities { ours: settings.legal_entities.clone(), others, takes_unnamed: settings.without_legal_entity })
}

/// Why two connections of one Brex account cannot both work.
fn clash(connection: &Connection, other: &Connection) -> Option<String> {
    let (ours, theirs) = (&connection.settings.brex.legal_entities, &other.settings.brex.legal_entities);
    if ours.is_empty() || theirs.is_empty() {
        let why = "each purchase would be booked twice: name the legal entities that each of them books in brex.legal_entities";
        return Some(why.to_owned());
    }
    if let Some(both) = ours.iter().find(|ours| theirs.iter().any(|name| name.trim() == ours.trim())) {
        return Some(format!(
            "both name {both:?} in brex.legal_entities, whose purchases would be booked twice: leave it in one of them"
        ));
    }
    let company = |connection: &Connection| connection.identity().map(|identity| identity.bc_company);
    (company(connection) == company(other)).then(|| {
        "both book in the same company: name all its legal entities in brex.legal_entities of one connection".to_owned()
    })
}

fn is_same_account(one: &Connection, other: &Connection) -> bool {
    let company = |connection: &Connection| connection.identity().map(|identity| identity.brex_company.clone());
    company(one).is_some_and(|ours| company(other) == Some(ours))
}
