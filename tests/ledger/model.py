"""A model of the ledger in a few lines, independent of the real code, with which the properties are checked.

It has envelopes, charges and the rules of who may charge, but no audit records, chains, keys or storage.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Charge:
    session: int
    envelopes: tuple[str, ...]
    held: int = 0
    spent: int = 0
    state: str = "spent"
    kernel: str = ""
    until: int | None = None
    estimated: bool = False
    """Whether the charge was settled as an estimate and is not adjusted yet."""


@dataclass
class Session:
    notebook: str
    level: int
    open: bool = True
    outer: tuple[str, ...] = ()
    categories: set[str] = field(default_factory=set)


@dataclass
class Model:
    """Ceilings by the names of envelopes; each sum is computed anew from all charges."""

    ceilings: dict[str, int] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    charges: dict[str, Charge] = field(default_factory=dict)
    current: dict[str, int] = field(default_factory=dict)
    configured: dict[str, int] = field(default_factory=dict)
    """The ceilings around each notebook, by ``notebook`` and ``server``."""

    def session(self, notebook: str) -> Session | None:
        number = self.current.get(notebook)
        return None if number is None or not self.sessions[number].open else self.sessions[number]

    def open(self, notebook: str, budget: int, level: int) -> None:
        self.close(notebook)
        number = len(self.sessions)
        self.sessions.append(Session(notebook, level))
        self.current[notebook] = number
        self.ceilings[f"session {number}"] = budget
        self.enclose(number)

    def close(self, notebook: str) -> None:
        session = self.session(notebook)
        if session is not None:
            session.open = False

    def configure(self, configured: dict[str, int]) -> None:
        if configured == self.configured:
            return
        self.configured = configured
        for number, session in enumerate(self.sessions):
            if session.open:
                self.enclose(number)

    def enclose(self, number: int) -> None:
        session = self.sessions[number]
        subjects = {"notebook": f"notebook {session.notebook}", "server": "server"}
        session.outer = tuple(subjects[kind] for kind in ("notebook", "server") if kind in self.configured)
        for kind, ceiling in self.configured.items():
            self.ceilings[subjects[kind]] = ceiling

    def budget(self, notebook: str, category: str, ceiling: int) -> None:
        session = self.session(notebook)
        assert session is not None
        session.categories.add(category)
        self.ceilings[self.category(notebook, category)] = ceiling

    def category(self, notebook: str, category: str) -> str:
        return f"category {self.current[notebook]} {category}"

    def figures(self, envelope: str) -> tuple[int, int]:
        """Return the amount that is spent and held in an envelope."""
        inside = [charge for charge in self.charges.values() if envelope in charge.envelopes]
        return sum(charge.spent for charge in inside), sum(charge.held for charge in inside)

    def fits(self, envelopes: tuple[str, ...], amount: int) -> bool:
        return all(sum(self.figures(envelope)) + amount <= self.ceilings[envelope] for envelope in envelopes)

    def envelopes(self, notebook: str, category: str | None) -> tuple[str, ...]:
        number = self.current[notebook]
        inner = () if category is None else (self.category(notebook, category),)
        return (*inner, f"session {number}", *self.sessions[number].outer)

    def verdict(self, notebook: str, category: str | None, amount: int) -> str | None:
        """Return the code with which a charge is refused; None where it is allowed."""
        session = self.session(notebook)
        if session is None:
            return "NO_SESSION"
        if session.level < 1:
            return "TRUST_LEVEL_INSUFFICIENT"
        return None if self.fits(self.envelopes(notebook, category), amount) else "BUDGET_EXCEEDED"

    def charge(self, id: str, notebook: str, category: str | None, charge: Charge) -> None:
        charge.session = self.current[notebook]
        charge.envelopes = self.envelopes(notebook, category)
        self.charges[id] = charge

    def expire(self, now: int) -> None:
        for charge in self.charges.values():
            if charge.state in ("held", "unresolved") and charge.until is not None and charge.until <= now:
                charge.state, charge.held = "expired", 0
