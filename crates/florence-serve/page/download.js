// Downloads: the annotated photo as PNG, answers as JSON.

import { inkOn } from "./colors.js";
import { DOUBTFUL_DASHES, FILL, TAG_HEIGHT, tagFont, tagTextAt } from "./look.js";
import { placeTags, taggedShapes } from "./tags.js";

function trace(context, points) {
  context.beginPath();
  points.forEach(({ x, y }, index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

function drawShape(context, shape, unit) {
  context.setLineDash(shape.doubtful ? DOUBTFUL_DASHES.map((length) => length * unit) : []);
  for (const part of shape.parts) {
    trace(context, part.points);
    context.globalAlpha = FILL[part.kind];
    context.fillStyle = shape.color;
    context.fill("evenodd");
    context.globalAlpha = 0.45;
    context.strokeStyle = "#000000";
    context.lineWidth = 4 * unit;
    context.stroke();
    context.globalAlpha = 1;
    context.strokeStyle = shape.color;
    context.lineWidth = 2 * unit;
    context.stroke();
  }
}

/** The photo with shapes and tags drawn into it, at its full size, as a PNG blob. */
export async function annotatedPng(image, size, shapes, { tags }) {
  const canvas = document.createElement("canvas");
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw an image of that size.");
  context.drawImage(image, 0, 0, size.width, size.height);
  context.lineJoin = "round";
  const unit = Math.max(1, Math.max(size.width, size.height) / 900);
  for (const shape of shapes) drawShape(context, shape, unit);
  if (tags) {
    const height = TAG_HEIGHT * unit;
    const inside = tagTextAt(height);
    context.font = tagFont(unit);
    for (const tag of placeTags(taggedShapes(shapes), size, height, (text) => context.measureText(text).width)) {
      context.fillStyle = tag.shape.color;
      context.fillRect(tag.x, tag.y, tag.width, tag.height);
      context.fillStyle = inkOn(tag.shape.color);
      context.fillText(tag.shape.tag, tag.x + inside.x, tag.y + inside.y);
    }
  }
  const blob = await new Promise((give) => canvas.toBlob(give, "image/png"));
  if (!blob) throw new Error("This browser cannot save an image of that size.");
  return blob;
}

/** The name of a photo without its folder and ending, fit for a file. */
export function stem(name) {
  return name.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "") || "photo";
}

/** Hands a blob to the user as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
