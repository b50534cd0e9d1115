// The console in a browser, on the demo: the first admin comes in, adds people of each role, and they do their work.

import assert from "node:assert/strict";
import path from "node:path";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { seriousFindings } from "../harness/accessibility.js";
import { LOOKS, brightness, launchBrowser, reloadUntil, withPage } from "../harness/browser.js";
import { accept, asPerson, asVisitor } from "../harness/console.js";
import { exportableRow, startDemo } from "../harness/demo.js";
import { ROOT } from "../harness/program.js";

const SLOW = { timeout: 180_000 };
const SCREENSHOTS = path.join(ROOT, "target", "screenshots");

let browser;
let demo;
let origin;

before(async () => {
  [browser, demo] = await Promise.all([launchBrowser(), startDemo()]);
  origin = new URL(demo.welcome).origin;
  await asVisitor(browser, origin, (page) => accept(page, demo.welcome));
  await asPerson(browser, origin, "admin", async (page) => {
    for (const role of ["viewer", "bookkeeper", "approver"]) {
      await page.goto(`${origin}/users`);
      await page.getByLabel("Name or address").fill(role);
      await page.locator("section:not(#tokens)").getByLabel("Role").selectOption(role);
      await page.getByRole("button", { name: "Add and get the link" }).click();
      const link = await page.locator("[data-link]").innerText();
      assert.match(link, /^http:\/\/[\w.:]+\/welcome\?token=\w+$/, "the whole address is shown");
      await asVisitor(browser, origin, (visitor) => accept(visitor, link));
    }
  });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("a bookkeeper confirms a vendor in the queue and the record is exported", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "bookkeeper", async (page) => {
    await page.getByRole("link", { name: "Vendors", exact: true }).click();
    const asking = page.locator(".asking").first();
    const record = await asking.getByRole("link").first().getAttribute("href");
    await asking.getByRole("button", { name: "This one" }).first().click();
    await page.getByText("Remembered.").waitFor();
    await page.goto(`${origin}${record}`);
    await reloadUntil(page, "the export", async () => (await page.getByText("exported to Brex with reference").count()) > 0);
    assert.equal(await page.getByText("confirmed by bookkeeper").count() > 0, true, "the story tells who answered");
  });
});

test("a bookkeeper says what a coded value means, the hold clears and the record is exported", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "bookkeeper", async (page) => {
    await page.getByRole("link", { name: "Attention", exact: true }).click();
    const group = page.locator("section.card", { has: page.getByRole("heading", { name: /^account_unknown/ }) });
    const record = await group.locator("tbody a").first().getAttribute("href");
    await page.goto(`${origin}${record}`);
    const question = page.locator("section.card", { hasText: "What does it mean?" });
    await question.getByLabel("It means").selectOption({ index: 1 });
    await question.getByLabel("Why").fill("the chart of accounts was numbered anew");
    await question.getByRole("button", { name: "Keep" }).click();
    await reloadUntil(page, "the export", async () => (await page.getByText("exported to Brex with reference").count()) > 0);
    await page.getByRole("link", { name: "Mappings", exact: true }).click();
    await page.getByText("the chart of accounts was numbered anew").waitFor();
  });
});

test("somebody signs in with a Microsoft account and comes to the page that was asked for", SLOW, async () => {
  await demo.atRest;
  const go = async (page) => {
    await page.goto(`${origin}/c/demo/vendors`);
    await page.getByRole("link", { name: "Sign in with Microsoft" }).click();
    await page.getByRole("heading", { name: "Pick an account" }).waitFor();
    await page.getByRole("link", { name: "Ann Lee" }).click();
    await page.getByRole("heading", { name: "Vendors", exact: true }).waitFor();
    await page.getByText("ann.lee@northwindsupply.onmicrosoft.com, bookkeeper").waitFor();
  };
  await asVisitor(browser, origin, go, { mayLeaveFor: (url) => url.hostname === "127.0.0.1" });
});

test("a record arrives on the page while somebody watches it", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "viewer", async (page) => {
    await page.getByRole("link", { name: "Records", exact: true }).click();
    await withPage(browser, `${demo.brex}/`, async (brex) => {
      const id = await exportableRow(brex).getAttribute("id");
      await brex.locator(`[id="${id}"]`).getByRole("button", { name: "Export" }).click();
      await brex.waitForURL(`**/*#${id}`);
      const row = page.locator("tbody tr", { has: page.locator(`a[href$="/records/${id}"]`) });
      await row.getByText("exported", { exact: true }).waitFor({ timeout: 60_000 });
    });
  });
});

test("what somebody is filling in is not taken away by news", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "bookkeeper", async (page) => {
    await page.clock.install();
    await page.getByRole("link", { name: "Attention", exact: true }).click();
    const group = page.locator("section.card").first();
    const news = page.waitForResponse((response) => response.url().endsWith("/attention"));
    await page.clock.runFor(3_500);
    await news;
    await group.getByRole("checkbox").first().check();
    await group.getByLabel("Why").fill("half a sen");
    await page.clock.runFor(10_000);
    assert.equal(await group.getByRole("checkbox").first().isChecked(), true);
    assert.equal(await group.getByLabel("Why").inputValue(), "half a sen");
  });
});

