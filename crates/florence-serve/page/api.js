// Client of the server's HTTP API.

import { readEvents } from "./sse.js";

/** An error with a message for users; `code` is the server's, or `unreachable` or `cut_off`. */
export class ApiError extends Error {
  constructor(code, message, { status = 0, retryAfter = null } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Browsers apply the EXIF orientation, so the server has to, too. */
const AS_SHOWN = { exif_orientation: true };

async function send(path, init = {}) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The server cannot be reached. Is it still running?");
  }
}

async function refusal(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const more = { status: response.status, retryAfter: Number.isNaN(seconds) ? null : seconds };
  let body = null;
  try {
    body = (await response.json()).error;
  } catch {
    // Not JSON: a proxy answered, or the body was cut off. The status has to do.
  }
  const message = body?.message || `The server answered ${response.status} ${response.statusText}.`;
  return new ApiError(body?.code ?? "http", message, more);
}

const getJson = async (path) => jsonOf(await send(path), path);

async function jsonOf(response, path) {
  if (!response.ok) throw await refusal(response);
  try {
    return await response.json();
  } catch {
    throw new ApiError("not_json", `The server's answer to ${path} is not JSON.`);
  }
}

/** The model, its limits, tasks and cascades. */
export const fetchTasks = () => getJson("v1/tasks");

/** The samples: `[{name, title, url}]`. */
export const fetchSamples = async () => (await getJson("v1/samples")).samples ?? [];

/** A sample as a file. */
export async function fetchSample({ name, url }) {
  const response = await send(url);
  if (!response.ok) throw await refusal(response);
  const blob = await response.blob();
  const file = url.split("/").pop() || name;
  return new File([blob], file, { type: blob.type });
}

/**
 * Uploads a photo (a blob) for later questions: `{image_id, size, image_notes}`. Throws if the server
 * refuses it.
 */
export async function sendImage(image) {
  const body = new FormData();
  body.append("request", JSON.stringify(AS_SHOWN));
  body.append("image", image, image.name || "photo");
  return jsonOf(await send("v1/images", { method: "POST", body }), "v1/images");
}

/** Whether an event ends the stream for all questions. */
function endsAll({ event, data }) {
  return event === "failed" && !Number.isInteger(data.index);
}

/**
 * Asks questions about a photo, given as `image` (a blob) or as `imageId` of one the server
 * has. Yields `{event, data}` as they arrive: `image`, `answer`, `failed`, and `done` at the end.
 * What fails for all questions throws, and so does a stream that ends without `done`.
 */
export async function* run({ image, imageId, questions, options, signal }) {
  const body = new FormData();
  if (imageId) body.append("image_id", imageId);
  body.append("request", JSON.stringify({ questions, options, ...AS_SHOWN }));
  if (!imageId) body.append("image", image, image.name || "photo");
  const response = await send("v1/run", {
    method: "POST",
    headers: { Accept: "text/event-stream" },
    body,
    signal,
  });
  if (!response.ok) throw await refusal(response);
  try {
    for await (const { event, data } of readEvents(response.body)) {
      const content = JSON.parse(data);
      if (endsAll({ event, data: content })) {
        const { code = "failed", message = "The server could not answer." } = content.error ?? {};
        throw new ApiError(code, message);
      }
      yield { event, data: content };
      if (event === "done") return;
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof ApiError) throw error;
  }
  throw new ApiError("cut_off", "The connection ended before all answers arrived.");
}
