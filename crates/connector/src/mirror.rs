//! The local mirror of Business Central's master data: what is checked before a document is written.

use std::collections::{BTreeSet, HashMap};

use clients::bc::{self, Company, TaxType};
use domain::audit::Note;
use domain::calendar::{PostingRange, closed_days};
use domain::directory::{Account, Blocked, CompanySetup, DimensionValue, Directory, Vendor};
use domain::id::ConnectionId;
use domain::tax::{TaxCode, TaxSetup, TaxSystem};
use futures::FutureExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::{Changed, Error, Lease, MasterKind, MasterRow, Store, Telling};
use uuid::Uuid;

use crate::app::{App, Connection};
use crate::stop::Stop;
use crate::vendors::answers::standings;

/// The job that refreshes the mirror.
pub const MASTER_DATA: &str = "master_data";

/// The key of the one set-up row.
const SETUP: &str = "setup";

/// Loads the mirror that earlier processes kept.
pub async fn recall(app: &App, connection: &Connection) -> Result<(), Error> {
    if let Some(directory) = stored(&app.store, &connection.id).await? {
        connection.set_directory(directory);
    }
    Ok(())
}

/// The same where there is no mirror yet: a process that only shows pages or answers once works for nobody, and has none of its own.
pub async fn recall_if_missing(app: &App, connection: &Connection) -> Result<(), Error> {
    if connection.is_mirrored() { Ok(()) } else { recall(app, connection).await }
}

/// The mirror of a connection as it is stored, if it was ever filled.
pub async fn stored(store: &Store, connection: &ConnectionId) -> Result<Option<Directory>, Error> {
    let kept = store.master_data();
    let setup: Vec<CompanySetup> = decoded(&kept.list(connection, MasterKind::Setup).await?);
    let Some(setup) = setup.into_iter().next() else { return Ok(None) };
    let vendors = decoded(&kept.list(connection, MasterKind::Vendor).await?);
    let accounts = decoded(&kept.list(connection, MasterKind::Account).await?);
    let values = decoded(&kept.list(connection, MasterKind::DimensionValue).await?);
    Ok(Some(Directory::new(vendors, accounts, values, setup)))
}

