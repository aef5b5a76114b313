//! Masks: for each image an 8-bit gray PNG of its size for every object, and one for all of them; 255
//! where the center of a pixel is inside, else 0.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use florence_postprocess::Mask;
use image::{GrayImage, ImageFormat};

use super::claims::Claim;
use super::mask_name::{is_mask, is_object, label_in_name};
use super::placed::file_names;
use super::{Item, about};
use crate::commands::run::names::Name;
use crate::commands::run::whole;
use crate::export_target::Format;

pub(super) struct Masks {
    folder: PathBuf,
    /// The masks of earlier runs, by their folder, each read when the first image goes into it.
    earlier: HashMap<PathBuf, BTreeSet<OsString>>,
}

impl Masks {
    pub(super) fn claims(folder: &Path) -> Vec<Claim> {
        vec![Claim::Masks(folder.to_owned())]
    }

    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            earlier: HashMap::new(),
        }
    }

    /// Whether an image has all of its masks: the union is written last.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.union(&self.name(name)).exists()
    }

    /// Returns whether masks were replaced.
    pub(super) fn add(&mut self, item: &Item<'_>) -> Result<bool, String> {
        let name = self.name(item.name);
        let union_path = self.union(&name);
        let replaced = union_path.exists();
        if replaced {
            // Until the last one is written this image is not done.
            fs::remove_file(&union_path).map_err(about(&union_path))?;
        }
        let mut earlier = self.take_earlier(&name)?;
        let mut union = Mask::new(item.record.size);
        for (index, object) in item.record.annotations.iter().enumerate() {
            let path = self.object(&name, index + 1, &object.label);
            write(&path, &object.shape.to_mask(item.record.size)).map_err(about(&path))?;
            union.fill_shape(&object.shape);
            earlier.retain(|file| *file != path);
        }
        for path in earlier {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(about(&path)(error));
                }
                _ => {}
            }
        }
        write(&union_path, &union).map_err(about(&union_path))?;
        Ok(replaced)
    }

    fn name(&self, name: &Name) -> Name {
        name.as_before(|name| self.union(name).exists())
    }

    fn union(&self, name: &Name) -> PathBuf {
        self.folder.join(name.file(Format::Masks.ending()))
    }

    /// The path of an object's mask. No two images share one: a label has no dot.
    fn object(&self, name: &Name, number: usize, label: &str) -> PathBuf {
        let label = label_in_name(label);
        let dash = if label.is_empty() { "" } else { "-" };
        let ending = format!("mask-{number:03}{dash}{label}.png");
        self.folder.join(name.file(&ending))
    }

    /// The masks of this image's objects that an earlier run has left.
    fn take_earlier(&mut self, name: &Name) -> Result<Vec<PathBuf>, String> {
        let start = self.folder.join(name.file("mask-"));
        let folder = start.parent().unwrap_or(&self.folder).to_owned();
        let start = start.file_name().unwrap_or_default();
        if !self.earlier.contains_key(&folder) {
            let names = file_names(&folder).map_err(about(&folder))?;
            let masks = names.into_iter().filter(|name| is_mask(name)).collect();
            self.earlier.insert(folder.clone(), masks);
        }
        let there = self.earlier.get(&folder).into_iter();
        let there = there.flat_map(|names| names.range(start.to_owned()..));
        let of_image = there.map_while(|name| {
            let rest = name
                .as_encoded_bytes()
                .strip_prefix(start.as_encoded_bytes())?;
            Some((name, rest))
        });
        let of_image = of_image.filter(|(_, rest)| is_object(rest));
        Ok(of_image.map(|(name, _)| folder.join(name)).collect())
    }
}

fn write(path: &Path, mask: &Mask) -> io::Result<()> {
    let size = mask.size();
    let image = GrayImage::from_raw(size.width, size.height, mask.to_gray());
    let image = image.ok_or_else(|| io::Error::other("a mask of another size"))?;
    let mut file = Cursor::new(Vec::new());
    image
        .write_to(&mut file, ImageFormat::Png)
        .map_err(io::Error::other)?;
    whole::write(path, file.get_ref()).map(drop)
}
