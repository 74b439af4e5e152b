//! A body that is rendered each time it is sent: text with values to fill in, and files between.

use std::sync::Arc;

use super::body_file::{BodyContent, BodyFile, label};
use super::template::{RenderError, Template, Values};
use super::wire::InsertedFile;

/// A body that is rendered each time it is sent.
#[derive(Clone, Debug, Default)]
pub struct BodyTemplate(Vec<BodyPart>);

#[derive(Clone, Debug)]
enum BodyPart {
    Text(Template),
    /// A small file, shown by its name.
    SmallFile {
        bytes: Arc<[u8]>,
        name: String,
    },
    File(Arc<BodyFile>),
}

impl BodyTemplate {
    /// Appends text.
    pub fn push(&mut self, text: Template) {
        match self.0.last_mut() {
            Some(BodyPart::Text(before)) => before.push(text),
            _ => self.0.push(BodyPart::Text(text)),
        }
    }

    /// Appends the content of a file; a small one is shown as text.
    pub fn push_content(&mut self, content: BodyContent) {
        match content {
            BodyContent::Memory(bytes) => {
                let mut text = Template::default();
                text.push_literal(&bytes, false);
                self.push(text);
            }
            BodyContent::Disk(file) => self.0.push(BodyPart::File(file)),
        }
    }

    /// Appends a file, which is shown by its name.
    pub fn push_file(&mut self, content: BodyContent, name: &str) {
        self.0.push(match content {
            BodyContent::Memory(bytes) => BodyPart::SmallFile { bytes, name: name.to_owned() },
            BodyContent::Disk(file) => BodyPart::File(file),
        });
    }

    /// Length of the literal text in bytes.
    #[must_use]
    pub fn literal_len(&self) -> usize {
        let length = |part: &BodyPart| match part {
            BodyPart::Text(template) => template.literal_len(),
            BodyPart::SmallFile { bytes, .. } => bytes.len(),
            BodyPart::File(_) => 0,
        };
        self.0.iter().map(length).sum()
    }

    /// Returns whether there are files in it.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.0.iter().any(|part| matches!(part, BodyPart::File(_)))
    }

    /// Renders the text, and notes the places of the files in it.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render(
        &self,
        values: &mut Values<'_>,
        text: &mut Vec<u8>,
        files: &mut Vec<InsertedFile>,
    ) -> Result<(), RenderError> {
        for part in &self.0 {
            match part {
                BodyPart::Text(template) => template.render(values, text)?,
                BodyPart::SmallFile { bytes, .. } => text.extend_from_slice(bytes),
                BodyPart::File(file) => files.push(InsertedFile { at: text.len(), file: Arc::clone(file) }),
            }
        }
        Ok(())
    }

    /// The text for display, with secrets masked; of a file its name and length.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn example(&self, values: &mut Values<'_>) -> Result<Vec<u8>, RenderError> {
        let mut text = Vec::new();
        for part in &self.0 {
            match part {
                BodyPart::Text(template) => template.render_masked(values, &mut text)?,
                BodyPart::SmallFile { bytes, name } => {
                    text.extend_from_slice(label(name, bytes.len() as u64).as_bytes());
                }
                BodyPart::File(file) => text.extend_from_slice(label(file.name(), file.len()).as_bytes()),
            }
        }
        Ok(text)
    }

    /// The text and the files in it, if they are the same each time.
    #[must_use]
    pub fn fixed(&self) -> Option<(Vec<u8>, Vec<InsertedFile>)> {
        let (mut text, mut files) = (Vec::new(), Vec::new());
        for part in &self.0 {
            match part {
                BodyPart::Text(template) => text.extend_from_slice(&template.fixed()?),
                BodyPart::SmallFile { bytes, .. } => text.extend_from_slice(bytes),
                BodyPart::File(file) => files.push(InsertedFile { at: text.len(), file: Arc::clone(file) }),
            }
        }
        Some((text, files))
    }
}
