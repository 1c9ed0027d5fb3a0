"""`python -m vvlm_desktop` is the `vvlm` command."""

from vvlm_desktop.cli import main

if __name__ == "__main__":
    main()
