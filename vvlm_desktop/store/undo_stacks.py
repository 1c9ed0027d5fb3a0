"""Which actions each reviewer can take back, and which they can do again.

Two stacks per reviewer. An action is put on `undo`, and empties `redo`. Taking it back is an action of its own, whose
events name the one they undo: it leaves `undo` and the new one goes on `redo`. Doing it again undoes that one.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, func, insert, select

from vvlm_desktop.domain.fold import FOLDED_KINDS
from vvlm_desktop.store import tables as t
from vvlm_desktop.store.chain import Link
from vvlm_desktop.store.derived import LINK_COLUMNS

Side: TypeAlias = Literal["undo", "redo"]


def top(connection: Connection, reviewer: str, side: Side) -> str | None:
    """The action that would be taken back (or done again) next."""
    u = t.undo_entry.c
    query = select(u.action_id).where(u.reviewer == reviewer, u.side == side).order_by(u.position.desc()).limit(1)
    found = connection.scalar(query)
    return None if found is None else str(found)


def record(connection: Connection, *, reviewer: str, action_id: str, undoes: str | None) -> None:
    """Put an action where it belongs; several events of one action count once."""
    if top(connection, reviewer, "undo") == action_id or top(connection, reviewer, "redo") == action_id:
        return
    if undoes is not None and top(connection, reviewer, "undo") == undoes:
        pop(connection, reviewer, "undo")
        _push(connection, reviewer, "redo", action_id=action_id)
    elif undoes is not None and top(connection, reviewer, "redo") == undoes:
        pop(connection, reviewer, "redo")
        _push(connection, reviewer, "undo", action_id=action_id)
    else:
        _push(connection, reviewer, "undo", action_id=action_id)
        u = t.undo_entry.c
        connection.execute(delete(t.undo_entry).where(u.reviewer == reviewer, u.side == "redo"))


def pop(connection: Connection, reviewer: str, side: Side) -> None:
    """Drop the top entry."""
    u = t.undo_entry.c
    highest = select(func.max(u.position)).where(u.reviewer == reviewer, u.side == side).scalar_subquery()
    connection.execute(delete(t.undo_entry).where(u.reviewer == reviewer, u.side == side, u.position == highest))


def _push(connection: Connection, reviewer: str, side: Side, *, action_id: str) -> None:
    u = t.undo_entry.c
    highest = connection.scalar(select(func.max(u.position)).where(u.reviewer == reviewer, u.side == side))
    row = {"reviewer": reviewer, "side": side, "position": int(highest or 0) + 1, "action_id": action_id}
    connection.execute(insert(t.undo_entry), [row])


def expected(connection: Connection) -> list[tuple[str, str, int, str]]:
    """What the stacks should hold, from the events of this library's own chains alone."""
    stacks: dict[str, dict[Side, list[str]]] = {}
    own = select(t.origin.c.origin).where(t.origin.c.own)
    e = t.event_log.c
    query = (
        select(*LINK_COLUMNS)
        .where(e.origin.in_(own), e.kind.in_(FOLDED_KINDS), e.payload.is_not(None))
        .order_by(e.lamport, e.origin, e.seq)
    )
    for row in connection.execute(query):
        event = Link(*row).event()
        sides = stacks.setdefault(event.reviewer, {"undo": [], "redo": []})
        _replay(sides, action_id=event.action_id, undoes=event.undoes)
    return sorted(
        (reviewer, side, position, action_id)
        for reviewer, sides in stacks.items()
        for side, actions in sides.items()
        for position, action_id in enumerate(actions, start=1)
    )


def _replay(sides: dict[Side, list[str]], *, action_id: str, undoes: str | None) -> None:
    undo, redo = sides["undo"], sides["redo"]
    if action_id in (undo[-1:] + redo[-1:]):
        return
    if undoes is not None and undo[-1:] == [undoes]:
        undo.pop()
        redo.append(action_id)
    elif undoes is not None and redo[-1:] == [undoes]:
        redo.pop()
        undo.append(action_id)
    else:
        undo.append(action_id)
        redo.clear()


def stored(connection: Connection) -> list[tuple[str, str, int, str]]:
    """What the stacks hold."""
    u = t.undo_entry.c
    return sorted(connection.execute(select(u.reviewer, u.side, u.position, u.action_id)).all())


def rebuild(connection: Connection) -> None:
    """Store what `expected` says."""
    connection.execute(delete(t.undo_entry))
    rows = [
        {"reviewer": reviewer, "side": side, "position": position, "action_id": action_id}
        for reviewer, side, position, action_id in expected(connection)
    ]
    if rows:
        connection.execute(insert(t.undo_entry), rows)
