//! Makes one list in Brex equal to Business Central's, in calls of at most a thousand values.

use clients::brex::{
    Field, FieldValue, IntegrationAnswer, NewField, NewValue, VALUES_PER_CALL, ValueChange, ValueData,
};
use domain::audit::Note;
use domain::coding_list::{ACCOUNT_FIELD, Change, Difference, Kept, TAX_FIELD, Wanted, compare};
use serde_json::{Value, json};
use uuid::Uuid;

use super::axis::Axis;
use super::{Halt, Run, Standing};
use crate::flow::bisect::ask;

/// Namespace of the idempotency keys.
const KEYS: Uuid = uuid::uuid!("0b0c8d0e-43a1-5f0e-9c38-3c6c1a2f7d11");

/// What Brex has, in the words of the comparison.
pub(super) fn kept(values: Vec<FieldValue>) -> Vec<Kept> {
    let one = |value: FieldValue| Kept {
        brex_id: value.brex_id,
        remote_id: value.remote_id,
        code: value.value_id,
        label: value.value,
        is_disabled: value.is_disabled,
    };
    values.into_iter().map(one).collect()
}

/// The field of an axis among those of Brex.
pub(super) fn field_of<'a>(axis: &Axis, fields: &'a [Field]) -> Option<&'a Field> {
    fields.iter().find(|field| field.remote_id.as_deref() == Some(axis.remote_id.as_str()))
}

