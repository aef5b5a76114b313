// How shapes and their tags look, on the page and in the PNG alike.

/** How opaque the inside of a shape is, by kind of part. */
export const FILL = { box: 0, quad: 0.1, polygon: 0.34 };

/** Dashes and gaps, in pixels of the page, of the shape of an unsupported phrase. */
export const DOUBTFUL_DASHES = [8, 6];

/** The height of a tag in pixels of the page. */
export const TAG_HEIGHT = 18;

/** The font of tags, enlarged by a factor. */
export const tagFont = (factor = 1) =>
  `500 ${12 * factor}px -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif`;

/** Where a tag's text stands, from the tag's upper left corner. */
export const tagTextAt = (height) => ({ x: (5 * height) / TAG_HEIGHT, y: 0.71 * height });
