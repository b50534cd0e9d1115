'use strict';
// What is compared: the connector on both of its databases, and every peer. Each run answers with the same fields.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { withPostgres } = require('./postgres.cjs');

const PEERS = path.dirname(__dirname);

/** What is lost in each class, in words that fit a table. */
const PEER_CLASSES = {
  'floor-node': 'none',
  'node-red': 'none',
  n8n: 'per run',
  'graphile-worker': 'per job',
  restate: 'per step',
  dbos: 'per step',
};

const DATABASES = new Set(['postgres', 'initdb', 'pg_ctl', 'pg_isready', 'setpriv']);

/** The answer of a benchmark. It exits with 8 if something is lost, doubled or wrong: that is an answer too. */
function bench(connector, argv) {
  const run = spawnSync(connector, ['bench', '--json', ...argv], {
    encoding: 'utf8', maxBuffer: 64 << 20, timeout: 3_600_000, stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    return JSON.parse(run.stdout);
  } catch {
    const why = (run.stderr || String(run.error ?? `ended with ${run.status}`)).trim().split('\n').at(-1);
    throw new Error(`bench ${argv.join(' ')}: ${why}`);
  }
}

const outcome = ({ lost, duplicates, wrong }) => ({ lost, duplicates, wrong });
const requests = (asked) => asked.bc + asked.brex;

function ofPeer(raw) {
  const sums = { engine: 0, database: 0, memory: 0 };
  for (const [name, used] of Object.entries(raw.programs)) {
    const isDatabase = DATABASES.has(name);
    sums[isDatabase ? 'database' : 'engine'] += used.cpu_ms_per_record;
    if (!isDatabase) sums.memory += used.peak_rss_mb;
  }
  const database = Object.keys(raw.programs).includes('postgres') ? sums.database : null;
  return {
    perSecond: raw.records_per_second, engineMs: sums.engine, databaseMs: database, memoryMb: sums.memory,
    requests: requests(raw.requests_per_record), ...outcome(raw),
  };
}

const ofConnector = (raw, databaseMs) => ({
  perSecond: raw.records_per_second, engineMs: raw.cpu_ms_per_record, databaseMs, memoryMb: raw.peak_rss_mb,
  requests: requests(raw.requests_per_record), ...outcome(raw),
});

/** The floor client runs before and after the connector: two samples of a round. What became of them is not looked at. */
const ofFloor = (raw) => raw.floor.records_per_second.map((perSecond, place) => ({
  perSecond, engineMs: raw.floor.cpu_ms_per_record[place], databaseMs: null, memoryMb: raw.floor.peak_rss_mb,
  requests: null, lost: null, duplicates: null, wrong: null,
}));

function onSqlite({ connector, records }) {
  const raw = bench(connector, ['--profile', 'p0', '--records', String(records)]);
  return { raw, samples: [ofConnector(raw, null)], floor: ofFloor(raw) };
}

function onPostgres({ connector, records, scratch }) {
  const { answer, cpuMs } = withPostgres(scratch, (url) =>
    bench(connector, ['--profile', 'p0', '--records', String(records), '--database', url]));
  const databaseMs = cpuMs / records;
  return { raw: { ...answer, database_cpu_ms_per_record: databaseMs }, samples: [ofConnector(answer, databaseMs)], floor: ofFloor(answer) };
}

const peer = (name) => ({
  name, durability: PEER_CLASSES[name],
  install() {
    const done = spawnSync(path.join(PEERS, name, 'install'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (done.status === 0) return null;
    const said = done.stdout.split('\n').find((line) => line.startsWith('skip: '));
    return said ?? `skip: ${name}: install ended with ${done.status}: ${done.stderr.trim().split('\n').at(-1)}`;
  },
  run({ connector, records }) {
    const command = path.join(PEERS, name, 'run');
    const raw = bench(connector, ['--profile', 'peer', '--peer', command, '--records', String(records)]);
    return { raw, samples: [ofPeer(raw)] };
  },
});

const RUNNERS = [
  { name: 'connector-sqlite', durability: 'per step', install: () => null, run: onSqlite },
  { name: 'connector-postgres', durability: 'per step', install: () => null, run: onPostgres },
  ...Object.keys(PEER_CLASSES).map(peer),
];

module.exports = { RUNNERS };
