//! What the custom fields of expenses mean in our own ids. Accounting records say it themselves; for expenses Brex's Fields
//! API is asked, once per field and option, since neither id ever changes there. Where the token may not read fields, names
//! are all there is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use clients::brex::{Choice, Client, CustomField, Expense, Field};
use clients::{Error, Kind};
use domain::record::CodedField;

/// The fields and options that were met so far.
#[derive(Debug, Default)]
pub struct Choices {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the key of an expense: the fields that it may stand for.
    fields: HashMap<String, Vec<Field>>,
    /// By the option's id: our ids of field and value; none if no field has it.
    options: HashMap<String, Option<Meaning>>,
    /// Brex refused the permission.
    closed: bool,
}

#[derive(Clone, Debug)]
struct Meaning {
    field: Option<String>,
    field_name: String,
    value: Option<String>,
}

impl Choices {
    /// Asks Brex for what these expenses are coded with, as far as it is not known.
    pub async fn learn<'a>(&self, brex: &Client, expenses: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let expenses = expenses.filter_map(|json| Expense::from_json(json).ok());
        let coded: Vec<CustomField> = expenses.flat_map(|expense| expense.custom_fields).collect();
        match self.ask(brex, &coded).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::Refused | Kind::NotFound) => {
                tracing::warn!(error = %error, "fields cannot be read; coding is read by names alone");
                self.write(|known| known.closed = true);
                Ok(())
            }
            asked => asked,
        }
    }

    async fn ask(&self, brex: &Client, coded: &[CustomField]) -> Result<(), Error> {
        let (keys, options) = self.read(|known| known.missing(coded));
        if !keys.is_empty() {
            let all = brex.list_fields().await?;
            let of = |key: &String| all.iter().filter(|field| is_named(field, key)).cloned().collect();
            self.write(|known| known.fields.extend(keys.iter().map(|key| (key.clone(), of(key)))));
        }
        for (key, options) in options {
            let fields = self.read(|known| known.fields.get(&key).cloned()).unwrap_or_default();
            let mut found: HashMap<String, Option<Meaning>> = options.iter().map(|id| (id.clone(), None)).collect();
            for field in &fields {
                let values = match brex.find_field_values(&field.brex_id, &options).await {
                    // Deleted since the fields were listed.
                    Err(error) if error.kind() == Kind::NotFound => Vec::new(),
                    answer => answer?,
                };
                for value in values {
                    let meaning = Meaning {
                        field: field.remote_id.clone(),
                        field_name: field.name.clone(),
                        value: value.remote_id.filter(|id| !id.trim().is_empty()).or(value.value_id),
                    };
                    found.insert(value.brex_id, Some(meaning));
                }
            }
            self.write(|known| known.options.extend(found));
        }
        Ok(())
    }

    /// Asks again although Brex refused the permission: it may have been given since.
    pub fn reopen(&self) {
        self.write(|known| known.closed = false);
    }

    /// The coding of an expense, as a record would tell it.
    pub fn coding(&self, fields: &[CustomField]) -> Vec<CodedField> {
        let one = |known: &Known| {
            let choices =
                fields.iter().flat_map(|field| field.choices().into_iter().map(move |choice| (field, choice)));
            choices.map(|(field, choice)| known.coded(&field.key, choice)).collect()
        };
        self.read(one)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Known {
    /// Keys and, by key, options that Brex was not asked for yet.
    fn missing(&self, coded: &[CustomField]) -> (HashSet<String>, BTreeMap<String, Vec<String>>) {
        let (mut keys, mut options) = (HashSet::new(), BTreeMap::<String, Vec<String>>::new());
        if self.closed {
            return (keys, options);
        }
        for field in coded {
            if !self.fields.contains_key(&field.key) {
                keys.insert(field.key.clone());
            }
            let open = field.choices().into_iter().filter_map(|choice| choice.option_id);
            for id in open.filter(|id| !self.options.contains_key(id)) {
                let of_field = options.entry(field.key.clone()).or_default();
                if !of_field.contains(&id) {
                    of_field.push(id);
                }
            }
        }
        (keys, options)
    }

    fn coded(&self, key: &str, choice: Choice) -> CodedField {
        let meaning = choice.option_id.as_ref().and_then(|id| self.options.get(id)?.clone());
        let meaning = meaning.unwrap_or_else(|| match self.fields.get(key).map(Vec::as_slice) {
            Some([only]) => Meaning { field: only.remote_id.clone(), field_name: only.name.clone(), value: None },
            _ => Meaning { field: None, field_name: key.to_owned(), value: None },
        });
        CodedField {
            field: meaning.field,
            field_name: Some(meaning.field_name),
            value: meaning.value,
            value_name: choice.label,
        }
    }
}

/// Whether the key of an expense stands for the field: by id or by name, since it is not documented which.
fn is_named(field: &Field, key: &str) -> bool {
    field.brex_id == key || field.remote_id.as_deref() == Some(key) || field.name.trim() == key.trim()
}
