"""Pages that are scans: one JPEG fills the page, and nothing else is seen on it. Then the JPEG is the page's image.

A page's content is read as ISO 32000-1, 8 and 9, describe it, and only as far as this needs. What is not understood is
left to be drawn.
"""

import math
from dataclasses import dataclass, replace

import pikepdf

from scanner import image, pdf_guard
from scanner.errors import ImageRefusedError
from scanner.page import MAX_IMAGE_BYTES
from scanner.pdf_geometry import Box, Placement

MAX_CONTENT_BYTES = 8 << 20
"""Of a page's drawing instructions; a scan's are a line, and some hundred KB with invisible text."""

_DEEPEST = 8  # forms within forms
_TOLERANCE = 0.01
"""Of a page's side; scanners round."""

_STRETCH = 0.03
"""By which pixels may differ from squares; a fax of 204 by 98 dpi is to be drawn."""

_SHOW_TEXT = {"Tj", "TJ", "'", '"'}
_PAINT = {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "INLINE IMAGE"}
_INVISIBLE = 3  # text rendering mode
_CLIPPING = {4, 5, 6, 7}
_BLEND_MODES = {"/Normal", "/Compatible"}

# Quarter turns, clockwise, by where the image's x axis points in user space: right, down, left, up.
_AXES = ((1, 0), (0, -1), (-1, 0), (0, 1))
# The same for the EXIF orientations without a mirror image.
_EXIF_QUARTERS = {1: 0, 6: 1, 3: 2, 8: 3}


@dataclass(frozen=True, slots=True)
class Scan:
    """A page's JPEG, the quarter turns (clockwise) from the upright image to the page, and where things are on it."""

    jpeg: bytes
    quarters: int
    placement: Placement


class _DrawnError(Exception):
    """The page has to be drawn."""


@dataclass(frozen=True, slots=True)
class _State:
    """What counts here of the graphics state (8.4)."""

    matrix: pikepdf.Matrix
    text_mode: int = 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    stream: pikepdf.Stream
    matrix: pikepdf.Matrix


def find(page: pikepdf.Page, box: Box, quarters: int) -> Scan | None:
    """Return the scan that a page is, or None. The page has its boxes and resources itself.

    `quarters` are those of its own rotation. Raises what pikepdf raises for damaged content.
    """
    resources = page.obj.get("/Resources")
    if not isinstance(resources, pikepdf.Dictionary) or not _may_be(resources) or _has_annotations(page):
        return None
    reader = _Reader(box)
    try:
        reader.read(page.obj, resources, _State(pikepdf.Matrix()), 0)
        return _scan(reader.candidate, quarters) if reader.candidate else None
    except (_DrawnError, pdf_guard.TooMuchError):
        return None


def _may_be(resources: pikepdf.Dictionary) -> bool:
    """Tell at a glance whether there can be a JPEG."""
    objects = resources.get("/XObject")
    if not isinstance(objects, pikepdf.Dictionary):
        return False
    return any(value.get("/Subtype") == "/Form" or _is_jpeg(value) for _, value in objects.items())


def _is_jpeg(stream: pikepdf.Object) -> bool:
    kind = stream.get("/Filter")
    if isinstance(kind, pikepdf.Array) and len(kind) == 1:
        kind = kind[0]
    return kind in ("/DCTDecode", "/DCT")


def _has_annotations(page: pikepdf.Page) -> bool:
    """Tell whether anything is seen on the page beside its content; links are only there to be followed."""
    annotations = page.obj.get("/Annots")
    if annotations is None:
        return False
    return any(note.get("/Subtype") not in ("/Link", "/Popup") and "/AP" in note for note in annotations)


