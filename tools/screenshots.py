"""Makes the pictures of the README: the demo's page, and an acknowledgement on a phone.

    python -m tools.screenshots [FOLDER]     (`make screenshots`: into docs/images)

In: a running demo, whose tour is played to the agent's answer. Out: FOLDER/demo.png, 1280 pixels wide, and
FOLDER/phone.png, 390 pixels wide. Needs Debian's chromium.
"""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from array import array
from collections import Counter
from pathlib import Path

from mailbot.demo.page_server import PageServer
from mailbot.demo.people import SDN1
from mailbot.demo.session import Session
from mailbot.demo.simulation import Simulation
from tests.support.chromium import Chromium

DESKTOP, PHONE = (1280, 760), (390, 844)
STEP_SECONDS = 60.0
# Two colours that differ by no more, red, green and blue together, count as one.
SAME_COLOUR = 12


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Simulation() as simulation:
        session = Session(simulation)
        server = PageServer(session)
        server.start()
        try:
            play_step(session)  # a report, and its acknowledgement
            take(server.address, PHONE, "acknowledgement", folder / "phone.png")
            play_step(session)  # an agent's answer
            take(server.address, DESKTOP, "answer", folder / "demo.png")
        finally:
            server.stop()


def play_step(session: Session) -> None:
    """Play the next step of the tour to its end."""
    session.tour.next()
    if not session.changes.wait_for(lambda: not session.tour.running, STEP_SECONDS) or session.tour.failure:
        raise SystemExit(f"the tour failed: {session.tour.failure or 'timeout'}")


def take(address: str, size: tuple[int, int], kind: str, picture: Path) -> None:
    """Show the requester's newest mail, which is of that kind, on the page in English."""
    with Chromium(*size) as browser:
        browser.open(address)
        browser.click("#language")
        browser.click(f"#person-{SDN1.key}")
        browser.click("#threads .thread")
        browser.wait(f"document.querySelector('.letter[data-kind={kind}] iframe')?.contentDocument?.body?.innerText")
        browser.wait("document.querySelector('[data-ticket]')")
        browser.js("document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => null)")
        browser.screenshot(picture)
        pixels = array("I", base64.b64decode(browser.js(PIXELS % base64.b64encode(picture.read_bytes()).decode())))
    picture.write_bytes(with_palette(pixels, size[0]))


# The browser decodes its own picture: RGBA, four bytes a pixel.
PIXELS = """(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,%s";
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const bytes = canvas.getImageData(0, 0, image.width, image.height).data;
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
})()"""


def with_palette(pixels: array[int], width: int) -> bytes:
    """Return a PNG of at most 256 colours (PNG 3.0 §11.2.2): a quarter of the size, and hardly a visible difference."""
    palette: list[bytes] = []
    index: dict[int, int] = {}
    for colour, _ in Counter(pixels).most_common():  # the most common ones, and none that looks like another
        rgb = colour.to_bytes(4, sys.byteorder)[:3]
        distances = [sum(abs(one - other) for one, other in zip(known, rgb, strict=True)) for known in palette]
        if len(palette) < 256 and min(distances, default=SAME_COLOUR + 1) > SAME_COLOUR:
            index[colour] = len(palette)
            palette.append(rgb)
        else:
            index[colour] = distances.index(min(distances))
    indices = bytes(map(index.__getitem__, pixels))
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, len(indices), width))
    header = struct.pack(">IIBBBBB", width, len(indices) // width, 8, 3, 0, 0, 0)  # 8 bits, palette
    chunks = (
        (b"IHDR", header),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
