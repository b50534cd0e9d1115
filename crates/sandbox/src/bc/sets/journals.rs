//! `journals` and `vendorPaymentJournals`: the same batches, seen through their templates.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::journal_lines::{JOURNAL_LINES, VENDOR_PAYMENTS};
use super::{EntitySet, Scope, Work};
use crate::bc::error::Refusal;
use crate::bc::input::Input;
use crate::bc::journal::{self, GENERAL, GL_ACCOUNT, Journal, PAYMENT, Side};
use crate::bc::schema::Kind::{Code, DateTime, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::Tables;

/// One face of the batches.
pub(crate) struct Journals {
    schema: &'static Schema,
    /// The template of new batches, and what is listed if no other one is asked for.
    template: &'static str,
}

pub(crate) static JOURNALS: Journals = Journals {
    template: GENERAL,
    schema: &Schema {
        set: "journals",
        entity: "journal",
        fields: &[
            r("id", Guid),
            w("code", Code(10)),
            w("displayName", Text(100)),
            w("templateDisplayName", Code(10)),
            r("lastModifiedDateTime", DateTime),
            w("balancingAccountId", Guid),
            r("balancingAccountNumber", Code(20)),
        ],
    },
};

pub(crate) static VENDOR_PAYMENT_JOURNALS: Journals = Journals {
    template: PAYMENT,
    schema: &Schema {
        set: "vendorPaymentJournals",
        entity: "vendorPaymentJournal",
        fields: &[
            r("id", Guid),
            w("code", Code(10)),
            w("displayName", Text(100)),
            w("balancingAccountId", Guid),
            r("balancingAccountNumber", Code(20)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
};

impl Journals {
    fn change(tables: &Tables, journal: &mut Journal, id: Option<Uuid>, input: &Input) -> Result<(), Refusal> {
        if let Some(code) = input.text("code") {
            code.clone_into(&mut journal.code);
        }
        if let Some(name) = input.text("displayName") {
            name.clone_into(&mut journal.name);
        }
        if let Some(template) = input.text("templateDisplayName").filter(|template| !template.is_empty()) {
            if ![GENERAL, PAYMENT].contains(&template) {
                return Err(Refusal::relation(
                    "Journal Template Name",
                    "Gen. Journal Batch",
                    template,
                    "Gen. Journal Template",
                ));
            }
            template.clone_into(&mut journal.template);
        }
        if let Some(account) = input.guid("balancingAccountId") {
            journal.balancing = if account.is_nil() {
                Side::default()
            } else {
                let wrong = || Refusal::dialog("The \"balancingAccountId\" does not match to an Account.");
                let side = Side::find(tables, GL_ACCOUNT, Some(account), None).ok_or_else(wrong)?;
                journal::line::check_side(tables, &side)?;
                side
            };
        }
        journal::check_code(tables, id, &journal.template, &journal.code)
    }
}

impl EntitySet for Journals {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        let lines = if self.template == GENERAL { &JOURNAL_LINES } else { &VENDOR_PAYMENTS };
        (name == lines.schema().set).then_some(lines as &dyn EntitySet)
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        // A direct id and a filter on the template reach batches of other templates through `journals`.
        let asked = scope.filter.is_some_and(|filter| filter.required("templateDisplayName").is_some());
        let every = self.template == GENERAL && (asked || exact.is_some());
        let fits =
            |id: Uuid, row: &Journal| exact.is_none_or(|exact| exact == id) && (every || row.template == self.template);
        Ok(tables.journals.iter().filter(|(id, row)| fits(*id, row)).map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        let Some(row) = tables.journals.row(id) else {
            return Value::Null;
        };
        let journal = &row.value;
        let is_gl = journal.balancing.kind == GL_ACCOUNT;
        match field {
            "id" => schema::guid(id),
            "code" => journal.code.as_str().into(),
            "displayName" => journal.name.as_str().into(),
            "templateDisplayName" => journal.template.as_str().into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            "balancingAccountId" => schema::guid(if is_gl { journal.balancing.id } else { Uuid::nil() }),
            "balancingAccountNumber" => journal.balancing.number.as_str().into(),
            _ => Value::Null,
        }
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.journals.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, _scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        let input = Input::read(self, body, true)?;
        let template = self.template.to_owned();
        let mut journal = Journal { code: String::new(), name: String::new(), template, balancing: Side::default() };
        Self::change(work.tables, &mut journal, None, &input)?;
        if input.nested.iter().any(|(_, rows)| !rows.is_empty()) {
            return Err(Refusal::bad_request("Create the lines with requests of their own."));
        }
        let id = work.ids.guid();
        work.tables.put(|tables| &mut tables.journals, id, journal, work.now);
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
        let row = work.tables.journals.get(id).cloned();
        let mut journal = row.ok_or_else(|| Refusal::no_segment(self.schema.set))?;
        Self::change(work.tables, &mut journal, Some(id), &input)?;
        work.tables.put(|tables| &mut tables.journals, id, journal, work.now);
        Ok(())
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        for (line, _) in journal::lines(work.tables, id) {
            journal::line::delete(work, line);
        }
        work.tables.journals.remove(id);
        Ok(())
    }

    fn act(&self, work: &mut Work<'_>, id: Uuid, action: &str) -> Result<(), Refusal> {
        if action == "post" && self.template == GENERAL {
            return journal::post::post(work, id);
        }
        Err(Refusal::no_segment(&format!("Microsoft.NAV.{action}")))
    }
}
