// `ml-connector demo`: the connector with a sandbox in one process.

import { builtProgram, startProgram } from "./program.js";

/**
 * Starts the demo and reads from stderr where its two pages are, and the link into the console. `atRest` is fulfilled when the first records are done and
 * the demo only goes on serving; from then on nobody but the test clicks anything.
 */
export async function startDemo({ records = 240 } = {}) {
  const file = builtProgram("ML_CONNECTOR", "ml-connector");
  const found = {};
  let rest;
  const atRest = new Promise((resolve) => {
    rest = resolve;
  });
  const { ready, stop } = await startProgram(file, ["demo", "--records", String(records)], (line, stream) => {
    if (stream !== "stderr") return undefined;
    if (/^still serving\b/.test(line)) rest();
    found.brex ??= address(line, "Brex");
    found.bc ??= address(line, "Business Central");
    found.welcome ??= line.match(/^ +(http:\/\/\S+\/welcome\?token=\w+)$/)?.[1];
    return found.brex && found.bc && found.welcome ? found : undefined;
  });
  return { ...ready, atRest, stop };
}

/** The address in a line such as `Brex (records, with a button Export):   http://127.0.0.1:4100/`. */
function address(line, system) {
  return line.startsWith(system) ? line.match(/: +(http:\/\/[\w.:]+)/)?.[1] : undefined;
}

/**
 * A card purchase in review whose account and vendor are coded: a person would export it without a second look. Not one on
 * account 61300: it has a department by default, and Business Central refuses a second one (docs/codes/document_refused.md).
 */
export function exportableRow(page) {
  return page
    .locator("tbody tr", { has: page.locator(".status", { hasText: /^REVIEW$/ }) })
    .filter({ has: page.locator("code", { hasText: /^CARD_EXPENSE_POST$/ }) })
    .filter({ hasText: /G\/L Account: / })
    .filter({ hasNotText: /not coded|G\/L Account: 61300/ })
    .first();
}
