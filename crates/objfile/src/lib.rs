//! One view of ELF, Mach-O and PE/COFF objects and static archives.
