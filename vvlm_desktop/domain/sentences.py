"""Texts that people and models write: cleaned, counted in sentences, cut where they are too long."""

from __future__ import annotations

import re
import unicodedata

# Each run of stops is tried once, from its first: a million dots must not take a million times a million steps.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'’”)\]]*+(?=\s)|(?<![。！？])[。！？]++[”」]*+")
_LAST_WORD = re.compile(r"[\w.]+$")
_ABBREVIATIONS = frozenset({"approx", "ca", "cf", "dr", "e.g", "i.e", "mr", "mrs", "ms", "no", "st", "vs"})
_LONGEST_ABBREVIATION = 12
#: They reorder what stands after them on the screen, so that a text can look like another.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """Text on one line, without control characters, that can be written as UTF-8."""
    return " ".join("".join(_clean_character(character) for character in text).split())


def _clean_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in _BIDI_CONTROLS:
        return ""
    return {"Cc": "", "Cs": "\ufffd"}.get(unicodedata.category(character), character)


def split_sentences(text: str) -> list[str]:
    """Sentences of a cleaned text; an abbreviation or a small letter after the stop does not end one."""
    sentences: list[str] = []
    start = 0
    for match in _END.finditer(text):
        following = text[match.end() : match.end() + 2].strip()
        before = text[max(start, match.start() - _LONGEST_ABBREVIATION) : match.start()]
        if not following or _goes_on(match.group(), before=before, following=following):
            continue
        sentences.append(text[start : match.end()].strip())
        start = match.end()
    last = text[start:].strip()
    return [*sentences, last] if last else sentences


def _goes_on(stop: str, *, before: str, following: str) -> bool:
    if stop[0] in "。！？":
        return False
    word = _LAST_WORD.search(before)
    is_abbreviation = stop == "." and word is not None and word.group().casefold() in _ABBREVIATIONS
    return is_abbreviation or following[0].islower()


def cut_text(text: str, *, max_length: int, max_sentences: int | None) -> str:
    """Longest beginning of a cleaned text within both limits, cut after a sentence, else after a word (and "…")."""
    sentences = split_sentences(text)
    if len(text) <= max_length and (max_sentences is None or len(sentences) <= max_sentences):
        return text
    kept = ""
    for sentence in sentences[:max_sentences]:
        end = text.index(sentence, len(kept)) + len(sentence)
        if end > max_length:
            break
        kept = text[:end]
    return kept or _cut_after_word(text, max_length=max_length)


def _cut_after_word(text: str, *, max_length: int) -> str:
    if max_length < 2:
        return text[:max_length]
    head = text[: max_length - 1]
    if not text[max_length - 1].isspace() and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip(" ,;:-–") + "…"
