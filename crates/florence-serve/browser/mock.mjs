// A mock server: the same API, canned answers.
//
// It knows the scene in `examples/scene.png`. Any other picture gets the scene's answers, stretched
// to its size, so that shapes are where a picture painted to the scene's proportions has them.
//
//     node mock.mjs [port]

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { orientationOf } from "./orientation.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PAGE = join(here, "..", "page");
const SCENE = join(here, "..", "..", "..", "examples", "scene.png");
const LIMITS = {
  max_bytes: 20 * 1024 * 1024,
  max_pixels: 40_000_000,
  max_questions: 32,
  max_text: 2_000,
  max_beams: 8,
  max_new_tokens: 1_024,
};
const NOTE =
  "A demo model: it knows only colored shapes and printed words. For photographs: florence serve --model NAME (see florence models).";
const DELAY_MS = 60;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
};

const task = (name, marker, input, form, title) => ({ name, marker, input, form, title });
const TASKS = [
  task("caption", "<CAPTION>", "none", "text", "Caption"),
  task("detailed_caption", "<DETAILED_CAPTION>", "none", "text", "Detailed caption"),
  task("more_detailed_caption", "<MORE_DETAILED_CAPTION>", "none", "text", "More detailed caption"),
  task("od", "<OD>", "none", "boxes", "Object detection"),
  task("dense_region_caption", "<DENSE_REGION_CAPTION>", "none", "boxes", "Dense region captions"),
  task("region_proposal", "<REGION_PROPOSAL>", "none", "proposals", "Region proposals"),
  task("ocr", "<OCR>", "none", "text", "OCR"),
  task("ocr_with_region", "<OCR_WITH_REGION>", "none", "quads", "OCR with regions"),
  task("phrase_grounding", "<CAPTION_TO_PHRASE_GROUNDING>", "text", "phrases", "Phrase grounding"),
  task("referring_segmentation", "<REFERRING_EXPRESSION_SEGMENTATION>", "text", "polygons", "Referring segmentation"),
  task("open_vocabulary_detection", "<OPEN_VOCABULARY_DETECTION>", "text", "boxes_or_polygons", "Open-vocabulary detection"),
  task("region_to_category", "<REGION_TO_CATEGORY>", "region", "text", "Region category"),
  task("region_to_description", "<REGION_TO_DESCRIPTION>", "region", "text", "Region description"),
  task("region_to_ocr", "<REGION_TO_OCR>", "region", "text", "Region OCR"),
  task("region_to_segmentation", "<REGION_TO_SEGMENTATION>", "region", "polygons", "Region segmentation"),
];
const cascade = (name, title, input = "none") => ({ name, title, input });
const CASCADES = [
  cascade("caption_and_ground", "Caption and grounding"),
  cascade("detailed_caption_and_ground", "Detailed caption and grounding"),
  cascade("more_detailed_caption_and_ground", "More detailed caption and grounding"),
  cascade("detect_and_describe", "Detection and description"),
  cascade("detect_and_segment", "Detection and segmentation"),
  cascade("caption_checked", "Checked caption"),
  cascade("detailed_caption_checked", "Checked detailed caption"),
  cascade("more_detailed_caption_checked", "Checked more detailed caption"),
  cascade("check_caption", "Caption check", "text"),
];
const KNOWN = new Map([...TASKS, ...CASCADES].map((each) => [each.name, each]));

// The scene, as fractions of its sides.
const box = (x1, y1, x2, y2) => ({ x1: x1 / 529, y1: y1 / 447, x2: x2 / 529, y2: y2 / 447 });
const corners = (...points) => points.map(([x, y]) => ({ x: x / 529, y: y / 447 }));
const THINGS = [
  {
    label: "diamond",
    color: "cyan",
    box: box(58, 140, 198, 318),
    outline: corners([128, 140], [198, 229], [128, 318], [58, 229]),
  },
  {
    label: "triangle",
    color: "green",
    box: box(217, 166, 407, 338),
    outline: corners([312, 166], [407, 338], [217, 338]),
  },
  {
    label: "pentagon",
    color: "black",
    box: box(427, 341, 503, 413),
    outline: corners([465, 341], [503, 369], [489, 413], [441, 413], [427, 369]),
  },
];
const LINE = { text: "lawn shore", box: box(40, 80, 357, 128) };

/** Why a request cannot be answered. */
class Refusal extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

/** The size of a picture as it is stored or, upright, turned as its EXIF orientation says. */
function sizeIn(bytes, upright) {
  const { width, height } = sizeOf(bytes);
  const turned = upright && orientationOf(new Uint8Array(bytes).buffer) >= 5;
  return turned ? { width: height, height: width } : { width, height };
}

