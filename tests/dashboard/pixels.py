"""Counts pixels of a screenshot that look like an alarm: strongly coloured between red and yellow."""

from __future__ import annotations

import base64

from playwright.sync_api import BrowserContext

COUNT = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let found = 0;
  for (let n = 0; n < data.length; n += 4) {
    const [red, green, blue] = [data[n], data[n + 1], data[n + 2]];
    if (red > 90 && red >= green && red - Math.min(green, blue) > 70 && red > blue + 35) found += 1;
  }
  return found;
}"""


def coloured(context: BrowserContext, png: bytes) -> int:
    """Pixels whose hue lies between red and yellow, counted by the browser on an empty page."""
    page = context.new_page()
    try:
        return int(page.evaluate(COUNT, base64.b64encode(png).decode()))
    finally:
        page.close()
