'use strict';
// Prints the addresses of a run as variables of a shell, for engines whose flows read them from there.

const { randomUUID } = require('node:crypto');
const { places } = require('./record.cjs');
const { readReady } = require('./client.cjs');

const at = places(readReady());
const variables = {
  TOKEN: at.token, CLIENT_ID: at.form.client_id, CLIENT_SECRET: at.form.client_secret, RECORDS: at.records,
  EXPORTS: at.exports, BREX_TOKEN: at.brexToken, INVOICES: at.invoices, RUN: randomUUID(),
};
for (const [name, value] of Object.entries(variables)) {
  console.log(`export PEER_${name}='${value.replaceAll("'", "'\\''")}'`);
}
