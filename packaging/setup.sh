# shellcheck shell=bash
# Sourced by run and test: finds a Python, makes the virtual environment, installs what is missing, and nothing twice.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=${JINGWEI_VENV:-$root/.venv}
venv_python=$venv/bin/python

# say ENGLISH CHINESE: one sentence in the reader's language.
say() {
    case ${JINGWEI_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}} in
        zh*) printf '%s\n' "$2" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

give_up() {
    say "$@" >&2
    exit 1
}

is_debian_kin() { command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; }

may_install() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# apt_install PACKAGE...: on Debian, Ubuntu, UOS, Kylin. Tries the lists at hand first and fetches new ones only if they fail.
apt_install() {
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    local log
    log=$(mktemp)
    if as_root "${install[@]}" "$@" >"$log" 2>&1 ||
        { as_root apt-get update -qq >"$log" 2>&1 && as_root "${install[@]}" "$@" >"$log" 2>&1; }; then
        rm -f "$log"
        return 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# find_python: sets $python to a Python of 3.11 or newer, or fails.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            # The interpreter itself, not a shim that may answer differently in another folder.
            python=$("$candidate" -c 'import sys; print(sys.executable)')
            return 0
        fi
    done
    return 1
}

need_python() {
    find_python && return
    if is_debian_kin && may_install; then
        say "Installing Python." "正在安装 Python。"
        apt_install python3 python3-venv && find_python && return
    fi
    give_up "Jingwei needs Python 3.11 or newer, and none was found: install it and start again." \
        "经纬需要 Python 3.11 或更新版本，本机未找到：请安装后重新启动。"
}

# Debian keeps ensurepip, without which there is no virtual environment, in a package of its own.
need_ensurepip() {
    "$python" -c 'import ensurepip' >/dev/null 2>&1 && return
    local package
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if is_debian_kin && may_install; then
        say "Installing $package." "正在安装 $package。"
        apt_install "$package" && return
    fi
    give_up "Python's venv module is missing. Run this once, then start again: sudo apt-get install -y $package" \
        "缺少 Python 的 venv 模块。请执行一次以下命令后重新启动：sudo apt-get install -y $package"
}

# What an installation depends on, as one line. The folder is in it because an editable installation points at it.
fingerprint() {
    {
        cat "$root/packaging/constraints.txt" "$root/pyproject.toml"
        "$venv_python" -c 'import sys; print(sys.version)'
        printf '%s\n' "$root"
    } | cksum
}

# need_packages [EXTRA]: the pinned dependencies and the checkout itself, skipped while nothing has changed.
need_packages() {
    local extra=${1:-} mark stamp target=$root
    if ! "$venv_python" -m pip --version >/dev/null 2>&1; then
        need_python
        need_ensurepip
        say "Making the virtual environment $venv." "正在创建虚拟环境 $venv。"
        "$python" -m venv --clear "$venv" ||
            give_up "The virtual environment could not be made." "无法创建虚拟环境。"
    fi
    is_new_enough "$venv_python" ||
        give_up "$venv has an older Python than 3.11: remove that folder and start again." \
            "$venv 中的 Python 低于 3.11：请删除该文件夹后重新启动。"
    mark=$(fingerprint)
    # Whoever has the tools of the developers has the program too.
    for stamp in "$venv/installed-dev" "$venv/installed-${extra:-run}"; do
        if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ]; then return 0; fi
    done
    say "Installing packages: the first time this takes some minutes." "正在安装依赖：首次需要几分钟。"
    [ -n "$extra" ] && target="${root}[$extra]"
    "$venv_python" -m pip install --quiet --disable-pip-version-check --no-input \
        --constraint "$root/packaging/constraints.txt" --editable "$target" ||
        give_up "The packages could not be installed: see above; what is there already is kept." \
            "依赖安装失败：原因见上；已安装的部分会保留。"
    printf '%s\n' "$mark" >"$venv/installed-${extra:-run}"
}

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'; }

has_chinese_font() {
    if command -v fc-list >/dev/null 2>&1; then
        [ -n "$(fc-list :lang=zh-cn file 2>/dev/null | head -n 1)" ]
    else
        [ -n "$(find /usr/share/fonts /usr/local/share/fonts "$HOME/.local/share/fonts" \
            \( -iname '*wqy*' -o -iname '*cjk*' -o -iname '*SourceHanSans*' \) 2>/dev/null | head -n 1)" ]
    fi
}

