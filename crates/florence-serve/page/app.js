// The page: a photo, questions about it, and answers drawn over it.

import { fetchSample, fetchSamples, fetchTasks, sendImage } from "./api.js";
import { Answers } from "./answers.js";
import { byId, el } from "./dom.js";
import { annotatedPng, save, stem } from "./download.js";
import { closeNote, explainFigures, showModel } from "./model.js";
import { hideNotice, showNotice } from "./notice.js";
import { Overlay } from "./overlay.js";
import { bytes, openPhoto, overLimit } from "./photo.js";
import { Questions } from "./questions.js";
import { dragRegions, middle, nudged, stepOf } from "./region.js";
import { CANCELLED, Session } from "./session.js";
import { listenForKeys } from "./shortcuts.js";

/** Whether an error of the server is about the photo rather than the questions. */
const isAboutPhoto = ({ status, code }) =>
  status === 413 || status === 415 || (status < 500 && /image|photo|pixel|decod/.test(code ?? ""));

const overlay = new Overlay();
const questions = new Questions({
  groups: byId("question-groups"),
  phraseTasks: byId("phrase-tasks"),
  regionTasks: byId("region-tasks"),
});
const answers = new Answers(byId("batches"), { light, unlight, pin, shapes: draw, askAbout });
const session = new Session({ start, image, answer, failed, end });

let server = null;
let photo = null;
let size = { width: 0, height: 0 };
let region = null;
let lit = new Set();
let pinned = new Set();
let encodedIn = null;
let opening = 0;
let running = { asked: 0, answered: 0, encoding: false };

// --- shapes on the photo ---

function draw() {
  overlay.setShapes(answers.shapes(lit));
  const any = answers.cards.some((card) => card.answer);
  byId("answers-tools").hidden = !any;
}

function light(ids, { reveal = false } = {}) {
  const next = new Set(ids);
  if (next.size === lit.size && [...next].every((id) => lit.has(id))) return;
  lit = next;
  overlay.setShapes(answers.shapes(lit));
  overlay.light(lit);
  answers.light(lit, reveal);
}

/** Ends highlighting; pinned shapes stay highlighted. */
function unlight() {
  light(pinned);
}

/** Pins these shapes instead of others, or unpins them. */
function pin(ids) {
  pinned = new Set(ids.some((id) => pinned.has(id)) ? [] : ids);
  answers.pin(pinned);
  unlight();
}

/** Drops pins and highlights of cards that were removed. */
function forgetGone() {
  const there = new Set(answers.cards.flatMap((card) => card.shapes.map(({ id }) => id)));
  pinned = new Set([...pinned].filter((id) => there.has(id)));
  if ([...lit].some((id) => !there.has(id))) unlight();
}

function setSize(given) {
  const { width, height } = given;
  if (!(width > 0 && height > 0)) return;
  size = { width, height };
  overlay.setSize(size);
  byId("stage").style.setProperty("--w", width);
  byId("stage").style.setProperty("--h", height);
}

function announce(text) {
  byId("status").textContent = text;
}

// --- the photo ---

async function takeFile(file) {
  const turn = ++opening;
  hideNotice(byId("photo-notice"));
  showOpening(`Opening ${file.name || "the photo"}…`);
  const opened = await openPhoto(file);
  const tooMuch = overLimit(opened, server?.limits);
  let uploaded = {};
  let refusal = null;
  // The server may read formats that the browser cannot show: ask it before the photo counts as open.
  if (!tooMuch && !opened.common && turn === opening) {
    try {
      uploaded = await sendImage(file);
    } catch (error) {
      refusal = error;
    }
  }
  if (turn !== opening) return opened.close();
  showOpening("");
  if (tooMuch || refusal) {
    opened.close();
    if (tooMuch) showNotice(byId("photo-notice"), tooMuch);
    else explainPhoto(file, refusal);
    return;
  }
  usePhoto(opened, uploaded);
}

function showOpening(text) {
  byId("opening").textContent = text;
  byId("opening").hidden = !text;
}

