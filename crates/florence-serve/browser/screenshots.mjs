// Takes the pictures of the page that the README shows.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { idle, tick } from "./actions.mjs";
import { openPage, startBrowser, startServer } from "./browser.mjs";

const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "screenshots");
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await startBrowser();

async function picture(name, options, act) {
  const page = await openPage(browser, server.url, options);
  await act(page);
  await page.waitForTimeout(250);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  if (page.faults.length > 0) console.error(name, page.faults);
  await page.context().close();
}

async function sample(page) {
  await page.locator(".sample", { hasText: "Shapes" }).click();
  await page.locator("#stage img").waitFor();
}

const ask = async (page) => {
  await page.locator("#ask-button").click();
  await idle(page);
};

const desktop = { viewport: { width: 1360, height: 820 } };
const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

await picture("light", desktop, async (page) => {
  await sample(page);
  await ask(page);
  await page.mouse.move(0, 0);
});
await picture("dark", { ...desktop, colorScheme: "dark" }, async (page) => {
  await sample(page);
  await tick(page.locator("#question-groups"), "detect_and_segment", "caption_checked");
  await ask(page);
  await page.locator('article[data-task="detect_and_segment"] .row-main').nth(1).hover();
});
await picture("phone", phone, async (page) => {
  await sample(page);
  await ask(page);
  await page.waitForTimeout(700);
});

await browser.close();
await server.close();
