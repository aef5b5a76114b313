// One question and its answer, as a card in the list.

import { colorOf } from "./colors.js";
import { el, svg } from "./dom.js";
import { markPhrases } from "./marks.js";
import { readAnswer } from "./rows.js";
import { tagText } from "./tags.js";

const DENSE = 14;
const MEANINGS = {
  confidence: "Confidence of the location: the average probability of its coordinate tokens",
  support: "How probable the model finds the phrase when asked about that region",
};
let cards = 0;

const time = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function took(timings) {
  const { encoder, decode, ...others } = timings ?? {};
  const own = [encoder, decode].filter(Number.isFinite);
  const counted = own.length > 0 ? own : Object.values(others).filter(Number.isFinite);
  return counted.length > 0 ? time(counted.reduce((sum, ms) => sum + ms, 0)) : "";
}

function describe(diagnostic) {
  if (typeof diagnostic === "string") return diagnostic;
  if (typeof diagnostic?.message === "string") return diagnostic.message;
  const { kind, token, ...rest } = diagnostic ?? {};
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const place = Number.isInteger(token) ? `token ${token}: ` : "";
  return place + [String(kind ?? "diagnostic").replaceAll("_", " "), ...facts].join(", ");
}

function eyeIcon() {
  return svg(
    "svg",
    { viewBox: "0 0 20 20", "aria-hidden": "true" },
    svg("path", { d: "M1.5 10S4.5 4.5 10 4.5 18.5 10 18.5 10 15.5 15.5 10 15.5 1.5 10 1.5 10Z" }),
    svg("circle", { cx: 10, cy: 10, r: 2.6 }),
    svg("path", { class: "slash", d: "M3.5 16.5 16.5 3.5" }),
  );
}

/** The phrase or region that a question is about, as text; empty for the whole photo. */
export function aboutOf({ region, text }) {
  if (region) {
    const [x1, y1, x2, y2] = region.map(Math.round);
    return `${x1}, ${y1} to ${x2}, ${y2}`;
  }
  return text ? `“${text}”` : "";
}

function copyButton(name, text) {
  if (!navigator.clipboard) return null;
  const button = el("button", { type: "button", class: "plain" }, name);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying not allowed";
    }
    setTimeout(() => (button.textContent = name), 1500);
  });
  return button;
}

/**
 * A card. Callbacks: `on.light(ids)` and `on.unlight()` when the pointer enters and leaves shapes,
 * `on.pin(ids)` to keep them highlighted or release them, `on.shapes()` when the shapes to draw have
 * changed, `on.askAbout(bbox)` when the user asks about a box.
 */
export class Card {
  #on;

  constructor(question, title, on) {
    this.number = ++cards;
    this.question = question;
    this.title = title;
    this.answer = null;
    this.rows = [];
    this.shapes = [];
    this.visible = true;
    this.#on = on;
    this.took = el("span", { class: "took" });
    this.count = el("span", { class: "count" });
    this.eye = el("button", {
      type: "button",
      class: "eye",
      hidden: true,
      "aria-pressed": "true",
      "aria-label": `${title} on the photo`,
      onclick: () => this.show(!this.visible),
    }, eyeIcon());
    this.body = el("div", { class: "card-body" });
    const about = aboutOf(question);
    const asked = about ? el("span", { class: "asked" }, about) : null;
    this.element = el(
      "article",
      { class: "card", "data-task": question.task ?? "prompt", "aria-label": title },
      el("header", { class: "card-head" }, el("h3", {}, title, " ", asked), this.count, this.took, this.eye),
      this.body,
    );
    this.#setStatus("waiting");
  }

  /** `waiting`, `done`, `failed` or `cancelled`. */
  get status() {
    return this.element.dataset.status;
  }

  /** Shows or hides the card's shapes on the photo. */
  show(visible) {
    this.visible = visible;
    this.eye.setAttribute("aria-pressed", String(visible));
    this.#on.shapes();
  }

  /** Shows the answer; returns a summary of it. */
  setAnswer(answer) {
    this.answer = answer;
    const { text, rows } = readAnswer(answer.value);
    this.rows = rows;
    const dense = rows.length > DENSE;
    this.shapes = rows.flatMap((row, index) => this.#shapesOf(row, index, dense));
    this.took.textContent = took(answer.timings_ms);
    this.count.textContent = rows.length > 0 ? String(rows.length) : "";
    this.eye.hidden = this.shapes.length === 0;
    this.body.replaceChildren(
      ...[
        text === null ? null : this.#textBlock(text),
        rows.length > 0 ? this.#rowList() : null,
        text === null && rows.length === 0 ? el("p", { class: "hint" }, "Nothing found.") : null,
        answer.page ? pageBlock(answer.page) : null,
        moreBlock(answer),
      ].filter(Boolean),
    );
    this.#setStatus("done");
    const warned = rows.filter(({ warning }) => warning).map(({ label }) => label);
    const doubts = warned.length > 0 ? ` (Not supported by the image: ${warned.join(", ")}.)` : "";
    return text !== null ? `${this.title}: ${text || "no text"}${doubts}` : `${this.title}: ${rows.length} found`;
  }

  /** Shows why the question failed. */
  setError(message) {
    this.body.replaceChildren(el("p", { class: "card-error" }, message));
    this.#setStatus("failed");
  }

  /** Shows that the question was cancelled. */
  setCancelled() {
    this.body.replaceChildren(el("p", { class: "hint" }, "Cancelled."));
    this.#setStatus("cancelled");
  }

  /** Marks the rows of these shapes; scrolls to the first if `reveal`. */
  light(ids, reveal) {
    for (const element of this.body.querySelectorAll("[data-rows]")) {
      const lit = element.dataset.rows.split(" ").some((id) => ids.has(id));
      element.classList.toggle("is-lit", lit);
      if (lit && reveal) {
        element.scrollIntoView({ block: "nearest" });
        reveal = false;
      }
    }
  }

  /** Shows which rows are pinned. */
  pin(ids) {
    for (const button of this.body.querySelectorAll(".row-main")) {
      const rows = button.closest("[data-rows]").dataset.rows.split(" ");
      button.setAttribute("aria-pressed", String(rows.some((id) => ids.has(id))));
    }
  }

  #setStatus(status) {
    this.element.dataset.status = status;
    this.element.setAttribute("aria-busy", String(status === "waiting"));
  }