/** Shows beside the photo why a file cannot be opened. */
function explainPhoto(file, error) {
  const again = isAboutPhoto(error) ? null : () => takeFile(file);
  showNotice(byId("photo-notice"), `${file.name || "The photo"} cannot be opened. ${sentence(error.message)}`, again);
}

/** `uploaded` is the server's answer to an upload of the photo, if there was one. */
function usePhoto(opened, uploaded) {
  session.setPhoto(opened, uploaded.image_id);
  photo?.close();
  photo = opened;
  encodedIn = null;
  answers.clear();
  forgetGone();
  setRegion(null);
  draw();
  hideNotice(byId("photo-notice"));
  hideNotice(byId("answers-notice"));
  byId("answers-hint").hidden = false;
  byId("empty").hidden = true;
  byId("photo-bar").hidden = false;
  byId("stage-frame").hidden = false;
  document.body.classList.add("has-photo");
  if (photo.shown) {
    setSize(photo);
    byId("stage").replaceChildren(photo.image, overlay.element);
  } else {
    setSize(uploaded.size ?? { width: 640, height: 400 });
    byId("stage").replaceChildren(
      el("p", { class: "unshown" }, "This browser cannot display this format, but the server can read it: you can ask about it."),
      overlay.element,
    );
  }
  showDamage(uploaded.image_notes);
  describePhoto();
  announce(`${photo.name} is open.`);
}

function describePhoto() {
  const measures = `${size.width} × ${size.height}, `;
  const encoded = encodedIn === null ? "" : `, encoded in ${Math.round(encodedIn)} ms`;
  byId("photo-name").replaceChildren(
    el("strong", {}, photo.name),
    el("span", {}, ` ${measures}${bytes(photo.file.size)}${encoded}`),
  );
}

/** Shows beside the photo that its file is damaged. */
function showDamage(notes = []) {
  const damage = notes.find(({ kind }) => kind === "image_damaged");
  if (!damage) return;
  const from = Number.isInteger(damage.from_row) ? ` From row ${damage.from_row} on, pixels may be wrong.` : "";
  showNotice(byId("photo-notice"), `${photo.name} is damaged: ${damage.what}.${from}`);
}

async function takeSample(sample) {
  const turn = ++opening;
  try {
    const file = await fetchSample(sample);
    if (turn === opening) await takeFile(file);
  } catch (error) {
    showNotice(byId("photo-notice"), error.message, () => takeSample(sample));
  }
}

function offerSamples(samples) {
  byId("samples").hidden = samples.length === 0;
  byId("sample-list").replaceChildren(
    ...samples.map((sample) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "sample", onclick: () => takeSample(sample) },
          el("img", { src: sample.url, alt: "", loading: "lazy", decoding: "async" }),
          el("span", {}, sample.title || sample.name),
        ),
      ),
    ),
  );
}

// --- asking ---

function options() {
  const given = { num_beams: Number(byId("beams").value) };
  const most = byId("max-tokens").valueAsNumber;
  const limit = server.limits?.max_new_tokens ?? Infinity;
  if (most >= 1) given.max_new_tokens = Math.min(Math.floor(most), limit);
  return given;
}

function ask(asked) {
  if (!server) return void loadServer();
  if (!photo) {
    showNotice(byId("photo-notice"), "No photo: choose one, drop one here, or pick a sample.");
    byId("choose").focus();
    return;
  }
  if (asked.length === 0) {
    showNotice(byId("answers-notice"), "No question is selected. Select at least one.");
    return;
  }
  hideNotice(byId("answers-notice"));
  hideNotice(byId("photo-notice"));
  byId("answers-hint").hidden = true;
  const most = server.limits?.max_questions || asked.length;
  for (let from = 0; from < asked.length; from += most) {
    const part = asked.slice(from, from + most);
    const cards = answers.add(part, questions.titleOf);
    running.asked += part.length;
    session.ask({ questions: part, options: options(), cards });
  }
  forgetGone();
  draw();
  showProgress();
  revealAnswers();
}

