"""stub"""
from mailbot.vocabulary import quoting as words
def is_forward_subject(subject: str) -> bool:
    head, colon, _ = subject.strip().partition(":")
    return bool(colon) and head.strip().lower() in words.FORWARD_PREFIXES
