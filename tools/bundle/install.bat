@echo off
rem Installs the platform from the wheels beside this file, without internet.
call "%~dp0start.bat" --only-install
set "CODE=%errorlevel%"
if %CODE% equ 0 pause
exit /b %CODE%
