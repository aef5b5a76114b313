// Finds the phrases of an answer in its text.

import { indexOfByte } from "./utf8.js";

/** The place of a range of bytes, as indices of the string; `null` if it is none. */
function placeOf(text, range) {
  const at = indexOfByte(text, range.start);
  const end = indexOfByte(text, range.end);
  return at !== null && end !== null && at < end ? { at, end } : null;
}

/** Places that rows give, and for rows that give none the first place of their label that is free. */
function placesOf(text, rows) {
  const places = [];
  const isFree = ({ at, end }) => places.every((other) => end <= other.at || other.end <= at);
  const byLabel = new Map();
  rows.forEach(({ label, range }, index) => {
    if (range) {
      const place = placeOf(text, range);
      if (place && isFree(place)) places.push({ ...place, rows: [index] });
      return;
    }
    const key = label.trim().toLowerCase();
    if (key) byLabel.set(key, [...(byLabel.get(key) ?? []), index]);
  });
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return places;
  for (const [label, indices] of [...byLabel].sort((a, b) => b[0].length - a[0].length)) {
    for (let at = lower.indexOf(label); at >= 0; at = lower.indexOf(label, at + label.length)) {
      const place = { at, end: at + label.length };
      if (!isFree(place)) continue;
      places.push({ ...place, rows: indices });
      break;
    }
  }
  return places;
}

/**
 * Cuts a text where it speaks of rows: `[{text, rows}]`, `rows` being the indices of the rows that
 * the piece names.
 */
export function markPhrases(text, rows) {
  const pieces = [];
  let from = 0;
  for (const { at, end, rows: named } of placesOf(text, rows).sort((a, b) => a.at - b.at)) {
    if (at > from) pieces.push({ text: text.slice(from, at), rows: [] });
    pieces.push({ text: text.slice(at, end), rows: named });
    from = end;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), rows: [] });
  return pieces;
}
