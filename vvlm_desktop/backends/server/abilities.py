"""What a server can do, found out once and remembered: enforce a schema, give probabilities."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import openai

from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.server.asking import NotUnderstoodError, chat
from vvlm_desktop.backends.server.failures import is_about_the_request
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_json import gemini_schema, json_schema
from vvlm_desktop.errors import CloudError

#: `strict` with every bound, `portable` without what some servers refuse, `object` in the older way that
#: llama-cpp-python has, `none` where the schema is only a wish.
SchemaUse: TypeAlias = Literal["strict", "portable", "object", "none"]
_FOLLOWING: dict[SchemaUse, SchemaUse] = {"strict": "portable", "portable": "object", "object": "none"}

_WORD = "vvlm-probe"
_PROBE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"answer": {"type": "string", "enum": [_WORD]}},
    "required": ["answer"],
}
_PROBE_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Abilities:
    """What is asked of a server."""

    schema: SchemaUse
    logprobs: bool

    def response_format(self, schema: LabelSchema) -> dict[str, Any] | None:
        """What to send along so that answers obey `schema`, None for nothing."""
        return self.form_of(gemini_schema(schema) if self.schema == "portable" else json_schema(schema))

    def form_of(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """The same for a JSON schema."""
        if self.schema == "none":
            return None
        if self.schema == "object":
            return {"type": "json_object", "schema": document}
        return {"type": "json_schema", "json_schema": {"name": "labels", "strict": True, "schema": document}}

    def fallbacks(self) -> Iterator[Abilities]:
        """This, and what to ask for in turn after refusals; a server seldom says which part it does not know."""
        wanted: Abilities | None = self
        while wanted is not None:
            yield wanted
            if self.logprobs:
                yield replace(wanted, logprobs=False)
            wanted = replace(wanted, schema=_FOLLOWING[wanted.schema]) if wanted.schema in _FOLLOWING else None


@dataclass
class KnownAbilities:
    """Per server and model; the first clip asks, the others wait for its answer."""

    _found: dict[tuple[str, str], Abilities] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(
        self, client: openai.OpenAI, options: ServerOptions, *, model: str, cancelled: Callable[[], bool]
    ) -> Abilities:
        """What the server is known to do, after one request without any picture where that is not known yet."""
        with self._lock:
            key = (options.base_url, model)
            if key not in self._found:
                self._found[key] = probe(client, options, model=model, cancelled=cancelled)
            return self._found[key]

    def remember(self, options: ServerOptions, abilities: Abilities, *, model: str) -> None:
        """The server was seen to do only this."""
        with self._lock:
            self._found[(options.base_url, model)] = abilities


def probe(client: openai.OpenAI, options: ServerOptions, *, model: str, cancelled: Callable[[], bool]) -> Abilities:
    """Ask for a greeting under a schema that forbids it: only a server that enforces schemas answers with our word."""
    hello = [{"role": "user", "content": "Say hello."}]
    for wanted in Abilities("strict", logprobs=options.logprobs).fallbacks():
        try:
            said = chat(
                client,
                options,
                hello,
                model=model,
                max_tokens=_PROBE_TOKENS,
                response_format=wanted.form_of(_PROBE),
                logprobs=wanted.logprobs,
                extra=None,
                cancelled=cancelled,
            )
        except openai.APIStatusError as error:
            if not is_about_the_request(error):
                raise
        except NotUnderstoodError:
            raise  # pictures do not go to whatever that is
        except CloudError:
            break
        else:
            enforced = wanted.schema != "none" and _obeys(said.text)
            return Abilities(wanted.schema if enforced else "none", logprobs=wanted.logprobs and bool(said.tokens))
    return Abilities("none", logprobs=False)


def _obeys(text: str) -> bool:
    try:
        return bool(json.loads(text) == {"answer": _WORD})
    except ValueError:
        return False
