"""`python -m triton_migrate` is the console script."""

from triton_migrate.cli import main

if __name__ == "__main__":
    main()
