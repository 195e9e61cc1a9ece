//! Examples of Tongban, one idea per file; each says how to run it and what it prints.
