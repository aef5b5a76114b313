// What whoever looks has to know of the model: a note of the server's, and what its figures mean.

import { byId } from "./dom.js";

const KEPT = "florence-note-read";

function read() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(note) {
  try {
    localStorage.setItem(KEPT, note);
  } catch {
    // Without storage the note comes back with the page.
  }
}

/** Shows the model's name and, until it was read, its note. */
export function showModel({ name, precision, device, note = "" } = {}) {
  byId("model").textContent = [name, precision, device].filter(Boolean).join(" · ");
  byId("model-note-text").textContent = note;
  byId("model-note").hidden = !note || read() === note;
}

/** Takes the note away for good. */
export function closeNote() {
  keep(byId("model-note-text").textContent);
  byId("model-note").hidden = true;
}

/** Says what a confidence is, once the first one is shown. */
export function explainFigures(rows) {
  if (!byId("legend").hidden) return;
  const row = rows.find(({ figure, measure }) => figure && measure === "confidence");
  if (!row) return;
  byId("legend-summary").textContent = `What ${row.figure} means`;
  byId("legend").hidden = false;
}
