// Starts an already built program, waits for the line that says it is ready, and stops it again.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** How long a program may take until it is ready, and until it has stopped. */
const DEADLINE_MS = 30_000;
const KEPT_LINES = 50;

/** The path of a built program: from the environment, else where `cargo build` puts it. */
export function builtProgram(variable, name) {
  const file = process.env[variable] ?? path.join(ROOT, "target", "debug", name);
  if (!existsSync(file)) {
    throw new Error(`${file} is not there; build it with: cargo build --workspace --bins`);
  }
  return file;
}

/**
 * Starts `file` and waits until `readyFrom(line, stream)` gives something for a line of its output (`stream` is "stdout" or
 * "stderr"). Resolves to `{ ready, stop }`; fails with the last lines of output if the program ends first or takes too long.
 */
export async function startProgram(file, args, readyFrom, { cwd } = {}) {
  const child = spawn(file, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const recent = [];
  const failed = (why) => new Error(`${path.basename(file)} ${args.join(" ")}: ${why}\n${recent.join("\n")}`);

  const becameReady = new Promise((resolve) => {
    for (const stream of ["stdout", "stderr"]) {
      createInterface({ input: child[stream] }).on("line", (line) => {
        recent.push(line);
        if (recent.length > KEPT_LINES) recent.shift();
        const ready = readyFrom(line, stream);
        if (ready !== undefined) resolve(ready);
      });
    }
  });
  const stop = () => stopProgram(child, ended, failed);
  try {
    const ready = await within(
      DEADLINE_MS,
      Promise.race([becameReady, ended.then((how) => Promise.reject(failed(`ended early (${how})`)))]),
      () => failed("was not ready in time"),
    );
    return { ready, stop };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function stopProgram(child, ended, failed) {
  child.kill("SIGTERM");
  try {
    await within(DEADLINE_MS, ended, () => failed("did not stop on SIGTERM"));
  } finally {
    child.kill("SIGKILL");
  }
}

/** The promise's outcome, or the error of `tooLate` after the deadline. */
async function within(deadlineMs, promise, tooLate) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
