"""Words for people where a template shows a value: roles, priorities, the commands of an agent's mail."""

ROLES = {
    "id": {"requester": "pelapor", "participant": "peserta", "agent": "petugas", "system": "otomatis"},
    "en": {"requester": "requester", "participant": "participant", "agent": "agent", "system": "automatic"},
}

PRIORITIES = {
    "id": {"low": "rendah", "normal": "normal", "high": "tinggi", "urgent": "mendesak"},
    "en": {"low": "low", "normal": "normal", "high": "high", "urgent": "urgent"},
}
