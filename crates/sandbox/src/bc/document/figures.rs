//! What follows from a document's lines, kept until the next write: a document of thousands of lines is read cell by
//! cell, and none of them may cost a walk through all lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::totals::{self, Amounts};
use super::{Document, Line};
use crate::bc::table::Tables;

/// The amounts of a document.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Of every line, in the order of the lines.
    pub(crate) amounts: Vec<Amounts>,
    /// Including tax.
    pub(crate) total: Decimal,
    /// The document's tax.
    pub(crate) tax: Decimal,
}

/// Where what was computed is kept. A copy starts empty, since copies are made to be changed.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// With the version of the tables that they were computed from.
    figures: Mutex<Option<(u64, Arc<Figures>)>>,
    places: OnceLock<HashMap<Uuid, usize>>,
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Document {
    /// The amounts as of the last write.
    pub(crate) fn figures(&self, tables: &Tables) -> Arc<Figures> {
        let mut kept = self.kept.figures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, figures)) = kept.as_ref().filter(|(version, _)| *version == tables.version()) {
            return Arc::clone(figures);
        }
        let amounts = totals::amounts(tables, self);
        let tax = amounts.iter().map(|line| line.net_tax).sum();
        let total = amounts.iter().map(|line| line.net + line.net_tax).sum();
        let figures = Arc::new(Figures { amounts, total, tax });
        *kept = Some((tables.version(), Arc::clone(&figures)));
        figures
    }

    /// Where a line stands among the lines.
    pub(crate) fn place(&self, id: Uuid) -> Option<usize> {
        let places = self
            .kept
            .places
            .get_or_init(|| self.lines.iter().enumerate().map(|(place, line)| (line.id, place)).collect());
        let place = places.get(&id).copied().filter(|place| self.lines.get(*place).is_some_and(|line| line.id == id));
        // Lines that moved since are looked for one by one.
        place.or_else(|| self.lines.iter().position(|line| line.id == id))
    }

    pub(crate) fn line(&self, id: Uuid) -> Option<&Line> {
        self.lines.get(self.place(id)?)
    }
}
