"""What a report leaves out where the call itself brings the answer: stages and checks that live on notices."""

_STAGES = ("submit", "queue wait", "service", "notification", "observer lag")  # of `StageName`
_CHECKS = ("notices ours", "collector kept up", "ends observable", "clocks agree")

WITHOUT_NOTICES = frozenset((*_STAGES, *_CHECKS))
