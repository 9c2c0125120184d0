@echo off
setlocal
rem Finds Python and hands over to tools\launch.py, which installs, builds the index and starts the platform.
rem ASCII only: cmd misreads Chinese in a batch file, so Python prints the messages.
pushd "%~dp0"
chcp 65001 >nul
set "WANT=3.11"
if exist "wheels\PYTHON.txt" set /p WANT=<"wheels\PYTHON.txt"
set "CHECK=import sys; sys.exit(sys.version_info < (3, 11))"
py -%WANT% -c "%CHECK%" >nul 2>nul && set "PY=py -%WANT%" && goto found
py -3 -c "%CHECK%" >nul 2>nul && set "PY=py -3" && goto found
python -c "%CHECK%" >nul 2>nul && set "PY=python" && goto found
type "tools\no_python.txt"
pause
popd
exit /b 1

:found
%PY% "tools\launch.py" %*
set "CODE=%errorlevel%"
if %CODE% neq 0 pause
popd
exit /b %CODE%
