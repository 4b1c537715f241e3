"""How it goes on at several steps: fan-out, choice, merge."""

from __future__ import annotations

from jupyter_graph.compile.generator.code_writer import DEEPEST, Next
from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.spec.model import START


class BranchWriter(StepWriter):
    """Writes branches: as functions that are called, or one below the other."""

    def _is_inline(self, target: str) -> bool:
        return len(self.upstream[target]) == 1 and not self.shapes.waits(target)

    def _branch(
        self,
        places: str,
        twins: str,
        depth: int,
        answered: bool,
        name: str,
    ) -> None:
        helper = "await together" if self.is_async else "branches"
        origin = name if name != START else ""
        self._finish(f"{helper}({places}, {twins}{self.more})", depth, answered, origin)

    def _asked(self, name: str) -> str:
        """Return what a choice is asked about: the body, or storey's full event."""
        is_full = self.steps[name].full_event and self.codes[name].is_storey
        return self.it if is_full else self.value

    def _pick(self, name: str, targets: tuple[str, ...], depth: int) -> None:
        ident = self._outlets(name, targets)
        picked = f"{ident}_select({self._asked(name)})"
        self._line(
            depth, f"targets = chosen({picked}, {ident}_outlets, {name!r})", name
        )

    def _is_written_choice(self, name: str, depth: int, *, picked: bool) -> bool:
        if name not in self.codes or not self.codes[name].selects or picked:
            return False
        return depth < DEEPEST and self.shapes.is_choice(name)

    def _choice(
        self, name: str, targets: tuple[str, ...], depth: int, answered: bool
    ) -> Next:
        """Write a choice out: one outlet is an ``if``, all else goes by the table."""
        ident = self._outlets(name, targets)
        rejoined = self.shapes.where_it_rejoins(name)
        asked = f"{ident}_select({self._asked(name)})"
        field = self.shapes.field_of(name)
        if field is None:
            self._line(depth, f"picked = {asked}", name)
            self._line(depth, "if type(picked) is list and len(picked) == 1:")
            self._line(depth + 1, "picked = picked[0]")
        else:
            got = f"{self.value}.get({field!r}) if type({self.value}) is dict else None"
            self._line(depth, f"picked = {got}", name)
        word = "if"
        for target in targets:
            self._line(depth, f"{word} picked == {target!r}:", name)
            if rejoined is not None:
                self._run_step(target, depth + 1, answered=answered)
            else:
                self._in_line((target, answered), depth + 1)
            word = "elif"
        self._line(depth, "else:")
        picked = "picked" if field is None else asked
        self._line(
            depth + 1, f"targets = chosen({picked}, {ident}_outlets, {name!r})", name
        )
        twins = f"twins({self.it}, len(targets))"
        self._branch("targets", twins, depth + 1, answered, name)
        return None if rejoined is None else (rejoined, answered)

    def _merged(self, name: str, depth: int) -> tuple[str, dict[str, list[str]]] | None:
        """Return merge and chains of a fan-out that can be written out here."""
        if name not in self.next or self.takes_event or depth >= DEEPEST:
            return None
        if self.graph.on_error:
            return None  # it answers for each branch, with what that step got
        found = self.shapes.where_it_merges(name)
        if found is None:
            return None
        chains = found[1].values()
        waits = any(self.codes[one].is_awaited for chain in chains for one in chain)
        counted = any(one in self.counted for chain in chains for one in chain)
        return None if waits or counted else found

    def _fan_out(
        self,
        merge: str,
        chains: dict[str, list[str]],
        depth: int,
    ) -> str:
        """Write branches one below the other; all run, then the first failure."""
        parts = {last: f"{self.names[chain[0]]}_part" for last, chain in chains.items()}
        first, *others = parts.values()
        self._line(depth, f"{first} = body")
        for part in others:
            self._line(depth, f"{part} = twin(body)")
        self._line(depth, "failed = None")
        for last, chain in chains.items():
            self._line(depth, "try:")
            for name in chain:
                self._run_step(name, depth + 1, variable=parts[last])
            self._line(depth, "except BaseException as error:")
            self._line(depth + 1, "failed = first_failure(failed, error)")
        self._line(depth, "if failed is not None:")
        self._line(depth + 1, "raise failed")
        merged = ", ".join(parts[last] for last in self.steps[merge].after)
        self._line(depth, f"body = [{merged}]")
        return merge
