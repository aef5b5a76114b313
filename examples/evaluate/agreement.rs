//! How far two precisions of one model say the same.

use std::collections::BTreeMap;
use std::error::Error;

use florence_core::candle::{D, Tensor};
use florence_tasks::{Answer, Ask, EncodedImage, Florence, Output, Request};

/// Counts of one task.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    answers: usize,
    identical: usize,
    /// The sum over all answers of the share of tokens before the first difference.
    before: f64,
    /// Places in the first model's answers, and those after which both find the
    /// same token the likeliest.
    places: usize,
    same: usize,
}

/// Counts by task.
#[derive(Debug, Default)]
pub(crate) struct Agreement(BTreeMap<&'static str, Counts>);

impl Agreement {
    /// Adds the answers of two models to one question, of which the first is
    /// the measure.
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
            let (model, features) = (model.model(), photo.features());
            let logits = model.forward(features, &[prompt], &[given], &mut |_, _| {})?;
            next.push(likeliest(&logits)?);
        }
        let places = next[0].iter().zip(&next[1]).skip(FORCED - 1);
        counts.places += places.len();
        counts.same += places.filter(|(a, b)| a == b).count();
        Ok(())
    }

    /// The table.
    pub(crate) fn print(&self) {
        println!(
            "| task | answers | identical | tokens before the first difference | next token the same |"
        );
        println!("| --- | --- | --- | --- | --- |");
        let mut all = Counts::default();
        for (task, counts) in &self.0 {
            print(task, counts);
            all.answers += counts.answers;
            all.identical += counts.identical;
            all.before += counts.before;
            all.places += counts.places;
            all.same += counts.same;
        }
        print("**all**", &all);
    }
}

fn print(name: &str, counts: &Counts) {
    let percent = |part: f64, whole: usize| 100.0 * part / whole as f64;
    println!(
        "| {name} | {} | {:.1} % | {:.1} % | {:.2} % of {} |",
        counts.answers,
        percent(counts.identical as f64, counts.answers),
        percent(counts.before, counts.answers),
        percent(counts.same as f64, counts.places),
        counts.places,
    );
}

fn likeliest(logits: &Tensor) -> Result<Vec<u32>, Box<dyn Error>> {
    Ok(logits.squeeze(0)?.argmax(D::Minus1)?.to_vec1()?)
}