  /** The ids of a row's shapes. */
  #ids(index) {
    return this.rows[index].shapes.map((_, part) => `${this.number}-${index}-${part}`);
  }

  /** The label of a shape without one: the phrase, or the task that was asked about the region. */
  get #fallback() {
    return this.question.text || (this.question.region ? this.title : "");
  }

  #color(row) {
    return colorOf(row.label || this.#fallback || this.title);
  }

  #shapesOf(row, index, dense) {
    const label = row.label || this.#fallback;
    const ids = this.#ids(index);
    return row.shapes.map((shape, part) => ({
      id: ids[part],
      label,
      tag: tagText({ label, doubtful: row.warning !== "", figure: row.measure === "confidence" ? row.figure : "" }),
      color: this.#color(row),
      doubtful: row.warning !== "",
      dense,
      ...shape,
    }));
  }

  #pointing(ids) {
    if (ids.length === 0) return {};
    const light = () => this.#on.light(ids);
    return {
      onpointerenter: light,
      onpointerleave: this.#on.unlight,
      onfocusin: light,
      onfocusout: this.#on.unlight,
    };
  }

  #textBlock(text) {
    if (!text) return el("p", { class: "hint" }, "No text.");
    const paragraph = el("p", { class: "answer-text" });
    for (const piece of markPhrases(text, this.rows)) {
      const warned = piece.rows.some((index) => this.rows[index].warning);
      const ids = piece.rows.flatMap((index) => this.#ids(index));
      if (ids.length === 0 && !warned) {
        paragraph.append(piece.text);
        continue;
      }
      const mark = el(
        "mark",
        { class: warned ? "phrase warned" : "phrase", "data-rows": ids.join(" "), ...this.#pointing(ids) },
        piece.text,
      );
      mark.style.setProperty("--color", this.#color(this.rows[piece.rows[0]]));
      paragraph.append(mark, warned ? el("span", { class: "visually-hidden" }, " (not supported)") : "");
    }
    return paragraph;
  }

  #rowList() {
    return el("ul", { class: "rows" }, ...this.rows.map((row, index) => this.#rowItem(row, index)));
  }

  #rowItem(row, index) {
    const ids = this.#ids(index);
    const name = row.label || (ids.length > 0 ? this.#fallback || `Region ${index + 1}` : "");
    const content = [
      el("span", { class: "swatch", "aria-hidden": "true" }),
      el("span", { class: "row-label" }, name),
      row.figure
        ? el(
            "span",
            { class: "figure", title: MEANINGS[row.measure] },
            // Confidence is the default measure; any other is named.
            el("span", { class: row.measure === "confidence" ? "visually-hidden" : "" }, `${row.measure} `),
            row.figure,
          )
        : null,
    ];
    const notes = [
      row.text ? el("p", { class: "row-text" }, row.text) : null,
      row.warning ? el("p", { class: "row-warning" }, row.warning) : null,
    ];
    const classes = ["row", row.quiet && "quiet", row.warning && "warned"].filter(Boolean).join(" ");
    if (ids.length === 0) {
      return el("li", { class: classes }, el("div", { class: "row-line" }, ...content), ...notes);
    }
    const main = el(
      "button",
      { type: "button", class: "row-main", "aria-pressed": "false", onclick: () => this.#on.pin(ids) },
      ...content,
    );
    const about = el(
      "button",
      {
        type: "button",
        class: "row-ask",
        "aria-label": `Ask about ${name}`,
        title: "Ask about this region",
        onclick: () => this.#on.askAbout(row.bbox),
      },
      "?",
    );
    const item = el(
      "li",
      { class: classes, "data-rows": ids.join(" "), ...this.#pointing(ids) },
      el("div", { class: "row-line" }, main, about),
      ...notes,
    );
    item.style.setProperty("--color", this.#color(row));
    return item;
  }
}

function pageBlock({ text, markdown }) {
  const shown = typeof text === "string" ? text : "";
  if (!shown && typeof markdown !== "string") return null;
  return el(
    "div",
    { class: "page" },
    el(
      "div",
      { class: "page-head" },
      el("h4", {}, "In reading order"),
      shown ? copyButton("Copy", shown) : null,
      typeof markdown === "string" ? copyButton("Copy Markdown", markdown) : null,
    ),
    el("pre", { class: "page-text", tabindex: "0", "aria-label": "Text in reading order" }, shown || markdown),
  );
}

function moreBlock(answer) {
  const raw = typeof answer.raw_text === "string" ? answer.raw_text : "";
  const diagnostics = Array.isArray(answer.diagnostics) ? answer.diagnostics : [];
  if (!raw && diagnostics.length === 0) return null;
  const count = diagnostics.length;
  const summary = count > 0 ? `Raw answer, ${count} ${count === 1 ? "diagnostic" : "diagnostics"}` : "Raw answer";
  return el(
    "details",
    { class: "more" },
    el("summary", {}, summary),
    raw ? el("pre", { tabindex: "0", "aria-label": "Raw answer" }, raw) : null,
    count > 0 ? el("ul", { class: "diagnostics" }, ...diagnostics.map((each) => el("li", {}, describe(each)))) : null,
  );
}
