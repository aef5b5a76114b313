// Answers: how they arrive, how they are linked with the photo, what can go wrong.

import assert from "node:assert/strict";
import test from "node:test";
import { askFor, card, drag, drawnBoxes, idle, photoRect, requests, streamOf, tick, toldValue, upload } from "../actions.mjs";
import { suite } from "../browser.mjs";
import { scenePng } from "../pictures.mjs";

const on = suite(test);
const run = "**/v1/run";
const event = (index, task, value) => ["answer", { index, task, value, raw_text: "", diagnostics: [] }];
const image = ["image", { image_id: "x", size: { width: 640, height: 480 } }];
const bbox = { x1: 10, y1: 20, x2: 300, y2: 400 };

on("pointing at a row lights its shape, pointing at a shape its row", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const rows = card(page, "od").locator(".row");
  const id = await rows.nth(1).getAttribute("data-rows");
  await rows.nth(1).hover();
  await page.locator(`.shape.is-lit[data-shape="${id}"]`).waitFor();
  assert.equal(await page.locator(".shape.is-lit").count(), 1);
  await page.mouse.move(2, 2);
  await page.locator(".shape.is-lit").waitFor({ state: "detached" });
  const other = await rows.nth(0).getAttribute("data-rows");
  await page.locator(`.shape[data-shape="${other}"] .line`).hover();
  await card(page, "od").locator(`.row.is-lit[data-rows="${other}"]`).waitFor();
  assert.equal(await page.locator(".row.is-lit").count(), 1);
});

on("one row is pinned at a time, and stays lit whatever is pointed at in between", async (page) => {
  await upload(page);
  await askFor(page, "od", "region_proposal");
  const first = card(page, "od").locator(".row").nth(0);
  const second = card(page, "region_proposal").locator(".row").nth(0);
  const pressed = page.locator('.row-main[aria-pressed="true"]');
  const assertPinned = async (row) => {
    const id = await row.getAttribute("data-rows");
    assert.deepEqual(await page.locator(".shape.is-lit").evaluateAll((lit) => lit.map(({ dataset }) => dataset.shape)), [id]);
    assert.equal(await pressed.count(), 1);
    assert.equal(await pressed.evaluate((button) => button.closest("[data-rows]").dataset.rows), id);
  };
  const { left, top, width, height } = await photoRect(page);
  const crossPhoto = async () => {
    for (const part of [0.02, 0.25, 0.5, 0.98]) await page.mouse.move(left + part * width, top + 0.5 * height);
    await page.mouse.move(2, 2);
  };
  await first.locator(".row-main").click();
  await page.keyboard.press("Shift+Tab"); // the focus lights too
  await crossPhoto();
  await assertPinned(first);
  await second.locator(".row-main").click();
  await page.keyboard.press("Shift+Tab");
  await crossPhoto();
  await assertPinned(second);
  await second.locator(".row-main").click();
  await page.mouse.move(2, 2);
  assert.equal(await pressed.count(), 0);
  assert.equal(await page.locator(".shape.is-lit").count(), 0);
});

on("a pinned row that is asked anew leaves nothing lit", async (page) => {
  await upload(page);
  await askFor(page, "od");
  await card(page, "od").locator(".row-main").first().click();
  await askFor(page, "od");
  assert.equal(await page.locator(".overlay.has-lit").count(), 0);
  assert.equal(await page.locator(".shape.is-lit").count(), 0);
});

on("a prompt of one's own is sent as it is, and its answer read as chosen", async (page) => {
  await upload(page);
  await page.locator("#own summary").click();
  await page.locator("#own-button").click();
  await page.locator("#answers-notice", { hasText: "Enter a marker" }).waitFor();
  const prompt = "Locate the objects with category name in the image.";
  await page.locator("#own-prompt").fill(prompt);
  await page.locator("#own-answer").selectOption("boxes");
  await page.locator("#own-button").click();
  await idle(page);
  await page.locator("#own-prompt").fill("<PANELS>");
  await page.locator("#own-answer").selectOption("text");
  await page.locator("#own-prompt").press("Enter");
  await idle(page);
  const [boxes, marker] = await requests(page);
  assert.deepEqual(boxes.questions, [{ prompt, answer: "boxes" }]);
  assert.deepEqual(marker.questions, [{ task: "<PANELS>", answer: "text" }]);
  assert.equal(await page.locator('article[data-task="prompt"] h3').first().textContent(), `${prompt} `);
  assert.ok((await page.locator('article[data-task="prompt"] .row').count()) > 0);
  assert.equal(await page.locator('article[data-task="<PANELS>"] h3').textContent(), "<PANELS> ");
});

