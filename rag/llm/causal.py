"""A language model in this process: found on this machine, loaded, given messages, heard token by token.

Nothing is downloaded, no code of a model's makers is run, and weights are read from safetensors
files only, as other formats can hold code.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import BackendError, BackendRefused, BackendSetup, Fault
from rag.messages import Message
from rag.types import Usage

from .backend import Finished

# What a model reads that does not say.
_UNKNOWN_WINDOW = 2048
# Tokenizers without a limit say a number larger than this.
_NO_LIMIT = 10**9
_THINKING = ("<think>", "<thinking>")
# A letter has at most four bytes: what is none after as many tokens twice over never will be.
_MOST_CUT = 8
# Settings of sampling, which taking the likeliest token has no use for.
_GREEDY: dict[str, Any] = {"temperature": None, "top_p": None, "top_k": None, "min_p": None}


@dataclass(frozen=True, slots=True)
class CausalModel:
    """A loaded model with its tokenizer; ``window`` is how many tokens it reads and writes together."""

    name: str
    model: Any
    tokenizer: Any
    window: int

    def prompt(self, messages: Sequence[Message]) -> str:
        """Messages as the model's own chat template writes them, up to where the answer begins.

        What looks like a special token within a message is none: a document cannot end its turn.
        A model that can be asked not to think is asked so. One that knows no instructions
        finds them in the first message.

        Raises:
            BackendSetup: The template does not take these messages.
        """
        import jinja2

        given = [
            Message(role=message["role"], content=self._plain(message["content"]))
            for message in messages
        ]
        try:
            try:
                return self._rendered(given)
            except jinja2.TemplateError:
                return self._rendered(_without_system(given))
        except jinja2.TemplateError as error:
            raise BackendSetup(
                f"The chat template of {self.name} cannot be used: {first_line(error)}.",
                "Ask another model.",
            ) from error

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens the prompt of messages has, exactly."""
        return len(self._tokens(self.prompt(messages)))

    def write(
        self, prompt: str, limit: int, temperature: float, say: Callable[[str], None]
    ) -> Finished:
        """Write on from a prompt.

        Args:
            prompt: See ``prompt``.
            limit: The most tokens to write.
            temperature: How freely; with 0 the likeliest token is always taken.
            say: Takes each piece of text, empty where a token completes none. What it raises
                stops the writing.

        Returns:
            Why it ended, ``stop`` or ``length``, and the tokens read and written.
        """
        import torch

        ends = self._ends()
        tokens = torch.tensor([self._tokens(prompt)], device=self.model.device)
        heard = _Heard(self.tokenizer, ends, say)
        self.model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            generation_config=self._generation(limit, temperature, ends),
            streamer=heard,
        )
        reason = "stop" if heard.ended else "length"
        return Finished(reason, Usage(tokens.shape[1], heard.number))

    def _rendered(self, messages: Sequence[Message]) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )

    def _tokens(self, prompt: str) -> list[int]:
        """The template has written the special tokens already."""
        return list(self.tokenizer(prompt, add_special_tokens=False, verbose=False)["input_ids"])

    def _plain(self, text: str) -> str:
        """A text with nothing in it that the tokenizer takes for a special token."""
        added = self.tokenizer.added_tokens_decoder.values()
        for special in (token.content for token in added if token.special):
            if len(special) > 1:
                text = text.replace(special, f"{special[0]} {special[1:]}")
        return text

    def _ends(self) -> list[int]:
        """The tokens that end an answer: the model's and the tokenizer's."""
        own = self.model.generation_config.eos_token_id
        found = {*(own if isinstance(own, list) else [own]), self.tokenizer.eos_token_id}
        return sorted(found - {None})

    def _generation(self, limit: int, temperature: float, ends: list[int]) -> Any:
        """What the model's makers recommend, within our limits."""
        generation = copy.deepcopy(self.model.generation_config)
        sampling = {"temperature": temperature} if temperature else _GREEDY
        padding = self.tokenizer.pad_token_id
        generation.update(
            **sampling,
            do_sample=temperature > 0,
            num_beams=1,
            max_length=None,
            max_new_tokens=limit,
            eos_token_id=ends or None,
            pad_token_id=padding if padding is not None else next(iter(ends), 0),
        )
        return generation


