//! Categories: labels with numbers.

use std::collections::HashMap;

/// The labels of a data set by number, from 0.
///
/// # Example
///
/// ```
/// use florence_export::Categories;
///
/// let mut found = Categories::open();
/// assert_eq!(found.number("car"), Some(0));
/// assert_eq!(found.number("door"), Some(1));
/// assert_eq!(found.number("car"), Some(0));
/// assert_eq!(found.names(), ["car", "door"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Categories {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    closed: bool,
}

impl Categories {
    /// No labels yet; every new one gets the next number.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Categories;
    ///
    /// assert!(Categories::open().names().is_empty());
    /// ```
    pub fn open() -> Self {
        Self::default()
    }

    /// These labels first, numbered in this order, and every new one gets the next number: to continue an
    /// existing data set. A repeated label has its first number.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Categories;
    ///
    /// let mut known = Categories::open_with(["car", "door"]);
    /// assert_eq!(known.number("door"), Some(1));
    /// assert_eq!(known.number("dog"), Some(2));
    /// ```
    pub fn open_with<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self {
            closed: false,
            ..Self::closed(names)
        }
    }

    /// These labels and no others, numbered in this order. A repeated label has its first number; the
    /// others are unused.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Categories;
    ///
    /// let mut known = Categories::closed(["car", "door"]);
    /// assert_eq!(known.number("door"), Some(1));
    /// assert_eq!(known.number("dog"), None);
    /// ```
    pub fn closed<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut numbers = HashMap::new();
        for (number, name) in names.iter().enumerate() {
            numbers.entry(name.clone()).or_insert(number);
        }
        Self {
            names,
            numbers,
            closed: true,
        }
    }

    /// The number of a label; `None` where it is not in the [closed](Categories::closed) list.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Categories;
    ///
    /// assert_eq!(Categories::open().number("car"), Some(0));
    /// ```
    pub fn number(&mut self, label: &str) -> Option<usize> {
        if let Some(number) = self.numbers.get(label) {
            return Some(*number);
        }
        if self.closed {
            return None;
        }
        let number = self.names.len();
        self.names.push(label.to_owned());
        self.numbers.insert(label.to_owned(), number);
        Some(number)
    }

    /// The labels in the order of their numbers.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Categories;
    ///
    /// assert_eq!(Categories::closed(["car"]).names(), ["car"]);
    /// ```
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