class _Reader:
    """Goes through a page's content; `candidate` is the opaque JPEG that fills the page and lies on top of it."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._unread = MAX_CONTENT_BYTES
        self.candidate: _Candidate | None = None

    def read(self, content: pikepdf.Object, resources: pikepdf.Dictionary, state: _State, depth: int) -> None:
        """Follow the instructions of a page or a form. Raises _DrawnError once it is no scan."""
        self._limit(content)
        saved: list[_State] = []
        path: list[str] = []
        rectangle: Box | None = None
        for operands, operator in pikepdf.parse_content_stream(content):
            match str(operator):
                case "q":
                    saved.append(state)
                case "Q" if saved:
                    state = saved.pop()
                case "cm":
                    state = replace(state, matrix=pikepdf.Matrix(*(float(o) for o in operands)) @ state.matrix)
                case "Tr":
                    state = replace(state, text_mode=int(operands[0]))
                    if state.text_mode in _CLIPPING:
                        raise _DrawnError
                case "gs":
                    _check_plain(_named(resources, "/ExtGState", operands[0]))
                case "BDC" if operands[0] == "/OC":  # what may be switched off
                    raise _DrawnError
                case "Do":
                    state = self._show(_named(resources, "/XObject", operands[0]), resources, state, depth)
                case "re":
                    path.append("re")
                    rectangle = _transformed(state.matrix, [float(o) for o in operands])
                case "m" | "l" | "c" | "v" | "y" | "h" as drawn:
                    path.append(drawn)
                case "W" | "W*":
                    if path != ["re"] or rectangle is None or not self._fills(rectangle):
                        raise _DrawnError
                case shows if shows in _SHOW_TEXT:
                    if state.text_mode != _INVISIBLE:
                        self._mark()
                case paints if paints in _PAINT:
                    self._mark()
                    path = []
                case "n":
                    path = []

    def _limit(self, content: pikepdf.Object) -> None:
        streams = content if isinstance(content, pikepdf.Stream) else content.get("/Contents", pikepdf.Array())
        for stream in streams if isinstance(streams, pikepdf.Array) else [streams]:
            if isinstance(stream, pikepdf.Stream):
                self._unread -= pdf_guard.unpacked_size(stream, self._unread)

    def _mark(self) -> None:
        """Something is painted: it is seen if the image is under it, and not if the image comes later."""
        if self.candidate:
            raise _DrawnError

    def _show(self, shown: pikepdf.Object, resources: pikepdf.Dictionary, state: _State, depth: int) -> _State:
        if shown.get("/OC") is not None or depth >= _DEEPEST:
            raise _DrawnError
        if shown.get("/Subtype") == "/Form":
            matrix = pikepdf.Matrix(shown.get("/Matrix", pikepdf.Array([1, 0, 0, 1, 0, 0])))
            inner = shown.get("/Resources")
            inner = inner if isinstance(inner, pikepdf.Dictionary) else resources
            self.read(shown, inner, replace(state, matrix=matrix @ state.matrix), depth + 1)
        elif isinstance(shown, pikepdf.Stream):
            if self._fills(_transformed(state.matrix, [0, 0, 1, 1])) and _is_plain_jpeg(shown):
                self.candidate = _Candidate(shown, state.matrix)
            else:
                self._mark()
        return state

    def _fills(self, shape: Box) -> bool:
        left, bottom, right, top = self._box
        across, up = _TOLERANCE * (right - left), _TOLERANCE * (top - bottom)
        return (
            shape[0] <= left + across
            and shape[1] <= bottom + up
            and shape[2] >= right - across
            and shape[3] >= top - up
        )


def _named(resources: pikepdf.Dictionary, kind: str, name: pikepdf.Object) -> pikepdf.Object:
    found = resources.get(kind, pikepdf.Dictionary()).get(str(name))
    if found is None:
        raise _DrawnError
    return found


def _check_plain(state: pikepdf.Object) -> None:
    blend = state.get("/BM", pikepdf.Name.Normal)
    if (
        float(state.get("/ca", 1)) != 1
        or str(blend) not in _BLEND_MODES
        or state.get("/SMask", pikepdf.Name("/None")) != "/None"
    ):
        raise _DrawnError


def _is_plain_jpeg(stream: pikepdf.Stream) -> bool:
    """Tell whether nothing but the JPEG itself says what it looks like."""
    parameters = stream.get("/DecodeParms")
    return (
        _is_jpeg(stream)
        and not any(name in stream for name in ("/SMask", "/Mask", "/Decode"))
        and not stream.get("/ImageMask", False)
        and (parameters is None or (isinstance(parameters, pikepdf.Dictionary) and "/ColorTransform" not in parameters))
        and int(stream.get("/Length", 0)) <= MAX_IMAGE_BYTES
        and _mode(stream.get("/ColorSpace")) is not None
    )


def _mode(space: pikepdf.Object | None) -> str | None:
    """Return what Pillow calls a colour space that a JPEG needs not be told, or None.

    A profile of RGB is left aside where it is sRGB's, which is what RGB without a profile is taken for.
    """
    if isinstance(space, pikepdf.Array) and len(space) == 2 and space[0] == "/ICCBased":
        count = int(space[1].get("/N", 0))
        return "L" if count == 1 else "RGB" if count == 3 and _is_srgb(space[1]) else None
    return {"/DeviceGray": "L", "/DeviceRGB": "RGB"}.get(str(space))


def _is_srgb(profile: pikepdf.Object) -> bool:
    if not isinstance(profile, pikepdf.Stream) or int(profile.get("/Length", 0)) > 64 << 10:
        return False
    pdf_guard.unpacked_size(profile, 1 << 20)
    data = profile.read_bytes()
    return b"sRGB" in data or "sRGB".encode("utf-16-be") in data


def _scan(candidate: _Candidate, quarters: int) -> Scan | None:
    a, b, c, d, *_ = candidate.matrix.shorthand
    size = max(abs(a), abs(b), abs(c), abs(d))
    axes = [(round(x / size, 2), round(y / size, 2)) for x, y in ((a, b), (c, d))] if size else []
    turns = _turns(axes)
    if turns is None:
        return None
    jpeg = candidate.stream.read_raw_bytes()
    try:
        opened = image.open_image(jpeg)
    except ImageRefusedError:
        return None
    stored = (int(candidate.stream.get("/Width", 0)), int(candidate.stream.get("/Height", 0)))
    upright = _EXIF_QUARTERS.get(image.orientation(opened))
    if (
        upright is None
        or not image.is_jpeg(opened)
        or opened.mode != _mode(candidate.stream.get("/ColorSpace"))
        or opened.size != stored
        or abs(math.hypot(a, b) / stored[0] / (math.hypot(c, d) / stored[1]) - 1) > _STRETCH
    ):
        return None
    return Scan(jpeg, (turns + quarters - upright) % 4, Placement(candidate.matrix, upright))


def _turns(axes: list[tuple[float, float]]) -> int | None:
    """Return the quarter turns of an image whose axes point there, or None where it is askew or mirrored."""
    for turns, (x, y) in enumerate(_AXES):
        across, up = axes or ((0, 0), (0, 0))
        along = x * across[0] + y * across[1]
        upwards = -y * up[0] + x * up[1]
        if (
            along > 0
            and upwards > 0
            and not any(abs(value) > 0.001 for value in (-y * across[0] + x * across[1], x * up[0] + y * up[1]))
        ):
            return turns
    return None


def _transformed(matrix: pikepdf.Matrix, rectangle: list[float]) -> Box:
    x, y, width, height = rectangle
    corners = [
        matrix.transform(corner) for corner in ((x, y), (x + width, y), (x, y + height), (x + width, y + height))
    ]
    across, up = zip(*corners, strict=True)
    return (min(across), min(up), max(across), max(up))
