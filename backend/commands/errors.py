"""What a person reads when a command fails."""

from __future__ import annotations

from backend import faults

UNFORESEEN = (
    "This should not have happened: {where}. Set SOCIALITE_DEBUG=1 and run it again to see all of it, "
    "and tell the makers."
)


def sentence(error: Exception) -> str:
    """The message of an error of ours; of any other only its kind and place, since its message may quote a text."""
    if type(error).__module__.partition(".")[0] in (*faults.OURS, "__main__"):
        return str(error) or str(type(error).__doc__)
    if isinstance(error, OSError) and error.strerror:
        about = f" {error.filename}:" if error.filename else ""
        return f"The operating system refused:{about} {error.strerror}. Check that file or address, and try again."
    return UNFORESEEN.format(where=faults.where(error))
