//! `defaultDimensions` below vendors: the dimensions that documents get by themselves, and what posting demands of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EntitySet, Scope, Work};
use crate::bc::document::dimensions;
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::schema::Kind::{Code, DateTime, Enum, Guid};
use crate::bc::schema::{self, BLANK, Schema, r, w};
use crate::bc::table::Tables;
use crate::company::Company;

/// "Value Posting" of a default dimension.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    /// Nothing is demanded.
    #[default]
    Blank,
    /// Some value.
    CodeMandatory,
    /// This value.
    SameCode,
    /// No value.
    NoCode,
}

const VALIDATIONS: &[&str] = &[BLANK, "Code_x0020_Mandatory", "Same_x0020_Code", "No_x0020_Code"];

impl Validation {
    fn of(name: &str) -> Self {
        match name {
            "Code_x0020_Mandatory" => Self::CodeMandatory,
            "Same_x0020_Code" => Self::SameCode,
            "No_x0020_Code" => Self::NoCode,
            _ => Self::Blank,
        }
    }

    fn name(self) -> &'static str {
        VALIDATIONS[self as usize]
    }
}

/// A default dimension of a vendor or a G/L account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DefaultDimension {
    /// Vendor or account.
    pub(crate) owner: Uuid,
    pub(crate) dimension: Uuid,
    /// Zero for none.
    pub(crate) value: Uuid,
    pub(crate) validation: Validation,
    /// Value codes; empty for all.
    pub(crate) allowed: Vec<String>,
}

impl DefaultDimension {
    /// The codes of dimension and value, the latter blank for none.
    pub(crate) fn codes(&self, tables: &Tables) -> (String, String) {
        let dimension = tables.dimensions.get(self.dimension).map(|row| row.code.clone());
        let value = tables.dimension_values.get(self.value).map(|(_, row)| row.code.clone());
        (dimension.unwrap_or_default(), value.unwrap_or_default())
    }
}

/// What the company starts with.
pub(crate) fn first(company: &Company) -> impl Iterator<Item = DefaultDimension> {
    let vendors = company.vendors.iter().map(|vendor| (vendor.id, &vendor.default_dimensions));
    let accounts = company.accounts.iter().map(|account| (account.id, &account.default_dimensions));
    vendors.chain(accounts).flat_map(move |(owner, defaults)| {
        defaults.iter().filter_map(move |default| {
            let dimension = company.dimension(&default.dimension)?;
            let value = dimension.value(&default.value).map_or_else(Uuid::nil, |value| value.id);
            let validation = if default.mandatory { Validation::CodeMandatory } else { Validation::Blank };
            Some(DefaultDimension { owner, dimension: dimension.id, value, validation, allowed: Vec::new() })
        })
    })
}

/// The set.
pub(crate) struct DefaultDimensions;

static SCHEMA: Schema = Schema {
    set: "defaultDimensions",
    entity: "defaultDimension",
    fields: &[
        r("id", Guid),
        w("parentType", Enum(&[BLANK, "Customer", "Item", "Vendor", "Employee"])),
        w("parentId", Guid),
        w("dimensionId", Guid),
        r("dimensionCode", Code(20)),
        w("dimensionValueId", Guid),
        r("dimensionValueCode", Code(20)),
        w("postingValidation", Enum(VALIDATIONS)),
        r("lastModifiedDateTime", DateTime),
    ],
};

fn no_parent() -> Refusal {
    Refusal::dialog("You must get to the parent first to get to the default dimensions.")
}

