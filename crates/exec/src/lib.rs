//! Steps and the child processes that carry them out: announced, logged, bounded, killed with all they started.
