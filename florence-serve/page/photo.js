// Photos as files become pictures on the page.

/**
 * Opens a file: `{file, name, image, width, height, shown}`. The picture is decoded off the main
 * thread. `shown` is false for a file that the browser cannot show; the server may read it yet.
 */
export async function openPhoto(file) {
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
    name: file.name || "photo",
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
