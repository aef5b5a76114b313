//! Agreement between two precisions of one model.

use std::collections::BTreeMap;
use std::error::Error;

use florence_core::TokenKind;
use florence_core::candle::{D, Tensor};
use florence_tasks::{Answer, Ask, EncodedImage, Florence, Output, Request};

/// Counts of one task.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    answers: usize,
    identical: usize,
    /// Sum over all answers of the fraction of tokens before the first difference.
    before: f64,
    /// Positions in the first model's answers where its most likely next token
    /// is a word, and those of them where both models agree.
    words: Pair,
    /// As `words`, for location tokens.
    locations: Pair,
    /// Bins between different locations, summed, and how many there are.
    bins: Pair,
}

/// A part and the whole.
#[derive(Debug, Default, Clone, Copy)]
struct Pair {
    part: usize,
    whole: usize,
}

impl Pair {
    fn add(&mut self, part: usize, whole: usize) {
        self.part += part;
        self.whole += whole;
    }
}

/// Counts by task.
#[derive(Debug, Default)]
pub(crate) struct Agreement(BTreeMap<&'static str, Counts>);

impl Agreement {
    /// Adds the answers of two models to one question; the first is the
    /// reference.
    pub(crate) fn add(
        &mut self,
        request: &Request,
        models: [&Florence; 2],
        photos: [&EncodedImage; 2],
        outputs: [&Output<Answer>; 2],
    ) -> Result<(), Box<dyn Error>> {
        /// What every answer starts with: the start token and `<s>`.
        const FORCED: usize = 2;
        let counts = self.0.entry(request.task().name()).or_default();
        let [right, other] = outputs.map(|output| &output.token_ids[..]);
        counts.answers += 1;
        counts.identical += usize::from(right == other);
        let common = right.iter().zip(other).take_while(|(a, b)| a == b).count();
        let written = right.len().saturating_sub(FORCED).max(1);
        counts.before += common.saturating_sub(FORCED) as f64 / written as f64;
        let prompt = request.question()?.prompt;
        let mut next = Vec::new();
        for (model, photo) in models.into_iter().zip(photos) {
            let prompt = prompt.to_ids(model.tokenizer(), photo.size())?;
            let given = right[..right.len() - 1].to_vec();
            let (model, features) = (model.model(), photo.features().tensor());
            let logits = model.forward(features, &[prompt], &[given], &mut |_, _| {})?;
            next.push(likeliest(&logits)?);
        }
        let tokenizer = models[0].tokenizer();
        for (&right, &other) in next[0].iter().zip(&next[1]).skip(FORCED - 1) {
            counts.place(tokenizer.token(right), tokenizer.token(other));
        }
        Ok(())
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        println!(
            "| task | answers | identical | tokens before the first difference | same next word \
             | same next location | bins between different locations |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        let mut all = Counts::default();
        for (task, counts) in &self.0 {
            print(task, counts);
            all.answers += counts.answers;
            all.identical += counts.identical;
            all.before += counts.before;
            all.words.add(counts.words.part, counts.words.whole);
            all.locations
                .add(counts.locations.part, counts.locations.whole);
            all.bins.add(counts.bins.part, counts.bins.whole);
        }
        print("**all**", &all);
    }
}

impl Counts {
    /// Counts a position by the most likely tokens of both models.
    fn place(&mut self, right: TokenKind<'_>, other: TokenKind<'_>) {
        match (right, other) {
            (TokenKind::Location(one), TokenKind::Location(two)) => {
                self.locations.add(usize::from(one == two), 1);
                if one != two {
                    self.bins.add(usize::from(one.abs_diff(two)), 1);
                }
            }
            (TokenKind::Location(_), _) => self.locations.add(0, 1),
            _ => self.words.add(usize::from(right == other), 1),
        }
    }
}

fn print(name: &str, counts: &Counts) {
    let percent = |part: f64, whole: usize| format!("{:.1} %", 100.0 * part / whole as f64);
    let share = |pair: Pair| match pair.whole {
        0 => "–".to_owned(),
        whole => format!("{} of {whole}", percent(pair.part as f64, whole)),
    };
    let bins = match counts.bins.whole {
        0 => "–".to_owned(),
        whole => format!("{:.2}", counts.bins.part as f64 / whole as f64),
    };
    println!(
        "| {name} | {} | {} | {} | {} | {} | {bins} |",
        counts.answers,
        percent(counts.identical as f64, counts.answers),
        percent(counts.before, counts.answers),
        share(counts.words),
        share(counts.locations),
    );
}

fn likeliest(logits: &Tensor) -> Result<Vec<u32>, Box<dyn Error>> {
    Ok(logits.squeeze(0)?.argmax(D::Minus1)?.to_vec1()?)
}
