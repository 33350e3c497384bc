"""A suite against the documents it is asked of: every quote stands in its document."""

from __future__ import annotations

import dataclasses

from rag.errors import EvaluationError
from rag.index.index import Index
from rag.text import normalize

from .suite import Suite


def checked_suite(suite: Suite, index: Index) -> Suite:
    """The suite, with the languages of the documents where it does not name them.

    Args:
        suite: The suite.
        index: An index of its documents.

    Raises:
        EvaluationError: There are no cases, or a document that one expects is not there, or has
            no such quote: the case could only ever be graded as wrong.
    """
    if not suite.cases:
        raise EvaluationError(
            f"The suite {suite.name!r} has no cases.",
            "Complete its drafts." if suite.drafts else "Add some.",
        )
    uris: dict[str, list[str]] = {}
    languages: dict[str, str] = {}
    for entry in index.documents():
        uris.setdefault(entry.name, []).append(entry.uri)
        languages.setdefault(entry.name, entry.language)
    texts: dict[str, str] = {}
    for case in suite.cases:
        for expected in case.expected:
            name, quote = expected.document, normalize(expected.quote)
            if not name:
                continue
            if name not in uris:
                raise EvaluationError(
                    f"Case {case.id!r} expects the document {name!r}, which is not there.",
                    "A document is named as its file is, without folders.",
                )
            if quote and name not in texts:
                texts[name] = "\n\n".join(index.document(uri).text for uri in uris[name])
            if quote and quote not in texts[name]:
                raise EvaluationError(
                    f"Case {case.id!r} expects a quote that {name!r} does not hold: {quote[:80]!r}.",
                    "A quote is given word for word.",
                )
    if not suite.language:
        return dataclasses.replace(suite, languages={**languages, **suite.languages})
    return suite