/** The size of a PNG or JPEG, read from its first bytes. */
function sizeOf(bytes) {
  if (bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8) {
    for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
      const marker = bytes[at + 1];
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
  }
  throw new Refusal(415, "unsupported_image", "The file is not an image of a kind that can be read: PNG or JPEG.");
}

const scaleBox = ({ x1, y1, x2, y2 }, { width, height }) => ({
  x1: x1 * width,
  y1: y1 * height,
  x2: x2 * width,
  y2: y2 * height,
});
const binsOf = (shares) => shares.map((share) => Math.floor(share * 1000));

/** A thing's box as a place in the answer. */
const placeOf = ({ box }, size, confidence) => ({
  bbox: scaleBox(box, size),
  confidence,
  bins: binsOf([box.x1, box.y1, box.x2, box.y2]),
});
const scalePoints = (points, { width, height }) => points.map(({ x, y }) => ({ x: x * width, y: y * height }));

function overlapOf(a, b) {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return width > 0 && height > 0 ? width * height : 0;
}

// Captions and their phrases: regions, support, and how those regions are described.
const [DIAMOND, TRIANGLE, PENTAGON] = THINGS;
const CHECKED = {
  caption_checked: {
    text: "A cyan diamond, a green triangle and a red heart.",
    claims: [
      ["A cyan diamond", [DIAMOND], 0.994, "a large cyan diamond"],
      ["a green triangle", [TRIANGLE], 0.87, "a large green triangle"],
      ["a red heart", [PENTAGON], 0.003, "a large black pentagon"],
    ],
  },
  detailed_caption_checked: {
    text: "In this image we can see a sign — “lawn shore”, très petit — above a green triangle, and a blue kite.",
    claims: [
      ["a sign", [LINE], 0.41, "lawn shore"],
      ["a green triangle", [TRIANGLE], 0.87, "a large green triangle"],
      ["a blue kite", [], 0.0001, null],
    ],
  },
  more_detailed_caption_checked: {
    text: "The image has a plain pale yellow background. On the left are two large shapes, and below them lies a brown dog.",
    claims: [
      ["two large shapes", [DIAMOND, TRIANGLE], 0.78, "a large cyan diamond"],
      ["a brown dog", [PENTAGON], 0.02, "a large black pentagon"],
    ],
  },
};
const MIN_SUPPORT = 0.3;

function checkedCaption({ text, claims }, size) {
  const phrases = claims.map(([phrase, things, support, seen]) => {
    const start = Buffer.byteLength(text.slice(0, text.indexOf(phrase)));
    return {
      phrase,
      range: { start, end: start + Buffer.byteLength(phrase) },
      regions: things.map((thing) => placeOf(thing, size, 0.84)),
      support,
      supported: support >= MIN_SUPPORT,
      evidence: seen === null ? null : { task: "<REGION_TO_DESCRIPTION>", text: seen },
    };
  });
  const doubtful = phrases.filter(({ supported }) => !supported);
  const warnings = doubtful.map(
    ({ phrase, evidence }) =>
      `"${phrase}" is not supported by the image` +
      (evidence ? `: the model describes that region as "${evidence.text}"` : ""),
  );
  return { caption: { text, confidence: 0.8 }, phrases, warnings };
}

