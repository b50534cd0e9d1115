//! The table `spend`: what exported documents came to, by month, currency, and account or dimension value. It is kept by the transaction
//! that writes the records, as the counts are (`record_counts`).

use std::collections::BTreeMap;

use domain::document::{DocumentKind, PlannedDocument};
use domain::id::ConnectionId;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::records::Records;
use crate::row::Table;

const TABLE: Table = Table { name: "spend", key: &["connection", "month", "currency", "dimension", "value"] };

/// Digits after the point that are kept.
const SCALE: u32 = 4;

/// What was spent on an account, or under a value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The month of the posting dates: `2026-06`.
    pub month: String,
    /// The foreign currency; none means the company's own.
    pub currency: Option<String>,
    /// The code of the dimension; none means that `value` is a G/L account.
    pub dimension: Option<String>,
    /// Number of the account, or code of the value.
    pub value: String,
    /// How much; credit memos are less.
    pub amount: Decimal,
}

/// What a batch changes.
#[derive(Default)]
pub(crate) struct SpendChanges {
    amounts: BTreeMap<(String, String, String, String), i64>,
}

impl SpendChanges {
    /// A plan of an exported document counts from now on (`sign` 1), or does not any more (-1). What cannot be read never counted.
    pub(crate) fn add(&mut self, plan: Option<&str>, sign: i64) {
        let Some(plan) = plan.and_then(|text| serde_json::from_str::<PlannedDocument>(text).ok()) else { return };
        let sign = if plan.kind == DocumentKind::CreditMemo { -sign } else { sign };
        let month = month(plan.posting_date);
        let currency = clean(plan.currency.as_deref().unwrap_or_default());
        for line in &plan.lines {
            let Some(amount) = ten_thousandths(line.amount) else { continue };
            let dimensions = line.dimensions.iter().map(|(code, value)| (code.as_str(), value.as_str()));
            for (dimension, value) in dimensions.chain([("", line.account.as_str())]) {
                let key = (month.clone(), currency.clone(), clean(dimension), clean(value));
                let sum = self.amounts.entry(key).or_default();
                *sum = sum.saturating_add(sign.saturating_mul(amount));
            }
        }
    }

    /// Writes them. Always in the same order, so that two writers never wait for each other.
    pub(crate) async fn write(self, tx: &mut AnyConnection, connection: &ConnectionId) -> Result<(), Error> {
        let amounts: Vec<_> = self.amounts.into_iter().filter(|(_, amount)| *amount != 0).collect();
        for amounts in amounts.chunks(CHUNK) {
            Statement::new("INSERT INTO spend (connection, month, currency, dimension, value, amount_e4) ")
                .push_rows(amounts, |((month, currency, dimension, value), amount), tuple| {
                    tuple
                        .bind(connection.as_str())
                        .bind(month.as_str())
                        .bind(currency.as_str())
                        .bind(dimension.as_str())
                        .bind(value.as_str())
                        .bind(*amount);
                })
                .push(
                    " ON CONFLICT (connection, month, currency, dimension, value) DO UPDATE \
                     SET amount_e4 = spend.amount_e4 + excluded.amount_e4",
                )
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

/// How a month is written: `2026-06`.
pub(crate) fn month(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

fn ten_thousandths(amount: Decimal) -> Option<i64> {
    amount.checked_mul(Decimal::from(10_i64.pow(SCALE)))?.round().to_i64()
}

impl Records<'_> {
    /// What was spent since the month of a date, by month.
    pub async fn spend_since(&self, connection: &ConnectionId, since: Date) -> Result<Vec<Spend>, Error> {
        let statement = Statement::new(
            "SELECT connection, month, currency, dimension, value, amount_e4 FROM spend \
             WHERE connection = $1 AND month >= $2 AND amount_e4 <> 0 ORDER BY month, currency, dimension, value",
        )
        .bind(connection.as_str())
        .bind(month(since));
        self.db.rows(statement).await?.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Spend, Error> {
    let row = TABLE.row(row);
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Spend {
        month: row.text("month")?,
        currency: given(row.text("currency")?),
        dimension: given(row.text("dimension")?),
        value: row.text("value")?,
        amount: Decimal::new(row.integer("amount_e4")?, SCALE),
    })
}
