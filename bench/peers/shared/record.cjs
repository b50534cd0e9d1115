'use strict';
// What becomes of a record: the same document in every flow. Only shapes, no requests.

const ADDRESS = 'https://businesscentral.dynamics.com/?page=51&filter=No.%20IS%20';

/** The addresses of a run, and what a caller signs in with. */
function places(ready) {
  const { base_url: bc, environment, company_id: company } = ready.bc;
  const { base_url: entra, tenant_id: tenant, client_id: client, client_secret: secret } = ready.entra;
  return {
    token: `${entra}/${tenant}/oauth2/v2.0/token`,
    form: {
      grant_type: 'client_credentials', client_id: client, client_secret: secret,
      scope: 'https://api.businesscentral.dynamics.com/.default',
    },
    records: `${ready.brex.base_url}/v3/accounting/records`,
    exports: `${ready.brex.base_url}/v3/accounting/records/export-results`,
    brexToken: ready.brex.token,
    invoices: `${bc}/v2.0/${tenant}/${environment}/api/v2.0/companies(${company})/purchaseInvoices`,
  };
}

/** The query of one page of records. */
function page(cursor) {
  const query = new URLSearchParams({
    review_status: 'READY_FOR_EXPORT', source_type: 'CARD', 'updated_at[gte]': '1970-01-01T00:00:00Z', limit: '1000',
  });
  if (cursor) query.set('cursor', cursor);
  return query.toString();
}

/** The number that a document can be found by again. Business Central keeps it in capitals. */
const number = (record) => `PEER-${record.id.slice(-20)}`.toUpperCase();

const coded = (line, field) =>
  (line.accounting_field_values ?? []).find((value) => value.remote_field_id === field)?.remote_field_value_id ?? '';

/** The purchase invoice of a record, with its lines. */
function document(record) {
  const day = (record.posted_at ?? '').slice(0, 10);
  const debits = (record.line_items ?? []).filter((line) => line.type === 'DEBIT');
  const last = debits.at(-1) ?? {};
  const lines = debits.map((line) => ({
    lineType: 'Account', lineObjectNumber: coded(line, 'GL_ACCOUNT'), description: record.memo, quantity: 1,
    unitCost: line.amount.amount,
  }));
  lines.push({ lineType: 'Comment', description: `Brex record ${record.id}` });
  const made = {
    vendorNumber: coded(last, 'VENDOR'), postingDate: day, invoiceDate: day, vendorInvoiceNumber: number(record),
    dimensionSetLines: [{ code: 'DEPARTMENT', valueCode: coded(last, 'DIM_DEPARTMENT') }],
    purchaseInvoiceLines: lines,
  };
  if (record.amount.currency !== 'USD') made.currencyCode = record.amount.currency;
  return made;
}

/** What Brex is told of a record. */
const result = (id, reference) => ({
  accounting_record_id: id, success: { reference_id: reference, deep_link_url: `${ADDRESS}${reference}` },
});

module.exports = { places, page, number, document, result };
