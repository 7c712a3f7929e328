//! Rules, findings, and how they are shown: text, JSON, SARIF, GitHub annotations, Markdown.
