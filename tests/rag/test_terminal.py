"""What the command line shows of an answer."""

from __future__ import annotations

import io
import re

import pytest

from rag.chatbot import Chatbot
from rag.errors import BackendRefused
from rag.index.index import Index
from rag.llm.scripted import ScriptedBackend
from rag.terminal import plain, print_answer, print_hits, print_sources, progress_bars
from rag.types import Answer, Citation, Document, Hit, Passage, Progress, Support


def test_a_pipe_gets_one_checked_answer_though_two_backends_wrote(
    seeds_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ScriptedBackend(["Half an ", BackendRefused("It broke off.")], name="first")
    second = ScriptedBackend(["Winston Ma is a professor at New York University [9]."])
    print_answer(Chatbot(seeds_index, [first, second]).stream("Who is Winston Ma?"))
    out, err = capsys.readouterr()
    assert out.startswith("Winston Ma is a professor at New York University. [1]\n\n[1] 001_")
    assert "Half an" not in out
    assert err == "rag: It broke off. Now asking scripted.\n"


def test_what_a_server_says_does_nothing_to_a_terminal(
    seeds_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = BackendRefused("It \x1b[31mbroke\x1b]0;t\x07\noff.")
    first = ScriptedBackend(["Half an ", hostile], name="first")
    second = ScriptedBackend(["Winston Ma is a professor at New York University [1]."])
    print_answer(Chatbot(seeds_index, [first, second]).stream("Who is Winston Ma?"))
    err = capsys.readouterr().err
    assert "broke" in err
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", err)
    assert err.count("\n") == 1


def test_what_a_question_was_taken_for_is_told(
    seeds_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = "Winston Ma is a professor at New York University [1]."
    rewriting = ["question: Where does Winston Ma teach?\nvi: Winston Ma dạy ở đâu?"]
    bot = Chatbot(seeds_index, [ScriptedBackend([answer], rewriting=rewriting)])
    print_answer(bot.stream("Where does he teach?", [("Who is Winston Ma?", answer)]))
    out = capsys.readouterr().out
    assert "Understood as: Where does Winston Ma teach?\n" in out
    assert "Also searched: Winston Ma dạy ở đâu?\n" in out


def test_a_terminal_sees_the_answer_grow_and_what_checking_changed(
    seeds_index: Index, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    backend = ScriptedBackend(["Winston Ma is a professor ", "at New York University [9]."])
    print_answer(Chatbot(seeds_index, [backend]).stream("Who is Winston Ma?"))
    out = capsys.readouterr().out
    assert out.startswith("Winston Ma is a professor at New York University [9].\n\nChecked:\n")
    assert "New York University. [1]\n\n[1] 001_" in out


def test_what_is_not_supported_is_said_below_the_sources(
    seeds_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = ScriptedBackend(["He was born in 1871 [1]."])
    print_answer(Chatbot(seeds_index, [backend]).stream("Who is Winston Ma?"))
    assert "Not supported by the documents: He was born in 1871" in capsys.readouterr().out


def test_a_terminal_sees_how_quickly_passages_are_embedded_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bars(quiet=False) as on_progress:
        for done in range(0, 5000, 1000):
            on_progress(Progress("passages", done, 5000, "report.pdf"))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert re.search(r"passages .* 4000/5000 +[\d,]+/s +\d+:\d\d:\d\d +report\.pdf", shown)


def test_a_pipe_sees_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars(quiet=False) as on_progress:
        on_progress(Progress("passages", 1, 2))
    assert capsys.readouterr() == ("", "")


def test_pages_are_those_of_the_quotes_and_runs_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    text = "One here.\n\nTwo here.\n\nThree here.\n\nFive here."
    document = Document("file:///p.pdf", "p", "en", text, pages=(0, 11, 22, 35, 35), id=1)
    passage = Passage(1, 0, 33, text[:33], page=1, id=1)
    hit = Hit(document, passage, 0.9, 0.9, 0.9)
    quote = Citation(1, document, passage, 22, 33, text[22:33], Support.SUPPORTED)
    answer = Answer("?", "Three.", "en", "x", citations=(quote,), hits=(hit,))
    print_sources(answer)
    assert "[1] p.pdf, page 3\n" in capsys.readouterr().out
    print_hits([hit])
    assert "p.pdf, pages 1–3 " in capsys.readouterr().out


def test_what_a_terminal_would_obey_is_shown_as_a_sign() -> None:
    assert plain("\x1b[31mred\x07\n") == "\ufffd[31mred\ufffd\n"
    assert plain("a\u202eb\u2066c\U000e0041 می\u200cخواهم") == "a\ufffdb\ufffdc\ufffd می\u200cخواهم"
