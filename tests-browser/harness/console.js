// The console of a running demo, and people who are signed in to it.

import { LOOKS } from "./browser.js";

const PASSWORD = "correct horse battery";
const DEADLINE_MS = 15_000;

/** Opens a page that fails the test on a script error, a dialog, or a request to a place where the browser has no business. */
async function open(browser, look, isAllowed, troubles) {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.on("pageerror", (error) => troubles.push(`script error: ${error.message}`));
  page.on("dialog", async (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!isAllowed(new URL(request.url()))) troubles.push(`left the console for ${request.url()}`);
  });
  return page;
}

/** Signs in through the page, as a person does. */
export async function signIn(page, origin, name) {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

/** Sets the password that an invitation asks for. */
export async function accept(page, link) {
  await page.goto(link);
  await page.getByLabel("New password, at least 12 characters").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("The password is set.").waitFor();
}

/** Gives `use` a page in which `name` is signed in, in one of the looks; fails on anything wrong on any page. */
export async function asPerson(browser, origin, name, use, look = LOOKS.light) {
  const troubles = [];
  const page = await open(browser, look, (url) => url.origin === origin, troubles);
  try {
    await signIn(page, origin, name);
    const result = await use(page);
    if (troubles.length > 0) throw new Error(troubles.join("; "));
    return result;
  } finally {
    await page.context().close();
  }
}

/** Gives `use` a page in which nobody is signed in; it may leave the console for addresses that `mayLeaveFor` takes. */
export async function asVisitor(browser, origin, use, { look = LOOKS.light, mayLeaveFor = () => false } = {}) {
  const troubles = [];
  const page = await open(browser, look, (url) => url.origin === origin || mayLeaveFor(url), troubles);
  try {
    const result = await use(page);
    if (troubles.length > 0) throw new Error(troubles.join("; "));
    return result;
  } finally {
    await page.context().close();
  }
}
