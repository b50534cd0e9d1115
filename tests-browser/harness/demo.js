// `ml-connector demo`: the connector with a sandbox in one process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { builtProgram, startProgram } from "./program.js";

/** Starts the demo in an empty directory and reads from stderr where its two pages are. */
export async function startDemo() {
  const file = builtProgram("ML_CONNECTOR", "ml-connector");
  const directory = mkdtempSync(path.join(tmpdir(), "ml-connector-demo-"));
  const found = {};
  const { ready, stop } = await startProgram(
    file,
    ["demo"],
    (line, stream) => (stream === "stderr" ? pagesFrom(found, line) : undefined),
    { cwd: directory },
  );
  return {
    ...ready,
    stop: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Collects the addresses; gives them once both are known. A line names a system and, behind it, an address. */
function pagesFrom(found, line) {
  const text = line.replace(/\u001b\[[0-9;]*m/g, "");
  found.brex ??= text.match(/\bBrex\b[^\n]*?(http:\/\/[\w.:]+)/)?.[1];
  found.bc ??= text.match(/\bBusiness Central\b[^\n]*?(http:\/\/[\w.:]+)/)?.[1];
  return found.brex && found.bc ? { brex: found.brex, bc: found.bc } : undefined;
}
