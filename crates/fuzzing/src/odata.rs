//! What is asked of Business Central is understood as it was meant: whatever stands in a number or a name, the filter that the client
//! sends is read by the sandbox's own parser as the very same values of the very same field, and nothing else comes into the query.

use clients::Error;
use clients::bc::DocumentKind;
use jiff::Timestamp;
use sandbox::bc::Understood;
use url::Url;

use crate::answer::Answers;
use crate::parts::Parts;
use crate::peer::{COMPANY, Peer};

/// How long a document number and a name may be in Business Central; longer ones it refuses.
const NUMBER_MAX: usize = 35;
const NAME_MAX: usize = 100;
const CODE_MAX: usize = 10;
const VENDOR_NUMBER_MAX: usize = 20;

/// A letter chooses the call: `n` a name, `v` a vendor's number, `j` a journal, `t` a moment (eight bytes), anything else document
/// numbers, one a line.
pub fn odata(data: &[u8]) {
    let mut parts = Parts::new(data);
    match parts.byte() {
        b'n' => one(&parts.text(), ("vendors", "displayName", NAME_MAX), str::to_owned, async |peer, name| {
            peer.bc.company(COMPANY).find_vendors_named(name).await.map(drop)
        }),
        b'v' => one(&parts.text(), ("vendors", "number", VENDOR_NUMBER_MAX), stored, async |peer, number| {
            peer.bc.company(COMPANY).find_vendor_by_number(number).await.map(drop)
        }),
        b'j' => one(&parts.text(), ("vendorPaymentJournals", "code", CODE_MAX), stored, async |peer, code| {
            peer.bc.company(COMPANY).find_payment_journal(code).await.map(drop)
        }),
        b't' => since(parts.number(), parts.number()),
        _ => numbers(&String::from_utf8_lossy(parts.rest())),
    }
}

/// A code as Business Central stores it.
fn stored(code: &str) -> String {
    code.trim().to_uppercase()
}

/// Asks for one value of a field of a set.
fn one(
    value: &str,
    (set, field, longest): (&str, &str, usize),
    as_stored: fn(&str) -> String,
    ask: impl AsyncFnOnce(&Peer, &str) -> Result<(), Error>,
) {
    let asked = asked(async |peer| ask(peer, value).await);
    assert_eq!(asked.len(), 1, "one request");
    check(&asked[0], set, field, &[as_stored(value)], longest);
}

fn numbers(text: &str) {
    let numbers: Vec<String> = text.split('\n').map(stored).filter(|number| length(number) <= NUMBER_MAX).collect();
    let asked = asked(async |peer| {
        peer.bc.company(COMPANY).find_documents_by_numbers(DocumentKind::Invoice, &numbers).await.map(drop)
    });
    let mut read = Vec::new();
    for request in &asked {
        assert!(request.len() < 8 * 1024, "a request of {} bytes", request.len());
        let filter = understood(request, "purchaseInvoices").expect("a filter that is understood").expect("a filter");
        let values = filter.values_of("vendorInvoiceNumber").unwrap_or_else(|| panic!("{filter:?} is more"));
        read.extend(values.into_iter().map(str::to_owned));
    }
    assert_eq!(read, numbers, "{asked:?}");
}

/// In the characters that a field counts.
fn length(value: &str) -> usize {
    value.chars().count()
}

fn since(seconds: i64, nanoseconds: i64) {
    let nanoseconds = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or_default();
    let Ok(since) = Timestamp::new(seconds, nanoseconds) else { return };
    let asked = asked(async |peer| peer.bc.company(COMPANY).list_vendors(Some(since))?.all().await.map(drop));
    let Some(Understood::Condition { field: "lastModifiedDateTime", relation: "gt", value, is_whole: true }) =
        understood(&asked[0], "vendors").expect("a filter that is understood")
    else {
        panic!("{since} is not understood in {asked:?}")
    };
    let read: Timestamp = value.parse().expect("a moment");
    assert!(read <= since, "{since} was asked as {read}: what changed in between is missed");
    assert!(since.as_nanosecond() - read.as_nanosecond() < 1_000_000, "{since} was asked as {read}");
}

/// The requests that a call takes when it is told that there are no rows.
fn asked(call: impl AsyncFnOnce(&Peer) -> Result<(), Error>) -> Vec<String> {
    Peer::with(|peer| {
        let (result, asked) = peer.ask(&Answers::none(), call(peer));
        result.expect("no rows are no error");
        asked
    })
}

fn check(request: &str, set: &str, field: &str, values: &[String], longest: usize) {
    match understood(request, set) {
        Ok(filter) => {
            let filter = filter.expect("a filter");
            let read = filter.values_of(field).unwrap_or_else(|| panic!("{filter:?} is more than {field}"));
            assert_eq!(read, values, "{request}");
        }
        // The platform refuses a value that the field cannot hold.
        Err(refusal) => assert!(values.iter().any(|value| length(value) > longest), "{refusal}: {request}"),
    }
}

fn understood(request: &str, set: &str) -> Result<Option<Understood>, String> {
    let url = Url::parse("http://bc.invalid").and_then(|base| base.join(request)).expect("an address");
    let path = format!("/v2.0/contoso.com/Production/api/v2.0/companies({COMPANY})/{set}");
    assert_eq!((url.path(), url.fragment()), (path.as_str(), None), "{request}");
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let known = ["$select", "$filter", "$expand"];
    assert!(names.iter().all(|name| known.contains(&name.as_str())), "{names:?}");
    Understood::filter_of(set, url.query().unwrap_or_default())
}
