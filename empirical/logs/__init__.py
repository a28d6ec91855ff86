"""Other people's logs: accuracy curves from files of many kinds, their settings from names, and the pairs among them."""

from __future__ import annotations

from empirical.logs.curves import AccuracyLog
from empirical.logs.folder import Options, Problem
from empirical.logs.names import CENTRALIZED, LogSetting
from empirical.logs.pairs import LogFolder, LogPair, is_centralized, read_folder
from empirical.logs.place import VARIABLE, logs_folder, use_logs

__all__ = [
    "CENTRALIZED",
    "VARIABLE",
    "AccuracyLog",
    "LogFolder",
    "LogPair",
    "LogSetting",
    "Options",
    "Problem",
    "is_centralized",
    "logs_folder",
    "read_folder",
    "use_logs",
]
