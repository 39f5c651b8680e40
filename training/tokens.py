"""A CLIP tokenizer whose words are ours: one token for each known word, bytes for all others.

A vocabulary of words lets a small text encoder learn from few pictures; the bytes keep every
prompt readable. Byte-pair merges are learnt on the words themselves, until each one is one token.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor
from transformers import CLIPTokenizer

CONTEXT = 77
"""Tokens of a prompt, the two marks included; as in every CLIP."""
_START, _END = "<|startoftext|>", "<|endoftext|>"
_END_OF_WORD = "</w>"
_WORD = re.compile("[a-z]+")

Pair = tuple[str, str]


def build_tokenizer(words: Iterable[str]) -> CLIPTokenizer:
    """The tokenizer for these words; the same for the same words in any order.

    ``words`` may hold several words each. Unknown words come out in pieces, down to bytes.
    """
    known = sorted({word for text in words for word in _WORD.findall(text.casefold())})
    merges = _learn(known)
    alphabet = _bytes()
    tokens = [
        *alphabet,
        *(sign + _END_OF_WORD for sign in alphabet),
        *(first + second for first, second in merges),
        _START,
        _END,
    ]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(dict.fromkeys(tokens))},
        merges=cast("Any", merges),  # pairs, which its annotation leaves out
        unk_token=_END,
        bos_token=_START,
        eos_token=_END,
        pad_token=_END,
        model_max_length=CONTEXT,
    )


def encode(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> Tensor:
    """(N, 77) int64: start, tokens, end, padding; what is longer is cut."""
    ids = tokenizer(list(texts), padding="max_length", max_length=CONTEXT, truncation=True)[
        "input_ids"
    ]
    return torch.tensor(ids, dtype=torch.int64)


def _bytes() -> list[str]:
    """A printable sign for every byte: the byte-level alphabet of GPT-2 and CLIP."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in plain] + [chr(256 + n) for n in range(256 - len(plain))]


def _learn(words: Sequence[str]) -> list[Pair]:
    """Byte-pair merges, most frequent pair first, until every word is a single token.

    Applied in this order they take every word to itself again, since it was merged by them.
    """
    pieces = [[*word[:-1], word[-1] + _END_OF_WORD] for word in words if word]
    merges: list[Pair] = []
    while True:
        counts = Counter(pair for word in pieces for pair in pairwise(word))
        if not counts:
            return merges
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        pieces = [_merged(word, best) for word in pieces]


def _merged(pieces: Sequence[str], pair: Pair) -> list[str]:
    """A word's pieces with every ``pair`` of neighbours put together, from the left."""
    result: list[str] = []
    for piece in pieces:
        if result and (result[-1], piece) == pair:
            result[-1] += piece
        else:
            result.append(piece)
    return result


_COMMON = (
    "a",
    "the",
    "in the",
    "with",
    "far away",
    "a painting of",
    "oil painting",
    "a photo of",
    "picture",
    "highly detailed",
    "beautiful",
    "infinite zoom out",
    "art style",
    "wide view",
)
"""What prompts are full of, and says nothing about these pictures."""
_STRANGE = 0.35
"""How often a caption gets strange words."""


def with_strangers(text: str, draws: torch.Generator) -> str:
    """The caption, sometimes with one to three words in it that mean nothing.

    So the text encoder learns to pass over what it does not know: common words, and letters in
    any order, which come out as bytes and would else be noise of its initial weights.
    """
    chance, more = torch.rand(2, generator=draws).tolist()
    if chance > _STRANGE:
        return text
    words = text.split(" ")
    for _ in range(1 + int(more * 3)):
        place, kind = torch.rand(2, generator=draws).tolist()
        common = int(torch.randint(len(_COMMON), (1,), generator=draws))
        letters = torch.randint(26, (2 + int(kind * 12) % 8,), generator=draws).tolist()
        strange = "".join(chr(ord("a") + letter) for letter in letters)
        words.insert(int(place * (len(words) + 1)), _COMMON[common] if kind < 0.5 else strange)
    return " ".join(words)
