// The browser and the page under test.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { recordRequests } from "./actions.mjs";
import { startMock } from "./mock.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium headless, with a profile of its own that is deleted afterwards. */
export const startBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
  });

/** The server to test: the one that FLORENCE_URL names, else the mock. */
export async function startServer() {
  const url = process.env.FLORENCE_URL;
  if (!url) return startMock();
  return { url: url.endsWith("/") ? url : `${url}/`, close: async () => {} };
}

/** Waits until the page has been laid out and painted. */
export const twoFrames = (page) =>
  page.evaluate(() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))));

/** Presses a key that does nothing until the page hears it: Chromium drops input before its first paint. */
async function untilKeysAreHeard(page) {
  await page.evaluate(() => addEventListener("keydown", () => (window.hears = true), { once: true, capture: true }));
  do await page.keyboard.press("Shift");
  while (!(await page.evaluate(() => window.hears)));
}

/** A fresh page, opened and ready; what it logs as an error or throws is kept in `page.faults`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 860 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) page.faults.push(text);
  });
  await recordRequests(page);
  await page.goto(url);
  await page.locator("#question-groups input").first().waitFor();
  await untilKeysAreHeard(page);
  return page;
}

/**
 * A suite in one browser against one server. `on(name, act, options)` is a test with a page of its
 * own, which fails too when the page logs an error, throws, or breaks its content policy.
 */
export function suite(test) {
  let server;
  let browser;
  test.before(async () => {
    server = await startServer();
    browser = await startBrowser();
  });
  test.after(async () => {
    await browser?.close();
    await server?.close();
  });
  return (name, act, options) =>
    test(name, { timeout: 60_000 }, async () => {
      const page = await openPage(browser, server.url, options);
      page.setDefaultTimeout(15_000);
      try {
        await act(page, server);
        assert.deepEqual(page.faults, []);
      } finally {
        await page.context().close();
      }
    });
}