impl Run<'_> {
    /// Compares a list and sends what differs.
    pub(super) async fn keep(&self, axis: &Axis, fields: &[Field]) -> Result<Standing, Halt> {
        let mut standing = Standing {
            fingerprint: axis.fingerprint(),
            compared_ms: self.app.now_ms(),
            offered: 0,
            foreign: 0,
            problems: Vec::new(),
        };
        if !axis.is_known {
            let code = axis.dimension.as_deref().unwrap_or_default();
            standing.problems.push(format!(
                "the dimension {code} is not in Business Central: create it, or take it out of coding_lists.dimensions"
            ));
            return Ok(standing);
        }
        let field = match field_of(axis, fields) {
            Some(field) => field.clone(),
            None => match self.make_field(axis).await? {
                Ok(field) => field,
                Err(problem) => {
                    standing.problems.push(problem);
                    return Ok(standing);
                }
            },
        };
        if field.is_disabled {
            let name = &field.name;
            standing
                .problems
                .push(format!("the field {name:?} is disabled in Brex: enable it, or nobody can code with it"));
        }
        let values = kept(self.connection.brex.list_field_values(&field.brex_id).await?);
        let difference = compare(&axis.values, &values);
        standing.foreign = difference.foreign;
        self.send(axis, &field, difference, &mut standing).await?;
        standing.offered = axis.values.len().saturating_sub(standing.problems.len());
        Ok(standing)
    }

    async fn send(
        &self,
        axis: &Axis,
        field: &Field,
        difference: Difference,
        standing: &mut Standing,
    ) -> Result<(), Halt> {
        let brex = &self.connection.brex;
        for part in difference.create.chunks(VALUES_PER_CALL) {
            self.fence().await?;
            let asked = ask(part.to_vec(), |part| async move {
                let values: Vec<NewValue> = part.iter().map(new_value).collect();
                brex.create_field_values(key(&field.brex_id, &values), &field.brex_id, &values).await
            });
            let asked = asked.await?;
            let codes: Vec<&str> = asked.answers.iter().filter_map(|value| value.value_id.as_deref()).collect();
            self.tell(axis, "coding_values_created", json!({ "values": codes })).await?;
            for (value, error) in asked.refused {
                standing.problems.push(said(&value.label, &error));
            }
        }
        for part in difference.change.chunks(VALUES_PER_CALL) {
            self.fence().await?;
            let asked = ask(part.to_vec(), |part| async move {
                let changes: Vec<ValueChange> = part.iter().map(value_change).collect();
                brex.update_field_values(&field.brex_id, &changes).await.map(|_| part)
            });
            let asked = asked.await?;
            let changes: Vec<Value> = asked.answers.iter().map(shown).collect();
            self.tell(axis, "coding_values_changed", json!({ "values": changes })).await?;
            for (change, error) in asked.refused {
                standing.problems.push(said(&change.was, &error));
            }
        }
        Ok(())
    }

    /// Makes the field of an axis; or says what a person has to do first.
    async fn make_field(&self, axis: &Axis) -> Result<Result<Field, String>, Halt> {
        let Some(vendor) = &self.connection.settings.coding_lists.integration_vendor else {
            return Ok(Err(format!(
                "Brex has no field with the remote id {}: set coding_lists.integration_vendor to the name that Brex gave \
                 to this integration, so that it can be made",
                axis.remote_id
            )));
        };
        let account = self.identity.bc_company.to_string();
        self.fence().await?;
        let integration = match self.connection.brex.create_integration(vendor, &account).await? {
            IntegrationAnswer::Integration(integration) => integration.integration_id,
            IntegrationAnswer::OtherVendorActive { vendor, .. } => {
                let other = vendor.unwrap_or_else(|| "another product".to_owned());
                return Ok(Err(format!(
                    "the accounting integration of {other} is active in Brex: disconnect it there first"
                )));
            }
            IntegrationAnswer::OtherAccountActive { vendor_account_id, .. } => {
                let other = vendor_account_id.unwrap_or_default();
                return Ok(Err(format!(
                    "the accounting integration in Brex belongs to the company {other}, not to {account}: disconnect it first"
                )));
            }
            IntegrationAnswer::NotActive { .. } => {
                return Ok(Err("the accounting integration is not active in Brex: connect it again".to_owned()));
            }
        };
        let new =
            NewField { name: self.name(axis).await?, remote_id: axis.remote_id.clone(), integration_id: integration };
        let field = self.connection.brex.create_field(key(&new.integration_id, &new), &new).await?;
        self.tell(axis, "coding_field_created", json!({ "brex_id": field.brex_id, "name": field.name })).await?;
        Ok(Ok(field))
    }

    /// What people see as the field's name.
    async fn name(&self, axis: &Axis) -> Result<String, Halt> {
        let Some(code) = &axis.dimension else {
            let name = match axis.remote_id.as_str() {
                ACCOUNT_FIELD => "G/L Account",
                TAX_FIELD => "Tax Code",
                _ => "Vendor",
            };
            return Ok(name.to_owned());
        };
        let dimensions = self.connection.bc.company(self.identity.bc_company).list_dimensions()?.all().await?;
        let found = dimensions.into_iter().find(|dimension| dimension.code.eq_ignore_ascii_case(code));
        Ok(found
            .map(|dimension| dimension.display_name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| code.clone()))
    }

    /// Nobody else may have taken the lane over before something is sent.
    async fn fence(&self) -> Result<(), Halt> {
        if self.app.store.lanes().holds(self.lease, self.app.now_ms()).await? {
            Ok(())
        } else {
            Err(store::Error::LostLease.into())
        }
    }

    async fn tell(&self, axis: &Axis, action: &str, detail: Value) -> Result<(), store::Error> {
        let subject = format!("coding_list {}", axis.remote_id);
        let note = Note { action: action.to_owned(), subject, before: None, after: None, detail };
        let (app, id) = (self.app, &self.connection.id);
        app.store.audit().append(self.lease, id, app.now_ms(), &app.actor(), &[note]).await
    }
}

/// The same content to the same place has the same key, so that sending it again makes nothing twice.
fn key<T: serde::Serialize>(place: &str, content: &T) -> Uuid {
    let content = serde_json::to_string(content).unwrap_or_default();
    Uuid::new_v5(&KEYS, format!("{place}\n{content}").as_bytes())
}

fn new_value(wanted: &Wanted) -> NewValue {
    NewValue { value: wanted.label.clone(), value_id: wanted.code.clone(), remote_id: wanted.id.to_string() }
}

fn value_change(change: &Change) -> ValueChange {
    let data = ValueData { value: change.label.clone(), is_disabled: change.disable };
    ValueChange { brex_id: change.brex_id.clone(), data }
}

/// A change for the trail and the plan.
pub(super) fn shown(change: &Change) -> Value {
    json!({ "brex_id": change.brex_id, "was": change.was, "label": change.label, "disable": change.disable })
}

fn said(label: &str, error: &clients::Error) -> String {
    format!("Brex refused the value {label:?}: {}", error.api_message().unwrap_or("it gave no reason"))
}
