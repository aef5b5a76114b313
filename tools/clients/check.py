"""Published clients of OpenAI's and Ollama's API against a running server.

    python3 check.py URL [PHOTO…]
"""

import asyncio
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
from importlib.metadata import version

import ollama
import openai
from langchain_core.messages import HumanMessage
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

SAMPLES = pathlib.Path(__file__).parent / "../../crates/florence-serve/samples"
SENTENCE = "Describe this image."


class Server:
    """The server by its own API: what the clients' answers have to be."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        with urllib.request.urlopen(f"{self.url}/v1/tasks") as response:
            self.model = json.load(response)["model"]["name"]

    def value(self, photo, task, **question):
        # As the other APIs, which have no option for it.
        body = {"image": encoded(photo), "questions": [{"task": task, **question}], "exif_orientation": True}
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1/run", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return json.load(response)["answers"][0]["value"]

    def text(self, photo, task):
        return self.value(photo, task)["value"]["text"]


def encoded(photo):
    return base64.b64encode(photo.read_bytes()).decode()


def data_url(photo):
    return f"data:image/png;base64,{encoded(photo)}"


def parts(photo, text):
    """A message of OpenAI's form."""
    return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": data_url(photo)}}]


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}")


def check_openai(server, photo):
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    assert server.model in [model.id for model in client.models.list()]
    assert client.models.retrieve(server.model).object == "model"

    def ask(text, model=server.model, **options):
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts(photo, text)}]
        return client.chat.completions.create(model=model, messages=messages, **options)

    answer = ask(SENTENCE, temperature=0.2, max_tokens=4096, seed=1)
    assert answer.choices[0].message.content == server.text(photo, "more_detailed_caption")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert ask(SENTENCE, f"{server.model}:ocr").choices[0].message.content == server.text(photo, "ocr")
    for task in ["od", "caption_and_ground"]:
        assert json.loads(ask(task).choices[0].message.content) == server.value(photo, task)
    grounded = json.loads(ask("<CAPTION_TO_PHRASE_GROUNDING> a circle").choices[0].message.content)
    assert grounded == server.value(photo, "phrase_grounding", text="a circle")
    as_json = ask("caption", response_format={"type": "json_object"}).choices[0].message.content
    assert json.loads(as_json) == server.value(photo, "caption")

    chunks = list(ask("od", stream=True, stream_options={"include_usage": True}))
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert json.loads(streamed) == server.value(photo, "od")
    assert chunks[-1].usage.completion_tokens > 0 and chunks[-1].choices == []
    assert [c.choices[0].finish_reason for c in chunks[:-1]] == [None, None, "stop"]

    error = refused(openai.NotFoundError, lambda: ask("od", "no-such-model"))
    assert (error.code, error.param) == ("model_not_found", "model"), error
    error = refused(openai.BadRequestError, lambda: ask("od", n=2))
    assert (error.code, error.param, error.type) == ("bad_request", "n", "invalid_request_error"), error
    error = refused(openai.BadRequestError, lambda: ask("<CAPTON>"))
    assert "did you mean <CAPTION>?" in error.message, error
    # Fails after the stream has begun.
    error = refused(openai.APIError, lambda: list(ask("region_to_ocr: 0,0,99999,1", stream=True)))
    assert "99999" in error.message, error

    async def at_once():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            ask = lambda text: client.chat.completions.create(
                model=server.model, messages=[{"role": "user", "content": parts(photo, text)}]
            )
            return await asyncio.gather(*map(ask, ["caption", "ocr"]))

    answers = [answer.choices[0].message.content for answer in asyncio.run(at_once())]
    assert answers == [server.text(photo, "caption"), server.text(photo, "ocr")]


