//! Time travel over a recorded case: every entry is shown, and some exactly so.
