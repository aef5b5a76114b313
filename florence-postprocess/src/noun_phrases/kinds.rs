//! What kind of word a word is.

/// The part that a word can play in a phrase.
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
    /// An adjective of [`ADJECTIVES`]: the only ones that *and* and commas join.
    Adjective,
    /// A place in the image or in a thing: *upper*, *left*.
    Place,
    /// *smiling*, *wearing*
    Active,
    /// *parked*, *painted*
    Passive,
    /// What no phrase has: prepositions, verbs, pronouns, conjunctions.
    Function,
    /// Punctuation, and what stands in quotation marks.
    Mark,
    /// A noun, or an adjective that is not listed.
    Other,
}

impl Kind {
    /// Whether it says what a thing is or is like.
    pub(super) fn is_content(self) -> bool {
        matches!(
            self,
            Self::Adjective | Self::Active | Self::Passive | Self::Other
        )
    }
}

/// The kind of a word in small letters.
pub(super) fn kind(word: &str) -> Kind {
    let is = |list: &[&str]| list.contains(&word);
    if is(DETERMINERS) {
        Kind::Determiner
    } else if is(NEGATIONS) {
        Kind::Negation
    } else if is(NUMERALS) || word.starts_with(|c: char| c.is_ascii_digit()) {
        Kind::Numeral
    } else if is(PLACES) {
        Kind::Place
    } else if is(FUNCTION_WORDS) {
        Kind::Function
    } else if is(ADJECTIVES) {
        Kind::Adjective
    } else if is(NOUNS) {
        Kind::Other
    } else if word.ends_with("ly") || is(ADVERBS) {
        Kind::Adverb
    } else if word.len() > 4 && word.ends_with("ing") {
        Kind::Active
    } else if word.len() > 4 && word.ends_with("ed") || is(PARTICIPLES) {
        Kind::Passive
    } else {
        Kind::Other
    }
}

/// Whether a head says nothing that one could point at: parts of the picture, measures of other
/// things, times.
pub(super) fn names_no_thing(head: &str) -> bool {
    NO_THINGS.contains(&head)
}

const DETERMINERS: &[&str] = &[
    "a", "all", "an", "another", "any", "both", "each", "every", "few", "her", "his", "its",
    "many", "more", "most", "multiple", "my", "numerous", "other", "our", "several", "some",
    "such", "that", "the", "their", "these", "this", "those", "various", "your",
];

const NEGATIONS: &[&str] = &["no", "not", "without"];

const NUMERALS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "dozen", "twenty", "hundred",
];

const PLACES: &[&str] = &[
    "back",
    "bottom",
    "center",
    "central",
    "centre",
    "far",
    "front",
    "left",
    "leftmost",
    "lower",
    "lowest",
    "middle",
    "right",
    "rightmost",
    "top",
    "topmost",
    "upper",
];

const ADVERBS: &[&str] = &[
    "almost", "also", "just", "quite", "rather", "so", "somewhat", "too", "very",
];

/// Adjectives of captions: colours, sizes, materials, ages.
const ADJECTIVES: &[&str] = &[
    "beautiful",
    "beige",
    "big",
    "black",
    "blonde",
    "blue",
    "blurry",
    "bright",
    "bronze",
    "brown",
    "clean",
    "clear",
    "colorful",
    "colourful",
    "curly",
    "cyan",
    "dark",
    "deep",
    "dirty",
    "dry",
    "elderly",
    "empty",
    "flat",
    "floral",
    "fluffy",
    "full",
    "golden",
    "gray",
    "green",
    "grey",
    "happy",
    "heavy",
    "high",
    "huge",
    "large",
    "little",
    "long",
    "low",
    "maroon",
    "metallic",
    "modern",
    "narrow",
    "new",
    "old",
    "open",
    "oval",
    "pale",
    "pink",
    "plain",
    "purple",
    "rectangular",
    "red",
    "round",
    "rustic",
    "short",
    "shiny",
    "small",
    "smooth",
    "snowy",
    "straight",
    "sunny",
    "tall",
    "teal",
    "thick",
    "thin",
    "tiny",
    "turquoise",
    "vintage",
    "violet",
    "warm",
    "wet",
    "white",
    "wide",
    "wooden",
    "yellow",
    "young",
];

