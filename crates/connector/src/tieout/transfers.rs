//! The transfers of a period as they stood when they were last compared, with what was ordered and is not in Brex yet. They are
//! shown beside the tie-out and do not decide whether it holds: which payment is whose is decided by people and in BC.

use std::collections::BTreeMap;

use domain::id::ConnectionId;
use domain::money::Currency;
use domain::tieout::Period;
use domain::transfer::{Movement, Standing, Verdict, money_of};
use rust_decimal::Decimal;
use store::{Error, OrderState, PaymentLineState, Store, TransferRow};

use super::bridge::Line;
use super::by_currency;
use crate::payment_lines::TRANSFER;

/// The lines, or none where no transfer is known.
pub async fn transfers(store: &Store, connection: &ConnectionId, period: Period) -> Result<Vec<Line>, Error> {
    let rows = store.transfers().list(connection).await?;
    let orders = store.transfer_orders().list(connection).await?;
    if rows.is_empty() && orders.is_empty() {
        return Ok(Vec::new());
    }
    let lines = store.payment_lines().list(connection).await?;
    let mut sums = Sums::default();
    let of_period = |row: &&TransferRow| row.facts.date(row.settled).is_some_and(|day| period.contains(day));
    for row in rows.iter().filter(of_period) {
        let facts = &row.facts;
        let money = |cents: i64| money_of(cents, &facts.currency).amount;
        match row.movement() {
            Movement::Completed => {
                let standing = row.standing.as_ref();
                let left = standing.map_or(facts.amount, |standing| standing.left);
                sums.add(PAID, &facts.currency, money(facts.amount));
                sums.add(kind_of(standing), &facts.currency, money(facts.amount));
                if standing.is_some_and(|standing| standing.verdict == Verdict::Partly) {
                    sums.add(LEFT, &facts.currency, money(left));
                }
            }
            Movement::UnderWay => sums.add(UNDER_WAY, &facts.currency, money(facts.amount)),
            Movement::Failed | Movement::Returned => sums.add(BACK, &facts.currency, money(facts.amount)),
            Movement::Incoming => {}
        }
    }
    for order in &orders {
        let name = match order.state {
            OrderState::Proposed | OrderState::Approved | OrderState::Sending => ORDERED,
            OrderState::Held => ORDERS_HELD,
            OrderState::Created | OrderState::Declined | OrderState::Refused => continue,
        };
        let usd = Currency::usd();
        sums.add(name, &usd, money_of(order.order.cents, &usd).amount);
    }
    let held = |line: &&store::PaymentLine| line.owner_kind == TRANSFER && line.state == PaymentLineState::Held;
    for line in lines.iter().filter(held) {
        if let Ok(currency) = Currency::new(&line.currency) {
            sums.add(HELD, &currency, line.amount);
        }
    }
    Ok(sums.lines())
}

const PAID: &str = "completed transfers of the period";
const MATCHED: &str = "matched with documents";
const PARTLY: &str = "matched in part";
const LEFT: &str = "of these not accounted for";
const UNMATCHED: &str = "not matched";
const UNDER_WAY: &str = "transfers under way";
const BACK: &str = "transfers that failed or came back";
const ORDERED: &str = "ordered, and not in Brex yet (of any period)";
const ORDERS_HELD: &str = "orders that a person has to look at (of any period)";
const HELD: &str = "payment lines that a person has to look at (of any period)";

/// In this order; what adds up to the first is shown below it.
const ORDER: [(&str, bool); 10] = [
    (PAID, true),
    (MATCHED, false),
    (PARTLY, false),
    (LEFT, false),
    (UNMATCHED, false),
    (UNDER_WAY, false),
    (BACK, false),
    (ORDERED, false),
    (ORDERS_HELD, false),
    (HELD, false),
];

fn kind_of(standing: Option<&Standing>) -> &'static str {
    match standing.map(|standing| standing.verdict) {
        Some(Verdict::Matched) => MATCHED,
        Some(Verdict::Partly) => PARTLY,
        Some(Verdict::Unmatched | Verdict::SetAside) | None => UNMATCHED,
    }
}

#[derive(Default)]
struct Sums(BTreeMap<&'static str, (usize, BTreeMap<String, Decimal>)>);

impl Sums {
    fn add(&mut self, name: &'static str, currency: &Currency, amount: Decimal) {
        let (count, sums) = self.0.entry(name).or_default();
        *count = count.saturating_add(1);
        let sum = sums.entry(currency.to_string()).or_default();
        *sum = sum.saturating_add(amount);
    }

    fn lines(&self) -> Vec<Line> {
        let line = |(name, sum): (&'static str, bool)| {
            let (count, sums) = self.0.get(name).cloned().unwrap_or_default();
            (sum || count > 0).then(|| Line { name: name.to_owned(), count, amount: by_currency(&sums), sum })
        };
        ORDER.into_iter().filter_map(line).collect()
    }
}
