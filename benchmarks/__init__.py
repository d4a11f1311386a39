"""Speed, as ratios measured side by side in one run: `python -m benchmarks`."""

from importlib.util import find_spec

if missing := [name for name in ("matplotlib", "psutil", "pytest") if find_spec(name) is None]:
    raise SystemExit(
        f"the benchmarks use packages for development, and {', '.join(missing)} cannot be found; "
        "./test.sh makes an environment that has them, as does pipenv sync --dev"
    )
