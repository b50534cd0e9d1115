//! How a vendor can be paid: one payment account for each rail.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::brex::error::Refusal;
use crate::brex::input::{Fields, invalid, object, required_text, text};

const LONGEST_RECIPIENT: usize = 40;
/// The field of NACHA's account number.
const LONGEST_ACCOUNT_NUMBER: usize = 17;
const ADDRESS: [&str; 7] = ["line1", "line2", "city", "state", "country", "postal_code", "phone_number"];

/// A way for money to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rail {
    /// ACH.
    Ach,
    /// Wire within the US.
    DomesticWire,
    /// Paper.
    Cheque,
    /// SWIFT wire; only to vendors made in the dashboard.
    InternationalWire,
}

/// Who makes or changes a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeIn {
    /// A caller of the API.
    Api,
    /// A person in Brex's dashboard.
    Dashboard,
}

/// One payment account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::brex) struct PaymentAccount {
    pub(in crate::brex) rail: Rail,
    pub(in crate::brex) instrument_id: String,
    pub(in crate::brex) beneficiary_name: Option<String>,
    fields: Fields,
}

/// A payment account as it is asked for.
pub(super) struct Wanted {
    pub(super) rail: Rail,
    beneficiary_name: Option<String>,
    fields: Fields,
}

impl Wanted {
    pub(super) fn with_id(self, instrument_id: String) -> PaymentAccount {
        let Self { rail, beneficiary_name, fields } = self;
        PaymentAccount { rail, instrument_id, beneficiary_name, fields }
    }
}

impl PaymentAccount {
    pub(super) fn json(&self) -> Value {
        let mut details = Fields::new();
        details.insert("type".to_owned(), json!(self.rail));
        details.insert("payment_instrument_id".to_owned(), json!(self.instrument_id));
        details.extend(self.fields.clone());
        json!({ "details": details })
    }

    pub(in crate::brex) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

/// The list of a body; none if it is not there.
pub(super) fn read_all(body: &Fields, by: MadeIn) -> Result<Option<Vec<Wanted>>, Refusal> {
    let items = match body.get("payment_accounts") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(invalid("payment_accounts")),
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    for item in items {
        let item = item.as_object().ok_or_else(|| invalid("payment_accounts"))?;
        let account = read(object(item, "details")?, by)?;
        if wanted.iter().any(|other| other.rail == account.rail) {
            return Err(invalid("payment_accounts"));
        }
        wanted.push(account);
    }
    Ok(Some(wanted))
}

fn read(details: &Fields, by: MadeIn) -> Result<Wanted, Refusal> {
    let rail = details.get("type").and_then(|rail| Rail::deserialize(rail).ok()).ok_or_else(|| invalid("type"))?;
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    match rail {
        Rail::Ach => {
            put("routing_number", json!(routing_number(details)?));
            put("account_number", json!(account_number(details)?));
            put("account_type", json!(one_of(details, "account_type", &["CHECKING", "SAVING"])?));
            put("account_class", json!(one_of(details, "account_class", &["BUSINESS", "PERSONAL"])?));
        }
        Rail::DomesticWire => {
            put("routing_number", json!(routing_number(details)?));
            put("account_number", json!(account_number(details)?));
            put("address", address(details, "address")?);
        }
        Rail::Cheque => {
            let recipient = required_text(details, "recipient_name")?;
            if recipient.len() > LONGEST_RECIPIENT {
                return Err(invalid("recipient_name"));
            }
            put("mailing_address", address(details, "mailing_address")?);
            put("recipient_name", json!(recipient));
        }
        Rail::InternationalWire if by == MadeIn::Api => return Err(invalid("type")),
        Rail::InternationalWire => {
            put("swift_code", json!(required_text(details, "swift_code")?));
            put("iban", json!(required_text(details, "iban")?));
            put("beneficiary_bank_name", json!(text(details, "beneficiary_bank_name")?));
            put("address", address(details, "address")?);
        }
    }
    Ok(Wanted { rail, beneficiary_name: text(details, "beneficiary_name")?, fields })
}

/// Nine digits of which the last checks the others (ABA).
fn routing_number(details: &Fields) -> Result<String, Refusal> {
    let number = required_text(details, "routing_number")?;
    let digits: Option<Vec<u32>> = number.chars().map(|digit| digit.to_digit(10)).collect();
    let checks = |digits: &Vec<u32>| {
        let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        digits.len() == 9 && sum > 0 && sum.is_multiple_of(10)
    };
    if digits.as_ref().is_some_and(checks) { Ok(number) } else { Err(invalid("routing_number")) }
}

fn account_number(details: &Fields) -> Result<String, Refusal> {
    let number = required_text(details, "account_number")?;
    let plain = number.len() <= LONGEST_ACCOUNT_NUMBER && number.chars().all(|digit| digit.is_ascii_alphanumeric());
    if plain { Ok(number) } else { Err(invalid("account_number")) }
}

fn one_of(details: &Fields, name: &str, choices: &[&str]) -> Result<String, Refusal> {
    required_text(details, name).and_then(
        |text| {
            if choices.contains(&text.as_str()) { Ok(text) } else { Err(invalid(name)) }
        },
    )
}

/// All seven keys; each may be null. No PO box, and the country is ISO alpha-2.
fn address(details: &Fields, name: &str) -> Result<Value, Refusal> {
    let given = object(details, name)?;
    let mut address = Fields::new();
    for key in ADDRESS {
        address.insert(key.to_owned(), json!(text(given, key)?));
    }
    let value = |key: &str| address.get(key).and_then(Value::as_str);
    let is_box = |line: &str| line.to_ascii_lowercase().replace(['.', ' '], "").starts_with("pobox");
    if value("line1").is_some_and(is_box) {
        return Err(invalid("line1"));
    }
    let is_code = |code: &str| code.len() == 2 && code.chars().all(|letter| letter.is_ascii_uppercase());
    if value("country").is_some_and(|code| !is_code(code)) {
        return Err(invalid("country"));
    }
    Ok(Value::Object(address))
}
