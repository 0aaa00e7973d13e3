@echo off
rem Sets up whatever is missing and opens the room on a demo city, on Windows. Arguments go on to the program.
setlocal
chcp 65001 >nul
cd /d "%~dp0.."
set PYTHONUTF8=1
set "venv=%CD%\.venv"

if not exist "%venv%\Scripts\python.exe" (
    for %%v in (3.13 3.12 3.11) do (
        if not exist "%venv%\Scripts\python.exe" py -%%v -m venv "%venv%" >nul 2>&1
    )
)
if not exist "%venv%\Scripts\python.exe" (
    echo Jingwei needs Python 3.11 to 3.13 with the "py" launcher: install it and start again.
    echo 经纬需要 Python 3.11 至 3.13（含 py 启动器）：请安装后重新启动。
    exit /b 1
)

rem The stamp is a copy of what the installation depends on: while it is the same, nothing is installed.
copy /b /y packaging\constraints.txt + pyproject.toml "%TEMP%\jingwei-wanted" >nul
fc /b "%TEMP%\jingwei-wanted" "%venv%\installed" >nul 2>&1
if errorlevel 1 (
    echo Installing packages: the first time this takes some minutes. 正在安装依赖：首次需要几分钟。
    "%venv%\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check -c packaging\constraints.txt -e . || exit /b 1
    copy /y "%TEMP%\jingwei-wanted" "%venv%\installed" >nul
)
if exist resources\locale\zh_CN\LC_MESSAGES\jingwei.po (
    "%venv%\Scripts\python.exe" packaging/dev/locale compile
)

set "folder=%LOCALAPPDATA%\jingwei"
set "url=sqlite:///%folder:\=/%/demo.db"
if not exist "%folder%" mkdir "%folder%"
if not exist "%folder%\demo.db" (
    "%venv%\Scripts\jingwei.exe" demo create --scale small --seed 1 --db "%url%" || exit /b 1
)
"%venv%\Scripts\jingwei.exe" --db "%url%" %*
