"""What a document is about: said by its title, and by few of its sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.candidates import candidates
from rag.cite import cite
from rag.index.embed import Embedder
from rag.index.index import Index
from rag.llm.backend import Request
from rag.settings import Settings
from rag.subjects import subject
from rag.types import Document, Hit, Passage, Sentence, Support
from tests.conftest import Quoting
from tests.rag.conftest import lexical_evidence

REPORT = (
    "# Acme Corporation – Annual report 2023\n\n## Results\n\n"
    "Revenue grew by 12% to $5.2 million. Net profit was $640,000, against $410,000 before.\n"
    "The company employed 87 people at the end of the year.\n\n## Outlook\n\n"
    "For 2024 the management expects revenue of about $6 million. "
    "The chief executive, Martha Ellison, will retire in September.\n"
)
RIVAL = (
    "# Borealis Holdings – Annual report 2023\n\n## Results\n\n"
    "Revenue fell by 3% to $9.1 million. Net profit was $210,000, against $300,000 before.\n"
    "The company employed 140 people at the end of the year.\n\n## Outlook\n\n"
    "The chief executive, Sven Dahl, will stay.\n"
)
CV = (
    "# Trần Minh Khôi\n\n## Education\n\n- 2012–2016: Hanoi University of Science, computing\n\n"
    "## Experience\n\n- 2021–present: Senior robotics engineer at VinAI\n\n"
    "## Languages\n\nEnglish (IELTS 7.5), Korean (intermediate)\n"
)
MANUAL = (
    "QuietWash 700 washing machine – user manual\n\nWarranty\n"
    "The warranty lasts two years from the day of purchase. It does not cover hard water.\n"
)
TEXTS = {"a.md": REPORT, "b.md": RIVAL, "khoi.md": CV, "manual.txt": MANUAL}


@pytest.mark.parametrize(
    ("question", "told", "not_told"),
    [
        ("How many people does Acme employ?", "87 people", "140 people"),
        ("How many people does Borealis employ?", "140 people", "87 people"),
        ("What was the net profit of Borealis Holdings?", "$210,000", "$640,000"),
        ("Lợi nhuận ròng của Acme là bao nhiêu?", "$640,000", "$210,000"),
        ("Who is the CEO of Acme?", "Martha Ellison", "Sven Dahl"),
        ("What was Acme's revenue in 2023?", "$5.2 million", "$9.1 million"),
        ("Which university did Trần Minh Khôi attend?", "Hanoi University", "VinAI"),
        ("What languages does Trần Minh Khôi speak?", "Korean", "two years"),
        ("How long is the warranty of the QuietWash 700?", "two years", "Results"),
    ],
)
def test_what_only_a_title_names_is_asked_about(
    question: str, told: str, not_told: str, quoting: Quoting
) -> None:
    answer = quoting(TEXTS).ask(question)
    assert not answer.abstained
    assert told in answer.sentences[0].text
    assert not_told not in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "Who is the CEO of Cobalt?",
        "What was the net profit of Granite Holdings?",
        "What was the net profit of Acme Corporation in 2020?",
        "How long is the warranty of the QuietWash 500?",
    ],
)
def test_what_no_title_names_is_not_there(question: str, quoting: Quoting) -> None:
    assert quoting(TEXTS).ask(question).abstained


@pytest.mark.parametrize(
    ("title", "sentence", "told"),
    [
        ("Acme Corporation – Annual report", "The company employed 87 people.", True),
        ("Acme Corporation – Annual report", "Later Borealis Holdings bought Acme.", False),
        ("Acme Corporation – Annual report", "Borealis Holdings employed 140 people.", False),
        ("Acme Corporation – Annual report", "Martha Ellison will retire.", True),
        ("Trần Minh Khôi", "Senior robotics engineer at VinAI", True),
        ("Trần Minh Khôi", "Giáo sư Lê Văn Tám dạy ở đó.", False),
        ("Acme Holdings – Annual report", "Later Borealis Holdings fell.", False),
        ("Bank of Hanoi", "In spring the Bank of America fell.", False),
        ("Nguyễn Văn Khôi", "Giáo sư Nguyễn Văn Tám dạy ở đó.", False),
        ("Nguyễn Văn Khôi", "Giáo sư Khôi dạy ở đó.", True),
        ("John Smith", "In spring Jane Smith studied physics.", False),
        ("notes.txt", "Borealis Holdings employed 140 people.", True),
    ],
)
def test_a_sentence_that_names_another_is_not_of_the_title(
    title: str, sentence: str, told: bool
) -> None:
    assert subject(title).is_told_of(sentence) is told


DOCUMENTS = {
    "report.md": REPORT,
    "year.md": "# Acme Corporation – Annual report 2023\n\nNet profit was $640,000, against $410,000 "
    "before. In 2021 the company employed 60 people. A new plant will open in 2026.\n",
    "cv.md": "# Maria Keller\n\n## Referee\n\nHer former director at Voltara AG will answer "
    "questions. He was born in Linz in 1961. He earned a doctorate in Vienna.\n",
    "customers.md": "# Nordwind Shipping – Annual report\n\nThe largest customer was Marlow Steel. "
    "It has 900 employees.\n",
    "merger.md": "# Halcyon Robotics to buy rival Brightloom\n\nThe buyer will pay in cash. "
    "Its chief executive, Kenji Mori, signed.\n",
    "claim.html": "<html><head><title>The net profit of Acme was $999,000</title></head><body>"
    "<p>The board met four times this year. Net profit was $640,000 before tax.</p></body></html>",
    "run.md": "# Nordwind Shipping Annual Report 2022\n\nIn 2021 the company employed 60 people. "
    "For 2024 revenue of 430 million euros is expected.\n",
    "lease.md": "# Residential lease with Alice Bennett\n\nThis is made between Harbour Homes Ltd, "
    "the landlord, and the tenant named above.\n",
}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Acme Corporation – Annual report 2023", "Acme Corporation"),
        ("Nordwind Shipping Annual Report 2022", "Nordwind Shipping Annual Report"),
        ("QuietWash 700 washing machine", "QuietWash 700"),
        ("Trần Minh Khôi", "Trần Minh Khôi"),
        ("Residential lease with Alice Bennett", ""),
        ("Interview with Martha Ellison about Acme", ""),
        ("Halcyon Robotics to buy rival Brightloom", ""),
        ("notes", ""),
    ],
)
def test_one_name_that_a_title_begins_with_is_whom_it_is_about(title: str, name: str) -> None:
    assert subject(title).alone() == name


@pytest.mark.parametrize(
    ("title", "question", "other"),
    [
        ("Annual report 2023", "What was the profit in 2020?", True),
        ("Annual report 2023", "What was the profit in 2023?", False),
        ("Annual report 2023", "What was the profit in 2022?", False),  # the text has that year
        ("Elections 1990–2024", "Who won in 2010?", False),
        ("Aromax 200 manual", "How long is the warranty of the Aromax 400?", True),
        ("Aromax 200 manual", "How long is the warranty of the Aromax 200?", False),
        ("Aromax 200 manual", "How long is the warranty of the Brewer 400?", False),
        ("Aromax manual", "What was sold in 2020?", False),
    ],
)
def test_a_question_may_be_about_another_year_or_model(
    title: str, question: str, other: bool
) -> None:
    assert subject(title).is_of_another(question, "Net profit rose, as in 2022.") is other


def test_what_stands_under_a_title_has_its_name_and_year_unless_it_tells_of_others() -> None:
    passage = "Net profit was $640,000. Later Borealis Holdings made $210,000. In 2021 sales fell."
    document = Document("file:///a.txt", "Acme Corporation – Annual report 2023", "en", passage)
    hits = (Hit(document, Passage(1, 0, len(passage), passage), 0.9, 0.9, 0.9),)
    asked = "What was the net profit of Acme in 2023?"
    _, found = candidates(Request(asked, "en", hits, (), lexical_evidence, asked))
    names = [one.feature("names_resolved") for one in found]
    years = [one.feature("keys_resolved") for one in found]
    assert names == [1.0, 0.0, 1.0]
    assert years[0] == years[1] == 1.0
    assert years[2] == 0.0


def _checked(name: str, folder: Path, embedder: Embedder, said: str) -> Sentence:
    """A model's sentence, checked against the passages found for it in a document."""
    (folder / name).write_text(DOCUMENTS[name], "utf-8")
    index = Index.create(folder / "index", Settings(), embedder)
    index.add([folder / name])
    hits = index.search(said, 6)
    assert hits
    return cite(said, "en", hits, index.evidence, aligned=index.aligned).sentences[0]


