// How the page looks and feels: sizes, themes, focus, files out.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { askFor, card, idle, streamOf, toldValue, upload } from "../actions.mjs";
import { suite } from "../browser.mjs";
import { grayPng, pngSize, scenePng } from "../pictures.mjs";

const on = suite(test);
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

async function downloaded(page, act) {
  const download = page.waitForEvent("download");
  await act();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

const sideways = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });

on("a phone is never wider than its screen", async (page) => {
  assert.equal(await sideways(page), 0);
  await upload(page, { name: `${"a-very-long-name".repeat(8)}.png`, buffer: scenePng(900, 400) });
  assert.equal(await sideways(page), 0);
  await page.locator("#phrase").fill("the green triangle ".repeat(12).trim());
  await page.locator("#everything").click();
  await page.locator("article").first().waitFor();
  await idle(page);
  assert.equal(await sideways(page), 0);
  const stage = await page.locator("#stage").boundingBox();
  assert.ok(stage.x >= 0 && stage.x + stage.width <= 360);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary + *, input[type=text]")]
      .filter((element) => element.checkVisibility() && element.tagName === "BUTTON")
      .map((element) => ({ name: element.id || element.className, height: element.getBoundingClientRect().height }))
      .filter(({ height }) => height < 24),
  );
  assert.deepEqual(small, []);
}, PHONE);

on("on a phone the photo stays in sight beside the answers", async (page) => {
  await upload(page);
  await askFor(page, "detailed_caption", "od", "caption");
  await page.evaluate(() => document.getElementById("answers").scrollIntoView({ behavior: "instant" }));
  const stage = await page.locator("#stage").boundingBox();
  assert.ok(stage.y >= 0 && stage.y + stage.height < 740, JSON.stringify(stage));
  const heading = await page.locator("#answers-heading").boundingBox();
  assert.ok(heading.y >= stage.y + stage.height, JSON.stringify({ heading, stage }));
}, { ...PHONE, reducedMotion: "reduce" }); // else the page may still be scrolling smoothly

for (const [width, height] of [[1360, 820], [1000, 820], [1000, 600], [360, 740]]) {
  on(`the page ends where its contents end, ${width} × ${height}`, async (page) => {
    const assertEnds = async (when) => {
      const { scrolled, wanted } = await page.evaluate(() => {
        const seen = [...document.querySelectorAll("main, main > section, main > section > *")].filter(
          (element) => element.checkVisibility() && !element.matches(".visually-hidden"),
        );
        const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowY);
        const bottoms = seen
          .filter((element) => !element.parentElement.closest("section") || !scrolls(element.parentElement))
          .map((element) => element.getBoundingClientRect().bottom + scrollY);
        return { scrolled: document.documentElement.scrollHeight, wanted: Math.max(innerHeight, ...bottoms) };
      });
      assert.ok(scrolled <= wanted + 30, `${when}: ${scrolled} of ${wanted} pixels`);
    };
    await assertEnds("at first");
    if (width >= 1100) assert.equal(await page.evaluate(() => document.documentElement.scrollHeight), height);
    await upload(page);
    await assertEnds("with a photo");
    await page.locator("#everything").click();
    await idle(page);
    await assertEnds("with all answers");
    await page.locator("#show-all").click();
    await assertEnds("with all shapes");
    if (width >= 1100) assert.equal(await page.evaluate(() => document.documentElement.scrollHeight), height);
  }, { viewport: { width, height } });
}

/** Pairs of labels on the photo that lie on each other. */
const hiddenLabels = (page) =>
  page.evaluate(() => {
    const boxes = [...document.querySelectorAll(".tag rect")].map((rect) => rect.getBoundingClientRect());
    const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    return boxes.flatMap((a, at) => boxes.slice(at + 1).filter((b) => overlap(a, b))).length;
  });

