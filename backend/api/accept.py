"""What a caller would rather have, by the header Accept (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence


def preferred(header: str, offered: Sequence[str]) -> str:
    """The media type of highest quality among those offered; the first of them where several are, or none is wanted."""
    wanted = dict(_parts(header))
    return max(offered, key=lambda media: _quality(wanted, media))  # max keeps the first


def _quality(wanted: dict[str, float], media: str) -> float:
    """What the header says of the type itself, else of all of its kind, else of all."""
    for pattern in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if pattern in wanted:
            return wanted[pattern]
    return 0.0


def _parts(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        try:
            found.append((media, float(quality)))
        except ValueError:
            found.append((media, 0.0))
    return found