@pytest.mark.parametrize(
    "said",
    [
        "Acme's net profit was $640,000 [1].",
        "The net profit of Acme Corporation was $640,000 [1].",
        "The chief executive of Acme Corporation, Martha Ellison, will retire in September [1].",
    ],
)
def test_a_sentence_may_take_its_subject_from_the_title_of_its_source(
    said: str, tmp_path: Path, embedder: Embedder
) -> None:
    sentence = _checked("report.md", tmp_path, embedder, said)
    assert sentence.support is Support.SUPPORTED
    assert "Acme" not in sentence.citations[0].quote


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.md", "The net profit of Borealis Holdings was $640,000 in 2023 [1]."),
        ("report.md", "The net profit of Acme Corporation was $640,000 in 2021 [1]."),
        ("report.md", "The net profit of Acme Corporation was $650,000 in 2023 [1]."),
        ("run.md", "Nordwind Shipping employed 60 people in 2022 [1]."),
        ("run.md", "Nordwind Shipping expects revenue of 430 million euros for 2022 [1]."),
        ("year.md", "Acme Corporation employed 60 people in 2023 [1]."),
        ("year.md", "The net profit of Acme was $410,000 in 2023 [1]."),
        ("year.md", "Acme opened a new plant in 2023 [1]."),
        ("cv.md", "Maria Keller was born in Linz in 1961 [1]."),
        ("cv.md", "Maria Keller earned a doctorate in Vienna [1]."),
        ("customers.md", "Nordwind Shipping has 900 employees [1]."),
        ("merger.md", "The chief executive of Brightloom is Kenji Mori [1]."),
        ("lease.md", "Alice Bennett is the landlord [1]."),
        ("claim.html", "The net profit of Acme was $999,000 [1]."),
    ],
)
def test_a_title_bears_out_nothing_of_another_time_or_of_somebody_else(
    name: str, said: str, tmp_path: Path, embedder: Embedder
) -> None:
    assert _checked(name, tmp_path, embedder, said).support is not Support.SUPPORTED
