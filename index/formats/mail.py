"""E-mail as mail programs save it (EML); attachments are documents of their own."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from .content import Content, Part, paragraphs
from .web import read_html

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
# What a text without a name of its own is read as.
_SUFFIXES = {"text/plain": ".txt", "text/html": ".html"}
# A forwarded letter keeps its lines as they came.
_AS_IT_CAME = email.policy.default.clone(refold_source="none")


def read_eml(content: bytes, name: str) -> Content:
    """A letter: who wrote to whom, when, about what, and the text; the subject is its title.

    Everything else that it carries is a part: attachments, letters forwarded in it, and further
    texts, except those that say in another form what the text says.
    """
    message: Any = email.message_from_bytes(content, policy=email.policy.default)
    lines = [f"{header}: {message[header]}" for header in _HEADERS if message[header]]
    sent = getattr(message["Date"], "datetime", None)
    return Content(
        (paragraphs(["\n".join(lines), _body(message, name)]),),
        title=str(message["Subject"] or ""),
        published=sent.date() if sent else None,
        parts=tuple(_parts(message, message.get_body(("plain", "html")))),
    )


def _parts(message: Any, body: Any, *, alternative: bool = False) -> Iterator[Part]:
    """What a letter carries besides its text."""
    kind, named = message.get_content_type(), message.get_filename()
    if message is body:
        return
    if kind == "message/rfc822":
        name = named or "forwarded"
        suffix = "" if name.lower().endswith(".eml") else ".eml"
        (letter,) = message.get_payload()
        yield Part(name + suffix, letter.as_bytes(policy=_AS_IT_CAME))
    elif message.is_multipart():
        for part in message.iter_parts():
            within = alternative or kind == "multipart/alternative"
            yield from _parts(part, body, alternative=within)
    elif named or not (kind in _SUFFIXES and alternative):
        content = message.get_payload(decode=True) or b""
        if named or content.strip():
            yield Part(named or "attachment" + _SUFFIXES.get(kind, ""), content)


def _body(message: EmailMessage, name: str) -> str:
    body: Any = message.get_body(("plain", "html"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/html":
        return read_html(text.encode(), name).pages[0]
    return text
