// Where the labels of shapes go, so that they hide each other as little as can be.

import { tagTextAt } from "./look.js";

const MAX_LETTERS = 34;

/** What a shape's tag says: its label, shortened, and its figure. */
export function tagText({ label, figure }) {
  const letters = [...label.replace(/\s+/g, " ").trim()];
  const name =
    letters.length > MAX_LETTERS ? `${letters.slice(0, MAX_LETTERS - 1).join("").trimEnd()}…` : letters.join("");
  return [name, figure].filter(Boolean).join(" ");
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/**
 * Places tags: `shapes` have `bbox` and `tag`, `bounds` the size of the picture, all in one unit;
 * `measure(text)` gives a text's width. Gives `{shape, x, y, width, height}` for every tag.
 */
export function placeTags(shapes, bounds, height, measure) {
  const placed = [];
  for (const shape of shapes) {
    if (!shape.tag) continue;
    const width = measure(shape.tag) + 2 * tagTextAt(height).x;
    const { x1, y1, x2, y2 } = shape.bbox;
    const wished = [
      [x1, y1 - height],
      [x1, y1],
      [x1, y2],
      [x2 - width, y1 - height],
      [x2 - width, y2],
      [x1, y2 - height],
      [x1, (y1 + y2 - height) / 2],
    ];
    let best = null;
    for (const [x, y] of wished) {
      const at = {
        x: Math.max(0, Math.min(x, bounds.width - width)),
        y: Math.max(0, Math.min(y, bounds.height - height)),
        width,
        height,
      };
      const moved = Math.abs(at.x - x) + Math.abs(at.y - y);
      const cost = placed.reduce((sum, other) => sum + overlap(at, other), 0) + moved * height * 0.05;
      if (best === null || cost < best.cost) best = { ...at, cost };
      if (cost === 0) break;
    }
    placed.push({ shape, ...best });
  }
  return placed;
}
