//! Tasks about a region.

use florence_postprocess::{BBox, Instance, Task, Text};

use super::ask;

/// The category of what a region shows.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToCategory};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// println!("{}", florence.run(RegionToCategory(region), &img)?.text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToCategory(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToCategory => Text, |this| Task::RegionToCategory.with_region(this.0), Text);

/// A description of what a region shows.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToDescription};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// println!("{}", florence.run(RegionToDescription(region), &img)?.text);
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
/// println!("{}", florence.run(RegionToOcr(region), &img)?.text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToOcr(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToOcr => Text, |this| Task::RegionToOcr.with_region(this.0), Text);

/// The outline of what a region shows.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, RegionToSegmentation};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let region = BBox::new(148.0, 180.0, 260.0, 286.0);
/// for instance in florence.run(RegionToSegmentation(region), &img)? {
///     println!("{} polygons", instance.polygons().count());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionToSegmentation(
    /// The region in pixels of the original image; it has to lie inside.
    pub BBox,
);

ask!(RegionToSegmentation => Vec<Instance>, |this| Task::RegionToSegmentation.with_region(this.0), Polygons);