function revealAnswers() {
  byId("answers").scrollTop = 0;
  if (!matchMedia("(max-width: 820px)").matches) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("answers").scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

const askPicked = () => ask(questions.picked.map((task) => ({ task })));

const phraseQuestions = (text) => questions.pickedForPhrase.map((task) => ({ task, text }));

const regionQuestions = ({ x1, y1, x2, y2 }) =>
  questions.pickedForRegion.map((task) => ({ task, region: [x1, y1, x2, y2] }));

function askEverything() {
  const text = byId("phrase").value.trim();
  ask([
    ...questions.everything.map((task) => ({ task })),
    ...(text ? phraseQuestions(text) : []),
    ...(region ? regionQuestions(region) : []),
  ]);
}

function askPhrase() {
  const text = byId("phrase").value.trim();
  if (text) return ask(phraseQuestions(text));
  byId("phrase").focus();
  showNotice(byId("answers-notice"), "Enter a phrase first, such as “a red car”.");
}

function askOwn() {
  const given = byId("own-prompt").value.trim();
  if (!given) {
    byId("own-prompt").focus();
    return showNotice(byId("answers-notice"), "Enter a marker such as <GENERATE_TAGS>, or a prompt, first.");
  }
  const answer = byId("own-answer").value;
  const isMarker = /^<[^<>\s]+>$/.test(given);
  ask([isMarker ? { task: given, answer } : { prompt: given, answer }]);
}

function askAbout(bbox) {
  const inside = (value, side) => Math.min(Math.max(value, 0), side);
  setRegion({
    x1: inside(bbox.x1, size.width),
    y1: inside(bbox.y1, size.height),
    x2: inside(bbox.x2, size.width),
    y2: inside(bbox.y2, size.height),
  });
  askRegion();
}

function askRegion() {
  byId("region-ask").hidden = true;
  if (region) ask(regionQuestions(region));
}

// --- the region ---

const CORNERS = ["x1", "y1", "x2", "y2"];

function setRegion(given) {
  region = given;
  overlay.setRegion(region);
  for (const corner of CORNERS) {
    const value = region?.[corner];
    byId(corner).value = value === undefined ? "" : String(Math.round(value * 100) / 100);
  }
  byId("region-wrong").hidden = true;
  byId("region-ask").hidden = true;
}

/** A drag by touch may be accidental: it asks only after a tap on the button. */
function finishRegion(given, byFinger) {
  setRegion(given);
  if (!byFinger) return askRegion();
  byId("region-ask").hidden = false;
  announceRegion();
}

function readRegion() {
  const [x1, y1, x2, y2] = CORNERS.map((corner) => byId(corner).valueAsNumber);
  const { width, height } = size;
  if (![x1, y1, x2, y2].every(Number.isFinite)) return "A region needs four numbers.";
  if (x1 >= x2 || y1 >= y2) return "Left must be less than right, top less than bottom.";
  if (x1 < 0 || y1 < 0 || x2 > width || y2 > height) {
    return `The region must lie inside the photo (${width} × ${height}).`;
  }
  return { x1, y1, x2, y2 };
}

function announceRegion() {
  const { x1, y1, x2, y2 } = region;
  announce(`Region from ${x1}, ${y1} to ${x2}, ${y2} of ${size.width} by ${size.height} pixels.`);
}

function stageKey(event) {
  if (!photo || event.ctrlKey || event.metaKey) return;
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    const step = stepOf(size, event.altKey);
    setRegion(region ? nudged(region, event.key, step, event.shiftKey, size) : middle(size));
    announceRegion();
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (region) return askRegion();
    setRegion(middle(size));
    announceRegion();
  } else if (event.key === "Escape" && region) {
    event.stopPropagation();
    setRegion(null);
    announce("Region removed.");
  }
}

// --- server events ---

