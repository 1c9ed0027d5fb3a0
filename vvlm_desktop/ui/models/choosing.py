"""What choosing a card or an adapter does to the settings."""

from __future__ import annotations

from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.card_view import AdapterView, CardView


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


def without_adapter(settings: Settings) -> Settings:
    """The model alone."""
    return settings.model_copy(update={"local_adapter": ""})


def without_card(settings: Settings, key: str) -> Settings:
    """As it was where `key` is not in use, else the built-in analysis: nothing chosen must point to nothing."""
    if settings.local_model != key:
        return settings
    backend = "signals" if settings.backend == "local" else settings.backend
    return settings.model_copy(update={"backend": backend, "local_model": "", "local_adapter": ""})