test("a bookkeeper matches a transfer with the invoice it pays, and takes that apart again", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "bookkeeper", async (page) => {
    await page.getByRole("link", { name: "Transfers", exact: true }).click();
    const open = page.locator("section.card").first();
    const owed = page.locator("tbody tr");
    await reloadUntil(page, "the comparison", async () => (await open.count()) > 0 && (await owed.count()) > 0);
    const card = page.locator("section.card", { hasText: await open.getByRole("heading").innerText() });
    await card.getByLabel("Invoices").fill(await owed.first().locator("td").nth(1).innerText());
    await card.getByLabel("Why").fill("the supplier says so");
    await card.getByRole("button", { name: "Match" }).click();
    await page.getByText("Noted.").waitFor();
    await page.getByRole("link", { name: "all", exact: true }).click();
    await card.getByText("said by bookkeeper").waitFor();
    await card.getByLabel("Why").fill("it was another invoice");
    await card.getByRole("button", { name: "Take apart" }).click();
    await page.getByText("Noted.").waitFor();
  });
});

test("a plan to pay says what stands against each invoice", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "approver", async (page) => {
    await page.getByRole("link", { name: "Pay", exact: true }).click();
    await reloadUntil(page, "an open invoice", async () => (await page.getByRole("checkbox").count()) > 0);
    await page.getByRole("checkbox").first().check();
    await page.getByRole("button", { name: "Plan the chosen" }).click();
    await page.getByRole("heading", { name: /^What would be paid/ }).waitFor();
    assert.ok((await page.locator("#plan .tag.held").count()) > 0, "a bill of Brex is paid by Brex");
  });
});

test("a bookkeeper asks for a held record to be tried again, and the story tells who and why", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "bookkeeper", async (page) => {
    await page.getByRole("link", { name: "Attention", exact: true }).click();
    const group = page.locator("section.card").first();
    await group.getByRole("checkbox").first().check();
    await group.getByLabel("Why").fill("the rate is entered now");
    await group.getByRole("button", { name: "Try the chosen again" }).click();
    await page.getByText("Asked for 1 record.").waitFor();
    const trail = () => page.getByText("person:bookkeeper asked to try again: the rate is entered now").count();
    await page.getByRole("link", { name: "Audit", exact: true }).click();
    await reloadUntil(page, "the entry", async () => (await trail()) > 0);
    await page.getByRole("button", { name: /^Verify all/ }).click();
    await page.getByText("each follows from the one before").waitFor();
  });
});

test("the month is compared, and its page to print can be opened", SLOW, async () => {
  await demo.atRest;
  await asPerson(browser, origin, "viewer", async (page) => {
    await page.getByRole("link", { name: "Close", exact: true }).click();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByText("documents posted in the period").waitFor();
    const link = await page.getByRole("link", { name: "The page to print and sign" }).getAttribute("href");
    await page.goto(`${origin}${link}`);
    await page.getByRole("heading", { name: "Tie-out of Brex and Business Central" }).waitFor();
    const signature = page.getByText("Signature", { exact: true });
    assert.equal(await signature.evaluate((line) => getComputedStyle(line).borderTopStyle), "solid", "its own style holds");
  });
});

test("each role sees the buttons that are of use to it, and no others", SLOW, async () => {
  await demo.atRest;
  const seen = async (name) =>
    asPerson(browser, origin, name, async (page) => {
      const users = await page.getByRole("link", { name: "Users", exact: true }).count();
      await page.getByRole("link", { name: "Attention", exact: true }).click();
      return { users, retry: (await page.getByRole("button", { name: "Try the chosen again" }).count()) > 0 };
    });
  assert.deepEqual(await seen("viewer"), { users: 0, retry: false });
  assert.deepEqual(await seen("bookkeeper"), { users: 0, retry: true });
  assert.deepEqual(await seen("approver"), { users: 0, retry: true });
  assert.deepEqual(await seen("admin"), { users: 1, retry: true });
});

test("every page fits its window and is usable by everybody, in light, dark and on a phone", SLOW, async () => {
  await demo.atRest;
  mkdirSync(SCREENSHOTS, { recursive: true });
  const troubles = [];
  const shootOf = (look, options) => async (page, name) => {
    await page.screenshot({ path: path.join(SCREENSHOTS, `console-${name}-${look}.png`) });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > options.viewport.width) troubles.push(`${name} ${look}: ${width} px for ${options.viewport.width}`);
    for (const finding of await seriousFindings(page)) troubles.push(`${name} ${look}: ${finding}`);
  };
  for (const [look, options] of Object.entries(LOOKS)) {
    const shootPage = shootOf(look, options);
    const signInPage = async (page) => {
      await page.goto(`${origin}/sign-in`);
      await shootPage(page, "sign-in");
    };
    await asVisitor(browser, origin, signInPage, { look: options });
    await asPerson(
      browser,
      origin,
      "admin",
      async (page) => {
        const shoot = (name) => shootPage(page, name);
        await shoot("overview");
        const pages = await page.locator("nav.side a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
        for (const href of pages.slice(1)) {
          await page.goto(`${origin}${href}`);
          await shoot(href.split("/").at(-1));
        }
        const connection = new URL(pages.find((href) => href.endsWith("/records")), origin).pathname.split("/")[2];
        await page.goto(`${origin}/c/${connection}/doctor`);
        await page.getByRole("button", { name: "Examine now" }).click();
        await page.getByRole("button", { name: "Examine again" }).waitFor();
        await shoot("doctor");
        for (const href of [`/c/${connection}/secrets`, "/connect"]) {
          await page.goto(`${origin}${href}`);
          await shoot(href.split("/").at(-1));
        }
        const { paper, ink } = await brightness(page);
        assert.equal(paper < ink, look === "dark", `${look}: paper ${paper}, ink ${ink}`);
        await page.goto(`${origin}${pages.find((href) => href.endsWith("/records"))}?stage=exported`);
        await page.locator("tbody a").first().click();
        await page.getByRole("heading", { name: "What happened" }).waitFor();
        await shoot("record");
      },
      options,
    );
  }
  assert.deepEqual(troubles, []);
});
