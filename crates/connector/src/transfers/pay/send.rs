//! Makes the ordered transfers, each once.
//!
//! Brex takes a key with every transfer and ignores a repeat, but says neither for how long nor with which answer. So the
//! order is committed before it is sent; after an unclear answer, or a death, the transfer is looked for by its memo, which
//! nobody else writes, and only then asked for again, with the same key and for less than a day. What was ordered is judged
//! again before each time it is sent.

use std::collections::{BTreeMap, BTreeSet};

use clients::brex::{NewTransfer, Transfer};
use clients::{Effect, Error, Kind, System};
use domain::pace::retry_delay_ms;
use domain::transfer::{Refusal, Way, dollars};
use serde_json::{Value, json};
use store::{Lease, OrderChange, OrderState, RecordRow, TransferOrder};

use super::{Asked, Reading, ways_of};
use crate::app::{App, Connection};
use crate::flow::step::error_detail;
use crate::mirror;
use crate::problem::said;
use crate::stop::{Stop, asked_ms};
use crate::transfers::{Halt, import};

/// Brex does not say how long it knows a key. After this it counts as forgotten.
pub const KEY_LIFE_MS: i64 = 20 * 3_600_000;
/// The first look after something was sent without an outcome.
const LOOK_MS: i64 = 2_000;
/// It is not sent again before this.
const AGAIN_MS: i64 = 30_000;
/// What is sent is judged by a reading that is no older than this.
const READ_MS: i64 = 30_000;
/// After so many failures in a row to read what an order is judged by, some hours, a person has to look.
const MOST_READS: i64 = 40;
/// After so many failures in a row a person has to look.
const MOST_TRIES: i64 = 8;
/// More pages than any account has; a list that goes on is an error.
const MAX_PAGES: usize = 10_000;

const NOT_ALLOWED: &str = "Brex does not let this token pay: it needs the scopes transfers, vendors.readonly and \
     accounts.cash.readonly, and a user who is account admin, AP clerk or bookkeeper. Then approve the order again";

/// What a turn works with.
struct Turn<'a> {
    app: &'a App,
    connection: &'a Connection,
    lease: &'a Lease,
}

/// What orders are judged by.
struct Now {
    reading: Reading,
    /// How the Brex vendors may be paid.
    ways: BTreeMap<String, Option<Vec<Way>>>,
    /// The records that their invoices were made for.
    records: Vec<RecordRow>,
}

/// Does what is due. Returns whether there was anything.
pub async fn turn(app: &App, connection: &Connection, lease: &Lease) -> Result<bool, Stop> {
    let due = app.store.transfer_orders().list_due(&connection.id, app.now_ms()).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let turn = Turn { app, connection, lease };
    // What may be in Brex comes first: it takes money from the account, and may be what another order is judged by.
    let (sent, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|row| row.state == OrderState::Sending);
    match sent.into_iter().next() {
        Some(row) => turn.settle(row).await?,
        None => turn.begin(rest).await?,
    }
    Ok(true)
}

