// Shapes over the photo: an SVG whose units are the photo's pixels.

import { svg } from "./dom.js";
import { inkOn } from "./colors.js";
import { DOUBTFUL_DASHES, FILL, TAG_HEIGHT, tagFont, tagTextAt } from "./look.js";
import { placeTags, taggedShapes } from "./tags.js";

const path = (points) => `M${points.map(({ x, y }) => `${x} ${y}`).join("L")}Z`;
const area = ({ x1, y1, x2, y2 }) => (x2 - x1) * (y2 - y1);

const measuring = document.createElement("canvas").getContext("2d");

/** The width of a tag's text, in pixels of the page. */
function textWidth(text) {
  measuring.font = tagFont();
  return measuring.measureText(text).width;
}

/** Draws shapes: `{id, color, parts, bbox, tag, doubtful}` in pixels of the photo. */
export class Overlay {
  /** In the order of the answers. */
  #given = [];
  /** As they lie on each other. */
  #shapes = [];
  #size = { width: 1, height: 1 };
  #region = null;
  #lit = new Set();
  #withTags = true;

  constructor() {
    this.shapeLayer = svg("g", { class: "shapes" });
    this.regionLayer = svg("g", { class: "region" });
    this.tagLayer = svg("g", { class: "tags" });
    this.tagLayer.style.font = tagFont();
    this.element = svg(
      "svg",
      { class: "overlay", preserveAspectRatio: "none", "aria-hidden": "true" },
      this.shapeLayer,
      this.regionLayer,
      this.tagLayer,
    );
    new ResizeObserver(() => this.#rescale()).observe(this.element);
  }

  /** The size of the photo in pixels. */
  setSize(size) {
    this.#size = size;
    this.element.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    this.#rescale();
  }

  /** Which shapes there are; small ones lie above large ones. */
  setShapes(shapes) {
    this.#given = shapes;
    const sorted = [...shapes].sort((a, b) => area(b.bbox) - area(a.bbox));
    const same = sorted.length === this.#shapes.length;
    if (same && sorted.every(({ id }, index) => id === this.#shapes[index].id)) return;
    this.#shapes = sorted;
    this.shapeLayer.replaceChildren(...this.#shapes.map(drawn));
    this.#drawTags();
    this.#markLit();
  }

  /** Whether labels are written beside shapes. */
  setTags(shown) {
    this.#withTags = shown;
    this.#drawTags();
    this.#markLit();
  }

  /** Which shapes stand out; the others step back. */
  light(ids) {
    this.#lit = new Set(ids);
    this.#drawTags();
    this.#markLit();
  }

  /** The rectangle that the user gave, or `null`. */
  setRegion(region) {
    this.#region = region;
    this.#drawRegion();
  }

  /** Pixels of the photo for one pixel of the page. */
  get scale() {
    const width = this.element.getBoundingClientRect().width;
    return width > 0 ? this.#size.width / width : 1;
  }

  #rescale() {
    this.#drawTags();
    this.#drawRegion();
    this.#markLit();
  }

  #drawTags() {
    const scale = this.scale;
    const onPage = (shape) => ({
      ...shape,
      bbox: Object.fromEntries(Object.entries(shape.bbox).map(([k, v]) => [k, v / scale])),
    });
    const tagged = this.#withTags ? taggedShapes(this.#given).map(onPage) : [];
    const lit = this.#given.filter(({ id }) => this.#lit.has(id)).map(onPage);
    const bounds = { width: this.#size.width / scale, height: this.#size.height / scale };
    const tags = placeTags(tagged, bounds, TAG_HEIGHT, textWidth, lit);
    const inside = tagTextAt(TAG_HEIGHT);
    this.tagLayer.setAttribute("transform", `scale(${scale})`);
    this.tagLayer.replaceChildren(
      ...tags.map(({ shape, x, y, width, height }) =>
        svg(
          "g",
          { class: "tag", "data-shape": shape.id },
          svg("rect", { x, y, width, height, rx: 3, fill: shape.color }),
          svg(
            "text",
            { x: x + inside.x, y: y + inside.y, fill: inkOn(shape.color) },
            shape.tag,
          ),
        ),
      ),
    );
  }

  #drawRegion() {
    this.regionLayer.replaceChildren();
    if (!this.#region) return;
    const { x1, y1, x2, y2 } = this.#region;
    const side = 9 * this.scale;
    const rect = { x: x1, y: y1, width: x2 - x1, height: y2 - y1, fill: "none" };
    this.regionLayer.append(
      svg("rect", { class: "region-halo", ...rect }),
      svg("rect", { class: "region-line", ...rect }),
      ...[
        [x1, y1],
        [x2, y1],
        [x2, y2],
        [x1, y2],
      ].map(([x, y]) =>
        svg("rect", { class: "handle", x: x - side / 2, y: y - side / 2, width: side, height: side, rx: side / 5 }),
      ),
    );
  }

  #markLit() {
    this.element.classList.toggle("has-lit", this.#lit.size > 0);
    for (const element of this.element.querySelectorAll("[data-shape]")) {
      element.classList.toggle("is-lit", this.#lit.has(element.dataset.shape));
    }
  }
}

function drawn(shape) {
  const dashes = shape.doubtful ? { "stroke-dasharray": DOUBTFUL_DASHES.join(" ") } : {};
  const outlined = shape.parts.some((part) => part.kind === "polygon");
  return svg(
    "g",
    { class: "shape", "data-shape": shape.id, "data-label": shape.label },
    ...shape.parts.flatMap((part) => {
      const d = path(part.points);
      const faint = outlined && part.kind === "box";
      return [
        svg("path", { class: "halo", d, fill: "none", ...dashes }),
        svg("path", {
          class: faint ? "line faint" : "line",
          "data-part": part.kind,
          d,
          fill: shape.color,
          "fill-opacity": FILL[part.kind],
          "fill-rule": "evenodd",
          stroke: shape.color,
          ...dashes,
        }),
      ];
    }),
  );
}
