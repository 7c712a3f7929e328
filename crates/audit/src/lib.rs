//! Opens a wheel, binary or folder once; the rules on what is inside.
