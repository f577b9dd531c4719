"""What cannot be balanced: told at the start, and to whoever asks for it.

UnsupportedError         a listener or a rule that is not emulated
DescriptionError         the engine does not say what there is
"""


class UnsupportedError(Exception):
    """A listener or a rule that is not emulated, or that AWS would refuse; `str(error)` is the reason."""


class DescriptionError(Exception):
    """The engine answered something else than what there is; `str(error)` says what."""
