'use strict';
// Graphile Worker: a job per record. A job that ended without an answer is done again, and looks for its document first. What Brex is to
// be told waits in a table, and a job that adds itself again and again takes it from there, 100 at a time.

const { createHash } = require('node:crypto');
const { Logger, makeWorkerUtils, run } = require('graphile-worker');
const { Client, result, AT_ONCE, PER_REPORT } = require('../shared/client.cjs');

/** How long a report waits for more. */
const GATHER_MS = 100;
const TABLE = 'create table if not exists made (id text primary key, number text not null, is_told boolean not null default false)';

const client = new Client();
const logger = new Logger(() => (level, message) => {
  if (level === 'error' || level === 'warning') console.error(message);
});
let finish;
const finished = new Promise((resolve) => (finish = resolve));

/** Reports have a queue of their own: one at a time, so that no two take the same. */
const nextReport = (helpers, state) => helpers.addJob('report', state, {
  queueName: 'reports', runAt: new Date(Date.now() + GATHER_MS), maxAttempts: 10,
});

/** The list becomes jobs in one statement. */
async function list(prefix, helpers) {
  const records = await client.list(prefix);
  const jobs = records.map((record) => ({ identifier: 'create', payload: record, jobKey: record.id, maxAttempts: 10 }));
  if (jobs.length > 0) await helpers.addJobs(jobs);
  await nextReport(helpers, { total: jobs.length, seen: 0 });
}

async function create(record, helpers) {
  const number = await client.ensure(record);
  await helpers.query('insert into made (id, number) values ($1, $2) on conflict do nothing', [record.id, number]);
}

/** The key is of the content: a report that is tried again may be of more records. */
const keyOf = (results) => createHash('sha256').update(results.map((one) => one.accounting_record_id).join()).digest('hex');

/** Brex refuses a report whole if it knows of one of its records already, as after a kill. It names them. */
async function tell(results) {
  try {
    await client.report(results, keyOf(results));
  } catch (error) {
    const known = new Set(error.answer?.details?.not_ready_for_export_accounting_record_ids);
    const rest = results.filter((one) => !known.has(one.accounting_record_id));
    if (rest.length === results.length) throw error;
    if (rest.length > 0) await client.report(rest, keyOf(rest));
  }
}

async function report({ total, seen }, helpers) {
  const { rows: [count] } = await helpers.query(
    'select count(*)::int as made, count(*) filter (where is_told)::int as told from made');
  let { told } = count;
  while (isDue(count, told, total, seen)) {
    const { rows } = await helpers.query('select id, number from made where not is_told order by id limit $1', [PER_REPORT]);
    if (rows.length === 0) break;
    await tell(rows.map(({ id, number }) => result(id, number)));
    await helpers.query('update made set is_told = true where id = any($1)', [rows.map(({ id }) => id)]);
    told += rows.length;
  }
  if (told >= total) finish();
  else await nextReport(helpers, { total, seen: count.made });
}

/** Whether 100 wait, or all are made, or no more came since the last look. */
const isDue = ({ made }, told, total, seen) => made - told >= PER_REPORT || (made > told && (made >= total || made === seen));

const worker = (concurrentJobs, taskList) => run({
  preset: {
    worker: {
      connectionString: process.env.DATABASE_URL, concurrentJobs, logger, pollInterval: 100, maxPoolSize: 10,
      localQueue: { size: 50 }, completeJobBatchDelay: 0, failJobBatchDelay: 0,
    },
  },
  taskList,
  noHandleSignals: true,
});

async function main() {
  const utils = await makeWorkerUtils({ connectionString: process.env.DATABASE_URL, logger });
  await utils.migrate();
  await utils.withPgClient((database) => database.query(TABLE));
  await utils.addJob('list', process.env.BENCH_PREFIX, { jobKey: 'list' });
  // Reports have a pool of their own, so that five documents are always under way.
  const workers = await Promise.all([worker(AT_ONCE, { create }), worker(1, { list, report })]);
  await finished;
  await Promise.all(workers.map((one) => one.stop()));
  await utils.release();
  client.close();
}

main();
