// The list of answers.

import { Card, aboutOf } from "./card.js";
import { el } from "./dom.js";

const FEW = 3;

const keyOf = ({ task, prompt, answer, text, region }) =>
  JSON.stringify([task ?? null, prompt ?? null, answer ?? null, text ?? null, region ?? null]);

/** Batches of cards, the newest first. `on` is what cards tell; see `Card`. */
export class Answers {
  #root;
  #on;
  #batches = [];

  constructor(root, on) {
    this.#root = root;
    this.#on = on;
  }

  /** Every card, in the order of the list. */
  get cards() {
    return this.#batches.flatMap((batch) => batch.cards);
  }

  /** The shapes to draw: those of the cards shown, and any that is lit. */
  shapes(lit = new Set()) {
    return this.cards.flatMap((card) =>
      card.shapes.filter((shape) => card.visible || lit.has(shape.id)),
    );
  }

  /** Forgets everything. */
  clear() {
    this.#batches = [];
    this.#root.replaceChildren();
  }

  /**
   * Adds cards for questions, in place of earlier ones that asked the same. A place or phrase that
   * all of them share becomes their heading.
   */
  add(questions, titleOf) {
    const keys = new Set(questions.map(keyOf));
    this.#remove((card) => keys.has(keyOf(card.question)));
    const { region, text } = questions[0];
    const shared = questions.every((q) => JSON.stringify(q.region) === JSON.stringify(region) && q.text === text);
    const title = shared ? `${region ? "Region " : ""}${aboutOf({ region, text })}` : "";
    const cards = questions.map((question) => new Card(question, question.prompt ?? titleOf(question.task), this.#on));
    const element = el(
      "section",
      { class: title ? "batch named" : "batch" },
      title ? el("h3", { class: "batch-heading" }, title) : null,
      ...cards.map((card) => card.element),
    );
    this.#batches.unshift({ cards, element });
    this.#root.prepend(element);
    return cards;
  }

  /** With many answers only the first that has shapes is drawn; the rest waits to be asked for. */
  decideVisible(card) {
    const batch = this.#batches.find(({ cards }) => cards.includes(card));
    if (!batch || batch.cards.length <= FEW || card.question.region || card.question.text) return;
    const drawn = batch.cards.some((other) => other !== card && other.visible && other.shapes.length > 0);
    if (drawn) card.show(false);
  }

  /** Marks the rows of these shapes in every card. */
  light(ids, reveal) {
    for (const card of this.cards) card.light(ids, reveal);
  }

  /** Shows in every card which rows are pinned. */
  pin(ids) {
    for (const card of this.cards) card.pin(ids);
  }

  #remove(isOld) {
    for (const batch of this.#batches) {
      for (const card of batch.cards.filter(isOld)) card.element.remove();
      batch.cards = batch.cards.filter((card) => !isOld(card));
      if (batch.cards.length === 0) batch.element.remove();
    }
    this.#batches = this.#batches.filter((batch) => batch.cards.length > 0);
  }
}
