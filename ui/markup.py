"""Text from outside, made fit for a page that renders Markdown."""

from __future__ import annotations

import re

# What changes the direction of a text, and letters that nobody sees.
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")


def displayed(text: str) -> str:
    """A text that the page may render: no element, image or link can come out of it.

    An answer is partly what documents say, and they may say anything. Nothing is spared for
    standing in code: where code begins and ends is for the page's own parser to say.
    """
    text = _HIDDEN.sub("", text)
    # A backslash stays one: before a bracket it would undo what is done to the bracket below.
    text = re.sub(r"\\(?=[!-/:-@\[-`{-~])", r"\\\\", text)
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)  # "[&#49;]" would become a marker
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = text.replace("![", "!\\[")
    text = re.sub(r"\](?=\s*[(\[:](?!\d+\]))", "\\]", text)
    # An address alone would become a link, too.
    return re.sub(r"(?i)(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|(?=@)", r"\g<0>\\", text)
