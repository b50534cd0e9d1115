'use strict';
// A new PostgreSQL server for one run of the connector, and what it used.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const SERVER = path.join(__dirname, '..', '..', '..', 'scripts', 'postgres-server');
/** Of a clock tick in /proc: a constant of Linux towards programs. */
const TICK_MS = 10;

const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const server = (...argv) => execFileSync(SERVER, argv, { stdio: ['ignore', 'ignore', 'inherit'] });

function stat(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1], own: fields[11] + fields[12], ofEnded: fields[13] + fields[14] };
  } catch {
    return null;
  }
}

/** What the server has used so far, with those of its processes that have ended. */
function cpuMs(postmaster) {
  const children = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(stat)
    .filter((process) => process?.parent === postmaster);
  const main = stat(postmaster);
  return TICK_MS * children.reduce((sum, process) => sum + process.own, main.own + main.ofEnded);
}

/** Ports are tried, since another process can take a free one before the server does. */
function start(folder) {
  for (let attempt = 0; ; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      server('start', folder, String(port), 'synchronous_commit=on', 'max_connections=100');
      return port;
    } catch (error) {
      if (attempt === 4) throw error;
    }
  }
}

/** Calls `use` with the address of an empty database. What it answers, and the processor time of the server meanwhile. */
function withPostgres(scratch, use) {
  const folder = fs.mkdtempSync(path.join(scratch, 'postgres-'));
  try {
    server('init', folder);
    const port = start(folder);
    const postmaster = Number(fs.readFileSync(path.join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const before = cpuMs(postmaster);
    const answer = use(`postgres://postgres@127.0.0.1:${port}/postgres`);
    // A process that has just ended counts once its parent has noticed.
    pause(200);
    return { answer, cpuMs: cpuMs(postmaster) - before };
  } finally {
    if (fs.existsSync(path.join(folder, 'data', 'postmaster.pid'))) server('crash', folder);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { withPostgres };
