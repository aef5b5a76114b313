// Placement of labels, with as little overlap as possible.

import { tagTextAt } from "./look.js";

const MAX_LETTERS = 34;

/** What a shape's tag says: its label, shortened, a question mark if it is doubtful, and its figure. */
export function tagText({ label, doubtful = false, figure = "" }) {
  const letters = [...label.replace(/\s+/g, " ").trim()];
  const name =
    letters.length > MAX_LETTERS ? `${letters.slice(0, MAX_LETTERS - 1).join("").trimEnd()}…` : letters.join("");
  return [name + (doubtful ? "?" : ""), figure].filter(Boolean).join(" ");
}

/** Boxes that share this much of what they cover together are one place. */
const SAME_PLACE = 0.6;

const area = ({ x1, y1, x2, y2 }) => (x2 - x1) * (y2 - y1);

function shared(a, b) {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

/**
 * The shapes that get a tag without being pointed at: of those that lie in one place the first, and
 * those with a name before those without.
 */
export function taggedShapes(shapes) {
  const named = shapes.filter(({ tag, dense }) => tag && !dense);
  const order = [...named.filter(({ label }) => label), ...named.filter(({ label }) => !label)];
  const kept = [];
  for (const shape of order) {
    if (kept.every((other) => shared(shape.bbox, other.bbox) < SAME_PLACE)) kept.push(shape);
  }
  return kept;
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/** Where a tag may be, beginning with the best place: its upper left corner. */
const places = ({ x1, y1, x2, y2 }, width, height) => [
  [x1, y1 - height],
  [x1, y1],
  [x1, y2],
  [x2 - width, y1 - height],
  [x2 - width, y2],
  [x1, y2 - height],
  [x2 - width, y1],
  [x2 - width, y2 - height],
  [x1, (y1 + y2 - height) / 2],
];

/**
 * Places tags: `shapes` have `bbox` and `tag`, `bounds` the size of the picture, all in one unit;
 * `measure(text)` gives a text's width. Gives `{shape, x, y, width, height}` for every tag that finds
 * a place where it hides no other, and for each of the shapes in `needed`, which come last, in any case.
 */
export function placeTags(shapes, bounds, height, measure, needed = []) {
  const placed = [];
  const put = (shape, inAnyCase) => {
    const width = measure(shape.tag) + 2 * tagTextAt(height).x;
    let best = null;
    for (const [x, y] of places(shape.bbox, width, height)) {
      const at = {
        x: Math.max(0, Math.min(x, bounds.width - width)),
        y: Math.max(0, Math.min(y, bounds.height - height)),
        width,
        height,
      };
      const hides = placed.reduce((sum, other) => sum + overlap(at, other), 0);
      const moved = Math.abs(at.x - x) + Math.abs(at.y - y);
      const cost = hides + moved * height * 0.05;
      if ((hides === 0 || inAnyCase) && (best === null || cost < best.cost)) best = { ...at, cost };
      if (cost === 0) break;
    }
    if (best) placed.push({ shape, ...best });
  };
  for (const shape of shapes) put(shape, false);
  const there = new Set(placed.map(({ shape }) => shape.id));
  for (const shape of needed) if (shape.tag && !there.has(shape.id)) put(shape, true);
  return placed;
}
