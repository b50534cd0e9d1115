//! Business Central under a lease: asked only as long as the lane is this process's.

use std::sync::Arc;

use clients::Permit;
use clients::bc::Company;
use store::Lease;
use uuid::Uuid;

use crate::app::{App, Connection};

/// The company, whose reads ask for the primary database, since they decide about writes: a replica that lags behind would not show
/// what was just made.
pub fn company(app: &App, connection: &Connection, lease: &Lease, id: Uuid) -> Company {
    let bc = &connection.bc;
    // A plan works under no lease, and its client refuses to write; epochs begin at 1.
    let bc = if lease.epoch == 0 { bc.clone() } else { bc.permitted_by(permit(app, lease)) };
    bc.company(id).with_fresh_reads()
}

/// Asks for the lease when the turn of a call has come: in a process that was frozen while it waited for that, the lane may be
/// another's by then.
fn permit(app: &App, lease: &Lease) -> Permit {
    let (store, clock, lease) = (app.store.clone(), Arc::clone(&app.clock), lease.clone());
    Arc::new(move || {
        let (store, clock, lease) = (store.clone(), Arc::clone(&clock), lease.clone());
        Box::pin(async move { store.lanes().holds(&lease, clock.now_ms()).await.unwrap_or(false) })
    })
}