on("a row that has the focus lights its shape", async (page) => {
  await upload(page);
  await askFor(page, "od");
  await card(page, "od").locator(".row-main").first().focus();
  await page.locator(".shape.is-lit").waitFor();
});

on("a label has one color, in the list and on the photo and in every answer", async (page) => {
  await upload(page);
  await askFor(page, "od", "detect_and_segment");
  const colors = await page.evaluate(() => {
    const seen = {};
    for (const shape of document.querySelectorAll(".shape")) {
      const { label, shape: id } = shape.dataset;
      const row = document.querySelector(`.row[data-rows="${id}"]`);
      (seen[label] ??= new Set()).add(shape.querySelector(".line").getAttribute("stroke"));
      seen[label].add(row.style.getPropertyValue("--color"));
    }
    return Object.values(seen).map((set) => set.size);
  });
  assert.ok(colors.length > 0);
  assert.ok(colors.every((count) => count === 1));
});

on("answers appear before all have come", async (page) => {
  await upload(page);
  // Watched from within the page: a fast model leaves no time to look from outside.
  await page.evaluate(() => {
    const count = (status) => document.querySelectorAll(`article[data-status="${status}"]`).length;
    const look = () => (window.sawSome ||= count("done") > 0 && count("waiting") > 0);
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await page.locator("#everything").click();
  await idle(page);
  assert.ok(await page.evaluate(() => window.sawSome));
});

on("everything asks every task and cascade that needs nothing but the photo", async (page, server) => {
  const { tasks, cascades } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  const wanted = [...tasks, ...cascades].filter(({ input }) => input === "none").map(({ name }) => name);
  await upload(page);
  await page.locator("#everything").click();
  await idle(page);
  const all = await page.locator("article").evaluateAll((cards) => cards.map(({ dataset }) => [dataset.task, dataset.status]));
  assert.deepEqual(all.map(([name]) => name).sort(), wanted.sort());
  assert.deepEqual([...new Set(all.map(([, status]) => status))], ["done"]);
  const asked = await requests(page);
  assert.equal(asked.filter(({ uploaded }) => uploaded > 0).length, 1, "the photo was sent once");
});

on("the second question is asked about the photo that the server has", async (page) => {
  await upload(page);
  await askFor(page, "od");
  await askFor(page, "caption");
  const [first, second] = await requests(page);
  assert.ok(first.uploaded > 0 && !first.imageId);
  assert.equal(second.uploaded, 0);
  assert.equal(second.imageId, first.events.find(({ event }) => event === "image").data.image_id);
});

const forgotten = { code: "unknown_image", message: "forgotten" };
const refusals = {
  "with a 404": { status: 404, json: { error: forgotten } },
  "in the stream": { contentType: "text/event-stream", body: streamOf(["failed", { index: null, error: forgotten }]) },
};
for (const [how, refusal] of Object.entries(refusals)) {
  on(`a photo that the server forgot, as it says ${how}, is sent again`, async (page) => {
    await upload(page);
    await askFor(page, "od");
    let refused = 0;
    await page.route(run, (route) => (refused++ > 0 ? route.continue() : route.fulfill(refusal)));
    await askFor(page, "caption");
    assert.equal(await card(page, "caption").getAttribute("data-status"), "done");
    const asked = await requests(page);
    assert.equal(asked.length, 3);
    assert.ok(asked[1].imageId && !asked[2].imageId && asked[2].uploaded > 0);
    assert.ok(await page.locator("#answers-notice").isHidden());
  });
}

on("what fails for all questions is said once", async (page) => {
  await upload(page);
  const error = { code: "deadline_exceeded", message: "the answer took too long: ask fewer questions at once" };
  await page.route(run, (route) =>
    route.fulfill({ contentType: "text/event-stream", body: streamOf(image, event(0, "caption", { form: "text", value: { text: "A dog." } }), ["failed", { error }]) }),
  );
  await askFor(page, "caption", "od");
  assert.equal(await page.locator("#answers-notice p").textContent(), "The answer took too long: ask fewer questions at once.");
  assert.equal(await card(page, "caption").getAttribute("data-status"), "done");
  assert.equal(await card(page, "od").getAttribute("data-status"), "failed");
});

on("a phrase is asked in three ways", async (page) => {
  await upload(page);
  await page.locator("#phrase").fill("the green triangle");
  await page.locator("#phrase").press("Enter");
  await page.locator("article").first().waitFor();
  await idle(page);
  const [{ questions }] = await requests(page);
  assert.deepEqual(questions.map(({ task }) => task).sort(), ["open_vocabulary_detection", "phrase_grounding", "referring_segmentation"]);
  assert.ok(questions.every(({ text }) => text === "the green triangle"));
  assert.equal(await page.locator('article[data-status="done"]').count(), 3);
  assert.equal(await page.locator(".batch-heading").first().textContent(), "“the green triangle”");
});

on("outlines are drawn as the answer gives them", async (page) => {
  const size = { width: 640, height: 480 };
  await upload(page, { buffer: scenePng(size.width, size.height) });
  await page.locator("#phrase").fill("the green triangle");
  await page.locator("#phrase-button").click();
  await page.locator("article").first().waitFor();
  await idle(page);
  const told = await toldValue(page, "referring_segmentation");
  const points = told.value[0].outlines[0].polygon.points;
  const id = await card(page, "referring_segmentation").locator(".row").first().getAttribute("data-rows");
  const d = await page.locator(`.shape[data-shape="${id}"] .line[data-part="polygon"]`).first().getAttribute("d");
  const drawn = [...d.matchAll(/([-\d.e]+) ([-\d.e]+)/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
  assert.deepEqual(drawn, points.map(({ x, y }) => ({ x, y })));
});

on("objects come with their descriptions", async (page) => {
  await upload(page);
  await askFor(page, "detect_and_describe");
  const told = (await toldValue(page, "detect_and_describe")).value.map(({ description }) => description.text);
  assert.ok(told.some((text) => text.length > 5), "the server described nothing");
  const shown = await card(page, "detect_and_describe").locator(".row-text").allTextContents();
  assert.deepEqual(shown, told.filter(Boolean));
});

const phrase = (text, words, found) => {
  const start = Buffer.byteLength(text.slice(0, text.indexOf(words)));
  return { phrase: words, range: { start, end: start + Buffer.byteLength(words) }, regions: [], evidence: null, ...found };
};

on("unsupported phrases are marked in the caption, the list and the photo", async (page) => {
  const text = "Au café: “a black arrow”, 🎈 two dogs, a red star and a kite.";
  const there = { task: "<REGION_TO_DESCRIPTION>", text: "a large black arrow" };
  const right = { x1: 320, y1: 20, x2: 600, y2: 400 };
  const phrases = [
    phrase(text, "a black arrow", { regions: [{ bbox, confidence: 0.9 }], support: 0.99, supported: true, evidence: there }),
    phrase(text, "two dogs", { regions: [{ bbox }, { bbox: right }], support: 0.61, supported: true }),
    phrase(text, "a red star", { regions: [{ bbox: right, confidence: 0.9 }], support: 0.003, supported: false, evidence: there }),
    phrase(text, "a kite", { support: 0.12, supported: false }),
  ];
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(
        image,
        event(0, "caption", { form: "checked_caption", value: { caption: { text, confidence: 0.9 }, phrases, warnings: ["w", "w"] } }),
        ["done", {}],
      ),
    }),
  );
  await askFor(page, "caption");
  assert.deepEqual(await page.locator("mark").allTextContents(), phrases.map((each) => each.phrase));
  assert.deepEqual(await page.locator("mark.warned").allTextContents(), ["a red star", "a kite"]);
  assert.equal(
    await page.locator(".answer-text").textContent(),
    "Au café: “a black arrow”, 🎈 two dogs, a red star (not supported) and a kite (not supported).",
  );
  const underline = (selector) => page.locator(selector).first().evaluate((mark) => getComputedStyle(mark).textDecorationStyle);
  assert.equal(await underline("mark.warned"), "wavy");
  assert.equal(await underline("mark:not(.warned)"), "solid");

  assert.deepEqual(await page.locator(".row-label").allTextContents(), phrases.map((each) => each.phrase));
  assert.deepEqual(await page.locator(".figure").allTextContents(), ["support 99%", "support 61%", "support <1%", "support 12%"]);
  assert.deepEqual(await page.locator(".row-warning").allTextContents(), [
    "Not supported by the image; the model describes that region as “a large black arrow”.",
    "Not supported by the image.",
  ]);
  await page.getByRole("button", { name: "a red star support <1%" }).waitFor();
  assert.match(await page.locator("#status").textContent(), /Not supported by the image: a red star, a kite\./);

  const lines = await page.locator(".shape .line").evaluateAll((all) =>
    all.map((line) => [line.parentNode.dataset.label, getComputedStyle(line).strokeDasharray !== "none"]),
  );
  assert.deepEqual(lines.sort(), [["a black arrow", false], ["a red star", true], ["two dogs", false], ["two dogs", false]]);
  await page.locator(".row").nth(1).hover();
  assert.deepEqual(await page.locator(".shape.is-lit").evaluateAll((lit) => lit.map(({ dataset }) => dataset.label)), ["two dogs", "two dogs"]);
  await page.locator(".row-main").nth(2).click();
  await page.locator("mark.warned.is-lit", { hasText: "a red star" }).waitFor();
  await page.mouse.move(2, 2);
  assert.equal(await page.locator('.row-main[aria-pressed="true"] .row-label').textContent(), "a red star");
});

on("captions of every length are checked", async (page) => {
  const tasks = ["caption_checked", "detailed_caption_checked", "more_detailed_caption_checked"];
  await upload(page);
  await askFor(page, ...tasks);
  for (const task of tasks) {
    const { form, value } = await toldValue(page, task);
    assert.equal(form, "checked_caption");
    const bytes = Buffer.from(value.caption.text);
    const stands = ({ range }) => bytes.subarray(range.start, range.end).toString();
    assert.deepEqual(value.phrases.map(stands), value.phrases.map((each) => each.phrase));
    const rows = card(page, task).locator(".row");
    assert.deepEqual(await rows.locator(".row-label").allTextContents(), value.phrases.map((each) => each.phrase));
    const doubtful = value.phrases.filter(({ supported }) => !supported).map((each) => each.phrase);
    assert.deepEqual(await card(page, task).locator("mark.warned").allTextContents(), doubtful);
    assert.equal(await rows.locator(".row-warning").count(), doubtful.length);
    assert.equal(doubtful.length, value.warnings.length);
  }
});

on("a caption typed in is checked where that is asked for", async (page) => {
  await upload(page);
  await page.locator("#phrase").fill("a green triangle and a red heart");
  assert.equal(await page.locator('#phrase-tasks input[name="check_caption"]').isChecked(), false);
  await tick(page.locator("#phrase-tasks"), "check_caption");
  await page.locator("#phrase-button").click();
  await page.locator("article").first().waitFor();
  await idle(page);
  const { form, value } = await toldValue(page, "check_caption");
  assert.equal(form, "checked_caption");
  assert.equal(value.caption.text, "a green triangle and a red heart");
  assert.deepEqual(await page.locator("mark.warned").allTextContents(), ["a red heart"]);
});

on("text in reading order is shown", async (page) => {
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(
        image,
        ["answer", { ...event(0, "ocr_with_region", { form: "quads", value: [] })[1], page: { text: "first\nsecond", markdown: "# first" } }],
        ["done", {}],
      ),
    }),
  );
  await askFor(page, "ocr_with_region");
  assert.equal(await page.locator(".page-text").textContent(), "first\nsecond");
});

