"""From what was written and checked to an ``Answer``: whole, without what is not borne out, or none."""

from __future__ import annotations

import dataclasses

from rag.llm.backend import Request

from .messages import said
from .not_knowing import says_it_does_not_know
from .types import Answer, Cited, Sentence, Support
from .writing import DECORATION, Draft

# What a strict answer leaves out.
_NOT_BORNE_OUT = (Support.UNSUPPORTED, Support.CONTRADICTED)


def answered(
    question: str,
    request: Request,
    searched: tuple[str, ...],
    draft: Draft,
    cited: Cited,
    *,
    strict: bool = False,
) -> Answer:
    """The answer that a backend has written, or that there is none.

    Args:
        question: What was asked.
        request: What the backend was asked.
        searched: The questions that passages were sought with.
        draft: What is known of how it was written.
        cited: Its text, checked.
        strict: Whether sentences are left out that the documents do not bear out.
    """
    left_out: tuple[Sentence, ...] = ()
    if strict:
        cited, left_out = borne_out(cited)
    abstained = not cited.text.strip(DECORATION) or says_it_does_not_know(
        cited.text, request.language
    )
    attempts = list(draft.attempts)
    if abstained and draft.backend:
        attempts[-1] = dataclasses.replace(attempts[-1], outcome="abstained")
    citations = [citation for sentence in cited.sentences for citation in sentence.citations]
    return Answer(
        question=question,
        text=said("no_answer", request.language) if abstained else cited.text.strip(),
        language=request.language,
        backend=draft.backend,
        sentences=() if abstained else cited.sentences,
        citations=() if abstained else tuple(dict.fromkeys(citations)),
        hits=request.hits,
        abstained=abstained,
        attempts=tuple(attempts),
        usage=draft.usage,
        searched=searched,
        reasoning=draft.reasoning,
        removed_markers=cited.removed_markers,
        left_out=left_out,
        intent=request.intent,
    )


def borne_out(cited: Cited) -> tuple[Cited, tuple[Sentence, ...]]:
    """A text without the sentences that its documents do not bear out, and those sentences."""
    kept: list[Sentence] = []
    pieces: list[str] = []
    length = end = 0
    for sentence in cited.sentences:
        gap = cited.text[end : sentence.start] if kept else ""
        end = sentence.end
        if sentence.support in _NOT_BORNE_OUT:
            continue
        length += len(gap)
        kept.append(dataclasses.replace(sentence, start=length, end=length + len(sentence.text)))
        pieces += [gap, sentence.text]
        length += len(sentence.text)
    left_out = tuple(one for one in cited.sentences if one.support in _NOT_BORNE_OUT)
    return dataclasses.replace(cited, text="".join(pieces), sentences=tuple(kept)), left_out
