'use strict';
// Graphile Worker: a job per record. A job that ended without an answer is done again, and looks for its document first. What Brex is to
// be told is collected in jobs of their own, which grow while they wait.

const { createHash } = require('node:crypto');
const { Logger, makeWorkerUtils, run } = require('graphile-worker');
const { Client, result, AT_ONCE, PER_REPORT } = require('../shared/client.cjs');

/** How long a report waits for more. */
const GATHER_MS = 250;

const client = new Client();
const logger = new Logger(() => (level, message) => {
  if (level === 'error' || level === 'warning') console.error(message);
});
let reported = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));

/** The list becomes jobs at once, in one statement. */
async function list(prefix, helpers) {
  const records = await client.list(prefix);
  const jobs = records.map((record, place) => ({
    identifier: 'create', payload: { record, group: Math.floor(place / PER_REPORT) }, jobKey: record.id, maxAttempts: 10,
  }));
  if (jobs.length > 0) await helpers.addJobs(jobs);
}

/** Adds to the report of a group, or begins one. */
async function gather(group, entry, helpers) {
  let job;
  do {
    job = await helpers.addJob('report', [entry], {
      jobKey: `report-${group}`, jobKeyMode: 'preserve_run_at', runAt: new Date(Date.now() + GATHER_MS), maxAttempts: 10,
    });
    // Version 0.18.0 drops what is added to a job that is taken at the same moment, and answers without a job (its issue 580).
  } while (!job.id);
}

async function create({ record, group }, helpers) {
  const number = await client.ensure(record);
  await gather(group, result(record.id, number), helpers);
}

/** The key is of the content: a job that failed may have grown before it is tried again. */
const keyOf = (results) =>
  createHash('sha256').update(results.map((one) => one.accounting_record_id).sort().join()).digest('hex');

/** Brex refuses a report whole if it was told of one of its records before, as when a killed job is done again. It names them. */
async function tell(results) {
  try {
    await client.report(results, keyOf(results));
  } catch (error) {
    const told = new Set(error.answer?.details?.not_ready_for_export_accounting_record_ids);
    const rest = results.filter((one) => !told.has(one.accounting_record_id));
    if (rest.length === results.length) throw error;
    if (rest.length > 0) await client.report(rest, keyOf(rest));
  }
}

async function report(gathered) {
  const results = [...new Map(gathered.map((one) => [one.accounting_record_id, one])).values()];
  await tell(results);
  reported += results.length;
  if (reported >= Number(process.env.BENCH_RECORDS)) finish();
}

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
  await utils.addJob('list', process.env.BENCH_PREFIX, { jobKey: 'list' });
  // Reports have a pool of their own, so that five documents are always under way.
  const workers = await Promise.all([worker(AT_ONCE, { create }), worker(2, { list, report })]);
  await finished;
  await Promise.all(workers.map((one) => one.stop()));
  await utils.release();
  client.close();
}

main();
