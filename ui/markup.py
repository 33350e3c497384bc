"""Text from outside, made fit for a page that renders Markdown."""

from __future__ import annotations

import re


def displayed(text: str) -> str:
    """A text that the page may render: no element, image or link can come out of it.

    An answer is partly what documents say, and they may say anything. Nothing is spared for
    standing in code: where code begins and ends is for the page's own parser to say.
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = text.replace("![", "!\\[")
    text = re.sub(r"\](?=\s*[(\[:](?!\d+\]))", "\\]", text)
    # An address alone would become a link, too.
    return re.sub(r"(?i)(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|(?=@)", r"\g<0>\\", text)
