"""The small byte-level BPE of florence-nano, in the layout of BART's tokenizer.

Caption words are entries of their own (`ignore_merges`, no merges at all), anything else is spelled in characters.
The 1,024 tokens of Florence-2 follow the base vocabulary in the reference's order, then the native `<image>`.

    python tokenizer.py FOLDER     # writes tokenizer.json, tokenizer_config.json, added_tokens.json
"""

import json
import os
import re
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from world import BACKGROUNDS, COLORS, KINDS, SHAPES

BOS, PAD, EOS, UNK = 0, 1, 2, 3

PROMPTS = {
    "<CAPTION>": "What does the image describe?",
    "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
    "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
    "<OCR>": "What is the text in the image?",
    "<OCR_WITH_REGION>": "What is the text in the image, with regions?",
    "<OD>": "Locate the objects with category name in the image.",
    "<DENSE_REGION_CAPTION>": "Locate the objects in the image, with their descriptions.",
    "<REGION_PROPOSAL>": "Locate the region proposals in the image.",
    "<CAPTION_TO_PHRASE_GROUNDING>": "Locate the phrases in the caption: {input}",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "Locate {input} in the image with mask",
    "<REGION_TO_SEGMENTATION>": "What is the polygon mask of region {input}",
    "<OPEN_VOCABULARY_DETECTION>": "Locate {input} in the image.",
    "<REGION_TO_CATEGORY>": "What is the region {input}?",
    "<REGION_TO_DESCRIPTION>": "What does the region {input} describe?",
    "<REGION_TO_OCR>": "What text is in the region {input}?",
}

FLORENCE_TOKENS = (
    ["<od>", "</od>", "<ocr>", "</ocr>"]
    + [f"<loc_{i}>" for i in range(1000)]
    + ["<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>"]
    + ["<sep>", "<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>"]
    + ["<proposal>", "</proposal>", "<poly>", "</poly>", "<and>"]
)

WORD = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+")
SPECIAL = re.compile(r"(<[^<> ]+>)")

ANSWER_WORDS = (
    "a an and background center circle four from image in is large largest left leftmost line lower middle no of on one "
    "place places right rightmost shape shapes shows small smallest some text the there three to topmost two upper with"
).split()
SENTENCE_STARTS = ["The", "There", "From"]


def _byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for byte in range(256):
        if byte in printable:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(256 + extra)
            extra += 1
    return [table[b] for b in range(256)]


def base_vocabulary():
    """The 4 special tokens, 256 bytes, whole words with and without a leading space, `<mask>`."""
    words = []
    for sentence in PROMPTS.values():
        words += [w for w in WORD.findall(sentence.replace("{input}", ""))]
    for word in [*COLORS, *BACKGROUNDS, *KINDS, *SHAPES, *ANSWER_WORDS]:
        words += [word, " " + word]
    words += SENTENCE_STARTS + [" " + w for w in SENTENCE_STARTS]
    entries = {word.replace(" ", "Ġ") for word in words}
    alphabet = _byte_alphabet()
    entries -= set(alphabet)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *alphabet, *sorted(entries), "<mask>"]
    return {token: i for i, token in enumerate(tokens)}


VOCABULARY = base_vocabulary()
ADDED = {token: len(VOCABULARY) + i for i, token in enumerate(FLORENCE_TOKENS + ["<image>"])}
LOC0 = ADDED["<loc_0>"]
IMAGE = ADDED["<image>"]
TABLE_ROWS = -(-(IMAGE + 1) // 16) * 16
SPACE = VOCABULARY["Ġ"]
_ALL = {**VOCABULARY, **ADDED}


def encode(text):
    """Ids of ASCII text, the same as the tokenizer file gives without the surrounding `<s>` and `</s>`."""
    ids = []
    for part in SPECIAL.split(text):
        if part in ADDED:
            ids.append(ADDED[part])
            continue
        for word in WORD.findall(part):
            word = word.replace(" ", "Ġ")
            if word in VOCABULARY:
                ids.append(VOCABULARY[word])
            else:
                ids += [VOCABULARY[c] for c in word]
    return ids


def is_word_token(word):
    """True for printed words that would not be spelled out."""
    return len(word) > 1 and (word in VOCABULARY or "Ġ" + word in VOCABULARY)


def build():
    """The `tokenizers` object that is written to tokenizer.json."""
    tokenizer = Tokenizer(models.BPE(vocab=VOCABULARY, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", EOS), ("<s>", BOS), trim_offsets=True, add_prefix_space=False
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False, special=True) for token in FLORENCE_TOKENS + ["<image>"]]
    )
    return tokenizer


def write(folder):
    os.makedirs(folder, exist_ok=True)
    build().save(os.path.join(folder, "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_prefix_space": False,
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
        "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>",
        "image_token": "<image>",
        "extra_special_tokens": {"image_token": "<image>"},
        "clean_up_tokenization_spaces": False,
        "model_max_length": 256,
        "processor_class": "Florence2Processor",
    }
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump(config, file, indent=2)
    with open(os.path.join(folder, "added_tokens.json"), "w") as file:
        json.dump(ADDED, file, indent=0, sort_keys=True)


if __name__ == "__main__":
    write(sys.argv[1])
