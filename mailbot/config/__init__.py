"""The configuration: typed settings from one TOML file, systemd's credentials and the environment.

Way in: `load.load_settings(path)` returns `Settings`, or raises ConfigError with every mistake at once.
"""
