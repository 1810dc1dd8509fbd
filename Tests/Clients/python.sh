# Sets $python to an interpreter with the packages of requirements.txt, made here where it is missing or out of date.
# CSERVE_TEST_PYTHON names another one. To be sourced in this folder.
python=${CSERVE_TEST_PYTHON:-.venv/bin/python}
if [ "$python" = .venv/bin/python ] && ! cmp -s requirements.txt .venv/requirements.txt; then
    echo "Making Tests/Clients/.venv with the packages of requirements.txt"
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
    cp requirements.txt .venv/requirements.txt
fi
