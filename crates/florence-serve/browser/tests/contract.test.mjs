// What the server answers is what `openapi.json` says, the mock's answers included.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { startServer } from "../browser.mjs";
import { scenePng } from "../pictures.mjs";
import { faultsOf } from "../schema.mjs";

const { components } = JSON.parse(await readFile(new URL("../../openapi.json", import.meta.url)));
const resolve = (reference) => components.schemas[reference.split("/").pop()];
const documented = components.schemas.Question.properties.task.anyOf.flatMap((each) => each.enum ?? []);
const INPUTS = { none: {}, text: { text: "a green triangle" }, region: { region: [200, 150, 520, 400] } };

test("every documented task and cascade is offered, and answered in a form that is documented", async () => {
  const server = await startServer();
  try {
    const { tasks, cascades } = await (await fetch(new URL("v1/tasks", server.url))).json();
    const offered = [...tasks, ...cascades];
    assert.deepEqual(documented.filter((name) => !offered.some((each) => each.name === name)), []);
    const asked = offered.filter(({ name }) => documented.includes(name));
    const response = await fetch(new URL("v1/run", server.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        image: scenePng(640, 480).toString("base64"),
        questions: asked.map(({ name, input }) => ({ task: name, ...INPUTS[input] })),
      }),
    });
    const all = await response.json();
    assert.equal(response.status, 200, JSON.stringify(all));
    assert.equal(all.answers.length, asked.length);
    assert.deepEqual(all.answers.flatMap((answer) => faultsOf(answer, components.schemas.Answer, resolve, answer.task)), []);
  } finally {
    await server.close();
  }
});
