// The EXIF orientation of a JPEG: cameras that are held sideways note it there.

const MARKER_APP1 = 0xffe1;
const MARKER_SCAN = 0xffda;
const TAG_ORIENTATION = 0x0112;

function inTiff(view, start, end) {
  if (start + 8 > end) return 1;
  const little = view.getUint16(start) === 0x4949;
  const directory = start + view.getUint32(start + 4, little);
  if (directory + 2 > end) return 1;
  const entries = view.getUint16(directory, little);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12;
    if (at + 12 > end) return 1;
    if (view.getUint16(at, little) !== TAG_ORIENTATION) continue;
    const orientation = view.getUint16(at + 8, little);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/** The orientation, 1 (upright) to 8, that the first bytes of a file tell; 1 where they tell none. */
export function orientationOf(buffer) {
  const view = new DataView(buffer);
  const end = view.byteLength;
  if (end < 4 || view.getUint16(0) !== 0xffd8) return 1;
  for (let at = 2; at + 10 <= end; ) {
    const marker = view.getUint16(at);
    if (marker < 0xff00 || marker === MARKER_SCAN) return 1;
    const length = view.getUint16(at + 2);
    const isExif = marker === MARKER_APP1 && view.getUint32(at + 4) === 0x45786966;
    if (isExif) return inTiff(view, at + 10, Math.min(end, at + 2 + length));
    at += 2 + Math.max(length, 2);
  }
  return 1;
}
