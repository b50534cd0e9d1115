'use strict';
// Restate: durable steps. The server journals what each step came to; a step whose outcome it does not know is done again, and looks
// for its document first.

const fs = require('node:fs');
const http2 = require('node:http2');
const restate = require('@restatedev/restate-sdk');
const { Client, portions, result, AT_ONCE, PER_REPORT } = require('../shared/client.cjs');

const client = new Client();
const retry = { initialRetryInterval: 100, maxRetryAttempts: 20 };

/** One at a time per key: as many keys, as many calls at once. */
const lane = restate.object({
  name: 'lane',
  handlers: {
    async portion(context, records) {
      const results = [];
      for (const item of records) {
        const number = await context.run('create', () => client.ensure(item), retry);
        results.push(result(item.id, number));
      }
      const key = context.rand.uuidv4();
      await context.run('report', () => client.report(results, key).then(() => null), retry);
      return records.length;
    },
  },
});

const job = restate.service({
  name: 'job',
  handlers: {
    async all(context, prefix) {
      const records = await context.run('list', () => client.list(prefix), retry);
      // Few records must not all be in one lane.
      const size = Math.max(1, Math.min(PER_REPORT, Math.ceil(records.length / AT_ONCE)));
      const calls = portions(records, size)
        .map((portion, place) => context.objectClient(lane, String(place % AT_ONCE)).portion(portion));
      const done = await restate.RestatePromise.all(calls);
      return done.reduce((sum, number) => sum + number, 0);
    },
  },
});

// `restate.serve` listens on all interfaces; this does not.
const handler = restate.createEndpointHandler({ services: [lane, job] });
const server = http2.createServer(handler);
server.listen(0, '127.0.0.1', () => fs.writeFileSync(process.argv[2], String(server.address().port)));
