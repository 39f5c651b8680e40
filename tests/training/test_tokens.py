"""The tokenizer: known words are one token, all others still come through."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import CLIPTokenizer

from training.captions import vocabulary
from training.tokens import CONTEXT, build_tokenizer, encode, with_strangers


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer(vocabulary())


def pieces(tokenizer: CLIPTokenizer, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_every_word_of_the_captions_is_one_token_of_its_own(tokenizer: CLIPTokenizer) -> None:
    words = [word for word in vocabulary() if word.isalpha()]
    tokens = [pieces(tokenizer, word) for word in words]
    assert all(len(ids) == 1 for ids in tokens)
    assert len({ids[0] for ids in tokens}) == len(words)
    assert pieces(tokenizer, "Crimson NEBULA") == pieces(tokenizer, "crimson nebula")


@pytest.mark.parametrize("text", ["a coral reef", "zürich", "星雲", "M42, f/2.8!", "<|x|> \x00"])
def test_unknown_words_come_through_in_pieces(tokenizer: CLIPTokenizer, text: str) -> None:
    ids = pieces(tokenizer, text)
    assert ids
    assert tokenizer.unk_token_id not in ids


def test_a_prompt_is_put_between_the_marks_and_filled_up(tokenizer: CLIPTokenizer) -> None:
    short, long = encode(tokenizer, ["blue galaxy", "blue " * 200])
    assert short.shape == long.shape == (CONTEXT,)
    assert short[0] == long[0] == tokenizer.bos_token_id
    assert short.tolist()[3:] == [tokenizer.eos_token_id] * (CONTEXT - 3)
    assert long[-1] == tokenizer.eos_token_id
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


def test_the_saved_folder_gives_the_same_tokens(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    texts = ["deep field, galaxies", "a fox in zürich", ""]
    assert torch.equal(encode(again, texts), encode(tokenizer, texts))
    assert again.model_max_length == CONTEXT


def test_the_order_of_the_words_given_does_not_matter(tokenizer: CLIPTokenizer) -> None:
    other = build_tokenizer(reversed(vocabulary()))
    assert other.get_vocab() == tokenizer.get_vocab()


def test_strange_words_are_put_between_the_others_and_take_none_away() -> None:
    draws = torch.Generator().manual_seed(0)
    texts = [with_strangers("crimson nebula", draws) for _ in range(60)]
    assert 10 < sum(text == "crimson nebula" for text in texts) < 55
    for text in texts:
        words = text.split()
        assert words.index("crimson") < words.index("nebula")
