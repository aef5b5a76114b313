// Photos come in by the file chooser, by drop, by paste and as samples.

import assert from "node:assert/strict";
import test from "node:test";
import { askFor, card, drawnBoxes, fileChooser, requests, toldValue, upload } from "../actions.mjs";
import { suite, twoFrames } from "../browser.mjs";
import { greyPng, scenePng, withOrientation } from "../pictures.mjs";

const on = suite(test);

const near = (a, b, tolerance) =>
  ["x1", "y1", "x2", "y2"].every((side) => Math.abs(a[side] - b[side]) <= tolerance);

/** Every box of the server's answer is drawn where it says, and nothing else is. */
async function assertDrawn(page, size) {
  const told = await toldValue(page, "od");
  assert.equal(told.form, "boxes");
  assert.ok(told.value.length > 0, "the server found nothing to draw");
  for (const { label, bbox } of told.value) {
    const drawn = await drawnBoxes(page, label, size);
    assert.ok(drawn.some((box) => near(box, bbox, 0.5)), `${label}: ${JSON.stringify({ bbox, drawn })}`);
  }
  assert.equal((await drawnBoxes(page, null, size)).length, told.value.length);
}

on("a chosen photo's boxes are drawn where the answer says", async (page) => {
  const size = { width: 640, height: 480 };
  await upload(page, { buffer: scenePng(size.width, size.height) });
  await askFor(page, "od");
  await assertDrawn(page, size);
});

on("boxes of a photo larger than the screen, too, also after the window changes", async (page) => {
  const size = { width: 2400, height: 1500 };
  await upload(page, { buffer: scenePng(size.width, size.height) });
  await askFor(page, "od");
  await assertDrawn(page, size);
  await page.setViewportSize({ width: 700, height: 900 });
  await twoFrames(page);
  await assertDrawn(page, size);
});

on("a dropped photo is taken", async (page) => {
  const bytes = scenePng(320, 240).toString("base64");
  const transfer = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    const content = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    data.items.add(new File([content], "dropped.png", { type: "image/png" }));
    return data;
  }, bytes);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: transfer });
  assert.ok(await page.locator("#drop-veil").isVisible());
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
  await page.locator("#photo-name", { hasText: "dropped.png 320 × 240" }).waitFor();
  assert.ok(await page.locator("#drop-veil").isHidden());
  await askFor(page, "od");
  await assertDrawn(page, { width: 320, height: 240 });
});

on("a pasted photo is taken", async (page) => {
  await page.evaluate((text) => {
    const data = new DataTransfer();
    const content = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    data.items.add(new File([content], "pasted.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  }, scenePng(200, 100).toString("base64"));
  await page.locator("#photo-name", { hasText: "pasted.png 200 × 100" }).waitFor();
});

on("a sample is a click away", async (page) => {
  await page.locator(".sample").first().click();
  await page.locator("#stage img").waitFor();
  await askFor(page, "detailed_caption");
  assert.ok((await card(page, "detailed_caption").locator(".answer-text").textContent()).length > 5);
});

on("a photo taken sideways stands upright, and the server sees it so", async (page) => {
  const plain = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = 400;
    canvas.height = 200;
    canvas.getContext("2d").fillRect(0, 0, 100, 100);
    return canvas.toDataURL("image/jpeg").split(",")[1];
  });
  const buffer = withOrientation(Buffer.from(plain, "base64"), 6);
  await upload(page, { name: "sideways.jpg", mimeType: "image/jpeg", buffer });
  await page.locator("#photo-name", { hasText: "200 × 400" }).waitFor();
  await askFor(page, "od");
  const [{ events, uploaded }] = await requests(page);
  assert.equal(uploaded, buffer.length, "the file is sent as it is");
  const { size } = events.find(({ event }) => event === "image").data;
  assert.deepEqual(size, { width: 200, height: 400 });
});

on("a file that is no photo brings the server's message to where the user looks", async (page) => {
  await upload(page, { name: "notes.png", buffer: Buffer.from("these are not pixels") });
  await page.locator(".unshown").waitFor();
  const stage = await page.locator("#stage").boundingBox();
  assert.ok(stage.width > 300 && stage.height > 180, JSON.stringify(stage));
  const refused = page.waitForResponse((response) => response.url().endsWith("/v1/run"));
  await page.locator("#ask-button").click();
  const response = await refused;
  assert.ok([400, 415, 422].includes(response.status()), `status ${response.status()}`);
  const { message } = (await response.json()).error;
  const notice = page.locator(".notice:visible");
  await notice.waitFor();
  const same = (text) => text.trim().toLowerCase().replace(/\.$/, "");
  assert.equal(same(await notice.locator("p").textContent()), same(message));
  await upload(page, { name: "good.png" });
  assert.equal(await page.locator(".notice:visible").count(), 0);
  await askFor(page, "od");
  assert.equal(await card(page, "od").getAttribute("data-status"), "done");
});

on("a file over the server's limit is refused before it is sent", async (page, server) => {
  const { limits } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  await fileChooser(page, () => page.locator("#choose").click());
  await page.evaluate((length) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(length)], "huge.png", { type: "image/png" }));
    const input = document.getElementById("file");
    input.files = data.files;
    input.dispatchEvent(new Event("change"));
  }, limits.max_bytes + 1);
  await page.locator("#photo-notice", { hasText: "huge.png has" }).waitFor();
  assert.equal((await requests(page)).length, 0);
});

on("a photo as large as the server takes does not freeze the page", async (page, server) => {
  const { limits } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  const pixels = Math.min(limits.max_pixels, 40_000_000);
  const height = Math.floor(Math.sqrt((pixels * 5) / 8));
  const width = Math.floor(pixels / height);
  const buffer = greyPng(width, height);
  await page.evaluate(() => {
    let last = performance.now();
    window.longest = 0;
    setInterval(() => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - last);
      last = now;
    }, 10);
  });
  await upload(page, { name: "large.png", buffer });
  await page.locator("#photo-name", { hasText: `${width} × ${height}` }).waitFor();
  const longest = await page.evaluate(() => window.longest);
  console.log(`the page was held up for ${Math.round(longest)} ms at most by ${width} × ${height} pixels`);
  assert.ok(longest < 1000, `held up for ${longest} ms`);
});
