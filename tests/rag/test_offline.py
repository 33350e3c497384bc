"""Installed, the default configuration opens no connection to any other machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, socket, sys

tried = []
OWN = ("127.", "localhost", "::1")

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        own = arguments[0].family == getattr(socket, "AF_UNIX", None)
        address = arguments[1] if own or not arguments[1] else arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        own, address = False, arguments[0]
    else:
        return
    if not own and not str(address or "localhost").startswith(OWN):
        tried.append([event, str(address)])
        raise OSError("there is no network")

sys.addaudithook(watch)
if "--probe" in sys.argv:
    for call in (lambda: socket.getaddrinfo("example.org", 80),
                 lambda: socket.socket().connect(("192.0.2.1", 80))):
        try:
            call()
        except OSError:
            pass
else:
    import rag

    index = rag.Index.create(sys.argv[1])
    assert not index.add(sys.argv[2]).failed
    bot = rag.Chatbot(index)
    for question in ("Ai gọi Sora là khoảnh khắc Newton?", "Who is Winston Ma?"):
        assert not bot.ask(question).abstained
print(json.dumps(tried))
"""


def connections(*arguments: str) -> list[list[str]]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_watch_sees_connections_and_lookups_of_names() -> None:
    assert [event for event, _ in connections("--probe")] == [
        "socket.getaddrinfo",
        "socket.connect",
    ]


def test_indexing_and_asking_open_no_connection(tmp_path: Path, seeds: Path) -> None:
    assert connections(str(tmp_path / "index"), str(seeds)) == []
