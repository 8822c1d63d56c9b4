"""Render Markdown as one self-contained HTML file: embedded pictures, no scripts, no requests."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping

__all__ = ["data_uri", "render_page"]

# The policy forbids what the page does not do, should text ever get through as markup.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #d8dade; --soft: #f4f5f7; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3d4148; --soft: #24272c; }} }}
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto;
  padding: 0 1.2rem; }}
h1, h2 {{ line-height: 1.25; }}
h2 {{ margin-top: 2.4rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }}
h1 + p {{ padding: .9rem 1.1rem; background: var(--soft); border-radius: 6px; }}
.wide {{ overflow-x: auto; margin: 1.1rem 0; }}
table {{ border-collapse: collapse; font-size: .94em; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .35rem .55rem; border-bottom: 1px solid var(--line); white-space: nowrap; }}
th {{ vertical-align: bottom; }}
th:first-child, td:first-child {{ padding-left: .2rem; }}
td[style*="left"]:last-child {{ white-space: normal; min-width: 14rem; }}
img {{ height: auto; max-width: 100%; background: #fff; border-radius: 6px; }}
li, p {{ overflow-wrap: anywhere; }}
@media (max-width: 40rem) {{ td[style*="left"]:last-child {{ min-width: 9rem; }} }}
@media print {{ :root {{ color-scheme: light; --line: #bbb; --soft: #f4f5f7; }}
  body {{ margin: 0; padding: 0; max-width: none; font-size: 10.5pt; }}
  h2 {{ break-after: avoid; }} img, tr, .wide, h1 + p {{ break-inside: avoid; }}
  .wide {{ overflow: visible; }} table {{ font-size: .82em; }}
  th, td {{ padding: .2rem .35rem; white-space: normal; }}
  td[style*="right"] {{ white-space: nowrap; }}
  img {{ max-height: 12cm; object-fit: contain; object-position: left; }} }}
</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def data_uri(png: bytes) -> str:
    """Return a ``data:`` URI that embeds a picture.

    Parameters
    ----------
    png
        Content of a PNG file.
    """
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def render_page(title: str, markdown: str, pictures: Mapping[str, bytes]) -> str:
    """Return ``markdown`` as an HTML page that needs no other file.

    Parameters
    ----------
    title
        Title of the page, plain text.
    markdown
        CommonMark with tables; HTML in it is shown as text.
    pictures
        PNG bytes by the address that ``markdown`` uses for them.
    """
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    for address, png in pictures.items():
        # Text cannot look like this attribute: its quotes are escaped.
        inside = f'src="{data_uri(png)}" width="{_width(png)}"'
        body = body.replace(f'src="{html.escape(address)}"', inside)
    # Scrolled by itself, and by keyboard too, a wide table leaves the page as wide as the screen.
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>").replace("<th ", '<th scope="col" ')
    return _PAGE.format(title=html.escape(title), body=body)


def _width(png: bytes) -> int:
    """Return the width in CSS pixels, 96 an inch, which browsers do not take from the picture."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        dots: float = image.info["dpi"][0]
        return round(image.width / dots * 96)
