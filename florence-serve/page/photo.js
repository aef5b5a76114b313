// Photos as files become pictures on the page.

import { orientationOf } from "./orientation.js";

const HEAD_BYTES = 256 * 1024;
const UPRIGHT_QUALITY = 0.95;

async function asJpeg(bitmap) {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(bitmap, 0, 0);
  return new Promise((give) => canvas.toBlob(give, "image/jpeg", UPRIGHT_QUALITY));
}

/**
 * The file with its pixels upright. Servers read pixels as they lie in the file and browsers turn
 * them by their EXIF orientation; turning them before both see them keeps the two in agreement.
 */
async function turnUpright(file) {
  try {
    if (orientationOf(await file.slice(0, HEAD_BYTES).arrayBuffer()) === 1) return file;
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const blob = await asJpeg(bitmap);
    bitmap.close();
    return blob ? new File([blob], file.name, { type: blob.type }) : file;
  } catch {
    return file;
  }
}

/**
 * Opens a file: `{file, name, image, width, height, shown}`. The picture is decoded off the main
 * thread. `shown` is false for a file that the browser cannot show; the server may read it yet.
 */
export async function openPhoto(chosen) {
  const file = await turnUpright(chosen);
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.alt = "";
  image.decoding = "async";
  image.draggable = false;
  image.src = url;
  let shown = true;
  try {
    await image.decode();
  } catch {
    shown = false;
  }
  shown &&= image.naturalWidth > 0 && image.naturalHeight > 0;
  return {
    file,
    name: chosen.name || "photo",
    image,
    width: shown ? image.naturalWidth : 0,
    height: shown ? image.naturalHeight : 0,
    shown,
    close: () => URL.revokeObjectURL(url),
  };
}

/** A number of bytes for people. */
export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`;
  return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
}

/** Why a photo exceeds the server's limits, or `null` if it does not. */
export function overLimit({ file, name, width, height }, limits) {
  const { max_bytes: maxBytes, max_pixels: maxPixels } = limits ?? {};
  if (maxBytes && file.size > maxBytes) {
    return `${name} has ${bytes(file.size)}. The server takes at most ${bytes(maxBytes)}.`;
  }
  if (maxPixels && width * height > maxPixels) {
    const mega = (pixels) => (pixels / 1e6).toFixed(1);
    return `${name} has ${mega(width * height)} megapixels. The server takes at most ${mega(maxPixels)}.`;
  }
  return null;
}