on("labels are text, whatever they hold", async (page) => {
  const nasty = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(
        ["image", { image_id: nasty, size: { width: 640, height: 480 } }],
        event(0, "od", { form: "boxes", value: [{ label: nasty, bbox, confidence: 0.5 }] }),
        event(1, "caption", { form: "text", value: { text: nasty, confidence: 0.5 } }),
        ["failed", { index: 2, error: { code: "x", message: nasty } }],
        ["answer", { index: 3, task: "x", value: { form: nasty, value: nasty }, raw_text: nasty, diagnostics: [{ kind: nasty, token: 1, label: nasty }] }],
        ["done", {}],
      ),
    }),
  );
  await tick(page.locator("#question-groups"), "caption", "od", "ocr", "region_proposal");
  await page.locator("#ask-button").click();
  await page.locator(".row").first().waitFor();
  await idle(page);
  await page.locator(".row").first().hover();
  assert.equal(await page.locator(".row-label").first().textContent(), nasty);
  assert.equal(await page.locator(".card-error").textContent(), `${nasty}.`);
  assert.ok((await page.locator(".tag text").first().textContent()).startsWith("<img src=x"));
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.equal(await page.evaluate(() => window.hit), undefined);
});

on("one question may fail without the others", async (page) => {
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({
      contentType: "text/event-stream",
      body: streamOf(image, ["failed", { index: 0, error: { code: "timeout", message: "It took too long." } }], event(1, "od", { form: "boxes", value: [] }), ["done", {}]),
    }),
  );
  await askFor(page, "caption", "od");
  assert.equal(await card(page, "caption").locator(".card-error").textContent(), "It took too long.");
  assert.equal(await card(page, "od").locator(".hint").textContent(), "Nothing found.");
});