def check_ollama(server, photo):
    client = ollama.Client(host=server.url)
    names = [model.model for model in client.list().models]
    assert f"{server.model}:latest" in names and f"{server.model}:ocr" in names, names
    shown = client.show(server.model)
    assert "vision" in shown.capabilities and shown.details.family == "florence2"

    described = server.text(photo, "more_detailed_caption")
    for image in [str(photo), photo.read_bytes(), encoded(photo)]:
        answer = client.generate(server.model, SENTENCE, images=[image], options={"temperature": 0})
        assert answer.response == described, answer
    assert answer.done and answer.done_reason == "stop"
    assert answer.total_duration > answer.eval_duration > 0 and answer.eval_count > 0
    message = {"role": "user", "content": "od", "images": [str(photo)]}
    boxes = server.value(photo, "od")
    answer = client.chat(f"{server.model}:latest", [{"role": "system", "content": "Be brief."}, message])
    assert json.loads(answer.message.content) == boxes
    as_json = client.generate(server.model, "caption", images=[str(photo)], format="json").response
    assert json.loads(as_json) == server.value(photo, "caption")

    lines = list(client.chat(server.model, [message], stream=True))
    assert json.loads("".join(line.message.content for line in lines)) == boxes
    assert [line.done for line in lines] == [False, True] and lines[-1].eval_count > 0
    lines = list(client.generate(f"{server.model}:ocr", SENTENCE, images=[str(photo)], stream=True))
    assert "".join(line.response for line in lines) == server.text(photo, "ocr")
    assert client.generate(server.model).done_reason == "load"

    error = refused(ollama.ResponseError, lambda: client.generate("no-such-model", "od"))
    assert error.status_code == 404 and '"no-such-model" is not served' in error.error, error
    error = refused(ollama.ResponseError, lambda: client.generate(server.model, "<CAPTON>", images=[str(photo)]))
    assert error.status_code == 400 and "did you mean <CAPTION>?" in error.error, error
    outside = {**message, "content": "region_to_ocr: 0,0,99999,1"}
    error = refused(ollama.ResponseError, lambda: list(client.chat(server.model, [outside], stream=True)))
    assert "99999" in error.error, error

    answer = asyncio.run(ollama.AsyncClient(host=server.url).chat(server.model, [message]))
    assert json.loads(answer.message.content) == boxes


def llm(home, url, *arguments):
    """The command `llm`, with settings of its own."""
    command = [pathlib.Path(sys.executable).with_name("llm"), *arguments]
    env = {**os.environ, "LLM_USER_PATH": str(home), "OLLAMA_HOST": url}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def check_llm(server, photo):
    with tempfile.TemporaryDirectory() as home:
        model = {"model_id": "photos", "model_name": server.model, "api_base": f"{server.url}/v1", "vision": True}
        # JSON is YAML.
        pathlib.Path(home, "extra-openai-models.yaml").write_text(json.dumps([model]))
        ask = lambda *arguments: llm(home, server.url, *arguments, "-a", str(photo))
        described = server.text(photo, "more_detailed_caption").strip()
        assert ask("-m", "photos", SENTENCE) == described
        assert ask("-m", "photos", "--no-stream", "-s", "Be brief.", SENTENCE) == described
        assert json.loads(ask("-m", "photos", "od")) == server.value(photo, "od")


def check_llm_ollama(server, photo):
    with tempfile.TemporaryDirectory() as home:
        ask = lambda *arguments: llm(home, server.url, *arguments, "-a", str(photo))
        assert f"ollama/{server.model}" in llm(home, server.url, "models")
        described = server.text(photo, "more_detailed_caption").strip()
        assert ask("-m", f"ollama/{server.model}", SENTENCE) == described
        assert ask("-m", f"ollama/{server.model}:ocr", "--no-stream", SENTENCE) == server.text(photo, "ocr").strip()
        # A second question of the same conversation is about the same photo.
        follow_up = llm(home, server.url, "-c", "-m", f"ollama/{server.model}", "od")
        assert json.loads(follow_up) == server.value(photo, "od")


def check_langchain_openai(server, photo):
    chat = ChatOpenAI(base_url=f"{server.url}/v1", api_key="none", model=server.model, temperature=0)
    message = HumanMessage(parts(photo, SENTENCE))
    described = server.text(photo, "more_detailed_caption")
    answer = chat.invoke([message])
    assert answer.content == described and answer.usage_metadata["output_tokens"] > 0
    assert "".join(chunk.content for chunk in chat.stream([message])) == described


def check_langchain_ollama(server, photo):
    chat = ChatOllama(base_url=server.url, model=f"{server.model}:od", validate_model_on_init=True)
    message = HumanMessage(parts(photo, "What is where?"))
    answer = chat.invoke([message])
    assert json.loads(answer.content) == server.value(photo, "od")
    assert answer.response_metadata["done_reason"] == "stop"


CHECKS = [
    ("openai", check_openai),
    ("llm", check_llm),
    ("langchain-openai", check_langchain_openai),
    ("ollama", check_ollama),
    ("llm-ollama", check_llm_ollama),
    ("langchain-ollama", check_langchain_ollama),
]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    server = Server(sys.argv[1])
    photos = [pathlib.Path(name) for name in sys.argv[2:]] or sorted(SAMPLES.glob("*.png"))
    for package, check in CHECKS:
        for photo in photos:
            check(server, photo)
        print(f"{package} {version(package)}: {len(photos)} photos, ok")


if __name__ == "__main__":
    main()
