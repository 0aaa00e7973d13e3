"""The reader's language comes from the option, else the environment; English is the text in the code."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest

from db.kernel import language
from db.kernel.language import N_, _, ngettext_, set_language

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"

msgid "Overdue"
msgstr "超期"

msgid "{count} case"
msgid_plural "{count} cases"
msgstr[0] "{count} 件"
"""


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small Chinese catalogue in place of the shipped one."""
    folder = tmp_path / "locale" / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "jingwei.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(language, "resource", lambda *parts: tmp_path.joinpath(*parts))
    return folder


@pytest.mark.parametrize(
    "code, spoken",
    [("zh_CN", "zh_CN"), ("zh_CN.UTF-8", "zh_CN"), ("Chinese (Simplified)_China", "zh_CN"), ("fr_FR", "en")],
)
def test_a_code_leads_to_the_nearest_language(code: str, spoken: str) -> None:
    assert set_language(code) == spoken == language.language()


def test_the_environment_is_asked_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JINGWEI_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert set_language(None) == "zh_CN"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert set_language(None) == "en"
    monkeypatch.setenv("JINGWEI_LANG", "zh")
    assert set_language(None) == "zh_CN"


def test_words_are_translated_when_shown(catalogue: Path) -> None:
    marked = N_("Overdue")
    assert (_(marked), _("")) == ("Overdue", "")
    set_language("zh_CN")
    assert _(marked) == "超期"
    assert _("unknown words") == "unknown words"
    assert [ngettext_("{count} case", "{count} cases", n).format(count=n) for n in (1, 2)] == ["1 件", "2 件"]
    set_language("en")
    assert [ngettext_("{count} case", "{count} cases", n).format(count=n) for n in (1, 2)] == [
        "1 case",
        "2 cases",
    ]


def test_a_compiled_catalogue_is_used_unless_its_source_is_newer(catalogue: Path) -> None:
    compiled = catalogue / "jingwei.mo"
    compiled.write_bytes(language._compile(CATALOGUE.replace("超期", "旧").encode(), "zh_CN").getvalue())
    source = catalogue / "jingwei.po"
    source.touch()
    os.utime(source, ns=(compiled.stat().st_mtime_ns - 5, compiled.stat().st_mtime_ns - 5))
    set_language("zh_CN")
    assert _("Overdue") == "旧"
    os.utime(source, (compiled.stat().st_mtime + 5, compiled.stat().st_mtime + 5))
    set_language("zh_CN")
    assert _("Overdue") == "超期"


def test_without_a_catalogue_the_text_stays_english(catalogue: Path) -> None:
    (catalogue / "jingwei.po").unlink()
    set_language("zh_CN")
    assert _("Overdue") == "Overdue"
    assert isinstance(language._current, gettext.NullTranslations)
