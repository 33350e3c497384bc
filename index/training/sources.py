"""What is known of single files of a data folder: of those the bundled model learned from, and of others.

A file's name says its language: ``news.fr.tsv``. What else there is to say of files, the folder's
``sources.toml`` says, in a table for each name without the language::

    [news]
    running = true
    weight = 2.0
    origin = "example.org"
    licence = "CC BY 4.0"
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DocumentError

ENGLISH = "en"
# The language of files whose names say none.
_UNNAMED = "vi"
_WITH_LANGUAGE = re.compile(r"(?P<name>.+)\.(?P<language>[a-z]{2,3})")


@dataclass(frozen=True)
class Source:
    """What there is to know of a file.

    Attributes:
        running: Whether neighbouring lines are neighbouring sentences of running text.
        weight: How often it is drawn from, for each of its pairs.
        one_in: One in so many of its lines goes into the pieces, where it would crowd out others.
        reworded: Whether its English is another wording of what another file has.
        origin: Where it is from, for the model card.
        licence: Under which licence it is, for the model card.
    """

    running: bool = False
    weight: float = 1.0
    one_in: int = 1
    reworded: bool = False
    origin: str = ""
    licence: str = ""


_DEBIAN = "Debian bookworm"
_CORPORA = "thanhleha-kit/EnViCorpora"
_DICTIONARIES = ("catusf/tudien; before that Ho Ngoc Duc, OVDP and FVDP", "treated as GPL")
_BIBLES = ("scrollmapper/bible_databases", "public domain")
# Interface texts are many and odd, two wordings of one old book are enough; news is what people
# ask about.
_KNOWN = {
    "alt_wikinews": Source(
        running=True, weight=4.0, licence="CC BY 4.0",
        origin=f"English Wikinews, translated: Asian Language Treebank (NICT); {_CORPORA}",
    ),
    "tatoeba_opus": Source(weight=3.0, origin=f"Tatoeba; {_CORPORA}", licence="CC BY 2.0 FR"),
    "d2l_vn": Source(
        running=True, weight=1.5, licence="CC BY-SA 4.0",
        origin="Dive into Deep Learning; mlbvn/d2l-vn",
    ),
    "ms_security101": Source(running=True, origin="microsoft/Security-101", licence="CC0-1.0"),
    "msdocs_d365_projectops": Source(
        running=True, licence="CC BY 4.0", origin="Dynamics 365 Project Operations; MicrosoftDocs"
    ),
    "react_docs_vi": Source(running=True, origin="reactjs/vi.react.dev", licence="CC BY 4.0"),
    "reactjs_org_vi": Source(running=True, origin="reactjs/vi.reactjs.org", licence="CC BY 4.0"),
    "vue_docs_vi": Source(running=True, origin="vuejs-translations/docs-vi", licence="CC BY 4.0"),
    "debian_guides_vi": Source(
        running=True, licence="GPL-2+; handbook CC BY-SA 3.0 or GPL-2+",
        origin=f"guides and handbook of {_DEBIAN}",
    ),
    "libreoffice_help_vi": Source(weight=0.75, origin=_DEBIAN, licence="MPL-2.0"),
    "firefox_vi": Source(origin=_DEBIAN, licence="MPL-2.0"),
    "mediawiki_vi": Source(origin=_DEBIAN, licence="GPL-2+"),
    "wesnoth_vi": Source(origin=_DEBIAN, licence="GPL-2+"),
    "gettext_ui_vi": Source(
        weight=0.25, one_in=4, licence="GPL, LGPL, MPL, BSD by package",
        origin=f"interface texts of about 110 programs of {_DEBIAN}",
    ),
    "bible_bbe_vi1934": Source(True, 0.5, 3, False, *_BIBLES),
    "bible_nheb_vi1934": Source(False, 0.5, 4, True, *_BIBLES),
    "dict_examples_envi": Source(False, 1.0, 1, False, *_DICTIONARIES),
    "dict_examples_vien": Source(False, 1.0, 1, False, *_DICTIONARIES),
    "en_vi_hnd106k": Source(False, 1.0, 1, False, *_DICTIONARIES),
    "vi_en_ovdp42k": Source(False, 1.0, 1, False, *_DICTIONARIES),
    "en_vi_names_iso_cldr": Source(
        origin="names of iso-codes, libgweather, CLDR", licence="LGPL-2.1+, GPL-2+, Unicode"
    ),
    "viwiki19_nonstub": Source(
        origin="Vietnamese Wikipedia of 2019; NTT123/viwik18", licence="CC BY-SA 3.0"
    ),
    "data": Source(
        origin=f"WordNet 3.0 (Princeton University); wordnet-base of {_DEBIAN}",
        licence="WordNet licence",
    ),
}  # fmt: skip


def name_of(path: Path) -> str:
    """A file's name without the language and what follows."""
    name = path.name.removesuffix(".gz").rpartition(".")[0]
    told = _WITH_LANGUAGE.fullmatch(name)
    return told["name"] if told else name


def language_of(path: Path) -> str:
    """The language of a file beside English, ISO 639; of ``en`` only where nothing is beside it.

    Raises:
        DocumentError: The name of a dictionary says none.
    """
    if path.parent.name == "dictionary":
        first, _, rest = path.stem.partition("_")
        second = rest.partition("_")[0]
        if ENGLISH not in (first, second):
            raise DocumentError(
                f"The name of the dictionary {path.name} does not say its languages.",
                "Call it en_XX_NAME.tsv, or XX_en_NAME.tsv where English is behind the tab.",
            )
        return second if first == ENGLISH else first
    told = _WITH_LANGUAGE.fullmatch(path.name.removesuffix(".gz").rpartition(".")[0])
    return told["language"] if told else _UNNAMED


def read_sources(folder: Path) -> dict[str, Source]:
    """What is known of files by their names, with what the folder's ``sources.toml`` says.

    Raises:
        DocumentError: It is no TOML, or says what a ``Source`` does not have.
    """
    path = folder / "sources.toml"
    if not path.exists():
        return _KNOWN
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        told = {name: Source(**table) for name, table in tables.items()}
    except (tomllib.TOMLDecodeError, TypeError) as error:
        fields = ", ".join(field.name for field in dataclasses.fields(Source))
        raise DocumentError(
            f"{path} cannot be read: {error}.", f"A table for each file may have: {fields}."
        ) from error
    return _KNOWN | told
