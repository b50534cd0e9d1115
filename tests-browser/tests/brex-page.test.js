// The sandbox's Brex page: a person sees the accounting records and exports them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, brightness, launchBrowser, takeScreenshots, withPage } from "../harness/browser.js";
import { HOSTILE, assertInert } from "../harness/hostile.js";
import { control, startSandbox } from "../harness/sandbox.js";

let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([launchBrowser(), startSandbox()]);
});
after(async () => {
  await browser?.close();
  await sandbox?.stop();
});

const pageUrl = () => `${sandbox.brex.base_url}/`;
const rowsWithButton = (page) => page.locator("tbody tr", { has: page.getByRole("button", { name: "Export" }) });
const statusOf = (row) => row.locator(".status").innerText();

test("the page lists every record with its type, amount and review status", async () => {
  await withPage(browser, pageUrl(), async (page) => {
    const rows = page.locator("tbody tr");
    assert.equal(await rows.count(), 120);
    const statuses = new Set(await page.locator("tbody .status").allInnerTexts());
    for (const status of ["PREPARE", "REVIEW", "READY_FOR_EXPORT"]) assert.ok(statuses.has(status), status);
    for (const amount of await page.locator("tbody td.amount").allInnerTexts()) {
      assert.match(amount.trim(), /^-?\d+(\.\d+)? [A-Z]{3}$/);
    }
  });
});

test("only records that are not ready yet have an Export button", async () => {
  await withPage(browser, pageUrl(), async (page) => {
    const statuses = new Set(await rowsWithButton(page).locator(".status").allInnerTexts());
    assert.ok(statuses.size > 0);
    for (const status of statuses) assert.match(status, /^(PREPARE|REVIEW)$/);
  });
});

test("a click on Export makes the record ready for export and comes back to its row", async () => {
  await withPage(browser, pageUrl(), async (page) => {
    const id = await rowsWithButton(page).first().getAttribute("id");
    const row = page.locator(`[id="${id}"]`);
    await row.getByRole("button", { name: "Export" }).click();
    await page.waitForURL(`**/*#${id}`);
    assert.equal(await statusOf(row), "READY_FOR_EXPORT");
    assert.equal(await row.getByRole("button").count(), 0);
    assert.ok(await row.isVisible());
  });
});

test("Export can be reached and pressed with the keyboard alone", async () => {
  await withPage(browser, pageUrl(), async (page) => {
    const button = rowsWithButton(page).first().getByRole("button", { name: "Export" });
    const id = await rowsWithButton(page).first().getAttribute("id");
    await button.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/*#${id}`);
    assert.equal(await statusOf(page.locator(`[id="${id}"]`)), "READY_FOR_EXPORT");
  });
});

test("HTML in a memo and in a merchant's name is shown as text and does nothing", async () => {
  await control(sandbox, "POST", "brex/records", hostileRecord());
  await withPage(browser, pageUrl(), async (page) => {
    await assertInert(page);
    assert.equal(await page.locator(`[id="accr_hostile"]`).count(), 1);
  });
});

test("the page is bright in light mode, dark in dark mode, and fits a phone", async () => {
  const light = await withPage(browser, pageUrl(), brightness, LOOKS.light);
  const dark = await withPage(browser, pageUrl(), brightness, LOOKS.dark);
  assert.ok(light.paper > 200 && light.ink < 80, JSON.stringify(light));
  assert.ok(dark.paper < 60 && dark.ink > 180, JSON.stringify(dark));
  await takeScreenshots(browser, pageUrl(), "brex");
});

function hostileRecord() {
  const amount = { amount: 12.5, currency: "USD" };
  const coded = {
    brex_field_id: "extended_field_gl",
    remote_field_id: "GL_ACCOUNT",
    field_name: HOSTILE,
    brex_field_value_id: "efo_gl",
    remote_field_value_id: "61300",
    field_value_name: HOSTILE,
    type: "IDENTIFIER",
  };
  const now = new Date().toISOString();
  return {
    id: "accr_hostile",
    amount,
    original_amount: null,
    type: "CARD_EXPENSE_POST",
    review_status: "REVIEW",
    source_id: "expense_hostile",
    source_type: "CARD",
    erp_posting_date: now,
    posted_at: now,
    updated_at: now,
    due_at: null,
    invoice_number: null,
    version: 1,
    memo: HOSTILE,
    receipts: [],
    user: null,
    vendor: { id: "pmch_hostile", name: HOSTILE, contact_name: null, email: null, website: null, phone: null },
    line_items: [
      { id: "accrli_h1", type: "DEBIT", amount, original_amount: null, memo: HOSTILE, accounting_field_values: [coded] },
      { id: "accrli_h2", type: "CREDIT", amount, original_amount: null, memo: null, accounting_field_values: [] },
    ],
  };
}
