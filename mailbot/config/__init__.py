"""The configuration: typed settings from one TOML file, systemd's credentials and the environment (contract.md).

`load_settings(path)` gives `Settings` or raises ConfigError with everything that is wrong, at once.
"""