on("after everything no label hides another, and each comes when it is pointed at", async (page) => {
  await upload(page);
  await page.locator("#everything").click();
  await idle(page);
  await page.locator("#show-all").click();
  await page.mouse.move(2, 2);
  const shapes = await page.locator(".shape").count();
  const tags = await page.locator(".tag").count();
  assert.ok(shapes > 20, `${shapes} shapes`);
  assert.ok(tags > 0 && tags < shapes, `${tags} labels of ${shapes} shapes`);
  assert.equal(await hiddenLabels(page), 0);
  const labeled = await page.locator(".tag").evaluateAll((all) => all.map(({ dataset }) => dataset.shape));
  const ids = await page.locator(".row[data-rows]").evaluateAll((rows) => rows.map(({ dataset }) => dataset.rows.split(" ")[0]));
  const without = ids.find((id) => !labeled.includes(id));
  await page.locator(`.row[data-rows~="${without}"]`).first().hover();
  await page.locator(`.tag.is-lit[data-shape="${without}"]`).waitFor();
  const others = await page.locator(".tag:not(.is-lit)").evaluateAll((all) => all.map(({ dataset }) => dataset.shape));
  assert.deepEqual(others, labeled, "the others stay");
});

on("an object has one confidence, that of the answer, with an explanation", async (page) => {
  assert.ok(await page.locator("#legend").isHidden());
  await upload(page);
  await askFor(page, "od", "ocr_with_region", "detect_and_segment", "detect_and_describe", "caption_checked");
  await page.locator("#show-all").click();
  const figures = (task) => card(page, task).locator(".figure").allTextContents();
  const told = async (task) => (await toldValue(page, task)).value;
  const confidences = (list) => list.map(({ confidence }) => `confidence ${confidence.toFixed(2)}`);
  const objects = await told("od");
  assert.ok(objects.length > 0);
  assert.deepEqual(await figures("od"), confidences(objects));
  assert.deepEqual(await figures("ocr_with_region"), confidences(await told("ocr_with_region")));
  for (const task of ["detect_and_segment", "detect_and_describe"]) {
    assert.deepEqual(await figures(task), confidences((await told(task)).map(({ detection }) => detection)));
  }
  const first = objects[0].confidence.toFixed(2);
  assert.equal(await page.locator("#legend summary").textContent(), `What ${first} means`);
  await page.locator("#legend summary").click();
  assert.match(await page.locator("#legend p").textContent(), /probability/);
  assert.ok(await card(page, "od").locator(".figure").first().getAttribute("title"));
  // Support is another measure: it is named, and no label on the photo has a number that is one.
  const support = card(page, "caption_checked").locator(".figure").first();
  assert.match(await support.innerText(), /^support .*%$/);
  const labels = await page.locator(".tag text").allTextContents();
  assert.ok(labels.every((label) => !label.endsWith("%")), JSON.stringify(labels));
});

on("the note about the model is shown until it was read", async (page, server) => {
  const { model } = await (await page.request.get(new URL("v1/tasks", server.url).href)).json();
  assert.match(model.note, /demo model/);
  const note = page.locator("#model-note");
  assert.equal(await page.locator("#model-note-text").textContent(), model.note);
  await note.locator("button").click();
  assert.ok(await note.isHidden());
  await page.reload();
  await page.locator("#question-groups input").first().waitFor();
  assert.ok(await note.isHidden());
});

on("a model without a note shows none", async (page) => {
  await page.route("**/v1/tasks", async (route) => {
    const response = await route.fetch();
    const about = await response.json();
    delete about.model.note;
    await route.fulfill({ json: about });
  });
  await page.reload();
  await page.locator("#question-groups input").first().waitFor();
  assert.ok(await page.locator("#model-note").isHidden());
});

const luminance = ([r, g, b]) => {
  const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const contrast = (a, b) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

for (const theme of ["light", "dark"]) {
  on(`${theme} as the system says, with text that can be read`, async (page) => {
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
    const colors = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const rgb = (name) => {
        const hex = style.getPropertyValue(`--${name}`).trim();
        return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      };
      return Object.fromEntries(["paper", "raised", "sunk", "ink", "faint", "accent", "on-accent", "wrong", "wrong-wash"].map((name) => [name, rgb(name)]));
    });
    assert.equal(luminance(colors.paper) < 0.2, theme === "dark");
    for (const [text, ground] of [["ink", "paper"], ["ink", "sunk"], ["ink", "wrong-wash"], ["faint", "paper"], ["faint", "sunk"], ["faint", "raised"], ["accent", "paper"], ["on-accent", "accent"], ["wrong", "paper"]]) {
      const ratio = contrast(colors[text], colors[ground]);
      assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
    }
  }, { colorScheme: theme });
}

