// One color for each label, the same wherever the label appears.

const PALETTE = [
  "#e5484d", "#0a84e0", "#2f9e5f", "#f2a20c", "#8e4ec6", "#0fa3b1", "#e0418f",
  "#7f9a12", "#5b5bd6", "#f06a15", "#a8623a", "#1f7a8c", "#c22fc7", "#6b7f99",
];

const given = new Map();

function hash(text) {
  let sum = 2166136261;
  for (const char of text) sum = Math.imul(sum ^ char.codePointAt(0), 16777619) >>> 0;
  return sum;
}

function nextIndex(label) {
  const first = hash(label) % PALETTE.length;
  const taken = new Set(given.values());
  for (let step = 0; step < PALETTE.length; step++) {
    const index = (first + step) % PALETTE.length;
    if (!taken.has(index)) return index;
  }
  return first;
}

/**
 * The color of a label. A label's hash chooses it, so it is nearly always the same from visit to
 * visit; a label that comes second to a color takes the next free one.
 */
export function colorOf(label) {
  const key = label.trim().toLowerCase();
  if (!given.has(key)) given.set(key, nextIndex(key));
  return PALETTE[given.get(key)];
}

/** Black or white, whichever is easier to read on a color of the form #rrggbb. */
export function inkOn(color) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.055 ? "#ffffff" : "#14110f";
}
