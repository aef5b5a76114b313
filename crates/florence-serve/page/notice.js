// Error messages.

import { el } from "./dom.js";

/** Shows a message in an element; with `again` a button to try once more. */
export function showNotice(element, message, again = null) {
  const button = again
    ? el("button", { type: "button", class: "second", onclick: () => (hideNotice(element), again()) }, "Try again")
    : null;
  element.replaceChildren(...[el("p", {}, message), button].filter(Boolean));
  element.hidden = false;
}

/** Hides the message. */
export function hideNotice(element) {
  element.hidden = true;
  element.replaceChildren();
}