impl EntitySet for DefaultDimensions {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    /// Those of accounts are never shown: there is no such parent type.
    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        let owner = scope.parent.map(|parent| parent.id);
        if owner.is_none() && exact.is_none() {
            return Err(no_parent());
        }
        let rows = tables.default_dimensions.iter().filter(|(id, row)| {
            exact.is_none_or(|exact| exact == *id)
                && owner.is_none_or(|owner| owner == row.owner)
                && tables.vendors.get(row.owner).is_some()
        });
        Ok(rows.map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        let Some(row) = tables.default_dimensions.row(id) else {
            return Value::Null;
        };
        let (dimension, value) = row.value.codes(tables);
        match field {
            "id" => schema::guid(id),
            "parentType" => "Vendor".into(),
            "parentId" => schema::guid(row.value.owner),
            "dimensionId" => schema::guid(row.value.dimension),
            "dimensionCode" => dimension.into(),
            "dimensionValueId" => schema::guid(row.value.value),
            "dimensionValueCode" => value.into(),
            "postingValidation" => row.value.validation.name().into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            _ => Value::Null,
        }
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.default_dimensions.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        let input = Input::read(self, body, true)?;
        let sent = input.guid("parentId").filter(|id| !id.is_nil());
        let owner = scope.parent.map(|parent| parent.id).or(sent).ok_or_else(no_parent)?;
        let vendor = work.tables.vendors.get(owner).ok_or_else(no_parent)?;
        let number = vendor.base.number.clone();
        let mut row = DefaultDimension {
            owner,
            dimension: Uuid::nil(),
            value: Uuid::nil(),
            validation: Validation::Blank,
            allowed: Vec::new(),
        };
        change(work.tables, &mut row, &input)?;
        if row.dimension.is_nil() {
            return Err(Refusal::field(
                "Dimension Code must have a value in Default Dimension. It cannot be zero or empty.",
            ));
        }
        let twin = |other: &DefaultDimension| other.owner == owner && other.dimension == row.dimension;
        if work.tables.default_dimensions.find(twin).is_some() {
            let (code, _) = row.codes(work.tables);
            return Err(Refusal::same_key(
                "Default Dimension",
                &format!("Table ID='23',No.='{number}',Dimension Code"),
                &code,
            ));
        }
        let id = work.ids.guid();
        work.tables.put(|tables| &mut tables.default_dimensions, id, row, work.now);
        Ok(id)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let input = Input::read(self, body, false)?;
        let mut row = work.tables.default_dimensions.get(id).cloned().ok_or_else(|| Refusal::no_segment(SCHEMA.set))?;
        let (owner, before) = (row.owner, row.dimension);
        if input.guid("parentId").is_some_and(|sent| sent != owner) {
            return Err(Refusal::dialog("The \"parentId\" cannot be changed."));
        }
        if input.guid("dimensionId").is_some_and(|sent| sent != before) {
            return Err(Refusal::dialog("The \"dimensionId\" cannot be changed."));
        }
        change(work.tables, &mut row, &input)?;
        work.tables.put(|tables| &mut tables.default_dimensions, id, row, work.now);
        Ok(())
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        work.tables.default_dimensions.remove(id);
        Ok(())
    }
}

/// The value alone fixes the dimension.
fn change(tables: &Tables, row: &mut DefaultDimension, input: &Input) -> Result<(), Refusal> {
    if let Some(id) = input.guid("dimensionId").filter(|id| !id.is_nil()) {
        let found = tables.dimensions.get(id);
        let code = &found.ok_or_else(|| Refusal::dialog("The \"dimensionId\" does not match to a Dimension."))?.code;
        if tables.rules.blocked_dimensions.contains(code) {
            return Err(Refusal::dialog(format!("Dimension {code} is blocked.")));
        }
        row.dimension = id;
    }
    if let Some(id) = input.guid("dimensionValueId").filter(|id| !id.is_nil()) {
        let found = tables.dimension_values.get(id);
        let (dimension, _) =
            found.ok_or_else(|| Refusal::dialog("The \"dimensionValueId\" does not match to a Dimension Value."))?;
        if !row.dimension.is_nil() && row.dimension != *dimension {
            return Err(Refusal::dialog(
                "The \"dimensionId\" and \"dimensionValueId\" match to different Dimension records.",
            ));
        }
        let code = tables.dimensions.get(*dimension).map_or("", |row| row.code.as_str());
        dimensions::usable(tables, code, id)?;
        (row.dimension, row.value) = (*dimension, id);
    }
    if let Some(Scalar::Text(name)) = input.get("postingValidation") {
        row.validation = Validation::of(name);
    }
    Ok(())
}