/// Nouns that look like participles or adverbs.
const NOUNS: &[&str] = &[
    "awning",
    "bed",
    "belly",
    "building",
    "buildings",
    "butterfly",
    "ceiling",
    "clothing",
    "dressing",
    "drawing",
    "earring",
    "evening",
    "family",
    "fly",
    "icing",
    "jelly",
    "lily",
    "morning",
    "painting",
    "parking",
    "railing",
    "seed",
    "shed",
    "sibling",
    "sled",
    "stuffing",
    "swing",
    "swimming",
    "topping",
    "weed",
    "wedding",
    "wing",
];

/// Passive participles that do not end in *-ed*.
const PARTICIPLES: &[&str] = &[
    "broken", "built", "carved", "drawn", "held", "hung", "laid", "made", "seen", "shown", "shut",
    "spread", "taken", "written",
];

const FUNCTION_WORDS: &[&str] = &[
    "aboard",
    "about",
    "above",
    "across",
    "after",
    "against",
    "ahead",
    "along",
    "alongside",
    "amid",
    "among",
    "and",
    "apart",
    "appear",
    "appears",
    "are",
    "around",
    "as",
    "at",
    "atop",
    "away",
    "be",
    "because",
    "been",
    "before",
    "behind",
    "being",
    "below",
    "beneath",
    "beside",
    "between",
    "beyond",
    "but",
    "by",
    "can",
    "contains",
    "contain",
    "could",
    "depict",
    "depicts",
    "display",
    "displays",
    "down",
    "during",
    "eat",
    "eats",
    "face",
    "faces",
    "feature",
    "features",
    "for",
    "from",
    "gives",
    "has",
    "have",
    "he",
    "hers",
    "herself",
    "him",
    "himself",
    "hold",
    "holds",
    "i",
    "if",
    "in",
    "include",
    "includes",
    "inside",
    "into",
    "is",
    "it",
    "itself",
    "jumps",
    "lie",
    "lies",
    "like",
    "look",
    "looks",
    "may",
    "me",
    "might",
    "near",
    "next",
    "nor",
    "of",
    "off",
    "on",
    "onto",
    "or",
    "out",
    "outside",
    "over",
    "past",
    "per",
    "plays",
    "provides",
    "read",
    "reads",
    "rest",
    "rests",
    "rides",
    "runs",
    "says",
    "seem",
    "seems",
    "she",
    "shows",
    "sit",
    "sits",
    "sleeps",
    "stand",
    "stands",
    "suggest",
    "suggests",
    "surround",
    "than",
    "them",
    "themselves",
    "then",
    "there",
    "they",
    "through",
    "throughout",
    "to",
    "together",
    "toward",
    "towards",
    "under",
    "underneath",
    "until",
    "up",
    "upon",
    "us",
    "walks",
    "was",
    "wears",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "whom",
    "whose",
    "will",
    "with",
    "within",
    "would",
    "you",
];

const NO_THINGS: &[&str] = &[
    "area",
    "array",
    "atmosphere",
    "background",
    "bit",
    "bunch",
    "center",
    "centre",
    "close-up",
    "collection",
    "color",
    "colour",
    "colors",
    "colours",
    "corner",
    "couple",
    "day",
    "daytime",
    "direction",
    "distance",
    "edge",
    "everything",
    "feeling",
    "foreground",
    "group",
    "groups",
    "half",
    "illustration",
    "image",
    "images",
    "kind",
    "left",
    "line-up",
    "lot",
    "lots",
    "middle",
    "moment",
    "mood",
    "night",
    "number",
    "pair",
    "part",
    "photo",
    "photograph",
    "photographs",
    "photos",
    "picture",
    "pictures",
    "piece",
    "pieces",
    "place",
    "places",
    "portion",
    "right",
    "row",
    "rows",
    "scene",
    "series",
    "set",
    "setting",
    "shot",
    "side",
    "sides",
    "something",
    "sort",
    "style",
    "time",
    "type",
    "types",
    "variety",
    "view",
    "way",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_listed_twice() {
        let mut words = [
            DETERMINERS,
            NEGATIONS,
            NUMERALS,
            PLACES,
            FUNCTION_WORDS,
            ADJECTIVES,
            NOUNS,
            ADVERBS,
            PARTICIPLES,
        ]
        .concat();
        words.sort_unstable();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(words.iter().all(|word| *word == word.to_lowercase()));
    }
}
