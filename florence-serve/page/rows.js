// What an answer says, as rows of a list, each with its shape in pixels of the photo.

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const list = (value) => (Array.isArray(value) ? value : []);
const words = (value) => (typeof value === "string" ? value : "");
const number = (value) => (isNumber(value) ? value : null);

function points(value) {
  return list(value).filter((point) => isNumber(point?.x) && isNumber(point?.y));
}

function boxPart(bbox) {
  const { x1, y1, x2, y2 } = bbox ?? {};
  if (![x1, y1, x2, y2].every(isNumber)) return null;
  const corners = [
    { x: x1, y: y1 },
    { x: x2, y: y1 },
    { x: x2, y: y2 },
    { x: x1, y: y2 },
  ];
  return { kind: "box", points: corners };
}

function outlineParts(instance) {
  return list(instance?.outlines)
    .map((outline) => ({ kind: "polygon", points: points(outline?.polygon?.points) }))
    .filter((part) => part.points.length > 0);
}

/** A shape of several parts, and the smallest box around them; `null` without any part. */
function shape(parts) {
  const kept = parts.filter(Boolean);
  const all = kept.flatMap((part) => part.points);
  if (all.length === 0) return null;
  const bbox = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };
  for (const { x, y } of all) {
    bbox.x1 = Math.min(bbox.x1, x);
    bbox.y1 = Math.min(bbox.y1, y);
    bbox.x2 = Math.max(bbox.x2, x);
    bbox.y2 = Math.max(bbox.y2, y);
  }
  return { parts: kept, bbox };
}

function row(label, confidence, parts, more = {}) {
  return {
    label: words(label),
    confidence: number(confidence),
    shape: shape(parts),
    text: "",
    warning: "",
    quiet: false,
    ...more,
  };
}

const detectionRow = (found, more) =>
  row(found?.label, found?.confidence, [boxPart(found?.bbox)], more);

const instanceRow = (instance) =>
  row(instance?.label, instance?.confidence, outlineParts(instance));

function phraseRows(phrase) {
  const more = { quiet: phrase?.skipped_by_reference === true };
  const regions = list(phrase?.regions);
  if (regions.length === 0) {
    return [row(phrase?.phrase, null, [], { ...more, text: "no place given" })];
  }
  return regions.map((region) =>
    row(phrase?.phrase, region?.confidence, [boxPart(region?.bbox)], more),
  );
}

function checkedRows(claim) {
  const support = number(claim?.support);
  const share = support === null ? "" : ` (support ${Math.round(support * 100)}%)`;
  if (claim?.supported !== false) return phraseRows(claim);
  const warning = `The photo does not bear this out${share}.`;
  const regions = list(claim?.regions);
  if (regions.length === 0) return [row(claim?.phrase, null, [], { warning })];
  return regions.map((region) =>
    row(claim?.phrase, region?.confidence, [boxPart(region?.bbox)], { warning }),
  );
}

const readers = {
  text: (value) => ({ text: words(value?.text), rows: [] }),
  boxes: (value) => ({ rows: list(value).map((found) => detectionRow(found)) }),
  proposals: (value) => ({
    rows: list(value).map((region) => row("", region?.confidence, [boxPart(region?.bbox)])),
  }),
  phrases: (value) => ({ rows: list(value).flatMap(phraseRows) }),
  quads: (value) => ({
    rows: list(value).map((line) =>
      row(line?.text, line?.confidence, [
        { kind: "quad", points: points(line?.quad?.points) },
      ]),
    ),
  }),
  polygons: (value) => ({ rows: list(value).map(instanceRow) }),
  boxes_or_polygons: (value) => ({
    rows: [
      ...list(value?.detections).map((found) => detectionRow(found)),
      ...list(value?.instances).map(instanceRow),
    ],
  }),
  grounded_caption: (value) => ({
    text: words(value?.caption?.text),
    rows: value?.checked
      ? list(value.checked).flatMap(checkedRows)
      : list(value?.phrases).flatMap(phraseRows),
  }),
  described: (value) => ({
    rows: list(value).map((each) =>
      detectionRow(each?.detection, { text: words(each?.description?.text) }),
    ),
  }),
  segmented: (value) => ({
    rows: list(value).map((each) =>
      row(each?.detection?.label, each?.detection?.confidence, [
        boxPart(each?.detection?.bbox),
        ...list(each?.instances).flatMap(outlineParts),
      ]),
    ),
  }),
};

/**
 * Reads the `value` of an answer: its running `text` (or `null`) and its `rows`. A form that this
 * page does not know gives its JSON as text.
 */
export function readAnswer(value) {
  const read = Object.hasOwn(readers, value?.form ?? "") ? readers[value.form] : null;
  if (!read) return { text: JSON.stringify(value, null, 2) ?? "", rows: [] };
  return { text: null, ...read(value.value) };
}

/**
 * Cuts a text where the labels of rows occur in it: `[{text, rows}]`, `rows` being the indices of
 * the rows that the piece names.
 */
export function markPhrases(text, rows) {
  const byLabel = new Map();
  rows.forEach(({ label }, index) => {
    const key = label.trim().toLowerCase();
    if (key) byLabel.set(key, [...(byLabel.get(key) ?? []), index]);
  });
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return [{ text, rows: [] }];
  const marks = [];
  for (const [label, indices] of [...byLabel].sort((a, b) => b[0].length - a[0].length)) {
    for (let at = lower.indexOf(label); at >= 0; at = lower.indexOf(label, at + label.length)) {
      const end = at + label.length;
      if (marks.some((mark) => at < mark.end && mark.at < end)) continue;
      marks.push({ at, end, rows: indices });
      break;
    }
  }
  marks.sort((a, b) => a.at - b.at);
  const pieces = [];
  let from = 0;
  for (const mark of marks) {
    if (mark.at > from) pieces.push({ text: text.slice(from, mark.at), rows: [] });
    pieces.push({ text: text.slice(mark.at, mark.end), rows: mark.rows });
    from = mark.end;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), rows: [] });
  return pieces;
}
