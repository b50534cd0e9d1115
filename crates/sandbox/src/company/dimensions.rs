//! The dimensions and their values. One value is blocked and one is a heading: the API shows neither fact.

use super::{Dimension, DimensionValue, DimensionValueKind};
use crate::ids::Ids;

use DimensionValueKind::{Heading, Standard, Total};

type Row = (&'static str, &'static str, DimensionValueKind);

const DEPARTMENTS: &[Row] = &[
    ("ADM", "Administration", Standard),
    ("ENG", "Engineering", Standard),
    ("FIN", "Finance", Standard),
    ("MKT", "Marketing", Standard),
    ("OLDOPS", "Old Operations", Standard),
    ("OPS", "Operations", Standard),
    ("SALES", "Sales", Standard),
];

const PROJECTS: &[Row] = &[
    ("P-00", "All projects", Heading),
    ("P-14", "Project 14", Standard),
    ("P-15", "Warehouse move", Standard),
    ("P-16", "New web shop", Standard),
    ("P-21", "ISO certification", Standard),
    ("P-99", "Total projects", Total),
];

const REGIONS: &[Row] = &[
    ("EAST", "East", Standard),
    ("EUROPE", "Europe", Standard),
    ("MIDWEST", "Midwest", Standard),
    ("SOUTH", "South", Standard),
    ("WEST", "West", Standard),
];

const BLOCKED: &str = "OLDOPS";

/// DEPARTMENT and PROJECT (the global ones), REGION.
pub(super) fn dimensions(ids: &Ids) -> Vec<Dimension> {
    vec![
        dimension(ids, "DEPARTMENT", "Department", DEPARTMENTS),
        dimension(ids, "PROJECT", "Project", PROJECTS),
        dimension(ids, "REGION", "Region", REGIONS),
    ]
}

fn dimension(ids: &Ids, code: &str, name: &str, rows: &[Row]) -> Dimension {
    Dimension {
        id: ids.guid(),
        code: code.to_owned(),
        name: name.to_owned(),
        values: rows
            .iter()
            .map(|&(code, name, kind)| DimensionValue {
                id: ids.guid(),
                code: code.to_owned(),
                name: name.to_owned(),
                blocked: code == BLOCKED,
                kind,
            })
            .collect(),
    }
}
