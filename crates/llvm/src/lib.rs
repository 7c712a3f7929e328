//! LLVM: finding installations, naming their libraries.
