// Opens photo files and checks them against the server's limits.

/** Types that every browser shows and the server reads. */
const COMMON = ["image/png", "image/jpeg"];

/**
 * Opens a file: `{file, name, image, width, height, shown, common}`. The picture is decoded off the
 * main thread. `shown` is false for a file that the browser cannot show, `common` is whether it can be
 * taken for granted that the server reads it.
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
    common: shown && COMMON.includes(file.type),
    close: () => URL.revokeObjectURL(url),
  };
}

const KIB = 1024;
const MIB = KIB * KIB;

/** A number of bytes for people, in the units that the server's limits are given in. */
export function bytes(count) {
  if (count < KIB) return `${count} bytes`;
  if (count < MIB) return `${Math.round(count / KIB)} KiB`;
  const digits = count < 10 * MIB && count % MIB !== 0 ? 1 : 0;
  return `${(count / MIB).toFixed(digits)} MiB`;
}

/** Two numbers of bytes, the first the greater, in words that differ. */
function twoSizes(greater, less) {
  const words = [bytes(greater), bytes(less)];
  return words[0] === words[1] ? [`${greater} bytes`, `${less} bytes`] : words;
}

/** Why a photo exceeds the server's limits, or `null` if it does not. */
export function overLimit({ file, name, width, height }, limits) {
  const { max_bytes: maxBytes, max_pixels: maxPixels } = limits ?? {};
  if (maxBytes && file.size > maxBytes) {
    const [has, most] = twoSizes(file.size, maxBytes);
    return `${name} is too large: ${has}, the server accepts at most ${most}.`;
  }
  if (maxPixels && width * height > maxPixels) {
    const mega = (pixels) => (pixels / 1e6).toFixed(1);
    return `${name} is too large: ${mega(width * height)} megapixels, the server accepts at most ${mega(maxPixels)}.`;
  }
  return null;
}
