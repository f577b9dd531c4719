"""The OCR engine: RapidOCR with the PP-OCRv6 models of its wheel, on OpenVINO or, without that, on ONNX Runtime.

RapidOCR finds strips of text and reads them. Its own word boxes are not used: they pair a word with the confidence of
one character, slip by one at every space, and end in the middle of letters. Here each character keeps its place and its
confidence, words end at white space, and their edges stand where the ink does.
"""

import importlib.util
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from math import ceil, prod
from statistics import fmean
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from PIL import Image
from rapidocr import EngineType, RapidOCR

from samhost.textract.orientation import begun_along, likely_direction, most_text_first
from samhost.textract.page import Line, Quad, Word

if TYPE_CHECKING:
    from rapidocr.ch_ppocr_det import TextDetOutput
    from rapidocr.ch_ppocr_rec.typings import WordInfo

# The longest side of what the detector gets, px: 4,000 takes 2.7 times as long and finds no more.
_DETECTION_SIDE = 2000
# OpenVINO keeps memory for every input shape that it has met, so sides are rounded up to multiples of these (px): after
# 48 pages of as many shapes 1.8 GB at most, against 2.5 GB and growing.
_DETECTION_STEP = 64
_STRIP_STEP = 160
# The detector enlarges its input until the shorter side has 736 px, so that a narrow image would take gigabytes: the
# shorter side is padded to this part of the longer one.
_LEAST_SIDE = 1 / 3
# The recogniser's input, px: its height, the least width that RapidOCR gives it, and the most that a strip is worth:
# about 200 characters. A ruled line may be taken for a strip too, a thousand times as long as it is high.
_STRIP_HEIGHT = 48
_MIN_STRIP_WIDTH = 320
_MAX_STRIP_WIDTH = 4800
# Mid-grey is zero to the recogniser, and what RapidOCR pads with.
_PADDING = (127, 127, 127)
# Strips whose characters have a lower mean confidence are noise (RapidOCR's own default).
_MIN_CONFIDENCE = 0.5
# Strips this many times taller than wide are vertical lines, or else one narrow character: every way is tried.
_TALL = 1.5
# The way that a page's text runs is judged by this many strips. Read the right way, their characters had a mean
# confidence of 0.97 to 1 on 20 pages in the scripts that the models know, upside down 0.2 to 0.75; a few characters may
# do well either way. Of text that cannot be read at all, neither way is clearly better.
_SAMPLE = 8
_DOUBTFUL = 0.9
_FEW_CHARACTERS = 20
_CLEARLY_BETTER = 0.1
# Of a strip's height, above and below: detected strips are about a quarter taller than their text.
_TRIM = 0.12
# White space of this many strip heights ends a word, even if the recogniser saw no space; beside Chinese and Japanese
# characters, whose punctuation is mostly white, it takes the second. None within a character is as wide as the third.
_WORD_GAP = 0.5
_WIDE_WORD_GAP = 1.0
_CHARACTER_GAP = 0.25


@dataclass(frozen=True, slots=True)
class _Strip:
    """Text cut out upright, `_STRIP_HEIGHT` px high, in BGR; `to_page` is the perspective matrix back to the page."""

    pixels: np.ndarray
    to_page: np.ndarray


