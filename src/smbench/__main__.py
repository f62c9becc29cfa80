"""`python -m smbench` is the `smbench` command."""

from smbench.cli.app import main

if __name__ == "__main__":
    main()
