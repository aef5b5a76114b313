// Regions: clicked, dragged, touched, and given by keys alone.

import assert from "node:assert/strict";
import test from "node:test";
import { askFor, card, drag, fileChooser, idle, photoRect, requests, swipe, toldValue, upload } from "../actions.mjs";
import { suite } from "../browser.mjs";
import { scenePng } from "../pictures.mjs";

const on = suite(test);
const TASKS = ["region_to_category", "region_to_description", "region_to_ocr", "region_to_segmentation"];

/** The region that the last request asked the region tasks about. */
async function lastRegion(page) {
  await idle(page);
  const { questions } = (await requests(page)).at(-1);
  assert.deepEqual(questions.map(({ task }) => task).sort(), TASKS);
  const [first] = questions;
  for (const { region } of questions) assert.deepEqual(region, first.region);
  return first.region;
}

function assertNear(actual, wanted, tolerance) {
  const close = actual.every((side, index) => Math.abs(side - wanted[index]) <= tolerance);
  assert.ok(close, `${JSON.stringify(actual)} is not ${JSON.stringify(wanted)} within ${tolerance}`);
}

on("clicking a shape asks about its box", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const [{ bbox }] = (await toldValue(page, "od")).value;
  const id = await card(page, "od").locator(".row").first().getAttribute("data-rows");
  await page.locator(`.shape[data-shape="${id}"] .line`).click();
  assertNear(await lastRegion(page), [bbox.x1, bbox.y1, bbox.x2, bbox.y2], 0.001);
  assert.ok((await card(page, "region_to_category").locator(".answer-text").textContent()).length > 0);
});

on("the button of a row asks about its box", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const { bbox } = (await toldValue(page, "od")).value[1];
  await card(page, "od").locator(".row-ask").nth(1).click();
  assertNear(await lastRegion(page), [bbox.x1, bbox.y1, bbox.x2, bbox.y2], 0.001);
});

for (const [width, height] of [[2400, 1800], [300, 200], [500, 2000]]) {
  on(`a rectangle dragged on a photo of ${width} × ${height} is asked in its pixels`, async (page) => {
    await upload(page, { buffer: scenePng(width, height) });
    const rect = await photoRect(page);
    await drag(page, [0.25, 0.3], [0.6, 0.75]);
    const wanted = [0.25 * width, 0.3 * height, 0.6 * width, 0.75 * height];
    assertNear(await lastRegion(page), wanted, 1 + width / rect.width);
  });
}

on("a drag from the lower right, beyond the edge, ends at the edge", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  await drag(page, [0.5, 0.5], [-0.02, -0.02]);
  const region = await lastRegion(page);
  assert.deepEqual(region.slice(0, 2), [0, 0]);
  assertNear(region, [0, 0, 500, 400], 3);
});

on("a corner of the rectangle can be dragged", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  await drag(page, [0.2, 0.2], [0.5, 0.5]);
  await lastRegion(page);
  await drag(page, [0.5, 0.5], [0.8, 0.9]);
  assertNear(await lastRegion(page), [200, 160, 800, 720], 4);
});

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const corners = async (page) => {
  const values = [];
  for (const side of ["x1", "y1", "x2", "y2"]) values.push(Number(await page.locator(`#${side}`).inputValue()));
  return values;
};

on("a finger draws a rectangle, and the button asks about it", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  const { width } = await photoRect(page);
  await swipe(page, [0.3, 0.2], [0.7, 0.7]);
  assertNear(await corners(page), [300, 160, 700, 560], 1 + 1000 / width);
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.waitForTimeout(300);
  assert.equal((await requests(page)).length, 0, "drawing alone asks nothing");
  await page.locator("#stage-frame").getByRole("button", { name: "Ask about this region" }).tap();
  assertNear(await lastRegion(page), [300, 160, 700, 560], 1 + 1000 / width);
  assert.equal((await requests(page)).length, 1);
}, PHONE);

on("a finger that moves up or down over the photo scrolls the page", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  const { height } = await photoRect(page);
  await swipe(page, [0.3, 0.9], [0.32, 0.9 - 120 / height]);
  await page.waitForFunction(() => scrollY > 50);
  assert.equal((await requests(page)).length, 0);
  assert.equal(await page.locator("#x1").inputValue(), "");
}, PHONE);

on("a corner follows the finger up and down too", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  const { width } = await photoRect(page);
  await swipe(page, [0.2, 0.5], [0.6, 0.9]);
  await swipe(page, [0.2, 0.5], [0.2, 0.2]);
  assertNear(await corners(page), [200, 160, 600, 720], 2 + 1000 / width);
  assert.equal(await page.evaluate(() => scrollY), 0);
  assert.equal((await requests(page)).length, 0);
}, PHONE);

on("keys alone: open, ask, give a region, ask about it", async (page) => {
  const chooser = await fileChooser(page, () => page.keyboard.press("o"));
  await chooser.setFiles({ name: "keys.png", mimeType: "image/png", buffer: scenePng(1000, 800) });
  await page.locator("#stage img").waitFor();
  await page.keyboard.press("a");
  await page.locator("article").first().waitFor();
  await idle(page);
  await page.keyboard.press("r");
  assert.equal(await page.evaluate(() => document.activeElement.id), "stage");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#x1").inputValue(), "300");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Alt+ArrowLeft");
  assert.deepEqual(await corners(page), [319, 240, 719, 580]);
  assert.match(await page.locator("#status").textContent(), /319, 240 to 719, 580 of 1000 by 800/);
  await page.keyboard.press("Enter");
  assert.deepEqual(await lastRegion(page), [319, 240, 719, 580]);
  await page.locator("#stage").press("Escape");
  assert.equal(await page.locator("#x1").inputValue(), "");
});

on("a region typed in is asked, and a wrong one is explained", async (page) => {
  await upload(page, { buffer: scenePng(1000, 800) });
  for (const [side, value] of [["x1", 10], ["y1", 20], ["x2", 5], ["y2", 90]]) await page.locator(`#${side}`).fill(String(value));
  await page.locator("#region-button").click();
  assert.match(await page.locator("#region-wrong").textContent(), /Left must be less/);
  await page.locator("#x2").fill("2000");
  await page.locator("#region-button").click();
  assert.match(await page.locator("#region-wrong").textContent(), /inside the photo \(1000 × 800\)/);
  await page.locator("#x2").fill("120.5");
  await page.locator("#region-button").click();
  assert.deepEqual(await lastRegion(page), [10, 20, 120.5, 90]);
});
