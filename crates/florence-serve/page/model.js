// The model's name, the server's note about it, and what its confidences mean.

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

/** Closes the note and remembers that it was read. */
export function closeNote() {
  keep(byId("model-note-text").textContent);
  byId("model-note").hidden = true;
}

/** Explains confidences once the first one is shown. */
export function explainFigures(rows) {
  if (!byId("legend").hidden) return;
  const row = rows.find(({ figure, measure }) => figure && measure === "confidence");
  if (!row) return;
  byId("legend-summary").textContent = `What ${row.figure} means`;
  byId("legend").hidden = false;
}
