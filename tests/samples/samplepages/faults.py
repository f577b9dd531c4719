"""The faults of real scans and photographs, each a function of an image (RGB) and a random generator."""

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

PAPER = (247, 245, 238)
PHOTO = (3000, 4000)  # pixels of a phone's photograph


def paper(image: Image.Image, rng: np.random.Generator, *, tint: tuple[int, int, int] = PAPER) -> Image.Image:
    """Tint the sheet like paper, with its faint clouds, and soften the edges of the ink."""
    clouds = _clouds(rng, image.size, cell=(image.width // 12, image.width // 12), low=250)
    toned = ImageChops.multiply(image, ImageChops.multiply(Image.new("RGB", image.size, tint), clouds))
    return toned.filter(ImageFilter.BoxBlur(image.width / 4000))


def skew(image: Image.Image, rng: np.random.Generator, *, degrees: float) -> Image.Image:
    """Turn the sheet a little (counter-clockwise where positive), as it lay on the glass; the lid shows around it."""
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(214, 214, 212))


def noise(image: Image.Image, rng: np.random.Generator, *, sigma: float) -> Image.Image:
    """Add the sensor's noise: normal, `sigma` in grey levels of 255."""
    levels = rng.standard_normal((image.height, image.width), dtype=np.float32) * sigma
    grain = Image.fromarray(np.clip(levels + 128, 0, 255).astype(np.uint8)).convert("RGB")
    return ImageChops.add(image, grain, offset=-128)


def specks(image: Image.Image, rng: np.random.Generator, *, count: int) -> Image.Image:
    """Strew dust and toner: `count` black or white dots of one to three pixels."""
    image = image.copy()
    pen = ImageDraw.Draw(image)
    places = rng.integers((0, 0, 1, 0), (image.width, image.height, 4, 2), size=(count, 4)).tolist()
    for x, y, side, white in places:
        pen.rectangle((x, y, x + side - 1, y + side - 1), (255, 255, 255) if white else (20, 20, 20))
    return image


def shadow(image: Image.Image, rng: np.random.Generator, *, darkest: float) -> Image.Image:
    """Darken the page towards the fold of the book on its left, down to `darkest` (of 1), and lightly to the bottom."""
    x = np.linspace(0, 1, image.width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, image.height, dtype=np.float32)[:, None]
    light = (1 - (1 - darkest) * np.exp(-7 * x)) * (1 - 0.22 * y**2)
    return ImageChops.multiply(image, Image.fromarray((light * 255).astype(np.uint8)).convert("RGB"))


def blur(image: Image.Image, rng: np.random.Generator, *, radius: float) -> Image.Image:
    """Put the page out of focus: a Gaussian of `radius` pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def recopied(image: Image.Image, rng: np.random.Generator, *, scale: float) -> Image.Image:
    """Shrink to `scale` and enlarge again: a copy of a copy, passed on through a chat."""
    small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def photograph(image: Image.Image, rng: np.random.Generator, *, tilt: float) -> Image.Image:
    """Lay the sheet on a wooden table and photograph it by hand, in the light of a lamp.

    `tilt` is how far a corner strays from its place at most, as a part of the photograph's width.
    """
    width, height = PHOTO
    tall = 0.88 * height
    wide = tall / math.sqrt(2)  # A4
    left, top = (width - wide) / 2, (height - tall) / 2
    corners = np.array([(left, top), (left + wide, top), (left + wide, top + tall), (left, top + tall)])
    corners += rng.uniform(-tilt * width, tilt * width, corners.shape)
    corners = np.clip(corners, 0.01 * width, np.array(PHOTO) - 0.01 * width)
    view = _perspective(corners, image.size)
    sheet = image.transform(PHOTO, Image.Transform.PERSPECTIVE, view, Image.Resampling.BILINEAR, fillcolor=PAPER)
    outline = Image.new("L", PHOTO)
    ImageDraw.Draw(outline).polygon(_points(corners), fill=255)
    scene = _table(rng, corners)
    scene.paste(sheet, (0, 0), outline.filter(ImageFilter.BoxBlur(1)))
    return ImageChops.multiply(scene, _lamplight(rng))


def _table(rng: np.random.Generator, corners: np.ndarray) -> Image.Image:
    """Return wood with the shadow of the sheet that lies there, painted at a quarter of the size, out of focus."""
    width, height = size = PHOTO[0] // 4, PHOTO[1] // 4
    grain = ImageChops.multiply(
        _clouds(rng, size, cell=(width // 5, 4), low=170), _clouds(rng, size, cell=(width // 2, height // 40), low=200)
    )
    cast = Image.new("L", size, 255)
    ImageDraw.Draw(cast).polygon(_points((corners + np.array([24, 36])) / 4), fill=120)
    shade = cast.filter(ImageFilter.GaussianBlur(10)).convert("RGB")
    wood = ImageChops.multiply(Image.new("RGB", size, (150, 108, 74)), grain)
    return ImageChops.multiply(wood, shade).resize(PHOTO, Image.Resampling.BICUBIC)


def _points(corners: np.ndarray) -> list[tuple[float, float]]:
    return [(x, y) for x, y in corners.tolist()]


def _perspective(corners: np.ndarray, size: tuple[int, int]) -> list[float]:
    """Return the eight numbers with which Pillow maps each place of the photograph to one of the sheet."""
    width, height = size
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    return np.linalg.solve(np.array(rows), np.array(values)).tolist()


def _lamplight(rng: np.random.Generator) -> Image.Image:
    """Light that falls off from a point in the upper half, slightly warm."""
    width, height = (side // 16 for side in PHOTO)
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    distance = (x - rng.uniform(-0.6, 0.6)) ** 2 + (y - rng.uniform(-0.8, -0.2)) ** 2
    light = 255 / (1 + 0.16 * distance)
    warm = np.stack([light, light * 0.985, light * 0.95], axis=-1)
    return Image.fromarray(warm.astype(np.uint8)).resize(PHOTO, Image.Resampling.BICUBIC)


def _clouds(rng: np.random.Generator, size: tuple[int, int], *, cell: tuple[int, int], low: int) -> Image.Image:
    """Return smooth random patches, `cell` pixels wide and tall, of grey levels from `low` to white."""
    grid = rng.integers(low, 256, size=(size[1] // cell[1] + 2, size[0] // cell[0] + 2), dtype=np.uint8)
    return Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC).convert("RGB")
