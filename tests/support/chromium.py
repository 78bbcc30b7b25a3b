"""A real Chromium for the demo's tests, driven by the DevTools protocol: it clicks and types as a person does.

Needs Debian's `chromium` and the package websocket-client. `errors` collects everything that the page complained of.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from websocket import WebSocket, create_connection

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 20.0


class Chromium:
    """One headless browser with one tab."""

    def __init__(self, width: int, height: int, dark: bool = False) -> None:
        self.errors: list[str] = []
        self._profile = tempfile.TemporaryDirectory(prefix="demo-chromium-", ignore_cleanup_errors=True)
        assert BINARY is not None
        self._process = subprocess.Popen(
            [
                BINARY, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--remote-debugging-port=0", "--remote-allow-origins=*",
                "--hide-scrollbars", f"--user-data-dir={self._profile.name}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._next = 0
        self._socket = self._connect()
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.do(f"{domain}.enable")
        phone = width < 500
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.do(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )

    def _connect(self) -> WebSocket:
        port_file, end = Path(self._profile.name, "DevToolsActivePort"), time.monotonic() + PATIENCE
        while not port_file.exists() or len(port_file.read_text().splitlines()) < 2:
            assert time.monotonic() < end, "Chromium did not start"
            assert self._process.poll() is None, "Chromium ended at once"
            time.sleep(0.05)
        port, path = port_file.read_text().splitlines()[:2]
        socket = create_connection(f"ws://127.0.0.1:{port}{path}", timeout=PATIENCE)
        self._socket = socket
        self._session = ""
        target = next(t for t in self.do("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        return socket

    def do(self, method: str, **arguments: Any) -> Any:
        """One command of the protocol, and its result."""
        self._next += 1
        wanted = self._next
        message: dict[str, Any] = {"id": wanted, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("id") == wanted:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]
            self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Runtime.exceptionThrown":
            details = said["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.errors.append(said["params"]["entry"]["text"])
        if said.get("method") == "Page.javascriptDialogOpening":
            # Answered without waiting: `do` would read what another `do` is waiting for.
            self._next += 1
            answer = {"id": self._next, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            self._socket.send(json.dumps(answer | {"sessionId": self._session}))

    def open(self, address: str) -> None:
        """Go there and wait for the page's first state."""
        self.do("Page.navigate", url=address)
        self.wait("document.querySelector('#people [role=tab]')")

    def js(self, expression: str) -> Any:
        """The value of an expression; a promise is waited for."""
        result = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait(self, condition: str, patience: float = PATIENCE) -> Any:
        """Wait until the expression is true; its value."""
        end = time.monotonic() + patience
        plain = "v && typeof v === 'object' && !Array.isArray(v) ? true : v"  # an element has no value to send
        script = f"(async () => {{ const v = ({condition}); return {plain}; }})()"
        while not (value := self.js(script)):
            assert time.monotonic() < end, f"not within {patience} s: {condition}\n{self.errors}"
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        """Click the middle of the first element of that selector, as soon as it stands still, on top and enabled."""
        quoted = json.dumps(selector)
        where = (
            f"const e = document.querySelector({quoted}); e?.scrollIntoView({{block: 'center'}});"
            "const b = e?.getBoundingClientRect(), x = b?.x + b?.width / 2, y = b?.y + b?.height / 2;"
        )
        still = f"{where} const o = e && !e.disabled && document.elementFromPoint(x, y);"
        x, y = self.wait(
            f"await (async () => {{ {still} if (!o || !(e === o || e.contains(o))) return null;"
            "await new Promise(requestAnimationFrame); const again = e.getBoundingClientRect();"
            "return again.x === b.x && again.y === b.y ? [x, y] : null; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Write into a field that is empty."""
        self.js(f"document.querySelector({json.dumps(selector)}).focus()")
        self.do("Input.insertText", text=text)

    def key(self, key: str) -> None:
        """Press one key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes.get(key, 0))

    def attach(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        root = self.do("DOM.getDocument")["root"]["nodeId"]
        node = self.do("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.do("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def text(self, selector: str) -> str:
        """What a person reads there."""
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def screenshot(self, path: Path) -> None:
        """What is seen now, as PNG."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._profile.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