impl Turn<'_> {
    /// Judges what was agreed to again, as everything stands now, and sends what still holds.
    async fn begin(&self, rows: Vec<TransferOrder>) -> Result<(), Stop> {
        let settings = &self.connection.settings.transfers.pay;
        if !settings.enabled {
            for row in rows {
                self.hold(row, "paying is switched off (transfers.pay.enabled)").await?;
            }
            return Ok(());
        }
        let Now { reading, ways, records } = match self.read_now(&rows).await {
            Ok(read) => read,
            Err(Halt::Store(error)) => return Err(error.into()),
            Err(Halt::Api(error)) => return self.cannot_read(rows, *error).await,
        };
        let (mut spent, read_ms) = (0_i64, self.app.now_ms());
        for row in rows {
            // What was read is of a moment; the rest is judged by a new reading, in the next turn.
            if self.app.now_ms().saturating_sub(read_ms) > READ_MS {
                return Ok(());
            }
            let way = ways.get(&row.order.brex_vendor).and_then(Option::as_deref);
            let record = records.iter().find(|record| record.document_id == Some(row.order.invoice));
            if let Some(why) = self.against(&reading, &row, record, way, spent) {
                self.hold(row, &why).await?;
            } else {
                spent = spent.saturating_add(row.order.cents);
                self.first_or_again(row).await?;
            }
        }
        Ok(())
    }

    /// Everything that these are judged by, as it is now.
    async fn read_now(&self, rows: &[TransferOrder]) -> Result<Now, Halt> {
        self.vendors_now(rows).await?;
        let payees = rows.iter().map(|row| row.order.brex_vendor.clone()).collect();
        let invoices: Vec<_> = rows.iter().map(|row| row.order.invoice).collect();
        Ok(Now {
            reading: Reading::now(self.app, self.connection, Some(self.lease)).await?,
            ways: ways_of(self.connection, &payees).await?,
            records: self.app.store.records().find_by_documents(&self.connection.id, &invoices).await?,
        })
    }

    /// The vendors as Business Central has them now: one may have been blocked since the mirror was read.
    async fn vendors_now(&self, rows: &[TransferOrder]) -> Result<(), Halt> {
        let Some(identity) = self.connection.identity() else { return Ok(()) };
        let company = self.connection.bc.company(identity.bc_company).with_fresh_reads();
        let numbers: BTreeSet<&str> = rows.iter().map(|row| row.order.vendor_number.as_str()).collect();
        let mut found = Vec::new();
        for number in numbers {
            found.extend(company.find_vendor_by_number(number).await?);
        }
        mirror::take_in(self.app, self.connection, self.lease, found).await?;
        Ok(())
    }

    /// What stands against sending it now.
    fn against(
        &self,
        reading: &Reading,
        row: &TransferOrder,
        record: Option<&RecordRow>,
        ways: Option<&[Way]>,
        spent: i64,
    ) -> Option<String> {
        let order = &row.order;
        let payables = &reading.report.books.payables;
        let Some(payable) = payables.iter().find(|payable| payable.id == order.invoice.to_string()) else {
            return Some("Business Central no longer has the invoice among the posted ones".to_owned());
        };
        let chosen = Some(order.way.instrument.as_str());
        let asked = Asked { payable, record, ways, chosen, despite: &order.despite };
        let payment = match reading.judge(self.connection, &asked) {
            Ok(payment) => payment,
            Err(refusals) => {
                let all: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                return Some(all.join("; "));
            }
        };
        if (payment.cents, &payment.brex_vendor) != (order.cents, &order.brex_vendor) {
            let (now, then) = (dollars(payment.cents), dollars(order.cents));
            return Some(format!(
                "it changed since it was ordered: {now} to {} instead of {then} to {}; decline it and order it anew",
                payment.brex_vendor, order.brex_vendor
            ));
        }
        let Some(account) = reading.accounts.iter().find(|account| account.id == order.account) else {
            return Some("Brex no longer shows the cash account".to_owned());
        };
        let needed = spent.saturating_add(order.cents);
        let available = account.available_balance.as_ref().map(|money| money.amount);
        let short = available.filter(|available| *available < needed);
        short.map(|short| Refusal::Balance { available: dollars(short), needed: dollars(needed) }.to_string())
    }

    /// Nothing is sent while nobody can judge. The connection's records find out by themselves what is wrong with a system.
    async fn cannot_read(&self, rows: Vec<TransferOrder>, error: Error) -> Result<(), Stop> {
        if is_forbidden(&error) {
            return self.not_allowed(rows, &error).await;
        }
        for row in rows {
            if row.tries >= MOST_READS {
                let text = format!("it cannot be judged, since a system cannot be read: {}", said(&error));
                self.hold(row, &text).await?;
            } else {
                self.postponed(row, &error).await?;
            }
        }
        Ok(())
    }

    /// What was never sent by this database may have been sent by one that was lost: its memo follows from the invoice.
    async fn first_or_again(&self, row: TransferOrder) -> Result<(), Stop> {
        if row.attempts > 0 {
            return self.send(row).await;
        }
        match self.look(&row).await {
            Ok(found) if found.is_empty() => self.send(TransferOrder { tries: 0, ..row }).await,
            Ok(found) => self.found(row, &found).await,
            Err(error) => self.cannot_read(vec![row], error).await,
        }
    }

    /// Commits the attempt, checks the lease again, and sends.
    async fn send(&self, row: TransferOrder) -> Result<(), Stop> {
        let now_ms = self.app.now_ms();
        let row = TransferOrder {
            state: OrderState::Sending,
            attempts: row.attempts.saturating_add(1),
            first_sent_ms: row.first_sent_ms.or(Some(now_ms)),
            sent_ms: Some(now_ms),
            epoch: self.lease.epoch,
            due_ms: Some(now_ms.saturating_add(LOOK_MS)),
            ..row
        };
        let Some(row) = self.apply(row, "transfer_order_sending", Value::Null).await? else { return Ok(()) };
        if !self.app.store.lanes().holds(self.lease, self.app.now_ms()).await? {
            return Err(store::Error::LostLease.into());
        }
        let order = &row.order;
        let new = NewTransfer {
            instrument: order.way.instrument.clone(),
            account: order.account.clone(),
            cents: order.cents,
            description: format!("Business Central invoice {}", order.number),
            memo: order.memo.clone(),
            is_manual: order.is_manual,
        };
        match self.connection.brex.create_transfer(order.key, &new).await {
            Ok(made) => self.created(row, &made, "transfer_order_created").await,
            Err(error) => self.not_created(row, error).await,
        }
    }

    async fn not_created(&self, row: TransferOrder, error: Error) -> Result<(), Stop> {
        match (error.effect(), error.kind()) {
            (Effect::Unknown, _) => {
                let row = TransferOrder { tries: row.tries.saturating_add(1), ..row };
                self.apply(row, "transfer_order_unclear", error_detail(&error)).await.map(drop)
            }
            (Effect::None, _) if is_forbidden(&error) => self.not_allowed(vec![row], &error).await,
            // A refusal is believed only after one look.
            (Effect::None, Kind::Refused | Kind::NotFound) => match self.look(&row).await {
                Ok(found) if found.is_empty() && row.attempts > 1 => {
                    let text = format!(
                        "Brex refused it when it was sent again, and what was sent before may still arrive there: {}",
                        said(&error)
                    );
                    self.hold(row, &text).await
                }
                Ok(found) if found.is_empty() => {
                    let row = TransferOrder {
                        state: OrderState::Refused,
                        note: Some(format!("Brex refused the transfer: {}", said(&error))),
                        due_ms: None,
                        ..row
                    };
                    self.apply(row, "transfer_order_refused", error_detail(&error)).await.map(drop)
                }
                Ok(found) => self.found(row, &found).await,
                Err(_) => self.postponed(row, &error).await,
            },
            // Brex's limits, or no connection: looked for and sent again like the rest, which costs one look.
            (Effect::None, _) => self.postponed(row, &error).await,
        }
    }

    /// It may be in Brex: looks, and sends again with the same key what is not there.
    async fn settle(&self, row: TransferOrder) -> Result<(), Stop> {
        let found = match self.look(&row).await {
            Ok(found) => found,
            Err(error) if is_forbidden(&error) => return self.not_allowed(vec![row], &error).await,
            Err(error) => {
                return match self.too_long(&row) {
                    Some(why) => self.hold(row, &format!("{why} ({})", said(&error))).await,
                    None => self.postponed(row, &error).await,
                };
            }
        };
        if !found.is_empty() {
            return self.found(row, &found).await;
        }
        if let Some(why) = self.too_long(&row) {
            return self.hold(row, why).await;
        }
        let now_ms = self.app.now_ms();
        let next_ms = row.sent_ms.unwrap_or(now_ms).saturating_add(AGAIN_MS);
        if now_ms < next_ms {
            let row = TransferOrder { due_ms: Some(next_ms), ..row };
            return self.apply(row, "transfer_order_looked_for", json!({ "next_ms": next_ms })).await.map(drop);
        }
        // Much may have happened since it was first sent: somebody may have paid it by hand.
        self.begin(vec![row]).await
    }

    /// Why it is not sent again, if it was tried for too long.
    fn too_long(&self, row: &TransferOrder) -> Option<&'static str> {
        let now_ms = self.app.now_ms();
        if now_ms.saturating_sub(row.first_sent_ms.unwrap_or(now_ms)) > KEY_LIFE_MS {
            return Some(
                "nobody knows whether Brex took it, it does not show it, and it may have forgotten its key. Look there: if it \
                 has no such transfer, decline this and order it anew",
            );
        }
        (row.tries >= MOST_TRIES).then_some(
            "Brex gave no clear answer again and again, and shows no such transfer: approve it to try again with the same \
             key, or look in Brex and decline it",
        )
    }

    /// Transfers with the memo of this order.
    async fn look(&self, row: &TransferOrder) -> Result<Vec<Transfer>, Error> {
        let is_ours = |transfer: &Transfer| {
            let has = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(&row.order.memo));
            has(&transfer.external_memo) || has(&transfer.description)
        };
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let page = self.connection.brex.list_transfers(cursor.as_deref()).await?;
            found.extend(page.items.into_iter().filter(is_ours));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn found(&self, row: TransferOrder, found: &[Transfer]) -> Result<(), Stop> {
        match found {
            [only] if only.status == "FAILED" => {
                let text = format!(
                    "Brex has the transfer {} with its memo, and it failed: decline this and order it anew",
                    only.id
                );
                self.hold(row, &text).await
            }
            [only] => self.created(row, only, "transfer_order_adopted").await,
            several => {
                let ids: Vec<&str> = several.iter().map(|transfer| transfer.id.as_str()).collect();
                self.hold(row, &format!("Brex has several transfers with its memo: {}", ids.join(", "))).await
            }
        }
    }

    /// Brex has it. From now on it is followed like every transfer; a death before that is written finds it again.
    async fn created(&self, row: TransferOrder, made: &Transfer, action: &str) -> Result<(), Stop> {
        import::keep_one(self.app, self.connection, made).await?;
        let row = TransferOrder { transfer: Some(made.id.clone()), due_ms: None, note: None, ..row };
        if made.amount.amount.saturating_abs() != row.order.cents {
            let (is, wanted) = (dollars(made.amount.amount), dollars(row.order.cents));
            let text = format!("Brex has the transfer {} over {is} instead of {wanted}: look there", made.id);
            return self.hold(row, &text).await;
        }
        let detail = json!({ "status": made.status });
        self.apply(TransferOrder { state: OrderState::Created, ..row }, action, detail).await.map(drop)
    }

    /// Held, unless it is the token as a whole that Brex refuses: then the connection is.
    async fn not_allowed(&self, rows: Vec<TransferOrder>, error: &Error) -> Result<(), Stop> {
        self.connection.brex.get_company().await?;
        for row in rows {
            self.hold(row, &format!("{NOT_ALLOWED}. {}", said(error))).await?;
        }
        Ok(())
    }

    async fn postponed(&self, row: TransferOrder, error: &Error) -> Result<(), Stop> {
        let delay = retry_delay_ms(row.tries, asked_ms(error), self.app.chance.next());
        let due_ms = Some(self.app.now_ms().saturating_add(delay));
        let row = TransferOrder { due_ms, tries: row.tries.saturating_add(1), ..row };
        self.apply(row, "transfer_order_postponed", error_detail(error)).await.map(drop)
    }

    async fn hold(&self, row: TransferOrder, why: &str) -> Result<(), Stop> {
        let row = TransferOrder { state: OrderState::Held, note: Some(why.to_owned()), due_ms: None, ..row };
        self.apply(row, "transfer_order_held", Value::Null).await.map(drop)
    }

    /// Writes the row as it becomes; nothing if a person changed it meanwhile.
    async fn apply(&self, row: TransferOrder, action: &str, detail: Value) -> Result<Option<TransferOrder>, Stop> {
        let change = OrderChange { row, action: action.to_owned(), detail };
        let (kept, id) = (self.app.store.transfer_orders(), &self.connection.id);
        let is_written = kept.apply(self.lease, id, self.app.now_ms(), &self.app.actor(), &change).await?;
        let rev = change.row.rev.saturating_add(1);
        Ok(is_written.then_some(TransferOrder { rev, ..change.row }))
    }
}

/// Brex refuses this, or everything.
fn is_forbidden(error: &Error) -> bool {
    error.system() == System::Brex && matches!(error.kind(), Kind::Unauthorized | Kind::Forbidden)
}
