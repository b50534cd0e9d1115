'use strict';
// A plain script that remembers nothing: the limit of what JavaScript does with these calls.

const { randomUUID } = require('node:crypto');
const { Client, result, AT_ONCE, PER_REPORT } = require('../shared/client.cjs');

async function main() {
  const client = new Client();
  const records = (await client.list(process.env.BENCH_PREFIX)).values();
  const reports = [];
  let waiting = [];
  const report = () => {
    if (waiting.length > 0) reports.push(client.report(waiting, randomUUID()));
    waiting = [];
  };
  const work = async () => {
    for (const item of records) {
      const number = await client.create(item);
      waiting.push(result(item.id, number));
      if (waiting.length === PER_REPORT) report();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  report();
  await Promise.all(reports);
  client.close();
  // What this process used can be read only while it runs.
  setTimeout(() => {}, 300);
}

main();
