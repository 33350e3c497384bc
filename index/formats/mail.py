"""E-mail as mail programs save it (EML); attachments are documents of their own."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

from .content import Content, Part, paragraphs
from .web import read_html

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read_eml(content: bytes, name: str) -> Content:
    """A letter: who wrote to whom, when, about what, and the text; the subject is its title."""
    message: Any = email.message_from_bytes(content, policy=email.policy.default)
    lines = [f"{header}: {message[header]}" for header in _HEADERS if message[header]]
    sent = getattr(message["Date"], "datetime", None)
    return Content(
        (paragraphs(["\n".join(lines), _body(message, name)]),),
        title=str(message["Subject"] or ""),
        published=sent.date() if sent else None,
        parts=tuple(
            Part(part.get_filename() or "attachment", part.get_payload(decode=True) or b"")
            for part in message.iter_attachments()
            if not part.is_multipart()
        ),
    )


def _body(message: EmailMessage, name: str) -> str:
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/html":
        return read_html(text.encode(), name).pages[0]
    return text
