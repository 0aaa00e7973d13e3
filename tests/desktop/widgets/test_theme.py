"""The theme: contrast of every pair that carries words, tokens that exist, sizes that scale."""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QWidget

from desktop.widgets.theme import NAMES, RESOURCES, Theme

WIDGETS = Path(__file__).resolve().parents[3] / "desktop" / "widgets"
WORDS_ON_PANES = ("text1", "text2", "text3", "on_time", "soon", "over", "no_clock", "accent")
FILLS = ("on_time_fill", "soon_fill", "over_fill", "no_clock_fill", "chart_neutral", "accent")


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _luminance(color: QColor) -> float:
    red, green, blue = (_linear(part) for part in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: QColor, second: QColor) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ground", ["pane", "raised"])
@pytest.mark.parametrize("token", WORDS_ON_PANES)
def test_words_stand_out_from_their_ground_by_four_and_a_half(name: str, ground: str, token: str) -> None:
    theme = Theme(name)
    assert contrast(theme.color(token), theme.color(ground)) >= 4.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("token", ["text1", "text2", "text3", "on_time", "soon", "over"])
def test_words_on_a_selected_row_stand_out_by_four_and_a_half(name: str, token: str) -> None:
    theme = Theme(name)
    assert contrast(theme.tone(token, selected=True), theme.color("accent_ground")) >= 4.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "token,ground",
    [
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("chip_text", "chip"),
        ("text1", "pressed"),
        ("text2", "ground"),
        ("text1", "over_ground"),
        ("text1", "soon_ground"),
        ("text2", "hover"),
        ("place", "land"),
    ],
)
def test_words_on_coloured_grounds_stand_out_by_four_and_a_half(name: str, token: str, ground: str) -> None:
    theme = Theme(name)
    assert contrast(theme.color(token), theme.color(ground)) >= 4.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("token", FILLS)
def test_marks_and_bars_stand_out_from_the_pane_by_three(name: str, token: str) -> None:
    theme = Theme(name)
    assert contrast(theme.color(token), theme.color("pane")) >= 3.0


# Machado, Oliveira and Fernandes 2009, severity 1, on linear red, green and blue.
BLINDNESS = {
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def seen(color: QColor, kind: str) -> QColor:
    """A colour as somebody sees it who lacks one kind of cone."""

    def shown(part: float) -> float:
        part = min(max(part, 0.0), 1.0)
        return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055

    own = [_linear(part) for part in (color.redF(), color.greenF(), color.blueF())]
    mixed = [sum(share * part for share, part in zip(row, own, strict=True)) for row in BLINDNESS[kind]]
    return QColor.fromRgbF(*(shown(part) for part in mixed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", BLINDNESS)
def test_who_lacks_a_cone_tells_soon_from_over_and_each_step_of_a_ramp_by_lightness(
    name: str, kind: str
) -> None:
    theme = Theme(name)
    assert contrast(seen(theme.color("over_fill"), kind), seen(theme.color("soon_fill"), kind)) >= 1.35
    for ramp in ([f"ramp{step}" for step in range(6)], [f"density{step}" for step in range(1, 6)]):
        lights = [_luminance(seen(theme.color(step), kind)) for step in ramp]
        assert lights in (sorted(lights), sorted(lights, reverse=True))
        assert all(
            contrast(seen(theme.color(one), kind), seen(theme.color(two), kind)) >= 1.1
            for one, two in pairwise(ramp)
        )


def test_dark_and_light_have_the_same_tokens() -> None:
    tokens = tomllib.loads((RESOURCES / "styles" / "tokens.toml").read_text(encoding="utf-8"))
    assert tokens["dark"].keys() == tokens["light"].keys()


def test_every_token_named_in_the_code_exists() -> None:
    theme = Theme("dark")
    calls = {"color", "css", "faded", "tone"}
    for path in WIDGETS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in calls
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                assert node.args[0].value in theme.colors(), f"{path.name}:{node.lineno}"


def test_no_colour_is_written_in_the_code() -> None:
    for path in WIDGETS.glob("*.py"):
        assert not re.findall(r"[\"']#[0-9a-fA-F]{3,8}[\"']", path.read_text(encoding="utf-8")), path.name


def test_the_style_sheet_has_no_word_left_to_fill(application: QApplication) -> None:
    for name in NAMES:
        assert not re.search(r"\{[a-z0-9_:]+\}", Theme(name).style_sheet())


def test_every_size_grows_with_the_scale(application: QApplication) -> None:
    theme = Theme("dark", 2.0)
    assert theme.px(34) == 68
    assert theme.font("body").pixelSize() == 26
    assert "font-size: 60px" in theme.style_sheet()


def test_a_hairline_never_vanishes() -> None:
    assert Theme("dark", 0.4).px(1) == 1
    assert Theme("dark", 0.4).px(0) == 0


def test_a_change_of_name_or_scale_is_announced_once_and_redresses_what_was_applied(
    application: QApplication,
) -> None:
    theme = Theme("dark")
    window = QWidget()
    theme.apply(window)
    heard: list[str] = []
    theme.changed.connect(lambda: heard.append(theme.name))
    theme.use(name="light")
    theme.use(name="light", scale=1.0)
    theme.use(scale=2.0)
    assert heard == ["light", "light"]
    assert theme.css("pane") in window.styleSheet()
    assert window.font().pixelSize() == 26
    window.deleteLater()


@pytest.mark.parametrize(
    "width,height,scale",
    [(1920, 1080, 1.0), (3840, 2160, 2.0), (2560, 1440, 1.35), (1920, 1200, 1.0), (1366, 768, 0.92)],
)
def test_the_scale_follows_the_screen(width: int, height: int, scale: float) -> None:
    assert Theme.scale_for(QSize(width, height)) == pytest.approx(scale, abs=0.021)


def test_a_theme_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="sepia"):
        Theme("sepia")