on("a server that is gone is named, and asked again on request", async (page) => {
  await upload(page);
  await page.route(run, (route) => route.abort("connectionrefused"));
  await askFor(page, "od");
  const notice = page.locator("#answers-notice");
  assert.match(await notice.textContent(), /cannot be reached/);
  assert.equal(await card(page, "od").getAttribute("data-status"), "failed");
  await page.unroute(run);
  await notice.locator("button", { hasText: "Try again" }).click();
  await page.locator('article[data-task="od"][data-status="done"]').waitFor();
  assert.ok(await notice.isHidden());
});

on("a stream that breaks off keeps what came and says so", async (page) => {
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({ contentType: "text/event-stream", body: streamOf(image, event(0, "caption", { form: "text", value: { text: "A dog." } })) }),
  );
  await askFor(page, "caption", "od");
  assert.equal(await card(page, "caption").getAttribute("data-status"), "done");
  assert.equal(await card(page, "od").getAttribute("data-status"), "failed");
  assert.match(await page.locator("#answers-notice").textContent(), /ended before/);
});

on("a busy server says when to come back", async (page) => {
  await upload(page);
  await page.route(run, (route) =>
    route.fulfill({ status: 503, headers: { "Retry-After": "7" }, json: { error: { code: "busy", message: "Too many questions at once." } } }),
  );
  await askFor(page, "od");
  assert.match(await page.locator("#answers-notice").textContent(), /Too many questions at once\. Try again in 7 s\./);
});

