//! Tasks about a region.

use florence_postprocess::{BBox, Instance, Task, Text};

use super::ask;

/// The category of a region.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToCategory};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// assert_eq!(florence.run(RegionToCategory(region), &img)?.value.text, "star");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToCategory(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToCategory => Text, |this| Task::RegionToCategory.with_region(this.0), Text);

/// A description of a region.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToDescription};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// assert_eq!(florence.run(RegionToDescription(region), &img)?.value.text, "a large brown star");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToDescription(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToDescription => Text, |this| Task::RegionToDescription.with_region(this.0), Text);

/// The text in a region.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToOcr};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(90.0, 86.0, 206.0, 124.0);
/// assert_eq!(florence.run(RegionToOcr(region), &img)?.value.text, "frost");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToOcr(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToOcr => Text, |this| Task::RegionToOcr.with_region(this.0), Text);

/// The outline of the object in a region.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToSegmentation};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// let instances = florence.run(RegionToSegmentation(region), &img)?.into_value();
/// assert_eq!(instances[0].polygons().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToSegmentation(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToSegmentation => Vec<Instance>, |this| Task::RegionToSegmentation.with_region(this.0), Polygons);
