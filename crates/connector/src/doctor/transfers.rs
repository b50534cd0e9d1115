//! Where transfers are reconciled: may they be read, and may what makes their amounts known?

use clients::Kind;

use super::{Patient, Verdict};
use crate::words::counted;

impl Patient<'_> {
    /// Asks for transfers and cash accounts, unless the connection has nothing to do with them.
    pub(super) async fn transfers(&mut self) {
        const CASH: &str = "Brex: accounts.cash.readonly";
        if !self.connection.settings.transfers.enabled {
            return;
        }
        let brex = &self.connection.brex;
        let (page, cash) = (brex.list_transfers(None).await, brex.list_cash_accounts().await);
        self.answered("Brex: transfers.readonly", page, |_| "transfers can be read".to_owned());
        match cash {
            Err(error) if error.kind() == Kind::Forbidden && !self.connection.settings.transfers.pay.enabled => {
                let text = "the token lacks accounts.cash.readonly: when a transfer was settled, and with what fee, is unknown";
                self.note(CASH, Verdict::Warning, text, None);
            }
            cash => drop(self.answered(CASH, cash, |accounts| counted(accounts.len(), "cash account"))),
        }
    }
}
