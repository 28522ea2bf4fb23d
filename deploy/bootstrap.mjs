// Plain JavaScript without dependencies: it runs before anything is installed.
