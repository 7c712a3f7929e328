//! The program: settings, call, render, exit code.
