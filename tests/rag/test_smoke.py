from rag.chatbot import Chatbot
from rag.index.index import Index


def test_a_question_is_answered_with_an_exact_quote(seeds_index: Index) -> None:
    answer = Chatbot(seeds_index).ask("Ai gọi Sora là khoảnh khắc Newton?")
    assert "Yin Ye" in answer.text
    for citation in answer.citations:
        assert citation.document.text[citation.start : citation.end] == citation.quote
