//! `vendors eval`: the matcher on what people answered in this connection.

use std::sync::Arc;

use serde_json::json;

use super::super::{Common, Exit, Failure, open, print_json};
use super::{mirror_of, one_connection};
use crate::matcher::Known;
use crate::vendors::answers::standings;
use crate::vendors::evaluate::{Evaluation, curve, evaluate};

pub(super) async fn eval(common: &Common, connection: Option<&str>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let connection = one_connection(&config, connection)?;
    let store = open::store(&config).await?;
    let directory = Arc::new(mirror_of(&store, &connection).await?);
    let standings = standings(&store.vendor_links().list(&connection).await?);
    store.close().await;
    let mut known = Known::default();
    known.follow(&directory);
    let figures = evaluate(&known.index, &standings);
    if common.json {
        print_json(
            &json!({ "connection": connection.as_str(), "figures": figures, "curve": curve(&known.index, &standings) }),
        );
    } else {
        print(&figures);
        for wrong in &figures.wrong {
            let name = |id: &Option<String>| {
                let vendor = id.as_deref().and_then(|id| directory.vendor(id));
                vendor.map_or_else(|| "none of ours".to_owned(), |vendor| format!("{} {}", vendor.number, vendor.name))
            };
            println!(
                "WRONG {:?}: booked on {}, people said {}; {}",
                wrong.descriptor,
                name(&wrong.booked),
                name(&wrong.said),
                wrong.reason
            );
        }
    }
    Ok(Exit::Done)
}

fn print(figures: &Evaluation) {
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    println!(
        "{} answers asked again, each with the others in memory; {} name a vendor",
        figures.answers, figures.with_vendor
    );
    println!("precision {} ({} automatic, {} right)", percent(figures.precision), figures.automatic, figures.right);
    println!("recall    {}", percent(figures.recall));
    println!("left to a person {} ({} with the right vendor first)", figures.review, figures.review_right);
    println!("taken for none of ours although there is one: {}", figures.thrown_away);
}