# missing_libraries: the packages of apt.txt that this system lacks, by the names it knows them under.
missing_libraries() {
    local package
    while read -r package; do
        case $package in
            fonts-*) has_chinese_font && continue ;;
        esac
        is_installed "$package" && continue
        is_installed "${package}t64" && continue
        # Debian 13 and Ubuntu 24.04 renamed some for their 64-bit times.
        if apt-cache show "${package}t64" >/dev/null 2>&1; then package=${package}t64; fi
        printf '%s\n' "$package"
    done < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$root/packaging/apt.txt")
}

# The one command for systems that are not Debian's kin.
library_command() {
    if command -v dnf >/dev/null 2>&1; then
        echo "sudo dnf install -y mesa-libGL mesa-libEGL mesa-libgbm libxkbcommon-x11 xcb-util-cursor xcb-util-wm" \
            "xcb-util-image xcb-util-keysyms xcb-util-renderutil libxkbfile nss alsa-lib libXcomposite libXdamage" \
            "libXrandr libXtst pulseaudio-libs wqy-microhei-fonts"
    elif command -v pacman >/dev/null 2>&1; then
        echo "sudo pacman -S --needed libglvnd mesa libxkbcommon-x11 xcb-util-cursor xcb-util-wm xcb-util-image" \
            "xcb-util-keysyms xcb-util-renderutil libxkbfile nss alsa-lib libxcomposite libxdamage libxrandr libxtst" \
            "libpulse wqy-microhei"
    elif command -v zypper >/dev/null 2>&1; then
        echo "sudo zypper install -y Mesa-libGL1 Mesa-libEGL1 libgbm1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4" \
            "libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxkbfile1 mozilla-nss libasound2 libXcomposite1" \
            "libXdamage1 libXrandr2 libXtst6 libpulse0 wqy-microhei-fonts"
    fi
}

qt_starts() { "$venv_python" -c 'import PySide6.QtWebEngineWidgets' >/dev/null 2>&1; }

# need_libraries: system libraries and a Chinese font, only where missing. Call it after need_packages.
need_libraries() {
    local missing line
    if is_debian_kin; then
        read -r -d '' -a missing < <(missing_libraries) || true
        if [ "${#missing[@]}" -gt 0 ]; then
            if may_install; then
                say "Installing system libraries: ${missing[*]}" "正在安装系统组件：${missing[*]}"
                # Package lists may be absent (then new names are unknown too): look again after the first fetch.
                if ! apt_install "${missing[@]}"; then
                    read -r -d '' -a missing < <(missing_libraries) || true
                    apt_install "${missing[@]}" || true
                fi
            else
                say "Some system libraries are missing. Run this once: sudo apt-get install -y ${missing[*]}" \
                    "缺少系统组件，请执行一次：sudo apt-get install -y ${missing[*]}"
            fi
        fi
    fi
    qt_starts && return
    line=$(library_command)
    [ -n "$line" ] && say "Run this once, then start again: $line" "请执行一次以下命令后重新启动：$line" >&2
    "$venv_python" -c 'import PySide6.QtWebEngineWidgets' 2>&1 | tail -n 1 >&2
    give_up "Qt cannot start, because this system lacks the library named above." "Qt 无法启动：系统缺少上述组件。"
}

# need_translations: compile each catalogue that is newer than its compiled file.
need_translations() {
    local source
    for source in "$root"/resources/locale/*/LC_MESSAGES/jingwei.po; do
        [ -f "$source" ] || continue
        if [ "$source" -nt "${source%.po}.mo" ]; then
            "$venv_python" "$root/packaging/dev/locale" compile
            return
        fi
    done
}

# gate NAME COMMAND...: run it, remember how it went and how long it took.
gates=()
failures=0
gate() {
    local name=$1 began=$SECONDS result=passed
    shift
    printf '\n== %s\n' "$name"
    "$@" || { result=FAILED && failures=$((failures + 1)); }
    gates+=("$(printf '%-14s %-7s %5d s' "$name" "$result" $((SECONDS - began)))")
}

# gates_summary: what each gate said; fails when one did.
gates_summary() {
    printf '\n== summary\n'
    printf '%s\n' "${gates[@]}"
    [ "$failures" = 0 ]
}

# run_tests ARGUMENTS...: pytest, content when nothing was selected.
run_tests() {
    local code=0
    "$venv_python" -m pytest -q "$@" || code=$?
    [ "$code" = 0 ] || [ "$code" = 5 ]
}

# Everything that needs no running program.
static_gates() {
    gate "lint" "$venv_python" -m ruff check --quiet .
    gate "format" "$venv_python" -m ruff format --check --quiet .
    gate "types" "$venv_python" -m mypy
    gate "layers" "$venv/bin/lint-imports" --no-cache
    gate "translations" "$venv_python" packaging/dev/locale check
}
