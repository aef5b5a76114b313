// Pictures for the tests, made from nothing.

import { deflateSync } from "node:zlib";

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc(body), body.length + 4);
  return framed;
}

function png(width, height, colorType, rows) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colorType, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const SHAPES = [
  { color: [52, 214, 230], inside: (x, y) => Math.abs(x - 0.242) / 0.132 + Math.abs(y - 0.512) / 0.199 <= 1 },
  { color: [44, 138, 46], inside: (x, y) => y >= 0.371 && y <= 0.756 && Math.abs(x - 0.59) <= ((y - 0.371) / 0.385) * 0.18 },
  { color: [27, 23, 20], inside: (x, y) => Math.hypot((x - 0.879) / 0.072, (y - 0.843) / 0.081) <= 1 },
];

/** A PNG of a cyan diamond, a green triangle and a black disc, in the proportions of the sample. */
export function scenePng(width, height) {
  const stride = width * 3 + 1;
  const rows = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / width;
      const y = (row + 0.5) / height;
      const { color } = SHAPES.find(({ inside }) => inside(x, y)) ?? { color: [252, 240, 196] };
      rows.set(color, row * stride + 1 + column * 3);
    }
  }
  return png(width, height, 2, rows);
}

/** A gray PNG. */
export const grayPng = (width, height) => png(width, height, 0, Buffer.alloc((width + 1) * height, 0));

/** The size that a PNG tells. */
export const pngSize = (bytes) => ({ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) });

/** A JPEG with an EXIF orientation written into it. */
export function withOrientation(jpeg, orientation) {
  const exif = Buffer.from(
    "ffe100224578696600004d4d002a00000008000101120003000000010000000000000000",
    "hex",
  );
  exif.writeUInt16BE(orientation, 28);
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}
