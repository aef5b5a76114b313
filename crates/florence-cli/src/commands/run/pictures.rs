//! `--annotate DIR` and `--overlay DIR`: a PNG for each image, in the same subfolders.

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use florence_tasks::AnyOutput;
use image::{DynamicImage, ImageFormat};

use super::drawing::Drawing;
use super::names::Names;
use super::whole;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::stderr::tell;

/// The ending of pictures.
pub(super) const ENDING: &str = "png";

/// The folders of pictures of a run.
pub(super) struct Pictures<'a> {
    names: &'a Names,
    skips_existing: bool,
    folders: Vec<Folder<'a>>,
}

struct Folder<'a> {
    flag: &'static str,
    path: &'a Path,
    is_overlay: bool,
    /// The number of photos with an EXIF orientation.
    turned: usize,
}

impl<'a> Pictures<'a> {
    /// # Errors
    ///
    /// Pictures that exist, unless the arguments say what to do with them.
    pub(super) fn open(args: &'a RunArgs, names: &'a Names) -> Result<Self, Failure> {
        let folders = args.picture_folders().map(|(flag, path)| Folder {
            flag,
            path,
            is_overlay: flag == "--overlay",
            turned: 0,
        });
        let pictures = Self {
            names,
            skips_existing: args.skips_existing(),
            folders: folders.collect(),
        };
        for folder in &pictures.folders {
            if !(args.overwrite || args.skips_existing()) {
                let files = args
                    .images
                    .iter()
                    .filter_map(|image| folder.file(image, names));
                let mut existing = files.filter(|file| file.exists());
                if let Some(first) = existing.next() {
                    let (count, first) = (1 + existing.count(), first.display());
                    return Err(Failure::Usage(folder.about(format!(
                        "pictures that exist: {count}, first {first}: --skip-existing keeps them, --overwrite \
                         replaces them"
                    ))));
                }
            }
            if let Some(note) = names.shared_stems(ENDING) {
                tell(folder.about(note));
            }
        }
        Ok(pictures)
    }

    /// Whether an image has all of its pictures; `None` if it gets none.
    pub(super) fn have(&self, image: &Path) -> Option<bool> {
        let mut folders = self.folders.iter();
        (!self.folders.is_empty()).then(|| folders.all(|folder| self.has(folder, image)))
    }

    fn has(&self, folder: &Folder<'_>, image: &Path) -> bool {
        self.skips_existing
            && folder
                .file(image, self.names)
                .is_some_and(|file| file.exists())
    }

    /// Writes the pictures of an answer that are not kept; returns what failed.
    pub(super) fn add(
        &mut self,
        image: &Path,
        pixels: Option<&DynamicImage>,
        answer: &AnyOutput,
    ) -> Vec<Failure> {
        let missing: Vec<bool> = self
            .folders
            .iter()
            .map(|folder| !self.has(folder, image))
            .collect();
        if !missing.contains(&true) {
            return Vec::new();
        }
        let drawing = Drawing::new(answer);
        let mut failures = Vec::new();
        for (folder, _) in self
            .folders
            .iter_mut()
            .zip(missing)
            .filter(|(_, missing)| *missing)
        {
            let Some(file) = folder.file(image, self.names) else {
                continue;
            };
            match folder.write(&file, pixels, &drawing) {
                Ok(()) => folder.turned += usize::from(drawing.is_turned()),
                Err(error) => failures.push(Failure::Other(format!(
                    "{} {}: {error}",
                    folder.flag,
                    file.display()
                ))),
            }
        }
        failures
    }

    /// Reports how the pictures differ from the photos.
    pub(super) fn report(&self) {
        for folder in self.folders.iter().filter(|folder| folder.turned > 0) {
            tell(folder.about(format!(
                "photos with an EXIF orientation, drawn upright as viewers show them: {}",
                folder.turned
            )));
        }
    }
}

impl Folder<'_> {
    /// The picture of an image.
    fn file(&self, image: &Path, names: &Names) -> Option<PathBuf> {
        let file = |name: &super::names::Name| self.path.join(name.file(ENDING));
        let name = names.of(image)?;
        Some(file(&name.as_before(|name| file(name).exists())))
    }

    fn write(
        &self,
        file: &Path,
        pixels: Option<&DynamicImage>,
        drawing: &Drawing,
    ) -> io::Result<()> {
        let picture = match pixels {
            _ if self.is_overlay => DynamicImage::from(drawing.overlay()),
            Some(pixels) => DynamicImage::from(drawing.annotated(pixels)),
            None => return Err(io::Error::other("the image is not there any more")),
        };
        let mut png = Cursor::new(Vec::new());
        picture
            .write_to(&mut png, ImageFormat::Png)
            .map_err(io::Error::other)?;
        whole::write(file, png.get_ref()).map(drop)
    }

    fn about(&self, note: String) -> String {
        format!("{} {}: {note}", self.flag, self.path.display())
    }
}
