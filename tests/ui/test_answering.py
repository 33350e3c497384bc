"""An answer as it comes, in a real browser: who is asked, what is thought, paid and stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.sync_api import expect

from rag.chatbot import Chatbot
from rag.evals.benchmarks.chat_server import Serving, chunk, event, head
from rag.index.index import Index
from rag.llm.rests import Rests
from rag.llm.scripted import ScriptedBackend
from rag.settings import AnswerSettings, Settings
from tests.ui.conftest import OpenWindow, Window, list_models, serving_models, with_ollama

_SENTENCE = "Winston Ma is a professor at New York University [1]."


def _chats(server: Serving) -> list[dict[str, Any]]:
    """The requests to answer from passages: not those for a model's name, or a question anew."""
    asked = [dict(request.body) for request in server.requests]
    return [body for body in asked if "<passage" in str(body.get("messages"))]


def _usage(read: int, written: int) -> bytes:
    used = {"prompt_tokens": read, "completion_tokens": written}
    return event({"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": used})


async def _answers(writer: asyncio.StreamWriter, streams: bool) -> None:
    if not streams:
        await list_models(writer)
        return
    thoughts = [chunk(reasoning_content=f"Let me <img src=x> look {n}. ") for n in range(3)]
    said = [chunk("Winston Ma is a professor "), chunk("at New York University [1].")]
    end = [chunk(reason="stop"), _usage(812, 64), event("[DONE]")]
    writer.write(head())
    for piece in [*thoughts, *said, *end]:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)


def _open_choice(window: Window) -> None:
    window.page.locator("#who button.label-wrap").click()


def test_one_click_chooses_who_answers_and_before_it_nothing_is_sent(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    with serving_models(_answers) as server:
        bot = Chatbot(seeds_index, None, with_ollama(server.url, backend="extractive"), Rests())
        window = open_window(seeds_index, bot)
        who = window.page.locator("#who button.label-wrap")
        expect(who).to_contain_text("Who answers: quotes only")
        window.ask("Who is Winston Ma?")
        assert _chats(server) == []
        _open_choice(window)
        offer = window.page.locator("#choice label").filter(has_text="Ollama (tiny-chat)")
        expect(offer.locator("input")).not_to_be_checked()
        offer.click()
        expect(who).to_contain_text("Who answers: Ollama → quotes only")
        window.ask("Who is Winston Ma?")
        expect(window.page.locator("#conversation")).to_contain_text("ollama/tiny-chat · 1 of 1")
        assert len(_chats(server)) == 1
        offer.click()
        expect(who).to_contain_text("Who answers: quotes only")
        window.ask("Who is Winston Ma?")
        assert len(_chats(server)) == 1


def test_reasoning_is_folded_away_and_no_part_of_the_answer(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    with serving_models(_answers) as server:
        bot = Chatbot(seeds_index, None, with_ollama(server.url, backend="ollama"), Rests())
        window = open_window(seeds_index, bot)
        window.ask("Who is Winston Ma?")
        thought, answer = (
            window.page.locator('#conversation [data-testid="bot"]').nth(place)
            for place in range(2)
        )
        expect(thought).to_have_text("Thinking", use_inner_text=True)
        expect(answer).to_contain_text("Winston Ma is a professor at New York University")
        expect(answer).not_to_contain_text("Let me")
        thought.get_by_text("Thinking").click()
        expect(thought).to_contain_text("Let me <img src=x> look 0. Let me <img src=x> look 1.")
        answer.locator("button.marker").first.click()
        expect(window.page.locator(".source.focused mark").first).to_contain_text("Winston Ma")


def test_tokens_are_shown_for_the_answer_and_the_conversation(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    with serving_models(_answers) as server:
        bot = Chatbot(seeds_index, None, with_ollama(server.url, backend="ollama"), Rests())
        window = open_window(seeds_index, bot)
        conversation = window.page.locator("#conversation")
        window.ask("Who is Winston Ma?")
        expect(conversation).to_contain_text("812 + 64 tokens")
        expect(conversation).not_to_contain_text("conversation:")
        window.ask("Who is Winston Ma?")
        # The question was made to stand alone first.
        told = "1,624 + 128 tokens (conversation: 2,436 + 192 tokens)"
        expect(conversation).to_contain_text(told)


def test_stop_closes_the_connection_and_the_answer_is_marked(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    async def long_winded(writer: asyncio.StreamWriter, streams: bool) -> None:
        if not streams:
            await list_models(writer)
            return
        writer.write(head())
        for _ in range(400):
            writer.write(chunk("OpenAI "))
            await writer.drain()
            await asyncio.sleep(0.05)

    with serving_models(long_winded) as server:
        bot = Chatbot(seeds_index, None, with_ollama(server.url, backend="ollama"), Rests())
        window = open_window(seeds_index, bot)
        window.send("Who is Winston Ma?")
        answer = window.page.locator('#conversation [data-testid="bot"]').last
        expect(answer).to_contain_text("OpenAI OpenAI")
        window.page.locator('#question [data-testid="stop-button"]').click()
        expect(answer).to_contain_text("Stopped.")
        shown = answer.inner_text()
        window.page.wait_for_timeout(500)
        assert answer.inner_text() == shown
        assert server.left == 1
        assert len(_chats(server)) == 1


def test_what_a_question_was_taken_for_is_shown_and_stays(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    rewriting = ["question: And where does Winston Ma teach?\nvi: Winston Ma dạy học ở đâu?"]
    bot = Chatbot(seeds_index, [ScriptedBackend([_SENTENCE], rewriting=rewriting)])
    window = open_window(seeds_index, bot, locale="vi-VN")
    window.ask("Who is Winston Ma?")
    window.ask("And where does he teach?")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    expect(answer).to_contain_text(
        "Hiểu là: And where does Winston Ma teach? · tìm thêm với: Winston Ma dạy học ở đâu?"
    )
    expect(answer).to_contain_text("Winston Ma is a professor")


def test_the_language_of_answers_can_be_chosen_for_the_page(
    open_window: OpenWindow, seeds_index: Index
) -> None:
    bot = Chatbot(seeds_index, None, Settings(answer=AnswerSettings(backend="extractive")))
    window = open_window(seeds_index, bot)
    _open_choice(window)
    language = window.page.locator("#answer-language label")
    answer = window.page.locator('#conversation [data-testid="bot"]').last
    for chosen, told in (
        ("Tiếng Việt", "Các tài liệu không có câu trả lời"),
        ("the question's language", "The documents do not answer this question"),
    ):
        language.filter(has_text=chosen).click()
        window.ask("What is the capital of France?")
        expect(answer).to_contain_text(told)


def test_a_key_that_appears_is_offered_after_a_reload_and_chosen_by_nobody(
    open_window: OpenWindow, seeds_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Chatbot(seeds_index, None, Settings(answer=AnswerSettings(backend="extractive")))
    window = open_window(seeds_index, bot, locale="vi-VN", width=390)
    _open_choice(window)
    offer = window.page.locator("#choice label").filter(has_text="Mistral")
    expect(offer).to_have_count(0)
    monkeypatch.setenv("MISTRAL_API_KEY", "abcdef0123456789")
    window.page.reload()
    _open_choice(window)
    expect(offer).to_contain_text("Pháp, api.mistral.ai: các đoạn trong tài liệu và cuộc")
    expect(offer.locator("input")).not_to_be_checked()
    offer.click()
    expect(window.page.locator("#who button.label-wrap")).to_contain_text("Mistral → chỉ trích")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert window.page.evaluate(overflow) <= 0
    window.page.reload()
    _open_choice(window)
    expect(offer.locator("input")).not_to_be_checked()