function showProgress() {
  const busy = session.busy;
  byId("progress").hidden = !busy;
  byId("answers").setAttribute("aria-busy", String(busy));
  if (!busy) {
    running = { asked: 0, answered: 0, encoding: false };
    return;
  }
  byId("progress-bar").max = Math.max(running.asked, 1);
  if (running.encoding) byId("progress-bar").removeAttribute("value");
  else byId("progress-bar").value = running.answered;
  byId("progress-text").textContent = running.encoding
    ? "Encoding the photo…"
    : `${running.answered} of ${running.asked} answered`;
}

function start() {
  running.encoding = true;
  showProgress();
}

function image(data) {
  running.encoding = false;
  if (data.size) setSize(data.size);
  if (data.size && !photo.shown) overlay.setRegion(region);
  showDamage(data.image_notes);
  const parts = Object.values(data.timings_ms ?? {}).filter(Number.isFinite);
  if (parts.length > 0) encodedIn = parts.reduce((sum, ms) => sum + ms, 0);
  describePhoto();
  showProgress();
}

function answer(job, index, data) {
  const card = job.cards[index];
  if (!card) return;
  running.answered += 1;
  running.encoding = false;
  const summary = card.setAnswer(data);
  answers.decideVisible(card);
  explainFigures(card.rows);
  draw();
  showProgress();
  const last = running.answered === running.asked;
  announce(last ? `${sentence(summary)} All questions are answered.` : summary);
}

function failed(job, index, error) {
  const card = job.cards[index];
  if (!card) return;
  running.answered += 1;
  running.encoding = false;
  card.setError(sentence(error?.message || "The server could not answer this"));
  showProgress();
  announce(`${card.title} failed.`);
}

function end(job, reason) {
  const open = job.cards.filter((card) => card.status === "waiting");
  running.answered += open.length;
  if (reason === CANCELLED) {
    for (const card of open) card.setCancelled();
    announce("Cancelled.");
  } else if (reason) {
    for (const card of open) card.setError("Not answered.");
    explain(reason, () => ask(open.map((card) => card.question)));
  } else {
    for (const card of open) card.setError("The server did not answer this question.");
  }
  queueMicrotask(showProgress);
}

/** A server message (lower case, no full stop) as a sentence. */
function sentence(message) {
  const whole = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

function explain(error, again) {
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const ofPhoto = isAboutPhoto(error);
  const place = byId(ofPhoto ? "photo-notice" : "answers-notice");
  showNotice(place, `${sentence(error.message)}${wait}`, ofPhoto ? null : again);
}

function applyLimits({ max_text: maxText, max_beams: maxBeams, max_new_tokens: maxTokens }) {
  if (maxText) byId("phrase").maxLength = maxText;
  if (maxTokens) byId("max-tokens").max = maxTokens;
  if (!maxBeams) return;
  for (const option of [...byId("beams").options]) {
    if (Number(option.value) > maxBeams) option.remove();
  }
}

async function loadServer() {
  try {
    server = await fetchTasks();
  } catch (error) {
    showNotice(byId("answers-notice"), error.message, loadServer);
    return;
  }
  hideNotice(byId("answers-notice"));
  showModel(server.model);
  const { max_bytes: maxBytes, max_pixels: maxPixels } = server.limits ?? {};
  byId("limits").textContent = [
    maxBytes ? `up to ${bytes(maxBytes)}` : "",
    maxPixels ? `${Math.round(maxPixels / 1e6)} megapixels` : "",
  ]
    .filter(Boolean)
    .join(", ");
  questions.offer(server);
  applyLimits(server.limits ?? {});
  updateAskButton();
  try {
    offerSamples(await fetchSamples());
  } catch {
    offerSamples([]);
  }
}

// --- downloads ---

async function savePng() {
  if (!photo?.shown) return;
  try {
    const shapes = answers.shapes();
    const blob = await annotatedPng(photo.image, size, shapes, { tags: byId("tags").checked });
    save(blob, `${stem(photo.name)}-annotated.png`);
  } catch (error) {
    showNotice(byId("answers-notice"), error.message);
  }
}

function saveJson() {
  if (!photo) return;
  const answered = answers.cards.filter((card) => card.answer);
  const all = {
    photo: { name: photo.name, ...size },
    model: server?.model ?? null,
    answers: answered.map(({ question, answer: { index, ...answer } }) => ({ ...question, ...answer })),
  };
  const blob = new Blob([JSON.stringify(all, null, 2), "\n"], { type: "application/json" });
  save(blob, `${stem(photo.name)}-answers.json`);
}

// --- event handlers ---

function updateAskButton() {
  const count = questions.picked.length;
  byId("ask-button").textContent = count === 1 ? "Ask 1 question" : `Ask ${count} questions`;
}

const chooseFile = () => byId("file").click();

byId("choose").addEventListener("click", chooseFile);
byId("choose-another").addEventListener("click", chooseFile);
byId("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (file) takeFile(file);
});