class _Heard:
    """Tokens into text, as they come: a letter may be cut between two of them."""

    def __init__(self, tokenizer: Any, ends: Sequence[int], say: Callable[[str], None]) -> None:
        self.number = 0
        self.ended = False
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._say = say
        self._is_prompt = True
        # Of the last tokens: those whose text is out, as context, and those whose text is not.
        self._told: list[int] = []
        self._open: list[int] = []

    def put(self, tokens: Any) -> None:
        """The prompt first, then one token at a time."""
        if self._is_prompt:
            self._is_prompt = False
            self._say("")
            return
        for token in tokens.flatten().tolist():
            self.number += 1
            self.ended = token in self._ends
            if not self.ended:
                self._open.append(token)
            self._say(self._more(whole=False))

    def end(self) -> None:
        """What is left, even half a letter."""
        self._say(self._more(whole=True))

    def _more(self, *, whole: bool) -> str:
        """The text that the open tokens add, if it is complete; a space depends on those before."""
        before = self._decoded(self._told)
        text = self._decoded(self._told + self._open)
        cut = text.endswith("\ufffd") and len(self._open) < _MOST_CUT and not whole
        if cut or len(text) <= len(before):
            return ""
        self._told, self._open = self._open, []
        return text[len(before) :]

    def _decoded(self, tokens: list[int]) -> str:
        decode = self._tokenizer.decode
        return str(decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def loaded(name: str) -> CausalModel:
    """Load a model from a folder or from the cache of the Hugging Face Hub.

    Args:
        name: The path of a folder, or a model's name on the Hub.

    Raises:
        BackendSetup: It is not on this machine, is damaged, or is no model that chats.
    """
    folder = _folder(name)
    called = display_name(name)
    try:
        return _loaded(folder, called)
    except BackendError:
        raise
    except Exception as error:
        # Damage shows in many ways, and what a model's files lead to is not listed anywhere.
        raise lacks_memory(error, called) or BackendSetup(
            f"{called} cannot be loaded: {first_line(error)}.",
            "Fetch it anew, or use another model.",
        ) from error


def display_name(name: str) -> str:
    """What a model is called: its name, or that of its folder."""
    path = Path(name).expanduser()
    return path.resolve().name if path.is_dir() else name


def opens_thinking(prompt: str) -> bool:
    """Whether a template has written the beginning of the model's thinking into the prompt."""
    return prompt.rstrip().lower().endswith(_THINKING)


def lacks_memory(error: Exception, name: str) -> BackendError | None:
    """The error to show where another says that memory ran out."""
    said = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in said or "allocate memory" in said:
        return BackendRefused(
            f"There is not enough memory for {name}.",
            "Use a smaller model, or close other programs.",
            fault=Fault.OVERLOAD,
        )
    return None


def first_line(error: Exception) -> str:
    """What an error says, as the end of a sentence."""
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    import huggingface_hub
    from huggingface_hub.errors import HFValidationError

    try:
        found = huggingface_hub.try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise BackendSetup(
            f"There is no folder {name!r}.",
            "Name a folder that holds a model, or a model of the Hugging Face Hub.",
        ) from error
    if not isinstance(found, str):
        raise BackendSetup(
            f"The model {name} is not on this machine.", f"Fetch it once: hf download {name}"
        )
    return Path(found).parent


def _loaded(folder: Path, name: str) -> CausalModel:
    _prepare()
    import torch
    import transformers

    safely = {"local_files_only": True, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(folder, **safely)
    if type(config) not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        raise BackendSetup(f"{name} is not a model that writes text.", "Name one that chats.")
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **safely)
    if not tokenizer.chat_template:
        raise BackendSetup(
            f"{name} has no chat template: it continues text and answers no questions.",
            "Name a model that was made for chatting; its name often ends in -Instruct or -it.",
        )
    if not any(folder.glob("*.safetensors")):
        raise BackendSetup(
            f"{name} has no weights in the format safetensors, the only one that cannot hold code.",
            f"Fetch them, if there are any: hf download {name}",
        )
    read: Any = transformers.AutoModelForCausalLM.from_pretrained
    model, told = read(
        folder, dtype="auto", use_safetensors=True, output_loading_info=True, **safely
    )
    if told["missing_keys"]:
        raise BackendSetup(
            f"{name} lacks {len(told['missing_keys'])} of its weights, so it cannot write.",
            "Name a model that chats; a model that embeds lacks the part that writes.",
        )
    model.eval().to(_device(torch))
    return CausalModel(name, model, tokenizer, _window(config, tokenizer))


def _prepare() -> None:
    """Import what loads models, which then tells of failures by errors alone, and waits quietly."""
    # Threads that wait by spinning take a core from each other for every token on a busy machine.
    # Read when torch is imported, and never again.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from transformers.utils import logging

    no_bars: Any = logging.disable_progress_bar
    no_report: Any = logging.set_verbosity_error
    no_bars()
    no_report()


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _window(config: Any, tokenizer: Any) -> int:
    reads = getattr(config.get_text_config(), "max_position_embeddings", None)
    limits = [reads, tokenizer.model_max_length]
    known = [int(limit) for limit in limits if limit and 0 < limit < _NO_LIMIT]
    return min(known, default=_UNKNOWN_WINDOW)


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The instructions at the head of the first message, for templates that know no system."""
    rest = [message for message in messages if message["role"] != "system"]
    rules = [message["content"] for message in messages if message["role"] == "system"]
    if not rest:
        return list(messages)
    first = Message(role=rest[0]["role"], content="\n\n".join([*rules, rest[0]["content"]]))
    return [first, *rest[1:]]
