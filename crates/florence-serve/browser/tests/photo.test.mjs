// Photos come in by the file chooser, by drop, by paste and as samples.

import assert from "node:assert/strict";
import test from "node:test";
import { askFor, card, drawnBoxes, fileChooser, requests, streamOf, toldValue, upload } from "../actions.mjs";
import { suite, twoFrames } from "../browser.mjs";
import { grayPng, scenePng, withOrientation } from "../pictures.mjs";

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
  assert.equal((await requests(page))[0].exif_orientation, true);
  const { size } = events.find(({ event }) => event === "image").data;
  assert.deepEqual(size, { width: 200, height: 400 });
});

/** Gives the page a file that it will not open. */
async function offer(page, name, mimeType, buffer) {
  const chooser = await fileChooser(page, () => page.locator("#choose:visible, #choose-another:visible").click());
  await chooser.setFiles({ name, mimeType, buffer });
}

const HEIC = Buffer.concat([Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"), Buffer.alloc(200)]);
const NO_PHOTOS = [
  ["notes.png", "image/png", Buffer.from("these are not pixels")],
  ["notes.txt", "text/plain", Buffer.from("Dear diary, today I was at the sea.")],
  ["IMG_0001.HEIC", "image/heic", HEIC],
  ["nothing.jpg", "image/jpeg", Buffer.alloc(0)],
];

for (const [name, mimeType, buffer] of NO_PHOTOS) {
  on(`${name}, which is no photo, does not look open, and the server's message says so at once`, async (page) => {
    const refused = page.waitForResponse((response) => response.url().endsWith("/v1/images"));
    await offer(page, name, mimeType, buffer);
    const response = await refused;
    assert.equal(response.status(), 415);
    const { message } = (await response.json()).error;
    const notice = page.locator("#photo-notice");
    await notice.waitFor();
    const same = (text) => text.trim().toLowerCase().replace(/\.$/, "");
    assert.equal(same(await notice.locator("p").textContent()), same(`${name} cannot be opened. ${message}`));
    assert.ok(await page.locator("#empty").isVisible());
    assert.ok(await page.locator("#stage-frame").isHidden());
    assert.ok(await page.locator("#photo-bar").isHidden());
    assert.ok(await page.locator("#opening").isHidden());
    await upload(page, { name: "good.png" });
    assert.equal(await page.locator(".notice:visible").count(), 0);
    await askFor(page, "od");
    assert.equal(await card(page, "od").getAttribute("data-status"), "done");
    // The photo before stays, with its answers.
    await offer(page, name, mimeType, buffer);
    await notice.waitFor();
    assert.match(await page.locator("#photo-name").textContent(), /^good\.png/);
    assert.equal(await card(page, "od").getAttribute("data-status"), "done");
  });
}

on("a photo that the browser does not show but the server reads is asked about", async (page) => {
  const size = { width: 300, height: 200 };
  await page.route("**/v1/images", (route) => route.fulfill({ json: { image_id: "0".repeat(32), size } }));
  await offer(page, "scan.tif", "image/tiff", Buffer.from("II*\0 and so on", "latin1"));
  await page.locator("#photo-name", { hasText: "scan.tif 300 × 200" }).waitFor();
  assert.match(await page.locator(".unshown").textContent(), /cannot display/);
  const stage = await page.locator("#stage").boundingBox();
  assert.ok(Math.abs(stage.width / stage.height - 1.5) < 0.02, JSON.stringify(stage));
  const value = { form: "boxes", value: [{ label: "a word", bbox: { x1: 30, y1: 20, x2: 150, y2: 100 }, confidence: 0.5 }] };
  await page.route("**/v1/run", (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(["image", { image_id: "x", size }], ["answer", { index: 0, task: "od", value }], ["done", {}]),
    }),
  );
  await askFor(page, "od");
  const [asked] = await requests(page);
  assert.equal(asked.imageId, "0".repeat(32));
  assert.equal(asked.uploaded, 0, "the server has it already");
  assert.equal(await page.locator(".shape").count(), 1);
});

on("a server that is too busy to look at a file is asked again on request", async (page) => {
  await page.route("**/v1/images", (route) =>
    route.fulfill({ status: 503, json: { error: { code: "overloaded", message: "too many requests are waiting" } } }),
  );
  await offer(page, "scan.webp", "image/webp", scenePng(64, 48));
  const notice = page.locator("#photo-notice");
  await notice.locator("p", { hasText: "scan.webp cannot be opened. Too many requests are waiting." }).waitFor();
  await page.unroute("**/v1/images");
  await notice.locator("button").click();
  await page.locator("#photo-name", { hasText: "scan.webp 64 × 48" }).waitFor();
  assert.ok(await notice.isHidden());
});

on("a damaged photo is named as such", async (page) => {
  const notes = [{ kind: "image_damaged", what: "the data ends early", from_row: 120 }];
  await upload(page);
  await page.route("**/v1/run", (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(["image", { image_id: "x", size: { width: 640, height: 480 }, image_notes: notes }], ["done", {}]),
    }),
  );
  await askFor(page, "od");
  assert.equal(
    await page.locator("#photo-notice p").textContent(),
    "photo.png is damaged: the data ends early. From row 120 on, pixels may be wrong.",
  );
});

on("limits are said in the unit that they are given in", async (page, server) => {
  const { limits } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  assert.equal(limits.max_bytes, 20 * 1024 * 1024);
  assert.match(await page.locator("#limits").textContent(), /^up to 20 MiB, /);
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
  await page.locator("#photo-notice", { hasText: "huge.png is too large" }).waitFor();
  const said = await page.locator("#photo-notice").textContent();
  assert.equal(said, `huge.png is too large: ${limits.max_bytes + 1} bytes, the server accepts at most ${limits.max_bytes} bytes.`);
  assert.equal((await requests(page)).length, 0);
  assert.ok(await page.locator("#empty").isVisible());
});

on("a photo as large as the server takes does not freeze the page", async (page, server) => {
  const { limits } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  const pixels = Math.min(limits.max_pixels, 40_000_000);
  const height = Math.floor(Math.sqrt((pixels * 5) / 8));
  const width = Math.floor(pixels / height);
  const buffer = grayPng(width, height);
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