on("the switch turns the theme and is remembered", async (page) => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.locator("#theme").click();
  assert.equal(await theme(), "dark");
  assert.equal(await page.locator("#theme").getAttribute("aria-checked"), "true");
  await page.reload();
  assert.equal(await theme(), "dark");
  assert.equal(await page.locator("#theme").getAttribute("aria-checked"), "true");
}, { colorScheme: "light" });

on("reduced motion is respected", async (page) => {
  const moving = await page.evaluate(() => {
    const button = document.getElementById("ask-button");
    return getComputedStyle(button).transitionDuration;
  });
  assert.ok(["0s", ""].includes(moving), moving);
}, { reducedMotion: "reduce" });

on("Tab reaches everything in the order of reading, and the focus can be seen", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const seen = [];
  let rounds = 0;
  for (let step = 0; step < 150; step++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        name: element === document.body ? null : element.id || element.name || element.className || element.tagName,
        outline: outlineStyle !== "none" && parseFloat(outlineWidth) > 0,
      };
    });
    if (at.name === null) {
      if (++rounds === 2) break;
      continue;
    }
    if (rounds === 0) continue;
    assert.ok(at.outline, `${at.name} shows no focus`);
    seen.push(at.name);
  }
  const order = ["skip", "help-open", "theme", "choose-another", "stage", "sample", "caption", "ask-button", "phrase", "x1", "region-button", "save-png", "eye", "row-main", "row-ask"];
  const places = order.map((name) => seen.indexOf(name));
  assert.ok(places.every((place) => place >= 0), JSON.stringify({ order, places, seen }));
  assert.deepEqual([...places].sort((a, b) => a - b), places);
});

on("every control has a name, and the keys are documented", async (page) => {
  await upload(page);
  await askFor(page, "od");
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, select, [role], dialog")]
      .filter((element) => {
        const labeled = element.getAttribute("aria-labelledby");
        const name = element.getAttribute("aria-label") || (labeled && document.getElementById(labeled)?.textContent) || [...(element.labels ?? [])].map((label) => label.textContent).join("") || element.textContent;
        return !name.trim() && element.getAttribute("role") !== "status" && element.getAttribute("role") !== "alert";
      })
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(nameless, []);
  await page.keyboard.press("?");
  assert.ok(await page.locator("#help").isVisible());
  await page.locator("#single-keys").uncheck();
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#help").isHidden());
  await page.keyboard.press("?");
  assert.ok(await page.locator("#help").isHidden(), "single keys were turned off");
  await page.locator("#help-open").click();
  await page.locator("#help button").click();
  assert.ok(await page.locator("#help").isHidden());
});

on("shortcuts are off in text fields", async (page) => {
  await upload(page);
  await page.locator("#phrase").focus();
  await page.keyboard.type("a red tea jar?");
  assert.equal(await page.locator("#phrase").inputValue(), "a red tea jar?");
  assert.equal(await page.locator("article").count(), 0);
});

