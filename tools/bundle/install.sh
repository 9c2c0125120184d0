#!/bin/sh
# Installs the platform from the wheels beside this file, without internet. Start it with: sh install.sh
set -eu
cd "$(dirname "$0")"
want=$(cat wheels/PYTHON.txt)
for python in "python$want" python3 python; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$want')"; then
        "$python" tools/launch.py --only-install
        echo "以后这样启动：$python tools/launch.py"
        exit 0
    fi
done
echo "出错：没有找到 Python $want。请先安装它（这个离线安装包只配这个版本）。" >&2
exit 1