function answerOf({ task: name, text, region }, size) {
  const found = (thing, index) => ({
    label: thing.label,
    label_confidence: 0.98,
    ...placeOf(thing, size, 0.93 - 0.06 * index),
  });
  const instance = (thing, label = "") => ({
    label,
    label_confidence: label ? 0.98 : null,
    outlines: [
      {
        polygon: { points: scalePoints(thing.outline, size) },
        confidence: 0.71,
        bins: binsOf(thing.outline.flatMap(({ x, y }) => [x, y])),
      },
    ],
    confidence: 0.71,
  });
  const textForm = (content) => ({ form: "text", value: { text: content, confidence: 0.91 } });
  const phrase = (words, thing) => ({
    phrase: words,
    regions: thing ? [placeOf(thing, size, 0.84)] : [],
    confidence: 0.95,
    skipped_by_reference: false,
  });
  const captions = {
    caption: "A cyan diamond, a green triangle and a black pentagon.",
    detailed_caption:
      "In this image we can see a cyan diamond, a green triangle and a black pentagon on a plain yellow background, with some text.",
    more_detailed_caption:
      "The image has a plain pale yellow background. On the left is a cyan diamond, in the middle a green triangle, and at the lower right a black pentagon. Above them is printed “lawn shore”.",
  };
  if (captions[name]) return textForm(captions[name]);
  if (name.endsWith("caption_and_ground")) {
    return {
      form: "grounded_caption",
      value: {
        caption: { text: captions[name.replace("_and_ground", "")], confidence: 0.9 },
        phrases: THINGS.map((thing) => phrase(`${thing.color} ${thing.label}`, thing)),
      },
    };
  }
  if (name === "check_caption") {
    const claims = text.match(/\ba \w+ \w+/g).map((claim) => {
      const thing = THINGS.find(({ label, color }) => claim === `a ${color} ${label}`);
      return [claim, [thing ?? PENTAGON], thing ? 0.9 : 0.01, thing ? claim : "a large black pentagon"];
    });
    return { form: "checked_caption", value: checkedCaption({ text, claims }, size) };
  }
  if (Object.hasOwn(CHECKED, name)) return { form: "checked_caption", value: checkedCaption(CHECKED[name], size) };
  const asked = text
    ? THINGS.filter((thing) => text.toLowerCase().includes(thing.label) || text.toLowerCase().includes(thing.color))
    : [];
  const [x1, y1, x2, y2] = region ?? [0, 0, 0, 0];
  const inside = THINGS.map((thing) => ({ thing, overlap: overlapOf(scaleBox(thing.box, size), { x1, y1, x2, y2 }) }))
    .filter(({ overlap }) => overlap > 0)
    .sort((a, b) => b.overlap - a.overlap)[0]?.thing;
  switch (name) {
    case "od":
      return { form: "boxes", value: THINGS.map(found) };
    case "dense_region_caption":
      return {
        form: "boxes",
        value: THINGS.map((thing, index) => ({ ...found(thing, index), label: `${thing.color} ${thing.label}` })),
      };
    case "region_proposal":
      return {
        form: "proposals",
        value: [...THINGS, LINE].map((thing) => placeOf(thing, size, 0.6)),
      };
    case "ocr":
      return textForm(LINE.text);
    case "ocr_with_region": {
      const { x1: left, y1: top, x2: right, y2: bottom } = LINE.box;
      const corners = [
        { x: left, y: top },
        { x: right, y: top },
        { x: right, y: bottom },
        { x: left, y: bottom },
      ];
      const quad = { points: scalePoints(corners, size) };
      const bins = binsOf(corners.flatMap(({ x, y }) => [x, y]));
      return { form: "quads", value: [{ text: LINE.text, text_confidence: 0.97, quad, confidence: 0.88, bins }] };
    }
    case "phrase_grounding":
      return {
        form: "phrases",
        value: asked.length > 0 ? asked.map((thing) => phrase(text, thing)) : [phrase(text, null)],
      };
    case "referring_segmentation":
      return { form: "polygons", value: asked.slice(0, 1).map((thing) => instance(thing)) };
    case "open_vocabulary_detection":
      return { form: "boxes_or_polygons", value: { detections: asked.map(found), instances: [] } };
    case "region_to_category":
      return textForm(inside?.label ?? "background");
    case "region_to_description":
      return textForm(inside ? `a large ${inside.color} ${inside.label}` : "a plain yellow background");
    case "region_to_ocr":
      return textForm(overlapOf(scaleBox(LINE.box, size), { x1, y1, x2, y2 }) > 0 ? LINE.text : "");
    case "region_to_segmentation":
      return { form: "polygons", value: inside ? [instance(inside)] : [] };
    case "detect_and_describe":
      return {
        form: "described",
        value: THINGS.map((thing, index) => ({
          detection: found(thing, index),
          description: { text: `a large ${thing.color} ${thing.label} on a plain yellow background`, confidence: 0.97 },
        })),
      };
    case "detect_and_segment":
      return {
        form: "segmented",
        value: THINGS.map((thing, index) => ({ detection: found(thing, index), instances: [instance(thing)] })),
      };
  }
  throw new Refusal(400, "unknown_task", `There is no task ${JSON.stringify(name)}.`);
}

function check(question) {
  const known = KNOWN.get(question?.task);
  if (!known) throw new Refusal(400, "unknown_task", `There is no task ${JSON.stringify(question?.task)}.`);
  if (known.input === "text" && !question.text) {
    throw new Refusal(400, "missing_text", `${question.task} has to be asked about a text.`);
  }
  if (known.input === "region" && !(Array.isArray(question.region) && question.region.length === 4)) {
    throw new Refusal(400, "missing_region", `${question.task} has to be asked about a region [x1, y1, x2, y2].`);
  }
}

