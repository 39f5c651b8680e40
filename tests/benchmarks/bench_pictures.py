"""What sixels cost: time beside Pillow's reduction of colours, and bytes, at 640×360 pixels."""

from __future__ import annotations

from time import perf_counter

from tests.terminal.samples import PICTURES
from zoomtui.terminal.pictures import sixel
from zoomtui.terminal.pictures.cells import shrink


def main() -> None:
    for name, picture in PICTURES.items():
        pixels = shrink(picture, (640, 360))
        for colours, dithered in ((256, True), (64, True), (32, False)):
            reducing, encoding = [], []
            for _ in range(9):
                began = perf_counter()
                indexes, palette = sixel.quantised(pixels, colours, dithered=dithered)
                reduced = perf_counter()
                sequence = sixel.encode(indexes, palette)
                reducing.append(reduced - began)
                encoding.append(perf_counter() - reduced)
            print(
                f"sixels of {name}, {colours:3} colours: encoding {1000 * min(encoding):.0f} ms, "
                f"{min(encoding) / min(reducing):.1f} of reducing; {len(sequence) / 1024:.0f} KiB"
            )


if __name__ == "__main__":
    main()
