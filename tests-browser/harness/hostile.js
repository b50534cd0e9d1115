// Text as an attacker would type it into a memo, and the check that it stayed text.

import assert from "node:assert/strict";

export const HOSTILE =
  `<img src=x onerror="window.wasRun=1"><script>window.wasRun=2</script>"><b onclick='window.wasRun=3'>&amp;`;

/** Fails unless the page shows `text` literally and no part of any text on it became an element that acts. */
export async function assertInert(page, text = HOSTILE) {
  const shown = await page.evaluate(() => document.body.textContent);
  assert.ok(shown.includes(text), "the text is shown as it was typed");
  const found = await page.evaluate(() => ({
    wasRun: window.wasRun,
    active: document.querySelectorAll("body script:not([src]), body img, body iframe, body b").length,
    handlers: [...document.querySelectorAll("body *")].flatMap((element) =>
      element.getAttributeNames().filter((name) => name.startsWith("on")),
    ),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.protocol).filter((p) => !/^https?:$/.test(p)),
  }));
  assert.deepEqual(found, { wasRun: undefined, active: 0, handlers: [], links: [] });
}
