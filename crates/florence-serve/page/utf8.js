// UTF-8 byte offsets (as the server counts) to indices of JavaScript strings.

function bytesOf(character) {
  const point = character.codePointAt(0);
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

/** The index in a string of what begins at a byte of its UTF-8 form; `null` if nothing begins there. */
export function indexOfByte(text, byte) {
  let bytes = 0;
  let index = 0;
  for (const character of text) {
    if (bytes >= byte) break;
    bytes += bytesOf(character);
    index += character.length;
  }
  return bytes === byte ? index : null;
}
