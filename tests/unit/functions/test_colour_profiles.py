"""Which ICC profile an image has in a PDF, and that CMYK without one looks as viewers show it."""

import io
import itertools

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageCms
from unit.functions.profiles import CMYK, GREY, ODD_PROFILES, SRGB, changed

from scanner.colour_profiles import cmyk, profile_for


@pytest.mark.parametrize(("profile", "channels"), [(GREY, 1), (SRGB, 3), (CMYK, 4)])
def test_a_profile_that_fits_is_kept(profile, channels):
    assert profile_for(profile, channels) == profile


def test_what_comes_after_a_profile_is_left_out():
    assert profile_for(SRGB + b"padding", 3) == SRGB


@pytest.mark.parametrize("what", ODD_PROFILES)
def test_an_odd_profile_is_not_used(what):
    assert profile_for(ODD_PROFILES[what], 3) is None


@pytest.mark.parametrize(
    "profile",
    [
        *(b"", SRGB, GREY, CMYK[:500], CMYK[:128] + b"\xff" * (len(CMYK) - 128)),
        *(changed(CMYK, 12, name) for name in (b"link", b"abst", b"nmcl")),
    ],
)
def test_cmyk_is_never_without_a_profile(profile):
    assert profile_for(profile, 4) == cmyk()


def shown_by_a_viewer(inks):
    """Return the RGB in which PDFium, Chrome's viewer, shows pixels of DeviceCMYK (an array of 4 columns)."""
    pdf, file = pikepdf.new(), io.BytesIO()
    page = pdf.add_blank_page(page_size=(len(inks), 3))
    image = pikepdf.Stream(pdf, inks.tobytes())
    image.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=len(inks), Height=1, BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceCMYK,
    )  # fmt: skip
    name = page.add_resource(image, pikepdf.Name.XObject)
    page.contents_add(f"q {len(inks)} 0 0 3 0 0 cm {name} Do Q".encode())
    pdf.save(file)
    return pypdfium2.PdfDocument(file.getvalue())[0].render().to_numpy()[1, :, 2::-1].astype(int)


def test_cmyk_without_a_profile_looks_as_in_a_viewer():
    inks = np.array(list(itertools.product((0, 64, 128, 255), repeat=4)), dtype=np.uint8)
    pixels = Image.frombytes("CMYK", (len(inks), 1), inks.tobytes())
    screen, ours = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(cmyk()))
    seen = np.asarray(ImageCms.profileToProfile(pixels, ours, screen, 1, "RGB"))[0].astype(int)
    difference = np.abs(seen - shown_by_a_viewer(inks))
    measured = (inks != 64).all(axis=1)
    assert difference[measured].max() <= 12
    assert difference.mean() < 6
