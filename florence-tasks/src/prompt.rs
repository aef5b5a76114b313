//! Prompts: what is ours, what is the user's, and where the regions go.

use florence_core::{Segment, TokenKind, Tokenizer};
use florence_postprocess::{BBox, CoordinateQuantizer, Size};

use crate::error::{Error, Result};

/// What the model is asked, in parts that come from different people.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Prompt, Size};
///
/// let prompt = Prompt::new()
///     .text("What is the region ")
///     .region(BBox::new(32.0, 120.0, 320.0, 360.0))
///     .text("?");
/// assert_eq!(
///     prompt.to_text(Size::new(640, 480))?,
///     "What is the region <loc_50><loc_250><loc_500><loc_750>?",
/// );
/// # Ok::<(), florence_tasks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompt {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Markup(String),
    Special(String),
    Region(BBox),
}

impl Prompt {
    /// A prompt that says nothing.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Prompt, Size};
    ///
    /// assert_eq!(Prompt::new().to_text(Size::new(1, 1))?, "");
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text that is nothing but text: `</s>` or `<loc_5>` in it are characters.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Prompt, Size};
    ///
    /// let florence = Florence::nano()?;
    /// let ids = Prompt::new().text("</s>").to_ids(florence.tokenizer(), Size::new(1, 1))?;
    /// let ends = ids.iter().filter(|id| **id == florence.tokenizer().eos_id());
    /// assert_eq!(ends.count(), 1); // the one that ends the prompt
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Adds text in which special tokens are recognised: everything between `<` and `>` that the
    /// checkpoint's vocabulary has as a token of its own, be it `<loc_5>` or one that a fine-tune
    /// added. What the vocabulary does not have stays text.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Prompt, Size};
    ///
    /// let florence = Florence::nano()?;
    /// let tokenizer = florence.tokenizer();
    /// let prompt = Prompt::new().markup("<DocVQA>What is at <loc_5><loc_6>?");
    /// let ids = prompt.to_ids(tokenizer, Size::new(1, 1))?;
    /// assert!(ids.contains(&tokenizer.location_id(5).unwrap()));
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn markup(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Markup(text.into()));
        self
    }

    /// Adds one special token by its name. Asking is an error where the checkpoint's vocabulary
    /// does not have it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Prompt, Size};
    ///
    /// let florence = Florence::nano()?;
    /// let prompt = Prompt::new().special("<no_such_token>");
    /// let error = prompt.to_ids(florence.tokenizer(), Size::new(1, 1)).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "<no_such_token> is not a special token of this checkpoint's tokenizer",
    /// );
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn special(mut self, token: impl Into<String>) -> Self {
        self.parts.push(Part::Special(token.into()));
        self
    }

    /// Adds a region in pixels of the original image, as four location tokens. It is checked
    /// against the image when the question is asked.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{BBox, Prompt, Size};
    ///
    /// let prompt = Prompt::new().region(BBox::new(0.0, 0.0, 641.0, 480.0));
    /// assert_eq!(
    ///     prompt.to_text(Size::new(640, 480)).unwrap_err().to_string(),
    ///     "region 0,0,641,480 reaches outside of the image: expected 0 <= x1 <= x2 <= 640 and \
    ///      0 <= y1 <= y2 <= 480 (pixels of the image)",
    /// );
    /// ```
    #[must_use]
    pub fn region(mut self, region: BBox) -> Self {
        self.parts.push(Part::Region(region));
        self
    }

    /// The prompt as the published processors write it, for an image of this size in pixels.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] for a region that is no box inside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{BBox, Prompt, Size};
    ///
    /// let prompt = Prompt::new().text("What is in ").region(BBox::new(0.0, 0.0, 320.0, 240.0)).text("?");
    /// assert_eq!(
    ///     prompt.to_text(Size::new(640, 480))?,
    ///     "What is in <loc_0><loc_0><loc_500><loc_500>?",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_text(&self, size: Size) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) | Part::Markup(part) | Part::Special(part) => text.push_str(part),
                Part::Region(region) => text.extend(locations(region, size)?),
            }
        }
        Ok(text)
    }

    /// The token ids for an image of this size in pixels, `<s>` and `</s>` around them.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] for a region that is no box inside the image, [`Error::UnknownToken`] for
    /// a special token that the vocabulary does not have.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Prompt, Size};
    ///
    /// let florence = Florence::nano()?;
    /// let prompt = Prompt::new().text("What does the image describe?");
    /// let ids = prompt.to_ids(florence.tokenizer(), Size::new(640, 480))?;
    /// assert_eq!(florence.tokenizer().decode(&ids), "<s>What does the image describe?</s>");
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn to_ids(&self, tokenizer: &Tokenizer, size: Size) -> Result<Vec<u32>> {
        let mut pieces = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.clone())),
                Part::Markup(text) => split_markup(text, tokenizer, &mut pieces),
                Part::Special(token) if is_special(token, tokenizer) => {
                    pieces.push(Piece::Special(token.clone()));
                }
                Part::Special(token) => {
                    return Err(Error::UnknownToken {
                        token: token.clone(),
                    });
                }
                Part::Region(region) => {
                    pieces.extend(locations(region, size)?.map(Piece::Special));
                }
            }
        }
        let segments: Vec<Segment<'_>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Segment::Text(text),
                Piece::Special(token) => Segment::Special(token),
            })
            .collect();
        Ok(tokenizer.encode_segments(&segments)?)
    }
}

