//! The payments that the account has made at its start, so that a reconciliation has something to do: bills paid with
//! their number in the memo, without it, returned, refused; strangers; money that came in.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use super::cash::CashAccount;
use super::expenses::minor;
use super::input::Fields;
use super::state::State;
use super::transfers::{CancellationReason, Linked, PaymentType, TransferAction, date};
use super::vendors::MadeIn;
use crate::ids::Ids;

/// What is always on the account beyond what was paid.
const CUSHION_CENTS: i64 = 50_000_000;
/// Ids of the history are drawn far away from those of what happens later.
const FAR: u64 = 1 << 40;
/// Whom Brex knows and Business Central does not.
const STRANGERS: [&str; 3] = ["Kestrel Courier Cooperative", "Brightwater Janitorial LLC", "Ulverston Sign Works"];

/// Something that happened at a moment.
enum Past {
    Bill { vendor: Value, cents: i64, invoice: String },
    BillPayment { cents: i64 },
    Collection { cents: i64 },
    Customer { cents: i64 },
}

impl Past {
    fn out(&self) -> i64 {
        match self {
            Self::Bill { cents, .. } | Self::BillPayment { cents } | Self::Collection { cents } => *cents,
            Self::Customer { .. } => 0,
        }
    }
}

impl State {
    /// Opens the accounts and lives through the past until `now`.
    pub(super) fn live_through_past(&mut self, ids: &Ids, now: Timestamp) {
        let later = std::mem::replace(&mut self.drawn, FAR);
        let past = self.past(now);
        let spent: i64 = past.iter().map(|(_, past)| past.out()).sum();
        let opened = date(past.first().map_or(now, |(at, _)| *at));
        self.cash = vec![
            CashAccount::new(ids, "Operating Account", true, spent.saturating_add(CUSHION_CENTS), opened),
            CashAccount::new(ids, "Reserve Account", false, CUSHION_CENTS, opened),
        ];
        self.linked = [("First Harbor Bank", "4821"), ("Peachtree Credit Union", "0096")]
            .map(|(bank, four)| Linked {
                id: ids.prefixed("finacc"),
                bank: bank.to_owned(),
                last_four: four.to_owned(),
            })
            .to_vec();
        for (number, (at, past)) in past.into_iter().enumerate() {
            self.settle(at);
            self.relive(number, past, at);
        }
        self.settle(now);
        self.drawn = later;
    }

    /// What the records tell, and a customer's payment for every tenth.
    fn past(&self, now: Timestamp) -> Vec<(Timestamp, Past)> {
        let mut past = Vec::new();
        for (number, record) in self.journal.iter().enumerate().filter(|(_, record)| record.face.posted_at < now) {
            let at = record.face.posted_at;
            let json = record.value();
            let cents = minor(&json["amount"])["amount"].as_i64().unwrap_or(0).saturating_abs();
            let event = match record.face.record_type.as_str() {
                "BILL_EXPENSE" if json["vendor"]["name"].as_str().is_some_and(str::is_ascii) => Some(Past::Bill {
                    vendor: json["vendor"].clone(),
                    cents,
                    invoice: json["invoice_number"].as_str().unwrap_or_default().to_owned(),
                }),
                "BILL_EXPENSE_PAYMENT" => Some(Past::BillPayment { cents }),
                "CARD_PAYMENT" => Some(Past::Collection { cents }),
                _ => None,
            };
            past.extend(event.filter(|event| event.out() > 0).map(|event| (at, event)));
            if number % 10 == 9 {
                past.push((at, Past::Customer { cents: cents.max(1) }));
            }
        }
        past
    }

    fn relive(&mut self, number: usize, past: Past, at: Timestamp) {
        let Some(account_id) = self.cash.first().map(|account| account.id.clone()) else {
            return;
        };
        match past {
            Past::Bill { vendor, cents, invoice } => {
                let Some(instrument) = self.known(number, &vendor) else {
                    return;
                };
                let paid_at = at.saturating_add(SignedDuration::from_mins(30)).unwrap_or(at);
                match number % 6 {
                    // Not paid yet.
                    5 => {}
                    4 => {
                        self.pay(&instrument, cents, "Payment", account_id, false, paid_at);
                    }
                    3 => self.refused(&instrument, cents, &invoice, account_id, paid_at),
                    2 => {
                        self.pay(&instrument, cents, &invoice, account_id, true, paid_at);
                    }
                    _ => {
                        self.pay(&instrument, cents, &invoice, account_id, false, paid_at);
                    }
                }
            }
            Past::BillPayment { cents } => {
                let name = STRANGERS[number % STRANGERS.len()];
                if let Some(instrument) = self.known(number, &json!({ "name": name })) {
                    self.pay(&instrument, cents, "Services", account_id, false, at);
                }
            }
            Past::Collection { cents } => {
                if let Some(account) = self.cash.first_mut() {
                    account.post("Brex Card payment", -cents, date(at), at, "CARD_COLLECTION", None);
                }
            }
            Past::Customer { cents } => {
                self.receive(
                    "Contoso Retail",
                    &format!("Invoice {number}"),
                    cents,
                    PaymentType::DomesticWire,
                    account_id,
                    at,
                );
            }
        }
    }

    fn refused(&mut self, instrument: &str, cents: i64, memo: &str, account_id: String, at: Timestamp) {
        let reason = Some(CancellationReason::UserCancelled);
        if let Some(id) = self.pay(instrument, cents, memo, account_id, true, at).and_then(|place| self.id_at(place))
            && let Err(error) = self.act(&id, TransferAction::Fail { reason }, at)
        {
            tracing::error!(error, "the history cannot cancel a transfer");
        }
    }

    /// The payment instrument of a vendor of the records, who becomes known to Brex if he is not.
    fn known(&mut self, number: usize, vendor: &Value) -> Option<String> {
        let name = vendor["name"].as_str()?;
        let settings = self.settings.payments.clone();
        if let Some(known) = self.vendors.named(name, &settings).values().next() {
            return known.accounts.iter().flatten().next().map(|account| account.instrument_id.clone());
        }
        let address = json!({ "line1": "1 Market Street", "city": "Atlanta", "state": "GA", "country": "US", "postal_code": "30303" });
        let account = (number % 1_000_000).to_u64().unwrap_or(0) + 381_000_000;
        let details = match number % 5 {
            3 => {
                json!({ "type": "CHEQUE", "mailing_address": address, "recipient_name": name.get(..40).unwrap_or(name) })
            }
            4 => {
                json!({ "type": "DOMESTIC_WIRE", "routing_number": "021000021", "account_number": account.to_string(), "address": address })
            }
            _ => json!({ "type": "ACH", "routing_number": "021000021", "account_number": account.to_string(),
                         "account_type": "CHECKING", "account_class": "BUSINESS" }),
        };
        let mut body = Fields::new();
        body.insert("company_name".to_owned(), json!(name));
        body.insert("email".to_owned(), vendor["email"].clone());
        body.insert("phone".to_owned(), vendor["phone"].clone());
        body.insert("payment_accounts".to_owned(), json!([{ "details": details }]));
        match self.add_vendor(&body, MadeIn::Dashboard, vendor["id"].as_str()) {
            Ok(made) => made.accounts?.first().map(|account| account.instrument_id.clone()),
            Err(refusal) => {
                tracing::error!(why = refusal.message(), name, "the history has a vendor that Brex refuses");
                None
            }
        }
    }
}
