"""ICC profiles that the tests give to images."""

import struct

from PIL import ImageCms

from scanner import colour_profiles

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def changed(profile, at, value):
    return profile[:at] + value + profile[at + len(value) :]


def grey_profile():
    """Return a profile for grey with a gamma of 2.2, the least that one has."""
    tags = [(b"wtpt", SRGB[68:80], b"XYZ "), (b"kTRC", struct.pack(">IH", 1, 0x0233) + bytes(2), b"curv")]
    first, index, content = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data, kind in tags:
        index += tag + struct.pack(">II", first + len(content), len(data) + 8)
        content += kind + bytes(4) + data
    header = changed(changed(SRGB[:128], 8, b"\x02\x40"), 16, b"GRAY")
    return changed(header, 0, struct.pack(">I", first + len(content))) + index + content


GREY = grey_profile()
CMYK = changed(colour_profiles.cmyk(), 24, struct.pack(">H", 2001))  # of another date, so as to be told apart

ODD_PROFILES = {
    "cut off": SRGB[:300],
    "no more than a header": changed(SRGB[:128], 0, struct.pack(">I", 128)),
    "garbage": bytes(range(256)) * 4,
    "empty": b"",
    "of version 5": changed(SRGB, 8, b"\x05\0"),
    "of an effect": changed(SRGB, 12, b"abst"),
    "of a named colour": changed(SRGB, 12, b"nmcl"),
    "of a device link": changed(SRGB, 12, b"link"),
    "of Lab": changed(SRGB, 16, b"Lab "),
    "of grey": GREY,
    "of CMYK": CMYK,
    "huge": changed(SRGB + bytes(5 << 20), 0, struct.pack(">I", len(SRGB) + (5 << 20))),
    "with a broken tag": changed(SRGB, 128 + 4 + 4, b"\xff\xff\xff\xff"),
}
"""By what is odd about them, profiles that no RGB image may carry in a PDF/A."""
