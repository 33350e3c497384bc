"""The tables of a catalog, and what brings the tables of an older version to them."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

LAYOUT = 4

# Eight kibibytes hold the windows of three passages, 384 numbers of eight bits each, or five
# single vectors of 32 bits, with little waste; four would hold one, or two.
PAGE_BYTES = 8192

META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"

# Texts have a table of their own, so that a listing does not read them. The passages of a
# document are written together: their ids are ``first_passage`` and those that follow it.
_SECOND = (
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uri TEXT NOT NULL UNIQUE,
        file TEXT NOT NULL,
        title TEXT NOT NULL,
        language TEXT NOT NULL,
        published TEXT,
        pages TEXT NOT NULL,
        hash BLOB NOT NULL,
        characters INTEGER NOT NULL,
        first_passage INTEGER NOT NULL,
        passages INTEGER NOT NULL
    )""",
    "CREATE INDEX documents_by_file ON documents (file)",
    """CREATE TABLE texts (
        document_id INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
        text TEXT NOT NULL
    )""",
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        "start" INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        content BLOB NOT NULL
    )""",
    'CREATE INDEX passages_by_document ON passages (document_id, "start")',
    "CREATE INDEX passages_by_content ON passages (content)",
    """CREATE TABLE vectors (
        id INTEGER PRIMARY KEY,
        content BLOB NOT NULL UNIQUE,
        vector BLOB NOT NULL
    )""",
)

# What the last reading of each file came to, also of those that gave no document: ``readers``
# says what it was read with, ``trouble`` what failed or was left out, as JSON.
_FILES = """CREATE TABLE files (
        uri TEXT PRIMARY KEY,
        hash BLOB NOT NULL,
        readers TEXT NOT NULL,
        trouble TEXT NOT NULL
    )"""

TABLES = (*_SECOND, _FILES)

# In the first layout a document's text lay beside it, and each vector in two half-empty pages.
_FROM_FIRST = (
    "DROP INDEX passages_by_document",
    "DROP INDEX passages_by_content",
    "ALTER TABLE documents RENAME TO documents_1",
    "ALTER TABLE passages RENAME TO passages_1",
    "ALTER TABLE vectors RENAME TO vectors_1",
    *_SECOND,
    """INSERT INTO documents
        SELECT id, uri, uri, title, language, published, pages, hash, length(text),
            coalesce((SELECT min(id) FROM passages_1 WHERE document_id = documents_1.id), 0),
            (SELECT count(*) FROM passages_1 WHERE document_id = documents_1.id)
        FROM documents_1""",
    "INSERT INTO texts SELECT id, text FROM documents_1",
    "INSERT INTO passages SELECT * FROM passages_1",
    "INSERT INTO vectors (content, vector) SELECT content, vector FROM vectors_1",
    "DROP TABLE passages_1",
    "DROP TABLE documents_1",
    "DROP TABLE vectors_1",
)

# The second did not note what became of a file: each is read once more when it is next seen.
_FROM_SECOND = (_FILES,)

# The third held one vector for a passage, as numbers of 32 bits.
_FROM_THIRD = ("INSERT INTO meta VALUES ('windows', '\"\"'), ('storage', '\"float32\"')",)

# From each older layout to the next.
_STEPS = {1: _FROM_FIRST, 2: _FROM_SECOND, 3: _FROM_THIRD}


def new_mark() -> str:
    """A name that no other state of any catalog has: what derives from this one bears it."""
    return secrets.token_hex(8)


def can_migrate(layout: object) -> bool:
    """Whether a catalog of this layout can be brought to the present one."""
    return layout in _STEPS


def migrate(connection: sqlite3.Connection, layout: int) -> None:
    """Bring an older catalog to the present layout, inside the caller's transaction."""
    for step in range(layout, LAYOUT):
        for statement in _STEPS[step]:
            connection.execute(statement)
    # The first layout had no mark. Where there is one, this is still the same state.
    for how, key, value in (("REPLACE", "layout", LAYOUT), ("IGNORE", "mark", new_mark())):
        connection.execute(f"INSERT OR {how} INTO meta VALUES (?, ?)", (key, json.dumps(value)))
