"""The real page in a real browser: questions, sources, documents, failures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from rag.chatbot import Chatbot
from rag.errors import BackendRefused
from rag.index.index import Index
from rag.llm.scripted import ScriptedBackend
from rag.text import normalize
from tests.ui.conftest import OpenWindow


def test_a_vietnamese_question_shows_the_quote_highlighted_in_its_passage(
    open_window: OpenWindow, seeds_index: Index, seeds: Path
) -> None:
    window = open_window(seeds_index)
    window.ask("Ai gọi Sora là khoảnh khắc Newton?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("Yin Ye")
    quote = 'Yin Ye - CEO tập đoàn nghiên cứu gen BGI đã ví von Sora chính là "khoảnh khắc Newton"'
    assert window.quotes()[0].startswith(quote)
    text = normalize((seeds / "000_f4d03017b7dc492f.txt").read_text("utf-8"))
    assert all(shown in text for shown in window.quotes())
    expect(window.page.locator(".source.focused mark").first).to_be_in_viewport()


def test_an_english_question_shows_the_quote_highlighted_in_its_passage(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    window = open_window(seeds_index)
    window.ask("What explanation did OpenAI give for the cut off?")
    assert any(
        'OpenAI gave an explanation of "compliance considerations"' in quote
        for quote in window.quotes()
    )
    expect(window.page.locator(".source.focused .verdict")).to_have_text("supported")


def test_a_marker_opens_the_panel_at_its_own_source_also_in_an_earlier_answer(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    window = open_window(seeds_index)
    window.ask("Who is Winston Ma?")
    window.ask("OpenAI được định giá bao nhiêu?")
    expect(window.page.locator("#sources-panel")).to_contain_text("80 tỉ USD")
    markers = window.page.locator("button.marker")
    markers.first.click()
    focused = window.page.locator(".source.focused")
    expect(focused.locator("mark").first).to_contain_text("Winston Ma")
    assert focused.get_attribute("data-number") == markers.first.get_attribute("data-number")
    markers.last.click()
    expect(focused.locator("mark").first).to_contain_text("80 tỉ USD")


def test_the_message_itself_stays_plain_text(open_window: OpenWindow, seeds_index: Index) -> None:
    window = open_window(seeds_index)
    window.ask("Who is Winston Ma?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer.locator("button.marker").first).to_have_text("[1]")
    assert "[1]" in answer.inner_text()


def test_a_question_without_an_answer_is_said_to_have_none_in_its_language(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    window = open_window(seeds_index)
    window.ask("Thủ đô của nước Pháp là gì?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("Các tài liệu không có câu trả lời")
    expect(window.page.locator("#sources-panel .note")).to_contain_text("Nearest passages")
    assert window.quotes() == []


def test_the_window_speaks_the_browsers_language_and_changes_it(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    window = open_window(seeds_index, locale="vi-VN")
    box = window.page.locator("#question textarea")
    expect(box).to_have_attribute("placeholder", "Đặt câu hỏi về tài liệu của bạn…")
    window.page.get_by_text("English").click()
    expect(box).to_have_attribute("placeholder", "Ask a question about your documents…")


def test_examples_in_both_languages_answer_with_one_click(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    window = open_window(seeds_index)
    examples = window.page.locator("#conversation button.example")
    expect(examples).to_have_count(4)
    examples.filter(has_text="Newton").click()
    expect(window.page.locator("#sources-panel mark").first).to_contain_text("Yin Ye")


def test_documents_are_added_asked_and_removed(
    open_window: OpenWindow, empty_index: Index, tmp_path: Path
) -> None:
    file = tmp_path / "Ghi chú #1.md"
    file.write_text("# Kho\n\nMã số cửa kho là 4711, chị Lan giữ chìa khóa.\n", "utf-8")
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"\x00\x01\x02\x03" * 100)
    window = open_window(empty_index)
    page = window.page
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("#documents-table")).to_contain_text("The index is empty")
    page.locator("#upload input[type=file]").set_input_files([file, bad])
    expect(page.locator("#documents-table")).to_contain_text("Ghi chú #1.md")
    report = page.locator("#report textarea")
    expect(report).to_have_value(
        "Added: 1. Updated: 0. Unchanged: 0.\n"
        "⚠ Not added: bad.txt looks like a binary file, not text."
    )
    page.get_by_role("tab", name="Chat").click()
    window.ask("Ai giữ chìa khóa cửa kho?")
    assert any("chị Lan giữ chìa khóa" in quote for quote in window.quotes())
    page.get_by_role("tab", name="Documents").click()
    page.locator("#chosen input").click()
    page.get_by_role("option", name="Kho").click()
    page.keyboard.press("Escape")
    page.locator("#remove").click()
    expect(page.locator("#documents-table")).to_contain_text("The index is empty")
    assert empty_index.documents() == []
    assert not any((empty_index.folder / "uploaded").iterdir())


def test_what_another_process_added_is_found_without_a_restart(
    open_window: OpenWindow, empty_index: Index, tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_text("The old door code is 4711.", "utf-8")
    empty_index.add(tmp_path / "old.txt")
    window = open_window(empty_index)
    window.ask("What is the door code?")
    assert any("4711" in quote for quote in window.quotes())
    (tmp_path / "new.txt").write_text("Winston Ma plays the violin in Hanoi.", "utf-8")
    command = [sys.executable, "-m", "rag", "index", "--index", str(empty_index.folder)]
    subprocess.run([*command, str(tmp_path / "new.txt")], check=True, capture_output=True)
    window.ask("What does Winston Ma play?")
    assert any("the violin" in quote for quote in window.quotes())
    window.page.get_by_role("tab", name="Documents").click()
    expect(window.page.locator("#documents-table")).to_contain_text("new.txt")


def test_what_a_document_says_is_shown_and_never_run(
    open_window: OpenWindow, empty_index: Index, tmp_path: Path
) -> None:
    hostile = (
        "The password of the vault <img src=x onerror=alert(1)> is ${1+1} {{value}} "
        "<script>alert(2)</script> ![x](http://outside.example/x.png) "
        "[here](http://outside.example/) ``<form action=/x><input name=q></form>` "
        "\\`<b>b</b>` _https://outside.example_ [2] [99] kept by Marta Klein."
    )
    file = tmp_path / "hostile.txt"
    file.write_text(hostile, "utf-8")
    empty_index.add(file)
    window = open_window(empty_index)
    window.ask("Who keeps the password of the vault?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("Marta Klein")
    assert answer.locator("img, script, a, form, b").count() == 0
    assert window.quotes() == [hostile]
    assert window.page.locator("#sources-panel .text").locator("img, script, a").count() == 0


def test_stop_ends_the_answer_and_the_window_goes_on(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    endless = ScriptedBackend(["OpenAI "] * 10_000, delay=0.02)
    window = open_window(seeds_index, Chatbot(seeds_index, [endless]))
    window.send("What did OpenAI announce?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("OpenAI OpenAI")
    window.page.locator('#question [data-testid="stop-button"]').click()
    expect(window.page.locator('#question [data-testid="submit-button"]')).to_be_visible()
    window.page.wait_for_timeout(300)
    shown = answer.inner_text()
    window.page.wait_for_timeout(300)
    assert answer.inner_text() == shown
    assert endless.stopped


def test_a_failure_is_a_plain_message_and_the_window_goes_on(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    failing = ScriptedBackend([BackendRefused("The server said no.", "Ask it nicely.")])
    window = open_window(seeds_index, Chatbot(seeds_index, [failing]))
    for turn in range(2):
        window.ask("What did OpenAI announce?")
        answer = window.page.locator('#conversation [data-testid="bot"]').nth(turn)
        expect(answer).to_contain_text("The server said no. Ask it nicely.")


def test_a_switch_of_backends_is_shown_and_the_answers_are_kept_apart(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    refusal = BackendRefused("It broke off. <img src=x> [click](http://outside.example/) ![i](x)")
    failing = ScriptedBackend(["Half an ", refusal], name="first")
    second = ScriptedBackend(
        ["Winston Ma is a professor at New York University [1]."], name="second"
    )
    window = open_window(seeds_index, Chatbot(seeds_index, [failing, second]))
    window.ask("Who is Winston Ma?")
    conversation = window.page.locator("#conversation")
    broken, answer, record = (
        conversation.locator('[data-testid="bot"]').nth(place) for place in range(3)
    )
    expect(broken.locator("blockquote")).to_have_text("Half an")
    expect(broken).to_contain_text("Broken off: first (refused). It broke off.")
    expect(broken).to_contain_text("Now asking second for a new answer.")
    expect(answer).to_contain_text("Winston Ma is a professor")
    expect(answer).not_to_contain_text("Half an")
    expect(record).to_contain_text("Attempts: 2")
    expect(record).not_to_contain_text("It broke off.")
    record.get_by_text("Attempts: 2").click()
    expect(record).to_contain_text("first — failed: refused")
    expect(record).to_contain_text("It broke off.")
    expect(record).to_contain_text("second — answered")
    assert conversation.locator("img:not(.icon-button img), a").count() == 0
    answer.locator("button.marker").first.click()
    expect(window.page.locator(".source.focused mark").first).to_contain_text("Winston Ma")


def test_the_page_fits_a_phone(open_window: OpenWindow, seeds_index: Index) -> None:
    window = open_window(seeds_index, width=390)
    window.ask("Who is Winston Ma?")
    assert window.quotes()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert window.page.evaluate(overflow) <= 0


def test_two_conversations_do_not_see_each_other(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    first, second = open_window(seeds_index), open_window(seeds_index)
    first.ask("Who is Winston Ma?")
    second.ask("OpenAI được định giá bao nhiêu?")
    first.page.locator("button.marker").first.click()
    expect(first.page.locator(".source.focused mark").first).to_contain_text("Winston Ma")
    assert "Winston Ma" not in second.page.locator("body").inner_text()


def test_a_question_sent_while_an_answer_is_written_stays_in_the_box(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    slow = ScriptedBackend(["Winston Ma is a professor at New York University. "] * 40, delay=0.05)
    window = open_window(seeds_index, Chatbot(seeds_index, [slow]))
    window.send("Who is Winston Ma?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("Winston Ma")
    window.send("And then?")
    expect(window.page.locator("#question textarea")).to_have_value("And then?")
    window.page.locator('#question [data-testid="submit-button"]').wait_for()
    expect(window.page.locator('#conversation [data-testid="user"]')).to_have_count(1)
    expect(window.page.locator("#question textarea")).to_have_value("And then?")


def test_an_answer_that_copies_links_images_and_markup_shows_their_letters(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    written = [
        "Winston Ma is a professor at New York University [1].",
        "[one\\](https://evil.example/1) and [two](//evil.example/2)",
        "![three\\](//evil.example/3) [![four\\](//evil.example/4) [\\](//evil.example/5)",
        "<img src=//evil.example/6 onerror=alert(6)> <https://evil.example/7> www.evil.example",
        "[five][r] [&#50;]\n\n[r]: //evil.example/8 &lt;iframe src=//evil.example/9&gt;",
    ]
    bot = Chatbot(seeds_index, [ScriptedBackend(["\n\n".join(written)])])
    window = open_window(seeds_index, bot)
    window.ask("Who is Winston Ma?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text("evil.example/9")
    expect(answer.locator("a, img, iframe, object, form")).to_have_count(0)
    expect(answer).to_contain_text("[&#50;]")
