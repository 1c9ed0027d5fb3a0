"""What choosing a card or an adapter does to the settings."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.card_view import AdapterView, CardView
from vvlm_desktop.ui.sheet import Answer, Question
from vvlm_desktop.ui.words import shown


def with_card(settings: Settings, card: CardView) -> Settings:
    """Analyse uses this card; an adapter stays only with the model it belongs to."""
    if card.backend != "local":
        return settings.model_copy(update={"backend": card.backend})
    adapter = settings.local_adapter if settings.local_model == card.key else ""
    return settings.model_copy(update={"backend": "local", "local_model": card.key, "local_adapter": adapter})


def with_adapter(settings: Settings, adapter: AdapterView) -> Settings:
    """Analyse uses this adapter on its base."""
    base = adapter.base_key or settings.local_model
    return settings.model_copy(update={"backend": "local", "local_model": base, "local_adapter": adapter.key})


def unmeasured_question(adapter: AdapterView, *, on_yes: Callable[[Answer], object]) -> Question:
    """Asked before an adapter from elsewhere becomes what Analyse uses: nothing here can show that it is better."""
    return Question(
        f"Use {shown(adapter.title)} although it was never measured here?",
        on_yes,
        "Use it all the same",
        facts=(("Adapter", shown(adapter.title)), ("For", shown(adapter.base))),
        sentence=(
            "It comes from elsewhere, so no test clips of yours say whether it is better than what is in use. That you"
            " chose it is written into the library's log. For a single analysis, take “Analyse with…” instead."
        ),
        icon="adapter",
    )


def without_adapter(settings: Settings) -> Settings:
    """The model alone."""
    return settings.model_copy(update={"local_adapter": ""})


def without_card(settings: Settings, key: str) -> Settings:
    """As it was where `key` is not in use, else the built-in analysis: nothing chosen must point to nothing."""
    if settings.local_model != key:
        return settings
    backend = "signals" if settings.backend == "local" else settings.backend
    return settings.model_copy(update={"backend": backend, "local_model": "", "local_adapter": ""})
