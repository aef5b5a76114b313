// What tests do on the page, and what they see.

import { scenePng } from "./pictures.mjs";

/** Keeps in `window.asked` what the page asks and what it is told, request by request. */
export const recordRequests = (page) =>
  page.addInitScript(() => {
    window.asked = [];
    const { fetch } = window;
    window.fetch = async (path, init) => {
      if (!String(path).endsWith("v1/run")) return fetch(path, init);
      const file = init.body.get("image");
      const record = {
        ...JSON.parse(init.body.get("request")),
        imageId: init.body.get("image_id"),
        uploaded: file ? file.size : 0,
        told: null,
      };
      window.asked.push(record);
      const response = await fetch(path, init);
      response
        .clone()
        .text()
        .then((text) => (record.told = text))
        .catch(() => {});
      return response;
    };
  });

/** The requests so far, with the events of their answers. */
export async function requests(page) {
  const records = await page.evaluate(() => window.asked);
  return records.map(({ told, ...record }) => ({ ...record, events: told === null ? null : eventsOf(told) }));
}

function eventsOf(text) {
  return text
    .split(/\r?\n\r?\n/)
    .map((block) => block.split(/\r?\n/))
    .map((lines) => ({
      event: lines.find((line) => line.startsWith("event:"))?.slice(6).trim(),
      data: lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n"),
    }))
    .filter(({ event, data }) => event && data)
    .map(({ event, data }) => ({ event, data: JSON.parse(data) }));
}

/** The value that the server last gave for a task. */
export async function toldValue(page, task) {
  const all = (await requests(page)).flatMap(({ events }) => events ?? []);
  return all.filter(({ event, data }) => event === "answer" && data.task === task).at(-1)?.data.value;
}

/**
 * What `open` does makes the page open a file chooser, and this is it. The order to keep the browser's
 * own window shut and what `open` sends reach the page by different ways; a question that the page
 * answers in between sees to it that the order came first.
 */
export async function fileChooser(page, open) {
  const chooser = page.waitForEvent("filechooser");
  await page.evaluate(() => document.readyState);
  const [opened] = await Promise.all([chooser, open()]);
  return opened;
}

/** Gives the page a file by the file chooser. */
export async function upload(page, { name = "photo.png", mimeType = "image/png", buffer = scenePng(640, 480) } = {}) {
  const button = page.locator("#choose");
  const shown = (await button.isVisible()) ? button : page.locator("#choose-another");
  const chooser = await fileChooser(page, () => shown.click());
  await chooser.setFiles({ name, mimeType, buffer });
  await page.locator("#photo-name strong", { hasText: name }).waitFor();
}

/** Ticks exactly these of a form's tasks. */
export async function tick(form, ...tasks) {
  for (const box of await form.locator("input[type=checkbox]").all()) {
    const name = await box.getAttribute("name");
    await box.setChecked(tasks.includes(name));
  }
}

/** Waits until nothing is asked any more. */
export const idle = (page) => page.locator("#progress").waitFor({ state: "hidden" });

/** Ticks these tasks, asks, and waits for the answers. */
export async function askFor(page, ...tasks) {
  await tick(page.locator("#question-groups"), ...tasks);
  await page.locator("#ask-button").click();
  await idle(page);
}

/** The card of a task. */
export const card = (page, task) => page.locator(`article[data-task="${task}"]`).first();

/**
 * The drawn shapes of a label, as boxes in pixels of a photo of this size, measured on the screen
 * against the photo itself.
 */
export function drawnBoxes(page, label, size) {
  return page.evaluate(
    ([wanted, { width, height }]) => {
      const photo = document.querySelector("#stage img").getBoundingClientRect();
      const x = (value) => ((value - photo.left) / photo.width) * width;
      const y = (value) => ((value - photo.top) / photo.height) * height;
      return [...document.querySelectorAll(".shape")]
        .filter((shape) => wanted === null || shape.dataset.label === wanted)
        .map((shape) => {
          const path = shape.querySelector(".line");
          const points = [];
          const matrix = path.getScreenCTM();
          for (const [, px, py] of path.getAttribute("d").matchAll(/([-\d.e]+) ([-\d.e]+)/g)) {
            points.push(new DOMPoint(Number(px), Number(py)).matrixTransform(matrix));
          }
          return {
            x1: x(Math.min(...points.map((point) => point.x))),
            y1: y(Math.min(...points.map((point) => point.y))),
            x2: x(Math.max(...points.map((point) => point.x))),
            y2: y(Math.max(...points.map((point) => point.y))),
          };
        });
    },
    [label, size],
  );
}

/** The photo's place on the screen. */
export const photoRect = (page) =>
  page.evaluate(() => {
    const { left, top, width, height } = document.querySelector("#stage img").getBoundingClientRect();
    return { left, top, width, height };
  });

/** Drags the mouse between two places of the photo, given as fractions of its sides. */
export async function drag(page, [x1, y1], [x2, y2]) {
  const { left, top, width, height } = await photoRect(page);
  await page.mouse.move(left + x1 * width, top + y1 * height);
  await page.mouse.down();
  await page.mouse.move(left + ((x1 + x2) / 2) * width, top + ((y1 + y2) / 2) * height);
  await page.mouse.move(left + x2 * width, top + y2 * height);
  await page.mouse.up();
}

/** Moves a finger from one place of the photo to another, given as fractions of its sides, and lifts it. */
export async function swipe(page, [x1, y1], [x2, y2]) {
  const { left, top, width, height } = await photoRect(page);
  const client = await page.context().newCDPSession(page);
  const touch = (type, ...points) => client.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  const at = (part) => ({ x: left + (x1 + (x2 - x1) * part) * width, y: top + (y1 + (y2 - y1) * part) * height });
  await touch("touchStart", at(0));
  for (let step = 1; step <= 8; step++) await touch("touchMove", at(step / 8));
  await touch("touchEnd");
  await client.detach();
}

/** The body of an event stream. */
export const streamOf = (...events) =>
  events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join("");