on("a run can be cancelled, and another one asked", async (page) => {
  await upload(page);
  await page.route(run, async (route) => {
    await new Promise((go) => setTimeout(go, 1500));
    await route.continue().catch(() => {});
  });
  await page.locator("#everything").click();
  await page.locator("#cancel").click();
  await idle(page);
  const states = await page.locator("article").evaluateAll((cards) => cards.map(({ dataset }) => dataset.status));
  assert.ok(states.length > 0 && states.every((state) => state === "cancelled"));
  assert.ok(await page.locator("#answers-notice").isHidden());
  await page.unroute(run, { behavior: "ignoreErrors" });
  await askFor(page, "od");
  assert.equal(await card(page, "od").getAttribute("data-status"), "done");
});

on("shapes can be hidden and shown", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const count = await page.locator(".shape").count();
  assert.ok(count > 0);
  await card(page, "od").locator(".eye").click();
  assert.equal(await page.locator(".shape").count(), 0);
  await page.locator("#show-all").click();
  assert.equal(await page.locator(".shape").count(), count);
});

on("another photo starts over", async (page) => {
  await upload(page);
  await askFor(page, "od");
  await upload(page, { name: "other.png", buffer: scenePng(300, 500) });
  assert.equal(await page.locator("article").count(), 0);
  assert.equal((await drawnBoxes(page, null, { width: 300, height: 500 })).length, 0);
  await askFor(page, "od");
  assert.ok((await requests(page)).at(-1).uploaded > 0);
  await drag(page, [0.1, 0.1], [0.5, 0.5]);
  await idle(page);
  assert.deepEqual((await requests(page)).at(-1).questions[0].region.map((side) => Math.round(side / 10)), [3, 5, 15, 25]);
});
