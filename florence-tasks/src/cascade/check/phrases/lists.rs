//! Word lists of captions, as far as their kinds have to be known.

/// The role of a word in a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a phrase: *the*.
    Determiner,
    /// Says that something is not there: *no*, *without*.
    Negation,
    /// *two*, *12*
    Numeral,
    /// *very*, *brightly*
    Adverb,
    /// A listed adjective: the only ones that *and* and commas join.
    Adjective,
    /// A position in the image or in a thing: *upper*, *left*.
    Place,
    /// *smiling*, *wearing*
    Active,
    /// *parked*, *painted*
    Passive,
    /// In no phrase: prepositions, verbs, pronouns, conjunctions.
    Function,
    /// Punctuation and quotations.
    Mark,
    /// A noun, or an adjective that is not listed.
    Other,
}

impl Kind {
    /// Whether it is a content word: one that says what a thing is or is like.
    pub(super) fn is_content(self) -> bool {
        matches!(
            self,
            Self::Adjective | Self::Active | Self::Passive | Self::Other
        )
    }
}

/// Words by kind; none has two.
pub(super) const WORDS: [(Kind, &str); 9] = [
    (
        Kind::Determiner,
        "\
        a all an another any both each every few her his its many more most multiple my numerous other our \
        several some such that the their these this those various your",
    ),
    (
        Kind::Negation,
        "\
        no not without",
    ),
    (
        Kind::Numeral,
        "\
        one two three four five six seven eight nine ten eleven twelve dozen twenty hundred",
    ),
    (
        Kind::Place,
        "\
        back bottom center central centre far front left leftmost lower lowest middle right rightmost top \
        topmost upper",
    ),
    (
        Kind::Adverb,
        "\
        almost also just quite rather so somewhat too very",
    ),
    // Colors, sizes, materials, ages.
    (
        Kind::Adjective,
        "\
        beautiful beige big black blonde blue blurry bright bronze brown clean clear colorful colourful curly \
        cyan dark deep dirty dry elderly empty flat floral fluffy full golden gray green grey happy heavy high \
        huge large little long low maroon metallic modern narrow new old open oval pale pink plain purple \
        rectangular red round rustic short shiny small smooth snowy straight sunny tall teal thick thin tiny \
        turquoise vintage violet warm wet white wide wooden yellow young",
    ),
    // Nouns that look like participles or adverbs.
    (
        Kind::Other,
        "\
        awning bed belly building buildings butterfly ceiling clothing dressing drawing earring evening family \
        fly icing jelly lily morning painting parking railing seed shed sibling sled stuffing swing swimming \
        topping weed wedding wing",
    ),
    // Those without *-ed*.
    (
        Kind::Passive,
        "\
        broken built carved drawn held hung laid made seen shown shut spread taken written",
    ),
    (
        Kind::Function,
        "\
        aboard about above across after against ahead along alongside amid among and apart appear appears are \
        around as at atop away be because been before behind being below beneath beside between beyond but by \
        can contains contain could depict depicts display displays down during eat eats face faces feature \
        features for from gives has have he hers herself him himself hold holds i if in include includes inside \
        into is it itself jumps lie lies like look looks may me might near next nor of off on onto or out \
        outside over past per plays provides read reads rest rests rides runs says seem seems she shows sit sits \
        sleeps stand stands suggest suggests surround than them themselves then there they through throughout to \
        together toward towards under underneath until up upon us walks was wears we were what when where which \
        while who whom whose will with within would you",
    ),
];

/// Heads that name no visible thing: parts of the picture, measures of other things, times.
pub(super) const NO_THINGS: &str = "\
    area array atmosphere background bit bunch center centre close-up collection color colour colors colours \
    corner couple day daytime direction distance edge everything feeling foreground group groups half \
    illustration image images kind left line-up lot lots middle moment mood night number pair part photo \
    photograph photographs photos picture pictures piece pieces place places portion right row rows scene \
    series set setting shot side sides something sort style time type types variety view way";