/// Text that is nothing but text, as [`Prompt::text`] takes it.
impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

/// Text that is nothing but text, as [`Prompt::text`] takes it.
impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

impl Prompt {
    /// Whether the prompt asks about the region of these bins.
    pub(crate) fn asks_about(&self, location_bins: &[u16], size: Size) -> bool {
        self.parts.iter().any(|part| {
            matches!(part, Part::Region(region)
                if bins(region, size).is_ok_and(|bins| bins == location_bins))
        })
    }

    /// Whether a region of it looks as if it were given in fractions of the sides of the image.
    pub(crate) fn region_looks_normalised(&self, size: Size) -> bool {
        let is_larger = size.width > 1 && size.height > 1;
        is_larger
            && self.parts.iter().any(|part| {
                matches!(part, Part::Region(region)
                    if region.to_array().iter().all(|side| (0.0..=1.0).contains(side)))
            })
    }

    /// What the user wrote and what stands around it, without regions and special tokens.
    pub(crate) fn words(&self) -> String {
        let text = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) | Part::Markup(text) => Some(text.as_str()),
            Part::Special(_) | Part::Region(_) => None,
        });
        text.collect()
    }
}

enum Piece {
    Text(String),
    Special(String),
}

/// Whether a token stands for itself, and not for text.
fn is_special(token: &str, tokenizer: &Tokenizer) -> bool {
    tokenizer
        .token_id(token)
        .is_some_and(|id| !matches!(tokenizer.token(id), TokenKind::Text(_)))
}

fn split_markup(text: &str, tokenizer: &Tokenizer, pieces: &mut Vec<Piece>) {
    let mut rest = text;
    let mut from = 0;
    while let Some(offset) = rest[from..].find('<') {
        let start = from + offset;
        let end = rest[start..].find('>').map(|len| start + len + 1);
        match end {
            Some(end) if is_special(&rest[start..end], tokenizer) => {
                pieces.push(Piece::Text(rest[..start].to_owned()));
                pieces.push(Piece::Special(rest[start..end].to_owned()));
                rest = &rest[end..];
                from = 0;
            }
            Some(_) => from = start + 1,
            None => break,
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
}

/// The four location tokens of a region.
fn locations(region: &BBox, size: Size) -> Result<impl Iterator<Item = String>> {
    Ok(bins(region, size)?
        .into_iter()
        .map(|bin| format!("<loc_{bin}>")))
}

/// The bins of a region that is a box inside the image.
fn bins(region: &BBox, size: Size) -> Result<[u16; 4]> {
    Ok(CoordinateQuantizer::new(size).quantize_region(region)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_knows_the_region_that_it_asks_about() {
        let size = Size::new(1000, 1000);
        let prompt = Prompt::new()
            .text("What is ")
            .region(BBox::new(1.0, 2.0, 3.0, 4.0));
        assert!(prompt.asks_about(&[1, 2, 3, 4], size));
        assert!(!prompt.asks_about(&[1, 2, 3], size));
        assert!(!prompt.asks_about(&[1, 2, 3, 5], size));
    }
}
