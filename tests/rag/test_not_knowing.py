"""A model that says it does not know is understood, in many wordings; one that answers is, too."""

from __future__ import annotations

import pytest

from rag.messages import said
from rag.not_knowing import says_it_does_not_know

NOT_KNOWING = [
    ("The documents do not mention the CEO of SenseTime.", "en"),
    ("I don't know.", "en"),
    ("I'm sorry, but I couldn't find any information about that in the provided passages.", "en"),
    ("There is no information about the price.", "en"),
    ("Based on the provided passages, it is not possible to determine the number of users.", "en"),
    ("The passages provided do not contain information on this topic [1][2].", "en"),
    (
        "Unfortunately, the context doesn't specify when the company was founded. You may want to check its website.",
        "en",
    ),
    ("Unknown.", "en"),
    ("Not stated in the documents.", "en"),
    ("The answer cannot be determined from the given text.", "en"),
    ("None of the passages answer this question.", "en"),
    ("I cannot answer this question from the documents.", "en"),
    ("It is unclear who leads the company.", "en"),
    ("The revenue is not mentioned.", "en"),
    ("There isn't enough information to answer.", "en"),
    ("NOT_IN_DOCUMENTS", "en"),
    ("The provided sources contain no details about it.", "en"),
    ("I was unable to find an answer in the documents.", "en"),
    ("The text does not provide this information.", "en"),
    ("No relevant information was found.", "en"),
    ("Sorry, I'm not sure.", "en"),
    ("Nothing in the documents says who founded it.", "en"),
    ("The documents are silent on this.", "en"),
    ("The passages don’t say.", "en"),
    ("The search results do not include that.", "en"),
    ("Tài liệu không đề cập đến giám đốc của SenseTime.", "vi"),
    ("Tôi không biết.", "vi"),
    ("Xin lỗi, tôi không tìm thấy thông tin này trong các tài liệu.", "vi"),
    ("Không có thông tin về giá.", "vi"),
    ("Các đoạn văn được cung cấp không nêu rõ số người dùng [1].", "vi"),
    (
        "Rất tiếc, ngữ cảnh không cho biết công ty được thành lập khi nào. Bạn có thể xem trang web của họ.",
        "vi",
    ),
    ("Không rõ.", "vi"),
    ("Không thể xác định câu trả lời từ văn bản.", "vi"),
    ("Tôi không thể trả lời câu hỏi này dựa trên các tài liệu.", "vi"),
    ("Chưa rõ ai lãnh đạo công ty.", "vi"),
    ("Doanh thu không được đề cập.", "vi"),
    ("Không đủ thông tin để trả lời.", "vi"),
    ("Không tài liệu nào trả lời câu hỏi này.", "vi"),
    ("Thông tin này không có trong tài liệu.", "vi"),
    ("Các tài liệu không có câu trả lời cho câu hỏi này.", "vi"),
    ("Trong các tài liệu không có thông tin về Elon Musk.", "vi"),
    ("Dữ liệu được cung cấp chưa đủ để kết luận.", "vi"),
    ("Hiện tôi chưa có thông tin về vấn đề này.", "vi"),
    ("Bài viết không nói đến điều đó.", "vi"),
    ("The documents do not say.", "vi"),
    ("Tôi chưa tìm thấy câu trả lời.", "vi"),
    ("Nguồn không tiết lộ mức lương của ông.", "vi"),
]

ANSWERS = [
    ("The company does not provide refunds [1].", "en"),
    ("OpenAI is not available in China [1].", "en"),
    ("The valuation is 80 billion dollars [2].", "en"),
    ("The documents do not give the price, but the API costs 5 dollars a month [1].", "en"),
    ("Sora has not been released to the public [3].", "en"),
    ("The passages mention three chips: A100, H100 and L2 [1].", "en"),
    ("He does not know when it will be released [1].", "en"),
    ("The release date is unclear [1].", "en"),
    ("Yin Ye called it a Newton moment [1]. The documents do not say when.", "en"),
    ("It is not known to be used in China; it is banned there [2].", "en"),
    ("Công ty không cung cấp dịch vụ ở Trung Quốc [1].", "vi"),
    ("OpenAI được định giá 80 tỉ USD [1].", "vi"),
    ("Ứng dụng này vẫn chưa rõ thời gian ra mắt [1].", "vi"),
    ("Mỹ không cho bán chip H100 [2].", "vi"),
    ("Tài liệu không nêu giá, nhưng cho biết phí là 5 USD [1].", "vi"),
    ("Khách không được đề cập trong danh sách [1].", "vi"),
    ("Không. Sora chưa được mở cho công chúng [1].", "vi"),
    ("Ông cho biết công ty không có đủ chip [1].", "vi"),
]


@pytest.mark.parametrize(("text", "language"), NOT_KNOWING)
def test_a_text_that_says_there_is_no_answer_is_an_abstention(text: str, language: str) -> None:
    assert says_it_does_not_know(text, language)
    assert says_it_does_not_know(f"**{text}**\n", language)


@pytest.mark.parametrize(("text", "language"), ANSWERS)
def test_a_text_that_answers_is_none_whatever_it_denies(text: str, language: str) -> None:
    assert not says_it_does_not_know(text, language)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_what_the_program_itself_says_is_one(language: str) -> None:
    assert says_it_does_not_know(said("no_answer", language), language)


def test_a_text_without_words_tells_nothing() -> None:
    assert says_it_does_not_know(" \n", "en")