async function bodyOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > LIMITS.max_bytes + 100_000) {
      throw new Refusal(413, "too_large", `The request is larger than ${LIMITS.max_bytes} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function questionsOf(request) {
  const body = await bodyOf(request);
  const type = request.headers["content-type"] ?? "";
  try {
    if (type.startsWith("application/json")) {
      const { image, image_id: imageId, ...asked } = JSON.parse(body);
      return { bytes: image ? Buffer.from(image, "base64") : null, imageId, ...asked };
    }
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    const file = form.get("image");
    const bytes = file ? Buffer.from(await file.arrayBuffer()) : null;
    return { bytes, imageId: form.get("image_id"), ...JSON.parse(form.get("request")) };
  } catch (error) {
    throw new Refusal(400, "bad_request", `The request cannot be read: ${error.message}.`);
  }
}

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

/** Starts the mock on a port (0 takes a free one): `{url, close}`. */
export async function startMock(port = 0) {
  const images = new Map();

  async function run(request, response) {
    const { bytes, imageId, exif_orientation: upright = false, questions = [] } = await questionsOf(request);
    if (questions.length === 0) throw new Refusal(400, "no_questions", "There are no questions.");
    questions.forEach(check);
    let id = imageId;
    if (bytes) {
      id = randomUUID();
      images.set(id, sizeIn(bytes, upright));
    }
    const size = images.get(id);
    const streams = request.headers.accept?.includes("text/event-stream");
    const unknown = { code: "unknown_image", message: `image_id ${JSON.stringify(id)} is not known or has expired: send the photo again` };
    if (!size && !streams) throw new Refusal(404, unknown.code, unknown.message);
    const seen = { image_id: id, size };
    const answered = (question, index) => ({
      index,
      task: question.task,
      value: answerOf(question, size),
      ...(question.task === "ocr_with_region" && { page: { text: LINE.text, markdown: LINE.text } }),
      raw_text: `</s><s>${question.task}</s>`,
      diagnostics: [],
      timings_ms: { encoder: 3.2, decode: 57.1 },
    });
    if (!streams) {
      return sendJson(response, 200, { ...seen, answers: questions.map(answered) });
    }
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const event = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    let gone = false;
    response.on("close", () => (gone = true));
    await pause(DELAY_MS);
    if (!size) {
      event("failed", { index: null, error: unknown });
      return response.end();
    }
    event("image", seen);
    for (const [index, question] of questions.entries()) {
      await pause(DELAY_MS);
      if (gone) return;
      event("answer", answered(question, index));
    }
    event("done", {});
    response.end();
  }

  async function see(request, response) {
    const { bytes, exif_orientation: upright = false } = await questionsOf(request);
    const size = sizeIn(bytes ?? Buffer.alloc(0), upright);
    const id = randomUUID();
    images.set(id, size);
    return sendJson(response, 200, { image_id: id, size });
  }

  async function file(path, response) {
    const name = normalize(decodeURIComponent(path === "/" ? "/index.html" : path));
    const full = join(PAGE, name);
    if (!full.startsWith(PAGE + sep) || !TYPES[extname(full)]) throw new Refusal(404, "not_found", "There is nothing here.");
    let content;
    try {
      content = await readFile(full);
    } catch {
      throw new Refusal(404, "not_found", "There is nothing here.");
    }
    response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[extname(full)] });
    response.end(content);
  }

  async function handle(request, response) {
    const { pathname } = new URL(request.url, "http://localhost");
    if (request.method === "POST" && pathname === "/v1/run") return run(request, response);
    if (request.method === "POST" && pathname === "/v1/images") return see(request, response);
    if (request.method !== "GET") throw new Refusal(405, "method", "Only GET, and POST to /v1/run.");
    if (pathname === "/v1/tasks") {
      const model = { name: "florence-nano", device: "cpu", precision: "f32", note: NOTE };
      return sendJson(response, 200, { model, limits: LIMITS, tasks: TASKS, cascades: CASCADES });
    }
    if (pathname === "/v1/samples") {
      return sendJson(response, 200, {
        samples: [{ name: "scene", title: "Shapes and words", url: "/samples/scene.png" }],
      });
    }
    if (pathname === "/samples/scene.png") {
      response.writeHead(200, { ...HEADERS, "Content-Type": "image/png" });
      return response.end(await readFile(SCENE));
    }
    return file(pathname, response);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      if (response.headersSent) return response.destroy();
      const { status = 500, code = "internal", headers = {} } = error;
      sendJson(response, status, { error: { code, message: error.message } }, headers);
    });
  });
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

function sendJson(response, status, content, headers = {}) {
  response.writeHead(status, { ...HEADERS, ...headers, "Content-Type": "application/json" });
  response.end(JSON.stringify(content));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock(Number(process.argv[2] ?? 8787));
  console.log(`The mock listens on ${url}`);
}
