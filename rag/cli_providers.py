"""``rag providers``: who could write answers, who is asked, and who answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_options import BackendOption, JsonOption, SetOption
from .errors import BackendSetup
from .serialization import to_json
from .settings import Settings, apply_settings, load_settings
from .terminal import plain

if TYPE_CHECKING:
    from rag.llm.standing import Checked, Standing

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="Only these; with --check also PROVIDER:MODEL.", metavar="[NAME]..."),
]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Ask each for one token. Nothing of your documents is sent.")
]


def providers(
    names: NamesArgument = None,
    check: CheckOption = False,
    backend: BackendOption = None,
    json: JsonOption = False,
    settings: SetOption = None,
) -> None:
    """List who could write answers, and who is asked; with --check, fail if none of them answers."""
    from rag.llm.rests import kept_rests
    from rag.llm.standing import checked, standings

    loaded, rests = load_settings(settings or ()), kept_rests()
    if backend:
        loaded = apply_settings(loaded, {"answer": {"backend": backend}}, "--backend")
    if check:
        results = asyncio.run(checked(names or (), loaded, os.environ, rests))
        print(to_json(results, indent=2) if json else _checks(results))
        if not any(result.answered for result in results):
            raise typer.Exit(1)
        return
    found = asyncio.run(standings(loaded, os.environ, rests))
    if names:
        chosen = _chosen(names, loaded)
        found = [one for one in found if one.name in chosen]
    print(to_json(found, indent=2) if json else _listed(found, loaded, notes=bool(names)))


def _chosen(names: Sequence[str], settings: Settings) -> set[str]:
    """The providers of these names."""
    from rag.llm.providers import pointer, provider_of

    chosen = set()
    for name in names:
        provider = provider_of(name, settings)
        if provider is None:
            way = pointer(name) or "rag providers lists them all."
            raise BackendSetup(f"There is no provider {name!r}.", way)
        chosen.add(provider.name)
    return chosen


def _listed(found: Sequence[Standing], settings: Settings, *, notes: bool) -> str:
    """The providers, those first that answers are written by, with what is to be known of each."""
    groups = {
        "Asked for answers:": [one for one in found if one.chain],
        "Ready, and asked only if you name them:": [
            one for one in found if one.ready and not one.chain
        ],
        "Not ready:": [one for one in found if not one.ready and not one.chain],
    }
    lines = [f"The chain is: {plain(settings.answer.backend)}"]
    for title, group in groups.items():
        if group:
            lines += ["", title, *(line for one in group for line in _told(one, notes=notes))]
    return "\n".join(lines)


def _told(one: Standing, *, notes: bool) -> list[str]:
    where = "this machine" if one.local else _country(one.place)
    label = f"{one.label}, {where}" if where else one.label
    models = ", ".join(one.models) or "(name a model)"
    state = one.lacks or (f"the key is in {one.key_variable}" if one.key_variable else "ready")
    lines = [f"  {one.name:16} {label}: {models if one.ready else state}"]
    if one.ready and one.key_variable:
        lines.append(f"{'':19}{state}")
    if one.chain and not one.ready:
        lines.append(f"{'':19}{models}")
    if one.rests_until is not None:
        until = datetime.fromtimestamp(one.rests_until).astimezone()
        lines.append(f"{'':19}rests until {until:%Y-%m-%d %H:%M}: {one.rests_for}")
    if notes and one.note:
        lines.append(f"{'':19}{one.note}")
    return [plain(line) for line in lines]


def _checks(results: Sequence[Checked]) -> str:
    if not results:
        return "No provider is ready: see rag providers."
    return "\n".join(
        plain(
            f"{one.backend:32} answered after {one.seconds:.2f} s"
            if one.answered
            else f"{one.backend:32} failed after {one.seconds:.2f} s, {one.fault}: {one.reason}"
        )
        for one in results
    )


def _country(place: str) -> str:
    """The English name of a country, from Unicode's CLDR."""
    from babel import Locale

    return str(Locale("en").territories.get(place, place))
