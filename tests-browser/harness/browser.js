// Debian's Chromium, driven by playwright-core. Every page that a test opens is watched: an error on it fails the test.

import path from "node:path";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { ROOT } from "./program.js";

const DEADLINE_MS = 15_000;
const SCREENSHOTS = path.join(ROOT, "target", "screenshots");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The three ways in which each page is looked at. */
export const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

export async function launchBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** Opens `url` in a fresh context, gives the page to `use`, and fails if the page itself had an error or asked something. */
export async function withPage(browser, url, use, look = LOOKS.light) {
  const context = await browser.newContext(look);
  const troubles = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    page.on("pageerror", (error) => troubles.push(`script error: ${error.message}`));
    page.on("dialog", async (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) troubles.push(`left the page for ${request.url()}`);
    });
    const response = await page.goto(url);
    if (!response.ok()) troubles.push(`${url} answered ${response.status()}`);
    const result = await use(page);
    if (troubles.length > 0) throw new Error(troubles.join("; "));
    return result;
  } finally {
    await context.close();
  }
}

/**
 * Loads the page again until `holds(page)` is true. For pages without scripts, which show news only when they are loaded.
 */
export async function reloadUntil(page, what, holds, deadlineMs = 60_000) {
  const end = Date.now() + deadlineMs;
  while (!(await holds(page))) {
    if (Date.now() > end) throw new Error(`${what} did not happen within ${deadlineMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await page.reload();
  }
}

/** Saves a picture of the page in each look, and fails if it is wider than the window: nobody scrolls a page sideways. */
export async function takeScreenshots(browser, url, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const tooWide = [];
  for (const [look, options] of Object.entries(LOOKS)) {
    await withPage(
      browser,
      url,
      async (page) => {
        await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${look}.png`) });
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > options.viewport.width) tooWide.push(`${look}: ${width} px for ${options.viewport.width}`);
      },
      options,
    );
  }
  if (tooWide.length > 0) throw new Error(`the page ${name} is wider than the window (${tooWide.join(", ")})`);
}

/** The colours of the page's background and text, to see that dark is dark. */
export async function brightness(page) {
  return page.evaluate(() => {
    const of = (colour) => {
      const [red, green, blue] = colour.match(/\d+/g).map(Number);
      return Math.round((red + green + blue) / 3);
    };
    const style = getComputedStyle(document.body);
    return { paper: of(style.backgroundColor), ink: of(style.color) };
  });
}
