// What an answer says, as rows of a list, each with its shapes in pixels of the photo.

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const list = (value) => (Array.isArray(value) ? value : []);
const words = (value) => (typeof value === "string" ? value : "");

/** A share in per cent; what is nearly none or nearly all is not called none or all. */
function percent(share) {
  if (share > 0 && share < 0.01) return "<1%";
  if (share > 0.99 && share < 1) return ">99%";
  return `${Math.round(share * 100)}%`;
}

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

/** The smallest box around parts of shapes; `null` without any. */
function boxAround(parts) {
  const all = parts.flatMap((part) => part.points);
  if (all.length === 0) return null;
  const bbox = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };
  for (const { x, y } of all) {
    bbox.x1 = Math.min(bbox.x1, x);
    bbox.y1 = Math.min(bbox.y1, y);
    bbox.x2 = Math.max(bbox.x2, x);
    bbox.y2 = Math.max(bbox.y2, y);
  }
  return bbox;
}

/** Shapes out of their parts; where a shape has none, there is no shape. */
function shapesOf(...shapes) {
  const kept = shapes.map((parts) => parts.filter(Boolean));
  return kept.map((parts) => ({ parts, bbox: boxAround(parts) })).filter(({ bbox }) => bbox !== null);
}

/** `figure` is what can be said in a number, and `measure` what it measures. */
function rowOf(label, shapes, more) {
  return {
    label: words(label),
    shapes,
    bbox: boxAround(shapes.flatMap(({ parts }) => parts)),
    figure: "",
    measure: "",
    range: null,
    text: "",
    warning: "",
    quiet: false,
    ...more,
  };
}

function row(label, confidence, parts, more = {}) {
  const figure = isNumber(confidence) ? confidence.toFixed(2) : "";
  return rowOf(label, shapesOf(parts), { figure, measure: "confidence", ...more });
}

const detectionRow = (found, more) =>
  row(found?.label, found?.confidence, [boxPart(found?.bbox)], more);

const instanceRow = (instance) =>
  row(instance?.label, instance?.confidence, outlineParts(instance));

function phraseRows(phrase) {
  const more = { quiet: phrase?.skipped_by_reference === true };
  const regions = list(phrase?.regions);
  if (regions.length === 0) {
    return [row(phrase?.phrase, null, [], { ...more, text: "no region given" })];
  }
  return regions.map((region) =>
    row(phrase?.phrase, region?.confidence, [boxPart(region?.bbox)], more),
  );
}

function warningOf({ supported, evidence }) {
  if (supported !== false) return "";
  const description = words(evidence?.text);
  return description
    ? `Not supported by the image; the model describes that region as “${description}”.`
    : "Not supported by the image.";
}

function checkedRow(claim) {
  const { phrase, regions, range, support } = claim ?? {};
  return rowOf(phrase, shapesOf(...list(regions).map((region) => [boxPart(region?.bbox)])), {
    figure: isNumber(support) ? percent(support) : "",
    measure: "support",
    range: isNumber(range?.start) && isNumber(range?.end) ? range : null,
    warning: warningOf(claim ?? {}),
  });
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
    rows: list(value?.phrases).flatMap(phraseRows),
  }),
  checked_caption: (value) => ({
    text: words(value?.caption?.text),
    rows: list(value?.phrases).map(checkedRow),
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