/// Reads everything from Business Central and replaces the mirror; only what differs is written.
pub async fn refresh(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Stop> {
    let Some(identity) = connection.identity() else { return Ok(()) };
    let Read { vendors, accounts, values, setup } = read(&connection.bc.company(identity.bc_company)).await?;
    let kinds: [(MasterKind, Vec<MasterRow>); 4] = [
        (MasterKind::Vendor, vendors.iter().map(|v| row(v.id, &v.number, &v.name, v)).collect()),
        (MasterKind::Account, accounts.iter().map(|a| row(a.id, &a.number, &a.name, a)).collect()),
        (MasterKind::DimensionValue, values.iter().map(|v| row(v.id, &v.code, &v.name, v)).collect()),
        (MasterKind::Setup, vec![MasterRow { bc_id: SETUP.to_owned(), ..row(Uuid::nil(), SETUP, SETUP, &setup) }]),
    ];
    let (actor, watched) = (app.actor(), linked(&app.store, &connection.id).await?);
    let telling = Telling { actor: &actor, watched: &watched, tell };
    for (kind, rows) in kinds {
        let (kept, id, now_ms) = (app.store.master_data(), &connection.id, app.now_ms());
        let changed = match kind {
            MasterKind::Vendor => kept.replace_all_telling(lease, id, kind, &rows, now_ms, &telling).await?,
            _ => kept.replace_all(lease, id, kind, &rows, now_ms).await?,
        };
        tracing::debug!(connection = %connection.id, ?kind, ?changed, "master data mirrored");
    }
    connection.set_directory(Directory::new(vendors, accounts, values, setup));
    Ok(())
}

/// Adds a vendor that was just made, before the next refresh would find it.
pub async fn learn(app: &App, connection: &Connection, lease: &Lease, vendor: bc::Vendor) -> Result<(), Error> {
    let vendor = mirrored(vendor);
    let rows = [row(vendor.id, &vendor.number, &vendor.name, &vendor)];
    app.store.master_data().upsert(lease, &connection.id, MasterKind::Vendor, &rows, app.now_ms()).await?;
    recall(app, connection).await
}

/// Takes in vendors that changed, and says what that means for merchants linked to them. Returns whether any differs.
pub async fn take_in(
    app: &App,
    connection: &Connection,
    lease: &Lease,
    vendors: Vec<bc::Vendor>,
) -> Result<bool, Error> {
    let vendors: Vec<Vendor> = vendors.into_iter().map(mirrored).collect();
    let rows: Vec<MasterRow> = vendors.iter().map(|v| row(v.id, &v.number, &v.name, v)).collect();
    let (actor, watched) = (app.actor(), linked(&app.store, &connection.id).await?);
    let telling = Telling { actor: &actor, watched: &watched, tell };
    let (kept, id, now_ms) = (app.store.master_data(), &connection.id, app.now_ms());
    let changed = kept.upsert_telling(lease, id, MasterKind::Vendor, &rows, now_ms, Some(&telling)).await?;
    let differs = changed != Changed::default();
    if differs {
        recall(app, connection).await?;
    }
    Ok(differs)
}

/// Reads everything from Business Central as it is now and keeps nothing: for plans.
pub async fn look(connection: &Connection) -> Result<Directory, Stop> {
    let Some(identity) = connection.identity() else { return Ok(Directory::default()) };
    let Read { vendors, accounts, values, setup } = read(&connection.bc.company(identity.bc_company)).await?;
    Ok(Directory::new(vendors, accounts, values, setup))
}

/// The master data as Business Central has it now.
struct Read {
    vendors: Vec<Vendor>,
    accounts: Vec<Account>,
    values: Vec<DimensionValue>,
    setup: CompanySetup,
}

/// Reads all lists at the same time, since drafts wait for them.
async fn read(company: &Company) -> Result<Read, clients::Error> {
    let values = company.list_dimension_values(None)?;
    let (vendors, accounts, values, (setup, dimensions)) = tokio::try_join!(
        vendors(company).boxed(),
        accounts(company).boxed(),
        values.all().boxed(),
        setup(company).boxed(),
    )?;
    Ok(Read { vendors, accounts, values: of_known(values, &dimensions), setup })
}

/// The vendors that an answer about a merchant stands for.
async fn linked(store: &Store, connection: &ConnectionId) -> Result<BTreeSet<String>, Error> {
    let standings = standings(&store.vendor_links().list(connection).await?);
    let answers = standings.values().flat_map(|standing| &standing.answers);
    Ok(answers.filter_map(|answer| answer.bc_vendor_id).map(|id| id.to_string()).collect())
}

/// What the trail is told about a vendor that merchants are linked to: from now on a person is asked about them again.
fn tell(id: &str, was: Option<&MasterRow>, is: Option<&MasterRow>) -> Vec<Note> {
    let is_blocked = |row: &MasterRow| {
        serde_json::from_str::<Vendor>(&row.attributes).is_ok_and(|vendor| vendor.blocked == Blocked::All)
    };
    let actions = match (was, is) {
        (None, None) => vec![],
        (None, Some(_)) => vec!["linked_vendor_back"],
        (Some(_), None) => vec!["linked_vendor_deleted"],
        (Some(was), Some(is)) => {
            let renamed = (was.name != is.name).then_some("linked_vendor_renamed");
            let blocked = match (is_blocked(was), is_blocked(is)) {
                (false, true) => Some("linked_vendor_blocked"),
                (true, false) => Some("linked_vendor_unblocked"),
                _ => None,
            };
            renamed.into_iter().chain(blocked).collect()
        }
    };
    let now = is.or(was);
    let detail = json!({ "number": now.map(|row| &row.code), "name": now.map(|row| &row.name) });
    let note = |action: &str| Note {
        action: action.to_owned(),
        subject: format!("vendor {id}"),
        before: was.map(|row| row.name.clone()),
        after: is.map(|row| row.name.clone()),
        detail: detail.clone(),
    };
    actions.into_iter().map(note).collect()
}

fn row<T: Serialize>(id: Uuid, code: &str, name: &str, value: &T) -> MasterRow {
    let attributes = serde_json::to_string(value).unwrap_or_default();
    MasterRow { bc_id: id.to_string(), code: code.to_owned(), name: name.to_owned(), attributes, modified_ms: None }
}

/// Rows of an older version that no longer decode are left out; the next refresh replaces them.
fn decoded<T: DeserializeOwned>(rows: &[MasterRow]) -> Vec<T> {
    rows.iter().filter_map(|row| serde_json::from_str(&row.attributes).ok()).collect()
}

async fn vendors(company: &Company) -> Result<Vec<Vendor>, clients::Error> {
    let mut pages = company.list_vendors(None)?;
    let mut vendors = Vec::new();
    while let Some(page) = pages.next_page().await? {
        vendors.extend(page.into_iter().map(mirrored));
    }
    Ok(vendors)
}

fn mirrored(vendor: bc::Vendor) -> Vendor {
    Vendor {
        id: vendor.id,
        number: vendor.number,
        name: vendor.display_name,
        email: vendor.email,
        blocked: match vendor.blocked {
            bc::Blocked::No => Blocked::No,
            bc::Blocked::Payment => Blocked::Payment,
            // A member of a newer version may forbid documents: treated as blocked until it is known.
            bc::Blocked::All | bc::Blocked::Other(_) => Blocked::All,
        },
        city: vendor.city,
        country: vendor.country,
        website: vendor.website,
    }
}

async fn accounts(company: &Company) -> Result<Vec<Account>, clients::Error> {
    let mut pages = company.list_accounts(None)?;
    let mut accounts = Vec::new();
    while let Some(page) = pages.next_page().await? {
        accounts.extend(page.into_iter().map(|account| Account {
            id: account.id,
            number: account.number,
            name: account.display_name,
            account_type: account.account_type.as_str().to_owned(),
            direct_posting: account.direct_posting,
            blocked: account.blocked,
        }));
    }
    Ok(accounts)
}

/// The values of these dimensions.
fn of_known(values: Vec<bc::DimensionValue>, dimensions: &[bc::Dimension]) -> Vec<DimensionValue> {
    let codes: HashMap<Uuid, &str> = dimensions.iter().map(|d| (d.id, d.code.as_str())).collect();
    let of_known = values.into_iter().filter_map(|value| {
        let dimension = (*codes.get(&value.dimension_id)?).to_owned();
        Some(DimensionValue { id: value.id, dimension, code: value.code, name: value.display_name })
    });
    of_known.collect()
}

/// The set-up, and the dimensions that it names.
async fn setup(company: &Company) -> Result<(CompanySetup, Vec<bc::Dimension>), clients::Error> {
    let (dimensions, ledger, currencies, taxes, periods) = tokio::try_join!(
        company.list_dimensions()?.all(),
        company.get_general_ledger_setup(),
        company.list_currencies(),
        company.list_tax_groups(),
        company.list_accounting_periods(),
    )?;
    let setup = CompanySetup {
        local_currency: ledger.local_currency_code,
        posting: PostingRange { from: ledger.allow_posting_from, to: ledger.allow_posting_to },
        closed: closed_days(periods.iter().filter_map(|period| Some((period.starting_date?, period.closed)))),
        currencies: currencies.into_iter().map(|currency| currency.code).collect::<BTreeSet<_>>(),
        dimensions: dimensions.iter().map(|dimension| dimension.code.clone()).collect(),
        tax: TaxSetup {
            system: taxes.iter().find_map(|tax| tax_system(&tax.tax_type)),
            codes: taxes
                .into_iter()
                .map(|tax| TaxCode { id: tax.id, code: tax.code, name: tax.display_name })
                .collect(),
        },
    };
    Ok((setup, dimensions))
}

fn tax_system(tax_type: &TaxType) -> Option<TaxSystem> {
    match tax_type {
        TaxType::SalesTax => Some(TaxSystem::SalesTax),
        TaxType::Vat => Some(TaxSystem::Vat),
        TaxType::Other(_) => None,
    }
}
