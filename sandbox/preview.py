"""One page of a PDF or an image, drawn as a picture.

The scripts, links and metadata of the file stay in this process: only pixels and plain text leave it.
"""

from __future__ import annotations

import io
import json
import math
from typing import IO

from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from sandbox.limits import RefusedFileError
from sandbox.text import open_pdf

WIDTH, HEIGHT = 1400, 4200
"""Pixels of the picture at most."""
MAX_PIXELS = 80_000_000
MAX_IMAGE = 100 << 20
MAX_WORDS = 50_000
FORMATS = (
    "BMP",
    "GIF",
    "JPEG",
    "PNG",
    TiffImagePlugin.TiffImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
)

Image.preinit()  # loads the other formats: nothing can be loaded once the limits are in force
Image.MAX_IMAGE_PIXELS = None  # ours is checked once a JPEG has been told to decode at a smaller size


def run(files: list[IO[bytes]], page: int) -> bytes:
    """A line of JSON with `pages`, `page` (the nearest one), `width`, `height` and `text`; then a WebP image."""
    (file,) = files
    start = file.read(1024)
    file.seek(0)
    picture, page, pages, text = _of_pdf(file, page) if b"%PDF-" in start else _of_image(file, page)
    image = io.BytesIO()
    picture.save(image, "WEBP", quality=80, method=2)
    facts = {"pages": pages, "page": page, "width": picture.width, "height": picture.height, "text": text}
    return json.dumps(facts).encode() + b"\n" + image.getvalue()


def _of_pdf(file: IO[bytes], number: int) -> tuple[Image.Image, int, int, str]:
    pdf = open_pdf(file)
    pdf.init_forms()
    number = min(max(number, 1), len(pdf))
    page = pdf[number - 1]
    width, height = page.get_size()
    scale = min(WIDTH / width, HEIGHT / height)
    picture = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True).to_pil()
    return picture, number, len(pdf), page.get_textpage().get_text_bounded()[:MAX_WORDS]


def _of_image(file: IO[bytes], number: int) -> tuple[Image.Image, int, int, str]:
    """A frame of a TIFF is a page; of an animation the first one is shown."""
    data = file.read(MAX_IMAGE + 1)
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise RefusedFileError("type") from None
    pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    number = min(max(number, 1), pages)
    picture.seek(number - 1)
    picture.draft("RGB", (WIDTH, HEIGHT))
    if len(data) > MAX_IMAGE or math.prod(picture.size) > MAX_PIXELS:
        raise RefusedFileError("too_large")
    shown = picture.convert("RGBA") if picture.has_transparency_data else picture.convert("RGB")
    shown.thumbnail((WIDTH, HEIGHT))
    shown = ImageOps.exif_transpose(shown)
    if shown.mode == "RGBA":
        paper = Image.new("RGBA", shown.size, "white")
        shown = Image.alpha_composite(paper, shown).convert("RGB")
    return shown, number, pages, ""
