"""Templates into messages; test_fencing holds what a document cannot do to them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rag
from rag.errors import PromptError
from rag.messages import NO_ANSWER, answer_messages, render, said
from rag.types import Hit, Turn


def test_a_variable_that_is_not_given_is_named() -> None:
    with pytest.raises(PromptError, match="language_name"):
        render("answer.system", no_answer=NO_ANSWER)
    with pytest.raises(PromptError, match=r"answer\.user.*passages"):
        render("answer.user", question="Why?")


@pytest.mark.parametrize("name", ["nothing", "../secret", "", "answer.system.j2"])
def test_a_template_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(PromptError, match="no prompt template"):
        render(name)


def test_history_stands_between_the_rules_and_the_question_in_order(hits: list[Hit]) -> None:
    turns = [Turn(f"q{number}", f"a{number}") for number in range(9)]
    messages = answer_messages("And now?", "en", hits, turns)
    assert [message["role"] for message in messages] == [
        "system",
        *["user", "assistant"] * 4,
        "user",
    ]
    middle = [message["content"] for message in messages[1:-1]]
    assert middle == ["q5", "a5", "q6", "a6", "q7", "a7", "q8", "a8"]
    assert messages[-1]["content"].endswith("Question: And now?")


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("vi", "Vietnamese"), ("xx", "xx")])
def test_the_rules_name_the_language_of_the_answer(code: str, name: str, hits: list[Hit]) -> None:
    system = answer_messages("?", code, hits)[0]["content"]
    assert f"Write in {name}," in system
    assert NO_ANSWER in system


def test_passages_are_numbered_and_dated(hits: list[Hit]) -> None:
    prompt = answer_messages("?", "en", hits)[-1]["content"]
    for number, hit in enumerate(hits, start=1):
        assert f'number="{number}" document="{hit.document.title}"' in prompt
        assert f'date="{hit.document.published}"' in prompt
        assert hit.passage.text in prompt


def test_a_question_with_template_syntax_stays_as_it_is(hits: list[Hit]) -> None:
    question = "What is {{ hits }} {% for %}?"
    assert answer_messages(question, "en", hits)[-1]["content"].endswith(question)


def test_what_the_program_says_is_in_the_language_or_else_in_english() -> None:
    assert said("no_answer", "vi").startswith("Các tài liệu")
    assert said("no_answer", "xx") == said("no_answer", "en")
    with pytest.raises(PromptError, match="nonsense"):
        said("nonsense", "en")


def test_there_is_no_prompt_text_in_code() -> None:
    folder = Path(rag.__file__).parent
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {
            ast.get_docstring(node, clean=False)
            for node in ast.walk(tree)
            if isinstance(node, documented)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                prompt = re.search(r"\b(you are|you answer|passages?>)", node.value, re.IGNORECASE)
                assert node.value in docstrings or not prompt, f"{path.name}:{node.lineno}"
