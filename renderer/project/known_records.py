"""What the readable records of a damaged journal still tell, where others are missing between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from renderer.film.records import REWIND
from renderer.journal import Record
from renderer.project.history import KEYFRAME, STEER, TAKE, History, Rewind
from renderer.project.records import keyframe_path


@dataclass(frozen=True, slots=True)
class Known:
    """Keyframes, takes and steering."""

    project: Record | None
    """The first record."""
    chosen: dict[int, Record]
    """Those that make the film, by keyframe; some may be missing."""
    takes: dict[tuple[int, int], Record]
    """All, by keyframe and take."""
    history: History

    @classmethod
    def of(cls, records: Sequence[Record]) -> Known:
        """A keyframe that comes after a later one stands for a rewind whose record is lost."""
        chosen: dict[int, Record] = {}
        takes: dict[tuple[int, int], Record] = {}
        sound: list[Record] = []
        for record in records:
            if record["type"] in (KEYFRAME, TAKE):
                takes[record["keyframe"], record.get("take", 1)] = record
            if record["type"] in (KEYFRAME, REWIND):
                start = record["keyframe"]
                numbered = list(enumerate(record.get("takes", ()), start))
                if any(each not in takes for each in numbered):
                    continue  # it needs a record that is lost
                if record["type"] == KEYFRAME and start in chosen:
                    sound.append({"type": REWIND, "keyframe": start})
                chosen = {each: chosen[each] for each in chosen if each < start}
                chosen |= {each[0]: takes[each] for each in numbered}
                chosen |= {start: record} if record["type"] == KEYFRAME else {}
            sound.append(record)
        project = next((each for each in records if each["type"] == "project"), None)
        return cls(project, chosen, takes, History(sound))

    @property
    def steering(self) -> list[Record]:
        return [{"type": STEER, **asdict(each)} for each in self.history.steering]

    def lost_take(self, keyframe: int) -> int:
        """Which take of ``keyframe`` the film has, whose record is lost."""
        following = self.chosen.get(keyframe + 1)
        return following.get("around", 1) if following else self.history.next_take(keyframe)

    def takes_beside(self, folder: Path, keyframes: Sequence[Record]) -> list[Record]:
        """Records of the takes that are kept beside ``keyframes``, and of what is painted next."""
        used = {(each["keyframe"], each.get("take", 1)) for each in keyframes}
        kept: list[Record] = [
            {**record, "type": TAKE}
            for (keyframe, take), record in sorted(self.takes.items())
            if (keyframe, take) not in used and keyframe_path(folder, keyframe, take).exists()
        ]
        for keyframe, variation in self.history.variations_from(len(keyframes)):
            again = Rewind(keyframe, variation=variation)
            kept.append({"type": REWIND, **asdict(again), "takes": []})
        return [*kept, *self.history.mark_records(), *self.history.place_records()]

    def all_but_film(self, folder: Path) -> list[Record]:
        """What a repair must not lose, as it writes it."""
        chosen = [self.chosen[keyframe] for keyframe in sorted(self.chosen)]
        project = [self.project] if self.project else []
        beside = [each for each in self.takes_beside(folder, chosen) if each["type"] != REWIND]
        return [*project, *self.steering, *chosen, *beside]
