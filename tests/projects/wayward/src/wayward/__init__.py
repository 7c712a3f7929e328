"""Nothing to see; the backend is what matters here."""

ANSWER = 42
