// The form of questions: what the server can be asked, as groups of checkboxes.

import { el } from "./dom.js";

const GROUPS = [
  ["Caption", ["caption", "detailed_caption", "more_detailed_caption"]],
  ["Detect", ["od", "dense_region_caption", "region_proposal"]],
  ["Read", ["ocr", "ocr_with_region"]],
];
const TICKED = new Set(["detailed_caption", "od", "ocr_with_region"]);

/** A task's name for people, where the server gives none. */
function spelt(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function choice({ name, title }, ticked) {
  return el(
    "label",
    { class: "choice" },
    el("input", { type: "checkbox", name, checked: ticked }),
    el("span", {}, title || spelt(name)),
  );
}

function group(heading, choices) {
  return el(
    "fieldset",
    { class: "group" },
    el("legend", { class: "quiet-heading" }, heading),
    el("div", { class: "choices" }, ...choices),
  );
}

const ticked = (root) =>
  [...root.querySelectorAll("input[type=checkbox]:checked")].map(({ name }) => name);

/** What the server can be asked, and what the user ticked. */
export class Questions {
  #titles = new Map();
  #everything = [];

  constructor({ groups, phraseTasks, regionTasks }) {
    this.groups = groups;
    this.phraseTasks = phraseTasks;
    this.regionTasks = regionTasks;
  }

  /** Shows the tasks and cascades that the server has. */
  offer({ tasks = [], cascades = [] }) {
    const all = [...tasks, ...cascades];
    this.#titles = new Map(all.map(({ name, title }) => [name, title || spelt(name)]));
    const plain = tasks.filter(({ input }) => input === "none");
    const combined = cascades.filter(({ input }) => (input ?? "none") === "none");
    this.#everything = [...plain, ...combined].map(({ name }) => name);
    const known = new Set(GROUPS.flatMap(([, names]) => names));
    const grouped = [
      ...GROUPS.map(([heading, names]) => [heading, plain.filter(({ name }) => names.includes(name))]),
      ["Other", plain.filter(({ name }) => !known.has(name))],
      ["Cascades", combined],
    ].filter(([, members]) => members.length > 0);
    this.groups.replaceChildren(
      ...grouped.map(([heading, members]) =>
        group(heading, members.map((task) => choice(task, TICKED.has(task.name)))),
      ),
    );
    const offerIn = (root, input) => {
      const members = all.filter((task) => task.input === input);
      // A cascade asks many questions, so it is off by default.
      root.replaceChildren(...members.map((task) => choice(task, tasks.includes(task))));
      root.closest("form").hidden = members.length === 0;
    };
    offerIn(this.phraseTasks, "text");
    offerIn(this.regionTasks, "region");
  }

  /** A task's title; a marker is its own. */
  titleOf = (name) => this.#titles.get(name) ?? (name.startsWith("<") ? name : spelt(name));

  /** The tasks ticked among those that need nothing but the photo. */
  get picked() {
    return ticked(this.groups);
  }

  /** All of those. */
  get everything() {
    return this.#everything;
  }

  /** The tasks ticked under the phrase. */
  get pickedForPhrase() {
    return ticked(this.phraseTasks);
  }

  /** The tasks ticked under the region. */
  get pickedForRegion() {
    return ticked(this.regionTasks);
  }
}
