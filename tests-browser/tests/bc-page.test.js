// The sandbox's Business Central page: a person sees the purchase documents.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, brightness, launchBrowser, takeScreenshots, withPage } from "../harness/browser.js";
import { HOSTILE, assertInert } from "../harness/hostile.js";
import { businessCentral, startSandbox } from "../harness/sandbox.js";

let browser;
let sandbox;
let vendor;
let account;

before(async () => {
  [browser, sandbox] = await Promise.all([launchBrowser(), startSandbox()]);
  const vendors = await businessCentral(sandbox, "GET", "vendors?$filter=blocked eq '_x0020_'&$top=1");
  const accounts = await businessCentral(
    sandbox,
    "GET",
    "accounts?$filter=accountType eq 'Posting' and directPosting eq true and blocked eq false&$top=1",
  );
  vendor = vendors.value[0];
  account = accounts.value[0];
});
after(async () => {
  await browser?.close();
  await sandbox?.stop();
});

const pageUrl = () => `${sandbox.bc.base_url}/`;

/** Makes a draft the way an integration does. */
async function createDraft(number, descriptions) {
  return businessCentral(sandbox, "POST", "purchaseInvoices", {
    vendorNumber: vendor.number,
    postingDate: "2026-03-01",
    invoiceDate: "2026-03-01",
    vendorInvoiceNumber: number,
    purchaseInvoiceLines: descriptions.map((description, index) => ({
      lineType: "Account",
      lineObjectNumber: account.number,
      description,
      quantity: 1,
      unitCost: 100 + index,
    })),
  });
}

test("a draft that was made over the interface is on the page with vendor, number, date, total and status", async () => {
  const draft = await createDraft("INV-PAGE-1", ["Booth", "Travel"]);
  await withPage(browser, pageUrl(), async (page) => {
    const row = page.locator("tr", { hasText: "INV-PAGE-1" }).first();
    const shown = await row.innerText();
    for (const part of [draft.number, vendor.number, vendor.displayName, "2026-03-01", "201", "Draft"]) {
      assert.ok(shown.includes(part), `${part} in ${shown}`);
    }
  });
});

test("the lines of a document open with a click and with the keyboard", async () => {
  await createDraft("INV-PAGE-2", ["Deposit for the booth in hall 7"]);
  await withPage(browser, pageUrl(), async (page) => {
    const line = page.getByText("Deposit for the booth in hall 7");
    const summary = page.locator("details", { has: line }).locator("summary");
    assert.equal(await line.isVisible(), false);
    await summary.click();
    await line.waitFor({ state: "visible" });
    await summary.focus();
    await page.keyboard.press("Enter");
    await line.waitFor({ state: "hidden" });
  });
});

test("HTML in a description is shown as text and does nothing", async () => {
  const text = HOSTILE.slice(0, 100);
  await createDraft("INV-PAGE-3", [text]);
  await withPage(browser, pageUrl(), (page) => assertInert(page, text));
});

test("the page is bright in light mode, dark in dark mode, and fits a phone", async () => {
  await createDraft("INV-PAGE-4", ["For the picture", "A second line"]);
  const light = await withPage(browser, pageUrl(), brightness, LOOKS.light);
  const dark = await withPage(browser, pageUrl(), brightness, LOOKS.dark);
  assert.ok(light.paper > 200 && light.ink < 80, JSON.stringify(light));
  assert.ok(dark.paper < 60 && dark.ink > 180, JSON.stringify(dark));
  await takeScreenshots(browser, pageUrl(), "bc");
});
