"""A web view that serves its page from memory over our own URL scheme and never reaches the network."""

from __future__ import annotations

import logging
import mimetypes
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QFile,
    QIODevice,
    QObject,
    Qt,
    QTimer,
    QUrl,
    QUrlQuery,
    Signal,
    Slot,
)
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineSettings,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
    QWebEngineUrlRequestJob,
    QWebEngineUrlScheme,
    QWebEngineUrlSchemeHandler,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget

log = logging.getLogger(__name__)

SCHEME = "jingwei"
ORIGIN = f"{SCHEME}://room"

# Everything the page may load comes from the scheme; 'unsafe-inline' and 'unsafe-eval' are absent on purpose.
POLICY = (
    "default-src 'none'; "
    f"script-src {ORIGIN}; style-src {ORIGIN}; connect-src {ORIGIN}; font-src {ORIGIN}; "
    f"img-src {ORIGIN} data: blob:; base-uri 'none'; form-action 'none'; frame-src 'none'; object-src 'none'"
)

GRAPHICS_CARDS = ("/dev/dri", "/dev/nvidia0")

_LOCAL_SCHEMES = frozenset({SCHEME, "data", "blob"})


class Reply(NamedTuple):
    """What a provider answers with."""

    body: bytes
    content_type: str


Provider = Callable[[dict[str, str]], Reply]

NOTHING = Reply(b"", "text/plain")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def register_scheme() -> None:
    """Make the scheme known and choose how pages are drawn; run it before the QApplication, twice is fine."""
    if QWebEngineUrlScheme.schemeByName(SCHEME.encode()).name().isEmpty():
        scheme = QWebEngineUrlScheme(SCHEME.encode())
        scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
        flag = QWebEngineUrlScheme.Flag
        scheme.setFlags(flag.SecureScheme | flag.LocalAccessAllowed | flag.CorsEnabled | flag.FetchApiAllowed)
        QWebEngineUrlScheme.registerScheme(scheme)
    _allow_root()
    if sys.platform == "linux" and not any(Path(device).exists() for device in GRAPHICS_CARDS):
        _draw_without_card()


def _allow_root() -> None:
    # Chromium refuses to start as root inside its sandbox; for everyone else the sandbox stays on.
    if hasattr(os, "geteuid") and os.geteuid() == 0 and os.environ.get("QTWEBENGINE_DISABLE_SANDBOX") != "1":
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        log.info("Running as root: the sandbox of the web view is off.")


def _draw_without_card() -> None:
    # Without a card Qt would compose the page in an emulated OpenGL, and panning runs at half the frame rate.
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    # Chromium misses buses and cards that an office computer need not have; its fatal errors it still tells.
    os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--disable-gpu --log-level=3")
    log.info("No graphics card: the web view is drawn by the processor.")


class RequestFence(QWebEngineUrlRequestInterceptor):
    """Lets only local URLs through; every other one is refused, logged and kept in `refused`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.refused: list[str] = []

    def interceptRequest(self, request: QWebEngineUrlRequestInfo) -> None:
        if not is_local(request.requestUrl()):
            request.block(True)
            self.refuse(request.requestUrl().toString())

    def refuse(self, url: str) -> None:
        """Note a URL that was not loaded."""
        self.refused.append(url)
        log.warning("Refused a request that would leave this machine: %s", url)


def is_local(url: QUrl) -> bool:
    """True for what this process itself provides; qrc holds Qt's own resources (the developer tools)."""
    return url.scheme() in _LOCAL_SCHEMES or (url.scheme() == "qrc" and not url.host())


class Courier(QObject):
    """Carries replies from the threads that found them; without a parent it outlives the site."""

    found = Signal(int, object)  # the number of a job, its reply


