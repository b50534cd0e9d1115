// The whole way in a browser: what is exported on the Brex page becomes a draft on the Business Central page, and the Brex
// page then shows its number.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, reloadUntil, takeScreenshots, withPage } from "../harness/browser.js";
import { exportableRow, startDemo } from "../harness/demo.js";

/** For tests that wait until the demo's first records are done. */
const SLOW = { timeout: 180_000 };

let browser;
let demo;

before(async () => {
  [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** The rows of our drafts; the rows with their lines carry no status. */
const drafts = (page) => page.locator("tr", { has: page.locator("td.Draft") }).filter({ hasText: "BRX-" });

test("the drafts of the records that were ready appear on the Business Central page", async () => {
  await withPage(browser, `${demo.bc}/`, async (page) => {
    await reloadUntil(page, "the first draft", async () => (await drafts(page).count()) > 0);
  });
});

test("a click on Export on the Brex page makes a draft in Business Central, and Brex shows its number", SLOW, async () => {
  await demo.atRest;
  await withPage(browser, `${demo.brex}/`, async (brex) => {
    const id = await exportableRow(brex).getAttribute("id");
    const row = brex.locator(`[id="${id}"]`);
    await row.getByRole("button", { name: "Export" }).click();
    await brex.waitForURL(`**/*#${id}`);

    const status = () => row.locator(".status").innerText();
    await reloadUntil(brex, `the export of ${id}`, async () => (await status()) === "EXPORTED");
    const number = (await row.locator("td").last().innerText()).trim();
    assert.notEqual(number, "");
    await withPage(browser, `${demo.bc}/`, async (bc) => {
      assert.equal(await drafts(bc).filter({ hasText: number }).count(), 1);
    });
  });
});

test("both pages fit their windows when documents are on them", SLOW, async () => {
  await demo.atRest;
  await takeScreenshots(browser, `${demo.brex}/`, "demo-brex");
  await takeScreenshots(browser, `${demo.bc}/`, "demo-bc");
});
