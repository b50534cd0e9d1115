'use strict';
// The calls of the flows that are code: connections that stay open, and a look at the status of every answer.

const http = require('node:http');
const fs = require('node:fs');
const record = require('./record.cjs');

const AT_ONCE = 5;
const PER_REPORT = 100;

const readReady = () => JSON.parse(fs.readFileSync(process.env.BENCH_READY, 'utf8'));

/** The error of a request that was refused, with what was said. */
function refusal(request, status, text) {
  const error = new Error(`${request}: ${status} ${text}`);
  try {
    error.answer = JSON.parse(text);
  } catch {
    // Not every refusal is JSON; the message has its text.
  }
  return error;
}

class Client {
  #agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  #token;

  constructor(ready = readReady()) {
    this.places = record.places(ready);
  }

  /** Signs in once, whoever asks first. */
  #signIn() {
    const body = new URLSearchParams(this.places.form).toString();
    this.#token ??= this.#call('POST', this.places.token, { 'content-type': 'application/x-www-form-urlencoded' }, body);
    return this.#token.then((answer) => answer.access_token);
  }

  /** All records whose id begins with `prefix`. */
  async list(prefix) {
    const found = [];
    let cursor;
    do {
      const url = `${this.places.records}?${record.page(cursor)}`;
      const answer = await this.#call('GET', url, { authorization: `Bearer ${this.places.brexToken}` });
      found.push(...answer.items.filter((item) => item.id.startsWith(prefix)));
      cursor = answer.next_cursor;
    } while (cursor);
    return found;
  }

  /** Makes the document of a record, and says its number. */
  async create(item) {
    const made = await this.#bc('POST', this.places.invoices, JSON.stringify(record.document(item)));
    return made.number;
  }

  /** As `create`, unless the document is there already: a step that may be repeated must look first. */
  async ensure(item) {
    const filter = encodeURIComponent(`vendorInvoiceNumber eq '${record.number(item)}'`);
    const found = await this.#bc('GET', `${this.places.invoices}?$filter=${filter}&$select=number`);
    return found.value[0]?.number ?? this.create(item);
  }

  /** Tells Brex of documents. */
  report(results, key) {
    const headers = {
      authorization: `Bearer ${this.places.brexToken}`, 'content-type': 'application/json', 'idempotency-key': key,
    };
    return this.#call('POST', this.places.exports, headers, JSON.stringify({ results }));
  }

  close() {
    this.#agent.destroy();
  }

  async #bc(method, url, body) {
    const token = await this.#signIn();
    return this.#call(method, url, { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body);
  }

  #call(method, url, headers, body) {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const request = http.request(url, { method, agent: this.#agent, headers: { ...headers, ...length } }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if (answer.statusCode >= 200 && answer.statusCode < 300) resolve(JSON.parse(text));
          else reject(refusal(`${method} ${url.split('?')[0]}`, answer.statusCode, text));
        });
      });
      request.setTimeout(60_000, () => request.destroy(new Error(`${method}: no answer in a minute`)));
      request.on('error', reject);
      request.end(body);
    });
  }
}

/** `all` in portions of `size`. */
const portions = (all, size) =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, place) => all.slice(place * size, (place + 1) * size));

module.exports = { Client, readReady, portions, result: record.result, AT_ONCE, PER_REPORT };
