"""The calls: connections that stay open, one per thread and host, and a look at the status of every answer."""

import json
import os
import threading
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

LINK = "https://businesscentral.dynamics.com/?page=51&filter=No.%20IS%20"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}

with open(os.environ["BENCH_READY"], encoding="utf-8") as file:
    READY = json.load(file)
BREX = READY["brex"]["base_url"]
ENTRA = READY["entra"]
BC = READY["bc"]
INVOICES = (
    f"{BC['base_url']}/v2.0/{ENTRA['tenant_id']}/{BC['environment']}"
    f"/api/v2.0/companies({BC['company_id']})/purchaseInvoices"
)
BREX_TOKEN = {"authorization": f"Bearer {READY['brex']['token']}"}

_of_thread = threading.local()
_signing_in = threading.Lock()
_token = {}


def _call(method, url, headers, body=None):
    parts = urlsplit(url)
    connections = _of_thread.__dict__.setdefault("connections", {})
    connection = connections.setdefault(parts.netloc, HTTPConnection(parts.netloc, timeout=60))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
    except OSError:
        connection.close()
        raise
    if not 200 <= answer.status < 300:
        raise RuntimeError(f"{method} {parts.path}: {answer.status} {text[:500]!r}")
    return json.loads(text)


def _bc():
    """Signs in once, whoever asks first."""
    with _signing_in:
        if not _token:
            form = {
                "grant_type": "client_credentials",
                "client_id": ENTRA["client_id"],
                "client_secret": ENTRA["client_secret"],
                "scope": "https://api.businesscentral.dynamics.com/.default",
            }
            url = f"{ENTRA['base_url']}/{ENTRA['tenant_id']}/oauth2/v2.0/token"
            token = _call("POST", url, FORM, urlencode(form))["access_token"]
            _token["authorization"] = f"Bearer {token}"
    return _token


def records(prefix):
    query = {
        "review_status": "READY_FOR_EXPORT",
        "source_type": "CARD",
        "updated_at[gte]": "1970-01-01T00:00:00Z",
        "limit": "1000",
    }
    found = []
    while True:
        page = _call("GET", f"{BREX}/v3/accounting/records?{urlencode(query)}", BREX_TOKEN)
        found += [item for item in page["items"] if item["id"].startswith(prefix)]
        if not page.get("next_cursor"):
            return found
        query["cursor"] = page["next_cursor"]


def ensure(record):
    """Makes the document of a record, unless it is there already. Its number."""
    wanted = quote(f"vendorInvoiceNumber eq '{_number(record)}'")
    there = _call("GET", f"{INVOICES}?$filter={wanted}&$select=number", _bc())["value"]
    if there:
        return there[0]["number"]
    return _call("POST", INVOICES, _bc() | JSON, json.dumps(_document(record)))["number"]


def report(results, key):
    body = json.dumps({"results": results})
    _call("POST", f"{BREX}/v3/accounting/records/export-results", BREX_TOKEN | JSON | {"idempotency-key": key}, body)


def result(record_id, number):
    success = {"reference_id": number, "deep_link_url": f"{LINK}{number}"}
    return {"accounting_record_id": record_id, "success": success}


def _number(record):
    return f"PEER-{record['id'][-20:]}".upper()


def _coded(line, field):
    values = line.get("accounting_field_values") or []
    return next((v["remote_field_value_id"] for v in values if v["remote_field_id"] == field), "")


def _document(record):
    day = record["posted_at"][:10]
    debits = [line for line in record["line_items"] if line["type"] == "DEBIT"]
    lines = [
        {
            "lineType": "Account",
            "lineObjectNumber": _coded(line, "GL_ACCOUNT"),
            "description": record["memo"],
            "quantity": 1,
            "unitCost": line["amount"]["amount"],
        }
        for line in debits
    ]
    lines.append({"lineType": "Comment", "description": f"Brex record {record['id']}"})
    document = {
        "vendorNumber": _coded(debits[-1], "VENDOR"),
        "postingDate": day,
        "invoiceDate": day,
        "vendorInvoiceNumber": _number(record),
        "dimensionSetLines": [{"code": "DEPARTMENT", "valueCode": _coded(debits[-1], "DIM_DEPARTMENT")}],
        "purchaseInvoiceLines": lines,
    }
    if record["amount"]["currency"] != "USD":
        document["currencyCode"] = record["amount"]["currency"]
    return document
