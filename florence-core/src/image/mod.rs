//! Images: reading, conversion to RGB, and the exact preparation of the reference.
