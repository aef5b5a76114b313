//! Lines as the gutter search sees them.

/// Letters of headings are larger by this factor.
pub(super) const HEADING: f64 = 1.2;

/// A line of a piece, as far as the search for gutters needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) x1: f64,
    pub(super) x2: f64,
    pub(super) y: f64,
    pub(super) height: f64,
    /// The width of its first word.
    pub(super) word: f64,
    /// More digits than letters.
    pub(super) numeric: bool,
    /// A line of a region of several.
    pub(super) solid: bool,
}
