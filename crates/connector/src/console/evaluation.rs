//! How good the matcher would have been on what people answered, as the answers came.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Stamp, stamp};
use super::vendors::mirror;
use crate::matcher::Known;
use crate::vendors::answers::standings;
use crate::vendors::evaluate::{Evaluation, Stretch, curve, evaluate};

/// Height of the chart, and the width of a stretch with its gap.
const TALLEST: usize = 100;
const STEP: usize = 36;

#[derive(Template)]
#[template(path = "console/evaluation.html")]
struct Page {
    frame: Frame,
    figures: Evaluation,
    precision: String,
    recall: String,
    bars: Vec<Bar>,
    width: usize,
}

/// A stretch of answers as a bar: right without a person at the bottom, the right one suggested above it.
struct Bar {
    until: Stamp,
    stretch: Stretch,
    x: usize,
    right: (usize, usize),
    suggested: (usize, usize),
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let directory = Arc::new(mirror(&console, &connection.id).await?);
    let standings = standings(&console.app.store.vendor_links().list(&connection.id).await?);
    // Thousands of answers are asked again: other pages do not wait for that.
    let asked_again = tokio::task::spawn_blocking(move || {
        let mut known = Known::default();
        known.follow(&directory);
        (evaluate(&known.index, &standings), curve(&known.index, &standings))
    });
    let (figures, stretches) =
        asked_again.await.map_err(|error| Oops::Broken(format!("It could not be computed: {error}.")))?;
    let bars: Vec<Bar> = stretches
        .into_iter()
        .enumerate()
        .map(|(place, stretch)| bar(place, stretch, stamp(stretch.until_ms, &connection.rules.zone)))
        .collect();
    let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let (precision, recall) = (percent(figures.precision), percent(figures.recall));
    let width = bars.len().max(1) * STEP;
    let frame = Frame::new(&console, person, "vendors", Some(connection));
    Ok(render(&Page { frame, figures, precision, recall, bars, width }))
}

fn bar(place: usize, stretch: Stretch, until: Stamp) -> Bar {
    let height = |part: usize| (part * TALLEST).checked_div(stretch.with_vendor).unwrap_or(0);
    let (right, suggested) = (height(stretch.right), height(stretch.suggested));
    Bar {
        until,
        stretch,
        x: place * STEP,
        right: (TALLEST - right, right),
        suggested: (TALLEST - right - suggested, suggested),
    }
}

#[cfg(test)]
mod tests {
    use super::{Stretch, bar};
    use crate::console::show::stamp;

    #[test]
    fn the_parts_of_a_bar_stand_on_each_other_and_an_empty_stretch_has_none() {
        let until = || stamp(0, &jiff::tz::TimeZone::UTC);
        let stretch = Stretch { with_vendor: 4, right: 2, suggested: 1, ..Stretch::default() };
        let some = bar(3, stretch, until());
        assert_eq!((some.x, some.right, some.suggested), (108, (50, 50), (25, 25)));
        assert_eq!(bar(0, Stretch::default(), until()).right, (100, 0));
    }
}
