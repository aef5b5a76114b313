// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { orientationOf } from "../orientation.mjs";
import { withOrientation } from "../pictures.mjs";

/** A module of the page with what it imports; without a package.json Node takes its files for CommonJS. */
async function address(name) {
  let source = await readFile(new URL(`../../page/${name}`, import.meta.url), "utf8");
  for (const [, path] of source.matchAll(/from "\.\/([^"]+)"/g)) {
    source = source.replace(`"./${path}"`, JSON.stringify(await address(path)));
  }
  return `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
}

const load = async (name) => import(await address(name));

const { readAnswer } = await load("rows.js");
const { markPhrases } = await load("marks.js");
const { indexOfByte } = await load("utf8.js");
const { between, middle, nudged } = await load("region.js");
const { placeTags, taggedShapes, tagText } = await load("tags.js");
const { bytes, overLimit } = await load("photo.js");
const { readEvents } = await load("sse.js");
const { inkOn } = await load("colors.js");

test("events come out the same wherever the stream is cut", async () => {
  const text = ': hello\r\n\r\nevent: image\r\ndata: {"a":1}\r\n\r\nevent: answer\ndata: é1\ndata: 2\n\ndata:x\r\r';
  const wanted = [
    { event: "image", data: '{"a":1}' },
    { event: "answer", data: "é1\n2" },
    { event: "message", data: "x" },
  ];
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, cut));
        controller.enqueue(bytes.slice(cut));
        controller.close();
      },
    });
    assert.deepEqual(await collect(readEvents(stream)), wanted, `cut at ${cut}`);
  }
});

async function collect(generator) {
  const all = [];
  for await (const each of generator) all.push(each);
  return all;
}

test("every form gives rows and shapes in pixels of the photo", () => {
  const bbox = { x1: 1, y1: 2, x2: 30, y2: 40 };
  const points = [{ x: 5, y: 6 }, { x: 50, y: 6 }, { x: 50, y: 60 }];
  const outlines = [{ polygon: { points }, confidence: 0.5 }];
  const found = { label: "a", bbox, confidence: 0.25 };
  const forms = {
    boxes: [[found], bbox],
    proposals: [[{ bbox, confidence: null }], bbox],
    phrases: [[{ phrase: "a", regions: [{ bbox }] }], bbox],
    quads: [[{ text: "a", quad: { points } }], { x1: 5, y1: 6, x2: 50, y2: 60 }],
    polygons: [[{ label: "a", outlines }], { x1: 5, y1: 6, x2: 50, y2: 60 }],
    boxes_or_polygons: [{ detections: [found], instances: [] }, bbox],
    described: [[{ detection: found, description: { text: "d", confidence: 0.5 } }], bbox],
    segmented: [[{ detection: found, instances: [{ outlines }] }], { x1: 1, y1: 2, x2: 50, y2: 60 }],
    grounded_caption: [{ caption: { text: "a" }, phrases: [{ phrase: "a", regions: [{ bbox }] }] }, bbox],
    checked_caption: [{ caption: { text: "a" }, phrases: [{ phrase: "a", regions: [{ bbox }] }], warnings: [] }, bbox],
  };
  for (const [form, [value, wanted]] of Object.entries(forms)) {
    const { rows } = readAnswer({ form, value });
    assert.equal(rows.length, 1, form);
    assert.deepEqual(rows[0].bbox, wanted, form);
    assert.deepEqual(rows[0].shapes.map((shape) => shape.bbox), [wanted], form);
    assert.equal(rows[0].text, form === "described" ? "d" : "", form);
  }
});

test("odd answers are read without throwing", () => {
  const odd = [undefined, null, 7, "x", [], {}, [null], [[]], [{ bbox: { x1: "1" } }], [{ regions: 3 }], { phrases: [null, { range: {}, evidence: 3, regions: [null] }] }];
  const forms = ["text", "boxes", "proposals", "phrases", "quads", "polygons", "boxes_or_polygons", "described", "segmented", "grounded_caption", "checked_caption", "constructor", "new"];
  for (const form of forms) {
    for (const value of odd) {
      const { rows } = readAnswer({ form, value });
      assert.ok(Array.isArray(rows));
      for (const { shapes } of rows) assert.deepEqual(shapes, []);
    }
  }
  for (const value of odd) assert.ok(Array.isArray(readAnswer(value).rows));
});

test("a phrase without support is a warning, one with support is not", () => {
  const box = (x1) => ({ bbox: { x1, y1: 2, x2: x1 + 5, y2: 9 }, confidence: 0.9 });
  const evidence = { task: "<REGION_TO_DESCRIPTION>", text: "a large black arrow" };
  const phrases = [
    { phrase: "two arrows", support: 0.996, supported: true, regions: [box(1), box(20)], evidence },
    { phrase: "a red star", support: 0.003, supported: false, regions: [box(40)], evidence },
    { phrase: "a kite", support: 0, supported: false, regions: [], evidence: null },
  ];
  const { text, rows } = readAnswer({ form: "checked_caption", value: { caption: { text: "c" }, phrases, warnings: [] } });
  assert.equal(text, "c");
  assert.deepEqual(rows.map(({ figure, measure }) => `${measure} ${figure}`), ["support >99%", "support <1%", "support 0%"]);
  assert.deepEqual(rows.map(({ warning }) => warning), [
    "",
    "Not supported by the image; the model describes that region as “a large black arrow”.",
    "Not supported by the image.",
  ]);
  assert.deepEqual(rows.map(({ shapes }) => shapes.length), [2, 1, 0]);
  assert.deepEqual(rows.map(({ bbox }) => bbox), [{ x1: 1, y1: 2, x2: 25, y2: 9 }, { x1: 40, y1: 2, x2: 45, y2: 9 }, null]);
});

test("a byte of UTF-8 is found in a string", () => {
  const text = "aé€😀ü";
  const bytes = new TextEncoder().encode(text);
  const found = Array.from({ length: bytes.length + 2 }, (_, byte) => indexOfByte(text, byte));
  assert.deepEqual(found, [0, 1, null, 2, null, null, 3, null, null, null, 5, null, 6, null]);
});

test("ranges of bytes mark their phrase, not an earlier one of the same words", () => {
  const text = "Über dem Café 🎈 a dog, and a dog.";
  const start = Buffer.byteLength("Über dem Café 🎈 a dog, and ");
  const at = (from, end) => ({ label: "a dog", range: { start: from, end } });
  const marked = (...rows) => markPhrases(text, rows).map((piece) => [piece.text, ...piece.rows]);
  assert.deepEqual(marked(at(start, start + 5)), [["Über dem Café 🎈 a dog, and "], ["a dog", 0], ["."]]);
  const cafe = Buffer.byteLength("Über dem ");
  assert.deepEqual(marked(at(start, start + 5), at(cafe, cafe + 5)), [["Über dem "], ["Café", 1], [" 🎈 a dog, and "], ["a dog", 0], ["."]]);
  for (const [from, end] of [[1, 4], [4, 3], [0, 999], [-1, 2], [0.5, 2]]) assert.deepEqual(marked(at(from, end)), [[text]]);
});

test("marked phrases put together are the text", () => {
  const rows = ["A Dog", "dog", "the park", ""].map((label) => ({ label }));
  const text = "A dog chases another dog in the park.";
  const pieces = markPhrases(text, rows);
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  assert.deepEqual(pieces.filter((piece) => piece.rows.length > 0).map((piece) => [piece.text, ...piece.rows]), [
    ["A dog", 0],
    ["dog", 1],
    ["the park", 2],
  ]);
});

test("regions stay inside of the photo and keep at least a pixel", () => {
  const sizes = [{ width: 1, height: 1 }, { width: 640, height: 480 }, { width: 8000, height: 5000 }];
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (const size of sizes) {
    let region = middle(size);
    for (let step = 0; step < 500; step++) {
      const far = (side) => (random() * 3 - 1) * side;
      if (random() < 0.1) region = between({ x: far(size.width), y: far(size.height) }, { x: far(size.width), y: far(size.height) }, size);
      else region = nudged(region, keys[Math.floor(random() * 4)], 1 + Math.floor(random() * 300), random() < 0.5, size);
      const { x1, y1, x2, y2 } = region;
      assert.ok(0 <= x1 && x1 + 1 <= x2 && x2 <= size.width, JSON.stringify({ region, size }));
      assert.ok(0 <= y1 && y1 + 1 <= y2 && y2 <= size.height, JSON.stringify({ region, size }));
    }
  }
});

test("tags lie inside of the picture and avoid each other where there is room", () => {
  const shapes = [0, 1, 2].map((n) => ({ tag: `thing ${n}`, bbox: { x1: 100, y1: 100, x2: 300, y2: 300 } }));
  const tags = placeTags(shapes, { width: 400, height: 400 }, 18, (text) => text.length * 7);
  assert.equal(tags.length, 3);
  for (const { x, y, width, height } of tags) {
    assert.ok(x >= 0 && y >= 0 && x + width <= 400 && y + height <= 400);
  }
  for (const a of tags) {
    for (const b of tags) {
      if (a === b) continue;
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      assert.ok(apart, JSON.stringify([a, b]));
    }
  }
  assert.ok([...tagText({ label: "x".repeat(500), figure: "0.50" })].length < 45);
});

test("tags that find no place are left out, and come where they are needed", () => {
  const bbox = { x1: 0, y1: 0, x2: 60, y2: 40 };
  const shapes = Array.from({ length: 20 }, (_, id) => ({ id, tag: `thing ${id}`, bbox }));
  const place = (needed) => placeTags(shapes, { width: 100, height: 60 }, 18, (text) => text.length * 7, needed);
  const tags = place();
  assert.ok(tags.length > 0 && tags.length < 20, `${tags.length} tags`);
  const overlapping = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (const a of tags) for (const b of tags) assert.ok(a === b || !overlapping(a, b), JSON.stringify([a, b]));
  const left = shapes.find((shape) => tags.every((tag) => tag.shape !== shape));
  const withIt = place([left]);
  assert.deepEqual(withIt.slice(0, -1), tags, "the others stay where they are");
  assert.equal(withIt.at(-1).shape, left);
  assert.deepEqual(place([tags[0].shape]), tags);
});

test("a place has one tag, the first with a name", () => {
  const shape = (label, x1, more = {}) => ({ label, tag: label || "0.5", bbox: { x1, y1: 10, x2: x1 + 100, y2: 90 }, ...more });
  const shapes = [shape("", 10), shape("dog", 12), shape("a brown dog", 10), shape("cat", 200), shape("", 400), shape("dense", 600, { dense: true })];
  assert.deepEqual(taggedShapes(shapes), [shapes[1], shapes[3], shapes[4]]);
  const inside = { ...shape("nose", 40), bbox: { x1: 40, y1: 30, x2: 60, y2: 50 } };
  assert.deepEqual(taggedShapes([shapes[1], inside]), [shapes[1], inside], "a part is another place");
  const none = { ...shape("point", 5), bbox: { x1: 5, y1: 5, x2: 5, y2: 5 } };
  assert.deepEqual(taggedShapes([none]), [none]);
  assert.equal(tagText({ label: "a red heart", doubtful: true }), "a red heart?");
});

test("bytes are counted in the units of the limits", () => {
  const said = [0, 1023, 1024, 13_000, 1024 ** 2, 1.5 * 1024 ** 2, 20 * 1024 ** 2].map(bytes);
  assert.deepEqual(said, ["0 bytes", "1023 bytes", "1 KiB", "13 KiB", "1 MiB", "1.5 MiB", "20 MiB"]);
  const photo = { file: { size: 21 * 1024 ** 2 }, name: "a", width: 1, height: 1 };
  assert.equal(overLimit(photo, { max_bytes: 20 * 1024 ** 2 }), "a is too large: 21 MiB, the server accepts at most 20 MiB.");
});

test("the orientation of a JPEG is read, and nothing is read from broken ones", () => {
  const jpeg = Buffer.from("ffd8ffdb00040000ffd9", "hex");
  const buffer = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  for (let orientation = 1; orientation <= 8; orientation++) {
    assert.equal(orientationOf(buffer(withOrientation(jpeg, orientation))), orientation);
  }
  assert.equal(orientationOf(buffer(withOrientation(jpeg, 99))), 1);
  const whole = withOrientation(jpeg, 6);
  for (let length = 0; length < whole.length; length++) {
    assert.ok([1, 6].includes(orientationOf(buffer(Buffer.from(whole.subarray(0, length))))), `${length} bytes`);
  }
});

test("text on colors is dark on light ones and light on dark ones", () => {
  assert.equal(inkOn("#f2a20c"), "#14110f");
  assert.equal(inkOn("#5b5bd6"), "#ffffff");
});
