// Single-key shortcuts, unless the user turned them off.

import { byId } from "./dom.js";

const KEPT = "florence-single-keys";

function wanted() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

function keep(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

const isTyping = (target) =>
  target instanceof Element && target.closest("textarea, select, input:not([type=checkbox])") !== null;

/** Calls `actions[key]` for keys pressed outside of fields; Escape works everywhere. */
export function listenForKeys(actions) {
  const box = byId("single-keys");
  box.checked = wanted();
  box.addEventListener("change", () => keep(box.checked));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("help").open) return;
    const single = event.key.length === 1;
    if (single && (!box.checked || isTyping(event.target))) return;
    const key = single ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(actions, key)) return;
    event.preventDefault();
    actions[key]();
  });
}
