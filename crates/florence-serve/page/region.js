// Selecting a region on the photo, by pointer or keyboard.

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

/** Whether a finger that moved so far means to scroll the page rather than to draw on the photo. */
const meansToScroll = (dx, dy) => Math.abs(dy) > 2 * Math.abs(dx);

/** Decides, once a press has moved far enough to tell, what it is. */
function decide(drag, { clientX, clientY }) {
  if (drag.act !== "press") return;
  const dx = clientX - drag.from.x;
  const dy = clientY - drag.from.y;
  if (Math.hypot(dx, dy) <= DRAG_BEYOND) return;
  drag.act = drag.byFinger && !drag.onCorner && meansToScroll(dx, dy) ? "scroll" : "draw";
}

/**
 * Lets pointers drag rectangles over an overlay. `on.change(region)` while it is dragged,
 * `on.finish(region, byFinger)` when it is let go, `on.click(shapeId)` for a press without a drag.
 * A finger that moves up or down scrolls the page, unless it started on a corner.
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
      byFinger: event.pointerType === "touch",
      onCorner: corner !== null,
      anchor: corner?.opposite ?? point,
      from: { x: event.clientX, y: event.clientY },
      before: region(),
      shape: event.target.closest?.("[data-shape]")?.dataset.shape ?? null,
      act: "press",
    };
    surface.setPointerCapture(event.pointerId);
  });

  surface.addEventListener("pointermove", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    decide(drag, event);
    if (drag.act === "draw") change(between(drag.anchor, pointOf(event), size()));
  });

  // The browser scrolls, as touch-action lets it, whatever is not prevented here.
  const holdStill = (event) => {
    if (!drag || event.touches.length > 1) return;
    decide(drag, event.touches[0]);
    if (drag.act === "draw" && event.cancelable) event.preventDefault();
  };
  surface.addEventListener("touchmove", holdStill, { passive: false });

  surface.addEventListener("pointerup", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    const { anchor, act, byFinger, shape } = drag;
    drag = null;
    if (act === "draw") finish(between(anchor, pointOf(event), size()), byFinger);
    if (act === "press") click(shape);
  });

  surface.addEventListener("pointercancel", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    if (drag.act === "draw") change(drag.before);
    drag = null;
  });
}