class LocalSite(QWebEngineUrlSchemeHandler):
    """Answers `jingwei://room/<path>` from providers, texts and folders; else empty with `X-Missing: 1`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._providers: dict[str, Provider] = {}
        self._slow: dict[str, tuple[Provider, ThreadPoolExecutor]] = {}
        self._waiting: dict[int, QWebEngineUrlRequestJob] = {}
        self._jobs = 0
        self._courier = Courier()
        self._courier.found.connect(self._on_found, Qt.ConnectionType.QueuedConnection)
        self._folders: dict[str, Path] = {}

    def serve(self, path: str, provider: Provider) -> None:
        """Answer `path` with what `provider(query)` returns at the moment it is asked."""
        self._providers[path] = provider

    def serve_slowly(self, path: str, provider: Provider, threads: int = 2) -> None:
        """The same for what reads files or the network: `provider` is called in threads of its own."""
        pool = ThreadPoolExecutor(threads, thread_name_prefix=path)
        self.destroyed.connect(lambda: pool.shutdown(wait=False, cancel_futures=True))
        self._slow[path] = (provider, pool)

    def serve_text(self, path: str, text: str, content_type: str) -> None:
        """Answer `path` with a text that does not change."""
        reply = Reply(text.encode(), f"{content_type}; charset=utf-8")
        self._providers[path] = lambda _query: reply

    def serve_folder(self, prefix: str, folder: Path) -> None:
        """Answer `prefix/<file>` with the files directly inside `folder`; its sub-folders are not served."""
        self._folders[prefix] = folder

    def serve_resource(self, path: str, resource: str) -> None:
        """Answer `path` with a file compiled into Qt, e.g. `:/qtwebchannel/qwebchannel.js`."""
        file = QFile(resource)
        if not file.open(QIODevice.OpenModeFlag.ReadOnly):
            raise FileNotFoundError(resource)
        self.serve_text(path, bytes(file.readAll().data()).decode(), _content_type(resource))
        file.close()

    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
        url = job.requestUrl()
        if bytes(job.requestMethod().data()) != b"GET" or url.host() != "room":
            job.fail(QWebEngineUrlRequestJob.Error.RequestDenied)
            return
        query = dict(QUrlQuery(url).queryItems(QUrl.ComponentFormattingOption.FullyDecoded))
        path = url.path().lstrip("/")
        if path in self._slow:
            self._answer_slowly(job, path, query)
            return
        reply = self._answer(path, query)
        if reply is None:
            log.warning("The page asked for %s, which nobody serves.", url.toString())
            # WORKAROUND: a job that fails leaves the page's fetch() waiting for ever (Qt 6.11), and a scheme
            # of our own has no status codes; so the answer is empty and says in a header that there is none.
            reply = NOTHING
        _send(job, reply)

    def _answer_slowly(self, job: QWebEngineUrlRequestJob, path: str, query: dict[str, str]) -> None:
        provider, pool = self._slow[path]
        self._jobs += 1
        number = self._jobs
        self._waiting[number] = job
        # A page that went away takes its jobs with it.
        waiting, courier = self._waiting, self._courier
        job.destroyed.connect(lambda: waiting.pop(number, None))

        def work() -> None:
            try:
                reply = provider(query)
            except Exception:  # nobody waits for the future: what went wrong would be lost
                log.exception("The provider of %s failed.", path)
                reply = NOTHING
            courier.found.emit(number, reply)

        pool.submit(work)

    @Slot(int, object)
    def _on_found(self, number: int, reply: Reply) -> None:
        job = self._waiting.pop(number, None)
        if job is not None:
            _send(job, reply)

    def _answer(self, path: str, query: dict[str, str]) -> Reply | None:
        provider = self._providers.get(path)
        if provider is not None:
            try:
                return provider(query)
            except Exception:  # an error must not cross into Chromium's C++ frames
                log.exception("The provider of %s failed.", path)
                return None
        prefix, _, name = path.rpartition("/")
        folder = self._folders.get(prefix)
        if folder is None or name.startswith(".") or Path(name).name != name:  # Windows splits at "\\" too
            return None
        file = folder / name
        return Reply(file.read_bytes(), f"{_content_type(name)}; charset=utf-8") if file.is_file() else None


def _send(job: QWebEngineUrlRequestJob, reply: Reply) -> None:
    headers = {**HEADERS, "X-Missing": "1"} if reply is NOTHING else HEADERS
    job.setAdditionalResponseHeaders(
        {QByteArray(name.encode()): [QByteArray(value.encode())] for name, value in headers.items()}
    )
    buffer = QBuffer(job)  # the job owns it, so it lives as long as Chromium reads from it
    buffer.setData(reply.body)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    job.reply(reply.content_type.encode(), buffer)


def _content_type(name: str) -> str:
    # The registry of Windows may call .js "text/plain", which Chromium refuses to run.
    if name.endswith(".js"):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class LocalPage(QWebEnginePage):
    """A page that cannot be led away from our own origin and whose console goes to the log."""

    def acceptNavigationRequest(
        self, url: QUrl | str, _kind: QWebEnginePage.NavigationType, _main: bool
    ) -> bool:
        allowed = QUrl(url).toString().startswith(ORIGIN + "/")
        if not allowed:
            log.warning("Refused to leave the page for %s", QUrl(url).toString())
        return allowed

    def chooseFiles(self, *_: object) -> list[str]:
        return []

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        levels = QWebEnginePage.JavaScriptConsoleMessageLevel
        weight = {
            levels.InfoMessageLevel: logging.DEBUG,
            levels.WarningMessageLevel: logging.WARNING,
            levels.ErrorMessageLevel: logging.ERROR,
        }[level]
        log.log(weight, "%s (%s:%d)", message, source.removeprefix(ORIGIN), line)


class LocalView(QWebEngineView):
    """One local page in an off-the-record profile; a page that dies comes back by itself.

    `site` says what the page can load, `refused` what it was not allowed to.
    """

    died = Signal(int, int)
    """How often within the last minute, and after how many milliseconds it comes back."""

    RETURN_AFTER_MS = (0, 500, 2_000, 10_000)
    FORGIVEN_AFTER_S = 60.0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._deaths: list[float] = []
        self._address = QUrl()
        self._build()
        self._wire()

    def _build(self) -> None:
        self.site = LocalSite(self)
        self._fence = RequestFence(self)
        self._profile = QWebEngineProfile()  # without a name: off the record
        self._profile.setHttpCacheType(QWebEngineProfile.HttpCacheType.NoCache)
        self._profile.setPersistentPermissionsPolicy(
            QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime
        )
        self._profile.setSpellCheckEnabled(False)
        self._profile.setUrlRequestInterceptor(self._fence)
        self._profile.installUrlSchemeHandler(SCHEME.encode(), self.site)
        self.setPage(LocalPage(self._profile, self))
        self._profile.setParent(self)  # after the page: children die in order, and pages must go first
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        settings, attribute = self.page().settings(), QWebEngineSettings.WebAttribute
        for off in (
            attribute.PluginsEnabled,
            attribute.PdfViewerEnabled,
            attribute.LocalStorageEnabled,
            attribute.JavascriptCanOpenWindows,
            attribute.JavascriptCanAccessClipboard,
            attribute.LocalContentCanAccessRemoteUrls,
            attribute.ScreenCaptureEnabled,
            attribute.FullScreenSupportEnabled,
            attribute.DnsPrefetchEnabled,
            attribute.HyperlinkAuditingEnabled,
            attribute.ErrorPageEnabled,
            attribute.FocusOnNavigationEnabled,
            attribute.ShowScrollBars,
        ):
            settings.setAttribute(off, False)

    def _wire(self) -> None:
        self._profile.downloadRequested.connect(QWebEngineDownloadRequest.cancel)
        page = self.page()
        page.permissionRequested.connect(QWebEnginePermission.deny)
        page.renderProcessTerminated.connect(self._on_terminated)

    @property
    def refused(self) -> list[str]:
        """Every URL the page was not allowed to load, oldest first."""
        return self._fence.refused

    def refuse(self, url: str) -> None:
        """Note a URL that the page itself refused because of its content security policy."""
        self._fence.refuse(url)

    def open(self, path: str) -> None:
        """Load `jingwei://room/<path>`."""
        self._address = QUrl(f"{ORIGIN}/{path}")
        self.load(self._address)

    def _on_terminated(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        if status == QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            return
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < self.FORGIVEN_AFTER_S]
        wait = self.RETURN_AFTER_MS[min(len(self._deaths), len(self.RETURN_AFTER_MS) - 1)]
        self._deaths.append(now)
        log.error("The page died (%s, code %d); it comes back in %d ms.", status.name, code, wait)
        self.died.emit(len(self._deaths), wait)
        # Loading from inside this signal would hit the dying process.
        QTimer.singleShot(wait, self, lambda: self.load(self._address))
