// A rectangle on the photo, given by pointer or by keys.

const DRAG_BEYOND = 4;
const GRAB_MOUSE = 9;
const GRAB_TOUCH = 22;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The rectangle between two points, whole pixels, inside of the photo, at least one pixel large. */
export function between(a, b, size) {
  const [x1, x2] = span(a.x, b.x, size.width);
  const [y1, y2] = span(a.y, b.y, size.height);
  return { x1, y1, x2, y2 };
}

function span(a, b, side) {
  let low = clamp(Math.round(Math.min(a, b)), 0, side);
  let high = clamp(Math.round(Math.max(a, b)), 0, side);
  if (high === low) low < side ? (high = low + 1) : (low = high - 1);
  return [low, high];
}

/** The rectangle after an arrow key: moved by `step`, or with `resize` made larger or smaller. */
export function nudged(region, key, step, resize, size) {
  const dx = { ArrowLeft: -step, ArrowRight: step }[key] ?? 0;
  const dy = { ArrowUp: -step, ArrowDown: step }[key] ?? 0;
  const { x1, y1, x2, y2 } = region;
  if (resize) {
    return {
      x1,
      y1,
      x2: clamp(x2 + dx, Math.min(x1 + 1, size.width), size.width),
      y2: clamp(y2 + dy, Math.min(y1 + 1, size.height), size.height),
    };
  }
  const moveX = clamp(dx, -x1, size.width - x2);
  const moveY = clamp(dy, -y1, size.height - y2);
  return { x1: x1 + moveX, y1: y1 + moveY, x2: x2 + moveX, y2: y2 + moveY };
}

/** The rectangle that keys start from: the middle of the photo. */
export function middle({ width, height }) {
  return between(
    { x: width * 0.3, y: height * 0.3 },
    { x: width * 0.7, y: height * 0.7 },
    { width, height },
  );
}

/** One step of an arrow key in pixels: a fiftieth of the photo's longer side, or one with `fine`. */
export function stepOf({ width, height }, fine) {
  return fine ? 1 : Math.max(1, Math.round(Math.max(width, height) / 50));
}

function grabbedCorner(region, point, reach) {
  if (!region) return null;
  const { x1, y1, x2, y2 } = region;
  const corners = [
    { at: { x: x1, y: y1 }, opposite: { x: x2, y: y2 } },
    { at: { x: x2, y: y1 }, opposite: { x: x1, y: y2 } },
    { at: { x: x2, y: y2 }, opposite: { x: x1, y: y1 } },
    { at: { x: x1, y: y2 }, opposite: { x: x2, y: y1 } },
  ];
  return corners.find(({ at }) => Math.hypot(at.x - point.x, at.y - point.y) <= reach) ?? null;
}

/**
 * Lets pointers drag rectangles over an overlay. `on.change(region)` while it is dragged,
 * `on.finish(region)` when it is let go, `on.click(shapeId)` for a press without a drag.
 */
export function dragRegions(overlay, { size, region, change, finish, click }) {
  const surface = overlay.element;
  let drag = null;

  const pointOf = (event) => {
    const rect = surface.getBoundingClientRect();
    return {
      x: ((event.clientX - rect.left) / rect.width) * size().width,
      y: ((event.clientY - rect.top) / rect.height) * size().height,
    };
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    const point = pointOf(event);
    const reach = (event.pointerType === "mouse" ? GRAB_MOUSE : GRAB_TOUCH) * overlay.scale;
    const corner = grabbedCorner(region(), point, reach);
    drag = {
      pointer: event.pointerId,
      anchor: corner?.opposite ?? point,
      from: { x: event.clientX, y: event.clientY },
      before: region(),
      shape: event.target.closest?.("[data-shape]")?.dataset.shape ?? null,
      moved: false,
    };
    surface.setPointerCapture(event.pointerId);
  });

  surface.addEventListener("pointermove", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    const far = Math.hypot(event.clientX - drag.from.x, event.clientY - drag.from.y);
    drag.moved ||= far > DRAG_BEYOND;
    if (drag.moved) change(between(drag.anchor, pointOf(event), size()));
  });

  surface.addEventListener("pointerup", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    const { anchor, moved, shape } = drag;
    drag = null;
    if (moved) finish(between(anchor, pointOf(event), size()));
    else click(shape);
  });

  surface.addEventListener("pointercancel", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    change(drag.before);
    drag = null;
  });
}
