// Queue of runs of questions about the current photo.

import { run } from "./api.js";

/** The reason that `end` gives for runs that the user cancelled. */
export const CANCELLED = Symbol("cancelled");

/**
 * Keeps the photo's `image_id` and a queue of runs. Callbacks:
 * `start(job)`, `image(data)`, `answer(job, index, data)`, `failed(job, index, error)` and
 * `end(job, reason)`, where the reason is `null`, an error or `CANCELLED`.
 */
export class Session {
  #photo = null;
  #imageId = null;
  #queue = [];
  #current = null;

  constructor(on) {
    this.on = on;
  }

  /** Whether a run is in flight or queued. */
  get busy() {
    return this.#current !== null;
  }

  /** Sets another photo, with its `image_id` if the server has it; cancels runs about the one before. */
  setPhoto(photo, imageId = null) {
    this.cancel();
    this.#photo = photo;
    this.#imageId = imageId;
  }

  /** Queues `job.questions`. */
  ask(job) {
    this.#queue.push(job);
    if (!this.#current) this.#next();
  }

  /** Cancels the run in flight and those queued. */
  cancel() {
    const waiting = this.#queue.splice(0);
    this.#current?.abort.abort();
    for (const job of waiting) this.on.end(job, CANCELLED);
  }

  async #next() {
    const job = this.#queue.shift();
    if (!job) return;
    const abort = new AbortController();
    this.#current = { job, abort };
    this.on.start(job);
    let reason = null;
    try {
      await this.#runOnce(job, abort.signal);
    } catch (error) {
      reason = abort.signal.aborted ? CANCELLED : error;
    }
    this.#current = null;
    this.on.end(job, reason);
    this.#next();
  }

  async #runOnce(job, signal) {
    const photo = this.#photo;
    const imageId = this.#imageId;
    try {
      await this.#listen(job, photo, imageId, signal);
    } catch (error) {
      if (error.code !== "unknown_image" || !imageId) throw error;
      if (this.#photo === photo) this.#imageId = null;
      await this.#listen(job, photo, null, signal);
    }
  }

  async #listen(job, photo, imageId, signal) {
    const { questions, options } = job;
    for await (const { event, data } of run({ image: photo.file, imageId, questions, options, signal })) {
      signal.throwIfAborted();
      if (event === "image") {
        this.#imageId = data.image_id ?? null;
        this.on.image(data);
      }
      if (event === "answer") this.on.answer(job, data.index, data);
      if (event === "failed") this.on.failed(job, data.index, data.error);
    }
  }
}