@dataclass(frozen=True, slots=True)
class _Character:
    """What the recogniser read at `x`, the px of the strip in the middle of the character (meaningless for a space)."""

    text: str
    confidence: float
    x: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the recogniser made of a strip."""

    strip: _Strip
    characters: Sequence[_Character]

    @property
    def certainty(self) -> float:
        """Mean confidence of the characters; 0 where there are none but white space."""
        if not any(character.text.strip() for character in self.characters):
            return 0.0
        return fmean(character.confidence for character in self.characters)


class RapidOcrEngine:
    """RapidOCR, loaded and ready, on `backend` (default: OpenVINO where it is installed)."""

    def __init__(self, backend: EngineType | None = None) -> None:
        if backend is None:
            backend = EngineType.OPENVINO if importlib.util.find_spec("openvino") else EngineType.ONNXRUNTIME
        # OpenVINO reports its use to Google Analytics, unasked, where its telemetry package can be imported.
        sys.modules["openvino_telemetry"] = None  # pyright: ignore[reportArgumentType]
        self.name = f"rapidocr {version('rapidocr')} ({backend.value})"
        self._rapidocr = RapidOCR(
            params={
                "Global.use_cls": False,  # the classifier for upside-down lines turns more good lines than bad ones
                "Global.use_rec": False,  # a call detects only; strips are cut out and read here
                "Global.return_word_box": True,
                "Global.log_level": "error",
                "Det.engine_type": backend,
                "Rec.engine_type": backend,
            }
        )
        # RapidOCR loads its models when they are first used.
        self._detect(np.full((_DETECTION_STEP, _DETECTION_STEP, 3), 255, np.uint8))
        self._recognise([np.full((_STRIP_HEIGHT, _MIN_STRIP_WIDTH, 3), 255, np.uint8)])

    def read(self, image: Image.Image) -> list[Line]:
        """Return the strips of text found in an RGB image, whichever way up it is; neighbouring columns may share one.

        First the strips with most text are read, as if the page were upright or, if most strips are tall, turned
        clockwise. Only where that gives doubtful text, they are read the other way, too.
        """
        pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
        quads = most_text_first(self._detect(pixels))
        sample, others = quads[:_SAMPLE], quads[_SAMPLE:]
        direction = likely_direction(quads)
        readings = self._read(pixels, begun_along(sample, direction))
        if _is_doubtful(readings):
            opposite = self._read(pixels, begun_along(sample, -direction))
            if _overall_certainty(opposite) > _overall_certainty(readings) + _CLEARLY_BETTER:
                direction, readings = -direction, opposite
        readings += self._read(pixels, begun_along(others, direction))
        return [
            Line(_words(reading.strip, reading.characters))
            for reading in readings
            if reading.certainty >= _MIN_CONFIDENCE
        ]

    def _read(self, pixels: np.ndarray, quads: np.ndarray) -> list[_Reading]:
        """Return what each strip says, in whichever of its alternatives is the most certain."""
        alternatives = [_cut_out(pixels, quad) for quad in quads]
        texts = iter(self._recognise([strip.pixels for strips in alternatives for strip in strips]))
        return [
            max((_Reading(strip, next(texts)) for strip in strips), key=lambda reading: reading.certainty)
            for strips in alternatives
        ]

    def _detect(self, pixels: np.ndarray) -> np.ndarray:
        """Return the quads of the strips of text: (n, 4, 2), px of the page."""
        height, width = pixels.shape[:2]
        scale = min(1.0, _DETECTION_SIDE / max(height, width))
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        sides = [max(side, _LEAST_SIDE * max(pixels.shape)) for side in pixels.shape[:2]]
        below, right = (
            ceil(side / _DETECTION_STEP) * _DETECTION_STEP - own for side, own in zip(sides, pixels.shape, strict=False)
        )
        paper = np.median(pixels[::8, ::8], axis=(0, 1)).tolist()
        padded = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_CONSTANT, value=paper)
        quads = cast("TextDetOutput", self._rapidocr(padded)).boxes
        if quads is None:
            return np.empty((0, 4, 2), np.float32)
        return np.minimum(quads / scale, (width, height)).astype(np.float32)

    def _recognise(self, strips: Sequence[np.ndarray]) -> list[list[_Character]]:
        """Return the characters in each strip, which may be none."""
        by_width = defaultdict(list)
        for index, pixels in enumerate(strips):
            by_width[max(_MIN_STRIP_WIDTH, ceil(pixels.shape[1] / _STRIP_STEP) * _STRIP_STEP)].append(index)
        readings: list[list[_Character]] = [[] for _ in strips]
        for width, indices in by_width.items():
            output = self._rapidocr.recognize_txt([_widen(strips[index], width) for index in indices])
            infos = cast("Sequence[WordInfo]", output.word_results)
            for index, text, info in zip(indices, output.txts or (), infos, strict=True):
                # Confidences are of all characters, columns only of those that are no white space.
                columns = iter([column for word in info.word_cols for column in word])
                for character, confidence in zip(text, info.confs, strict=False):
                    x = 0 if character.isspace() else int((next(columns) + 0.5) * width / info.line_txt_len)
                    readings[index].append(_Character(character, confidence, min(x, strips[index].shape[1] - 1)))
        return readings


def _widen(pixels: np.ndarray, width: int) -> np.ndarray:
    return cv2.copyMakeBorder(pixels, 0, 0, 0, width - pixels.shape[1], cv2.BORDER_CONSTANT, value=_PADDING)


def _cut_out(pixels: np.ndarray, quad: np.ndarray) -> list[_Strip]:
    """Return the strip in `quad` as it stands and, if it is tall, also as text that runs downwards, and upwards."""
    start_top, end_top, end_bottom, start_bottom = quad
    width = max(1, ceil(max(np.linalg.norm(end_top - start_top), np.linalg.norm(end_bottom - start_bottom))))
    height = max(1, ceil(max(np.linalg.norm(start_bottom - start_top), np.linalg.norm(end_bottom - end_top))))
    strips = [_straighten(pixels, quad, width, height)]
    if height >= _TALL * width:
        strips += [_straighten(pixels, np.roll(quad, turns, axis=0), height, width) for turns in (-1, 1)]
    return strips


def _straighten(pixels: np.ndarray, quad: np.ndarray, width: int, height: int) -> _Strip:
    # At its own size first: to shrink while turning would skip pixels.
    to_strip = cv2.getPerspectiveTransform(quad, _rectangle(0, 0, width, height))
    strip = cv2.warpPerspective(
        pixels, to_strip, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    width = min(ceil(width * _STRIP_HEIGHT / height), _MAX_STRIP_WIDTH)
    interpolation = cv2.INTER_AREA if height > _STRIP_HEIGHT else cv2.INTER_LINEAR
    strip = cv2.resize(strip, (width, _STRIP_HEIGHT), interpolation=interpolation)
    return _Strip(strip, cv2.getPerspectiveTransform(_rectangle(0, 0, width, _STRIP_HEIGHT), quad))


def _rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _is_doubtful(readings: Sequence[_Reading]) -> bool:
    return (
        sum(len(reading.characters) for reading in readings) < _FEW_CHARACTERS
        or _overall_certainty(readings) < _DOUBTFUL
    )


def _overall_certainty(readings: Sequence[_Reading]) -> float:
    return fmean([character.confidence for reading in readings for character in reading.characters] or [0.0])


def _words(strip: _Strip, characters: Sequence[_Character]) -> list[Word]:
    """Group characters, not all of them white space, into words.

    A word's confidence is the probability that all of its characters are right. Scripts without spaces give long words.
    """
    ink = _ink(strip.pixels)
    visible = [character for character in characters if not character.text.isspace()]
    words: list[list[_Character]] = [[]]
    edges = [visible[0].x - _reach(ink[visible[0].x :: -1])]
    spaced = False
    for character in characters:
        if character.text.isspace():
            spaced = bool(words[-1])
            continue
        if words[-1]:
            before = words[-1][-1]
            end, start = _gap(ink, before.x, character.x)
            least = _WIDE_WORD_GAP if _is_wide(before) or _is_wide(character) else _WORD_GAP
            if spaced or start - end >= least * _STRIP_HEIGHT:
                edges += [end, start]
                words.append([])
        words[-1].append(character)
        spaced = False
    edges.append(visible[-1].x + _reach(ink[visible[-1].x :]))
    return [
        Word(
            "".join(character.text for character in word),
            prod(character.confidence for character in word),
            _to_page(strip, left, right),
        )
        for word, left, right in zip(words, edges[::2], edges[1::2], strict=True)
    ]


def _is_wide(character: _Character) -> bool:
    return unicodedata.east_asian_width(character.text[0]) in "WF"


def _ink(pixels: np.ndarray) -> np.ndarray:
    """Return for each column of a strip whether there is ink, dark on light or light on dark."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    contrast = cv2.absdiff(grey, np.full_like(grey, np.median(grey)))
    _, ink = cv2.threshold(contrast, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    margin = round(_TRIM * _STRIP_HEIGHT)
    return ink[margin:-margin].any(axis=0)


def _gap(ink: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """Return the widest run of columns without ink from `start` to `end`; where there is none, an empty one halfway."""
    marks = [start - 1, *(start + np.flatnonzero(ink[start:end])).tolist(), end]
    before, after = max(pairwise(marks), key=lambda run: run[1] - run[0])
    return (before + 1, after) if after - before > 1 else ((start + end) // 2, (start + end) // 2)


def _reach(ink: np.ndarray) -> int:
    """Return how many columns the character that holds the first one goes on for."""
    reach = 0
    for column in np.flatnonzero(ink).tolist():
        if column - reach > _CHARACTER_GAP * _STRIP_HEIGHT:
            break
        reach = column + 1
    return reach


def _to_page(strip: _Strip, left: float, right: float) -> Quad:
    """Return the quad of the columns from `left` to `right`, without the strip's margins."""
    rectangle = _rectangle(left, _TRIM * _STRIP_HEIGHT, right, (1 - _TRIM) * _STRIP_HEIGHT)
    a, b, c, d = cv2.perspectiveTransform(rectangle[None], strip.to_page)[0].tolist()
    return (a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])