on("the annotated PNG has the photo's size and the shapes in it", async (page) => {
  const size = { width: 1500, height: 1100 };
  await upload(page, { name: "my photo.png", buffer: scenePng(size.width, size.height) });
  await askFor(page, "od");
  const { name, bytes } = await downloaded(page, () => page.locator("#save-png").click());
  assert.equal(name, "my photo-annotated.png");
  assert.deepEqual(pngSize(bytes), size);
  const [{ label, bbox }] = (await toldValue(page, "od")).value;
  const stroke = await page.locator(`.shape[data-label="${label}"] .line`).first().getAttribute("stroke");
  const pixel = await page.evaluate(
    async ([text, { x1, y1, y2 }]) => {
      const content = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([content], { type: "image/png" }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return [...context.getImageData(Math.round(x1), Math.round((y1 + y2) / 2), 1, 1).data.slice(0, 3)];
    },
    [bytes.toString("base64"), bbox],
  );
  const wanted = [1, 3, 5].map((at) => parseInt(stroke.slice(at, at + 2), 16));
  assert.ok(pixel.every((part, index) => Math.abs(part - wanted[index]) < 24), `${pixel} is not ${wanted}`);
});

on("shapes of unsupported phrases are dashed in the PNG too", async (page) => {
  const edge = { x1: 100, x2: 400, y1: 60, y2: 360 };
  const claim = (words, y, supported) => ({
    phrase: words, range: { start: 0, end: 1 }, support: 0.5, supported, evidence: null,
    regions: [{ bbox: { x1: edge.x1, x2: edge.x2, y1: edge.y1 + y, y2: edge.y2 + y } }],
  });
  await upload(page, { buffer: grayPng(800, 900) });
  await page.route("**/v1/run", (route) => {
    const phrases = [claim("a dog", 0, true), claim("a cat", 400, false)];
    const value = { form: "checked_caption", value: { caption: { text: "A dog and a cat." }, phrases, warnings: [] } };
    const body = streamOf(["image", { image_id: "x", size: { width: 800, height: 900 } }], ["answer", { index: 0, task: "caption", value }], ["done", {}]);
    return route.fulfill({ contentType: "text/event-stream", body });
  });
  await askFor(page, "caption");
  const { bytes } = await downloaded(page, () => page.locator("#save-png").click());
  const drawn = await page.evaluate(async ([text, { x1, x2, y2 }]) => {
    const content = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([content], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const share = (y) => {
      const { data } = context.getImageData(x1 + 100, y, x2 - x1 - 120, 1);
      const pixels = Array.from({ length: data.length / 4 }, (_, at) => data.slice(4 * at, 4 * at + 3));
      return pixels.filter((pixel) => Math.max(...pixel) > 60).length / pixels.length;
    };
    return [share(y2), share(y2 + 400)];
  }, [bytes.toString("base64"), edge]);
  assert.equal(drawn[0], 1);
  assert.ok(drawn[1] > 0.3 && drawn[1] < 0.8, `${drawn}`);
});

on("the JSON has every answer", async (page) => {
  await upload(page, { buffer: scenePng(640, 480) });
  await askFor(page, "od", "caption");
  await page.locator("#phrase").fill("the green triangle");
  await page.locator("#phrase-button").click();
  await page.locator('article[data-task="phrase_grounding"]').waitFor();
  await idle(page);
  const { name, bytes } = await downloaded(page, () => page.keyboard.press("Escape").then(() => page.locator("#save-json").click()));
  assert.equal(name, "photo-answers.json");
  const all = JSON.parse(bytes.toString());
  assert.deepEqual(all.photo, { name: "photo.png", width: 640, height: 480 });
  assert.equal(all.answers.length, 5);
  const od = all.answers.find(({ task }) => task === "od");
  assert.deepEqual(od.value, await toldValue(page, "od"));
  assert.equal(all.answers.find(({ task }) => task === "phrase_grounding").text, "the green triangle");
  assert.ok(await card(page, "od").isVisible());
});

on("the content security policy blocks inline and foreign scripts", async (page, server) => {
  const response = await page.request.get(server.url);
  const policy = response.headers()["content-security-policy"];
  for (const rule of ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"]) assert.ok(policy.includes(rule), policy);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return window.ran === true;
  });
  assert.ok(!ran);
  assert.equal(page.faults.length, 1, "the browser tells of the script that it kept out");
  page.faults.length = 0;
});

on("the page makes no requests to other servers", async (page, server) => {
  const elsewhere = [];
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(server.url).origin) elsewhere.push(request.url());
  });
  await page.reload();
  await upload(page);
  await askFor(page, "od");
  assert.deepEqual(elsewhere, []);
});
