"""``python -m tests.film.writer FOLDER SEGMENTS``: a film of that many segments, to be killed.

Opens what is in FOLDER and goes on; says ``ready`` before the first new segment. The last segment
closes the film. LIMIT in the environment is the largest file, in bytes, that may be written.
"""

from __future__ import annotations

import os
import resource
import sys
from itertools import count
from pathlib import Path

from renderer.errors import RendererError
from renderer.film.encode import encode_segment
from renderer.film.hls import Playlists
from renderer.film.store import FilmStore
from renderer.journal import Journal
from tests.export.barcode import encoding, frames

LENGTHS = (12, 9, 1, 15)


def write(folder: Path, segments: int | None) -> FilmStore:
    """Add segments until there are so many; None: without end."""
    path, how = folder / "journal.jsonl", encoding(preset="veryfast")
    journal = Journal.open(path) if path.exists() else Journal.create(path)
    store = FilmStore.open(folder / "film.mp4", journal)
    playlists = Playlists(folder, "film.mp4", how.fps)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for index in count(store.next_segment):
        if segments is not None and index >= segments:
            break
        closing = index + 1 == segments
        length = 1 if closing else LENGTHS[index % len(LENGTHS)]
        pictures = frames(store.frames, length)
        encoded = encode_segment(pictures, how, first_frame=store.frames, index=index)
        store.append(encoded, closing=closing)
        playlists.write(store.segments, store.header_length, finished=store.finished)
    store.close()
    journal.close()
    return store


def main() -> None:
    limit = int(os.environ.get("LIMIT", resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    folder, segments = sys.argv[1:]
    try:
        write(Path(folder), None if segments == "inf" else int(segments))
    except RendererError as error:
        sys.stderr.write(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
