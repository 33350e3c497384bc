"""What is said beneath an answer: who wrote it, what was checked, what it cost, who failed."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import collapse
from rag.types import Answer, Attempt, Support, Usage

from .formats import count, money, seconds
from .markup import displayed
from .strings import Strings, fault_text


def facts(answer: Answer, spent: Usage, texts: Strings) -> str:
    """One line: who answered, how many sentences are supported, how long it took, what it cost.

    Args:
        answer: The answer.
        spent: What the whole conversation has used, this answer included.
        texts: The window's texts.
    """
    told = [displayed(answer.backend)]
    if answer.sentences:
        good = sum(one.support is Support.SUPPORTED for one in answer.sentences)
        told.append(texts["checked"].format(good=good, total=len(answer.sentences)))
    if answer.removed_markers:
        told.append(texts["removed_markers"].format(count=answer.removed_markers))
    if corrected := sum(one.corrected and bool(one.written) for one in answer.sentences):
        told.append(texts["corrected"].format(count=corrected))
    if answer.attempts:
        told.append(seconds(sum(one.seconds for one in answer.attempts), texts))
    if used := usage_text(answer.usage, texts):
        whole = texts["so_far"].format(usage=usage_text(spent, texts, separator=", "))
        told.append(f"{used} ({whole})" if spent != answer.usage else used)
    return " · ".join(filter(None, told))


def usage_text(usage: Usage, texts: Strings, separator: str = " · ") -> str:
    """Tokens read and written, and dollars; only what is known, empty where nothing is."""
    read, written = (
        None if number is None else count(number, texts)
        for number in (usage.input_tokens, usage.output_tokens)
    )
    told = []
    if read is not None and written is not None:
        told.append(texts["tokens"].format(input=read, output=written))
    elif read is not None:
        told.append(texts["tokens_read"].format(input=read))
    elif written is not None:
        told.append(texts["tokens_written"].format(output=written))
    if usage.cost is not None:
        told.append(money(usage.cost, texts))
    return separator.join(told)


def attempts(made: Sequence[Attempt], texts: Strings) -> str:
    """A list of all that was asked for an answer, as Markdown; empty where nothing went wrong."""
    if not any(attempt.outcome in ("failed", "skipped") for attempt in made):
        return ""
    return "\n".join(f"1. {_attempt(attempt, texts)}" for attempt in made)


def _attempt(attempt: Attempt, texts: Strings) -> str:
    what = texts[f"outcome_{attempt.outcome}"]
    why = fault_text(attempt.fault, texts)
    told = [f"{what}: {why}" if why else what]
    if attempt.outcome != "skipped":
        told.append(seconds(attempt.seconds, texts))
    if attempt.passages:
        told.append(texts["attempt_passages"].format(count=count(attempt.passages, texts)))
    told += filter(None, [usage_text(attempt.usage, texts)])
    line = f"**{displayed(attempt.backend)}** — {' · '.join(told)}"
    # What the server or the client said, for whoever is to mend it.
    reason = displayed(collapse(attempt.reason))
    return f"{line}  \n   {reason}" if reason else line
