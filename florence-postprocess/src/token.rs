//! Tokens and vocabularies.

/// The meaning of one token.
///
/// # Example
///
/// ```
/// use florence_postprocess::Piece;
///
/// assert_eq!(Piece::Location(53).to_string(), "<loc_53>");
/// assert_eq!(Piece::Text(b"car").to_string(), "car");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Piece<'a> {
    /// Ordinary text, as the raw bytes that the token stands for. Byte-level BPE
    /// splits characters, so one piece may hold a part of one.
    Text(&'a [u8]),
    /// `<loc_N>`: the bin N, 0 to 999.
    Location(u16),
    /// Any other special token, spelled as in the vocabulary: `<poly>`,
    /// `</poly>`, `<sep>`, `<and>`, `<od>`, …
    Marker(&'a str),
    /// A control token of generation, not part of the answer: `<s>`, `</s>`, `<pad>`,
    /// `<unk>`, `<mask>`.
    Control(&'a str),
}

impl Piece<'_> {
    /// Appends the spelling of this token; half characters become U+FFFD.
    pub(crate) fn write_to(&self, text: &mut String) {
        match self {
            Piece::Text(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            Piece::Location(bin) => {
                text.push_str("<loc_");
                text.push_str(&bin.to_string());
                text.push('>');
            }
            Piece::Marker(token) | Piece::Control(token) => text.push_str(token),
        }
    }
}

impl std::fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.write_to(&mut text);
        f.write_str(&text)
    }
}

/// Maps token ids to their meaning. `BpeVocabulary` (feature `tokenizer`) is one for any
/// `tokenizer.json`.
///
/// # Example: a tiny vocabulary
///
/// ```
/// use florence_postprocess::{AnswerForm, Piece, Size, Token, Vocabulary, parse};
///
/// struct Tiny;
///
/// impl Vocabulary for Tiny {
///     fn piece(&self, id: u32) -> Piece<'_> {
///         match id {
///             0 => Piece::Control("<s>"),
///             2 => Piece::Control("</s>"),
///             3 => Piece::Text(b"car"),
///             1000..2000 => Piece::Location((id - 1000) as u16),
///             _ => Piece::Control("<unk>"),
///         }
///     }
/// }
///
/// let ids = [2, 0, 3, 1100, 1200, 1300, 1400, 2];
/// let tokens = Token::sequence(&Tiny, &ids, None);
/// let parsed = parse(AnswerForm::Boxes, &tokens, Size::new(1000, 1000));
/// assert_eq!(parsed.answer.detections()[0].label, "car");
/// ```
pub trait Vocabulary {
    /// The meaning of a token id. Total: an id outside the vocabulary is `Control("<unk>")`.
    fn piece(&self, id: u32) -> Piece<'_>;
}

impl<V: Vocabulary + ?Sized> Vocabulary for &V {
    fn piece(&self, id: u32) -> Piece<'_> {
        (**self).piece(id)
    }
}

/// One token of an answer.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Piece, Token};
///
/// let token = Token::new(Piece::Location(53), Some(-0.25));
/// assert_eq!(token.piece, Piece::Location(53));
/// assert_eq!(Token::from(Piece::Location(53)).logprob, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Token<'a> {
    /// What the token means.
    pub piece: Piece<'a>,
    /// The natural logarithm of the probability that the model gave this token, if known.
    pub logprob: Option<f32>,
}

impl<'a> Token<'a> {
    /// A token with its log-probability.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Piece, Token};
    ///
    /// assert_eq!(Token::new(Piece::Text(b"a"), Some(-1.0)).logprob, Some(-1.0));
    /// ```
    pub const fn new(piece: Piece<'a>, logprob: Option<f32>) -> Self {
        Self { piece, logprob }
    }

    /// The tokens of a decoder sequence.
    ///
    /// `logprobs` belong to the last tokens of `ids`: a sequence that begins with the decoder's
    /// start token has one log-probability less than ids, and the start token gets none.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Piece, Token, Vocabulary};
    ///
    /// struct Locations;
    /// impl Vocabulary for Locations {
    ///     fn piece(&self, id: u32) -> Piece<'_> {
    ///         Piece::Location(id as u16)
    ///     }
    /// }
    ///
    /// let tokens = Token::sequence(&Locations, &[7, 8], Some(&[-0.5]));
    /// assert_eq!(tokens, [
    ///     Token::new(Piece::Location(7), None),
    ///     Token::new(Piece::Location(8), Some(-0.5)),
    /// ]);
    /// ```
    pub fn sequence<V: Vocabulary + ?Sized>(
        vocabulary: &'a V,
        ids: &[u32],
        logprobs: Option<&[f32]>,
    ) -> Vec<Token<'a>> {
        let logprobs = logprobs.unwrap_or_default();
        let without = ids.len().saturating_sub(logprobs.len());
        let surplus = logprobs.len().saturating_sub(ids.len());
        let logprobs =
            std::iter::repeat_n(None, without).chain(logprobs[surplus..].iter().copied().map(Some));
        ids.iter()
            .zip(logprobs)
            .map(|(&id, logprob)| Token {
                piece: vocabulary.piece(id),
                logprob,
            })
            .collect()
    }
}

impl<'a> From<Piece<'a>> for Token<'a> {
    /// A token of unknown probability.
    fn from(piece: Piece<'a>) -> Self {
        Self {
            piece,
            logprob: None,
        }
    }
}

/// The text of some tokens with every special token spelled out, what `decode` of the reference
/// tokenizer gives with `skip_special_tokens=False`.
///
/// Bytes of neighboring text tokens are joined before they are decoded as UTF-8; invalid UTF-8
/// becomes U+FFFD.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Piece, Token, raw_text};
///
/// let pieces = [Piece::Control("<s>"), Piece::Text(b"caf\xc3"), Piece::Text(b"\xa9"), Piece::Location(5)];
/// assert_eq!(raw_text(&pieces.map(Token::from)), "<s>café<loc_5>");
/// ```
pub fn raw_text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut bytes = Vec::new();
    for token in tokens {
        if let Piece::Text(part) = token.piece {
            bytes.extend_from_slice(part);
        } else {
            text.push_str(&String::from_utf8_lossy(&bytes));
            bytes.clear();
            token.piece.write_to(&mut text);
        }
    }
    text.push_str(&String::from_utf8_lossy(&bytes));
    text
}
