"""The theme: colours by token, sizes by scale, fonts by what is installed, and their style sheet."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from db.kernel.resources import resource

RESOURCES = resource()
NAMES = ("dark", "light")

_PLACEHOLDER = re.compile(r"\{([a-z0-9_:]+)\}")

# What a font can lack without our noticing: figures of one width are asked for by name.
_TABULAR_FIGURES = "tnum"


class Theme(QObject):
    """One look: a set of colour tokens and a scale. Widgets get it by constructor and follow `changed`."""

    changed = Signal()

    def __init__(
        self,
        name: str = "dark",
        scale: float = 1.0,
        *,
        resources: Path = RESOURCES,
        parent: QObject | None = None,
    ) -> None:
        """`name` is "dark" or "light"; `scale` 1.0 means body text of 13 px."""
        super().__init__(parent)
        self.resources = resources
        text = (resources / "styles" / "tokens.toml").read_text(encoding="utf-8")
        self._tokens = tomllib.loads(text)
        self._template = (resources / "styles" / "room.qss").read_text(encoding="utf-8")
        self._families: list[str] | None = None
        self._colors: dict[str, QColor] = {}
        self._fonts: dict[tuple[str, bool], QFont] = {}
        self._applied: list[QApplication | QWidget] = []
        self.name = ""
        self.scale = 0.0
        self._choose(name, scale)

    def use(self, name: str | None = None, scale: float | None = None) -> None:
        """Change the colours or the scale (or both), restyle what was applied, and say so by `changed`."""
        wanted = (name or self.name, scale or self.scale)
        if wanted == (self.name, self.scale):
            return
        self._choose(*wanted)
        for target in self._applied:
            self._dress(target)
        self.changed.emit()

    def apply(self, target: QApplication | QWidget) -> None:
        """Dress the application, or one window that has a scale of its own (the wall)."""
        if target not in self._applied:
            self._applied.append(target)
            target.destroyed.connect(lambda: self._applied.remove(target))
        self._dress(target)

    @property
    def is_dark(self) -> bool:
        """Whether words are lighter than what they stand on."""
        return self.color("text1").lightnessF() > self.color("pane").lightnessF()

    def color(self, token: str) -> QColor:
        """The colour of a token; a token that does not exist is a bug (KeyError)."""
        return self._colors[token]

    def faded(self, token: str, opacity: float) -> QColor:
        """The colour of a token with an opacity from 0 to 1."""
        color = QColor(self._colors[token])
        color.setAlphaF(opacity)
        return color

    def css(self, token: str) -> str:
        """The colour of a token as "#rrggbb", for style sheets, SVG and the map page."""
        return self._colors[token].name()

    def tone(self, tone: str, *, selected: bool = False) -> QColor:
        """The colour of words of a tone, on a pane or on the ground of a selected row."""
        if selected and f"{tone}_selected" in self._colors:
            return self._colors[f"{tone}_selected"]
        return self._colors[tone]

    def colors(self) -> dict[str, str]:
        """All tokens as "#rrggbb", for pages that draw themselves."""
        return {token: color.name() for token, color in self._colors.items()}

    def px(self, pixels: float) -> int:
        """A length designed at 100 % as whole pixels at this scale; what is not 0 stays visible."""
        scaled = round(pixels * self.scale)
        return scaled if scaled or not pixels else (1 if pixels > 0 else -1)

    def size(self, step: str) -> int:
        """The pixel size of a step of the type scale: axis, label, body, place, title, clock, figure."""
        return self.px(self._tokens["sizes"][step])

    def font(self, step: str = "body", *, bold: bool = False) -> QFont:
        """The font of a step of the type scale, with figures of one width."""
        key = (step, bold)
        if key not in self._fonts:
            font = QFont(self.families())
            font.setPixelSize(self.size(step))
            font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
            font.setFeature(QFont.Tag(_TABULAR_FIGURES), 1)
            # Strokes of 13 px Chinese are one pixel high: hinted upright they are sharp, and the widths
            # stay those of the drawing, so that nothing shifts between scales.
            font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
            font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
            self._fonts[key] = font
        return self._fonts[key]

    def families(self) -> list[str]:
        """The installed families of the wish list in order; the system's own when there is none."""
        if self._families is None:
            installed = set(QFontDatabase.families())
            wished = [family for family in self._tokens["fonts"]["families"] if family in installed]
            if not wished:
                wished = [QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()]
            self._families = wished
        return self._families

    def style_sheet(self) -> str:
        """The Qt style sheet: the template with `{token}` and `{12px}`, `{size:body}` filled in."""
        return _PLACEHOLDER.sub(self._filled, self._template)

    def palette(self) -> QPalette:
        """The palette, for what style sheets do not reach (placeholder text, item views, tool tips)."""
        palette = QPalette()
        role = QPalette.ColorRole
        for target, token in (
            (role.Window, "ground"),
            (role.WindowText, "text1"),
            (role.Base, "raised"),
            (role.AlternateBase, "pane"),
            (role.Text, "text1"),
            (role.PlaceholderText, "text3"),
            (role.Button, "raised"),
            (role.ButtonText, "text1"),
            (role.BrightText, "over"),
            (role.Highlight, "accent"),
            (role.HighlightedText, "on_accent"),
            (role.Accent, "accent"),
            (role.Link, "accent"),
            (role.LinkVisited, "accent"),
            (role.ToolTipBase, "raised"),
            (role.ToolTipText, "text1"),
            (role.Light, "hover"),
            (role.Midlight, "hover"),
            (role.Mid, "line"),
            (role.Dark, "line"),
            (role.Shadow, "ground"),
        ):
            palette.setColor(target, self.color(token))
        for target in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, target, self.color("text3"))
        return palette

    @staticmethod
    def scale_for(size: QSize, dpi: float = 96.0) -> float:
        """The scale for a screen of `size` device-independent pixels at a logical `dpi` (96 is plain).

        Reference: 1080 lines at 1.0; 1366×768 gets 0.92 (12 px body and two more rows, still legible);
        3840×2160 gets 2.0. A desktop that asks for larger letters (dpi above 96) gets them at least.
        """
        fit = min(size.width() / 1920, size.height() / 1080)
        small, large = max(0.92, round(1.0 - (1.0 - fit) * 0.28, 2)), min(round(fit * 20) / 20, 3.0)
        scale = small if fit < 1.0 else large
        return max(scale, min(round(dpi / 96 * 20) / 20, 2.0)) if dpi > 96 else scale

    def _choose(self, name: str, scale: float) -> None:
        if name not in NAMES:
            raise ValueError(f"no theme {name!r}")
        self.name, self.scale = name, scale
        self._colors = {token: QColor(value) for token, value in self._tokens[name].items()}
        self._fonts.clear()

    def _dress(self, target: QApplication | QWidget) -> None:
        if isinstance(target, QApplication):
            target.setStyle("Fusion")
        target.setPalette(self.palette())
        target.setFont(self.font())
        target.setStyleSheet(self.style_sheet())

    def _filled(self, match: re.Match[str]) -> str:
        wish = match.group(1)
        if wish.endswith("px") and wish[:-2].isdigit():
            return f"{self.px(int(wish[:-2]))}px"
        if wish.startswith("disc:"):  # the radius that makes a disc of a box with a hairline around it
            return f"{(self.px(int(wish[5:-2])) + 2) // 2}px"
        if wish.startswith("size:"):
            return f"{self.size(wish.removeprefix('size:'))}px"
        if wish.startswith("picture:"):
            picture = f"{wish.removeprefix('picture:')}_{self.name}.svg"
            return (self.resources / "styles" / picture).as_posix()
        return self.css(wish)