let dragDepth = 0;
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const veil = (shown) => (byId("drop-veil").hidden = !shown);
addEventListener("dragenter", (event) => {
  if (!hasFiles(event)) return;
  dragDepth += 1;
  veil(true);
});
addEventListener("dragleave", (event) => {
  if (!hasFiles(event)) return;
  dragDepth -= 1;
  if (dragDepth <= 0) veil(false);
});
addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  dragDepth = 0;
  veil(false);
  const [file] = event.dataTransfer.files;
  if (file) takeFile(file);
});
addEventListener("paste", (event) => {
  const [file] = event.clipboardData?.files ?? [];
  if (file) takeFile(file);
});

const onSubmit = (id, act) =>
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
onSubmit("ask-form", askPicked);
onSubmit("phrase-form", askPhrase);
onSubmit("own-form", askOwn);
onSubmit("region-form", () => {
  if (!photo) return ask([]);
  const given = readRegion();
  if (typeof given === "string") {
    byId("region-wrong").textContent = given;
    byId("region-wrong").hidden = false;
    return;
  }
  setRegion(given);
  askRegion();
});
byId("ask-form").addEventListener("change", updateAskButton);
byId("everything").addEventListener("click", askEverything);
byId("cancel").addEventListener("click", () => session.cancel());
byId("show-all").addEventListener("click", () => answers.cards.forEach((card) => card.show(true)));
byId("hide-all").addEventListener("click", () => answers.cards.forEach((card) => card.show(false)));
byId("save-png").addEventListener("click", savePng);
byId("save-json").addEventListener("click", saveJson);
byId("tags").addEventListener("change", ({ target }) => overlay.setTags(target.checked));
byId("model-note-close").addEventListener("click", closeNote);
byId("help-open").addEventListener("click", () => byId("help").showModal());

byId("stage").addEventListener("keydown", stageKey);
byId("region-ask").addEventListener("click", () => {
  byId("stage").focus({ preventScroll: true });
  askRegion();
});
overlay.element.addEventListener("pointerover", ({ target, buttons }) => {
  const id = target.closest("[data-shape]")?.dataset.shape;
  if (buttons) return;
  if (id) light([id], { reveal: matchMedia("(min-width: 1101px)").matches });
  else unlight();
});
overlay.element.addEventListener("pointerleave", unlight);
dragRegions(overlay, {
  size: () => size,
  region: () => region,
  change: setRegion,
  finish: finishRegion,
  click: (id) => {
    const shape = id && answers.shapes(lit).find((each) => each.id === id);
    if (shape) askAbout(shape.bbox);
    else setRegion(null);
  },
});
new ResizeObserver(([{ contentRect }]) => {
  document.documentElement.style.setProperty("--stage-height", `${Math.round(contentRect.height)}px`);
}).observe(byId("stage-frame"));

listenForKeys({
  o: chooseFile,
  a: askPicked,
  e: askEverything,
  "/": () => byId("phrase").focus(),
  r: () => byId("stage").focus(),
  d: savePng,
  j: saveJson,
  t: () => byId("theme").click(),
  "?": () => byId("help").showModal(),
  Escape: () => session.cancel(),
});

loadServer();
