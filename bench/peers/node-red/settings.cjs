'use strict';
// Neither editor nor pages: nothing listens. Functions of the flow find the shapes of the job in the global context.

const job = require('../shared/record.cjs');
const { readReady } = require('../shared/client.cjs');

module.exports = {
  httpAdminRoot: false,
  httpNodeRoot: false,
  uiHost: '127.0.0.1',
  userDir: process.env.BENCH_SCRATCH,
  flowFile: process.env.PEER_FLOW,
  telemetry: { enabled: false },
  functionGlobalContext: { job, ready: readReady(), prefix: process.env.BENCH_PREFIX },
  logging: { console: { level: 'warn', metrics: false, audit: false } },
};
