"""Who is offered to answer, how that is said, and who is asked once somebody has chosen."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chatbot import Chatbot
from rag.errors import BackendRefused, BackendSetup, Fault, SettingsError
from rag.index.index import Index
from rag.llm.openai import OpenAIBackend
from rag.llm.rests import Rests
from rag.settings import AnswerSettings, Settings
from rag.ui.choosing import Choosing, Offer
from rag.ui.strings import strings
from rag.ui.who_answers import glance, offer_text
from tests.ui.conftest import list_models, serving_models, with_ollama


def _choosing(index: Index, chain: str = "extractive", *, keys: bool = True) -> Choosing:
    settings = Settings(answer=AnswerSettings(backend=chain))
    return Choosing(Chatbot(index, None, settings, Rests()), keys=keys)


def _offers(choosing: Choosing) -> dict[str, Offer]:
    return {offer.name: offer for offer in asyncio.run(choosing.offers())}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of DeepSeek lies in the environment."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-0123456789abcdef")


def test_a_key_makes_a_provider_offered_and_not_asked(seeds_index: Index, key: None) -> None:
    choosing = _choosing(seeds_index)
    assert {"extractive", "deepseek"} <= _offers(choosing).keys()
    assert "openai" not in _offers(choosing)
    assert choosing.configured == ["extractive"]
    bot = asyncio.run(choosing.bot([], ""))
    assert [entry.name for entry in bot.backends] == ["extractive"]


def test_keys_are_not_offered_where_others_reach_the_window(seeds_index: Index, key: None) -> None:
    choosing = _choosing(seeds_index, keys=False)
    assert "deepseek" not in _offers(choosing)
    with pytest.raises(BackendSetup, match="not offered"):
        asyncio.run(choosing.bot(["deepseek"], ""))


def test_an_offer_says_who_where_and_what_is_sent(seeds_index: Index, key: None) -> None:
    offers = _offers(_choosing(seeds_index, "local, extractive"))
    told = offer_text(offers["deepseek"], strings("en"))
    assert told.startswith("DeepSeek (")
    assert told.endswith(
        "— China, api.deepseek.com: passages of your documents and this conversation "
        "will be sent there"
    )
    assert "— Trung Quốc, api.deepseek.com: các đoạn" in offer_text(
        offers["deepseek"], strings("vi")
    )
    assert offer_text(offers["extractive"], strings("en")).endswith("— this machine")
    assert "0123456789" not in told


def test_a_provider_of_the_chain_is_preselected_and_offered_once(
    seeds_index: Index, key: None
) -> None:
    choosing = _choosing(seeds_index, "deepseek:other-model, extractive")
    assert choosing.configured == ["deepseek/other-model", "extractive"]
    offered = [offer.entry for offer in _offers(choosing).values()]
    own = [one for one in offered if isinstance(one, OpenAIBackend)]
    assert [one.name for one in own if one.provider.name == "deepseek"] == ["deepseek/other-model"]


def test_quoting_comes_last_and_the_rest_in_the_order_of_choice(
    seeds_index: Index, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "abcdef0123456789")
    choosing = _choosing(seeds_index)
    offers = list(_offers(choosing).values())
    chosen = ["extractive", "mistral", "deepseek"]
    assert choosing.ordered(chosen) == ["mistral", "deepseek", "extractive"]
    bot = asyncio.run(choosing.bot(chosen, ""))
    assert [entry.name.partition("/")[0] for entry in bot.backends] == [
        "mistral",
        "deepseek",
        "extractive",
    ]
    shown = glance(offers, choosing.ordered(chosen), strings("en"))
    assert shown == "Who answers: Mistral → DeepSeek → quotes only"


@given(
    st.lists(st.sampled_from(["local", "extractive", "deepseek", "openai", "", "x, openai"])),
    st.sampled_from(["", "en", "vi", "xx", "../en"]),
)
def test_only_who_was_offered_and_chosen_is_asked(
    seeds_index: Index, names: list[str], language: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPSEEK_API_KEY", "sk-0123456789abcdef")
        choosing = _choosing(seeds_index, "local, extractive")
        if set(names) <= {"local", "extractive", "deepseek"}:
            bot = asyncio.run(choosing.bot(names, language))
            asked = {entry.name.partition("/")[0] for entry in bot.backends}
            assert asked == set(names or ["extractive"])
            assert bot.settings.answer.language == (language if language in ("en", "vi") else "")
        else:
            with pytest.raises(BackendSetup, match="not offered"):
                asyncio.run(choosing.bot(names, language))


def test_a_language_of_answers_that_is_set_can_be_given_up(seeds_index: Index) -> None:
    settings = Settings(answer=AnswerSettings(language="fr"))
    choosing = Choosing(Chatbot(seeds_index, None, settings, Rests()), keys=True)
    assert choosing.answer_languages() == ["", "en", "vi", "fr"]
    for sent, language in (("", ""), ("vi", "vi"), ("zz", "fr")):
        bot = asyncio.run(choosing.bot([], sent))
        assert bot.settings.answer.language == language


def test_who_rests_is_said_with_until_when_and_why(seeds_index: Index, key: None) -> None:
    rests = Rests()
    settings = Settings(answer=AnswerSettings(backend="deepseek, extractive"))
    bot = Chatbot(seeds_index, None, settings, rests)
    (deepseek, _) = bot.backends
    assert isinstance(deepseek, OpenAIBackend)
    rests.rest(deepseek, BackendRefused("Insufficient Balance.", fault=Fault.BALANCE))
    choosing = Choosing(bot, keys=True)
    offers = _offers(choosing)
    rest = rests.resting(deepseek)
    assert rest is not None
    until = f"{datetime.fromtimestamp(rest.until).astimezone():%H:%M}"
    told = offer_text(offers[choosing.configured[0]], strings("vi"))
    assert f"(tạm nghỉ đến {until}: đã hết tiền trong tài khoản)" in told
    shown = glance(list(offers.values()), choosing.configured, strings("vi"))
    assert shown == f"Ai trả lời: DeepSeek (tạm nghỉ đến {until}) → chỉ trích nguyên văn"


def test_a_server_on_this_machine_is_offered_once_it_answers(seeds_index: Index) -> None:
    there = False

    async def serve(writer: asyncio.StreamWriter, streams: bool) -> None:
        if there:
            await list_models(writer)

    with serving_models(serve) as server:
        bot = Chatbot(seeds_index, None, with_ollama(server.url, backend="extractive"), Rests())
        choosing = Choosing(bot, keys=False)
        assert "ollama" not in _offers(choosing)
        there = True
        told = offer_text(_offers(choosing)["ollama"], strings("en"))
    assert told == "Ollama (tiny-chat) — this machine"
    assert all(not request.body for request in server.requests)


def test_malformed_settings_of_a_provider_are_told_at_the_start(seeds_index: Index) -> None:
    settings = Settings(providers={"mine": {"like": "openai"}})
    with pytest.raises(SettingsError, match=r"providers\.mine\.base_url is missing"):
        Choosing(Chatbot(seeds_index, "extractive", settings, Rests()), keys=True)
